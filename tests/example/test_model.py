# SPDX-License-Identifier: Apache-2.0
"""The trained model: better than a guess, sane where the trade is sure, at ease with the unseen."""

from __future__ import annotations

import json

import pytest
from days_to_sell import evaluate
from days_to_sell.columns import CATEGORIES, COLUMNS, FEATURES, LABEL, NUMBERS, request_schema
from days_to_sell.pipeline import NAMES, candidates
from pyspark.ml import PipelineModel
from pyspark.sql import functions as F

#: Mean absolute error in days on the newest adverts; 20,000 rows reach 11, the tests' 6,000 about 12.
WORST_MAE = 14.0
#: What says how many trees an ensemble has.
TREES = {"forest": "numTrees", "gbt": "maxIter"}


@pytest.fixture(scope="module")
def model(trained):
    return PipelineModel.load(str(trained.model))


@pytest.fixture(scope="module")
def adverts(spark, trained):
    return spark.read.parquet(str(trained.training)).cache()


@pytest.fixture(scope="module")
def metrics(trained):
    return json.loads(trained.metrics.read_text())["metrics"]


def mean(model, adverts, /, **changed) -> float:
    """The mean prediction with columns replaced: partial dependence."""
    for column, value in changed.items():
        adverts = adverts.withColumn(column, F.expr(value))
    return model.transform(adverts).agg(F.avg("prediction")).head()[0]


def test_training_set_has_the_types_that_are_served(adverts):
    served = {f.name: f.dataType for f in request_schema()}
    assert {f.name: f.dataType for f in adverts.select(*FEATURES).schema} == served


def test_required_columns_are_never_null(adverts):
    required = [c.name for c in COLUMNS if not c.nullable]
    assert adverts.where(" OR ".join(f"{c} IS NULL" for c in required)).count() == 0


def test_error_is_bounded(metrics):
    assert metrics["holdout_mae"] < WORST_MAE
    assert metrics["holdout_r2"] > 0.35


def test_better_than_the_median(metrics):
    assert metrics["holdout_mae"] < 0.8 * metrics["baseline_mae"]


def test_split_is_by_time_and_loses_nothing(adverts):
    parts = evaluate.split(adverts)
    days = [p.agg(F.min("listed_on"), F.max("listed_on")).head() for p in parts]
    assert days[0][1] < days[1][0] and days[1][1] < days[2][0]
    assert sum(p.count() for p in parts) == adverts.count()
    assert 0.1 < parts.report.count() / adverts.count() < 0.2


def test_a_higher_price_sells_later(model, adverts):
    by_ratio = [mean(model, adverts, price_ratio=f"{r}D") for r in (0.85, 0.95, 1.00, 1.08, 1.20)]
    assert by_ratio == sorted(by_ratio)
    assert by_ratio[-1] > 1.3 * by_ratio[0]


def test_franchises_sell_sooner_than_private_sellers(model, adverts):
    assert mean(model, adverts, seller_type="'Franchise'") < mean(model, adverts, seller_type="'Private'")


def test_photographs_help(model, adverts):
    assert mean(model, adverts, photos="25") < mean(model, adverts, photos="0")


def test_predictions_are_within_the_window(model, adverts):
    low, high = model.transform(adverts).agg(F.min("prediction"), F.max("prediction")).head()
    assert 1 <= low and high <= 120


@pytest.mark.parametrize("column", CATEGORIES)
def test_unseen_and_missing_categories_are_answered(model, adverts, column):
    few = adverts.limit(20)
    for value in ("'never seen'", "CAST(NULL AS STRING)", "''"):
        assert 1 <= mean(model, few, **{column: value}) <= 120


def test_missing_numbers_are_answered(model, adverts):
    nothing = {n: f"CAST(NULL AS {adverts.schema[n].dataType.simpleString()})" for n in NUMBERS}
    assert 1 <= mean(model, adverts.limit(20), **nothing) <= 120


def test_names_are_the_candidates(spark):
    assert tuple(candidates()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_fits_are_repeatable(adverts, name):
    """A few trees are enough: each draws its rows and columns by the pinned seed."""
    few = adverts.limit(400).coalesce(1).cache()
    answers = []
    for _ in range(2):
        pipeline = candidates()[name]
        predictor = pipeline.getStages()[-1]
        if name in TREES:
            predictor.set(predictor.getParam(TREES[name]), 8)
        answers.append([r[0] for r in pipeline.fit(few).transform(few).select("prediction").collect()])
    assert answers[0] == answers[1]
    assert len(set(answers[0])) > 10


def test_the_label_is_not_served():
    assert LABEL not in request_schema().names
