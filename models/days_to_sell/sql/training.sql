-- The features as the service sends them, and the label.
-- An advert counts if it was listed long enough ago that every one of them had :window days to sell, and was not
-- withdrawn within them; those still unsold then count as :window. The valuation is moved to the car's own
-- mileage (0.4 % per 1,000 miles) and age (1.1 % a month off the middle of its year).
WITH valued AS (
    SELECT *,
           retail_value * (1 - 0.004D * (coalesce(mileage - typical_mileage, 0)) / 1000)
                        * (1 - 0.011D * (age_months % 12 - 6)) AS valuation
    FROM joined
)
SELECT advert_id, listed_on, valued_on,
       make, model, fuel, body, transmission, colour, seller_type, region,
       age_months, mileage, power_bhp, previous_owners, photos, asking_price AS price,
       CASE WHEN valuation > 0 THEN round(asking_price / valuation, 4) END AS price_ratio,
       population_density, month(listed_on) AS listed_month,
       CAST(least(coalesce(datediff(sold_on, listed_on), :window), :window) AS DOUBLE) AS days_to_sell
FROM valued
WHERE known_derivative IS NOT NULL
  AND listed_on <= date_sub((SELECT max(listed_on) FROM adverts), :window)
  AND (withdrawn_on IS NULL OR datediff(withdrawn_on, listed_on) >= :window)
ORDER BY listed_on, advert_id
