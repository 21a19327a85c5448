# SPDX-License-Identifier: Apache-2.0
"""Assembling, scaling, normalising and slicing vectors."""

from __future__ import annotations

from pyspark.ml.feature import (
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    StandardScaler,
    VectorSlicer,
)

from pipelines.table import (
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
    scalers,
    si,
    upto,
    va,
)
from rows import INF, Flag, Number, Vec


@pipeline(Vec("v", size=5), ci=True)
def scale_vectors() -> Stages:
    return [
        *scalers("v"),
        lin("l1", "a"),
        lin("l2", "b"),
        logit("g1", f="c"),
        logit("g2", f="d", y="k"),
        lin("l3", "v"),
    ]


@pipeline(Vec("v", size=7, dense=True), Vec("w", size=4))
def scale_assembled() -> Stages:
    return [
        va("v w"),
        *scalers(),
        MaxAbsScaler(inputCol="c", outputCol="ma"),
        va("a c", "e"),
        logit(f="e", threshold=0.7),
        rfr(f="e"),
        dtr(f="d", outs="p"),
    ]


@pipeline(nums("x", 3), S)
def scale_constant() -> Stages:
    return [
        si("s", "keep"),
        hot("s_i", "keep"),
        va("x0 s_i_h x1 x2"),
        *scalers(),
        MaxAbsScaler(inputCol="f", outputCol="ma"),
        lin(f="c"),
        gbtr(f="a"),
        gbtc(f="b"),
    ]


@pipeline(Vec("v", size=5))
def min_max() -> Stages:
    return [
        MinMaxScaler(inputCol="v", outputCol="a"),
        MinMaxScaler(inputCol="v", outputCol="b", min=-1.0, max=1.0),
        MinMaxScaler(inputCol="v", outputCol="c", min=0.25, max=7.5),
        MaxAbsScaler(inputCol="c", outputCol="ma"),
        va("a b c"),
        lin(),
        rfc(f="b"),
    ]


@pipeline(Vec("v", size=5), Vec("w", size=3), ci=True)
def max_abs() -> Stages:
    return [
        MaxAbsScaler(inputCol="v", outputCol="a"),
        MaxAbsScaler(inputCol="w", outputCol="b"),
        va("a b"),
        MaxAbsScaler(inputCol="f", outputCol="c"),
        lin(f="c"),
        dtr(f="a"),
    ]


@pipeline(nums("x", 6), Flag("ok"), Number("h", "smallint"))
def min_max_sparse() -> Stages:
    return [
        va([*upto("x", 6), "ok", "h"]),
        MinMaxScaler(inputCol="f", outputCol="g"),
        StandardScaler(inputCol="g", outputCol="h2"),
        MaxAbsScaler(inputCol="h2", outputCol="ma"),
        MinMaxScaler(inputCol="h2", outputCol="k2", min=1.0, max=2.0),
        logit(f="k2", elasticNetParam=1.0),
        dtr(f="k2"),
    ]


@pipeline(Vec("v", size=4), Vec("w", size=9, dense=True), ci=True)
def normalize() -> Stages:
    made = [Normalizer(inputCol="v", outputCol=f"n{i}", p=p) for i, p in enumerate((1.0, 2.0, INF, 3.0, 1.5))]
    return [
        *made,
        Normalizer(inputCol="w", outputCol="w1", p=1.0),
        Normalizer(inputCol="w", outputCol="w2"),
        va("n0 n1 w1 w2"),
        lin(),
        rfr(f="w"),
        gbtr(f="w2"),
    ]


@pipeline(nums("x", 8))
def normalize_assembled() -> Stages:
    return [
        va(upto("x", 8)),
        Normalizer(inputCol="f", outputCol="g", p=INF),
        Normalizer(inputCol="f", outputCol="e", p=2.5),
        StandardScaler(inputCol="g", outputCol="h"),
        MaxAbsScaler(inputCol="h", outputCol="ma"),
        Normalizer(inputCol="h", outputCol="k2", p=1.0),
        logit(f="k2", y="k"),
        rfc(),
    ]


@pipeline(S, nums("x", 4), Vec("v", size=6))
def slice_names() -> Stages:
    return [
        si("s", "keep"),
        hot("s_i"),
        va("x0 s_i_h x1 x2 x3"),
        VectorSlicer(inputCol="f", outputCol="a", names=["x3", "x0"]),
        VectorSlicer(inputCol="f", outputCol="b", indices=[2, 0], names=["x1", "x2"]),
        VectorSlicer(inputCol="v", outputCol="c", indices=[4, 1, 0]),
        va("a b c", "g"),
        Normalizer(inputCol="g", outputCol="e"),
        dtr(f="g"),
        gbtr(f="e"),
    ]


@pipeline(Vec("v", size=8, sized=False), Vec("w", size=3))
def slice_vectors() -> Stages:
    return [
        VectorSlicer(inputCol="v", outputCol="a", indices=[0, 1, 2]),
        VectorSlicer(inputCol="v", outputCol="b", indices=[7]),
        VectorSlicer(inputCol="v", outputCol="c", indices=[6, 3, 5, 0]),
        Normalizer(inputCol="c", outputCol="e", p=1.0),
        MaxAbsScaler(inputCol="e", outputCol="ma"),
        StandardScaler(inputCol="a", outputCol="d", withMean=True),
        va("c w"),
        MinMaxScaler(inputCol="f", outputCol="g"),
        lin(f="g"),
        gbtc(f="v"),
        rfc(f="v"),
    ]


@pipeline(
    Vec("v", size=3, null=True),
    Vec("w", size=2, null=True),
    Number("x", null=True, nan=True),
    Flag("ok", null=True),
)
def assemble_keep() -> Stages:
    return [
        va("v x w ok", mode="keep"),
        va("f x", "g", "keep"),
        VectorSlicer(inputCol="g", outputCol="e", indices=[7, 2, 0]),
        Normalizer(inputCol="g", outputCol="n"),
        gbtr(f="g"),
        dtc(f="g"),
        lin(f="g"),
    ]


@pipeline(Vec("v", size=3), Vec("w", size=12), Number("x"), Flag("ok"), Number("z", "float"), ci=True)
def assemble_skip() -> Stages:
    return [
        va("v x w ok z", mode="skip"),
        VectorSlicer(inputCol="f", outputCol="e", indices=[16, 0, 9, 3]),
        Normalizer(inputCol="e", outputCol="n"),
        MinMaxScaler(inputCol="e", outputCol="m", min=-1.0),
        lin(),
        rfc(),
        dtc(f="e"),
        dtr(f="m"),
    ]


@pipeline(nums("x", 37))
def wide_dense() -> Stages:
    return [
        va(upto("x", 37)),
        MaxAbsScaler(inputCol="f", outputCol="ma"),
        lin(reg=0.01),
        lin("lin2", solver="l-bfgs", reg=0.01),
        logit(reg=0.001),
        logit("m", y="k", reg=0.001),
        gbtr(outs="p"),
    ]


@pipeline(Vec("v", size=300), Vec("w", size=300, dense=True, plain=True), train=120)
def very_wide() -> Stages:
    return [
        lin(f="v"),
        lin("lin2", f="w"),
        logit(f="v"),
        logit("m", f="w", y="k"),
        logit("l1", f="w", elasticNetParam=1.0, reg=0.05),
        logit("l1m", f="v", y="k", elasticNetParam=1.0, reg=0.05),
    ]
