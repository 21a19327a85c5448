-- Rows at each step, in one row.
SELECT (SELECT count(*) FROM adverts) AS adverts,
       (SELECT count(*) FROM joined) AS joined,
       (SELECT count(*) FROM training) AS training
