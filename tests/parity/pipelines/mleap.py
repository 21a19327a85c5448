# SPDX-License-Identifier: Apache-2.0
"""Where MLeap answers otherwise than Spark and says nothing: a case each, in which Spark's answer is given.

The first line of each function tells what MLeap does. Its rows reach the place where the answers part.
"""

from __future__ import annotations

from pyspark.ml.classification import (
    LinearSVC,
    LogisticRegression,
    MultilayerPerceptronClassifier,
    NaiveBayes,
    OneVsRest,
)
from pyspark.ml.clustering import BisectingKMeans, KMeans
from pyspark.ml.feature import (
    Binarizer,
    Interaction,
    MaxAbsScaler,
    MinHashLSH,
    MinMaxScaler,
    StopWordsRemover,
    VectorIndexer,
)
from pyspark.ml.recommendation import ALS
from pyspark.ml.regression import GeneralizedLinearRegression
from rows import NAN, Code, Number, Text, Vec
from tokens import Tokens

from pipelines.table import Stages, dtc, hot, lin, logit, nums, pipeline, rfc, si, upto, va

SEEN = ("a", "b", "c", "d")


def rest(classifier: object, f: str = "f") -> OneVsRest:
    """OneVsRest of three classes."""
    return OneVsRest(classifier=classifier, featuresCol=f, labelCol="target_k")


@pipeline(nums("x", 3), ci=True)
def mleap_one_vs_rest_of_machines() -> Stages:
    """Takes the first model whose prediction is 1, not the largest rawPrediction."""
    return [va(upto("x", 3)), rest(LinearSVC(maxIter=4))]


@pipeline(nums("x", 3))
def mleap_one_vs_rest_saturated() -> Stages:
    """Ranks by the probability, which is 1.0 of several models where the margins are large."""
    return [va(upto("x", 3)), rest(LogisticRegression(regParam=0.0, maxIter=9))]


@pipeline(nums("x", 3, low=0.0, high=9.0, bounded=True))
def mleap_one_vs_rest_of_bayes() -> Stages:
    """Ranks by the probability of NaiveBayes, which Spark does not look at."""
    return [va(upto("x", 3)), rest(NaiveBayes())]


@pipeline(Text("s", labels=SEEN), Text("t", labels=SEEN), nums("x", 2), ci=True)
def mleap_interaction_of_sparse() -> Stages:
    """Takes the offset of a stored entry for its index: wrong for whatever was one-hot encoded."""
    return [
        si("s t"),
        hot("s_i t_i"),
        Interaction(inputCols=["s_i_h", "x0"], outputCol="a"),
        Interaction(inputCols=["x1", "s_i_h", "t_i_h"], outputCol="b"),
        lin(f="b"),
    ]


@pipeline(nums("x", 3), ci=True)
def mleap_cosine() -> Stages:
    """Forgets distanceMeasure: clusters by cosine are scored by the Euclidean distance."""
    given = {"featuresCol": "f", "distanceMeasure": "cosine", "seed": 1, "maxIter": 3}
    return [
        va(upto("x", 3)),
        KMeans(k=4, predictionCol="k", **given),
        BisectingKMeans(k=4, predictionCol="b", **given),
    ]


@pipeline(Vec("v", size=300, plain=True))
def mleap_min_hash_overflow() -> Stages:
    """Multiplies in 32 bits: hashes of entries beyond the second overflow."""
    return [MinHashLSH(inputCol="v", outputCol="h", numHashTables=5, seed=1)]


@pipeline(nums("x", 3), ci=True)
def mleap_scalers_beyond_their_fit() -> Stages:
    """MaxAbsScaler cuts at 1 and -1; it and MinMaxScaler divide where Spark multiplies by the reciprocal."""
    return [
        va(upto("x", 3)),
        MaxAbsScaler(inputCol="f", outputCol="a"),
        MinMaxScaler(inputCol="f", outputCol="m", min=-2.0, max=5.0),
    ]


@pipeline(Vec("v", size=6), ci=True)
def mleap_binarizer_below_zero() -> Stages:
    """Leaves zeros that a sparse vector does not store 0 under a negative threshold; they are above it."""
    return [Binarizer(inputCol="v", outputCol="b", threshold=-0.5), lin(f="b")]


@pipeline(Text("s", labels=SEEN, null=True, unseen=True), nums("x", 2))
def mleap_unseen_category_of_half() -> Stages:
    """Sends an unseen category left where half of the categories go left; in Spark it goes right."""
    return [si("s", "keep"), va("s_i x0 x1"), dtc(maxDepth=4), rfc(numTrees=8)]


@pipeline(nums("x", 2, null=True, nan=True), Vec("v", size=3), ci=True)
def mleap_assembler_keeps() -> Stages:
    """VectorAssembler throws on nulls under every handleInvalid."""
    return [va("x0 x1 v", mode="keep"), va("v x1", "g", mode="keep")]


@pipeline(nums("x", 2), Vec("v", size=3))
def mleap_assembler_refuses() -> Stages:
    """VectorAssembler lets NaN pass where Spark's default throws, and throws where Spark drops."""
    return [va("x0 v"), va("x1 v", "g", mode="skip"), lin(f="g")]


@pipeline(Text("s", labels=SEEN), Code("c", values=(0.0, 1.0, 2.0)), nums("x", 2), ci=True)
def mleap_skipped_rows() -> Stages:
    """StringIndexer throws on null, and a row that it skips is missing; VectorIndexer gives null."""
    return [
        si("s", "skip"),
        va("c x0 s_i"),
        VectorIndexer(inputCol="f", outputCol="i", maxCategories=4, handleInvalid="skip"),
        lin(f="i"),
    ]


@pipeline(nums("x", 2), Code("c", values=(0.0, 1.0, 2.0)))
def mleap_threshold_of_zero() -> Stages:
    """A class of probability 0 and threshold 0 wins by infinity; in Spark it is NaN, and loses."""
    return [
        va("x0 x1 c"),
        dtc("d", thresholds=[0.0, 0.4, 0.6], maxDepth=4),
        rfc("r", thresholds=[0.5, 0.0, 0.5]),
    ]


@pipeline(Code("c", values=(0.0, 1.0, 2.0), fractions=(1.5, 0.25, 2.75, NAN), unseen=True, nan=True), ci=True)
def mleap_one_hot_of_fractions() -> Stages:
    """OneHotEncoder refuses NaN and fractions under keep; Spark has a slot for the one, and cuts the others."""
    return [hot("c", "keep", drop=False)]


@pipeline(
    Code("u", "int", values=tuple(range(9))), Code("i", "int", values=tuple(range(7))), ci=True
)
def mleap_cold_start() -> Stages:
    """ALS answers NaN for whom it does not know, whatever coldStartStrategy says: Spark drops these rows."""
    return [
        ALS(
            userCol="u",
            itemCol="i",
            ratingCol="target_y",
            rank=3,
            maxIter=2,
            seed=1,
            coldStartStrategy="drop",
        )
    ]


@pipeline(nums("x", 2), Number("o", null=True), Number("positive", low=1.0, high=6.0), ci=True)
def mleap_offset() -> Stages:
    """GeneralizedLinearRegression forgets the offset."""
    given = {"featuresCol": "f", "labelCol": "positive", "offsetCol": "o", "maxIter": 2, "regParam": 0.1}
    return [
        va("x0 x1"),
        GeneralizedLinearRegression(family="poisson", predictionCol="p", linkPredictionCol="l", **given),
        GeneralizedLinearRegression(family="gaussian", predictionCol="g", **given),
    ]


@pipeline(nums("x", 3), ci=True)
def mleap_probabilities() -> Stages:
    """Makes both probabilities by a sigmoid each, and shifts margins before exp only where they are positive."""
    return [
        va(upto("x", 3)),
        logit("two", reg=0.0),
        logit("three", y="k", reg=0.0),
        MultilayerPerceptronClassifier(
            featuresCol="f", labelCol="target_k", layers=[3, 4, 3], seed=1, maxIter=4, predictionCol="mlp"
        )
        .setProbabilityCol("mlp_q")
        .setRawPredictionCol("mlp_r"),
    ]


@pipeline(Tokens("w"))
def mleap_locale() -> Stages:
    """StopWordsRemover forgets its locale."""
    return [
        StopWordsRemover(inputCol="w", outputCol=lang, locale=lang, stopWords=["ISTANBUL", "i", "İ"])
        for lang in ("tr", "en", "lt")
    ]
