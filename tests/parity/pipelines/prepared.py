# SPDX-License-Identifier: Apache-2.0
"""Settings of stages that prepare columns, on vectors of one slot to hundreds: a pipeline a row of each table."""

from __future__ import annotations

from typing import Any

from pyspark.ml.feature import (
    DCT,
    IDF,
    PCA,
    Binarizer,
    Bucketizer,
    CountVectorizer,
    FeatureHasher,
    HashingTF,
    Imputer,
    IndexToString,
    MaxAbsScaler,
    MinHashLSH,
    MinMaxScaler,
    NGram,
    Normalizer,
    OneHotEncoder,
    QuantileDiscretizer,
    StandardScaler,
    Tokenizer,
    VectorAssembler,
    VectorIndexer,
    VectorSizeHint,
    VectorSlicer,
    Word2Vec,
)
from tokens import Sentence, Tokens

from pipelines.composed import formula
from pipelines.table import S_KNOWN, T_KNOWN, S, Stages, T, hot, lin, nums, si, turned, va
from rows import INF, NAN, Code, Column, Flag, Number, Text, Vec

FULL = ()  # none of them in CI's sample


# -- vectors

VECTORS = [
    dict(size=1, dense=True, least=0.0, most=1.0, p=1.0, df=0, hint="error"),
    dict(size=1, dense=False, least=-1e300, most=1e300, p=INF, df=1, hint="optimistic"),
    dict(size=2, dense=False, least=-1.0, most=0.0, p=2.0, df=2, hint="skip"),
    dict(size=3, dense=True, least=5e-324, most=1e-300, p=1.0000001, df=5, hint="optimistic"),
    dict(size=4, dense=False, least=-0.0, most=255.0, p=3.0, df=200, hint="error"),
    dict(size=7, dense=True, least=0.1, most=0.3, p=7.25, df=10**6, hint="skip"),
    dict(size=8, dense=False, least=99.0, most=100.0, p=64.0, df=150, hint="optimistic"),
    dict(size=13, dense=False, least=-7.0, most=1 / 3, p=1.5, df=100, hint="error"),
    dict(size=32, dense=True, least=-2.5, most=-0.5, p=10.0, df=230, hint="skip"),
    dict(size=65, dense=False, least=1e16, most=1e17, p=300.0, df=4, hint="optimistic"),
]


def a_vector(size: int, dense: bool, **_: Any) -> list[Column]:
    """Return a vector of a size; a hint puts it in its own place."""
    return [Vec("v", size=size, dense=dense, sized=False, shadowed=True)]


@turned(a_vector, twists=VECTORS, ci=FULL)
def vectors_prepared(size: int, dense: bool, least: float, most: float, p: float, df: int, hint: str) -> Stages:
    return [
        VectorSizeHint(inputCol="v", size=size, handleInvalid=hint),
        MinMaxScaler(inputCol="v", outputCol="a", min=least, max=most),
        Normalizer(inputCol="v", outputCol="b", p=p),
        IDF(inputCol="v", outputCol="c", minDocFreq=df),
        MaxAbsScaler(inputCol="v", outputCol="d"),
        StandardScaler(inputCol="v", outputCol="e", withMean=dense, withStd=size % 2 == 1),
        DCT(inputCol="v", outputCol="g", inverse=dense),
        VectorSlicer(inputCol="v", outputCol="h", indices=sorted({size - 1, size // 2, 0}, reverse=True)),
        VectorIndexer(inputCol="v", outputCol="i", maxCategories=2 + size, handleInvalid="keep"),
        PCA(inputCol="v", outputCol="j", k=min(size, 5)),
        Binarizer(inputCol="v", outputCol="k", threshold=least),
        VectorAssembler(inputCols=["a", "d", "k"], outputCol="f", handleInvalid=("skip", "keep")[size % 2]),
    ]


# -- strings and codes

ORDERS = ("frequencyDesc", "frequencyAsc", "alphabetDesc", "alphabetAsc")
INDEXED = [
    *[dict(mode="keep", order=order) for order in ORDERS],
    *[dict(mode="error", order=order) for order in ORDERS[1:3]],
    *[dict(mode="skip", order=order) for order in ORDERS[:4:3]],
]


def words_and_codes(mode: str, **_: Any) -> list[Column]:
    """Return strings and numbers, unseen and null ones answered where the mode keeps them."""
    kept = {"null": True, "unseen": True} if mode == "keep" else {}
    values = (0.5, 1.0, 0.0, 1e7)
    return [*((S, T) if kept else (S_KNOWN, T_KNOWN)), Code("c", values=values, **kept), Code("n", "int", values=(0, 7, -7), **kept)]


@turned(words_and_codes, twists=INDEXED, ci=FULL)
def labels_in_order(mode: str, order: str) -> Stages:
    given = {"stringOrderType": order}
    return [
        si("s t", mode, **given),
        si("c", mode, **given),
        si("n", mode, **given),
        IndexToString(inputCol="c_i", outputCol="c_s"),
        hot("s_i t_i", "keep", drop=order.endswith("Asc")),
        va("s_i_h t_i_h c_i n_i"),
        lin(),
    ]


HOT = [
    dict(count=count, drop=drop, mode=mode)
    for count, drop, mode in ((1, False, "error"), (150, True, "keep"))
]


def codes(count: int, mode: str, **_: Any) -> list[Column]:
    """Return categories of two types, those that are unseen answered where the mode keeps them."""
    values, kept = range(count), {"fractions": (-0.0, count - 0.5)} if mode == "keep" else {}
    return [Code("c", values=tuple(map(float, values)), **kept), Code("d", "int", values=tuple(values))]


@turned(codes, twists=HOT, ci=FULL)
def one_or_many_hot(count: int, drop: bool, mode: str) -> Stages:
    return [
        hot("c d", mode, drop),
        OneHotEncoder(inputCol="c", outputCol="c_k", handleInvalid="keep", dropLast=not drop),
        IndexToString(inputCol="d", outputCol="d_s", labels=[f"\u00e9{i}" for i in range(count + 1)]),
        va("c_h d_h c_k"),
        lin(),
    ]


# -- numbers

BUCKETS: list[dict[str, Any]] = [
    dict(mode="keep", one=100, each=(100, 2), relativeError=0.0),
    dict(mode="error", one=250, each=(17, 250), relativeError=0.05),
    dict(mode="skip", one=1000, each=(6, 7)),
]


def amounts(mode: str, **_: Any) -> list[Column]:
    """Return numbers of four types, NaN answered where the mode keeps it."""
    nan = mode == "keep"
    kinds = ("double", "float", "int", "bigint")
    return [Number(f"n{i}", kind, nan=nan and i < 2) for i, kind in enumerate(kinds)]


@turned(amounts, twists=BUCKETS, ci=FULL)
def quantiles_in_buckets(mode: str, one: int, each: tuple[int, int], **more: Any) -> Stages:
    given = {"handleInvalid": mode, **more}
    splits = [-INF, *(i / 7 - 3 for i in range(one)), INF]
    return [
        QuantileDiscretizer(inputCol="n0", outputCol="a", numBuckets=one, **given),
        QuantileDiscretizer(inputCols=["n1", "n3"], outputCols=["b", "c"], numBucketsArray=list(each), **given),
        QuantileDiscretizer(inputCols=["n0", "n2"], outputCols=["d", "e"], numBuckets=one, **given),
        Bucketizer(inputCol="n1", outputCol="g", splits=splits, handleInvalid=mode),
        Binarizer(inputCols=["n0", "n0"], outputCols=["h", "i"], thresholds=[one / 8, -0.0]),
        va("a b c d e g h i"),
        lin(),
    ]


FILLS = [
    dict(fills=fills)
    for fills in (
        (("mean", NAN, 0.001), ("median", NAN, 0.0), ("mode", NAN, 0.5)),
        (("mean", -0.0, 1e-5), ("median", 3.0, 1.0), ("mode", 1e300, 0.2)),
    )
]
GAPS = [Number("x", null=True, nan=True), Number("z", "float", null=True, nan=True), Number("n", "int", null=True)]


@turned(*GAPS, Number("h", "smallint", null=True, low=-4, high=4), twists=FILLS, ci=FULL)
def gaps_filled(fills: tuple[tuple[str, float, float], ...]) -> Stages:
    made: Stages = []
    for i, (strategy, missing, error) in enumerate(fills):
        given = {"strategy": strategy, "missingValue": missing, "relativeError": error}
        outs = [f"{c}_{i}" for c in ("x", "z", "n", "h")]
        made += [
            Imputer(inputCols=["x", "z", "n", "h"], outputCols=outs, **given),
            Imputer(inputCol=("x", "h", "z")[i], outputCol=f"one_{i}", **given),
            va([*outs, f"one_{i}"], f"f_{i}", "keep"),
        ]
    return made


# -- texts

WORDS_TURNED: list[dict[str, Any]] = [
    dict(n=6, vectors=dict(vectorSize=2, windowSize=1), counts=dict(minDF=0.1, maxDF=0.3, binary=True)),
    dict(n=9, vectors=dict(vectorSize=8, maxIter=3, stepSize=0.2, maxSentenceLength=2), counts=dict(minDF=30.0, minTF=0.01)),
    dict(n=20, vectors=dict(vectorSize=200, minCount=60, windowSize=20), counts=dict(maxDF=0.5, minTF=3.0, vocabSize=7)),
]


@turned(Tokens("w"), Sentence("s"), twists=WORDS_TURNED, ci=FULL)
def words_turned(n: int, vectors: dict[str, Any], counts: dict[str, Any]) -> Stages:
    return [
        Tokenizer(inputCol="s", outputCol="t"),
        NGram(inputCol="w", outputCol="g", n=n),
        Word2Vec(inputCol="w", outputCol="a", seed=n, **{"minCount": 0, **vectors}),
        CountVectorizer(inputCol="t", outputCol="b", **counts),
        IDF(inputCol="b", outputCol="c", minDocFreq=n),
        HashingTF(inputCol="g", outputCol="h", numFeatures=10 + n, binary=n % 2 == 1),
        va("a c h"),
        lin(),
    ]


# -- many columns

MIXED = [
    Number("x", null=True, nan=True),
    Number("n", "int", null=True),
    Flag("ok", null=True),
    Text("s", null=True, unseen=True),
]


@turned(
    *MIXED,
    [Code(f"c{i}", values=(1.0, 2.0, 0.5)) for i in range(4)],
    twists=[dict(n=n, listed=listed) for n, listed in ((1, ("x",)), (1 << 20, ("s", "n", "ok")))],
    ci=FULL,
)
def columns_hashed(n: int, listed: tuple[str, ...]) -> Stages:
    hashed = FeatureHasher(inputCols=["x", "n", "ok", "s"], outputCol="a", numFeatures=n)
    return [
        hashed.setCategoricalCols(list(listed)) if listed else hashed,
        va("c0 c1 c2 c3"),
        MinHashLSH(inputCol="f", outputCol="b", numHashTables=1 + n % 50 + len(listed), seed=n),
    ]


FORMULAS = [
    dict(terms=terms, mode=mode, order=order, label=label)
    for terms, mode, order, label in (
        ("x0 : x1 + s", "keep", "alphabetAsc", True),
        ("(x0 + x1 + s) ^ 2", "keep", "alphabetDesc", True),
        ("s + 0", "skip", "frequencyAsc", False),
        ("1 + s : t + x1 * x0 - x0", "keep", "frequencyDesc", False),
    )
]


@turned(Vec("v", size=3), nums("x", 2), S_KNOWN, T_KNOWN, twists=FORMULAS, ci=FULL)
def formulas(terms: str, mode: str, order: str, label: bool) -> Stages:
    return [formula(terms, mode, stringIndexerOrderType=order, forceIndexLabel=label), lin()]


@turned(
    Code("a"),
    Code("b"),
    twists=[dict(mode=mode, drop=drop) for mode in ("error", "keep") for drop in (True, False)],
    ci=FULL,
)
def every_encoding(mode: str, drop: bool) -> Stages:
    given = {"handleInvalid": mode, "dropLast": drop}
    return [
        OneHotEncoder(inputCol="a", outputCol="x", **given),
        OneHotEncoder(inputCols=["a", "b"], outputCols=["y", "z"], **given),
        va("x y z"),
        lin(),
    ]
