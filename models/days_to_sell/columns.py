# SPDX-License-Identifier: Apache-2.0
"""The columns the service sends, in one table: everything that names a feature reads it here."""

from __future__ import annotations

from typing import NamedTuple

from pyspark.sql.types import DoubleType, IntegerType, StringType, StructField, StructType

LABEL = "days_to_sell"

#: Known only once an advert has ended; a model that reads one of these has seen the answer.
OUTCOMES = ("sold_on", "withdrawn_on", "final_price", "views", LABEL)


class Column(NamedTuple):
    """One input of the model; `nullable` says what real requests do."""

    name: str
    kind: StringType | IntegerType | DoubleType
    nullable: bool
    description: str


TEXT, WHOLE, REAL = StringType(), IntegerType(), DoubleType()

COLUMNS = (
    Column("make", TEXT, False, "manufacturer, as in the taxonomy"),
    Column("model", TEXT, False, "model range, as in the taxonomy"),
    Column("fuel", TEXT, False, "Petrol, Diesel, Hybrid or Electric"),
    Column("body", TEXT, False, "body type, as in the taxonomy"),
    Column("transmission", TEXT, False, "Manual or Automatic"),
    Column("colour", TEXT, True, "main colour; free text, often missing"),
    Column("seller_type", TEXT, False, "Franchise, Independent or Private"),
    Column("region", TEXT, True, "region of the seller's postcode area"),
    Column("age_months", WHOLE, False, "months from first registration to the advert"),
    Column("mileage", WHOLE, True, "miles on the odometer"),
    Column("power_bhp", WHOLE, True, "engine or motor power"),
    Column("previous_owners", WHOLE, True, "keepers before the seller"),
    Column("photos", WHOLE, False, "photographs in the advert"),
    Column("price", WHOLE, False, "asking price in pounds when first listed"),
    Column(
        "price_ratio", REAL, True, "asking price / valuation at the car's mileage; null without a valuation"
    ),
    Column("population_density", REAL, True, "people per square kilometre around the seller"),
    Column("listed_month", WHOLE, False, "month of first listing, 1 to 12"),
)

FEATURES = tuple(c.name for c in COLUMNS)
CATEGORIES = tuple(c.name for c in COLUMNS if c.kind == TEXT)
NUMBERS = tuple(c.name for c in COLUMNS if c.kind != TEXT)
DESCRIPTIONS = {c.name: c.description for c in COLUMNS}


def request_schema() -> StructType:
    """Return the schema of what the service sends: the features, without the label."""
    return StructType([StructField(c.name, c.kind, c.nullable) for c in COLUMNS])
