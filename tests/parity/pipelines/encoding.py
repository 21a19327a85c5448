# SPDX-License-Identifier: Apache-2.0
"""Strings and numbers to indices, indices to vectors, and back."""

from __future__ import annotations

from typing import Any

from pyspark.ml import feature
from pyspark.ml.feature import (
    IndexToString,
    OneHotEncoder,
    StringIndexerModel,
)

from pipelines.table import (
    MANY,
    S_KNOWN,
    T_KNOWN,
    S,
    Stages,
    T,
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
    turned,
    va,
)
from rows import NAN, WORDS, Code, Number, Text


@pipeline(S, T, Number("x"), Number("n", "int"), ci=True)
def keep_hot_linear() -> Stages:
    return [si("s t", "keep"), hot("s_i t_i"), va("s_i_h t_i_h x n"), lin(), rfr()]


@pipeline(S_KNOWN, T_KNOWN, Number("x"), Number("n", "bigint"), ci=True)
def error_hot_logit() -> Stages:
    return [si("s t"), hot("s_i t_i", "keep"), va("s_i_h t_i_h x n"), logit(threshold=0.3), dtc()]


@pipeline(S_KNOWN, T_KNOWN, nums("x", 3))
def skip_all_gbt() -> Stages:
    return [
        si("s t", "skip", stringOrderType="alphabetDesc"),
        va("s_i t_i x0 x1 x2", mode="skip"),
        gbtr(),
        gbtc(),
    ]


@pipeline(Text("s", labels=MANY, null=True, unseen=True), Number("x"), Number("z", "float"))
def many_labels() -> Stages:
    return [
        si("s", "keep", stringOrderType="alphabetAsc"),
        hot("s_i", "keep", False),
        va("s_i_h x z"),
        lin(),
        logit(y="k", outs="rq"),
        IndexToString(inputCol="s_i", outputCol="s_again"),
    ]


@pipeline(
    Code("c", values=(0.5, 1.0, -0.0, 0.0, 1e7, 1e-3, 123456789.0, NAN), unseen=True, null=True),
    Code("d", "float", values=(0.5, 0.0, 1.0, 16777216.0), unseen=True, null=True, nan=True),
    Code("e", "bigint", values=(0, 7, -7, (1 << 53) + 1), unseen=True, null=True),
    Code("g", "tinyint", values=(0, 7, -7, 127), unseen=True, null=True),
    ci=True,
)
def numeric_indexes_keep() -> Stages:
    return [
        si("c d e g", "keep"),
        va("c_i d_i e_i g_i"),
        rfc(),
        dtr(),
        IndexToString(inputCol="e_i", outputCol="e_s"),
    ]


@pipeline(
    Code("c", values=(0.5, 1.0, 0.0, 1e22, 2e23), null=False),
    Code("e", "int", values=(0, 7, -7, 1 << 30)),
    Code("g", "smallint", values=(0, 7, -7, 300)),
    Number("x"),
)
def numeric_indexes_skip() -> Stages:
    return [
        si("c e g", "skip"),
        hot("c_i e_i", drop=False),
        va("c_i_h e_i_h g_i x"),
        dtc(outs="rp"),
        dtr(outs="p"),
        lin(),
    ]


@pipeline(
    Code("c", "float", values=(0.5, 1.5, 0.1000000014901161)), Code("d", values=(1.0, 2.0, 3.5)), Number("x")
)
def numeric_indexes_error() -> Stages:
    return [
        si("c d"),
        IndexToString(inputCol="c_i", outputCol="c_s"),
        va("c_i d_i x"),
        rfr(outs="l"),
        gbtc(outs="qp"),
    ]


@pipeline(S, Number("x"))
def duplicate_labels() -> Stages:
    twice = StringIndexerModel.from_labels(
        ["beta", "alpha", "beta", ""], inputCol="s", outputCol="s_i", handleInvalid="keep"
    )
    return [
        twice,
        va("x s_i"),
        lin(fitIntercept=False),
        rfr(numTrees=3),
        IndexToString(inputCol="s_i", outputCol="s_s", labels=["zero", "\U0001d4b3", "a\u0000b", "", "four"]),
    ]


@pipeline(
    Code("c", values=(0.0, 1.0, 2.0, 3.0), fractions=(-0.0, 0.5, 2.9999, 1.5), null=True),
    Code("d", "int", values=(0, 1, 2), null=True),
    Code("e", "float", values=(0.0, 1.0, 4.0), null=True),
    Code("g", "bigint", values=(0, 5), null=True),
)
def hot_of_codes_error() -> Stages:
    return [
        hot("c d e g"),
        OneHotEncoder(inputCol="c", outputCol="c_all", dropLast=False),
        va("d_h c_h c_all", mode="keep"),
        dtc(),
    ]


@pipeline(
    Code("c", values=(0.0, 1.0, 2.0, 3.0), fractions=(-0.0, 0.5, 2.9999), null=True),
    Code("d", "smallint", values=(0, 1, 2), null=True),
    Code("e", "tinyint", values=(0, 1), null=True),
    Number("x"),
)
def hot_of_codes_keep() -> Stages:
    return [
        hot("c d", "keep"),
        hot("e", "keep", False),
        va("c_h d_h e_h", mode="keep"),
        va("f x", "g", "keep"),
        gbtr(f="g"),
    ]


@pipeline(
    Code("c", values=(0.0, 1.0, 2.0), fractions=(-0.0, -0.5, 0.99, 2.5, NAN), null=True),
    Code("d", "int", values=(0, 1, 2), null=True),
    Code("e", "float", values=(0.0, 1.0), fractions=(1.5, NAN), null=True),
)
def index_to_string_plain() -> Stages:
    words = ["a", "\u00e9", "\u2028"]
    back = [IndexToString(inputCol=c, outputCol=f"{c}_s", labels=words) for c in "cde"]
    return [
        *back,
        si("c_s d_s", "keep"),
        IndexToString(inputCol="c_s_i", outputCol="c_t"),
        va("c_s_i d_s_i"),
        logit(y="k"),
        rfc(),
    ]


@pipeline(Text("s", unseen=True, null=True, labels=WORDS), Text("t"), ci=True)
def there_and_back() -> Stages:
    return [
        si("s", "keep"),
        si("t", "skip"),
        IndexToString(inputCol="s_i", outputCol="s_s"),
        IndexToString(inputCol="t_i", outputCol="t_s"),
        va("s_i t_i"),
        dtr(maxBins=40),
        gbtc(maxBins=40, outs="rqp"),
    ]


@pipeline(S, T)
def index_then_predict_labels() -> Stages:
    return [
        si("s t", "keep"),
        hot("s_i"),
        va("s_i_h t_i"),
        rfc(outs="p", y="k"),
        IndexToString(inputCol="rfc_p", outputCol="word", labels=["low", "middle", "high"]),
        logit(outs="p", threshold=0.55),
        IndexToString(inputCol="log_p", outputCol="yes", labels=["no", "yes"]),
    ]


TARGETS: list[dict[str, Any]] = [
    dict(),
    dict(smoothing=3.7),
    dict(smoothing=1e300),
    dict(targetType="binary", labelCol="target_b"),
    dict(targetType="binary", labelCol="target_b", smoothing=0.5),
]

if hasattr(feature, "TargetEncoder"):  # Spark has it from 4.0 on

    def targets(**twist: Any) -> Stages:
        """TargetEncoder, and a model of what it makes."""
        names = {"inputCols": ["c", "n", "m"], "outputCols": ["x", "y", "z"]}
        return [feature.TargetEncoder(**names, **{"labelCol": "target_y", **twist}), va("x y z"), lin()]

    @turned(
        Code("c", null=True),
        Code("n", "int", values=(0, 1, 7)),
        Code("m", "float", values=(0.0, 3.0)),
        twists=TARGETS,
        ci=(1,),
    )
    def targets_of_known(**twist: Any) -> Stages:
        return targets(**twist)

    @turned(
        Code("c", null=True, unseen=True),
        Code("n", "int", values=(0, 1, 7), null=True, unseen=True),
        Code("m", "bigint", values=(0, 3, 2147483646), unseen=True),
        twists=TARGETS,
        ci=(4,),
    )
    def targets_of_all(**twist: Any) -> Stages:
        return targets(handleInvalid="keep", **twist)
