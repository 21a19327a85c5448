# SPDX-License-Identifier: Apache-2.0
"""One Spark session and one family of fitted pipelines for all tests of the exporter."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "models" / "export"))
sys.path.insert(0, str(Path(__file__).parent))

STRINGS = ["make", "fuel"]
SEED = 20


@pytest.fixture(scope="session")
def spark():
    from pyspark.sql import SparkSession

    session = (
        SparkSession.builder.master("local[1]")
        .appName("export tests")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.driver.memory", "2g")
        # hundreds of small plans: the optimising compiler never pays
        .config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", "1")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()


@pytest.fixture(scope="session")
def cars(spark):
    """Rows of every scalar type, with nulls and NaN, and labels to fit on."""
    draw = random.Random(SEED)
    rows = []
    for i in range(400):
        make = draw.choice(["audi", "bmw", "citroën", None]) if i % 40 == 0 else draw.choice(["audi", "bmw"])
        row = (
            make,
            draw.choice(["a", "b", "c", "d", "e"]),
            draw.randrange(-5, 90),
            draw.randrange(3),
            draw.randrange(7),
            draw.randrange(1 << 40),
            draw.choice([0.1, 2.5, -0.0, 1e10]),
            float("nan") if i % 50 == 7 else draw.gauss(0, 3),
            draw.choice([0.5, 1.0, 1e7, 1.5e-5]),
            draw.random() < 0.3,
        )
        price = row[2] * 0.7 + (5 if row[1] in "ac" else 0) + draw.gauss(0, 1)
        rows.append((*row, price, float(price > 30), float(draw.randrange(3))))
    return spark.createDataFrame(
        rows,
        "make string, fuel string, age int, doors tinyint, gears smallint, km bigint, litres float, slope double, "
        "grade double, leased boolean, price double, dear double, band double",
    ).cache()


@pytest.fixture(scope="session")
def stages(cars):
    """Fitted stages of every feature op, with a `features` column at the end."""
    from pyspark.ml import Pipeline
    from pyspark.ml import feature as f

    return Pipeline(
        stages=[
            f.StringIndexer(
                inputCols=["make", "fuel", "grade", "gears", "litres"],
                outputCols=["make_i", "fuel_i", "grade_i", "gears_i", "litres_i"],
                handleInvalid="keep",
            ),
            f.OneHotEncoder(inputCols=["make_i"], outputCols=["make_v"], handleInvalid="keep"),
            f.Imputer(inputCols=["slope", "age"], outputCols=["slope_f", "age_f"]),
            f.QuantileDiscretizer(inputCol="km", outputCol="km_b", numBuckets=4, handleInvalid="keep"),
            f.Binarizer(inputCols=["slope"], outputCols=["steep"], thresholds=[0.5]),
            f.VectorAssembler(
                inputCols=["fuel_i", "gears_i", "make_v", "slope_f", "age_f", "doors", "km_b", "leased"],
                outputCol="raw",
                handleInvalid="skip",
            ),
            f.StandardScaler(inputCol="raw", outputCol="scaled", withMean=True),
            f.MinMaxScaler(inputCol="scaled", outputCol="unit"),
            f.Normalizer(inputCol="unit", outputCol="normal", p=1.0),
            f.VectorSlicer(inputCol="raw", outputCol="slice", indices=[0], names=["age_f", "leased"]),
            f.VectorAssembler(inputCols=["raw", "normal", "slice"], outputCol="features"),
            f.IndexToString(inputCol="fuel_i", outputCol="fuel_s"),
        ]
    ).fit(cars)


@pytest.fixture(scope="session")
def fitted(cars, stages):
    """Return a function that fits an estimator on the features and returns the whole pipeline."""
    from pyspark.ml import PipelineModel

    featured = stages.transform(cars).cache()
    return lambda estimator: PipelineModel(stages=[stages, estimator.fit(featured)])


@pytest.fixture(scope="session")
def sample(cars):
    """What the service sends: no labels."""
    return cars.drop("price", "dear", "band")
