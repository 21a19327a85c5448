# SPDX-License-Identifier: Apache-2.0
"""Rules of items that come together."""

from __future__ import annotations

from typing import Any

from pyspark.ml.feature import HashingTF, NGram, StopWordsRemover
from pyspark.ml.fpm import FPGrowth
from rows import INF, NAN
from tokens import COMMON, ODD, Basket

from pipelines.table import Stages, lin, logit, pipeline, turned

WORDS = tuple(dict.fromkeys((*COMMON, *(word for word in ODD if "\0" not in word))))
MANY = tuple(f"item {i}" for i in range(150))
INTS = (3, 1, 0, -1, 2**31 - 1, -(2**31), 7, 40)
FLOATS = (1.5, 0.0, -1.5, 0.1, INF, 3.4028234663852886e38, 1e-45)
DOUBLES = (1.5, -0.0, -1.5, 0.1, -INF, 5e-324, 1.7976931348623157e308)
SUPPORTS = (
    dict(),
    dict(minConfidence=0.0),
    dict(minConfidence=0.3),
    dict(minConfidence=0.6, minSupport=0.02),
    dict(minConfidence=1.0),
    dict(minSupport=0.9),
    dict(minSupport=1.0, minConfidence=0.0),
    dict(minSupport=0.01, minConfidence=0.1),
    dict(minSupport=0.1, numPartitions=3),
    dict(minSupport=0.05, numPartitions=8, minConfidence=0.2),
    dict(minSupport=0.03, numPartitions=1, minConfidence=0.5),
    dict(minSupport=0.2, minConfidence=0.05),
)


def growth(items: str, out: str, **more: Any) -> FPGrowth:
    """FPGrowth."""
    return FPGrowth(itemsCol=items, predictionCol=out, **{"minSupport": 0.04, "minConfidence": 0.2, **more})


@turned(Basket("w"), Basket("x", items=WORDS), twists=SUPPORTS, ci=True)
def baskets(**twist: Any) -> Stages:
    return [growth("w", "p", **twist), growth("x", "q", **twist)]


@turned(
    Basket("i", "array<int>", items=INTS, others=(0, 99, -(2**30))),
    Basket("f", "array<float>", items=FLOATS, others=(-0.0, NAN, 2.5)),
    Basket("d", "array<double>", items=DOUBLES, others=(0.0, NAN, 2.5)),
    twists=[dict(), dict(minConfidence=0.0), dict(minConfidence=0.7), dict(numPartitions=4, minSupport=0.02)],
    ci=True,
)
def baskets_of_numbers(**twist: Any) -> Stages:
    return [growth("i", "pi", **twist), growth("f", "pf", **twist), growth("d", "pd", **twist)]


@pipeline(Basket("w", items=MANY, most=9), ci=True)
def many_items() -> Stages:
    return [growth("w", "p", minSupport=0.01, minConfidence=0.1), growth("w", "q", minSupport=0.03)]


@pipeline(Basket("w", items=WORDS), ci=True)
def what_rules_add_is_read() -> Stages:
    return [
        growth("w", "p"),
        NGram(inputCol="p", outputCol="g"),
        StopWordsRemover(inputCol="p", outputCol="r"),
        HashingTF(inputCol="p", outputCol="h", numFeatures=40),
        logit(f="h"),
        HashingTF(inputCol="r", outputCol="k", numFeatures=30),
        lin(f="k"),
    ]
