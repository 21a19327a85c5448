# SPDX-License-Identifier: Apache-2.0
"""Predictors with coefficients, leaves and thresholds as they are or special."""

from __future__ import annotations

import json
import random
from typing import Any

from drawing import Drawn, Tools, each_node, spoil, spoiled
from pyspark.ml import classification, regression
from rows import Vec


class Predictors(Tools):
    """A method a kind."""

    def of_logistic(self, r: random.Random) -> Drawn:
        """LogisticRegression of one, two or three classes, its coefficients as they are or special."""
        family = r.choice(("auto", "binomial", "multinomial"))
        classes = r.choice((1, 2) if family == "binomial" else (1, 2, 3))
        size, constant = r.choice((1, 2, 5)), r.random() < 0.2
        one = r.choice(((0,), (1,)))

        def fit() -> Any:
            data = self.data(size, range(classes) if classes > 1 else one, constant=constant)
            return classification.LogisticRegression(family=family, maxIter=3, regParam=0.1).fit(data)

        model = self.fit(("logistic", family, classes > 1 and classes or one, size, constant), fit)
        share = r.choice((0.0, 0.3, 1.0))

        def change(rows: list[dict[str, Any]]) -> None:
            for name in ("coefficientMatrix", "interceptVector"):
                rows[0][name] = spoiled(r, rows[0][name], share)

        model = self.classifier(r, self.changed(model, change) if share else model)
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
        model = self.fit(("linear", size, labels), lambda: make.fit(self.data(size, labels)))

        def change(rows: list[dict[str, Any]]) -> None:
            rows[0]["coefficients"] = spoiled(r, rows[0]["coefficients"], share)
            rows[0]["intercept"] = spoil(r, [rows[0]["intercept"]], share)[0]

        model = self.changed(model, change) if share else model
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
            data = self.data(2, labels, meta, form == "constant")
            return getattr(module, name)(maxDepth=depth, seed=1, leafCol="leaf", **options).fit(data)

        key = (name, depth, labels, form, json.dumps(nominal), json.dumps(options))
        model, share = self.fit(key, fit), r.choice((0.0, 0.0, 0.3, 1.0))

        def change(node: dict[str, Any]) -> None:
            node["prediction"] = spoil(r, [node["prediction"]], share)[0]
            node["impurityStats"] = spoil(r, node["impurityStats"], share / 2)
            if node["split"]["numCategories"] == -1 and node["leftChild"] >= 0:
                split = node["split"]
                split["leftCategoriesOrThreshold"] = spoil(r, split["leftCategoriesOrThreshold"], share)

        if share:
            model = self.changed(model, lambda rows: each_node(rows, change))
        model = self.classifier(r, model) if name.endswith("Classifier") else model
        what = f"{name} of depth {depth}, {form}, labels {labels}, {share:.0%} special"
        return Drawn(what, model, (Vec("features", size=2),))
