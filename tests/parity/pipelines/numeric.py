# SPDX-License-Identifier: Apache-2.0
"""Filling, bucketing and binarising numbers."""

from __future__ import annotations

from decimal import Decimal

from pyspark.ml.feature import (
    Binarizer,
    Bucketizer,
    FeatureHasher,
    Imputer,
    IndexToString,
    Interaction,
    MinMaxScaler,
    Normalizer,
    QuantileDiscretizer,
    StandardScaler,
    VectorSlicer,
)

from pipelines.table import (
    FILLED,
    IMPUTED,
    INNER,
    OUTER,
    Stages,
    dtc,
    dtr,
    fill,
    gbtc,
    gbtr,
    hot,
    lin,
    logit,
    nums,
    pipeline,
    rfc,
    rfr,
    si,
    turned,
    upto,
    va,
)
from rows import INF, Code, Flag, Money, Number, Text, Vec


@pipeline(*IMPUTED, ci=True)
def impute_mean() -> Stages:
    return [
        fill(),
        va(FILLED),
        StandardScaler(inputCol="f", outputCol="g", withMean=True),
        lin(f="g"),
        gbtr(),
        gbtc(),
    ]


@pipeline(*IMPUTED)
def impute_median() -> Stages:
    return [
        fill(strategy="median"),
        va(FILLED),
        MinMaxScaler(inputCol="f", outputCol="g"),
        logit(f="g"),
        rfr(),
        dtr(),
    ]


@pipeline(*IMPUTED, Flag("ok"))
def impute_mode() -> Stages:
    return [
        fill(strategy="mode"),
        va([*FILLED, "ok"]),
        Normalizer(inputCol="f", outputCol="g"),
        lin(f="g"),
        dtc(),
    ]


@pipeline(Number("x", null=True, nan=True), Number("n", "int", null=True, low=-3, high=3), ci=True)
def impute_a_value() -> Stages:
    return [
        Imputer(inputCols=["x", "n"], outputCols=["x_f", "n_f"], missingValue=-1.0),
        Imputer(inputCol="n", outputCol="n_g", missingValue=2.0, strategy="median"),
        va("x_f n_f n_g", mode="keep"),
        rfr(),
        dtc(y="b"),
    ]


@pipeline(Number("x", null=True), Number("z", "float", null=True, nan=True))
def impute_zero() -> Stages:
    return [
        Imputer(inputCols=["x", "z"], outputCols=["x_f", "z_f"], missingValue=0.0, strategy="mode"),
        Binarizer(inputCol="x_f", outputCol="x_b", threshold=0.5),
        va("x_f z_f x_b", mode="keep"),
        gbtr(outs="p"),
        rfc(),
    ]


@pipeline(
    Number("x", null=True, nan=True),
    Number("n", "int", null=True),
    Number("z", "float", null=True, nan=True),
    ci=True,
)
def bucket_keep() -> Stages:
    return [
        Bucketizer(
            inputCols=["x", "n", "z"],
            outputCols=["x_b", "n_b", "z_b"],
            splitsArray=[OUTER] * 3,
            handleInvalid="keep",
        ),
        Imputer(inputCols=["x_b", "n_b", "z_b"], outputCols=["x_f", "n_f", "z_f"]),
        hot("x_f n_f z_f", "keep"),
        va("x_f_h n_f_h z_f_h"),
        lin(),
        rfc(),
    ]


@pipeline(
    Number("x", low=-4.0, high=3.0, bounded=True), Number("z", low=-4.0, high=3.0, bounded=True, null=True)
)
def bucket_error() -> Stages:
    return [
        Bucketizer(inputCol="x", outputCol="x_b", splits=INNER),
        Bucketizer(inputCol="z", outputCol="z_b", splits=INNER),
        va("x x_b"),
        va("f z_b", "g", "keep"),
        dtr(f="g"),
        logit(),
    ]


@pipeline(Number("x"), Number("z"), Number("m", "bigint"), Number("h", "smallint"))
def bucket_skip() -> Stages:
    return [
        Bucketizer(
            inputCols=["x", "z"],
            outputCols=["x_b", "z_b"],
            splitsArray=[OUTER, [-INF, 0.0, INF]],
            handleInvalid="skip",
        ),
        Bucketizer(inputCol="m", outputCol="m_b", splits=[-INF, -1.0, 1.0, INF], handleInvalid="skip"),
        hot("x_b z_b"),
        va("x_b_h z_b_h m_b h", mode="skip"),
        gbtc(),
        lin(elasticNetParam=0.5),
    ]


@pipeline(nums("x", 3), Number("n", "tinyint"), ci=True)
def quantiles() -> Stages:
    return [
        QuantileDiscretizer(
            inputCols=["x0", "x1"], outputCols=["b0", "b1"], numBuckets=5, handleInvalid="keep"
        ),
        QuantileDiscretizer(inputCol="n", outputCol="n_b", numBuckets=3),
        hot("b0 b1"),
        va("b0_h b1_h n_b x2"),
        MinMaxScaler(inputCol="f", outputCol="g", min=-2.0, max=3.0),
        gbtr(f="g"),
        logit(f="g", y="k"),
    ]


@pipeline(nums("x", 4, null=True, nan=True), Vec("v", size=5, plain=True), ci=True)
def binarize() -> Stages:
    return [
        Binarizer(inputCols=["x0", "x1", "x2"], outputCols=["b0", "b1", "b2"], thresholds=[0.0, -1.5, 2.0]),
        Binarizer(inputCol="x3", outputCol="b3", threshold=0.25),
        Binarizer(inputCol="v", outputCol="v_b", threshold=0.5),
        Binarizer(inputCol="v", outputCol="v_n", threshold=-0.5),
        va("b0 b1 b2 b3", mode="keep"),
        va("f v_b v_n", "g"),
        dtc(f="g"),
        logit(f="v_b"),
    ]


@pipeline(Vec("v", size=6), Vec("w", size=3, sized=False), Number("x", nan=True, null=True))
def binarize_vectors() -> Stages:
    return [
        Binarizer(inputCol="v", outputCol="v_b"),
        Binarizer(inputCols=["w", "x"], outputCols=["w_b", "x_b"], threshold=-1.0),
        VectorSlicer(inputCol="v_b", outputCol="v_s", indices=[5, 0, 3]),
        va("v_s w_b"),
        rfr(),
        rfc(y="b"),
    ]


@pipeline(nums("x", 5, null=True, nan=True))
def binarize_then_hot() -> Stages:
    return [
        Binarizer(inputCols=upto("x", 5), outputCols=upto("b", 5), threshold=1.0),
        hot("b0 b1", drop=False),
        Imputer(inputCols=upto("b", 5), outputCols=upto("g", 5)),
        hot("g0 g1 g2 g3 g4", "keep"),
        va("g0_h g1_h g2_h g3_h g4_h"),
        gbtc(),
        dtr(outs="pv"),
        lin(),
    ]


_DECIMALS = (
    Money("m", null=True),
    Money("w", "decimal(38,18)", null=True),
    Money("z", "decimal(38,0)", null=True),
    Code("k", "decimal(5,0)", values=tuple(map(Decimal, range(4))), null=True, unseen=True),
    Number("x"),
)


@pipeline(*_DECIMALS, ci=True)
def decimals_kept() -> Stages:
    return [
        Bucketizer(
            inputCols=["m", "w"],
            outputCols=["m_b", "w_b"],
            splitsArray=[[-INF, -1.25, 0.0, 2.5, INF], [-INF, 1e-18, INF]],
            handleInvalid="keep",
        ),
        hot("k", "keep"),
        va("m w z k x m_b w_b k_h", mode="keep"),
        lin(),
        rfr(),
    ]


@pipeline(Money("m"), Money("w", "decimal(38,18)"), Code("k", "decimal(5,0)", values=tuple(map(Decimal, range(4)))))
def decimals_refused() -> Stages:
    return [
        Bucketizer(inputCol="m", outputCol="m_b", splits=[-INF, 0.5, INF], handleInvalid="skip"),
        hot("k"),
        IndexToString(inputCol="k", outputCol="k_s", labels=["a", "b", "c", "d"]),
        Interaction(inputCols=["w", "k_h", "m"], outputCol="i"),
        va("m w i"),
        lin(),
    ]


PRICES = tuple(map(Decimal, ("0.00", "1.50", "-1.50", "10.00", "0.01", "12345678.90")))
TINY = tuple(Decimal(n).scaleb(-18) for n in (0, 1, -12, 12345678901, 999999999999, 1000000000000, -(10**30)))


@pipeline(
    Money("m", null=True),
    Money("w", "decimal(38,18)", null=True),
    Money("z", "decimal(38,0)", null=True),
    Money("h", "decimal(17,16)", null=True),
    ci=True,
    drops=True,  # what is doubled on its way may have more digits than its type then, and is null
)
def decimals_filled() -> Stages:
    names = list("mwzh")
    return [
        Imputer(inputCols=names, outputCols=[f"{n}_f" for n in names]),
        Imputer(inputCols=names, outputCols=[f"{n}_g" for n in names], strategy="median", missingValue=0.0),
        Imputer(inputCol="m", outputCol="m_h", strategy="mode", missingValue=-0.01),
        va("m_f w_g z_f m_h"),
        lin(),
    ]


@turned(
    Code("p", "decimal(10,2)", values=PRICES),
    Code("t", "decimal(38,18)", values=TINY),
    Money("m", null=True),
    Text("s"),
    twists=[dict(mode=mode) for mode in ("keep", "error", "skip")],
)
def decimals_by_their_text(mode: str) -> Stages:
    return [
        si("p t", mode),
        FeatureHasher(inputCols=["p", "t", "m", "s"], outputCol="f", numFeatures=50, categoricalCols=["p", "t"]),
        FeatureHasher(inputCols=["m", "t"], outputCol="g", numFeatures=40),
        FeatureHasher(inputCols=["m"], outputCol="c", numFeatures=40, categoricalCols=["m"]),
        lin(),
    ]
