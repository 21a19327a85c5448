# SPDX-License-Identifier: Apache-2.0
"""Models of margins, counts, clusters and steps, with what was fitted as it is or special."""

from __future__ import annotations

import contextlib
import random
from typing import Any

from drawing import INF, Drawn, Tools, spoil, spoiled
from pyspark.ml import classification, clustering, feature, recommendation, regression
from pyspark.errors import IllegalArgumentException
from rows import Code, Flag, Number, Text, Vec


class Models(Tools):
    """A method a kind."""

    def _spoiled(self, r: random.Random, model: Any, names: tuple[str, ...], share: float) -> Any:
        """Spoil numbers, lists of them, vectors and matrices of a saved model."""

        def special(value: Any) -> Any:
            if isinstance(value, float):
                return spoil(r, [value], share)[0]
            return spoil(r, value, share) if isinstance(value, list) else spoiled(r, value, share)

        def change(rows: list[dict[str, Any]]) -> None:
            for row in rows:
                row.update({name: special(row[name]) for name in names})

        return self.changed(model, change) if share else model

    def of_margin(self, r: random.Random) -> Drawn:
        """LinearSVC and factorization machines."""
        size, share = r.choice((1, 4)), r.choice((0.0, 0.4, 1.0))
        make, names = r.choice(
            (
                (classification.LinearSVC(maxIter=2), ("coefficients", "intercept")),
                (classification.FMClassifier(maxIter=1, factorSize=2), ("intercept", "linear", "factors")),
                (regression.FMRegressor(maxIter=1, factorSize=2), ("intercept", "linear", "factors")),
            )
        )
        name = type(make).__name__
        model = self.fit((name, size), lambda: make.fit(self.data(size, (0.0, 1.0))))
        model = self._spoiled(r, model, names, share)
        if name == "LinearSVC":
            model.setThreshold(r.choice((0.0, INF, -INF, 1e-300)))
        return Drawn(f"{name} of {size}, {share:.0%} special", model, (Vec("features", size=size),))

    def of_generalized(self, r: random.Random) -> Drawn:
        """GeneralizedLinearRegression of all families, their own links and others."""
        family, link = r.choice(
            (
                ("gaussian", "log"),
                ("gaussian", "inverse"),
                ("binomial", "cloglog"),
                ("binomial", "logit"),
                ("binomial", "probit"),
                ("poisson", "sqrt"),
                ("gamma", "inverse"),
                ("gamma", "log"),
            )
        )
        share = r.choice((0.0, 0.4, 1.0))
        make = regression.GeneralizedLinearRegression(family=family, link=link, maxIter=1, regParam=0.5)
        labels = (1.0, 0.0) if family == "binomial" else (1.0, 2.0, 1.5)
        model = self.fit((family, link), lambda: make.fit(self.data(3, labels)))
        model = self._spoiled(r, model, ("coefficients", "intercept"), share)
        model.setLinkPredictionCol("eta")
        columns: tuple[Any, ...] = (Vec("features", size=3),)
        if r.random() < 0.5:
            model._set(offsetCol="offset")
            columns = (*columns, Number("offset", r.choice(("double", "int", "float")), null=True))
        return Drawn(f"{family}, {link}, {share:.0%} special", model, columns)

    def of_bayes(self, r: random.Random) -> Drawn:
        """NaiveBayes of all types, one class too."""
        kind, labels = r.choice(("multinomial", "complement", "gaussian")), r.choice(((0,), (0, 1), (0, 1, 2)))
        share = r.choice((0.0, 0.3, 1.0))
        make = classification.NaiveBayes(modelType=kind)
        model = self.fit(("bayes", kind, labels), lambda: make.fit(self.data(3, labels)))
        names = ("pi", "theta", "sigma") if kind == "gaussian" else ("pi", "theta")
        model = self.classifier(r, self._spoiled(r, model, names, share))
        return Drawn(f"{kind} of {labels}, {share:.0%} special", model, (Vec("features", size=3),))

    def of_clusters(self, r: random.Random) -> Drawn:
        """KMeans with centers that are equal, far or not numbers."""
        k, share = r.choice((2, 3, 5)), r.choice((0.0, 0.2, 0.5))
        make = clustering.KMeans(k=k, seed=1, maxIter=1)
        model = self.fit(("clusters", k), lambda: make.fit(self.data(3, (1.0,))))
        model = self._spoiled(r, model, ("clusterCenter",), share)
        return Drawn(f"{k} clusters, {share:.0%} special", model, (Vec("features", size=3),))

    def of_perceptron(self, r: random.Random) -> Drawn:
        """MultilayerPerceptron with special weights."""
        layers, share = r.choice(([2, 2], [2, 3, 2], [2, 1, 4, 3])), r.choice((0.0, 0.2, 1.0))
        make = classification.MultilayerPerceptronClassifier(layers=layers, maxIter=1, seed=1)
        model = self.fit(("perceptron", str(layers)), lambda: make.fit(self.data(2, range(layers[-1]))))
        model = self.classifier(r, self._spoiled(r, model, ("weights",), share))
        return Drawn(f"perceptron of {layers}, {share:.0%} special", model, (Vec("features", size=2),))

    def of_steps(self, r: random.Random) -> Drawn:
        """IsotonicRegression whose predictions are special."""
        share = r.choice((0.0, 0.5, 1.0))
        make = regression.IsotonicRegression(featuresCol="features", isotonic=r.random() < 0.5)
        model = self.fit(("steps", share), lambda: make.fit(self.data(1, (1.0, 3.0, 2.0, 5.0))))
        with contextlib.suppress(IllegalArgumentException):  # Spark loads only steps in their order
            model = self._spoiled(r, model, ("predictions",), share)
        return Drawn(f"steps, {share:.0%} special", model, (Vec("features", size=1),))

    def of_components(self, r: random.Random) -> Drawn:
        """PCA and the projections of LSH with special entries."""
        share = r.choice((0.0, 0.4, 1.0))
        make, name = r.choice(
            (
                (feature.PCA(k=2, inputCol="features", outputCol="o"), "pc"),
                (
                    feature.BucketedRandomProjectionLSH(
                        inputCol="features", outputCol="o", bucketLength=r.choice((0.5, 1e-300)), seed=1
                    ),
                    "randUnitVectors",
                ),
            )
        )
        model = make.fit(self.data(3, (1.0,)))
        model = self._spoiled(r, model, (name,), share)
        return Drawn(f"{name}, {share:.0%} special", model, (Vec("features", size=3),))

    def of_hasher(self, r: random.Random) -> Drawn:
        """FeatureHasher of few slots, categories that are numbers too."""
        some: list[Any] = [
            Number("d", null=True, nan=True),
            Number("f", "float", null=True),
            Number("i", "int", null=True),
            Text("s", null=True, unseen=True),
            Flag("b", null=True),
            Number("e"),
        ]
        columns = tuple(r.sample(some, r.choice((1, 3, 6))))
        names, n = [c.name for c in columns], r.choice((1, 2, 100, 1 << 20))
        made = feature.FeatureHasher(inputCols=names, outputCol="o", numFeatures=n)
        listed = [name for name in names if r.random() < 0.4]
        return Drawn(
            f"hasher of {names} to {n}, {listed} listed",
            made.setCategoricalCols(listed) if listed else made,
            columns,
        )

    def of_ratings(self, r: random.Random) -> Drawn:
        """ALS of few users."""
        cold = r.choice(("nan", "drop"))
        rows = [(u, i, float(u + i)) for u in range(3) for i in range(2)]
        data = self.spark.createDataFrame(rows, ["u", "i", "y"])
        make = recommendation.ALS(userCol="u", itemCol="i", ratingCol="y", rank=2, maxIter=1, seed=1)
        model = self.changed(self.fit("ratings", lambda: make.fit(data)), lambda rows: None, "userFactors")
        model.setColdStartStrategy(cold)
        users = Code("u", values=(0.0, 1.0, 2.0), unseen=True)
        return Drawn(f"ratings, {cold}", model, (users, Code("i", "bigint", values=(0, 1), unseen=True)))
