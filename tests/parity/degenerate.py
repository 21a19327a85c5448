# SPDX-License-Identifier: Apache-2.0
"""Draws fitted models, random and degenerate: whatever Spark can save, also what no good fit would give.

A model is fitted on a few rows, or taken from such a fit, saved, changed where it is saved (NaN and infinite
coefficients, no category, wrong statistics), and loaded again: what Spark loads is a model that Spark can score.
"""

from __future__ import annotations

import json
import math
import random
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyspark.ml import PipelineModel, classification, feature, regression
from pyspark.ml.linalg import (
    DenseMatrix,
    DenseVector,
    SparseMatrix,
    SparseVector,
    Vectors,
)
from rows import Code, Column, Flag, Number, Text, Vec
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


def _nodes(rows: list[dict[str, Any]], change: Callable[[dict[str, Any]], None]) -> None:
    for row in rows:
        change(row.get("nodeData", row))


class Draw:
    """Draws models by kind; fits are kept, for they cost most."""

    def __init__(self, spark: Any, folder: Path) -> None:
        self.spark = spark
        self._folder = folder
        self._fits: dict[Any, Any] = {}

    def any(self, seed: str) -> Drawn:
        """Return the model of a seed."""
        r = random.Random(seed)
        kinds = [name for name in sorted(vars(Draw)) if name.startswith("of_")]
        weights = [2 if name in ("of_logistic", "of_trees", "of_indexer") else 1 for name in kinds]
        return getattr(self, r.choices(kinds, weights)[0])(r)

    # -- tools --

    def _fit(self, key: Any, make: Callable[[], Any]) -> Any:
        if key not in self._fits:
            self._fits[key] = make()
        return self._fits[key]

    def _data(
        self,
        size: int,
        labels: Sequence[float],
        metadata: Any = None,
        constant: bool = False,
    ) -> Any:
        r = random.Random(size)
        rows = []
        for i in range(TRAINING):
            values = [1.0 if constant else float(r.randrange(4)) for _ in range(size)]
            rows.append((Vectors.dense(values), float(labels[i % len(labels)])))
        made = self.spark.createDataFrame(rows, ["features", "label"])
        return made.withMetadata("features", {"ml_attr": metadata}) if metadata else made

    def _changed(
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

    def _labels(self, r: random.Random, null: bool) -> list[Any]:
        if r.random() < 0.1:
            return [f"label {i}" for i in range(70)]
        return [r.choice((*LABELS, *([None] if null else []))) for _ in range(r.choice((0, 1, 1, 2, 3, 6)))]

    def _classifier(self, r: random.Random, model: Any) -> Any:
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

    # -- predictors --

    def of_logistic(self, r: random.Random) -> Drawn:
        """LogisticRegression of one, two or three classes, its coefficients as they are or special."""
        family = r.choice(("auto", "binomial", "multinomial"))
        classes = r.choice((1, 2) if family == "binomial" else (1, 2, 3))
        size, constant = r.choice((1, 2, 5)), r.random() < 0.2
        one = r.choice(((0,), (1,)))

        def fit() -> Any:
            data = self._data(size, range(classes) if classes > 1 else one, constant=constant)
            return classification.LogisticRegression(family=family, maxIter=3, regParam=0.1).fit(data)

        model = self._fit(("logistic", family, classes > 1 and classes or one, size, constant), fit)
        share = r.choice((0.0, 0.3, 1.0))

        def change(rows: list[dict[str, Any]]) -> None:
            for name in ("coefficientMatrix", "interceptVector"):
                rows[0][name] = spoiled(r, rows[0][name], share)

        model = self._classifier(r, self._changed(model, change) if share else model)
        if r.random() < 0.4 and model.numClasses == 2:
            model.setThreshold(r.choice((0.0, 0.3, 1.0)))
        return Drawn(
            f"{family} of {classes}, {share:.0%} special",
            model,
            (Vec("features", size=size),),
        )

    def of_linear(self, r: random.Random) -> Drawn:
        """LinearRegression, of no feature too."""
        size, share = r.choice((0, 1, 3, 9)), r.choice((0.0, 0.4, 1.0))
        make = regression.LinearRegression(
            maxIter=2, regParam=0.1, solver="normal" if size == 0 else "l-bfgs"
        )
        labels = (1.0,) if r.random() < 0.3 else (1.0, 2.0, 5.0)
        model = self._fit(("linear", size, labels), lambda: make.fit(self._data(size, labels)))

        def change(rows: list[dict[str, Any]]) -> None:
            rows[0]["coefficients"] = spoiled(r, rows[0]["coefficients"], share)
            rows[0]["intercept"] = spoil(r, [rows[0]["intercept"]], share)[0]

        model = self._changed(model, change) if share else model
        return Drawn(
            f"linear of {size}, {share:.0%} special",
            model,
            (Vec("features", size=size, sized=size > 0),),
        )

    def of_trees(self, r: random.Random) -> Drawn:
        """Trees and ensembles: a single leaf, one class, a constant column, special thresholds and leaves."""
        name = r.choice(("DecisionTree", "RandomForest", "GBT")) + r.choice(("Classifier", "Regressor"))
        options = {"RandomForest": {"numTrees": 2}, "GBT": {"maxIter": 2}}.get(name.partition("C")[0], {})
        if name.startswith("RandomForest"):
            options = {"numTrees": r.choice((1, 3))}
        depth, labels = r.choice((0, 1, 3)), r.choice(((0,), (1,), (0, 1), (0, 1)))
        form = r.choice(("plain", "constant", "nominal"))
        nominal = {
            "attrs": {"nominal": [{"idx": 0, "num_vals": r.choice((4, 5, 9))}]},
            "num_attrs": 2,
        }

        def fit() -> Any:
            module = classification if name.endswith("Classifier") else regression
            meta = nominal if form == "nominal" else None
            data = self._data(2, labels, meta, form == "constant")
            return getattr(module, name)(maxDepth=depth, seed=1, leafCol="leaf", **options).fit(data)

        key = (name, depth, labels, form, json.dumps(nominal), json.dumps(options))
        model, share = self._fit(key, fit), r.choice((0.0, 0.0, 0.3, 1.0))

        def change(node: dict[str, Any]) -> None:
            node["prediction"] = spoil(r, [node["prediction"]], share)[0]
            node["impurityStats"] = spoil(r, node["impurityStats"], share / 2)
            if node["split"]["numCategories"] == -1 and node["leftChild"] >= 0:
                split = node["split"]
                split["leftCategoriesOrThreshold"] = spoil(r, split["leftCategoriesOrThreshold"], share)

        if share:
            model = self._changed(model, lambda rows: _nodes(rows, change))
        model = self._classifier(r, model) if name.endswith("Classifier") else model
        what = f"{name} of depth {depth}, {form}, labels {labels}, {share:.0%} special"
        return Drawn(what, model, (Vec("features", size=2),))

    # -- features --

    def of_indexer(self, r: random.Random) -> Drawn:
        """StringIndexerModel of labels that are null, empty, doubled, none; of columns that are absent."""
        kinds = [
            r.choice(("string", "string", "double", "int", "absent")) for _ in range(r.choice((1, 1, 2)))
        ]
        names = [f"c{i}" for i in range(len(kinds))]
        labels = [self._labels(r, null=r.random() < 0.2) for _ in names]
        invalid = r.choice(("error", "skip", "keep", "keep"))
        model = feature.StringIndexerModel.from_arrays_of_labels(
            labels, names, [f"{n}_i" for n in names], invalid
        )
        known = tuple(str(x) for some in labels for x in some if x is not None) or ("a",)
        columns = {
            "string": lambda n: Text(n, labels=known),
            "double": lambda n: Code(n, values=(1.0, -0.0, NAN, 1e7, 0.5)),
            "int": lambda n: Code(n, kind="int", values=(0, 1, 7)),
        }
        read = tuple(columns[kind](n) for n, kind in zip(names, kinds) if kind != "absent")
        stages = [model]
        if not read or r.random() < 0.2:
            stages.append(feature.VectorAssembler(inputCols=["z"], outputCol="zv"))
            read = (*read, Number("z"))
        return Drawn(
            f"indexer {invalid} of {kinds}: {str(labels)[:80]}",
            PipelineModel(stages=stages),
            read,
        )

    def of_index_to_string(self, r: random.Random) -> Drawn:
        """IndexToString with empty and doubled labels."""
        labels = self._labels(r, null=False) or ["only"]
        kind = r.choice(("double", "int"))
        values = tuple(float(i) if kind == "double" else i for i in range(len(labels)))
        model = feature.IndexToString(inputCol="c", outputCol="s", labels=labels)
        return Drawn(
            f"strings of {kind}: {str(labels)[:80]}",
            model,
            (Code("c", kind=kind, values=values),),
        )

    def of_one_hot(self, r: random.Random) -> Drawn:
        """OneHotEncoderModel of no, one and more categories."""
        data = self.spark.createDataFrame([(0.0,), (1.0,)], ["c"])
        encoder = feature.OneHotEncoder(inputCols=["c"], outputCols=["v"])
        model, sizes = (
            self._fit("one hot", lambda: encoder.fit(data)),
            [r.choice((0, 1, 1, 2, 5))],
        )
        model = self._changed(model, lambda rows: rows[0].update(categorySizes=sizes))
        model.setDropLast(r.random() < 0.5).setHandleInvalid(r.choice(("error", "keep")))
        values = tuple(float(i) for i in range(max(1, sizes[0])))
        what = f"one hot of {sizes}, {model.getDropLast()}, {model.getHandleInvalid()}"
        return Drawn(what, model, (Code("c", values=values),))

    def of_assembler(self, r: random.Random) -> Drawn:
        """VectorAssembler of few or no columns, empty vectors too."""
        some: list[Column] = [
            Number("d"),
            Number("i", kind="int"),
            Flag("f"),
            Vec("e", size=0, sized=False),
            Vec("v", size=3),
        ]
        columns = tuple(r.sample(some, r.choice((0, 1, 2, 4))))
        invalid = r.choice(("error", "skip", "keep"))
        names = [c.name for c in columns]
        model = feature.VectorAssembler(inputCols=names, outputCol="out", handleInvalid=invalid)
        return Drawn(f"assembler {invalid} of {names}", model, columns or (Number("d"),))

    def of_imputer(self, r: random.Random) -> Drawn:
        """ImputerModel with special surrogates and missing values."""
        data = self.spark.createDataFrame([(1.0, 1), (2.0, 3)], "d double, i int")
        make = feature.Imputer(inputCols=["d", "i"], outputCols=["d_f", "i_f"])
        model = self._fit("imputer", lambda: make.fit(data))
        surrogates = spoil(r, [1.5, 2.5], 0.7)
        model = self._changed(
            model,
            lambda rows: rows[0].update(d=surrogates[0], i=surrogates[1]),
        )
        model.setParams if False else model._set(missingValue=r.choice((NAN, INF, -0.0, 0.0, 1.5)))
        columns = (Number("d", null=True, nan=True), Number("i", kind="int", null=True))
        return Drawn(f"imputer of {surrogates}", model, columns)

    def of_bucketizer(self, r: random.Random) -> Drawn:
        """Bucketizer with splits at the edges of doubles."""
        pool = [-INF, -1e308, -3.0, -5e-324, 0.0, 5e-324, 2.0, 1e308, INF]
        splits = sorted(r.sample(pool, r.choice((3, 4, 9))))
        splits = [-0.0 if s == 0.0 and r.random() < 0.5 else s for s in splits]
        invalid = r.choice(("error", "skip", "keep"))
        model = feature.Bucketizer(splits=splits, inputCol="d", outputCol="b", handleInvalid=invalid)
        return Drawn(f"bucketizer {invalid} of {splits}", model, (Number("d"),))

    def of_binarizer(self, r: random.Random) -> Drawn:
        """Binarizer of doubles or vectors at a special threshold."""
        threshold = r.choice((*SPECIALS, 0.5, -1.5))
        column = r.choice(
            (
                Number("x"),
                Vec("x", size=3),
                Vec("x", size=0, sized=False),
                Vec("x", size=2, sized=False),
            )
        )
        model = feature.Binarizer(inputCol="x", outputCol="y", threshold=threshold)
        return Drawn(f"binarizer of {column.kind} at {threshold}", model, (column,))

    def of_standard_scaler(self, r: random.Random) -> Drawn:
        """StandardScalerModel with special means and deviations."""
        size, share = r.choice((1, 3)), r.choice((0.0, 0.5, 1.0))
        make = feature.StandardScaler(inputCol="features", outputCol="y")
        model = self._fit(("scaler", size), lambda: make.fit(self._data(size, (1.0,))))

        def change(rows: list[dict[str, Any]]) -> None:
            rows[0].update({name: spoiled(r, rows[0][name], share) for name in ("mean", "std")})

        model = self._changed(model, change)
        model._set(withMean=r.random() < 0.5, withStd=r.random() < 0.7)
        return Drawn(
            f"standard scaler, {share:.0%} special",
            model,
            (Vec("features", size=size),),
        )

    def of_min_max_scaler(self, r: random.Random) -> Drawn:
        """MinMaxScalerModel with special bounds."""
        size, share = r.choice((1, 3)), r.choice((0.0, 0.5, 1.0))
        make = feature.MinMaxScaler(inputCol="features", outputCol="y")
        model = self._fit(("bounds", size), lambda: make.fit(self._data(size, (1.0,))))

        def change(rows: list[dict[str, Any]]) -> None:
            for name in ("originalMin", "originalMax"):
                rows[0][name] = spoiled(r, rows[0][name], share)

        model = self._changed(model, change)
        low, high = r.choice(((0.0, 1.0), (-1e308, 1e308), (-INF, INF), (-0.0, 5e-324)))
        return Drawn(
            f"bounds, {share:.0%} special",
            model.setMin(low).setMax(high),
            (Vec("features", size=size),),
        )

    def of_normalizer(self, r: random.Random) -> Drawn:
        """Normalizer of any p, of empty vectors too."""
        p, size = r.choice((1.0, 1.5, 2.0, 3.0, 400.0, 1e308, INF)), r.choice((0, 1, 4))
        model = feature.Normalizer(inputCol="x", outputCol="y", p=p)
        return Drawn(
            f"normalizer of {size} by {p}",
            model,
            (Vec("x", size=size, sized=size > 0),),
        )

    def of_slicer(self, r: random.Random) -> Drawn:
        """VectorSlicer of indices, some beyond the vector."""
        size = r.choice((1, 3, 8))
        indices = r.sample(range(size + (r.random() < 0.2)), r.choice((1, size)))
        model = feature.VectorSlicer(inputCol="x", outputCol="y", indices=indices)
        return Drawn(f"slicer of {size} by {indices}", model, (Vec("x", size=size),))

    def of_chain(self, r: random.Random) -> Drawn:
        """Indexer, encoder, assembler and predictor, of labels that are constant, few or doubled."""
        invalid, drop = r.choice(("error", "skip", "keep")), r.random() < 0.5
        labels = r.choice((["a"], ["a", "b"], ["a", "", "a"]))
        indexer = feature.StringIndexerModel.from_labels(labels, "s", "s_i", invalid)
        data = schema_frame(self.spark, [("a", 1.0), (labels[-1], 2.0)] * 6)
        indexed = indexer.transform(data)
        size = len(labels) + (invalid == "keep")

        def fit() -> list[Any]:
            encoder = feature.OneHotEncoder(inputCols=["s_i"], outputCols=["s_v"], dropLast=drop).fit(indexed)
            assembler = feature.VectorAssembler(inputCols=["s_v", "d", "s_i"], outputCol="features")
            ready = assembler.transform(encoder.transform(indexed)).selectExpr("features", "1D AS label")
            make = r.choice(
                (
                    regression.DecisionTreeRegressor(maxDepth=1),
                    classification.LogisticRegression(),
                )
            )
            return [encoder, assembler, make.fit(ready)]

        stages = self._fit(("chain", invalid, drop, size, str(labels)), fit)
        columns = (Text("s", labels=tuple(dict.fromkeys(labels))), Number("d"))
        return Drawn(
            f"chain {invalid} of {labels}",
            PipelineModel(stages=[indexer, *stages]),
            columns,
        )


def schema_frame(spark: Any, rows: list[Any]) -> Any:
    """Return a frame of a string and a double."""
    return frame(spark, schema((Text("s"), Number("d"))), rows)
