# SPDX-License-Identifier: Apache-2.0
"""Stages that make vectors of vectors: a pipeline a twist of their parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyspark.ml.feature import (
    DCT,
    PCA,
    BucketedRandomProjectionLSH,
    ChiSqSelector,
    ElementwiseProduct,
    FeatureHasher,
    Interaction,
    MinHashLSH,
    PolynomialExpansion,
    RobustScaler,
    UnivariateFeatureSelector,
    VarianceThresholdSelector,
    VectorIndexer,
)
from pyspark.ml.linalg import Vectors

from pipelines.table import S_KNOWN, T_KNOWN, Stages, hot, lin, logit, nums, rfr, si, turned, upto, va
from rows import Code, Flag, Number, Text, Vec

CODES = tuple(Code(f"c{i}", values=values) for i, values in enumerate(((0.0, 1.0, 2.0), (-1.0, 0.0, 7.5, 9.0))))
UNSEEN = tuple(Code(c.name, values=c.values, unseen=True) for c in CODES)

SCALED = [
    dict(withCentering=centering, withScaling=scaling, lower=lower, upper=upper)
    for lower, upper in ((0.25, 0.75), (0.01, 0.99), (0.45, 0.5))
    for centering in (False, True)
    for scaling in (False, True)
]


@turned(Vec("v", size=5), Vec("w", size=3, sized=False), twists=SCALED, ci=(3,))
def robust(**twist: Any) -> Stages:
    scaled = RobustScaler(inputCol="v", outputCol="a", relativeError=0.01, **twist)
    other = RobustScaler(inputCol="w", outputCol="b", **twist)
    return [scaled, other, lin(f="a"), rfr(f="b")]


WEIGHTS = [
    Vectors.dense(weights)
    for weights in (
        [1.0, 2.0, 0.5, -3.0],
        [0.0, -0.0, 1.0, 1e300],
        [5e-324, -5e-324, 1.7976931348623157e308, -1e-300],
        [0.1, 0.2, 0.3, 1 / 3],
        [-1.0, -1.0, -1.0, -1.0],
        [1e-17, 1e17, 3.0, 7.0],
        [2.0, 2.0, 2.0, 0.0],
    )
] + [
    Vectors.sparse(4, [], []),
    Vectors.sparse(4, [1, 3], [2.5, -0.5]),
    Vectors.sparse(4, [0, 1, 2, 3], [0.0, 1.0, 2.0, -3.0]),
]


@turned(Vec("v", size=4), twists=[dict(weights=w) for w in WEIGHTS], ci=(8,))
def weighted(weights: Any) -> Stages:
    return [ElementwiseProduct(inputCol="v", outputCol="a", scalingVec=weights)]


CHOSEN = [
    *[dict(selectorType="numTopFeatures", numTopFeatures=n) for n in (1, 3, 50)],
    *[dict(selectorType="percentile", percentile=p) for p in (0.2, 0.5, 1.0)],
    *[dict(selectorType=name, **{name: 0.9}) for name in ("fpr", "fdr", "fwe")],
    dict(selectorType="fpr", fpr=0.05),
]


@turned(
    [Code(f"c{i}", values=tuple(map(float, range(i + 2))), unseen=True) for i in range(5)],
    twists=CHOSEN,
    ci=(1,),
)
def chi_squared(**twist: Any) -> Stages:
    names = upto("c", 5)
    return [va(names), ChiSqSelector(featuresCol="f", outputCol="a", labelCol="target_k", **twist), rfr(f="a")]


MODES = [
    dict(kinds=kinds, mode=mode, threshold=threshold)
    for kinds in (("continuous", "categorical"), ("continuous", "continuous"), ("categorical", "categorical"))
    for mode, threshold in (
        ("numTopFeatures", 2.0),
        ("percentile", 0.6),
        ("fpr", 0.5),
        ("fdr", 0.7),
        ("fwe", 0.9),
    )
]


@turned(
    [Code(f"c{i}", values=(0.0, 1.0, 2.0, 5.0), unseen=True) for i in range(4)],
    Vec("v", size=3),
    twists=MODES,
    ci=(6,),
)
def univariate(kinds: tuple[str, str], mode: str, threshold: float) -> Stages:
    chosen = UnivariateFeatureSelector(
        featuresCol="f",
        outputCol="a",
        labelCol="target_k" if kinds[1] == "categorical" else "target_y",
        selectionMode=mode,
    )
    chosen.setFeatureType(kinds[0]).setLabelType(kinds[1]).setSelectionThreshold(threshold)
    source = va(upto("c", 4)) if kinds[0] == "categorical" else va([*upto("c", 4), "v"])
    return [source, chosen, lin(f="a")]


@turned(
    Vec("v", size=6),
    nums("x", 2),
    twists=[dict(least=t) for t in (0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 4.5, 5.0, 20.0, 0.1)],
    ci=(4,),
)
def varied(least: float) -> Stages:
    chosen = VarianceThresholdSelector(featuresCol="v", outputCol="a", varianceThreshold=least)
    return [chosen, va("a x0 x1"), VarianceThresholdSelector(featuresCol="f", outputCol="b"), rfr(f="b")]


@turned(
    Vec("v", size=3),
    Vec("w", size=1),
    Vec("e", size=2, sized=False),
    twists=[
        dict(a=a, b=b, c=c)
        for a, b, c in (
            *((1, 1, 1), (2, 2, 2), (3, 1, 5), (4, 9, 3), (5, 30, 7), (6, 2, 8)),
            *((1, 12, 2), (2, 50, 4), (3, 3, 6), (7, 4, 1)),
        )
    ],
    ci=(2,),
)
def polynomials(a: int, b: int, c: int) -> Stages:
    return [
        PolynomialExpansion(inputCol="v", outputCol="a", degree=a),
        PolynomialExpansion(inputCol="w", outputCol="b", degree=b),
        PolynomialExpansion(inputCol="e", outputCol="c", degree=c),
        va("a b", "f"),
        lin(),
    ]


@turned(
    nums("x", 2),
    Number("i", "int"),
    S_KNOWN,
    T_KNOWN,
    twists=[
        dict(names=names.split(), mode=mode)
        for mode in ("keep", "error")
        for names in ("x0 x1", "s_i x0", "s_i_h f", "f g", "t_i f s_i_h", "i x0 x1", "x0", "s_i t_i s_i_h", "g f i")
    ],
    ci=(4,),
)
def interactions(names: list[str], mode: str) -> Stages:
    return [
        si("s t", mode),
        hot("s_i", drop=mode == "error"),
        va("x0 x1", "f"),
        va("x1 s_i t_i x0", "g"),
        va("s_i x1", "h"),
        Interaction(inputCols=names, outputCol="a"),
        Interaction(inputCols=["i", *[n for n in names if n != "i"], "h"], outputCol="b"),
        lin(f="a"),
    ]


@turned(
    UNSEEN,
    Number("x"),
    twists=[dict(most=most, mode="keep") for most in (2, 3, 4, 20)],
    ci=(2,),
)
def indexed_vectors(most: int, mode: str) -> Stages:
    return [
        va("c0 x c1"),
        VectorIndexer(inputCol="f", outputCol="a", maxCategories=most, handleInvalid=mode),
        rfr(f="a"),
        lin(f="a"),
    ]


@turned(
    CODES,
    Number("x", null=False),
    twists=[dict(most=most, mode=mode) for most in (3, 4, 20) for mode in ("error", "skip")],
    ci=(3,),
)
def indexed_known(most: int, mode: str) -> Stages:
    return indexed_vectors(most, mode)


@turned(
    Vec("v", size=6, plain=True),
    nums("x", 3),
    twists=[dict(k=k) for k in (1, 2, 3, 4, 5, 6)],
    ci=(2,),
)
def components(k: int) -> Stages:
    return [
        PCA(inputCol="v", outputCol="a", k=k),
        va("v x0 x1 x2"),
        PCA(inputCol="f", outputCol="b", k=k + 3),
        logit(f="a"),
        lin(f="b"),
    ]


@turned(
    Vec("v", size=4),
    Code("c", values=(1.0, 2.0, 0.0)),
    Number("x"),
    twists=[
        dict(length=length, tables=tables, seed=seed)
        for length, tables, seed in (
            (0.5, 3, 1),
            (2.0, 1, 2),
            (1e-3, 5, 3),
            (10.0, 2, 4),
            (1 / 3, 4, 5),
            (1e300, 2, 6),
            (7.0, 20, 7),
            (0.1, 1, 8),
            (1.0, 8, 9),
            (5e-324, 2, 10),
        )
    ],
    ci=(4,),
)
def neighbours(length: float, tables: int, seed: int) -> Stages:
    given = dict(numHashTables=tables, seed=seed)
    return [
        BucketedRandomProjectionLSH(inputCol="v", outputCol="a", bucketLength=length, **given),
        va("c v x"),
        BucketedRandomProjectionLSH(inputCol="f", outputCol="b", bucketLength=length, **given),
    ]


@turned(
    Code("c", values=(1.0, 2.0, -1.0)),
    nums("x", 6),
    twists=[dict(tables=t, seed=s) for t, s in ((1, 1), (3, 2), (5, 3), (8, 4), (2, 5), (40, 6), (1, 7), (4, 8), (12, 9), (6, 10))],
    ci=(1,),
)
def sets(tables: int, seed: int) -> Stages:
    return [
        va(["c", *upto("x", 6)]),
        MinHashLSH(inputCol="f", outputCol="a", numHashTables=tables, seed=seed),
    ]


ALL_TYPES = (
    *[Number(f"n_{kind}", kind, null=True) for kind in ("tinyint", "smallint", "int", "bigint")],
    *[Number(f"n_{kind}", kind, null=True, nan=True) for kind in ("float", "double")],
    Text("s", null=True, unseen=True),
    Flag("ok", null=True),
)
HASHED = [c.name for c in ALL_TYPES]


@turned(
    ALL_TYPES,
    nums("x", 3, null=True, nan=True),
    twists=[
        dict(names=HASHED, n=1 << 18),
        dict(names=HASHED, n=1),
        dict(names=HASHED, n=2),
        dict(names=HASHED, n=7, listed=["n_double", "n_float"]),
        dict(names=HASHED, n=1000, listed=HASHED[:6]),
        dict(names=[*HASHED, "x2", "x0", "x1"], n=3),
        dict(names=[*HASHED, "x2", "x0", "x1"], n=1, listed=["n_int", "other"]),
        dict(names=["x0", "x1", "x2", "n_double"], n=1),
        dict(names=["s"], n=5),
        dict(names=["ok", "n_bigint", "n_double"], n=2**30, listed=["n_double", "n_bigint"]),
    ],
    ci=(4,),
)
def hashed(names: list[str], n: int, listed: Sequence[str] = ()) -> Stages:
    made = FeatureHasher(inputCols=names, outputCol="a", numFeatures=n)
    return [made.setCategoricalCols(list(listed)) if listed else made]


@turned(Vec("v", size=20), Vec("w", size=9), twists=[dict(k=k, m=m) for k, m in ((7, 9), (20, 1), (1, 4), (13, 8))])
def components_of_special_values(k: int, m: int) -> Stages:
    return [PCA(inputCol="v", outputCol="a", k=k), PCA(inputCol="w", outputCol="b", k=m), lin(f="b")]


@turned(
    Vec("v", size=11),
    nums("x", 8),
    twists=[
        dict(n=1, degree=1),
        dict(n=2, degree=1, inverse=True),
        dict(n=7, degree=1),
        dict(n=8, degree=1),
        dict(n=8, degree=1, inverse=True),
        dict(n=2, degree=5, inverse=True),
        dict(n=3, degree=3),
        dict(n=5, degree=4, inverse=True),
        dict(n=7, degree=3),
        dict(n=8, degree=3, inverse=True),
    ],
    ci=(4,),
)
def cosines(n: int, degree: int, inverse: bool = False) -> Stages:
    return [
        DCT(inputCol="v", outputCol="c", inverse=not inverse),
        va(upto("x", n)),
        PolynomialExpansion(inputCol="f", outputCol="p", degree=degree),
        DCT(inputCol="p", outputCol="d", inverse=inverse),
        va("c d", "g"),
        lin(f="g"),
    ]
