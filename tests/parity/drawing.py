# SPDX-License-Identifier: Apache-2.0
"""Tools to draw models with: fits that are kept, and saved models that are changed where they are saved."""

from __future__ import annotations

import math
import random
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyspark.ml.linalg import DenseMatrix, DenseVector, SparseMatrix, SparseVector, Vectors
from rows import Column, Number, Text
from spark_side import frame, schema

NAN, INF = math.nan, math.inf
SPECIALS = (NAN, INF, -INF, 0.0, -0.0, 1e308, -1e308, 5e-324, 1.0)
LABELS = (
    "a",
    "b",
    "",
    "A",
    "NaN",
    "1.0",
    "1",
    "-0.0",
    "1.0E7",
    "0",
    "é",
    "a\0b",
    "x" * 1100,
    " a",
)
TRAINING = 24


@dataclass
class Drawn:
    """A fitted model and the columns it reads; where it reads something absent, `columns` lacks that."""

    what: str
    model: Any
    columns: tuple[Column, ...]


def spoil(r: random.Random, values: Sequence[float], share: float) -> list[float]:
    """Replace a share of some numbers by special ones."""
    return [r.choice(SPECIALS) if r.random() < share else float(v) for v in values]


def spoiled(r: random.Random, value: Any, share: float) -> Any:
    """Replace numbers within a vector or matrix, its kind kept."""
    values = spoil(r, value.values.tolist(), share)
    if isinstance(value, SparseVector):
        return SparseVector(value.size, value.indices.tolist(), values)
    if isinstance(value, SparseMatrix):
        indices = (value.colPtrs.tolist(), value.rowIndices.tolist())
        return SparseMatrix(value.numRows, value.numCols, *indices, values, value.isTransposed)
    if isinstance(value, DenseMatrix):
        return DenseMatrix(value.numRows, value.numCols, values, value.isTransposed)
    return DenseVector(values)


def each_node(rows: list[dict[str, Any]], change: Callable[[dict[str, Any]], None]) -> None:
    for row in rows:
        change(row.get("nodeData", row))


class Tools:
    """What the kinds of models share."""

    def __init__(self, spark: Any, folder: Path) -> None:
        self.spark = spark
        self._folder = folder
        self._fits: dict[Any, Any] = {}

    def fit(self, key: Any, make: Callable[[], Any]) -> Any:
        """Return what was fitted under this key, now or earlier."""
        if key not in self._fits:
            self._fits[key] = make()
        return self._fits[key]

    def data(
        self,
        size: int,
        labels: Sequence[float],
        metadata: Any = None,
        constant: bool = False,
    ) -> Any:
        """Return a few rows of features and labels."""
        r = random.Random(size)
        rows = []
        for i in range(TRAINING):
            values = [1.0 if constant else float(r.randrange(4)) for _ in range(size)]
            rows.append((Vectors.dense(values), float(labels[i % len(labels)])))
        made = self.spark.createDataFrame(rows, ["features", "label"])
        return made.withMetadata("features", {"ml_attr": metadata}) if metadata else made

    def changed(
        self,
        model: Any,
        change: Callable[[list[dict[str, Any]]], None],
        table: str = "data",
    ) -> Any:
        """Save a stage, change the rows of one of its tables, and load it again."""
        path = self._folder / "changed"
        shutil.rmtree(path, ignore_errors=True)
        model.save(str(path))
        data = self.spark.read.parquet(str(path / table))
        rows = [row.asDict(recursive=True) for row in data.collect()]
        change(rows)
        shutil.rmtree(path / table)
        self.spark.createDataFrame(rows, data.schema).coalesce(1).write.parquet(str(path / table))
        return type(model).load(str(path))

    def labels(self, r: random.Random, null: bool) -> list[Any]:
        """Return labels, none and doubled ones too."""
        if r.random() < 0.1:
            return [f"label {i}" for i in range(70)]
        return [r.choice((*LABELS, *([None] if null else []))) for _ in range(r.choice((0, 1, 1, 2, 3, 6)))]

    def classifier(self, r: random.Random, model: Any) -> Any:
        """Leave out some of the columns."""
        raw, probability = r.choice(
            ((True, True), (True, True), (False, True), (True, False), (False, False))
        )
        model = model.copy()
        if not raw:
            model.setRawPredictionCol("")
        if not probability:
            model.setProbabilityCol("")
        return model


def schema_frame(spark: Any, rows: list[Any]) -> Any:
    """Return a frame of a string and a double."""
    return frame(spark, schema((Text("s"), Number("d"))), rows)
