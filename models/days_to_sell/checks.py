# SPDX-License-Identifier: Apache-2.0
"""The integrity checks: a table of measures, each with its bound and what a value outside it means."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

from pyspark.sql import SparkSession

from days_to_sell.columns import CATEGORIES, LABEL, NUMBERS

WINDOW = 120  # days that every advert of the training set had to sell in
INF = math.inf


class Check(NamedTuple):
    """`low <= measure <= high`, where `measure` is an aggregate over the view `of`. No value is a failure."""

    name: str
    of: str
    measure: str
    low: float
    high: float
    why: str


class Result(NamedTuple):
    """What a check found."""

    check: Check
    value: float | None

    @property
    def passed(self) -> bool:
        """Whether the bound was kept; NaN and a missing value keep none."""
        return self.value is not None and self.check.low <= self.value <= self.check.high

    def __str__(self) -> str:
        c, value = self.check, "no value" if self.value is None else f"{self.value:.6g}"
        return f"{c.name}: {value}, must be within [{c.low:g}, {c.high:g}]: {c.why}"


def share(condition: str) -> str:
    """Return the measure "share of rows for which `condition` holds"; a null is a no."""
    return f"avg(CASE WHEN {condition} THEN 1.0D ELSE 0.0D END)"


def rows(of: str, least: int) -> Check:
    """At least so many rows."""
    return Check(f"{of}.rows", of, "count(*)", least, INF, "the source is truncated or did not arrive")


def unique(of: str, key: str) -> Check:
    """No key twice."""
    return Check(
        f"{of}.unique",
        of,
        f"count(*) - count(DISTINCT {key})",
        0,
        0,
        f"({key}) occurs twice: a join would multiply adverts",
    )


def nulls(of: str, column: str, most: float) -> Check:
    """At most this share of nulls."""
    return Check(
        f"{of}.{column}.nulls",
        of,
        share(f"{column} IS NULL"),
        0,
        most,
        "more nulls than ever seen: a feed lost the column",
    )


def within(of: str, column: str, low: float, high: float, most: float = 0.0) -> Check:
    """At most this share of values outside the range."""
    return Check(
        f"{of}.{column}.range",
        of,
        share(f"{column} NOT BETWEEN {low} AND {high}"),
        0,
        most,
        f"values outside {low} to {high}: wrong unit or a broken feed",
    )


SOURCES = (
    rows("adverts", 1_000),
    rows("taxonomy", 50),
    rows("valuations", 5_000),
    rows("geography", 20),
    unique("adverts", "advert_id"),
    unique("taxonomy", "derivative_id"),
    unique("valuations", "derivative_id, age_years, valid_from"),
    unique("geography", "postcode_area"),
    nulls("adverts", "listed_on", 0),
    nulls("adverts", "registered_on", 0),
    nulls("adverts", "asking_price", 0),
    nulls("adverts", "seller_type", 0),
    nulls("adverts", "mileage", 0.05),
    nulls("adverts", "colour", 0.08),
    nulls("adverts", "previous_owners", 0.15),
    nulls("adverts", "postcode_area", 0.02),
    nulls("taxonomy", "power_bhp", 0.10),
    within("adverts", "mileage", 0, 300_000),
    within("adverts", "asking_price", 100, 500_000),
    within("adverts", "photos", 0, 100),
    within("adverts", "previous_owners", 0, 20),
    within("taxonomy", "power_bhp", 20, 1_500),
    within("valuations", "retail_value", 50, 500_000),
    within("geography", "population_density", 1, 30_000),
    Check(
        "adverts.dates",
        "adverts",
        share("sold_on < listed_on OR listed_on < registered_on"),
        0,
        0,
        "a car was sold before it was listed, or listed before it was registered",
    ),
    Check(
        "adverts.ended",
        "adverts",
        share("sold_on IS NOT NULL"),
        0.5,
        0.995,
        "the feed of sales is broken: almost no advert, or every one, has ended",
    ),
)

JOINS = (
    Check("joined.multiplied", "counts", "max(joined - adverts)", 0, 0, "a join lost or multiplied adverts"),
    Check(
        "joined.taxonomy.lost",
        "joined",
        share("known_derivative IS NULL"),
        0,
        0.01,
        "adverts of cars that the taxonomy does not know",
    ),
    Check("joined.geography.lost", "joined", share("region IS NULL"), 0, 0.02, "adverts without a region"),
    Check(
        "joined.valuations.lost",
        "joined",
        share("retail_value IS NULL"),
        0,
        0.05,
        "adverts without a valuation: price_ratio would be guessed",
    ),
    Check(
        "training.kept",
        "counts",
        "max(training / adverts)",
        0.5,
        1,
        "most adverts did not reach the training set",
    ),
    Check(
        "training.span",
        "training",
        "datediff(max(listed_on), min(listed_on))",
        365,
        INF,
        "less than a year of adverts: no season can be learnt",
    ),
)

TRAINING = (
    within("training", "price_ratio", 0.4, 2.5, most=0.005),
    within("training", "age_months", 0, 300),
    Check(
        "training.price_ratio.middle",
        "training",
        "percentile_approx(price_ratio, 0.5D)",
        0.9,
        1.1,
        "asking prices and valuations are not in the same unit or of the same cars",
    ),
    Check(f"training.{LABEL}.nulls", "training", share(f"{LABEL} IS NULL"), 0, 0, "adverts without a label"),
    within("training", LABEL, 1, WINDOW),
    Check(
        f"training.{LABEL}.middle",
        "training",
        f"percentile_approx({LABEL}, 0.5D)",
        10,
        60,
        "half of all adverts sell within this many days; the market does not jump that far",
    ),
    Check(
        f"training.{LABEL}.unsold",
        "training",
        share(f"{LABEL} = {WINDOW}"),
        0,
        0.15,
        "too many adverts never sell: the feed of sales lags behind",
    ),
)

LEAKS = (
    Check(
        "leak.valuation_from_the_future",
        "training",
        share("valued_on > listed_on"),
        0,
        0,
        "a valuation made after the advert has seen how it went",
    ),
    Check(
        "leak.window",
        "training",
        f"datediff((SELECT max(listed_on) FROM adverts), max(listed_on)) - {WINDOW}",
        0,
        INF,
        "adverts that had not the full window: the late ones that sold are the quick ones",
    ),
    *(
        Check(
            f"leak.{n}",
            "training",
            f"abs(coalesce(corr({n}, {LABEL}), 0))",
            0,
            0.8,
            "follows the label too closely to have been known beforehand",
        )
        for n in NUMBERS
    ),
)

DRIFT = (
    Check(
        "drift.rows",
        "growth",
        "max(adverts / last_adverts)",
        0.7,
        1.5,
        "far more or fewer adverts than in the last run that passed",
    ),
    *(
        Check(
            f"drift.{c}",
            "drift",
            f"coalesce(max(CASE WHEN feature = '{c}' THEN moved END), 1)",
            0,
            0.10,
            "the mix of categories moved since the last run that passed: renamed values or a missing feed",
        )
        for c in CATEGORIES
    ),
)


def table(with_last_run: bool) -> tuple[Check, ...]:
    """Return the checks of a run; drift only where there is a last run to compare with."""
    return SOURCES + JOINS + TRAINING + LEAKS + (DRIFT if with_last_run else ())


def measure(session: SparkSession, checks: Iterable[Check]) -> Iterator[Result]:
    """Measure the checks, those of one view in one query."""
    for of, group in groupby(sorted(checks, key=lambda c: c.of), key=lambda c: c.of):
        found = list(group)
        columns = ", ".join(f"CAST({c.measure} AS DOUBLE) AS m{i}" for i, c in enumerate(found))
        row = session.sql(f"SELECT {columns} FROM {of}").head()
        yield from (Result(c, value) for c, value in zip(found, row, strict=True))
