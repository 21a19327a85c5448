# SPDX-License-Identifier: Apache-2.0
"""Survival and isotonic regression, and perceptrons."""

from __future__ import annotations

from scored_export.blocks import numbers, vector
from scored_export.ops.base import Built, Reading
from scored_export.ops.linear import linear_regression, thresholds_of
from scored_export.values import number, saved_number


def aft_survival_regression(r: Reading) -> Built:
    """AFTSurvivalRegressionModel."""
    built = linear_regression(r)
    given = numbers([saved_number(p) for p in r.saved.params["quantileProbabilities"]])
    probabilities, more = vector(f"{r.prefix}.quantileProbabilities", given)
    scale = number(float(r.saved.row()["scale"]))
    params = {**built.params, "scale": scale, "quantileProbabilities": probabilities}
    return Built(params, {**built.blocks, **more})


def isotonic_regression(r: Reading) -> Built:
    """IsotonicRegressionModel."""
    row = r.saved.row()
    boundaries, blocks = vector(f"{r.prefix}.boundaries", numbers(row["boundaries"]))
    predictions, more = vector(f"{r.prefix}.predictions", numbers(row["predictions"]))
    index = int(r.saved.params["featureIndex"])
    params = {"featureIndex": index, "boundaries": boundaries, "predictions": predictions}
    return Built(params, {**blocks, **more})


def multilayer_perceptron(r: Reading) -> Built:
    """MultilayerPerceptronClassificationModel."""
    row = r.saved.row()
    layers = [int(width) for width in (row["layers"] if "layers" in row else r.saved.params["layers"])]
    weights, blocks = vector(f"{r.prefix}.weights", row["weights"])
    thresholds, more = thresholds_of(r, layers[-1])
    return Built({"layers": layers, "thresholds": thresholds, "weights": weights}, {**blocks, **more})
