# SPDX-License-Identifier: Apache-2.0
"""Cases of stages that make vectors of vectors or of columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fixture_tools import EDGES, HUGE, INF, NAN, TINY, Case, Row, Tools, dense, sparse
from pyspark.ml import feature


class Features(Tools):
    """A method an op."""

    def robust_scaler(self) -> Iterator[Case]:
        """Return cases of RobustScaler."""
        for name, centering, scaling in (("both", True, True), ("shift", True, False), ("scale", False, True)):
            stage = feature.RobustScaler(
                withCentering=centering, withScaling=scaling, inputCol="v", outputCol="x"
            )
            rows = self.frame({"v": "vector"}, self.vectors(6, 6))
            yield "robust_scaler", name, [stage.fit(self._fitted(6))], rows

    def dct(self) -> Iterator[Case]:
        """Return cases of DCT: lengths of each way to transform, and vectors of one length."""
        rows: list[Row] = []
        for size in (*range(1, 37), 49, 64, 77, 127, 128, 211, 217, 256, 263, 300, 512):
            rows += [(dense(self.numbers(size)),), (sparse(size, [size // 2], [-1.5]),)]
        for inverse in (False, True):
            stage = feature.DCT(inverse=inverse, inputCol="v", outputCol="x")
            name = "inverse" if inverse else "forward"
            yield "dct", f"{name}_lengths", [stage], self.frame({"v": "vector"}, rows)
        both = [feature.DCT(inputCol="v", outputCol="x"), feature.DCT(inputCol="x", outputCol="y", inverse=True)]
        for size in (2, 6, 8, 11, 16):
            meta = {"ml_attr": {"num_attrs": size}}
            yield "dct", f"size_{size}", both, self.frame({"v": "vector"}, self.vectors(size, 8), meta)

    def target_encoder(self) -> Iterator[Case]:
        """Return cases of TargetEncoder, which PySpark has from 4.0 on: an older one makes none."""
        if not hasattr(feature, "TargetEncoder"):
            return
        columns = {"a": "double", "b": "int", "c": "float", "d": "bigint"}
        data: list[Row] = []
        for i in range(70):
            codes = [self.random.randrange(4) for _ in columns]
            data.append((None if i % 9 == 0 else float(codes[0]), codes[1], codes[2] * 1.0, codes[3] * 1000))
        labelled = [(*row, self.random.gauss(0.0, 9.0), float(i % 3 == 0)) for i, row in enumerate(data)]
        fit = self.frame({**columns, "y": "double", "z": "double"}, labelled)
        rows = list(data[:12])
        for value in [*EDGES, 2.0, 3.0, 9.0, 0.9999, -2.0, 2147483647.0]:
            whole = 1 if value is None or not abs(value) < 2**31 - 1 else int(value)
            near = value if value is None or abs(value) < 1e38 or abs(value) == INF else 3.0
            rows += [(value, 1, 0.0, 0), (1.0, whole, 2.0, 0), (1.0, 1, near, 0), (0.0, 1, 0.0, whole)]
        rows += [(0.0, None, 0.0, 0), (0.0, 0, None, 0), (0.0, 0, 0.0, None), (0.0, 0, 0.0, 2**63 - 1)]
        for invalid in ("error", "keep"):
            stages = []
            for i, (kind, smoothing) in enumerate(
                (kind, smoothing) for kind in ("continuous", "binary") for smoothing in (0.0, 3.7, 1e300)
            ):
                make = feature.TargetEncoder(
                    inputCols=list(columns),
                    outputCols=[f"{name}{i}" for name in columns],
                    labelCol="y" if kind == "continuous" else "z",
                    targetType=kind,
                    smoothing=smoothing,
                    handleInvalid=invalid,
                )
                stages.append(make.fit(fit))
            yield "target_encoder", f"spark4_{invalid}", stages, self.frame(columns, rows)

    def elementwise_product(self) -> Iterator[Case]:
        """Return cases of ElementwiseProduct: weights dense and sparse, special ones too."""
        weights = (
            dense([1.5, 0.0, -0.0, HUGE, TINY]),
            sparse(5, [1, 4], [-2.0, 0.5]),
            dense([-1.0, 3.0, 1e-300, 0.1, 7.0]),
        )
        stages = [
            feature.ElementwiseProduct(inputCol="v", outputCol=f"x{i}", scalingVec=w)
            for i, w in enumerate(weights)
        ]
        yield "elementwise_product", "weights", stages, self.frame({"v": "vector"}, self.vectors(5, 8))

    def feature_selector(self) -> Iterator[Case]:
        """Return cases of the selectors; each keeps entries of its own."""
        rows = self.frame({"v": "vector"}, self.vectors(6, 6))
        data: list[Row] = [
            (dense([float(i % 2), 1.0, float(i % 3), 0.0, float(i * i % 5), i / 7.0]), float(i % 3))
            for i in range(60)
        ]
        fit = self.frame({"v": "vector", "y": "double"}, data)
        names = {"featuresCol": "v", "outputCol": "x", "labelCol": "y"}
        chi = feature.ChiSqSelector(numTopFeatures=2, **names).fit(fit)
        yield "feature_selector", "chi_squared", [chi], rows
        one = feature.UnivariateFeatureSelector(selectionMode="numTopFeatures", **names)
        one.setFeatureType("continuous").setLabelType("continuous").setSelectionThreshold(1)
        yield "feature_selector", "univariate", [one.fit(fit)], rows
        for name, least in (("some", 0.0), ("none", 1e9)):
            stage = feature.VarianceThresholdSelector(
                featuresCol="v", outputCol="x", varianceThreshold=least
            )
            yield "feature_selector", f"variance_{name}", [stage.fit(fit)], rows

    def polynomial_expansion(self) -> Iterator[Case]:
        """Return cases of PolynomialExpansion."""
        stages = [
            feature.PolynomialExpansion(degree=d, inputCol="v", outputCol=f"x{d}") for d in (1, 2, 3, 5)
        ]
        yield "polynomial_expansion", "size_3", stages, self.frame({"v": "vector"}, self.vectors(3, 8))
        deep = [feature.PolynomialExpansion(degree=d, inputCol="v", outputCol=f"x{d}") for d in (9, 20)]
        yield "polynomial_expansion", "size_1", deep, self.frame({"v": "vector"}, self.vectors(1, 8))

    def interaction(self) -> Iterator[Case]:
        """Return cases of Interaction, of numbers, categories and vectors of both."""
        nominal = {"ml_attr": {"type": "nominal", "vals": ["a", "b", "c"]}}
        mixed = {
            "ml_attr": {
                "attrs": {
                    "numeric": [{"idx": 0, "name": "n"}, {"idx": 2, "name": "m"}],
                    "nominal": [{"idx": 1, "name": "k", "num_vals": 4}],
                },
                "num_attrs": 3,
            }
        }
        numbers = [e for e in EDGES] + [0.0, 1.0, 2.0, 2.0, 1.0]
        vectors: list[Any] = [
            dense([1.5, 3.0, -2.0]),
            dense([0.0, 0.0, -0.0]),
            dense([-0.0, 1.0, NAN]),
            dense([INF, 3.9, 1.0]),
            sparse(3, [1], [2.0]),
            sparse(3, [0, 1], [0.0, 0.0]),
            sparse(3, [], []),
            None,
            dense([1.0, 4.0, 1.0]),
            dense([1.0, -1.0, 1.0]),
            dense([1.0, 1.0]),
        ]
        rows: list[Row] = []
        for i, number in enumerate(numbers * 4):
            rows.append((number, float(i % 4), i % 5 - 2, vectors[i % len(vectors)]))
            rows.append((i / 3.0, float(i % 3), i, vectors[i * 7 % 7]))
        kinds = {"a": "double", "k": "double", "i": "int", "v": "vector"}
        frame = self.frame(kinds, rows).withMetadata("k", nominal).withMetadata("v", mixed)
        for names in (["a", "i"], ["k", "a"], ["v", "k"], ["a", "v", "i"], ["k", "v", "a", "i"], ["a"]):
            stage = feature.Interaction(inputCols=names, outputCol="x")
            yield "interaction", "_".join(names), [stage], frame

    def vector_indexer(self) -> Iterator[Case]:
        """Return cases of VectorIndexer."""
        values = ((0.0, 1.0, 2.0), (-1.0, 0.0, 7.5, 9.0), (3.0, 5.0))
        data: list[Row] = [(dense([v[i % len(v)] for v in values] + [i / 7.0]),) for i in range(40)]
        fit = self.frame({"v": "vector"}, data)
        rows: list[Row] = [(dense([a, b, c, a]),) for a in values[0] for b in values[1] for c in values[2]]
        for a in EDGES:
            if a is not None:
                rows += [(dense([a, 0.0, 3.0, a]),), (sparse(4, [0, 1], [1.0, a]),), (dense([2.0, a, a, 1.0]),)]
        rows += [
            (sparse(4, [], []),),
            (sparse(4, [0, 1, 2, 3], [0.0, -0.0, 5.0, 0.0]),),
            (sparse(4, [2], [4.0]),),
            (None,),
            (dense([1.0, 0.0, 3.0]),),
            (dense([1.0, 0.0, 3.0, 1.0, 1.0]),),
            (dense([]),),
        ]
        for mode in ("error", "skip", "keep"):
            stage = feature.VectorIndexer(maxCategories=4, handleInvalid=mode, inputCol="v", outputCol="x")
            yield "vector_indexer", mode, [stage.fit(fit)], self.frame({"v": "vector"}, rows)

    def pca(self) -> Iterator[Case]:
        """Return cases of PCA."""
        for size, k in ((1, 1), (5, 3), (21, 6)):
            data = self.frame({"v": "vector"}, [(dense(self.numbers(size)),) for _ in range(40)])
            stage = feature.PCA(k=k, inputCol="v", outputCol="x")
            yield "pca", f"size_{size}", [stage.fit(data)], self.frame({"v": "vector"}, self.vectors(size, 8))

    def feature_hasher(self) -> Iterator[Case]:
        """Return cases of FeatureHasher: all types, categories of numbers, collisions."""
        kinds = {"d": "double", "f": "float", "i": "int", "l": "bigint", "s": "string", "b": "boolean"}
        texts = ["", "a", "ab", "abc", "abcd", "abcde", "zéro", "日本", "\U0001d4b3", None, "a=b", "x" * 300]
        doubles = [*EDGES, 0.1, 2e23, 1e23, 8.41e21, 1e7, 9999999.0, 1e-3, 9.999e-4, 123456.789, 2.0**70, 1e16]
        floats = [0.0, -0.0, NAN, INF, 0.1, 8.5e9, 1e7, 1e-45, 3.4028234663852886e38, None, 1 / 3, 1e-3, 16777216.0]
        rows: list[Row] = [
            (
                doubles[i % len(doubles)],
                floats[i % len(floats)],
                [0, 1, -1, 2**31 - 1, -(2**31), None][i % 6],
                [0, 7, -(2**63), 2**63 - 1, None][i % 5],
                texts[i % len(texts)],
                [True, False, None][i % 3],
            )
            for i in range(120)
        ]
        for n, listed in ((1 << 18, []), (50, ["d", "f"]), (3, ["d", "i", "l"]), (1, [])):
            stage = feature.FeatureHasher(inputCols=list(kinds), outputCol="x", numFeatures=n)
            stage = stage.setCategoricalCols(listed) if listed else stage
            yield "feature_hasher", f"slots_{n}", [stage], self.frame(kinds, rows)

        names = ["a", "b"]
        stages = [
            feature.FeatureHasher(inputCols=names, outputCol=f"x{n}", numFeatures=n, categoricalCols=listed)
            for n, listed in ((1 << 18, names), (50, ["a"]), (3, ["b"]), (7, names))
        ]
        stages.append(feature.FeatureHasher(inputCols=names, outputCol="x", numFeatures=1000))
        yield "feature_hasher", "decimals", stages, self.decimals()

    def bucketed_random_projection_lsh(self) -> Iterator[Case]:
        """Return cases of BucketedRandomProjectionLSH."""
        for size, tables, length in ((1, 2, 0.5), (6, 4, 3.0), (11, 1, 1e-3)):
            data = self.frame({"v": "vector"}, [(dense(self.numbers(size)),) for _ in range(5)])
            stage = feature.BucketedRandomProjectionLSH(
                bucketLength=length, numHashTables=tables, seed=3, inputCol="v", outputCol="x"
            )
            rows = self.frame({"v": "vector"}, self.vectors(size, 8))
            yield "bucketed_random_projection_lsh", f"size_{size}", [stage.fit(data)], rows

    def min_hash_lsh(self) -> Iterator[Case]:
        """Return cases of MinHashLSH."""
        for size, tables in ((1, 3), (9, 5)):
            data = self.frame({"v": "vector"}, [(dense([1.0] * size),)] * 3)
            stage = feature.MinHashLSH(numHashTables=tables, seed=3, inputCol="v", outputCol="x").fit(data)
            far = [(sparse(2**31 - 1, [0, 2**31 - 2], [1.0, 1.0]),), (sparse(2**31 - 1, [2**31 - 2], [NAN]),)]
            rows = self.frame({"v": "vector"}, self.vectors(size, 8) + far)
            yield "min_hash_lsh", f"size_{size}", [stage], rows
