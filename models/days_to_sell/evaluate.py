# SPDX-License-Identifier: Apache-2.0
"""How good a model is, and in which order time divides the adverts."""

from __future__ import annotations

from typing import NamedTuple

from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from days_to_sell.columns import LABEL


class Split(NamedTuple):
    """Adverts by day of listing: the oldest to learn from, the next to choose by, the newest to report on."""

    train: DataFrame
    choose: DataFrame
    report: DataFrame


def split(adverts: DataFrame, choose: float = 0.15, report: float = 0.15) -> Split:
    """Divide by time, as the model will be used: on adverts newer than all it has seen.

    No day is in two parts.
    """
    day = F.unix_date("listed_on")
    first, second = adverts.select(
        F.percentile_approx(day, [1 - choose - report, 1 - report], 100_000)
    ).head()[0]
    return Split(
        adverts.where(day <= first),
        adverts.where((day > first) & (day <= second)),
        adverts.where(day > second),
    )


def errors(scored: DataFrame) -> dict[str, float]:
    """Return `mae` and `rmse` in days and `r2` of the column `prediction`."""
    miss = F.col("prediction") - F.col(LABEL)
    row = scored.select(
        F.avg(F.abs(miss)).alias("mae"),
        F.sqrt(F.avg(miss * miss)).alias("rmse"),
        (1 - F.avg(miss * miss) / F.var_pop(LABEL)).alias("r2"),
    ).head()
    return row.asDict()


def baseline(seen: DataFrame, unseen: DataFrame) -> dict[str, float]:
    """Return the errors of the answer anyone can give without a model: the median of what was seen."""
    middle = seen.select(F.percentile_approx(LABEL, 0.5)).head()[0]
    return errors(unseen.withColumn("prediction", F.lit(middle)))


def of(model: PipelineModel, unseen: DataFrame) -> dict[str, float]:
    """Return the errors of a fitted pipeline on adverts it has not seen."""
    return errors(model.transform(unseen))
