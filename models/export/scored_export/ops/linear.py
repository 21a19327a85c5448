# SPDX-License-Identifier: Apache-2.0
"""Linear models."""

from __future__ import annotations

import math
from typing import Any

from scored_export.blocks import Blocks, f64, matrix, rows, vector
from scored_export.errors import Refused
from scored_export.glm import family_of
from scored_export.needs import BLAS, EXP
from scored_export.ops.base import Built, Reading
from scored_export.platform import java_log
from scored_export.values import number, saved_number


def linear_regression(r: Reading) -> Built:
    """LinearRegressionModel."""
    row = r.saved.row()
    coefficients, blocks = vector(f"{r.prefix}.coefficients", row["coefficients"])
    params = {"intercept": number(float(row["intercept"])), "coefficients": coefficients}
    return Built(params, blocks, {"predictionCol": {BLAS}})


def thresholds_of(r: Reading, classes: int) -> tuple[dict[str, Any] | None, Blocks]:
    """Return the description and the block of a classifier's thresholds, None when unset."""
    values = r.saved.set.get("thresholds")
    if not values:
        return None, {}
    if len(values) != classes:
        raise Refused(f"thresholds has {len(values)} values for {classes} classes", "set one a class")
    block = {f"{r.prefix}.thresholds": f64([saved_number(v) for v in values])}
    return {"kind": "dense", "size": classes}, block


def _threshold(r: Reading) -> float:
    """Return what Spark's getThreshold answers for a binomial model."""
    given = r.saved.set.get("thresholds")
    plain = saved_number(r.saved.params.get("threshold", 0.5))
    if not given:
        return plain
    first, second = (saved_number(v) for v in given)
    ratio = first / second if second else (math.nan if first == 0.0 else math.inf)
    folded = 1.0 / (1.0 + ratio)
    if "threshold" in r.saved.set and abs(folded - plain) >= 1e-5:
        raise Refused("threshold and thresholds contradict each other", "set only one of them")
    return folded


def _raw_threshold(r: Reading, t: float) -> float:
    """Return the bound on rawPrediction(1) that the threshold means, by the JVM's logarithm."""
    fixed = {0.5: 0.0, 0.0: -math.inf, 1.0: math.inf}
    return fixed[t] if t in fixed else java_log(r.saved.spark, t / (1.0 - t))


def classifier_needs(r: Reading, raw: set[str], probability: set[str]) -> dict[str, set[str]]:
    """Return what each output needs: prediction comes from raw if it is there, else from probability."""
    prediction = raw if "rawPredictionCol" in r.outputs else probability
    return {"rawPredictionCol": raw, "probabilityCol": probability, "predictionCol": prediction}


def logistic_regression(r: Reading) -> Built:
    """LogisticRegressionModel, binomial or multinomial."""
    row = r.saved.row().asDict()
    classes, multinomial = int(row["numClasses"]), bool(row["isMultinomial"])
    coefficients, blocks = matrix(f"{r.prefix}.coefficientMatrix", row["coefficientMatrix"])
    intercepts, more = vector(f"{r.prefix}.interceptVector", row["interceptVector"])
    blocks.update(more)
    params: dict[str, Any] = {
        "numClasses": classes,
        "numFeatures": int(row["numFeatures"]),
        "isMultinomial": multinomial,
        "threshold": None,
        "rawThreshold": None,
        "thresholds": None,
        "coefficientMatrix": coefficients,
        "interceptVector": intercepts,
    }
    if multinomial:
        params["thresholds"], more = thresholds_of(r, classes)
        blocks.update(more)
    else:
        threshold = _threshold(r)
        params["threshold"] = number(threshold)
        params["rawThreshold"] = number(_raw_threshold(r, threshold))
    raw = {BLAS}
    needs = classifier_needs(r, raw, {BLAS, EXP})
    if multinomial and params["thresholds"] is not None and "predictionCol" in needs:
        needs["predictionCol"] = {BLAS, EXP}
    return Built(params, blocks, needs)


def linear_svc(r: Reading) -> Built:
    """LinearSVCModel: its threshold is one of rawPrediction."""
    built = linear_regression(r)
    params = {**built.params, "threshold": number(saved_number(r.saved.params["threshold"]))}
    return Built(params, built.blocks)


def generalized_linear_regression(r: Reading) -> Built:
    """GeneralizedLinearRegressionModel."""
    family, link, power = family_of(r.saved)
    built = linear_regression(r)
    params = {"family": family, "link": link, "linkPower": None if power is None else number(power)}
    return Built({**params, **built.params}, built.blocks)


def naive_bayes(r: Reading) -> Built:
    """NaiveBayesModel of all four types."""
    row = r.saved.row().asDict()
    kind = r.choice("modelType", "multinomial", "complement", "bernoulli", "gaussian")
    params: dict[str, Any] = {"modelType": kind}
    params["pi"], blocks = vector(f"{r.prefix}.pi", row["pi"])
    sigma = row.get("sigma")
    saved = {"theta": row["theta"], "sigma": rows(0, 0, []) if sigma is None else sigma}
    for name, value in saved.items():
        dense = value.toDense() if kind == "gaussian" and hasattr(value, "colPtrs") else value
        params[name], more = matrix(f"{r.prefix}.{name}", dense)
        blocks.update(more)
    params["thresholds"], more = thresholds_of(r, len(row["pi"]))
    blocks.update(more)
    return Built(params, blocks)
