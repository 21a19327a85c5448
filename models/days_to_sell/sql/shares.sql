-- Share of each value of each categorical feature: kept for the next run, to see drift.
WITH cells AS (
    SELECT stack(8, 'make', make, 'model', model, 'fuel', fuel, 'body', body, 'transmission', transmission,
                    'colour', colour, 'seller_type', seller_type, 'region', region) AS (feature, value)
    FROM training
)
SELECT feature, coalesce(value, '(null)') AS value, count(*) / (SELECT count(*) FROM training) AS share
FROM cells GROUP BY feature, value ORDER BY feature, value
