# SPDX-License-Identifier: Apache-2.0
"""Each stage as its documentation uses it: defaults and usual settings, one short program a stage."""

from __future__ import annotations

from pyspark.ml import Pipeline, feature
from pyspark.ml.classification import (
    DecisionTreeClassifier,
    FMClassifier,
    GBTClassifier,
    LinearSVC,
    LogisticRegression,
    MultilayerPerceptronClassifier,
    NaiveBayes,
    OneVsRest,
    RandomForestClassifier,
)
from pyspark.ml.clustering import BisectingKMeans, GaussianMixture, KMeans
from pyspark.ml.evaluation import BinaryClassificationEvaluator, RegressionEvaluator
from pyspark.ml.linalg import Vectors
from pyspark.ml.recommendation import ALS
from pyspark.ml.regression import (
    AFTSurvivalRegression,
    DecisionTreeRegressor,
    FMRegressor,
    GBTRegressor,
    GeneralizedLinearRegression,
    IsotonicRegression,
    LinearRegression,
    RandomForestRegressor,
)
from pyspark.ml.tuning import CrossValidator, ParamGridBuilder, TrainValidationSplit

from pipelines.table import Stages, nums, pipeline
from rows import INF, Code, Flag, Number, Text, Vec
from tokens import Sentence, Tokens

FEATURES = Vec("features", size=4)
TRAIN = 120


def documented(*columns, drops: bool = False):
    """Put a program into the table; CI may draw it."""
    return pipeline(*columns, ci=True, train=TRAIN, drops=drops)


# -- features


@documented(Sentence("sentence"))
def doc_tf_idf() -> Stages:
    words = feature.Tokenizer(inputCol="sentence", outputCol="words")
    hashes = feature.HashingTF(inputCol="words", outputCol="rawFeatures", numFeatures=20)
    return [words, hashes, feature.IDF(inputCol="rawFeatures", outputCol="features")]


@documented(Tokens("text"))
def doc_word2_vec() -> Stages:
    return [feature.Word2Vec(vectorSize=3, minCount=0, seed=42, inputCol="text", outputCol="result")]


@documented(Tokens("words"))
def doc_count_vectorizer() -> Stages:
    return [feature.CountVectorizer(inputCol="words", outputCol="features", vocabSize=3, minDF=2.0)]


@documented(Number("real"), Flag("bool"), Number("stringNum", "int"), Text("string", unseen=True))
def doc_feature_hasher() -> Stages:
    return [feature.FeatureHasher(inputCols=["real", "bool", "stringNum", "string"], outputCol="features")]


@documented(Tokens("raw"))
def doc_stop_words_remover() -> Stages:
    return [feature.StopWordsRemover(inputCol="raw", outputCol="filtered")]


@documented(Tokens("words"))
def doc_n_gram() -> Stages:
    return [feature.NGram(n=2, inputCol="words", outputCol="ngrams")]


@documented(Number("feature"))
def doc_binarizer() -> Stages:
    return [feature.Binarizer(threshold=0.5, inputCol="feature", outputCol="binarized_feature")]


@documented(FEATURES)
def doc_pca() -> Stages:
    return [feature.PCA(k=3, inputCol="features", outputCol="pcaFeatures")]


@documented(FEATURES)
def doc_polynomial_expansion() -> Stages:
    return [feature.PolynomialExpansion(degree=3, inputCol="features", outputCol="polyFeatures")]


@documented(Text("category"))
def doc_string_indexer() -> Stages:
    indexer = feature.StringIndexer(inputCol="category", outputCol="categoryIndex")
    return [indexer, feature.IndexToString(inputCol="categoryIndex", outputCol="originalCategory", labels=list("abcdef"))]


@documented(Code("categoryIndex1"), Code("categoryIndex2"))
def doc_one_hot_encoder() -> Stages:
    names = ["categoryIndex1", "categoryIndex2"]
    return [feature.OneHotEncoder(inputCols=names, outputCols=["categoryVec1", "categoryVec2"])]


@documented([Code(f"c{i}", values=tuple(map(float, range(i + 2)))) for i in range(4)])
def doc_vector_indexer() -> Stages:
    names = [f"c{i}" for i in range(4)]
    return [
        feature.VectorAssembler(inputCols=names, outputCol="features"),
        feature.VectorIndexer(inputCol="features", outputCol="indexed", maxCategories=3),
    ]


@documented(nums("id", 7))
def doc_interaction() -> Stages:
    vectors = [
        feature.VectorAssembler(inputCols=[f"id{i}" for i in some], outputCol=out)
        for some, out in (((1, 2, 3), "vec1"), ((4, 5, 6), "vec2"))
    ]
    return [*vectors, feature.Interaction(inputCols=["id0", "vec1", "vec2"], outputCol="interactedCol")]


@documented(FEATURES)
def doc_normalizer() -> Stages:
    manhattan = feature.Normalizer(inputCol="features", outputCol="normFeatures", p=1.0)
    return [manhattan, feature.Normalizer(inputCol="features", outputCol="lInfNorm", p=INF)]


@documented(FEATURES)
def doc_scalers() -> Stages:
    return [
        feature.StandardScaler(inputCol="features", outputCol="standard", withStd=True, withMean=False),
        feature.RobustScaler(
            inputCol="features", outputCol="robust", withScaling=True, withCentering=False, lower=0.25, upper=0.75
        ),
        feature.MinMaxScaler(inputCol="features", outputCol="minMax"),
        feature.MaxAbsScaler(inputCol="features", outputCol="maxAbs"),
    ]


@documented(Number("feature"))
def doc_bucketizer() -> Stages:
    return [feature.Bucketizer(splits=[-INF, -0.5, 0.0, 0.5, INF], inputCol="feature", outputCol="bucketed")]


@documented(Vec("vector", size=3))
def doc_elementwise_product() -> Stages:
    weights = Vectors.dense([0.0, 1.0, 2.0])
    return [feature.ElementwiseProduct(scalingVec=weights, inputCol="vector", outputCol="transformedVector")]


@documented(Number("hour", "int"), Number("mobile"), Vec("userFeatures", size=3, shadowed=True))
def doc_vector_assembler() -> Stages:
    hint = feature.VectorSizeHint(inputCol="userFeatures", handleInvalid="skip", size=3)
    return [hint, feature.VectorAssembler(inputCols=["hour", "mobile", "userFeatures"], outputCol="features")]


@documented(Number("hour"))
def doc_quantile_discretizer() -> Stages:
    return [feature.QuantileDiscretizer(numBuckets=3, inputCol="hour", outputCol="result")]


@documented(Number("a", nan=True), Number("b", nan=True))
def doc_imputer() -> Stages:
    return [feature.Imputer(inputCols=["a", "b"], outputCols=["out_a", "out_b"])]


@documented(FEATURES)
def doc_vector_slicer() -> Stages:
    return [feature.VectorSlicer(inputCol="features", outputCol="slice", indices=[1, 3])]


@documented(Text("country"), Number("hour", "int"))
def doc_r_formula() -> Stages:
    formula = "target_b ~ country + hour"
    return [feature.RFormula(formula=formula, featuresCol="features", labelCol="label")]


@documented([Code(f"c{i}") for i in range(4)])
def doc_selectors() -> Stages:
    univariate = feature.UnivariateFeatureSelector(
        featuresCol="features", outputCol="univariate", labelCol="target_b", selectionMode="numTopFeatures"
    )
    univariate.setFeatureType("continuous").setLabelType("categorical").setSelectionThreshold(1)
    return [
        feature.VectorAssembler(inputCols=[f"c{i}" for i in range(4)], outputCol="features"),
        feature.ChiSqSelector(numTopFeatures=1, featuresCol="features", outputCol="chi", labelCol="target_b"),
        univariate,
        feature.VarianceThresholdSelector(featuresCol="features", varianceThreshold=0.5, outputCol="variance"),
    ]


@documented(Vec("features", size=2))
def doc_random_projection() -> Stages:
    return [
        feature.BucketedRandomProjectionLSH(
            inputCol="features", outputCol="hashes", bucketLength=2.0, numHashTables=3, seed=12345
        )
    ]


@documented(Vec("features", size=6, plain=True))
def doc_min_hash() -> Stages:
    return [feature.MinHashLSH(inputCol="features", outputCol="hashes", numHashTables=5, seed=12345)]


# -- classification


@documented(FEATURES)
def doc_logistic_regression() -> Stages:
    return [LogisticRegression(maxIter=10, regParam=0.3, elasticNetParam=0.8, labelCol="target_b")]


@documented(FEATURES)
def doc_multinomial() -> Stages:
    made = LogisticRegression(maxIter=10, regParam=0.3, elasticNetParam=0.8, family="multinomial", labelCol="target_b")
    return [made]


def _indexed(classifier) -> Stages:
    """Return the usual program of trees: labels and categories indexed, labels of predictions converted back."""
    return [
        feature.VectorIndexer(inputCol="features", outputCol="indexedFeatures", maxCategories=4),
        classifier,
        feature.IndexToString(inputCol="prediction", outputCol="predictedLabel", labels=["no", "maybe", "yes"]),
    ]


@documented(FEATURES)
def doc_decision_tree_classifier() -> Stages:
    return _indexed(DecisionTreeClassifier(labelCol="target_k", featuresCol="indexedFeatures"))


@documented(FEATURES)
def doc_random_forest_classifier() -> Stages:
    return _indexed(RandomForestClassifier(labelCol="target_k", featuresCol="indexedFeatures", numTrees=10, seed=1))


@documented(FEATURES)
def doc_gbt_classifier() -> Stages:
    return _indexed(GBTClassifier(labelCol="target_b", featuresCol="indexedFeatures", maxIter=10, seed=1))


@documented(FEATURES)
def doc_multilayer_perceptron() -> Stages:
    return [MultilayerPerceptronClassifier(maxIter=20, layers=[4, 5, 4, 3], blockSize=128, seed=1234, labelCol="target_k")]


@documented(FEATURES)
def doc_linear_svc() -> Stages:
    return [LinearSVC(maxIter=10, regParam=0.1, labelCol="target_b")]


@documented(FEATURES)
def doc_one_vs_rest() -> Stages:
    logistic = LogisticRegression(maxIter=10, tol=1e-6, fitIntercept=True)
    return [OneVsRest(classifier=logistic, labelCol="target_k")]


@documented([Code(f"c{i}") for i in range(3)])
def doc_naive_bayes() -> Stages:
    return [
        feature.VectorAssembler(inputCols=[f"c{i}" for i in range(3)], outputCol="features"),
        NaiveBayes(smoothing=1.0, modelType="multinomial", labelCol="target_k"),
    ]


@documented(Vec("features", size=4, plain=True))
def doc_factorization_machines() -> Stages:
    scaled = feature.MinMaxScaler(inputCol="features", outputCol="scaledFeatures")
    classes = FMClassifier(labelCol="target_b", featuresCol="scaledFeatures", stepSize=0.001, maxIter=5, seed=1)
    numbers = FMRegressor(
        labelCol="target_y", featuresCol="scaledFeatures", stepSize=0.001, maxIter=5, seed=1, predictionCol="number"
    )
    return [scaled, classes, numbers]


# -- regression


@documented(FEATURES)
def doc_linear_regression() -> Stages:
    return [LinearRegression(maxIter=10, regParam=0.3, elasticNetParam=0.8, labelCol="target_y")]


@documented(FEATURES)
def doc_generalized_linear_regression() -> Stages:
    return [
        GeneralizedLinearRegression(family="gaussian", link="identity", maxIter=10, regParam=0.3, labelCol="target_y")
    ]


@documented(FEATURES)
def doc_tree_regressors() -> Stages:
    given = {"labelCol": "target_y", "featuresCol": "indexedFeatures"}
    return [
        feature.VectorIndexer(inputCol="features", outputCol="indexedFeatures", maxCategories=4),
        DecisionTreeRegressor(predictionCol="tree", **given),
        RandomForestRegressor(predictionCol="forest", seed=1, **given),
        GBTRegressor(predictionCol="boosted", maxIter=10, seed=1, **given),
    ]


@documented(Vec("features", size=2, plain=True), Code("time", values=(0.5, 1.218, 2.949, 3.627)))
def doc_survival_regression() -> Stages:
    return [
        AFTSurvivalRegression(
            labelCol="time", censorCol="target_b", quantileProbabilities=[0.3, 0.6], quantilesCol="quantiles"
        )
    ]


@documented(Vec("features", size=1))
def doc_isotonic_regression() -> Stages:
    return [IsotonicRegression(labelCol="target_y")]


# -- clusters and recommendations


@documented(Vec("features", size=3), drops=True)  # Spark throws where an entry is NaN
def doc_k_means() -> Stages:
    return [KMeans().setK(2).setSeed(1)]


@documented(Vec("features", size=3), drops=True)  # Spark throws where an entry is NaN
def doc_bisecting_k_means() -> Stages:
    return [BisectingKMeans().setK(2).setSeed(1)]


@documented(Vec("features", size=3))
def doc_gaussian_mixture() -> Stages:
    return [GaussianMixture().setK(2).setSeed(538009335)]


@documented([Code(name, "int", values=tuple(range(7))) for name in ("userId", "movieId")])
def doc_als() -> Stages:
    return [
        ALS(
            maxIter=5, regParam=0.01, userCol="userId", itemCol="movieId", ratingCol="target_y", coldStartStrategy="drop", seed=1
        )
    ]


# -- pipelines and tuning


@documented(Sentence("text"))
def doc_pipeline() -> Stages:
    words = feature.Tokenizer(inputCol="text", outputCol="words")
    hashes = feature.HashingTF(inputCol="words", outputCol="features")
    return [Pipeline(stages=[words, hashes, LogisticRegression(maxIter=10, regParam=0.001, labelCol="target_b")])]


@documented(FEATURES)
def doc_cross_validator() -> Stages:
    logistic = LogisticRegression(maxIter=5, labelCol="target_b")
    grid = ParamGridBuilder().addGrid(logistic.regParam, [0.1, 0.01]).build()
    judge = BinaryClassificationEvaluator(labelCol="target_b")
    return [CrossValidator(estimator=logistic, estimatorParamMaps=grid, evaluator=judge, numFolds=2, seed=1)]


@documented(FEATURES)
def doc_train_validation_split() -> Stages:
    linear = LinearRegression(maxIter=5, labelCol="target_y")
    grid = ParamGridBuilder().addGrid(linear.fitIntercept, [False, True]).build()
    judge = RegressionEvaluator(labelCol="target_y")
    return [
        TrainValidationSplit(estimator=linear, estimatorParamMaps=grid, evaluator=judge, trainRatio=0.8, seed=1)
    ]
