# SPDX-License-Identifier: Apache-2.0
"""Stages that hold models, that bring stages of their own, and that put a column in the place of another.

PySpark neither saves nor loads the name of a OneVsRestModel's rawPrediction, so that a pipeline has but one.
"""

from __future__ import annotations

from typing import Any

from pyspark.ml import Pipeline, classification
from pyspark.ml.classification import (
    DecisionTreeClassifier,
    GBTClassifier,
    LogisticRegression,
    NaiveBayes,
    OneVsRest,
    RandomForestClassifier,
)
from pyspark.ml.feature import Imputer, RFormula, VectorSizeHint

from pipelines.table import S_KNOWN, T_KNOWN, S, Stages, lin, nums, pipeline, si, turned, upto, va
from rows import Code, Number, Vec

V = Vec("v", size=3, sized=False, shadowed=True)


def hint(invalid: str = "error", name: str = "v") -> VectorSizeHint:
    """VectorSizeHint of a vector of three."""
    return VectorSizeHint(inputCol=name, size=3, handleInvalid=invalid)


def formula(terms: str, invalid: str = "error", **more: Any) -> RFormula:
    """RFormula, to f."""
    return RFormula(
        formula=f"target_y ~ {terms}", featuresCol="f", labelCol="y", handleInvalid=invalid, **more
    )


def rest(classifier: Any, f: str = "f") -> OneVsRest:
    """OneVsRest of three classes."""
    return OneVsRest(classifier=classifier, featuresCol=f, labelCol="target_k")


@pipeline(V, nums("x", 2, null=True, nan=True), S, ci=True)
def logits_against_the_rest() -> Stages:
    return [hint(), formula("v + x0 + s + x1", "keep"), rest(LogisticRegression(maxIter=9))]


@pipeline(V, nums("x", 2), S_KNOWN)
def trees_against_the_rest() -> Stages:
    return [hint(), formula("x0 + s + v"), rest(DecisionTreeClassifier(maxDepth=3, seed=1)), lin(f="v")]


@pipeline(V, nums("x", 3), S_KNOWN)
def forests_against_the_rest() -> Stages:
    return [
        hint("skip"),
        formula("s + v + x1", "skip", stringIndexerOrderType="alphabetAsc"),
        rest(RandomForestClassifier(numTrees=4, maxDepth=3, seed=2)),
    ]


@pipeline(V, nums("x", 3), S_KNOWN, ci=True)
def boosts_against_the_rest() -> Stages:
    return [
        hint("skip"),
        formula("v + s - 1", "keep"),
        va("f x0 x1", out="g"),
        rest(GBTClassifier(maxIter=3, maxDepth=2, seed=3), f="g"),
    ]


@pipeline(V, nums("x", 4), S_KNOWN)
def stumps_against_the_rest() -> Stages:
    return [hint(), formula("v + s"), rest(DecisionTreeClassifier(maxDepth=0))]


OTHERS: list[dict[str, Any]] = [
    dict(kind="LinearSVC", maxIter=6, threshold=0.5),
    dict(kind="FMClassifier", factorSize=3, maxIter=4, seed=1),
    dict(kind="MultilayerPerceptronClassifier", layers=[5, 4, 2], maxIter=5, seed=2),
    dict(kind="NaiveBayes", modelType="gaussian"),
    dict(kind="NaiveBayes", modelType="multinomial", smoothing=0.3),
    dict(kind="NaiveBayes", modelType="complement"),
]


@turned(nums("x", 5, low=0.0, high=6.0, bounded=True), twists=OTHERS, ci=(0, 4))
def others_against_the_rest(kind: str, **more: Any) -> Stages:
    return [va(upto("x", 5)), rest(getattr(classification, kind)(**more))]


@pipeline([Code(f"c{i}", values=(0.0, 1.0)) for i in range(5)])
def ones_against_the_rest() -> Stages:
    return [va(upto("c", 5)), rest(NaiveBayes(modelType="bernoulli"))]


@pipeline(V, nums("x", 6), T_KNOWN)
def few_coefficients_against_the_rest() -> Stages:
    lasso = LogisticRegression(maxIter=9, regParam=0.3, elasticNetParam=1.0, fitIntercept=False)
    return [hint("error"), formula("t + x0 + x1 + x2 + x3 + x4 + v + x5"), rest(lasso)]


@pipeline(V, nums("x", 2), S_KNOWN)
def two_rows_of_coefficients_against_the_rest() -> Stages:
    several = LogisticRegression(maxIter=6, family="multinomial", thresholds=[0.2, 0.7])
    return [hint(), formula("x0 + s + v", stringIndexerOrderType="frequencyAsc"), rest(several)]


@pipeline(V, nums("x", 2), S_KNOWN, T_KNOWN)
def pipelines_in_pipelines() -> Stages:
    inner = Pipeline(stages=[si("t", "skip"), formula("x1 + s + v", "keep")])
    return [
        hint("skip"),
        Pipeline(stages=[inner, va("f t_i x0", out="g")]),
        rest(LogisticRegression(), f="g"),
    ]


@pipeline(
    Number("x", null=True, nan=True, shadowed=True),
    Number("n", "int", null=True, shadowed=True),
    Number("z", "float", null=True),
    ci=True,
)
def imputed_in_place() -> Stages:
    return [
        Imputer(inputCols=["x", "n"], outputCols=["x", "n"], strategy="median"),
        Imputer(inputCols=["x", "z"], outputCols=["x", "z_f"], missingValue=0.5),
        va("x n z_f"),
        lin(),
    ]
