# SPDX-License-Identifier: Apache-2.0
"""What the cases of the ops share: frames, rows at the edge of something, and data to fit on."""

from __future__ import annotations

import math
import random
import tempfile
from decimal import Context, Decimal
from pathlib import Path
from typing import Any

from pyspark.ml.linalg import Vectors, VectorUDT
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as t

NAN, INF, HUGE, TINY = math.nan, math.inf, 1.7976931348623157e308, 5e-324
EDGES: list[float | None] = [0.0, -0.0, 1.0, -1.0, 0.5, NAN, INF, -INF, HUGE, -HUGE, TINY, -TINY, None]
TYPES = {
    "tinyint": t.ByteType(),
    "smallint": t.ShortType(),
    "int": t.IntegerType(),
    "bigint": t.LongType(),
    "float": t.FloatType(),
    "double": t.DoubleType(),
    "string": t.StringType(),
    "date": t.DateType(),
    "timestamp": t.TimestampType(),
    "boolean": t.BooleanType(),
    "decimal(10,2)": t.DecimalType(10, 2),
    "decimal(38,18)": t.DecimalType(38, 18),
    "vector": VectorUDT(),
    "array<string>": t.ArrayType(t.StringType()),
    "array<int>": t.ArrayType(t.IntegerType()),
    "array<float>": t.ArrayType(t.FloatType()),
    "array<double>": t.ArrayType(t.DoubleType()),
    "floats": t.ArrayType(t.FloatType(), False),
    "doubles": t.ArrayType(t.DoubleType(), False),
}

Row = tuple[Any, ...]
Case = tuple[str, str, list[Any], DataFrame]
dense, sparse = Vectors.dense, Vectors.sparse


class Tools:
    """Makes frames and rows to fit on and to answer."""

    def __init__(self, spark: SparkSession) -> None:
        self.spark = spark
        self.random = random.Random(7)

    def frame(
        self, columns: dict[str, str], rows: list[Row], meta: dict[str, Any] | None = None
    ) -> DataFrame:
        """Return a frame of columns by type; ``meta`` is the metadata of all of them."""
        fields = [t.StructField(name, TYPES[kind], True, meta or {}) for name, kind in columns.items()]
        return self.spark.createDataFrame(rows, t.StructType(fields))

    def decimals(self) -> DataFrame:
        """Return decimals with few and with many digits, zeros of either, and small ones with exponents."""
        few = ("0.00", "1.50", "-1.50", "10.00", "0.01", "-0.01", "12345678.90", "99999999.99", "-99999999.99", None)
        many = (0, 1, -12, 12345678901, 999999999999, 10**12, -(10**30), 10**38 - 1, -(10**38) + 1, None, 5 * 10**17)
        rows: list[Row] = []
        for i in range(44):
            a, b = few[i % len(few)], many[i % len(many)]
            small = None if b is None else Decimal(b).scaleb(-18, Context(prec=80))
            rows.append((None if a is None else Decimal(a), small))
        return self.frame({"a": "decimal(10,2)", "b": "decimal(38,18)"}, rows)

    def numbers(self, size: int, spread: float = 3.0) -> list[float]:
        """Return random numbers."""
        return [self.random.gauss(0.0, spread) for _ in range(size)]

    def vectors(self, size: int, count: int) -> list[Row]:
        """Return vectors of a size: dense, sparse with stored zeros, empty, special, null, of other sizes."""
        found: list[Any] = [dense(self.numbers(size)) for _ in range(count)]
        for _ in range(count):
            at = sorted(self.random.sample(range(size), self.random.randint(0, size)))
            values = self.numbers(len(at))
            found.append(sparse(size, at, values))
            found.append(sparse(size, at, [0.0 if i % 2 else v for i, v in enumerate(values)]))
        found += [dense([0.0] * size), dense([-0.0] * size), sparse(size, [], [])]
        for special in EDGES:
            if special is None:
                continue
            values = self.numbers(size)
            values[self.random.randrange(size)] = special
            found += [dense(values), sparse(size, [size - 1], [special]), dense([special] * size)]
        found += [None, dense([]), dense([1.0] * (size + 1)), sparse(size + 3, [0], [2.0])]
        found += [
            sparse(size + 3, [size + 1], [2.0]),
            sparse(size - 1, [0] if size > 1 else [], [1.5] * (size > 1)),
        ]
        return [(v,) for v in found]

    def edge_rows(self, columns: int) -> list[Row]:
        """Return rows of doubles in which each column takes each edge."""
        rows: list[Row] = [tuple(self.numbers(columns)) for _ in range(6)]
        for i in range(columns):
            for edge in EDGES:
                row: list[float | None] = list(self.numbers(columns, 1.0))
                row[i] = edge
                rows.append(tuple(row))
        return rows

    def _fitted(self, size: int) -> DataFrame:
        """Return vectors to fit scalers on: the first slot is constant, the second always zero."""
        rows = [dense([2.5, 0.0, *self.numbers(size - 2)]) for _ in range(9)]
        return self.frame({"v": "vector"}, [(row,) for row in rows])

    def _training(self, size: int, classes: int, nominal: int = 0) -> DataFrame:
        """Return features, a label and a class; the first slot is nominal where asked for."""
        rows: list[Row] = []
        for i in range(160):
            values = self.numbers(size)
            if nominal:
                values[0] = float(i * 7 % nominal)
            score = values[0] * 0.7 + values[-1] + (values[1] if size > 1 else 0.0) * 0.3
            kind = float(
                min(classes - 1, max(0, int(score / 2.0 + classes / 2 + self.random.random() * 0.5)))
            )
            rows.append(
                (dense(values), score + self.random.gauss(0, 0.1), kind if i >= classes else float(i))
            )
        names = [{"idx": i, "name": f"f{i}"} for i in range(1 if nominal else 0, size)]
        attributes: dict[str, Any] = {"numeric": names}
        if nominal:
            attributes["nominal"] = [{"idx": 0, "name": "f0", "vals": [str(i) for i in range(nominal)]}]
        meta = {"ml_attr": {"attrs": attributes, "num_attrs": size}}
        return self.frame({"features": "vector", "label": "double", "class": "double"}, rows, meta)

    def _features(self, size: int, nominal: int = 0) -> DataFrame:
        rows = self.vectors(size, 8)
        for value in (*range(-1, nominal + 2), 0.5, 1.5, 100.0, 1e6):
            rows.append((dense([float(value), *self.numbers(size - 1)]),))
        return self.frame({"features": "vector"}, rows)

    def _columns(self, model: Any, mark: str, raw: bool, probability: bool, prediction: bool = True) -> Any:
        """Return the classifier with only some of its columns, named by the mark."""
        model = renamed(model, mark)
        model.setRawPredictionCol(f"{mark}_raw" if raw else "")
        model.setProbabilityCol(f"{mark}_probability" if probability else "")
        return model.setPredictionCol(f"{mark}_prediction" if prediction else "")

    def _shown(self, *models: Any) -> list[Any]:
        """Return each classifier with each choice of its columns."""
        choices = {"all": (True, True), "probability": (False, True), "alone": (False, False)}
        return [
            self._columns(model, f"{name}{i}", *choice)
            for i, model in enumerate(models)
            for name, choice in choices.items()
        ]


def renamed(model: Any, mark: str) -> Any:
    """Return a copy of a fitted stage with a uid of its own, which only a saved model can be given."""
    return resaved(model, f'"uid":"{model.uid}"', f'"uid":"{model.uid}_{mark}"')


def resaved(model: Any, old: str, new: str) -> Any:
    """Return a stage saved, with a text of its metadata replaced, and loaded."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        model.write().save(path.as_uri())
        (file,) = (path / "metadata").glob("part-*")
        file.write_text(file.read_text().replace(old, new))
        for checksum in (path / "metadata").glob(".*.crc"):
            checksum.unlink()
        return type(model).load(path.as_uri())
