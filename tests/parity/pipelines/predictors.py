# SPDX-License-Identifier: Apache-2.0
"""Every predictor with every choice of its outputs."""

from __future__ import annotations

from pyspark.ml.feature import (
    Bucketizer,
    Imputer,
    StandardScaler,
)

from pipelines.table import (
    FILLED,
    IMPUTED,
    MANY,
    OUTER,
    S_KNOWN,
    T_KNOWN,
    S,
    Stages,
    T,
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
    upto,
    va,
)
from rows import WORDS, Code, Flag, Number, Text, Vec

WHOLE = tuple(float(i) for i in range(8))
HALVES = tuple(i + 0.5 for i in range(7))  # where trees fitted on whole numbers split


@pipeline(nums("x", 6), S, ci=True)
def logits() -> Stages:
    given = (
        dict(threshold=0.0),
        dict(threshold=1.0),
        dict(thresholds=[0.3, 0.7]),
        dict(fitIntercept=False, threshold=0.999),
    )
    outs = ("rqp", "qp", "rp", "p", "q", "r")
    return [
        si("s", "keep"),
        hot("s_i"),
        va([*upto("x", 6), "s_i_h"]),
        *[logit(f"a{i}", **g) for i, g in enumerate(given)],
        *[logit(f"b{i}", outs=o, threshold=0.4) for i, o in enumerate(outs)],
        logit("c", family="multinomial"),
    ]


@pipeline(nums("x", 6), Vec("v", size=3))
def multinomials() -> Stages:
    given = (
        dict(thresholds=[0.2, 0.5, 0.3]),
        dict(thresholds=[0.0, 0.5, 0.9]),
        dict(fitIntercept=False),
        dict(elasticNetParam=1.0),
    )
    outs = ("rqp", "qp", "rp", "p", "q", "r")
    more = [logit(f"b{i}", outs=o, y="k", thresholds=[0.9, 0.1, 0.4]) for i, o in enumerate(outs)]
    plain = [logit(f"d{i}", outs=o, y="k") for i, o in enumerate(outs)]
    return [
        va([*upto("x", 6), "v"]),
        *[logit(f"a{i}", y="k", **g) for i, g in enumerate(given)],
        *more,
        *plain,
    ]


@pipeline(nums("x", 5), S_KNOWN, T_KNOWN)
def regression_trees() -> Stages:
    return [
        si("s t"),
        va([*upto("x", 5), "s_i", "t_i"]),
        dtr("a", "pvl", maxDepth=8),
        dtr("b", "v"),
        dtr("c", "l"),
        dtr("d", "p", maxDepth=1),
        rfr("e", "p", numTrees=1),
        rfr("g", "l"),
        gbtr("h", "l"),
        gbtr("i", "p", maxIter=1),
        dtr("j", "p", maxDepth=0),
        dtr("k2", "vl"),
    ]


@pipeline(nums("x", 5), S, T)
def classification_trees() -> Stages:
    outs = ("rqpl", "qp", "rp", "p", "q", "r", "l", "rl")
    return [
        si("s t", "keep"),
        va([*upto("x", 5), "s_i", "t_i"]),
        *[dtc(f"a{i}", o, maxDepth=3) for i, o in enumerate(outs)],
        dtc("b0", thresholds=[0.2, 0.5, 0.3]),
        dtc("b1", "p", thresholds=[0.0, 0.5, 0.5]),
        dtc("b2", "qp", thresholds=[9.0, 1.0, 0.1]),
    ]


@pipeline(nums("x", 3), S, T)
def classification_forests() -> Stages:
    outs = ("rqpl", "qp", "rp", "p", "q", "r", "l")
    return [
        si("s t", "keep"),
        va([*upto("x", 3), "s_i", "t_i"]),
        *[rfc(f"a{i}", o, numTrees=3) for i, o in enumerate(outs)],
        rfc("b0", thresholds=[0.2, 0.5, 0.3]),
        rfc("b1", "p", thresholds=[0.0, 0.5, 0.5]),
        rfc("b2", "rp", thresholds=[9.0, 1.0, 0.1]),
    ]


@pipeline(nums("x", 4), S)
def boosted_classifiers() -> Stages:
    outs = ("rqpl", "qp", "rp", "p", "q", "r", "l")
    return [
        si("s", "keep"),
        va([*upto("x", 4), "s_i"]),
        *[gbtc(f"a{i}", o, maxIter=2) for i, o in enumerate(outs)],
        gbtc("b0", maxIter=3, stepSize=0.3, thresholds=[0.3, 0.7]),
        gbtc("b1", "p", maxIter=2, thresholds=[0.0, 0.6]),
    ]


@pipeline(
    Code("c", values=tuple(map(float, range(12))), unseen=True),
    Text("s", labels=WORDS[:17], unseen=True, null=True),
    Number("x"),
    ci=True,
)
def categorical_splits() -> Stages:
    return [
        si("s c", "keep"),
        va("s_i c_i x"),
        dtr(maxDepth=6),
        rfr(maxDepth=6),
        gbtr(),
        dtc(maxDepth=6),
        rfc(maxDepth=6),
        gbtc(),
    ]


@pipeline(Vec("v", size=6, sized=False), Vec("w", size=6))
def trees_of_vectors() -> Stages:
    return [dtr(f="v"), rfr(f="w"), gbtr(f="v"), dtc(f="w"), rfc(f="v", y="b"), gbtc(f="w")]


@pipeline(
    S, T, IMPUTED, Flag("ok"), Number("r1", null=True, nan=True), ci=True, output=("lin_p", "rfr_p", "s_i")
)
def like_a_service() -> Stages:
    return [
        si("s t", "keep"),
        fill(strategy="median"),
        Bucketizer(inputCol="r1", outputCol="r1_b", splits=OUTER, handleInvalid="keep"),
        Imputer(inputCol="r1_b", outputCol="r1_f"),
        hot("s_i t_i r1_f", "keep"),
        va(["s_i_h", "t_i_h", "r1_f_h", "ok", *FILLED], "raw", "keep"),
        StandardScaler(inputCol="raw", outputCol="f"),
        lin(),
        va(["s_i", "t_i", "r1_f", *FILLED], "g", "keep"),
        rfr(f="g"),
        gbtr(f="g"),
    ]


@pipeline(nums("x", 20), Flag("ok"), Text("s", labels=MANY[:30], unseen=True, null=True))
def deep_forests() -> Stages:
    return [
        si("s", "keep"),
        va([*upto("x", 20), "ok", "s_i"]),
        rfr(numTrees=20, maxDepth=9, maxBins=40),
        rfc(numTrees=15, maxDepth=9, maxBins=40),
        gbtr(maxIter=12, maxBins=40),
        gbtc(maxIter=9, maxBins=40, subsamplingRate=0.7),
        dtc(maxDepth=12, maxBins=40),
    ]


@pipeline([Code(f"x{i}", values=WHOLE, fractions=HALVES) for i in range(6)], ci=True)
def values_on_thresholds() -> Stages:
    return [
        va(upto("x", 6)),
        dtr(maxDepth=6),
        rfr(numTrees=3, maxDepth=6),
        gbtr(maxIter=3),
        dtc(maxDepth=6),
        rfc(numTrees=3),
        gbtc(maxIter=3),
    ]
