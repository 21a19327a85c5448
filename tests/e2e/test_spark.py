"""From Spark to answers: models are exported straight to S3, and the daemon serves what is current there."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from backends import BUCKET, CHOSEN, SERVERS, Backend
from live import Live, Question

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "models" / "export"))

URI = f"s3://{BUCKET}/spark/prices/"
ROW = {"make": "Opel", "km": 20.0}


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    """A small session."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    builder = builder.config("spark.driver.memory", "2g").config("spark.driver.bindAddress", "127.0.0.1")
    builder = builder.config("spark.driver.host", "127.0.0.1").config("spark.sql.shuffle.partitions", "1")
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()


@pytest.fixture(scope="module")
def fitted(spark: Any) -> Callable[[float], tuple[Any, Any, float]]:
    """Fits prices that fall by some amount a kilometre: the model, its sample, and its answer to ROW."""
    from pyspark.ml import Pipeline
    from pyspark.ml.feature import StringIndexer, VectorAssembler
    from pyspark.ml.regression import LinearRegression

    stages = [
        StringIndexer(inputCol="make", outputCol="make_i", handleInvalid="keep"),
        VectorAssembler(inputCols=["make_i", "km"], outputCol="features"),
        LinearRegression(labelCol="price"),
    ]

    def fit(fall: float) -> tuple[Any, Any, float]:
        rows = [
            (make, float(km), 90.0 - fall * km - len(make)) for km in range(40) for make in ("BMW", "Opel")
        ]
        cars = spark.createDataFrame(rows, "make string, km double, price double")
        sample = cars.drop("price")
        model = Pipeline(stages=stages).fit(cars)
        answered = model.transform(spark.createDataFrame([(ROW["make"], ROW["km"])], sample.schema))
        return model, sample, answered.first()["prediction"]

    return fit


@pytest.fixture(scope="module", params=CHOSEN)
def backend(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """A server with an empty bucket, and this process a client of it."""
    with (
        SERVERS[request.param](tmp_path_factory.mktemp(request.param)) as running,
        pytest.MonkeyPatch.context() as m,
    ):
        for name, value in running.env.items():
            m.setenv(name, value)
        running.client().create_bucket(Bucket=BUCKET)
        yield running


def upload_corrupt(folder: Path, put: Callable[[str, bytes], Any]) -> None:
    """Publish a bundle with one bit of its blocks changed."""
    for path in sorted(folder.iterdir(), key=lambda path: path.name == "bundle.json"):
        content = bytearray(path.read_bytes())
        if path.name.startswith("blocks-"):
            content[-1] ^= 1
        put(path.name, bytes(content))


def test_from_spark_to_answers_and_back(backend: Backend, fitted: Any, tmp_path: Path) -> None:
    from scored_export import export, promote

    answers: dict[str, float] = {}
    digests: dict[str, str] = {}

    def publish(label: str, fall: float) -> None:
        model, sample, answers[label] = fitted(fall)
        digests[label] = export(model, URI, sample=sample, name="prices", version=label)

    publish("v1", 0.5)
    question = Question(ROW, lambda label, value: value == answers.get(label))
    with Live(URI, "--cache", str(tmp_path / "cache"), env=backend.env, question=question) as live:
        assert live.serves("v1")["sha256"] == digests["v1"]
        with live.traffic:
            publish("v2", 0.75)
            assert live.serves("v2", 30)["sha256"] == digests["v2"]
            assert answers["v1"] != answers["v2"]
            live.admin("rollback")
            live.serves("v1")
            live.admin("reload", {"force": True})
            live.serves("v2")
            model, sample, _ = fitted(1.0)
            export(model, tmp_path / "v3", sample=sample, name="prices", version="v3")
            upload_corrupt(tmp_path / "v3", backend.putter("spark/prices/"))
            live.fails("fetch", "digest", refused=False)
            assert live.status()["version"] == "v2"
            promote(digests["v1"][:16], URI)
            live.serves("v1")
        assert live.traffic.failed == []
        assert live.traffic.seen() == ["v1", "v2", "v1", "v2", "v1"]
