# SPDX-License-Identifier: Apache-2.0
"""The pipelines: a table of functions, each with the columns it reads.

A function returns stages to fit; its columns say which troubles the pipeline answers. Predictors end the pipelines by
ones and threes, so that every op and every parameter of it stands in many. Outputs are named by letters: r raw, q
probability, p prediction, l leaf, v variance; a letter left out leaves the column out.
"""

from __future__ import annotations

import inspect
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
    Binarizer,
    Bucketizer,
    Imputer,
    IndexToString,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    QuantileDiscretizer,
    StandardScaler,
    StringIndexer,
    StringIndexerModel,
    VectorAssembler,
    VectorSlicer,
)
from pyspark.ml.regression import DecisionTreeRegressor, GBTRegressor, LinearRegression, RandomForestRegressor
from rows import INF, NAN, WORDS, Code, Column, Flag, Number, Text, Vec

Stages = list[Any]
MANY = tuple(f"label {i:03d} \u00e9" for i in range(90))


@dataclass(frozen=True)
class Pipeline:
    """A row of the table."""

    name: str
    columns: tuple[Column, ...]
    stages: Callable[[], Stages]
    ci: bool
    output: tuple[str, ...]
    train: int

    def source(self) -> str:
        """Return the text that decides the fitted model."""
        helpers = (
            si,
            hot,
            va,
            lin,
            logit,
            dtr,
            rfr,
            gbtr,
            dtc,
            rfc,
            gbtc,
            scalers,
            fill,
            _outs,
            _classes,
            _with,
        )
        return "".join(map(inspect.getsource, (self.stages, *helpers))) + repr(self.columns)


PIPELINES: list[Pipeline] = []


def pipeline(
    *columns: Column | Sequence[Column], ci: bool = False, output: Sequence[str] = (), train: int = 260
) -> Callable[[Callable[[], Stages]], Callable[[], Stages]]:
    """Put a function into the table."""
    flat = tuple(x for c in columns for x in ([c] if isinstance(c, Column) else c))

    def add(stages: Callable[[], Stages]) -> Callable[[], Stages]:
        PIPELINES.append(Pipeline(stages.__name__, flat, stages, ci, tuple(output), train))
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


S, T = Text("s", null=True, unseen=True), Text("t", null=True, unseen=True, labels=WORDS[3:12])
S_KNOWN, T_KNOWN = Text("s"), Text("t", labels=WORDS[:4])


# -- indexing and encoding ---------------------------------------------------------------------------------------------


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
        IndexToString(inputCol="s_i", outputCol="s_s", labels=["zero", "a\u0000b", "\U0001d4b3", "", "four"]),
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


# -- numbers -----------------------------------------------------------------------------------------------------------

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


INNER = [-4.0, -1.5, 0.0, 0.125, 3.0]
OUTER = [-INF, -4.0, 0.0, 2.5, INF]


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


# -- vectors -----------------------------------------------------------------------------------------------------------

SCALED = dict(inputCol="f", withMean=False, withStd=True)


def scalers(source: str = "f") -> Stages:
    """Return StandardScaler in all four settings, to a, b, c and d."""
    return [
        StandardScaler(inputCol=source, outputCol=out, withMean=mean, withStd=std)
        for out, mean, std in (("a", False, True), ("b", True, False), ("c", True, True), ("d", False, False))
    ]


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
        va("a b c"),
        lin(),
        rfc(f="b"),
    ]


@pipeline(nums("x", 6), Flag("ok"), Number("h", "smallint"))
def min_max_sparse() -> Stages:
    return [
        va([*upto("x", 6), "ok", "h"]),
        MinMaxScaler(inputCol="f", outputCol="g"),
        StandardScaler(inputCol="g", outputCol="h2"),
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
        VectorSlicer(inputCol="g", outputCol="e", indices=[8, 2, 0]),
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


# -- chains of preparation ---------------------------------------------------------------------------------------------


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


# -- predictors --------------------------------------------------------------------------------------------------------


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
