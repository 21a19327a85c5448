#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lets Spark write the fixtures of the ops: ``make_fixtures.py [PATTERN ...]``.

Each is a bundle, ``bundles/<op>.<case>``, whose golden rows are the fixture: Spark's answers to rows that are
at the edge of something. ``scored check`` must find all of them equal. Which Spark answered stands in each
bundle's ``platform``.
"""

from __future__ import annotations

import fnmatch
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from fixture_tools import EDGES, HUGE, INF, NAN, TINY, Case, Row, dense, sparse
from fixtures_features import Features
from fixtures_models import Models
from fixtures_sql import Sql
from fixtures_texts import Texts
from pyspark.ml import PipelineModel, classification, feature, regression
from pyspark.ml.linalg import VectorUDT
from pyspark.sql import SparkSession
from pyspark.sql import types as t
from scored_export import export

HERE = Path(__file__).resolve().parent
CREATED = "2026-01-01T00:00:00.000Z"


class Maker(Features, Models, Sql, Texts):
    """The cases of each op: the fitted stages and the rows to answer."""

    # -- transformers ------------------------------------------------------------------------------

    def imputer(self) -> Iterator[Case]:
        """Return cases of Imputer."""
        many = self.frame({"a": "double", "b": "double"}, self.edge_rows(2))
        real = [row for row in self.edge_rows(2) if all(v is None or abs(v) < 1e9 for v in row)]
        fit = self.frame({"a": "double", "b": "double"}, real)
        stages = []
        for i, missing in enumerate((NAN, 0.0, 1.0, INF)):
            outs = [f"x{i}", f"y{i}"]
            stages.append(
                feature.Imputer(inputCols=["a", "b"], outputCols=outs, missingValue=missing).fit(fit)
            )
        stages.append(feature.Imputer(inputCol="a", outputCol="median", strategy="median").fit(fit))
        yield "imputer", "doubles", stages, many
        whole = {"a": "tinyint", "b": "smallint", "c": "int", "d": "bigint"}
        rows: list[Row] = [
            (1, 2, 3, 4),
            (2, 2, 5, 4),
            (2, 5, 9, 9),
            (None, None, None, None),
            (-1, -1, -1, -1),
        ]
        rows += [(-2, -300, -70000, -5), (0, 0, 0, 0)]
        wide = [(127, 32767, 2**31 - 1, 2**63 - 1), (-128, -32768, -(2**31), -(2**63)), (3, 3, 3, 2**53 + 1)]
        stages = []
        for missing, strategy in ((NAN, "mean"), (-1.0, "mean"), (2.0, "mode"), (9.0, "median")):
            outs = [f"{name}_{strategy}{missing}".replace(".", "_") for name in whole]
            stage = feature.Imputer(
                inputCols=list(whole), outputCols=outs, missingValue=missing, strategy=strategy
            )
            stages.append(stage.fit(self.frame(whole, rows)))
        yield "imputer", "integers", stages, self.frame(whole, rows + wide)
        floats: list[Row] = [(v,) for v in (1.25, 2.5, -1.1, 0.1, -0.0, None, NAN)]
        stage = feature.Imputer(inputCol="a", outputCol="x", missingValue=-1.1)
        extremes: list[Row] = [(INF,), (-INF,), (3.4028234663852886e38,), (1e-45,)]
        sample = self.frame({"a": "float"}, floats + extremes)
        yield "imputer", "float", [stage.fit(self.frame({"a": "float"}, floats))], sample
        stage = feature.Imputer(inputCols=["a", "b"], outputCols=["b", "a"], missingValue=1.0).fit(fit)
        again = feature.Imputer(inputCol="b", outputCol="b", missingValue=0.5).fit(fit)
        yield "imputer", "in_place", [stage, again], many
        given = self.decimals()
        some = given.where("a < 1000 AND abs(b) < 1000")
        stages = []
        for i, (missing, strategy) in enumerate(((0.0, "mean"), (1.5, "median"), (-0.01, "mode"))):
            stage = feature.Imputer(
                inputCols=["a", "b"], outputCols=[f"x{i}", f"y{i}"], missingValue=missing, strategy=strategy
            )
            stages.append(stage.fit(some))
        yield "imputer", "decimals", stages, given

    def string_indexer(self) -> Iterator[Case]:
        """Return cases of StringIndexer on decimals, whose text is looked up."""
        given = self.decimals()
        for invalid in ("error", "skip", "keep"):
            stage = feature.StringIndexer(inputCols=["a", "b"], outputCols=["x", "y"], handleInvalid=invalid)
            yield "string_indexer", f"decimals_{invalid}", [stage.fit(given.where("a < 100").dropna())], given

    def bucketizer(self) -> Iterator[Case]:
        """Return cases of Bucketizer."""
        values: list[Row] = [(v,) for v in [*EDGES, -2.0, 2.0, 1.9999999999999998, 3.5, -0.5]]
        sample = self.frame({"a": "double"}, values)
        splits = {
            "open": [-INF, -1.0, 0.0, 0.5, INF],
            "closed": [-1.0, 0.5, 2.0],
            "zero_first": [0.0, 1.0, 2.0],
            "zero_last": [-2.0, -1.0, 0.0],
            "minus_zero": [-1.0, -0.0, 1.0],
        }
        for name, cuts in splits.items():
            for invalid in ("error", "keep", "skip"):
                if name not in ("open", "closed") and invalid != "keep":
                    continue
                stage = feature.Bucketizer(splits=cuts, inputCol="a", outputCol="x", handleInvalid=invalid)
                yield "bucketizer", f"{name}_{invalid}", [stage], sample
        several = {"inputCols": ["a", "b"], "outputCols": ["x", "y"]}
        cuts2 = [[-INF, 0.0, INF], [-INF, -1.0, 1.0, INF]]
        for invalid in ("skip", "keep"):
            stage = feature.Bucketizer(splitsArray=cuts2, handleInvalid=invalid, **several)
            yield (
                "bucketizer",
                f"several_{invalid}",
                [stage],
                self.frame(
                    {"a": "double", "b": "float"},
                    [r for r in self.edge_rows(2) if r[1] is None or abs(r[1]) != HUGE],
                ),
            )
        stage = feature.Bucketizer(splitsArray=[[-5.0, 0.0, 5.0]] * 2, handleInvalid="keep", **several)
        rows: list[Row] = [(-5, 5), (0, 0), (5, -5), (4, -1), (6, 0), (None, 2), (2**31 - 1, 2**63 - 1)]
        yield "bucketizer", "integers", [stage], self.frame({"a": "int", "b": "bigint"}, rows)

    def binarizer(self) -> Iterator[Case]:
        """Return cases of Binarizer."""
        plain = self.frame({"a": "double"}, [(v,) for v in EDGES])
        thresholds = (0.0, 0.5, -0.5, INF, -INF)
        stages = [
            feature.Binarizer(threshold=t, inputCol="a", outputCol=f"x{i}") for i, t in enumerate(thresholds)
        ]
        yield "binarizer", "double", stages, plain
        sizes: list[Row] = []
        for size in range(1, 17):
            for ones in range(0, size + 1, 1 + size // 6):
                values = [1.0] * ones + [-1.0] * (size - ones)
                sizes += [(dense(values),), (sparse(size, list(range(size)), values),)]
                sizes.append((sparse(size, list(range(ones)), values[:ones]),))
        stages = [
            feature.Binarizer(threshold=t, inputCol="v", outputCol=f"x{i}") for i, t in enumerate(thresholds)
        ]
        yield "binarizer", "vector", stages, self.frame({"v": "vector"}, self.vectors(7, 6))
        yield "binarizer", "sizes", stages[1:3], self.frame({"v": "vector"}, sizes)
        stage = feature.Binarizer(thresholds=[0.25, -0.25], inputCols=["a", "v"], outputCols=["x", "y"])
        rows = [(a, v) for (a,), (v,) in zip([(e,) for e in EDGES] * 4, self.vectors(5, 4))]
        yield "binarizer", "several", [stage], self.frame({"a": "double", "v": "vector"}, rows)

    def standard_scaler(self) -> Iterator[Case]:
        """Return cases of StandardScaler."""
        stages = []
        for mean in (False, True):
            for std in (False, True):
                name = "_".join(["mean"] * mean + ["std"] * std) or "neither"
                stage = feature.StandardScaler(withMean=mean, withStd=std, inputCol="v", outputCol=name)
                stages.append(stage.fit(self._fitted(6)))
        for stage in stages[:3]:
            rows = self.frame({"v": "vector"}, self.vectors(6, 6))
            yield "standard_scaler", stage.getOutputCol(), [stage], rows
        sized = {"ml_attr": {"num_attrs": 6}}
        good = [r for r in self.vectors(6, 5) if r[0] is not None and r[0].size == 6]
        yield "standard_scaler", "all", stages, self.frame({"v": "vector"}, self.vectors(6, 6))
        yield "standard_scaler", "sized", stages, self.frame({"v": "vector"}, good, sized)

    def min_max_scaler(self) -> Iterator[Case]:
        """Return cases of MinMaxScaler."""
        bounds = ((0.0, 1.0), (-1.0, 1.0), (-3.0, -0.25), (-1e300, 1e300))
        makers = [
            feature.MinMaxScaler(min=low, max=high, inputCol="v", outputCol=f"x{i}")
            for i, (low, high) in enumerate(bounds)
        ]
        stages = [stage.fit(self._fitted(6)) for stage in makers]
        yield "min_max_scaler", "bounds", stages, self.frame({"v": "vector"}, self.vectors(6, 6))
        ends = self.frame({"v": "vector"}, [(dense([-HUGE, 0.0, -1.0]),), (dense([HUGE, 1e-320, 1.0]),)])
        stage = feature.MinMaxScaler(inputCol="v", outputCol="x")
        yield "min_max_scaler", "extremes", [stage.fit(ends)], self.frame({"v": "vector"}, self.vectors(3, 6))
        for size in (2, 5, 8):
            zeros = [dense([float(i < n) * k for i in range(size)]) for n in range(size + 1) for k in (1, 2)]
            rows: list[Row] = [(row,) for row in zeros] + [(sparse(size, [0], [v]),) for v in (1.0, 0.5, 0.0)]
            fit = self.frame({"v": "vector"}, [(dense([0.0] * size),), (dense([2.0] * size),)])
            yield "min_max_scaler", f"size_{size}", [stage.fit(fit)], self.frame({"v": "vector"}, rows)

    def max_abs_scaler(self) -> Iterator[Case]:
        """Return cases of MaxAbsScaler: sizes of rows, and factors of special maxima."""
        stage = feature.MaxAbsScaler(inputCol="v", outputCol="x")
        rows = self.frame({"v": "vector"}, self.vectors(6, 6))
        yield "max_abs_scaler", "sizes", [stage.fit(self._fitted(6))], rows
        ends = [(dense([HUGE, TINY, 0.0]),), (dense([-HUGE, TINY, -0.0]),)]
        rows = self.frame({"v": "vector"}, self.vectors(3, 6))
        yield "max_abs_scaler", "extremes", [stage.fit(self.frame({"v": "vector"}, ends))], rows

    def normalizer(self) -> Iterator[Case]:
        """Return cases of Normalizer."""
        powers = (1.0, 2.0, INF, 3.0, 1.5, 2.5, 7.25, 100.0)
        stages = [feature.Normalizer(p=p, inputCol="v", outputCol=f"x{i}") for i, p in enumerate(powers)]
        for size, count in ((5, 12), (11, 4)):
            yield "normalizer", f"size_{size}", stages, self.frame({"v": "vector"}, self.vectors(size, count))

    def vector_slicer(self) -> Iterator[Case]:
        """Return cases of VectorSlicer."""
        rows = self.frame({"v": "vector"}, self.vectors(6, 6))
        indices = {
            "ascending": [0, 2, 5],
            "mixed": [5, 0, 3, 1],
            "one": [4],
            "all": [5, 4, 3, 2, 1, 0],
            "first": [0],
        }
        indices |= {"second": [1], "ends": [5, 0]}
        stages = [
            feature.VectorSlicer(inputCol="v", outputCol=name, indices=chosen)
            for name, chosen in indices.items()
        ]
        yield "vector_slicer", "indices", stages, rows
        yield "vector_slicer", "first", [stages[4]], rows
        yield "vector_slicer", "second", [stages[5]], rows
        attributes = {"numeric": [{"idx": i, "name": f"n{i}"} for i in range(6)]}
        named = {"ml_attr": {"attrs": attributes, "num_attrs": 6}}
        good = [r for r in self.vectors(6, 5) if r[0] is not None and r[0].size == 6]
        stage = feature.VectorSlicer(inputCol="v", outputCol="x", indices=[2], names=["n5", "n0"])
        yield "vector_slicer", "names", [stage], self.frame({"v": "vector"}, good, named)

    def vector_size_hint(self) -> Iterator[Case]:
        """Return cases of VectorSizeHint, the column alone and into an assembler."""
        rows = self.frame({"v": "vector"}, self.vectors(5, 5))
        for invalid in ("error", "skip", "optimistic"):
            hint = feature.VectorSizeHint(inputCol="v", size=5, handleInvalid=invalid)
            into = feature.VectorAssembler(inputCols=["v"], outputCol="x", handleInvalid="keep")
            yield "vector_size_hint", invalid, [hint, into], rows

    def column_pruner(self) -> Iterator[Case]:
        """Return cases of RFormula, whose stages a ColumnPruner and a VectorAttributeRewriter end."""
        fit = self._training(3, 2)
        more = fit.selectExpr("features AS v", "label AS a", "string(class) AS s", "class + label AS y")
        words = [("0.0",), ("1.0",), ("2.0",), ("",), (None,)]
        vectors = self.vectors(3, 4)
        rows = [(v, a, words[i % 5][0]) for i, ((v,), (a,)) in enumerate(zip(vectors, self.edge_rows(1) * 9))]
        fields = [t.StructField("v", VectorUDT()), t.StructField("a", t.DoubleType())]
        sample = self.spark.createDataFrame(rows, t.StructType([*fields, t.StructField("s", t.StringType())]))
        for invalid in ("error", "skip", "keep"):
            formula = feature.RFormula(formula="y ~ s + a + v", featuresCol="x", handleInvalid=invalid)
            yield "column_pruner", invalid, [formula.fit(more)], sample

    def index_to_string(self) -> Iterator[Case]:
        """Return cases of IndexToString."""
        labels = ["zéro", "", "日本", "a\tb", "zéro"]
        values: dict[str, list[Any]] = {
            "double": [*EDGES, 4.0, 4.999999, 5.0, -0.999, 2.5],
            "float": [0.0, -0.0, 3.9, 4.99, NAN, None, INF, -0.5],
            "int": [0, 4, 5, -1, None, 2**31 - 1],
            "bigint": [0, 1, 2**40, -(2**63), None],
            "tinyint": [0, 3, 127, -128, None],
            "smallint": [0, 2, 32767, None],
        }
        for kind, some in values.items():
            stage = feature.IndexToString(inputCol="a", outputCol="x", labels=labels)
            yield "index_to_string", kind, [stage], self.frame({"a": kind}, [(v,) for v in some])
        stage = feature.IndexToString(inputCol="a", outputCol="x", labels=[f"label {i}" for i in range(70)])
        many: list[Row] = [(float(i),) for i in range(72)]
        yield "index_to_string", "table", [stage], self.frame({"a": "double"}, many)
        stage = feature.IndexToString(inputCol="a", outputCol="x", labels=["only"])
        yield "index_to_string", "one", [stage], self.frame({"a": "double"}, [(v,) for v in EDGES])

    # -- predictors ---------------------------------------------------------------------------------

    def logistic_regression(self) -> Iterator[Case]:
        """Return cases of LogisticRegression."""
        op, make = "logistic_regression", classification.LogisticRegression
        rows = self._features(5)
        plain = make(labelCol="class", maxIter=6).fit(self._training(5, 2))
        cuts = [plain.copy().setThreshold(threshold) for threshold in (0.0, 0.3)]
        yield op, "binomial", self._shown(plain, *cuts), rows
        lasso = make(labelCol="class", maxIter=9, regParam=0.3, elasticNetParam=1.0)
        yield op, "binomial_sparse", [lasso.fit(self._training(12, 2))], self._features(12)
        small = make(labelCol="class", fitIntercept=False, maxIter=4).fit(self._training(1, 2))
        yield op, "binomial_1", self._shown(small), self._features(1)
        yield (
            op,
            "binomial_40",
            [make(labelCol="class", maxIter=4).fit(self._training(40, 2))],
            self._features(40),
        )
        several = make(labelCol="class", family="multinomial", maxIter=6).fit(self._training(5, 3))
        cuts = [several.copy().setThresholds(some) for some in ([0.2, 0.0, 0.5], [1.0, 0.1, 0.3])]
        yield op, "multinomial", self._shown(several, *cuts), rows
        two = make(labelCol="class", family="multinomial", maxIter=5).fit(self._training(9, 2))
        yield op, "multinomial_2", [two], self._features(9)
        yield op, "one_class", self._shown(make(labelCol="class").fit(self._training(5, 1))), rows
        only = make(labelCol="class", family="multinomial").fit(self._training(5, 1))
        yield op, "one_class_multinomial", self._shown(only), rows
        yield (
            op,
            "multinomial_sparse",
            [lasso.copy().setFamily("multinomial").setRegParam(0.15).fit(self._training(12, 4))],
            self._features(12),
        )

    def _tree_classifier(
        self, op: str, make: Callable[..., Any], classes: int, **options: Any
    ) -> Iterator[Case]:
        rows = self._features(5, 5)
        model = make(labelCol="class", maxDepth=3, seed=3, **options).fit(self._training(5, classes, 5))
        cuts = [model.copy().setThresholds(some[:classes]) for some in ([0.3, 0.0, 0.6], [0.9, 0.2, 0.1])]
        leaf = self._columns(model, "leaf", False, False, False).setLeafCol("leaf")
        yield op, "nominal", [*self._shown(model, *cuts), leaf], rows
        stump = make(labelCol="class", maxDepth=0, seed=3, **options).fit(self._training(3, classes))
        yield op, "stump", [stump.setLeafCol("leaf")], self._features(3)

    def decision_tree_classification(self) -> Iterator[Case]:
        """Return cases of DecisionTreeClassifier."""
        yield from self._tree_classifier(
            "decision_tree_classification", classification.DecisionTreeClassifier, 3
        )

    def random_forest_classification(self) -> Iterator[Case]:
        """Return cases of RandomForestClassifier."""
        make = classification.RandomForestClassifier
        yield from self._tree_classifier("random_forest_classification", make, 3, numTrees=4)

    def gbt_classification(self) -> Iterator[Case]:
        """Return cases of GBTClassifier."""
        yield from self._tree_classifier("gbt_classification", classification.GBTClassifier, 2, maxIter=5)

    def one_vs_rest(self) -> Iterator[Case]:
        """Return cases of OneVsRest over every classifier; stumps and a model without coefficients tie."""
        rows, train = self._features(5, 5), self._training(5, 3, 5)
        models = {
            "logistic": classification.LogisticRegression(maxIter=6),
            "zero": classification.LogisticRegression(maxIter=0, fitIntercept=False),
            "tree": classification.DecisionTreeClassifier(maxDepth=3, seed=3),
            "stump": classification.DecisionTreeClassifier(maxDepth=0),
            "forest": classification.RandomForestClassifier(numTrees=4, maxDepth=3, seed=3),
            "boosted": classification.GBTClassifier(maxIter=4, maxDepth=2, seed=3),
            "margins": classification.LinearSVC(maxIter=4),
            "factors": classification.FMClassifier(factorSize=2, maxIter=3, seed=3),
            "layers": classification.MultilayerPerceptronClassifier(layers=[5, 3, 2], maxIter=4, seed=3),
            "gaussian": classification.NaiveBayes(modelType="gaussian"),
        }
        ones: list[Row] = [
            (dense([float((i * k) % 7 % 2) for k in range(1, 6)]), float(i % 3)) for i in range(60)
        ]
        counts = self.frame({"features": "vector", "class": "double"}, ones)
        given = [(name, make, train) for name, make in models.items()]
        for kind in ("multinomial", "complement", "bernoulli"):
            given.append((kind, classification.NaiveBayes(modelType=kind, smoothing=0.5), counts))
        for name, classifier, data in given:
            rest = classification.OneVsRest(classifier=classifier, labelCol="class", predictionCol="x")
            asked = rows if data is train else self._features(5).union(counts.select("features"))
            yield "one_vs_rest", name, [rest.fit(data)], asked

    def _tree_regression(self, op: str, make: Callable[..., Any], **options: Any) -> Iterator[Case]:
        for nominal in (5, 12):
            model = make(maxDepth=4, seed=1, leafCol="leaf", **options).fit(self._training(4, 2, nominal))
            yield op, f"nominal_{nominal}", [model], self._features(4, nominal)
        stump = make(maxDepth=0, seed=1, leafCol="leaf", **options).fit(self._training(2, 2))
        yield op, "stump", [stump], self._features(2)

    def decision_tree_regression(self) -> Iterator[Case]:
        """Return cases of DecisionTreeRegressor."""
        make = regression.DecisionTreeRegressor
        yield from self._tree_regression("decision_tree_regression", make, varianceCol="variance")

    def gbt_regression(self) -> Iterator[Case]:
        """Return cases of GBTRegressor."""
        yield from self._tree_regression("gbt_regression", regression.GBTRegressor, maxIter=7)

    def random_forest_regression(self) -> Iterator[Case]:
        """Return cases of RandomForestRegressor."""
        yield from self._tree_regression(
            "random_forest_regression", regression.RandomForestRegressor, numTrees=5
        )

    def linear_regression(self) -> Iterator[Case]:
        """Return cases of LinearRegression."""
        for size in (1, 4, 31):
            model = regression.LinearRegression(maxIter=5).fit(self._training(size, 2))
            yield "linear_regression", f"size_{size}", [model], self._features(size)
        model = regression.LinearRegression(fitIntercept=False, regParam=0.5, elasticNetParam=1.0)
        yield "linear_regression", "sparse", [model.fit(self._training(6, 2))], self._features(6)


def in_place(stage: Any) -> list[str]:
    """Return the columns that a stage replaces."""
    if isinstance(stage, feature.VectorSizeHint):
        return [stage.getInputCol()]
    if not isinstance(stage, feature.ImputerModel):
        return []
    several = stage.isSet(stage.outputCols)
    return list(stage.getOutputCols()) if several else [stage.getOutputCol()]


OPS = [
    name
    for kind in (Maker, Features, Models, Sql, Texts)
    for name in vars(kind)
    if not name.startswith("_")
]


def write(case: Case) -> None:
    """Export a case; the manifest's copy is not kept, to halve the fixture."""
    op, name, stages, rows = case
    out = HERE / "bundles" / f"{op}.{name}"
    shutil.rmtree(out, ignore_errors=True)
    model = PipelineModel(stages=stages)
    before = rows.columns
    shadowed = {name for stage in stages for name in in_place(stage)}
    outputs = [c for c in model.transform(rows.limit(1)).columns if c not in before or c in shadowed]
    export(model, out, sample=rows, name=f"{op}.{name}", version="1", created=CREATED, output=outputs)
    for copy in out.glob("bundle-*.json"):
        copy.unlink()
    print(out.name, flush=True)


def main() -> None:
    """Write the fixtures whose name matches."""
    patterns = sys.argv[1:] or ["*"]
    spark = (
        SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.memory", "2g")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", "1")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("OFF")
    for op in OPS:
        if not any(fnmatch.fnmatch(op, pattern.split(".")[0]) for pattern in patterns):
            continue
        for case in getattr(Maker(spark), op)():
            if any(fnmatch.fnmatch(f"{case[0]}.{case[1]}", pattern) for pattern in patterns):
                write(case)
    spark.stop()


if __name__ == "__main__":
    main()
