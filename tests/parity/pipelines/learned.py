# SPDX-License-Identifier: Apache-2.0
"""Settings of estimators, weights and validation too, on features of one slot to hundreds: a pipeline a row of each table."""

from __future__ import annotations

from typing import Any

from pyspark.ml import Pipeline, classification
from pyspark.ml.classification import FMClassifier, LinearSVC, LogisticRegression, NaiveBayes, OneVsRest
from pyspark.ml.clustering import BisectingKMeans, GaussianMixture, KMeans
from pyspark.ml.evaluation import MulticlassClassificationEvaluator, RegressionEvaluator
from pyspark.ml.linalg import Matrices, Vectors
from pyspark.ml.recommendation import ALS
from pyspark.ml.regression import (
    AFTSurvivalRegression,
    FMRegressor,
    GeneralizedLinearRegression,
    IsotonicRegression,
    LinearRegression,
)
from pyspark.ml.tuning import CrossValidator, ParamGridBuilder, TrainValidationSplit

from pipelines.learners import perceptron
from pipelines.table import Stages, dtc, dtr, gbtc, gbtr, nums, rfc, rfr, turned, upto, va
from rows import INF, Code, Column, Flag, Number, Vec

FULL = ()  # none of them in CI's sample
WEIGHT = Number("weight", low=0.25, high=4.0)
WEIGHTED = {"weightCol": "weight"}


# -- trees: what every tree takes; what forests take; what boosted trees take

HELD = {"validationIndicatorCol": "held"}
TREES: list[dict[str, Any]] = [
    dict(tree=dict(maxDepth=2, maxBins=6)),
    dict(tree=dict(minInstancesPerNode=9, **WEIGHTED), forest=dict(bootstrap=False), boost=dict(stepSize=1.0)),
    dict(tree=dict(minInfoGain=0.05), forest=dict(featureSubsetStrategy="log2"), boost=HELD),
    dict(
        tree=dict(minWeightFractionPerNode=0.1, **WEIGHTED),
        forest=dict(featureSubsetStrategy="sqrt"),
        boost=dict(maxIter=1, **HELD),
    ),
    dict(
        tree=dict(cacheNodeIds=True, checkpointInterval=2, maxMemoryInMB=1, maxDepth=4),
        forest=dict(featureSubsetStrategy="2", numTrees=9, subsamplingRate=0.4),
        boost=dict(maxIter=8, validationTol=0.5, **HELD),
        loss="absolute",
    ),
    dict(
        tree=dict(minInfoGain=0.01, minInstancesPerNode=3, maxBins=3),
        forest=dict(featureSubsetStrategy="onethird", bootstrap=False, numTrees=2),
        boost=dict(featureSubsetStrategy="0.5", subsamplingRate=0.6, stepSize=0.4),
        loss="absolute",
        impurity="entropy",
    ),
]
NONE: dict[str, Any] = {}


@turned(nums("x", 3), Code("c"), Vec("v", size=4), WEIGHT, Flag("held"), twists=TREES, ci=FULL)
def trees_turned(
    tree: Any, forest: Any = NONE, boost: Any = NONE, loss: str = "squared", impurity: str = "gini"
) -> Stages:
    boosted = {**tree, **boost}
    classes = {"impurity": impurity, **tree}
    return [
        va([*upto("x", 3), "c", "v"]),
        *(dtr(**tree), rfr(**tree, **forest), gbtr(lossType=loss, **boosted)),
        *(dtc(**classes), rfc(**{**classes, **forest}), gbtc(**boosted)),
    ]


# -- linear models

LINES: list[dict[str, Any]] = [
    dict(size=2, line=dict(loss="huber"), logit=dict(standardization=False, maxBlockSizeInMB=0.5), vector=dict(maxBlockSizeInMB=1.0)),
    dict(size=3, line=dict(loss="huber", epsilon=3.0, fitIntercept=False), logit=dict(tol=0.5), vector=WEIGHTED),
    dict(size=5, line=dict(solver="l-bfgs", elasticNetParam=1.0), logit=WEIGHTED, vector=dict(standardization=False)),
    dict(size=6, line=dict(standardization=False, **WEIGHTED), logit=dict(elasticNetParam=0.5), vector=dict(regParam=9.0)),
    dict(size=17, line=dict(tol=0.9, solver="l-bfgs"), logit=dict(bounds=True, fitIntercept=False), vector=dict(threshold=INF)),
    dict(size=64, line=dict(maxBlockSizeInMB=2.0, aggregationDepth=3), logit=dict(bounds=True), vector=dict(threshold=-INF)),
]


def a_vector(size: int, **_: Any) -> list[Column]:
    """Return a vector of a size, a number and a weight."""
    return [Vec("v", size=size, sized=False), Number("x"), WEIGHT]


def bounded(classes: int, size: int, intercept: bool) -> dict[str, Any]:
    """Return bounds of coefficients and intercepts, of which some hold."""
    slots = classes * size
    found = {
        "lowerBoundsOnCoefficients": Matrices.dense(classes, size, [-0.01] * slots),
        "upperBoundsOnCoefficients": Matrices.dense(classes, size, [0.5 * (i % 3) for i in range(slots)]),
    }
    if intercept:
        found["lowerBoundsOnIntercepts"] = Vectors.dense([-0.3] * classes)
        found["upperBoundsOnIntercepts"] = Vectors.dense([0.3] * classes)
    return found


def logistic(y: str, size: int, **more: Any) -> LogisticRegression:
    """LogisticRegression of two or three classes."""
    classes, bounds = (3 if y == "k" else 1), more.pop("bounds", False)
    if bounds:
        more |= bounded(classes, size, more.get("fitIntercept", True))
    family = {} if y == "b" else {"family": "auto"}
    names = {name: f"{y}_{name}" for name in ("rawPredictionCol", "probabilityCol", "predictionCol")}
    return LogisticRegression(labelCol=f"target_{y}", featuresCol="v", **names, **{"regParam": 0.05, "maxIter": 7, **more, **family})


@turned(a_vector, twists=LINES, ci=FULL)
def lines_and_sides(size: int, line: Any, logit: Any, vector: Any) -> Stages:
    names = {"predictionCol": "svc", "rawPredictionCol": "svc_r"}
    return [
        LinearRegression(labelCol="target_y", featuresCol="v", predictionCol="line", **{"regParam": 0.1, **line}),
        logistic("b", size, **logit),
        logistic("k", size, **logit),
        LinearSVC(labelCol="target_b", featuresCol="v", **names, **{"maxIter": 5, **vector}),
    ]


GENERAL: list[list[dict[str, Any]]] = [
    [
        dict(family="gaussian", link="identity", tol=0.5),
        dict(family="binomial", link="probit", **WEIGHTED),
        dict(family="poisson", link="sqrt", regParam=5.0),
        dict(family="gamma", link="log", fitIntercept=False, **WEIGHTED),
    ],
    [
        dict(family="tweedie", variancePower=1.9, linkPower=0.25),
        dict(family="tweedie", variancePower=2.5, linkPower=0.0),
        dict(family="tweedie", variancePower=3.5, linkPower=0.0, tol=0.5),
        dict(family="tweedie", variancePower=1.01, linkPower=1 / 3, aggregationDepth=3, **WEIGHTED),
    ],
]


@turned(
    nums("x", 2, low=0.0, high=1.0),
    WEIGHT,
    Number("size", "smallint", low=0, high=2, null=True),
    Number("positive", low=1.0, high=6.0),
    twists=[dict(some=some) for some in GENERAL],
    ci=FULL,
)
def generalized_further(some: list[dict[str, Any]]) -> Stages:
    made: Stages = [va("x0 x1")]
    for i, twist in enumerate(some):
        label = "target_b" if twist["family"] == "binomial" else "positive"
        given = {"featuresCol": "f", "labelCol": label, "regParam": 0.1, "maxIter": 3, **twist}
        made += [
            GeneralizedLinearRegression(predictionCol=f"p{i}", linkPredictionCol=f"l{i}", **given),
            GeneralizedLinearRegression(predictionCol=f"o{i}", offsetCol="size", **given),
        ]
    return made


# -- clusters, classes by counts, machines, survival, steps

GROUPS: list[dict[str, Any]] = [
    dict(size=2, k=3, measure="euclidean", weighted=True),
    dict(size=4, k=5, measure="cosine", weighted=True),
    dict(size=30, k=8, measure="cosine", maxIter=2),
    dict(size=70, k=9, measure="euclidean", maxIter=1, tol=1e-9),
]


def a_point(size: int, **_: Any) -> list[Column]:
    """Return a plain vector of a size, a number that keeps it from being zero, and a weight."""
    return [Vec("v", size=size, plain=True), Number("x", low=1.0, high=5.0), WEIGHT]


@turned(a_point, twists=GROUPS, ci=FULL)
def groups(size: int, k: int, measure: str, weighted: bool = False, tol: float = 0.01, maxIter: int = 4) -> Stages:
    weight, given = WEIGHTED if weighted else {}, {"k": k, "seed": size, "maxIter": maxIter, "featuresCol": "f"}
    blocks = {"maxBlockSizeInMB": 1.0, "solver": "block"} if weighted else {"initMode": "random"}
    return [
        va("v x"),
        KMeans(predictionCol="a", distanceMeasure=measure, tol=tol, **blocks, **given, **weight),
        BisectingKMeans(predictionCol="b", distanceMeasure=measure, minDivisibleClusterSize=1 + k, **given, **weight),
        GaussianMixture(predictionCol="c", probabilityCol="q", tol=tol, **{**given, "k": min(k, 3)}, **weight),
    ]


OTHERS: list[dict[str, Any]] = [
    dict(kind="complement", smoothing=0.0, machine=dict(initStd=3.0, factorSize=40), age=dict(maxBlockSizeInMB=1.0), index=2),
    dict(kind="gaussian", smoothing=0.5, machine=dict(stepSize=0.5, fitLinear=False, regParam=5.0), age=dict(maxIter=1), index=4),
    dict(
        kind="bernoulli",
        smoothing=7.0,
        machine=dict(fitIntercept=False, solver="gd", miniBatchFraction=0.2),
        age=dict(quantileProbabilities=[0.001, 0.999]),
        index=0,
    ),
    dict(kind="bernoulli", smoothing=1e6, machine=dict(initStd=1e-6), age=dict(fitIntercept=False, tol=1e-9), index=1),
]


@turned(
    [Code(f"c{i}", values=(0.0, 1.0)) for i in range(5)],
    WEIGHT,
    Number("age", low=0.5, high=9.0),
    Code("event", values=(0.0, 1.0)),
    twists=OTHERS,
    ci=FULL,
)
def other_learners(kind: str, smoothing: float, machine: Any, age: Any, index: int) -> Stages:
    given = {"seed": 2, "maxIter": 3, "featuresCol": "f", **machine}
    names = {"rawPredictionCol": "n_r", "probabilityCol": "n_q", "predictionCol": "n"}
    weights = [0.01 * (i % 7) - 0.02 for i in range(5 * (2 + index) + 2 + index + 3 * (2 + index) + 3)]
    network = perceptron("m", [5, 2 + index, 3], tol=0.1, stepSize=0.2).setInitialWeights(Vectors.dense(weights))
    survival = {"quantileProbabilities": [0.5], "maxIter": 4, **age}
    return [
        va(upto("c", 5)),
        NaiveBayes(labelCol="target_k", featuresCol="f", modelType=kind, smoothing=smoothing, **names, **WEIGHTED),
        FMClassifier(labelCol="target_b", rawPredictionCol="r", probabilityCol="q", predictionCol="fc", **given),
        FMRegressor(labelCol="target_y", predictionCol="fr", **given),
        AFTSurvivalRegression(
            labelCol="age", censorCol="event", featuresCol="f", predictionCol="s", quantilesCol="sq", **survival
        ),
        IsotonicRegression(
            labelCol="target_y", featuresCol="f", predictionCol="i", featureIndex=index, isotonic=index % 2 == 0, **WEIGHTED
        ),
        network,
    ]


# -- models that hold models

RESTS: list[dict[str, Any]] = [
    dict(kind="LogisticRegression", maxIter=3, elasticNetParam=0.5, regParam=0.2, threshold=0.9),
    dict(kind="RandomForestClassifier", numTrees=2, maxDepth=3, bootstrap=False, seed=1, impurity="entropy"),
    dict(kind="MultilayerPerceptronClassifier", layers=[4, 2], maxIter=3, seed=1),
]


@turned(nums("x", 3, low=0.0, high=6.0, bounded=True), WEIGHT, twists=RESTS, ci=FULL)
def the_rest(kind: str, **more: Any) -> Stages:
    weighted = kind not in ("FMClassifier", "MultilayerPerceptronClassifier")
    made = OneVsRest(
        classifier=getattr(classification, kind)(**more),
        featuresCol="f",
        labelCol="target_k",
        parallelism=2,
        **(WEIGHTED if weighted else {}),
    )
    return [va([*upto("x", 3), "weight"]), made]


#: Two at a time: which model, of which CrossValidator, of which TrainValidationSplit.
CHOICES: list[list[tuple[str, dict[str, Any], dict[str, Any]]]] = [
    [("line", {}, {}), ("tree", {}, {"trainRatio": 0.9})],
    [("line", {"numFolds": 4, "parallelism": 2}, {"trainRatio": 0.5}), ("classes", {"numFolds": 3}, {"trainRatio": 0.25})],
    [("line", {"foldCol": "fold"}, {"parallelism": 2}), ("pipeline", {"foldCol": "fold"}, {})],
    [("pipeline", {"collectSubModels": True}, {"collectSubModels": True}), ("tree", {"numFolds": 5}, {})],
    [("classes", {}, {}), ("pipeline", {"parallelism": 2}, {"trainRatio": 0.6, "parallelism": 3})],
]


def _candidate(model: str, out: str) -> tuple[Any, list[Any], Any]:
    """Return an estimator, what to try with it, and the judge."""
    if model == "classes":
        names = {"rawPredictionCol": f"{out}_r", "probabilityCol": f"{out}_q", "predictionCol": out}
        made = LogisticRegression(labelCol="target_k", featuresCol="v", maxIter=3, **names)
        grid = ParamGridBuilder().addGrid(made.elasticNetParam, [0.0, 0.7]).addGrid(made.regParam, [0.1]).build()
        return made, grid, MulticlassClassificationEvaluator(labelCol="target_k", predictionCol=out)
    judge = RegressionEvaluator(labelCol="target_y", predictionCol=out)
    if model == "tree":
        tree = dtr(outs="").setFeaturesCol("v").setPredictionCol(out)
        return tree, ParamGridBuilder().addGrid(tree.maxDepth, [1, 3]).build(), judge
    line = LinearRegression(labelCol="target_y", featuresCol=f"{out}_f", predictionCol=out, maxIter=3)
    grid = ParamGridBuilder().addGrid(line.regParam, [0.3, 0.01]).build()
    return (Pipeline(stages=[va("v x", f"{out}_f"), line]), grid, judge) if model == "pipeline" else (line, grid, judge)


@turned(Vec("v", size=3), Number("x"), Code("fold", "int", values=(0, 1)), twists=[dict(some=c) for c in CHOICES], ci=FULL)
def choices(some: list[tuple[str, dict[str, Any], dict[str, Any]]]) -> Stages:
    made: Stages = []
    for i, (model, folds, split) in enumerate(some):
        for chooser, more in ((CrossValidator, {"numFolds": 2, **folds}), (TrainValidationSplit, split)):
            out = f"{chooser.__name__[0].lower()}{i}"
            estimator, grid, judge = _candidate(model, out)
            made += [va("v x", f"{out}_f")] if model == "line" else []
            made += [chooser(estimator=estimator, estimatorParamMaps=grid, evaluator=judge, seed=1, **more)]
    return made


STORED = [
    dict(rank=3, blockSize=1, checkpointInterval=1, finalStorageLevel="DISK_ONLY", coldStartStrategy="nan"),
    dict(rank=4, numUserBlocks=3, numItemBlocks=2, alpha=0.1, implicitPrefs=True, nonnegative=True, coldStartStrategy="drop"),
]


@turned(
    [Code(name, "int", values=tuple(range(11))) for name in ("u", "i")],
    twists=STORED,
    ci=FULL,
    drops=True,
)
def ratings_stored(**twist: Any) -> Stages:
    return [ALS(userCol="u", itemCol="i", ratingCol="target_k", seed=2, maxIter=2, **twist).setPredictionCol("p")]
