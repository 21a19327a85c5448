#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What an export costs beside Spark's own transform of the same sample: time, and the least memory of the driver.

    costs.py [--only KIND ...] [--sizes N ...] [--work FOLDER]

Each model is fitted or made once and saved. Then a new process loads it, and transforms the sample and collects what
the pipeline adds, or exports it. The time is that in an ample heap, after the session stands; the heap is the least of
a ladder in which the same ends within twice that time, give or take SLACK seconds, and no part of it runs out of
memory; Python is the most that the process beside the JVM held. Each run is told on stderr when it ends. The table is
printed as Markdown; all of it takes some two hours of a quiet machine.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

TOP = Path(__file__).resolve().parents[2]
EXPORT = TOP / "models" / "export"

ROWS = 300
FEATURES = 1000
PREPARE_MB = 8192
LADDER_MB = (512, 768, 1024, 1536, 2048, 3072, 4096, 6144)
SECONDS = 900.0
SLACK = 10.0
START = 30.0  # of Python and the session
TREES, DISTINCT = 1000, 20


def session(megabytes: int) -> Any:
    """Return a session whose driver has so much heap."""
    from pyspark.sql import SparkSession

    settings = {
        "spark.driver.memory": f"{megabytes}m",
        "spark.driver.extraJavaOptions": "-XX:+ExitOnOutOfMemoryError",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": "1",
    }
    builder = SparkSession.builder.master("local[2]").appName("costs")
    for key, value in settings.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    return spark


# -- models: each returns a fitted model and a frame of ROWS rows, the sample


def indexer(spark: Any, count: int) -> tuple[Any, Any]:
    """StringIndexer of so many labels."""
    from pyspark.ml import feature as f

    names = spark.range(count).selectExpr("concat('customer ', id) AS name")
    model = f.StringIndexer(inputCol="name", outputCol="i", handleInvalid="keep").fit(names)
    return model, names.sample(False, min(1.0, 2.0 * ROWS / count), 1).limit(ROWS)


def encoder(spark: Any, count: int) -> tuple[Any, Any]:
    """StringIndexer of so many labels, OneHotEncoder, LogisticRegression."""
    from pyspark.ml import Pipeline
    from pyspark.ml import classification as c
    from pyspark.ml import feature as f

    rows = spark.range(count).selectExpr("concat('customer ', id) AS name", "id % 2 AS label")
    stages = [
        f.StringIndexer(inputCol="name", outputCol="i", handleInvalid="keep"),
        f.OneHotEncoder(inputCol="i", outputCol="features"),
        c.LogisticRegression(maxIter=1),
    ]
    return Pipeline(stages=stages).fit(rows), rows.select("name").limit(ROWS)


def vectors(spark: Any, width: int) -> Any:
    """Return a frame of dense random vectors."""
    from pyspark.ml.linalg import Vectors
    from random import Random

    draw = Random(1)
    rows = [(Vectors.dense([draw.random() for _ in range(width)]),) for _ in range(ROWS)]
    return spark.createDataFrame(rows, ["features"])


def classes(spark: Any, count: int) -> tuple[Any, Any]:
    """LogisticRegression of so many coefficients, of FEATURES a class."""
    from pyspark.ml.classification import LogisticRegressionModel

    jvm, rows = spark.sparkContext._jvm, max(2, count // FEATURES)
    linalg = jvm.org.apache.spark.ml.linalg
    coefficients = linalg.DenseMatrix.randn(rows, FEATURES, jvm.java.util.Random(1))
    java = jvm.org.apache.spark.ml.classification.LogisticRegressionModel(
        "logistic", coefficients, linalg.Vectors.zeros(rows), rows, True
    )
    return LogisticRegressionModel._from_java(java), vectors(spark, FEATURES)


def forest(spark: Any, nodes: int) -> tuple[Any, Any]:
    """RandomForestRegressor of TREES trees and about so many nodes: DISTINCT trees, repeated where they are saved."""
    from pyspark.ml.regression import RandomForestRegressionModel, RandomForestRegressor
    from pyspark.sql import functions as F

    # a tree fitted on n different rows has about n leaves
    frame = vectors(spark, 10).crossJoin(spark.range(-(-nodes // TREES // 2 // ROWS) or 1))
    frame = frame.withColumn("label", F.rand(1)).repartition(2)
    small = RandomForestRegressor(
        numTrees=DISTINCT, maxDepth=30, maxBins=256, maxMemoryInMB=1024, seed=1, minInstancesPerNode=1
    ).fit(frame)
    with tempfile.TemporaryDirectory() as folder:
        small.save(f"{folder}/small")
        for table in ("data", "treesMetadata"):
            rows = spark.read.parquet(f"{folder}/small/{table}")
            many = rows.crossJoin(spark.range(TREES // DISTINCT).select(F.col("id").cast("int").alias("copy")))
            tree = (F.col("treeID") + DISTINCT * F.col("copy")).alias("treeID")
            columns = [tree if name == "treeID" else F.col(name) for name in rows.columns]
            many.select(*columns).write.mode("overwrite").parquet(f"{folder}/many/{table}")
        metadata = Path(folder, "small", "metadata")
        for part in metadata.glob("part-*"):
            text = part.read_text().replace(f'"numTrees":{DISTINCT}', f'"numTrees":{TREES}')
            spark.sparkContext.parallelize([text], 1).saveAsTextFile(f"{folder}/many/metadata")
        model = RandomForestRegressionModel.load(f"{folder}/many")
        return model, vectors(spark, 10)


KINDS: dict[str, tuple[Callable[[Any, int], tuple[Any, Any]], str, tuple[int, ...]]] = {
    "indexer": (indexer, "labels", (1_000, 10_000, 150_000, 1_000_000)),
    "encoder": (encoder, "labels, one-hot, logistic", (1_000, 10_000, 200_000, 1_000_000)),
    "classes": (classes, "coefficients", (10_000, 1_000_000, 10_000_000)),
    "forest": (forest, "nodes of 1,000 trees", (100_000, 1_000_000, 3_000_000)),
}


# -- what is measured, each in a process of its own


def prepare(spark: Any, kind: str, size: int, folder: Path) -> None:
    """Save a model and its sample."""
    from pyspark.ml import PipelineModel

    model, sample = KINDS[kind][0](spark, size)
    model = model if isinstance(model, PipelineModel) else PipelineModel(stages=[model])
    model.write().overwrite().save(f"{folder}/model")
    sample.coalesce(1).write.mode("overwrite").parquet(f"{folder}/sample")


def transform(spark: Any, folder: Path) -> None:
    """Let Spark answer the sample."""
    from pyspark.ml import PipelineModel

    sample = spark.read.parquet(f"{folder}/sample")
    answers = PipelineModel.load(f"{folder}/model").transform(sample)
    answers.select(answers.columns[-1]).collect()


def export(spark: Any, folder: Path) -> None:
    """Export the saved model."""
    from scored_export import export as write

    write(f"{folder}/model", folder / "bundle", sample=spark.read.parquet(f"{folder}/sample"), name="m")


WORK = {"transform": transform, "export": export}


def child(args: Sequence[str]) -> None:
    """Do one piece of work, and print how many seconds and how many MB of Python it took."""
    what, megabytes, folder, *more = args
    spark = session(int(megabytes))
    start = time.monotonic()
    if what in ("prepare", "whole"):
        prepare(spark, more[0], int(more[1]), Path(folder))
    if what != "prepare":
        WORK["export" if what == "whole" else what](spark, Path(folder))
    python = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    print(json.dumps({"seconds": time.monotonic() - start, "python": python}))


class Run(NamedTuple):
    """What a child took."""

    seconds: float
    python: int


def run(what: str, megabytes: int, folder: Path, *more: str, seconds: float = SECONDS) -> Run | None:
    """Return what a child took; None if it failed or took too long."""
    environment = {**os.environ, "PYTHONPATH": os.environ.get("PYTHONPATH", str(EXPORT))}
    found, why = None, f"more than {seconds:.0f} s"
    try:
        done = subprocess.run(
            [sys.executable, __file__, "--child", what, str(megabytes), str(folder), *more],
            capture_output=True, text=True, check=False, env=environment, timeout=seconds,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        done = None
    if done is not None and done.returncode == 0:
        found = Run(**json.loads(done.stdout.strip().splitlines()[-1]))
    elif done is not None:
        why = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1][:300]
    told = f"{found.seconds:.1f} s, Python {found.python} MB" if found else why
    print(f"    {folder.name}: {what} in {megabytes} MB: {told}", file=sys.stderr, flush=True)
    return found


def least(what: str, folder: Path) -> list[str]:
    """Return the seconds of some work, the least heap of the ladder that suffices, and the MB of Python."""
    ample = run(what, LADDER_MB[-1], folder)
    if ample is None:
        return ["none", f"over {LADDER_MB[-1]} MB", ""]
    low, high = 0, len(LADDER_MB) - 1  # the least that suffices is among these
    while low < high:
        middle = (low + high) // 2
        took = run(what, LADDER_MB[middle], folder, seconds=2 * ample.seconds + SLACK + START)
        if took is not None and took.seconds <= 2 * ample.seconds + SLACK:
            high = middle
        else:
            low = middle + 1
    return [f"{ample.seconds:.0f} s", f"{LADDER_MB[high]:,} MB", f"{ample.python:,} MB"]


def measure(kind: str, size: int, work: Path) -> list[str]:
    """Return a row of the table."""
    folder, first = work / f"{kind}-{size}", f"{size:,} {KINDS[kind][1]}"
    made = (folder / "sample" / "_SUCCESS").exists() or run("prepare", PREPARE_MB, folder, kind, str(size))
    cells = [cell for what in WORK for cell in least(what, folder)] if made else ["not made"] * 6
    return [first, *cells[:2], *cells[3:]]


def main(argv: Sequence[str]) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", action="append", choices=KINDS, help="a kind of model; may repeat")
    parser.add_argument("--sizes", type=int, nargs="+", help="other sizes")
    parser.add_argument("--work", type=Path, default=TOP / "build" / "costs", help="where models are kept")
    args = parser.parse_args(argv)
    print("| model | transform: time | heap | export: time | heap | Python |\n|---|---|---|---|---|---|")
    for kind in args.only or KINDS:
        for size in args.sizes or KINDS[kind][2]:
            print(f"| {' | '.join(measure(kind, size, args.work.resolve()))} |", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2:])
    else:
        main(sys.argv[1:])
