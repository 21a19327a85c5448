# SPDX-License-Identifier: Apache-2.0
"""Long preparations, before predictors and behind them."""

from __future__ import annotations

from pyspark.ml.feature import (
    Binarizer,
    Bucketizer,
    Imputer,
    IndexToString,
    MinMaxScaler,
    Normalizer,
    StandardScaler,
    VectorSlicer,
)

from pipelines.table import (
    OUTER,
    S_KNOWN,
    S,
    Stages,
    dtc,
    dtr,
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
    upto,
    va,
)
from rows import INF, Code, Number, Vec


@pipeline(nums("x", 4, null=True, nan=True), S)
def bands_and_words() -> Stages:
    return [
        Binarizer(inputCol="x0", outputCol="x0_b", threshold=-0.5),
        Bucketizer(inputCol="x1", outputCol="x1_b", splits=OUTER, handleInvalid="keep"),
        IndexToString(inputCol="x1_b", outputCol="band", labels=["a", "b", "c", "d", "none"]),
        va("x0_b x1_b x2 x3", mode="keep"),
        MinMaxScaler(inputCol="f", outputCol="g", min=0.1, max=0.9),
        VectorSlicer(inputCol="g", outputCol="h", indices=[3, 1]),
        Normalizer(inputCol="h", outputCol="i", p=4.0),
        dtr(f="g"),
        rfc(f="i"),
    ]


@pipeline(nums("x", 5), S_KNOWN)
def bands_of_predictions() -> Stages:
    return [
        si("s", "skip"),
        hot("s_i"),
        va("x0 x1 x2 s_i_h x3 x4"),
        MinMaxScaler(inputCol="f", outputCol="m", min=-1.0),
        Binarizer(inputCol="m", outputCol="m_b", threshold=0.25),
        VectorSlicer(inputCol="m_b", outputCol="n", names=[], indices=[0, 8, 4]),
        Normalizer(inputCol="n", outputCol="o", p=1.0),
        lin(f="m"),
        Bucketizer(
            inputCol="lin_p", outputCol="band", splits=[-INF, -20.0, 0.0, 20.0, INF], handleInvalid="keep"
        ),
        IndexToString(inputCol="band", outputCol="word", labels=["low", "below", "above", "high", "?"]),
        gbtc(f="o"),
    ]


@pipeline(Vec("v", size=6), Number("h", "smallint"), Number("z", "float"))
def vectors_to_bits() -> Stages:
    return [
        Normalizer(inputCol="v", outputCol="u", p=3.5),
        Binarizer(inputCol="u", outputCol="u_b", threshold=-0.1),
        Binarizer(inputCol="v", outputCol="v_b", threshold=1.0),
        VectorSlicer(inputCol="u_b", outputCol="a", indices=[5, 4, 3, 2, 1, 0]),
        Bucketizer(
            inputCols=["h", "z"], outputCols=["h_b", "z_b"], splitsArray=[OUTER, [-INF, -0.0, 1.0, INF]]
        ),
        StandardScaler(inputCol="v", outputCol="w", withMean=True, withStd=False),
        MinMaxScaler(inputCol="w", outputCol="m"),
        IndexToString(inputCol="h_b", outputCol="h_s", labels=["p", "q", "r", "s"]),
        va("a v_b h_b z_b"),
        dtc(),
        logit(f="m"),
    ]


@pipeline(
    nums("x", 3, null=True, nan=True),
    Vec("v", size=4, sized=False),
    Code("c", values=(0.0, 1.0, 2.0), fractions=(0.5, -0.5)),
)
def slices_of_everything() -> Stages:
    return [
        Imputer(inputCols=upto("x", 3), outputCols=upto("y", 3), strategy="median"),
        Binarizer(inputCols=upto("y", 3), outputCols=upto("b", 3), thresholds=[0.0, 1e300, -INF]),
        Bucketizer(inputCol="y0", outputCol="q", splits=[-INF, 5e-324, INF], handleInvalid="skip"),
        hot("q", "keep"),
        IndexToString(inputCol="c", outputCol="c_s", labels=["\U0001f697", "", "c"]),
        si("c_s", "keep"),
        va("b0 b1 b2 q_h c_s_i y1"),
        VectorSlicer(inputCol="v", outputCol="p", indices=[2, 0]),
        VectorSlicer(inputCol="f", outputCol="g", names=["b2", "y1"], indices=[0]),
        StandardScaler(inputCol="g", outputCol="h"),
        MinMaxScaler(inputCol="h", outputCol="i", min=-5.0, max=5.0),
        Normalizer(inputCol="i", outputCol="j"),
        lin(f="j"),
        rfr(f="p"),
        gbtr(f="f"),
    ]
