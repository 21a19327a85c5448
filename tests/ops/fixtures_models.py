# SPDX-License-Identifier: Apache-2.0
"""Cases of models that predict or cluster, but for trees and the oldest linear ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fixture_tools import EDGES, HUGE, INF, NAN, TINY, Case, Row, Tools, dense, sparse
from pyspark.ml import classification, clustering, fpm, recommendation, regression
from pyspark.sql import DataFrame


class Models(Tools):
    """A method an op."""

    def generalized_linear_regression(self) -> Iterator[Case]:
        """Return cases of GeneralizedLinearRegression: each family and link, an offset with nulls."""
        data: list[Row] = []
        for i in range(50):
            values = [self.random.random() for _ in range(3)]
            data.append((dense(values), 1.0 + values[0] * 2 + values[2] * self.random.random(), float(i % 2)))
        fit = self.frame({"v": "vector", "y": "double", "b": "double"}, data)
        given = [
            *[("gaussian", {"link": link}) for link in ("identity", "log", "inverse")],
            *[("binomial", {"link": link}) for link in ("logit", "cloglog", "probit")],
            *[("poisson", {"link": link}) for link in ("log", "identity", "sqrt")],
            *[("gamma", {"link": link}) for link in ("inverse", "identity", "log")],
            *[("tweedie", {"variancePower": v}) for v in (1.6, 0.0, 2.0)],
            *[("tweedie", {"variancePower": 1.5, "linkPower": p}) for p in (0.0, 1.0, 0.5, -1.0, 0.7)],
        ]
        rows: list[Row] = [(v, e) for (v,), e in zip(self.vectors(3, 4), [*EDGES, 0.5, 0.25, 30.0] * 9)]
        rows += [(dense([a, b, 1.0]), None if a is None else b) for a in EDGES[:9] for b in (0.0, 500.0, -500.0)]
        rows += [(None, None), (dense([1.0]), None), (sparse(9, [1], [1.0]), None)]  # null before they are looked at
        models = []
        for i, (family, more) in enumerate(given):
            label = "b" if family == "binomial" else "y"
            make = regression.GeneralizedLinearRegression(
                family=family, featuresCol="v", labelCol=label, maxIter=3, regParam=0.1, **more
            )
            model = make.fit(fit).setPredictionCol(f"p{i}").setLinkPredictionCol(f"l{i}" if i % 3 else "")
            models.append(model._set(offsetCol="o"))
        frame = self.frame({"v": "vector", "o": "double"}, rows)
        for i, name in enumerate(("gaussian_binomial", "poisson_gamma", "tweedie")):
            yield "generalized_linear_regression", name, [models[:6], models[6:12], models[12:]][i], frame
        model = make.fit(fit).setLinkPredictionCol("l")
        yield "generalized_linear_regression", "no_offset", [model], self.frame({"v": "vector"}, self.vectors(3, 6))

    def linear_svc(self) -> Iterator[Case]:
        """Return cases of LinearSVC."""
        for size, threshold in ((1, 0.0), (5, 0.3), (37, -2.0)):
            make = classification.LinearSVC(labelCol="class", maxIter=4)
            model = make.fit(self._training(size, 2)).setThreshold(threshold)
            yield "linear_svc", f"size_{size}", [model], self._features(size)
            alone = make.fit(self._training(size, 2)).setRawPredictionCol("")
            yield "linear_svc", f"alone_{size}", [alone], self._features(size)

    def naive_bayes(self) -> Iterator[Case]:
        """Return cases of NaiveBayes of all four types."""
        for kind in ("multinomial", "complement", "bernoulli", "gaussian"):
            data: list[Row] = []
            for i in range(60):
                values = [float(self.random.randint(0, 1 if kind == "bernoulli" else 4)) for _ in range(5)]
                data.append((dense(values), float(i % 3)))
            fit = self.frame({"features": "vector", "class": "double"}, data)
            model = classification.NaiveBayes(modelType=kind, labelCol="class").fit(fit)
            rows: list[Row] = [(v,) for v, _ in data[:20]] + self.vectors(5, 3)
            for size in (5, 4, 6):
                at = list(range(0, size, 2))
                rows += [(sparse(size, at, [1.0] * len(at)),), (dense([1.0] * size),)]
            rows += [(sparse(5, [1, 3], [0.0, 1.0]),), (dense([0.0, -0.0, 1.0, 1.0, 0.0]),)]
            rows += [(dense([1.0, 1.0, INF, 0.0, 1.0]),), (dense([1.0, 1.0, NAN, 0.0, 1.0]),)]
            cuts = [model, model.copy().setThresholds([0.2, 0.0, 0.5])]
            yield "naive_bayes", kind, self._shown(*cuts), self.frame({"features": "vector"}, rows)

    def _far(self, size: int) -> list[Row]:
        """Return vectors so long that their distances to all centers are nearly equal."""
        found: list[Row] = []
        for power in (26, 27, 40, 52, 53, 54, 60):
            for at in range(min(size, 3)):
                values = self.numbers(size)
                values[at] = 2.0**power
                found += [(dense(values),), (sparse(size, list(range(size)), values),)]
        return found

    def _points_as_arrays(self, op: str, model: Any, size: int) -> Iterator[Case]:
        """Return a case of floats and one of doubles: arrays are dense vectors, each float widened."""
        edges = [0.1, 3.4028234663852886e38, -3.4028234663852886e38, 1e-45, -0.0, 16777217.0, NAN, INF, -INF]
        rows: list[Row] = [(self.numbers(size),) for _ in range(30)]
        rows += [([edge, *self.numbers(size - 1)],) for edge in edges] + [([edge] * size,) for edge in edges]
        rows += [(None,), ([],), ([1.0] * (size + 1),), ([0.5] * (size - 1),)]
        for kind in ("floats", "doubles"):
            yield op, kind, [model], self.frame({"v": kind}, rows)

    def k_means(self) -> Iterator[Case]:
        """Return cases of KMeans: bounded and not, euclidean, and cosine of a model that was not saved."""
        for size, k in ((1, 2), (3, 4), (6, 9), (40, 160)):
            data = self.frame({"v": "vector"}, [(dense(self.numbers(size)),) for _ in range(max(60, k * 3))])
            model = clustering.KMeans(featuresCol="v", k=k, seed=1, maxIter=2).fit(data)
            rows = self.vectors(size, 8) + self._far(size)
            rows += [(dense([float(c) for c in center]),) for center in model.clusterCenters()[:20]]
            rows += [(sparse(size, [0], [float(center[0])]),) for center in model.clusterCenters()[:20]]
            yield "k_means", f"{size}_{k}", [model], self.frame({"v": "vector"}, rows)
            if size == 3:
                yield from self._points_as_arrays("k_means", model, size)
            if size in (3, 40):
                make = clustering.KMeans(featuresCol="v", k=k, seed=1, maxIter=2, distanceMeasure="cosine")
                yield "k_means", f"cosine_{size}", [make.fit(data)], self.frame({"v": "vector"}, rows)

    def bisecting_k_means(self) -> Iterator[Case]:
        """Return cases of BisectingKMeans."""
        for size, k, measure in ((1, 2, "euclidean"), (3, 6, "euclidean"), (4, 5, "cosine")):
            data = self.frame({"v": "vector"}, [(dense(self.numbers(size)),) for _ in range(80)])
            make = clustering.BisectingKMeans(featuresCol="v", k=k, seed=1, distanceMeasure=measure)
            model = make.fit(data)
            rows = self.vectors(size, 8) + self._far(size)
            rows += [(dense([float(c) for c in center]),) for center in model.clusterCenters()]
            yield "bisecting_k_means", f"{measure}_{k}", [model], self.frame({"v": "vector"}, rows)
            if size == 3:
                yield from self._points_as_arrays("bisecting_k_means", model, size)

    def gaussian_mixture(self) -> Iterator[Case]:
        """Return cases of GaussianMixture, each with its columns and with the prediction alone."""
        for size, k in ((1, 2), (4, 3), (9, 2)):
            data = self.frame({"v": "vector"}, [(dense(self.numbers(size)),) for _ in range(80)])
            model = clustering.GaussianMixture(featuresCol="v", k=k, seed=1, maxIter=3).fit(data)
            rows = self.frame({"v": "vector"}, self.vectors(size, 10))
            yield "gaussian_mixture", f"{size}_{k}", [model], rows
            alone = model.copy().setProbabilityCol("")
            yield "gaussian_mixture", f"{size}_{k}_alone", [alone], rows
            if size == 4:
                yield from self._points_as_arrays("gaussian_mixture", model, size)

    def lda(self) -> Iterator[Case]:
        """Return cases of LDA, of counts and of what is none; below zero Spark's inference may never end."""
        for words, k in ((1, 2), (6, 3), (40, 7)):
            texts: list[Row] = []
            for i in range(60):
                counts = [float(self.random.randrange(5)) for _ in range(words)]
                at = [j for j, count in enumerate(counts) if count or j % 3 == 0]  # stored zeros too
                texts.append((dense(counts) if i % 2 else sparse(words, at, [counts[j] for j in at]),))
            train = self.frame({"v": "vector"}, texts)
            model = clustering.LDA(featuresCol="v", k=k, seed=i, maxIter=3, optimizer="online").fit(train)
            one = self.random.random
            texts += [(dense([one() * 10**e for _ in range(words)]),) for e in range(-8, 4)]
            texts += [(sparse(words, [0], [value]),) for value in (5e-324, NAN, -0.0, 0.25)]
            texts += [(None,), (dense([]),), (dense([0.0] * words),), (sparse(words, [], []),)]
            texts += [(dense([1.0] * (words + 1)),), (sparse(words + 9, [words], [0.0]),)]
            texts += [(sparse(words + 9, [0], [2.0]),), (sparse(words + 9, [words + 3], [2.0]),)]
            yield "lda", f"{words}_{k}", [model], self.frame({"v": "vector"}, texts)

    def multilayer_perceptron(self) -> Iterator[Case]:
        """Return cases of MultilayerPerceptronClassifier."""
        for layers in ([5, 3], [5, 4, 2], [5, 9, 8, 3]):
            make = classification.MultilayerPerceptronClassifier(
                layers=layers, labelCol="class", maxIter=5, seed=2
            )
            model = make.fit(self._training(5, layers[-1]))
            cut = model.copy().setThresholds([0.2, 0.0, 0.5][: layers[-1]])
            name = "_".join(map(str, layers))
            yield "multilayer_perceptron", name, self._shown(model, cut), self._features(5)

    def aft_survival_regression(self) -> Iterator[Case]:
        """Return cases of AFTSurvivalRegression."""
        data: list[Row] = []
        for i in range(40):
            values = [self.random.random() for _ in range(3)]
            data.append((dense(values), 0.5 + values[0] * 3 + self.random.random(), float(i % 3 > 0)))
        fit = self.frame({"v": "vector", "y": "double", "c": "double"}, data)
        make = regression.AFTSurvivalRegression(featuresCol="v", labelCol="y", censorCol="c", maxIter=5)
        model = make.fit(fit).setQuantilesCol("q").setQuantileProbabilities([0.1, 0.5, 0.9999])
        rows = self.frame({"v": "vector"}, self.vectors(3, 10))
        yield "aft_survival_regression", "quantiles", [model], rows
        yield "aft_survival_regression", "plain", [make.fit(fit)], rows

    def isotonic_regression(self) -> Iterator[Case]:
        """Return cases of IsotonicRegression, of numbers and of entries of vectors."""
        data: list[Row] = [
            (x / 1.1, dense([1.0, x / 3.0]), (x * 7 % 5) / 3.0 + x * 0.37) for x in range(-8, 9)
        ]
        fit = self.frame({"a": "double", "v": "vector", "y": "double"}, data)
        numbers: list[Row] = [(v,) for v in [*EDGES, 0.25, -7.5, 3.0, 8.0, -8.0, 7.999, 100.0]]
        numbers += [(i / 7.0,) for i in range(-56, 57, 3)]
        for rising in (True, False):
            make = regression.IsotonicRegression(isotonic=rising, featuresCol="a", labelCol="y")
            yield "isotonic_regression", f"number_{rising}", [make.fit(fit)], self.frame({"a": "double"}, numbers)
        make = regression.IsotonicRegression(featuresCol="v", featureIndex=1, labelCol="y")
        yield "isotonic_regression", "vector", [make.fit(fit)], self.frame({"v": "vector"}, self.vectors(2, 8))

    def fm_classification(self) -> Iterator[Case]:
        """Return cases of FMClassifier."""
        for size, more in ((1, {}), (5, {"factorSize": 3}), (4, {"fitLinear": False, "fitIntercept": False})):
            make = classification.FMClassifier(labelCol="class", maxIter=3, seed=1, **more)
            model = make.fit(self._training(size, 2))
            cut = model.copy().setThresholds([0.3, 0.6])
            yield "fm_classification", f"size_{size}", self._shown(model, cut), self._features(size)

    def fm_regression(self) -> Iterator[Case]:
        """Return cases of FMRegressor."""
        for size, more in ((1, {}), (5, {"factorSize": 3}), (4, {"fitLinear": False})):
            model = regression.FMRegressor(maxIter=3, seed=1, **more).fit(self._training(size, 2))
            yield "fm_regression", f"size_{size}", [model], self._features(size)

    def als(self) -> Iterator[Case]:
        """Return cases of ALS: ids of all types, unknown and wrong ones, both ways of a cold start."""
        data: list[Row] = [(u, i, float((u * 7 + i * 3) % 5)) for u in range(-2, 9) for i in range(6)]
        fit = self.frame({"u": "int", "i": "int", "y": "double"}, data)
        model = recommendation.ALS(userCol="u", itemCol="i", ratingCol="y", rank=3, seed=1, maxIter=2).fit(fit)
        ids: dict[str, list[object]] = {
            "int": [*range(-3, 10), None, 2**31 - 1],
            "bigint": [*range(-3, 10), None, 2**40, 2**32],
            "double": [*map(float, range(-3, 10)), *EDGES, 2147483647.0, 2147483648.0, 3.5],
            "float": [*map(float, range(-3, 10)), NAN, INF, None, 2147483648.0, 0.5, -0.0],
        }
        for kind, some in ids.items():
            rows: list[Row] = [(u, some[n * 5 % len(some)]) for n, u in enumerate(some * 3)]
            for cold in ("nan", "drop"):
                stage = model.copy().setColdStartStrategy(cold).setPredictionCol("p")
                yield "als", f"{kind}_{cold}", [stage], self.frame({"u": kind, "i": kind}, rows)

    def fp_growth(self) -> Iterator[Case]:
        """Return cases of FPGrowth: items of all types, in words of bits and beyond, and models without rules."""
        words = ["", "a", "A", "ab", "é", "e\u0301", "\U0001f600", "null", "日本語", " "]
        items: dict[str, list[Any]] = {
            "array<string>": words,
            "array<int>": [0, 1, -1, 2**31 - 1, -(2**31), 5],
            "array<float>": [0.0, 1.5, -1.5, 0.1, INF, 3.4028234663852886e38],
            "array<double>": [-0.0, 1.5, INF, -INF, HUGE, TINY],
        }
        others = {"array<string>": "b", "array<int>": 7, "array<float>": NAN, "array<double>": NAN}
        for kind, some in items.items():
            yield "fp_growth", kind[6:-1], *self._baskets(kind, some, [others[kind], None, some[0]], 0.05)
        yield "fp_growth", "zero", *self._baskets("array<double>", [0.0, 1.0, 2.0], [-0.0, NAN, None], 0.05)
        many = [f"item {i}" for i in range(130)]
        yield "fp_growth", "many", *self._baskets("array<string>", many, ["item", None], 0.004)
        yield "fp_growth", "none", *self._baskets("array<string>", words, [None, "a"], 1.0)

    def _baskets(self, kind: str, some: list[Any], others: list[Any], support: float) -> tuple[list[Any], DataFrame]:
        """Return models of random sets of some items, and rows: sets, with others, items twice, empty, null."""
        sets = [self.random.sample(some, self.random.randint(1, min(6, len(some)))) for _ in range(150)]
        fit = self.frame({"a": kind}, [(one,) for one in sets])
        stages = [
            fpm.FPGrowth(
                itemsCol="a", predictionCol=f"p{i}", minSupport=support, minConfidence=confidence
            ).fit(fit)
            for i, confidence in enumerate((0.0, 0.4, 0.9))
        ]
        rows: list[Row] = [([],), (None,), ([None],), ([some[0]] * 70,), (some,), (list(reversed(some)),)]
        rows += [([one],) for one in [*some, *others]]
        for one in sets[:60]:
            rows.append(([*one, *self.random.sample(others, self.random.randint(0, len(others))), one[0]],))
        return stages, self.frame({"a": kind}, rows)
