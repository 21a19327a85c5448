-- Per feature: the share of adverts that would have to change category to look like the last run's.
SELECT coalesce(n.feature, l.feature) AS feature,
       sum(abs(coalesce(n.share, 0) - coalesce(l.share, 0))) / 2 AS moved
FROM shares n FULL OUTER JOIN last_shares l ON l.feature = n.feature AND l.value = n.value
GROUP BY coalesce(n.feature, l.feature)
