# SPDX-License-Identifier: Apache-2.0
"""The pipelines that compete: one way of reading an advert, three regressions."""

from __future__ import annotations

from pyspark.ml import Pipeline, Transformer
from pyspark.ml.feature import (
    Bucketizer,
    Imputer,
    OneHotEncoder,
    StandardScaler,
    StringIndexer,
    VectorAssembler,
)
from pyspark.ml.regression import GBTRegressor, LinearRegression, RandomForestRegressor

from days_to_sell.columns import CATEGORIES, LABEL, NUMBERS

SEED = 20260630
NAMES = ("linear", "forest", "gbt")
BINS = 64  # more than the makes or models there are: a forest needs a bin for each

#: Where the aggregator's price badge changes: great, good, fair, high, very high. Buyers filter by it.
BADGES = [float("-inf"), 0.90, 0.97, 1.04, 1.12, float("inf")]

INDEXES = [f"{c}_index" for c in CATEGORIES]
HOT = [f"{c}_hot" for c in CATEGORIES]
FILLED = [f"{n}_filled" for n in NUMBERS]
BADGE = "price_badge"


def reading() -> list[Transformer]:
    """Return the stages that every pipeline begins with: indexes, filled numbers, the price badge."""
    return [
        StringIndexer(
            inputCols=list(CATEGORIES),
            outputCols=INDEXES,
            handleInvalid="keep",
            stringOrderType="frequencyDesc",
        ),
        Imputer(inputCols=list(NUMBERS), outputCols=FILLED, strategy="median"),
        Bucketizer(inputCol="price_ratio_filled", outputCol=BADGE, splits=BADGES, handleInvalid="keep"),
    ]


def linear() -> Pipeline:
    """Return a linear model over one-hot categories, badges and scaled numbers."""
    return Pipeline(
        stages=[
            *reading(),
            OneHotEncoder(
                inputCols=[*INDEXES, BADGE],
                outputCols=[*HOT, f"{BADGE}_hot"],
                handleInvalid="keep",
                dropLast=True,
            ),
            VectorAssembler(inputCols=[*HOT, f"{BADGE}_hot", *FILLED], outputCol="raw", handleInvalid="keep"),
            StandardScaler(inputCol="raw", outputCol="features", withMean=False, withStd=True),
            LinearRegression(
                labelCol=LABEL, featuresCol="features", regParam=0.05, elasticNetParam=0.0, solver="normal"
            ),
        ]
    )


def trees(regressor: RandomForestRegressor | GBTRegressor) -> Pipeline:
    """Return an ensemble of trees over indexes and numbers."""
    return Pipeline(
        stages=[
            *reading(),
            VectorAssembler(inputCols=[*INDEXES, BADGE, *FILLED], outputCol="features", handleInvalid="keep"),
            regressor,
        ]
    )


def candidates() -> dict[str, Pipeline]:
    """Return the pipelines to compare, by name; seeds are pinned."""
    return {
        "linear": linear(),
        "forest": trees(
            RandomForestRegressor(
                labelCol=LABEL, numTrees=30, maxDepth=8, maxBins=BINS, minInstancesPerNode=5, seed=SEED
            )
        ),
        "gbt": trees(
            GBTRegressor(
                labelCol=LABEL,
                maxIter=60,
                maxDepth=5,
                maxBins=BINS,
                stepSize=0.1,
                minInstancesPerNode=15,
                subsamplingRate=0.8,
                seed=SEED,
            )
        ),
    }
