# SPDX-License-Identifier: Apache-2.0
"""Random pipelines of 5 to 12 stages, each reading what the inputs or earlier stages give."""

from __future__ import annotations

import functools
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.ml import Pipeline as Nested
from pyspark.ml import classification, clustering, evaluation, feature, recommendation, regression, tuning
from pyspark.ml.linalg import Vectors

from harness import Context, run_pipeline, solve
from pipelines.table import INNER, Pipeline
from results import Result
from rows import INF, Code, Flag, Number, Text, Vec
from scored_export.ops import OPS
from tokens import Sentence, Tokens

LEAST, MOST = 5, 12
ROWS = 500
DRAWS = 20  # for each pipeline that is asked for: Spark does not fit them all
WIDE = 40  # slots of vectors that are still worth to compute with
INPUTS = (
    Number("x0"),
    Number("x1", "float"),
    Number("i0", "int"),
    Text("s0", unseen=True),
    Sentence("t0"),
    Tokens("w0"),
    Vec("v0", size=4),
    Vec("v1", size=3, dense=True),
    Code("c0", values=(0.0, 1.0, 2.0)),
    Flag("f0"),
)
Makers = list[Callable[["Composer"], Any]]
MAKERS: Makers = []
LAST: Makers = []


@dataclass
class Composer:
    """The columns that there are, by what may read them; vectors with their size, where it is known.

    Spark's Interaction reads only vectors whose slots are `described`.
    """

    r: random.Random
    numbers: list[str] = field(default_factory=lambda: ["x0", "x1", "i0"])
    texts: list[str] = field(default_factory=lambda: ["s0"])
    sentences: list[str] = field(default_factory=lambda: ["t0"])
    tokens: list[str] = field(default_factory=lambda: ["w0"])
    codes: dict[str, int] = field(default_factory=lambda: {"c0": 3})
    vectors: dict[str, int] = field(default_factory=lambda: {"v0": 4, "v1": 3})
    described: dict[str, int] = field(default_factory=dict)
    unsized: list[str] = field(default_factory=list)
    counts: list[str] = field(default_factory=list)
    made: int = 0

    def name(self) -> str:
        """Return the name of a new column."""
        self.made += 1
        return f"o{self.made}"

    def vector(self, most: int = WIDE, least: int = 1) -> str:
        """Return a vector's name, of new ones more often."""
        fit = [name for name, size in self.vectors.items() if least <= size <= most]
        return self.r.choice(fit[-3:] if self.r.random() < 0.7 else fit)

    def features(self) -> str:
        """Return what a predictor may read: a vector of any size."""
        return self.r.choice(self.unsized) if self.unsized and self.r.random() < 0.3 else self.vector()

    def unsized_vector(self) -> str:
        """Return the name of a new vector whose size only its fit tells."""
        name = self.name()
        self.unsized.append(name)
        return name

    def new_vector(self, size: int) -> str:
        """Return the name of a new vector."""
        name = self.name()
        self.vectors[name] = size
        return name

    def new_code(self, count: int) -> str:
        """Return the name of a new column of categories."""
        name = self.name()
        self.codes[name] = count
        return name

    def one(self, names: Any) -> str:
        """Return one of some names."""
        return self.r.choice(list(names))


def maker(make: Callable[[Composer], Any]) -> Callable[[Composer], Any]:
    MAKERS.append(make)
    return make


def last(make: Callable[[Composer], Any]) -> Callable[[Composer], Any]:
    LAST.append(make)
    return make


# -- numbers, texts and categories


@maker
def buckets(c: Composer) -> Any:
    names = {"inputCol": c.one(c.numbers), "outputCol": c.new_code(7)}
    return feature.Bucketizer(splits=[-INF, *INNER, INF], handleInvalid="keep", **names)


@maker
def bits(c: Composer) -> Any:
    return feature.Binarizer(inputCol=c.one(["x0"]), outputCol=c.new_code(2), threshold=c.r.uniform(-3, 3))


@maker
def quantiles(c: Composer) -> Any:
    names = {"inputCol": c.one(c.numbers), "outputCol": c.new_code(5)}
    return feature.QuantileDiscretizer(numBuckets=4, handleInvalid="keep", **names)


@maker
def imputed(c: Composer) -> Any:
    source, out = c.one(c.numbers), c.name()
    c.numbers.append(out)
    return feature.Imputer(inputCol=source, outputCol=out, strategy=c.one(("mean", "median", "mode")))


@maker
def indexed(c: Composer) -> Any:
    return feature.StringIndexer(inputCol=c.one(c.texts), outputCol=c.new_code(7), handleInvalid="keep")


def _two(c: Composer, made: dict[str, int]) -> dict[str, list[str]]:
    """Return two columns of numbers, and two new ones of categories, of the form for several columns."""
    outs = [c.name(), c.name()]
    made.update(dict.fromkeys(outs, 7))
    return {"inputCols": c.r.sample(c.numbers, 2), "outputCols": outs}


@maker
def buckets_of_two(c: Composer) -> Any:
    splits = [[-INF, *INNER, INF], [-INF, 0.0, INF]]
    return feature.Bucketizer(splitsArray=splits, handleInvalid="keep", **_two(c, c.codes))


@maker
def quantiles_of_two(c: Composer) -> Any:
    return feature.QuantileDiscretizer(numBucketsArray=[3, 5], handleInvalid="keep", **_two(c, c.codes))


@maker
def imputed_two(c: Composer) -> Any:
    columns = _two(c, {})
    c.numbers += columns["outputCols"]
    return feature.Imputer(strategy=c.one(("mean", "median", "mode")), **columns)


@maker
def named(c: Composer) -> Any:
    source, out = c.one(c.codes), c.name()
    labels = [f"label {i}" for i in range(c.codes[source] + 1)]
    c.texts.append(out)
    return feature.IndexToString(inputCol=source, outputCol=out, labels=labels)


@maker
def encoded(c: Composer) -> Any:
    source = c.one(c.codes)
    out = c.new_vector(c.codes[source] + 1)
    c.described[out] = c.vectors[out]
    return feature.OneHotEncoder(inputCols=[source], outputCols=[out], handleInvalid="keep", dropLast=c.r.random() < 0.5)


@maker
def hashed(c: Composer) -> Any:
    names = [c.one(c.numbers), c.one(c.texts), "f0"]
    return feature.FeatureHasher(inputCols=names, outputCol=c.new_vector(16), numFeatures=16)


# -- tokens


@maker
def split(c: Composer) -> Any:
    source, out = c.one(c.sentences), c.name()
    c.tokens.append(out)
    return feature.Tokenizer(inputCol=source, outputCol=out)


@maker
def stopped(c: Composer) -> Any:
    source, out = c.one(c.tokens), c.name()
    c.tokens.append(out)
    return feature.StopWordsRemover(inputCol=source, outputCol=out, caseSensitive=c.r.random() < 0.3)


@maker
def grams(c: Composer) -> Any:
    source, out = c.one(c.tokens), c.name()
    c.tokens.append(out)
    return feature.NGram(inputCol=source, outputCol=out, n=c.r.randint(1, 3))


def _counted(c: Composer, size: int) -> str:
    name = c.new_vector(size)
    c.counts.append(name)
    return name


@maker
def hash_counts(c: Composer) -> Any:
    source = c.one(c.tokens)
    return feature.HashingTF(inputCol=source, outputCol=_counted(c, 16), numFeatures=16, binary=c.r.random() < 0.3)


@maker
def word_counts(c: Composer) -> Any:
    source = c.one(c.tokens)
    return feature.CountVectorizer(inputCol=source, outputCol=_counted(c, 12), vocabSize=12, minTF=c.one((1.0, 2.0, 0.2)))


@maker
def word_vectors(c: Composer) -> Any:
    return feature.Word2Vec(
        inputCol=c.one(c.tokens), outputCol=c.new_vector(4), vectorSize=4, minCount=0, seed=1, maxIter=1
    )


# -- vectors


@maker
def assembled(c: Composer) -> Any:
    some = c.r.sample([*c.numbers, *c.codes], 2) + [c.vector(), c.vector()]
    size = sum(c.vectors.get(name, 1) for name in some)
    return feature.VectorAssembler(inputCols=some, outputCol=c.new_vector(size), handleInvalid="keep")


def _same(c: Composer, least: int = 1, most: int = WIDE) -> dict[str, str]:
    """Return columns of a stage that keeps a vector's size."""
    source = c.vector(most, least)
    return {"inputCol": source, "outputCol": c.new_vector(c.vectors[source])}


@maker
def standard(c: Composer) -> Any:
    return feature.StandardScaler(withMean=c.r.random() < 0.5, withStd=c.r.random() < 0.7, **_same(c))


@maker
def ranged(c: Composer) -> Any:
    made = c.one((feature.MinMaxScaler, feature.MaxAbsScaler, feature.RobustScaler))
    return made(**_same(c))


@maker
def normed(c: Composer) -> Any:
    return feature.Normalizer(p=c.one((1.0, 2.0, 3.5, INF)), **_same(c))


@maker
def rare_words(c: Composer) -> Any:
    return feature.IDF(minDocFreq=c.r.randrange(3), **_same(c))


@maker
def multiplied(c: Composer) -> Any:
    columns = _same(c)
    weights = [c.r.uniform(-2, 2) for _ in range(c.vectors[columns["inputCol"]])]
    return feature.ElementwiseProduct(scalingVec=Vectors.dense(weights), **columns)


@maker
def categories(c: Composer) -> Any:
    return feature.VectorIndexer(maxCategories=c.r.randint(2, 6), handleInvalid="keep", **_same(c))


@maker
def sliced(c: Composer) -> Any:
    source = c.vector(least=2)
    indices = c.r.sample(range(c.vectors[source]), 2)
    return feature.VectorSlicer(inputCol=source, outputCol=c.new_vector(2), indices=indices)


@maker
def components(c: Composer) -> Any:
    return feature.PCA(k=2, inputCol=c.vector(least=2), outputCol=c.new_vector(2))


@maker
def powers(c: Composer) -> Any:
    source = c.vector(4)
    size = {1: 3, 2: 9, 3: 19, 4: 34}[c.vectors[source]]
    return feature.PolynomialExpansion(degree=3, inputCol=source, outputCol=c.new_vector(size))


@maker
def interacting(c: Composer) -> Any:
    if not c.described:
        return encoded(c)
    source = c.one(c.described)
    return feature.Interaction(inputCols=[c.one(c.numbers), source], outputCol=c.new_vector(c.described[source]))


@maker
def selected(c: Composer) -> Any:
    columns = {"featuresCol": c.vector(least=2), "outputCol": c.new_vector(2)}
    if c.r.random() < 0.5:
        return feature.ChiSqSelector(numTopFeatures=2, labelCol="target_b", **columns)
    made = feature.UnivariateFeatureSelector(labelCol="target_k", selectionMode="numTopFeatures", **columns)
    return made.setFeatureType("continuous").setLabelType("categorical").setSelectionThreshold(2)


@maker
def varying(c: Composer) -> Any:
    columns = {"featuresCol": c.vector(), "outputCol": c.unsized_vector()}
    return feature.VarianceThresholdSelector(varianceThreshold=0.0, **columns)


@maker
def formulas(c: Composer) -> Any:
    left, right = c.r.sample(c.numbers, 2)  # what indexes, or is indexed, throws at most rows where it interacts
    formula = f"target_y ~ {left} {c.one((' + ', ':', ' * '))} {right} + {c.one(c.texts)}"
    names = {"featuresCol": c.unsized_vector(), "labelCol": "target_y"}
    return feature.RFormula(formula=formula, handleInvalid="keep", **names)


@maker
def neighbours(c: Composer) -> Any:
    return feature.BucketedRandomProjectionLSH(
        inputCol=c.vector(), outputCol=c.name(), bucketLength=c.r.uniform(0.1, 3), seed=1
    )


@maker
def clusters(c: Composer) -> Any:
    made = c.one((clustering.KMeans, clustering.BisectingKMeans))
    return made(k=3, seed=1, maxIter=3, featuresCol=c.vector(), predictionCol=c.new_code(3))


@maker
def mixtures(c: Composer) -> Any:
    columns = {"featuresCol": c.vector(6), "probabilityCol": c.new_vector(2), "predictionCol": c.new_code(2)}
    return clustering.GaussianMixture(k=2, seed=1, maxIter=2, **columns)


@maker
def topics(c: Composer) -> Any:
    if not c.counts:
        return hash_counts(c)
    return clustering.LDA(k=3, seed=1, maxIter=2, featuresCol=c.one(c.counts), topicDistributionCol=c.new_vector(3))


# -- predictors


def _number(c: Composer) -> dict[str, str]:
    out = c.name()
    c.numbers.append(out)
    return {"labelCol": "target_y", "featuresCol": c.features(), "predictionCol": out}


def _classes(c: Composer, label: str) -> dict[str, str]:
    names = {"rawPredictionCol": c.name(), "probabilityCol": c.name()}
    return {"labelCol": label, "featuresCol": c.features(), "predictionCol": c.new_code(3), **names}


@last
def lines(c: Composer) -> Any:
    return regression.LinearRegression(regParam=0.1, maxIter=5, **_number(c))


@last
def generalized(c: Composer) -> Any:
    return regression.GeneralizedLinearRegression(
        family="gaussian", link=c.one(("identity", "log")), regParam=0.3, maxIter=2, **_number(c)
    )


@last
def trees(c: Composer) -> Any:
    made = c.one((regression.DecisionTreeRegressor, regression.RandomForestRegressor, regression.GBTRegressor))
    more = {} if made is regression.DecisionTreeRegressor else {"leafCol": c.name()}
    more |= {"maxIter": 3} if made is regression.GBTRegressor else {}
    return made(maxDepth=3, seed=1, **more, **_number(c))


@last
def logits(c: Composer) -> Any:
    return classification.LogisticRegression(regParam=0.1, maxIter=5, **_classes(c, c.one(("target_b", "target_k"))))


@last
def class_trees(c: Composer) -> Any:
    made = c.one((classification.DecisionTreeClassifier, classification.RandomForestClassifier))
    return made(maxDepth=3, seed=1, leafCol=c.name(), **_classes(c, "target_k"))


@last
def bayes(c: Composer) -> Any:
    return classification.NaiveBayes(modelType="gaussian", **_classes(c, "target_k"))


@last
def perceptrons(c: Composer) -> Any:
    columns = _classes(c, "target_k")
    columns["featuresCol"] = c.vector(8)
    layers = [c.vectors[columns["featuresCol"]], 3, 3]
    return classification.MultilayerPerceptronClassifier(layers=layers, maxIter=3, seed=1, **columns)


@last
def machines(c: Composer) -> Any:
    columns = _classes(c, "target_b")
    del columns["probabilityCol"]
    return classification.LinearSVC(maxIter=3, **columns)


@last
def against_the_rest(c: Composer) -> Any:
    columns = _classes(c, "target_k")
    del columns["probabilityCol"], columns["rawPredictionCol"]  # whose name PySpark does not save
    return classification.OneVsRest(classifier=classification.LogisticRegression(maxIter=3), **columns)


@last
def machines_of_factors(c: Composer) -> Any:
    if c.r.random() < 0.5:
        return regression.FMRegressor(factorSize=2, maxIter=2, seed=1, **_number(c))
    return classification.FMClassifier(factorSize=2, maxIter=2, seed=1, **_classes(c, "target_b"))


@last
def steps(c: Composer) -> Any:
    return regression.IsotonicRegression(featureIndex=0, isotonic=c.r.random() < 0.5, **_number(c))


@last
def ratings(c: Composer) -> Any:
    out = c.name()
    c.numbers.append(out)
    columns = {"userCol": "c0", "itemCol": c.one(c.codes), "ratingCol": "target_y"}
    return recommendation.ALS(rank=2, maxIter=1, seed=1, **columns).setPredictionCol(out)


@last
def tuned(c: Composer) -> Any:
    inner = regression.LinearRegression(maxIter=3, **_number(c))
    tried = [{inner.regParam: 0.1}, {inner.regParam: 1.0}]
    judge = evaluation.RegressionEvaluator(labelCol="target_y", predictionCol=inner.getPredictionCol())
    columns = {"estimator": inner, "estimatorParamMaps": tried, "evaluator": judge, "seed": 1}
    return tuning.CrossValidator(numFolds=2, **columns) if c.r.random() < 0.5 else tuning.TrainValidationSplit(**columns)


def _fitting(makers: Makers, known: set[str]) -> Makers:
    """Return the makers whose stages can be exported; others are for a later exporter."""
    return [make for make in makers if make.__name__ not in LATER or LATER[make.__name__] in known]


@maker
def cosines(c: Composer) -> Any:
    return feature.DCT(inverse=c.r.random() < 0.5, **_same(c))


@maker
def split_by_pattern(c: Composer) -> Any:
    source, out = c.one(c.sentences), c.name()
    c.tokens.append(out)
    return feature.RegexTokenizer(inputCol=source, outputCol=out, pattern="\\s+", toLowercase=c.r.random() < 0.5)


@maker
def statements(c: Composer) -> Any:
    left, right, out = c.one(c.numbers), c.one(c.numbers), c.name()
    c.numbers.append(out)
    return feature.SQLTransformer(
        statement=f"SELECT *, CASE WHEN {left} > 1 THEN {left} - {right} ELSE {left} * 2 END AS {out} FROM __THIS__"
    )


LATER = {"cosines": "DCT", "split_by_pattern": "RegexTokenizer", "statements": "SQLTransformer"}


def compose(seed: str) -> list[Any]:
    """Return the stages of a seed."""
    c = Composer(random.Random(seed))
    known = {name.rsplit(".", 1)[-1] for name in OPS}
    makers, ends = _fitting(MAKERS, known), _fitting(LAST, known)
    count = c.r.randint(LEAST, MOST)
    stages = []
    while len(stages) < count:
        make = c.r.choice(ends if c.r.random() < 0.2 or len(stages) == count - 1 else makers)
        stages.append(make(c))
    if c.r.random() < 0.3:  # a pipeline within
        middle = count // 2
        return [Nested(stages=stages[:middle]), *stages[middle:]]
    return stages


def drawn(seed: str) -> Pipeline:
    """Return the pipeline of a seed."""
    return Pipeline(f"random_{seed}", INPUTS, functools.partial(compose, seed), False, (), 150, seed, ROWS)


def _fits(context: Context, pipeline: Pipeline) -> bool:
    """Say whether Spark fits the pipeline and answers rows of it."""
    try:
        solve(context, pipeline)
    except (Py4JJavaError, PySparkException, StopIteration) as why:
        print(f"      {pipeline.name}: {type(why).__name__} {' '.join(str(why).split())[:300]}", flush=True)
        return False
    return True


def run(context: Context, result: Result, seed: str, count: int) -> None:
    """Check so many pipelines that Spark can fit; of DRAWS for each, most often every second is."""
    print(f"random pipelines of seed {seed}", flush=True)
    pipelines = (drawn(f"{seed}_{i}") for i in range(DRAWS * count))
    fitted = itertools.islice((p for p in pipelines if _fits(context, p)), count)
    done = sum(run_pipeline(context, pipeline, result) is not None for pipeline in fitted)
    print(f"{result.note(done == count)} {done} of {count} random pipelines", flush=True)
