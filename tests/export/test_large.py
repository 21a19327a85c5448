# SPDX-License-Identifier: Apache-2.0
"""Large models in small drivers, and what keeps them small: a plan is made once, and no job carries the model."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from format_check import Bundle
from py4j.protocol import Py4JNetworkError
from pyspark.ml import PipelineModel
from pyspark.ml import feature as f
from pyspark.ml import regression as r
from scored_export import Refused, export, planned
from scored_export.errors import Unavailable
from scored_export.golden import ERRORS
from scored_export.score import SIZES, Outcome, Scorer
from test_reasons import thrown

EXPORT = str(Path(__file__).resolve().parents[2] / "models" / "export")
LABELS, MEGABYTES = 150_000, 1024
#: Of a pipeline of two stages: writing and reading them, the platform, the sample, and a row of each kind.
JOBS = 25


def test_a_table_of_labels(tmp_path):
    """In the driver's default memory, in a process of its own."""
    costs = Path(__file__).with_name("costs.py")
    folder = tmp_path / "model"
    done = subprocess.run(
        [sys.executable, costs, "--child", "whole", str(MEGABYTES), folder, "indexer", str(LABELS)],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": EXPORT}, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    bundle = Bundle(folder / "bundle")
    assert bundle.manifest["golden"]["labels"][1] == LABELS
    offsets = bundle.blocks["s000.labels.0.offsets"]
    assert len(offsets) == LABELS + 1
    answered = [line for line in bundle.golden if "out" in line]
    table = bundle.blocks["s000.labels.0.bytes"].tobytes()
    for line in answered[:50]:
        i = int(line["out"]["i"])
        label = line["in"]["name"]
        assert i == LABELS or table[offsets[i] : offsets[i + 1]].decode() == label


@pytest.fixture(scope="module")
def rows(spark):
    """Two hundred rows, half of which throw at one of two places."""
    made = [(float(i), (None, -1.0, 0.5, 1.5)[i % 4]) for i in range(200)]
    return spark.createDataFrame(made, "a double, b double")


@pytest.fixture(scope="module")
def model():
    bucket = f.Bucketizer(splits=[0.0, 1.0, 2.0], inputCol="b", outputCol="c", handleInvalid="error")
    return PipelineModel(stages=[bucket, f.VectorAssembler(inputCols=["a", "c"], outputCol="v")])


def test_the_number_of_jobs_does_not_grow_with_rows_that_throw(spark, rows, model, tmp_path):
    scheduler = spark.sparkContext._jsc.sc().dagScheduler()
    before = scheduler.numTotalJobs()
    export(model, tmp_path, sample=rows, name="m")
    assert scheduler.numTotalJobs() - before <= JOBS
    lines = Bundle(tmp_path).golden
    assert sum(line.get("error", False) for line in lines) >= ERRORS and any("out" in line for line in lines)


def test_rows_are_scored_without_a_job(spark, rows, model):
    scorer = Scorer(spark, model, rows.schema.fields, ["v"])
    given = [tuple(row) for row in rows.collect()]
    scheduler = spark.sparkContext._jsc.sc().dagScheduler()
    before = scheduler.numTotalJobs()
    answers = scorer.score(given)
    assert scheduler.numTotalJobs() == before
    assert [answer is Outcome.ERROR for answer in answers] == [i % 4 < 2 for i in range(200)]
    kinds = [kind for kind in scorer.witnesses if " at " in kind]
    assert len(kinds) == 2 and any("VectorAssembler" in kind for kind in kinds), kinds


def test_no_time_is_lost_by_planning(spark, rows, model):
    """A limit that is over at once lets the first part be answered: large models are long in planning."""
    good = [tuple(row) for row in rows.collect() if row.b == 0.5]
    answers = Scorer(spark, model, rows.schema.fields, ["c"]).score(good * (1 + SIZES[0] // len(good)), 0.0)
    assert answers[: SIZES[0]] == [(0.0,)] * SIZES[0]
    assert set(answers[SIZES[0] :]) == {Outcome.UNKNOWN}


class Watched:
    """A block manager that sees how many tasks are registered at a time."""

    def __init__(self, blocks):
        self._blocks = blocks
        self._active = self.most = 0

    def registerTask(self, number):
        self._blocks.registerTask(number)
        self._active += 1
        self.most = max(self.most, self._active)
        time.sleep(0.002)

    def releaseAllLocksForTask(self, number):
        self._active -= 1
        self._blocks.releaseAllLocksForTask(number)


def test_several_threads_score_at_once(spark, rows, model, monkeypatch):
    """Each gets its own answers; of tasks, which have one number, there is one at a time."""
    watched = Watched(planned._blocks(spark))
    monkeypatch.setattr(planned, "_blocks", lambda _: watched)
    given = [tuple(row) for row in rows.collect()][:40]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: Scorer(spark, model, rows.schema.fields, ["c"]).score(given), range(4)))
    assert found[0][2:4] == [(0.0,), (1.0,)] and all(answers == found[0] for answers in found)
    assert watched.most == 1


def test_answers_carry_no_attributes(spark, monkeypatch):
    """The labels stand in the metadata of an indexed column, and not in what comes of it."""
    labels = [f"label {i}" for i in range(100)]
    model = f.StringIndexerModel.from_labels(labels, "s", "i", "keep")
    frame = spark.createDataFrame([("label 1",)], "s string")
    assert "label 99" in model.transform(frame).schema.json()
    seen = []
    plain = planned.Planned._answers

    def listening(self, stream):
        seen.append(stream.read())
        stream.seek(0)
        return plain(self, stream)

    monkeypatch.setattr(planned.Planned, "_answers", listening)
    assert Scorer(spark, model, frame.schema.fields, ["i"]).score([("label 7",)]) == [(7.0,)]
    assert len(seen) == 1 and b"label 99" not in seen[0]


def test_a_model_that_was_broadcast(spark, cars, tmp_path, monkeypatch):
    """Its locks are those of a task; were they not, jobs of Spark's would tell."""
    few = cars.limit(60).select("age", "km", "price").cache()
    assembler = f.VectorAssembler(inputCols=["age", "km"], outputCol="features")
    forest = r.RandomForestRegressor(labelCol="price", numTrees=2, seed=1).fit(assembler.transform(few))
    model = PipelineModel(stages=[assembler, forest])
    export(model, tmp_path / "b", sample=few.drop("price"), name="m")
    bundle = Bundle(tmp_path / "b")
    assert sum("out" in line for line in bundle.golden) >= 60
    assert bundle.manifest["golden"]["leaves"][0] > 1
    monkeypatch.setattr(planned, "_blocks", Unregistered)
    with pytest.raises(Refused, match="answers a row otherwise than Spark's driver"):
        export(model, tmp_path / "again", sample=few.drop("price"), name="m")


class Unregistered:
    """A block manager that no task is registered with."""

    def __init__(self, _):
        pass

    def registerTask(self, _):
        pass

    def releaseAllLocksForTask(self, _):
        pass


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (thrown("java.lang.OutOfMemoryError: Java heap space"), Unavailable, "spark.driver.memory"),
        (thrown("org.apache.spark.SparkException: x", "java.lang.StackOverflowError"), Refused, "cannot score"),
        (thrown("java.lang.NoClassDefFoundError: com/acme/X"), Refused, "class path"),
        (Py4JNetworkError("Answer from Java side is empty"), Unavailable, "spark.driver.memory"),
        (thrown("org.apache.spark.SparkException: Unseen label: x"), planned.Thrown, "Unseen label"),
        (thrown("java.lang.AssertionError: assertion failed"), planned.Thrown, "assertion failed"),
    ],
)  # fmt: skip
def test_what_is_no_rows_fault(error, kind, text):
    found = planned._thrown(error)
    assert type(found) is kind and text in str(found)


def test_progress_names_each_phase(rows, model, tmp_path, monkeypatch):
    told = []
    for module in ("exporter", "golden"):
        monkeypatch.setattr(f"scored_export.{module}.show", told.append)
    export(model, tmp_path, sample=rows, name="m")
    at = [next((i for i, line in enumerate(told) if line.startswith(phase)), phase) for phase in PHASES]
    assert all(isinstance(i, int) for i in at), at
    assert at == sorted(at) and told[-1] == ""
    told.clear()
    model.save(str(tmp_path / "saved"))
    export(str(tmp_path / "saved"), tmp_path / "b", sample=rows.limit(30), name="m")
    assert told[0] == "loading 2 stages"


PHASES = (
    *("saving 2 stages", "reading Bucketizer", "reading VectorAssembler", "reading the sample"),
    *("asking Spark what 2", "asking Spark for 1", "asking Spark for rows that were made"),
    *("asking jobs of Spark", "writing the bundle"),
)
