-- Every advert once, with what the other sources know of it; nulls where they know nothing.
-- The valuation is the one in force on the day of listing: a later one has seen the future.
SELECT a.*,
       t.derivative_id AS known_derivative, t.make, t.model, t.body, t.fuel, t.transmission, t.power_bhp,
       g.region, g.population_density,
       v.valid_from AS valued_on, v.retail_value, v.typical_mileage
FROM (SELECT *, CAST(months_between(listed_on, registered_on) AS INT) AS age_months FROM adverts) a
LEFT JOIN taxonomy t ON t.derivative_id = a.derivative_id
LEFT JOIN geography g ON g.postcode_area = a.postcode_area
LEFT JOIN valuations v
       ON v.derivative_id = a.derivative_id
      AND v.age_years = CAST(a.age_months / 12 AS INT)
      AND a.listed_on >= v.valid_from AND a.listed_on < v.valid_to
