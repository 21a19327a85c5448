# SPDX-License-Identifier: Apache-2.0
"""Settings of stages that prepare columns, on vectors of one slot to hundreds: a pipeline a row of each table."""

from __future__ import annotations

from typing import Any

from pyspark.ml.feature import (
    DCT,
    IDF,
    PCA,
    Binarizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    StandardScaler,
    VectorAssembler,
    VectorIndexer,
    VectorSizeHint,
    VectorSlicer,
)

from pipelines.table import Stages, turned
from rows import INF, Column, Vec

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
