#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The label of a prediction, asked for by name, is what IndexToString at the pipeline's end answers in Spark."""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP / "tests" / "parity"), str(TOP / "models" / "export")]

import scored_side  # noqa: E402
import spark_side  # noqa: E402
from pyspark.ml import Pipeline, PipelineModel  # noqa: E402
from pyspark.ml import classification as c  # noqa: E402
from pyspark.ml import feature as f  # noqa: E402
from scored_export import export  # noqa: E402

KINDS = ("setosa", "", "İris", "a\U0001f600", '"quoted"\\', "virginica", "1.0")
SCHEMA = "a double, b double, kind string"
SPECIAL = (0.0, -0.0, 1e300, -1e300, 5e-324, float("inf"))


def data(spark: Any, r: random.Random, count: int) -> Any:
    """Return rows of as many kinds, some of special numbers."""
    rows = []
    for i in range(count):
        kind = (3 * i + i // 7) % len(KINDS)
        far = r.random() < 0.05 and i > count // 2
        rows.append((r.choice(SPECIAL) if far else r.gauss(kind, 1.0), r.gauss(-kind, 2.0), KINDS[kind]))
    return spark.createDataFrame(rows, SCHEMA)


def pipelines() -> Iterator[tuple[str, list[Any], list[str]]]:
    """Yield what is fitted, and the predictions."""
    features = f.VectorAssembler(inputCols=["a", "b"], outputCol="features")
    learners = {
        "logistic": c.LogisticRegression(labelCol="label", maxIter=4),
        "tree": c.DecisionTreeClassifier(labelCol="label", predictionCol="p", maxDepth=3),
        "forest": c.RandomForestClassifier(labelCol="label", numTrees=3, seed=1),
        "perceptron": c.MultilayerPerceptronClassifier(labelCol="label", layers=[2, len(KINDS)], maxIter=3),
        "rest": c.OneVsRest(classifier=c.LogisticRegression(maxIter=2), labelCol="label"),
        "bayes": c.NaiveBayes(labelCol="label", modelType="gaussian"),
    }
    for i, (name, learner) in enumerate(learners.items()):
        order = ("frequencyDesc", "frequencyAsc", "alphabetDesc", "alphabetAsc")[i % 4]
        keep = "keep" if name in ("tree", "forest") else "error"
        indexer = f.StringIndexer(
            inputCol="kind", outputCol="label", handleInvalid=keep, stringOrderType=order
        )
        yield name, [indexer, features, learner], [learner.getPredictionCol()]
    both = [learners["logistic"], learners["tree"].copy({learners["tree"].rawPredictionCol: "r2"})]
    both[1].setProbabilityCol("q2")
    indexer = f.StringIndexer(inputCol="kind", outputCol="label")
    yield "both", [indexer, features, *both], ["prediction", "p"]


def differences(binary: Path, model: Any, predictions: list[str], frame: Any) -> tuple[int, int]:
    """Return how many labels were compared, and how many differ."""
    labels = [*model.stages[0].labels, "__unknown"]
    texts = [
        f.IndexToString(inputCol=name, outputCol=f"text {i}", labels=labels)
        for i, name in enumerate(predictions)
    ]
    answers = PipelineModel(stages=[*model.stages, *texts]).transform(frame).collect()
    with tempfile.TemporaryDirectory(prefix="labels-") as folder:
        told = export(model, folder, sample=frame.drop("kind").limit(50), name="labels")
        wanted = [f"{name}_label" for name in predictions]
        assert list(told.labelled) == predictions and all(name in str(told) for name in wanted)
        lines = [json.dumps({"a": spell(row["a"]), "b": spell(row["b"])}).encode() for row in answers]
        found = scored_side.predict(binary, Path(folder), lines, ",".join(wanted), 64)
    wrong = 0
    for row, line in zip(answers, found, strict=True):
        want = {name: row[f"text {i}"] for i, name in enumerate(wanted)}
        if json.loads(line) != want:
            wrong += 1
            print("want", want, "found", line.decode())
    return len(answers) * len(wanted), wrong


def spell(value: float) -> Any:
    """Return a number as JSON has it."""
    return "Infinity" if value == float("inf") else value


def main(argv: Sequence[str] | None = None) -> int:
    """Compare all pipelines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bin", type=Path, default=TOP / "build/release/scored", help="the binary")
    args = parser.parse_args(argv)
    spark = spark_side.session()
    r = random.Random(args.seed)
    training, frame = data(spark, r, 300).limit(150).cache(), data(spark, r, args.rows).cache()
    bad = 0
    for name, stages, predictions in pipelines():
        model = Pipeline(stages=stages).fit(training)
        compared, wrong = differences(args.bin, model, predictions, frame)
        print(f"{name}: {compared} labels, {wrong} differ", flush=True)
        bad += wrong
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
