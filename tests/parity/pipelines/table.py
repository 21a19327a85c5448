# SPDX-License-Identifier: Apache-2.0
"""The pipelines: a table of functions, each with the columns it reads.

A function returns stages to fit; its columns say which troubles the pipeline answers. Predictors end the
pipelines by ones and threes, so that every op and every parameter of it stands in many. Outputs are named by
letters: r raw, q probability, p prediction, l leaf, v variance; a letter left out leaves the column out.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.ml.classification import (
    DecisionTreeClassifier,
    GBTClassifier,
    LogisticRegression,
    RandomForestClassifier,
)
from pyspark.ml.feature import (
    Imputer,
    OneHotEncoder,
    StandardScaler,
    StringIndexer,
    VectorAssembler,
)
from pyspark.ml.regression import DecisionTreeRegressor, GBTRegressor, LinearRegression, RandomForestRegressor

from rows import INF, WORDS, Column, Number, Text

Stages = list[Any]
MANY = tuple(f"label {i:03d} \u00e9" for i in range(90))


@dataclass(frozen=True)
class Pipeline:
    """A row of the table; `ci`: quick enough to be drawn for CI."""

    name: str
    columns: tuple[Column, ...]
    stages: Callable[[], Stages]
    ci: bool
    output: tuple[str, ...]
    train: int
    twist: str = ""
    rows: int = 0  # other than what a run asks of each
    drops: bool = False  # of good rows too, up to half of them


PIPELINES: list[Pipeline] = []


def pipeline(
    *columns: Column | Sequence[Column],
    ci: bool = False,
    output: Sequence[str] = (),
    train: int = 260,
    drops: bool = False,
) -> Callable[[Callable[[], Stages]], Callable[[], Stages]]:
    """Put a function into the table."""
    flat = tuple(x for c in columns for x in ([c] if isinstance(c, Column) else c))

    def add(stages: Callable[[], Stages]) -> Callable[[], Stages]:
        PIPELINES.append(Pipeline(stages.__name__, flat, stages, ci, tuple(output), train, drops=drops))
        return stages

    return add


Given = Column | Sequence[Column] | Callable[..., Sequence[Column]]


def _columns(given: Sequence[Given], twist: dict[str, Any]) -> tuple[Column, ...]:
    """Return the columns of a twist; a function makes them of it."""
    some = (c(**twist) if callable(c) else c for c in given)
    return tuple(x for c in some for x in ([c] if isinstance(c, Column) else c))


def turned(
    *columns: Given, twists: Sequence[dict[str, Any]], ci: Any = True, drops: bool = False
) -> Callable[[Callable[..., Stages]], Callable[..., Stages]]:
    """Put a pipeline a twist into the table: `name_0` and so on, the function called with the twist."""

    def add(stages: Callable[..., Stages]) -> Callable[..., Stages]:
        for i, twist in enumerate(twists):
            PIPELINES.append(
                Pipeline(
                    f"{stages.__name__}_{i}",
                    _columns(columns, twist),
                    functools.partial(stages, **twist),
                    bool(ci),
                    (),
                    260,
                    ", ".join(f"{name}={value!r}" for name, value in twist.items()),
                    drops=drops,
                )
            )
        return stages

    return add


def nums(prefix: str, count: int, **more: Any) -> list[Column]:
    """Return doubles `prefix0` and so on."""
    return [Number(f"{prefix}{i}", **more) for i in range(count)]


def upto(prefix: str, count: int) -> list[str]:
    """Return the names of `nums`."""
    return [f"{prefix}{i}" for i in range(count)]


def si(ins: str, mode: str = "error", **more: Any) -> StringIndexer:
    """StringIndexer of columns to `<column>_i`."""
    names = ins.split()
    if len(names) == 1:
        return StringIndexer(inputCol=ins, outputCol=f"{ins}_i", handleInvalid=mode, **more)
    return StringIndexer(inputCols=names, outputCols=[f"{n}_i" for n in names], handleInvalid=mode, **more)


def hot(ins: str, mode: str = "error", drop: bool = True) -> OneHotEncoder:
    """OneHotEncoder of columns to `<column>_h`."""
    names = ins.split()
    return OneHotEncoder(
        inputCols=names, outputCols=[f"{n}_h" for n in names], handleInvalid=mode, dropLast=drop
    )


def va(ins: str | Sequence[str], out: str = "f", mode: str = "error") -> VectorAssembler:
    """VectorAssembler."""
    names = ins.split() if isinstance(ins, str) else list(ins)
    return VectorAssembler(inputCols=names, outputCol=out, handleInvalid=mode)


def _outs(tag: str, outs: str) -> dict[str, str]:
    names = {
        "r": "rawPredictionCol",
        "q": "probabilityCol",
        "p": "predictionCol",
        "l": "leafCol",
        "v": "varianceCol",
    }
    required = {"p": ""} if "p" not in outs else {}
    return {names[c]: f"{tag}_{c}" for c in outs} | {names[c]: "" for c in required}


def _classes(tag: str, outs: str) -> dict[str, str]:
    return {"rawPredictionCol": "", "probabilityCol": ""} | _outs(tag, outs)


def lin(tag: str = "lin", f: str = "f", reg: float = 0.1, **more: Any) -> LinearRegression:
    """LinearRegression."""
    return LinearRegression(
        labelCol="target_y", featuresCol=f, predictionCol=f"{tag}_p", regParam=reg, **more
    )


def logit(
    tag: str = "log", outs: str = "rqp", f: str = "f", y: str = "b", reg: float = 0.1, **more: Any
) -> Any:
    """LogisticRegression."""
    return LogisticRegression(
        labelCol=f"target_{y}", featuresCol=f, regParam=reg, maxIter=15, **_classes(tag, outs), **more
    )


def dtr(tag: str = "dtr", outs: str = "pvl", f: str = "f", **more: Any) -> DecisionTreeRegressor:
    """DecisionTreeRegressor."""
    return DecisionTreeRegressor(labelCol="target_y", featuresCol=f, seed=1, **_outs(tag, outs), **more)


def rfr(tag: str = "rfr", outs: str = "pl", f: str = "f", **more: Any) -> RandomForestRegressor:
    """RandomForestRegressor."""
    return RandomForestRegressor(
        **{"labelCol": "target_y", "featuresCol": f, "seed": 2, "numTrees": 5, **_outs(tag, outs), **more}
    )


def gbtr(tag: str = "gbtr", outs: str = "pl", f: str = "f", **more: Any) -> GBTRegressor:
    """GBTRegressor."""
    given = {"labelCol": "target_y", "featuresCol": f, "seed": 3, "maxIter": 4, "maxDepth": 3}
    return GBTRegressor(**{**given, **_outs(tag, outs), **more})


def _with(made: Any, thresholds: Sequence[float]) -> Any:
    """Return a classifier with thresholds, which not every constructor takes."""
    return made.setThresholds(list(thresholds)) if thresholds else made


def dtc(
    tag: str = "dtc",
    outs: str = "rqpl",
    f: str = "f",
    y: str = "k",
    thresholds: Sequence[float] = (),
    **more: Any,
) -> Any:
    """DecisionTreeClassifier."""
    names = _classes(tag, outs)
    return _with(
        DecisionTreeClassifier(labelCol=f"target_{y}", featuresCol=f, seed=4, **names, **more), thresholds
    )


def rfc(
    tag: str = "rfc",
    outs: str = "rqpl",
    f: str = "f",
    y: str = "k",
    thresholds: Sequence[float] = (),
    **more: Any,
) -> Any:
    """RandomForestClassifier."""
    given = {"labelCol": f"target_{y}", "featuresCol": f, "seed": 5, "numTrees": 5, "maxDepth": 4}
    return _with(RandomForestClassifier(**{**given, **_classes(tag, outs), **more}), thresholds)


def gbtc(
    tag: str = "gbtc", outs: str = "rqpl", f: str = "f", thresholds: Sequence[float] = (), **more: Any
) -> Any:
    """GBTClassifier."""
    names = _classes(tag, outs)
    raw, probability = (
        names.pop("rawPredictionCol"),
        names.pop("probabilityCol"),
    )  # not taken by its constructor
    given = {"labelCol": "target_b", "featuresCol": f, "seed": 6, "maxIter": 4, "maxDepth": 3}
    made = GBTClassifier(**{**given, **names, **more}).setRawPredictionCol(raw).setProbabilityCol(probability)
    return _with(made, thresholds)


INNER = [-4.0, -1.5, 0.0, 0.125, 3.0]
OUTER = [-INF, -4.0, 0.0, 2.5, INF]

S, T = Text("s", null=True, unseen=True), Text("t", null=True, unseen=True, labels=WORDS[3:12])
S_KNOWN, T_KNOWN = Text("s"), Text("t", labels=WORDS[:4])

IMPUTED = (
    Number("x", null=True, nan=True),
    Number("z", "float", null=True, nan=True),
    Number("n", "int", null=True),
    Number("m", "bigint", null=True),
    Number("h", "smallint", null=True),
    Number("i", "tinyint", null=True),
)
FILLED = [f"{c.name}_f" for c in IMPUTED]


def fill(**more: Any) -> Imputer:
    """Imputer of all types of numbers."""
    return Imputer(inputCols=[c.name for c in IMPUTED], outputCols=FILLED, **more)


def scalers(source: str = "f") -> Stages:
    """Return StandardScaler in all four settings, to a, b, c and d."""
    return [
        StandardScaler(inputCol=source, outputCol=out, withMean=mean, withStd=std)
        for out, mean, std in (("a", False, True), ("b", True, False), ("c", True, True), ("d", False, False))
    ]
