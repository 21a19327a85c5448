# SPDX-License-Identifier: Apache-2.0
"""Feature stages with labels, categories and constants that are null, none, doubled or special."""

from __future__ import annotations

import random
from typing import Any

from drawing import INF, NAN, SPECIALS, Drawn, Tools, schema_frame, spoil, spoiled
from pyspark.ml import PipelineModel, classification, feature, regression
from rows import Code, Column, Flag, Number, Text, Vec


class Features(Tools):
    """A method a kind."""

    def of_indexer(self, r: random.Random) -> Drawn:
        """StringIndexerModel of labels that are null, empty, doubled, none; of columns that are absent."""
        kinds = [
            r.choice(("string", "string", "double", "int", "absent")) for _ in range(r.choice((1, 1, 2)))
        ]
        names = [f"c{i}" for i in range(len(kinds))]
        labels = [self.labels(r, null=r.random() < 0.2) for _ in names]
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
        labels = self.labels(r, null=False) or ["only"]
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
            self.fit("one hot", lambda: encoder.fit(data)),
            [r.choice((0, 1, 1, 2, 5))],
        )
        model = self.changed(model, lambda rows: rows[0].update(categorySizes=sizes))
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
        model = self.fit("imputer", lambda: make.fit(data))
        surrogates = spoil(r, [1.5, 2.5], 0.7)
        model = self.changed(
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
        model = self.fit(("scaler", size), lambda: make.fit(self.data(size, (1.0,))))

        def change(rows: list[dict[str, Any]]) -> None:
            rows[0].update({name: spoiled(r, rows[0][name], share) for name in ("mean", "std")})

        model = self.changed(model, change)
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
        model = self.fit(("bounds", size), lambda: make.fit(self.data(size, (1.0,))))

        def change(rows: list[dict[str, Any]]) -> None:
            for name in ("originalMin", "originalMax"):
                rows[0][name] = spoiled(r, rows[0][name], share)

        model = self.changed(model, change)
        low, high = r.choice(((0.0, 1.0), (-1e308, 1e308), (-INF, INF), (-0.0, 5e-324)))
        return Drawn(
            f"bounds, {share:.0%} special",
            model.setMin(low).setMax(high),
            (Vec("features", size=size),),
        )

    def of_max_abs_scaler(self, r: random.Random) -> Drawn:
        """MaxAbsScalerModel with special maxima."""
        size, share = r.choice((1, 3)), r.choice((0.0, 0.5, 1.0))
        make = feature.MaxAbsScaler(inputCol="features", outputCol="y")
        model = self.fit(("max abs", size), lambda: make.fit(self.data(size, (1.0,))))

        def change(rows: list[dict[str, Any]]) -> None:
            rows[0]["maxAbs"] = spoiled(r, rows[0]["maxAbs"], share)

        return Drawn(f"max abs, {share:.0%} special", self.changed(model, change), (Vec("features", size=size),))

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
        invalid = r.choice(("error", "skip", "keep"))
        labels = r.choice((["a"], ["a", "b"], ["a", "b", "a"]))
        drop = r.random() < 0.5 and len(labels) > 1  # else Spark's encoder has nothing left
        indexer = feature.StringIndexerModel.from_labels(labels, "s", "s_i", invalid)
        data = schema_frame(self.spark, [("a", 1.0), (labels[-1], 2.0)] * 6)
        indexed = indexer.transform(data)
        trees = r.random() < 0.5
        make = regression.DecisionTreeRegressor(maxDepth=1) if trees else classification.LogisticRegression()

        def fit() -> list[Any]:
            encoder = feature.OneHotEncoder(inputCols=["s_i"], outputCols=["s_v"], dropLast=drop).fit(indexed)
            assembler = feature.VectorAssembler(inputCols=["s_v", "d", "s_i"], outputCol="features")
            ready = assembler.transform(encoder.transform(indexed)).selectExpr("features", "1D AS label")
            return [encoder, assembler, make.fit(ready)]

        stages = self.fit(("chain", invalid, drop, trees, str(labels)), fit)
        columns = (Text("s", labels=tuple(dict.fromkeys(labels))), Number("d"))
        return Drawn(
            f"chain {invalid} of {labels}",
            PipelineModel(stages=[indexer, *stages]),
            columns,
        )
