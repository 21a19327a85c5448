# SPDX-License-Identifier: Apache-2.0
"""The table of ops: one row for each kind of fitted stage that can be exported, and those of other packages.

A package that knows by which of the daemon's ops a stage of its own, or of a third library, is computed has
an `Op` for its class, and names it as an entry point of the group `scored_export.ops`, or calls `register`.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from scored_export.errors import Refused
from scored_export.ops import (
    clusters,
    composed,
    factors,
    hashers,
    indexers,
    linear,
    patterns,
    regressions,
    scalers,
    sql,
    texts,
    trees,
    vectors,
)
from scored_export.ops.base import Op
from scored_export.saved import SavedStage
from scored_export.values import ARRAYS, NUMERIC, REAL

_IN, _OUT, _FEATURES = ("inputCols",), ("outputCols",), ("featuresCol",)
_CLASSES = ("rawPredictionCol", "probabilityCol", "predictionCol")
_LEAVES = (*_CLASSES, "leafCol")
_VECTOR = ("vector",)
_TOKENS = ("array<string>",)
_POINTS = ("vector", "array<float>", "array<double>")
_ROW, _TREE, _TREES = {"read": SavedStage.row}, {"read": trees.read_tree}, {"read": trees.read_ensemble}
_ARRAYS = tuple(f"array<{element}>" for element in ("string", "int", "float", "double", "vector"))
_EVERY = (*REAL, "boolean", "string", "date", "timestamp", "vector", *_ARRAYS)
_SELECTORS = ("ChiSqSelector", "UnivariateFeatureSelector", "VarianceThresholdSelector")


# fmt: off
_TABLE = (
    Op("string_indexer", "feature.StringIndexerModel", _IN, _OUT, ("string", *REAL),
       indexers.string_indexer, present=indexers.present_pairs, **_ROW),
    Op("index_to_string", "feature.IndexToString", _IN, _OUT, REAL, indexers.index_to_string),
    Op("one_hot_encoder", "feature.OneHotEncoderModel", _IN, _OUT, REAL, indexers.one_hot_encoder, **_ROW),
    Op("target_encoder", "feature.TargetEncoderModel", _IN, _OUT, NUMERIC, indexers.target_encoder),
    Op("vector_assembler", "feature.VectorAssembler", _IN, ("outputCol",), (*REAL, "boolean", "vector"),
       vectors.vector_assembler),
    Op("imputer", "feature.ImputerModel", _IN, _OUT, REAL, vectors.imputer, shadows=True, **_ROW),
    Op("bucketizer", "feature.Bucketizer", _IN, _OUT, REAL, vectors.bucketizer),
    Op("binarizer", "feature.Binarizer", _IN, _OUT, ("double", "vector"), vectors.binarizer),
    Op("standard_scaler", "feature.StandardScalerModel", _IN, _OUT, _VECTOR, scalers.standard_scaler, **_ROW),
    Op("min_max_scaler", "feature.MinMaxScalerModel", _IN, _OUT, _VECTOR, scalers.min_max_scaler, **_ROW),
    Op("max_abs_scaler", "feature.MaxAbsScalerModel", _IN, _OUT, _VECTOR, scalers.max_abs_scaler, **_ROW),
    Op("robust_scaler", "feature.RobustScalerModel", _IN, _OUT, _VECTOR, scalers.robust_scaler, **_ROW),
    Op("normalizer", "feature.Normalizer", _IN, _OUT, _VECTOR, vectors.normalizer),
    Op("vector_slicer", "feature.VectorSlicer", _IN, _OUT, _VECTOR, vectors.vector_slicer),
    Op("vector_size_hint", "feature.VectorSizeHint", _IN, _OUT, _VECTOR, vectors.vector_size_hint,
       shadows=True, in_place=True),
    Op("vector_attribute_rewriter", "feature.VectorAttributeRewriter", ("vectorCol",), ("vectorCol",),
       _VECTOR, composed.vector_attribute_rewriter, shadows=True, in_place=True),
    Op("column_pruner", "feature.ColumnPruner", ("columnsToPrune",), (), _EVERY, composed.column_pruner,
       drops=True, present=composed.present_columns),
    Op("sql_transformer", "feature.SQLTransformer", _IN, _OUT, _EVERY, sql.sql_transformer, shadows=True,
       projects=True, names=sql.sql_columns, present=sql.present_projection),
    Op("elementwise_product", "feature.ElementwiseProduct", _IN, _OUT, _VECTOR, scalers.elementwise_product),
    *(Op("feature_selector", f"feature.{name}Model", _FEATURES, ("outputCol",), _VECTOR,
         vectors.feature_selector, **_ROW) for name in _SELECTORS),
    Op("polynomial_expansion", "feature.PolynomialExpansion", _IN, _OUT, _VECTOR,
       vectors.polynomial_expansion),
    Op("interaction", "feature.Interaction", _IN, ("outputCol",), (*REAL, "vector"), vectors.interaction),
    Op("vector_indexer", "feature.VectorIndexerModel", _IN, _OUT, _VECTOR, vectors.vector_indexer, **_ROW),
    Op("pca", "feature.PCAModel", _IN, _OUT, _VECTOR, vectors.pca, **_ROW),
    Op("dct", "feature.DCT", _IN, _OUT, _VECTOR, vectors.dct),
    Op("feature_hasher", "feature.FeatureHasher", _IN, ("outputCol",), ("string", "boolean", *REAL),
       hashers.feature_hasher),
    Op("bucketed_random_projection_lsh", "feature.BucketedRandomProjectionLSHModel", _IN, _OUT, _VECTOR,
       hashers.bucketed_random_projection_lsh, **_ROW),
    Op("min_hash_lsh", "feature.MinHashLSHModel", _IN, _OUT, _VECTOR, hashers.min_hash_lsh, **_ROW),
    Op("tokenizer", "feature.Tokenizer", _IN, _OUT, ("string",), texts.tokenizer),
    Op("regex_tokenizer", "feature.RegexTokenizer", _IN, _OUT, ("string",), texts.regex_tokenizer),
    Op("stop_words_remover", "feature.StopWordsRemover", _IN, _OUT, _TOKENS, texts.stop_words_remover),
    Op("n_gram", "feature.NGram", _IN, _OUT, _TOKENS, texts.n_gram),
    Op("hashing_tf", "feature.HashingTF", _IN, _OUT, (*_TOKENS, "array<float>", "array<double>"),
       texts.hashing_tf),
    Op("count_vectorizer", "feature.CountVectorizerModel", _IN, _OUT, _TOKENS, texts.count_vectorizer,
       **_ROW),
    Op("idf", "feature.IDFModel", _IN, _OUT, _VECTOR, texts.idf, **_ROW),
    Op("word2_vec", "feature.Word2VecModel", _IN, _OUT, _TOKENS, texts.word2_vec,
       read=texts.read_words),
    Op("linear_regression", "regression.LinearRegressionModel", _FEATURES, ("predictionCol",), _VECTOR,
       linear.linear_regression, **_ROW),
    Op("generalized_linear_regression", "regression.GeneralizedLinearRegressionModel",
       ("featuresCol", "offsetCol"), ("linkPredictionCol", "predictionCol"), (*NUMERIC, "vector"),
       linear.generalized_linear_regression, **_ROW),
    Op("aft_survival_regression", "regression.AFTSurvivalRegressionModel", _FEATURES,
       ("predictionCol", "quantilesCol"), _VECTOR, regressions.aft_survival_regression, **_ROW),
    Op("isotonic_regression", "regression.IsotonicRegressionModel", _FEATURES, ("predictionCol",),
       ("double", "vector"), regressions.isotonic_regression, **_ROW),
    Op("fm_regression", "regression.FMRegressionModel", _FEATURES, ("predictionCol",), _VECTOR,
       factors.fm_regression, **_ROW),
    Op("logistic_regression", "classification.LogisticRegressionModel", _FEATURES, _CLASSES, _VECTOR,
       linear.logistic_regression, **_ROW),
    Op("linear_svc", "classification.LinearSVCModel", _FEATURES, ("rawPredictionCol", "predictionCol"),
       _VECTOR, linear.linear_svc, **_ROW),
    Op("naive_bayes", "classification.NaiveBayesModel", _FEATURES, _CLASSES, _VECTOR,
       linear.naive_bayes, **_ROW),
    Op("fm_classification", "classification.FMClassificationModel", _FEATURES, _CLASSES, _VECTOR,
       factors.fm_classification, **_ROW),
    Op("multilayer_perceptron", "classification.MultilayerPerceptronClassificationModel", _FEATURES, _CLASSES,
       _VECTOR, regressions.multilayer_perceptron, **_ROW),
    Op("decision_tree_regression", "regression.DecisionTreeRegressionModel", _FEATURES,
       ("predictionCol", "varianceCol", "leafCol"), _VECTOR, trees.decision_tree_regression, **_TREE),
    Op("random_forest_regression", "regression.RandomForestRegressionModel", _FEATURES,
       ("predictionCol", "leafCol"), _VECTOR, trees.random_forest_regression, ensemble=True, **_TREES),
    Op("gbt_regression", "regression.GBTRegressionModel", _FEATURES, ("predictionCol", "leafCol"), _VECTOR,
       trees.gbt_regression, ensemble=True, **_TREES),
    Op("decision_tree_classification", "classification.DecisionTreeClassificationModel", _FEATURES, _LEAVES,
       _VECTOR, trees.decision_tree_classification, **_TREE),
    Op("random_forest_classification", "classification.RandomForestClassificationModel", _FEATURES, _LEAVES,
       _VECTOR, trees.random_forest_classification, ensemble=True, **_TREES),
    Op("gbt_classification", "classification.GBTClassificationModel", _FEATURES, _LEAVES, _VECTOR,
       trees.gbt_classification, ensemble=True, **_TREES),
    Op("one_vs_rest", "classification.OneVsRestModel", _FEATURES, ("rawPredictionCol", "predictionCol"),
       _VECTOR, composed.one_vs_rest),
    Op("k_means", "clustering.KMeansModel", _FEATURES, ("predictionCol",), _POINTS,
       clusters.k_means),
    Op("bisecting_k_means", "clustering.BisectingKMeansModel", _FEATURES, ("predictionCol",),
       _POINTS, clusters.bisecting_k_means),
    Op("gaussian_mixture", "clustering.GaussianMixtureModel", _FEATURES, ("probabilityCol", "predictionCol"),
       _POINTS, clusters.gaussian_mixture),
    Op("lda", "clustering.LocalLDAModel", _FEATURES, ("topicDistributionCol",), _POINTS,
       clusters.lda, **_ROW),
    Op("als", "recommendation.ALSModel", ("userCol", "itemCol"), ("predictionCol",), NUMERIC, factors.als),
    Op("fp_growth", "fpm.FPGrowthModel", ("itemsCol",), ("predictionCol",), ARRAYS, patterns.fp_growth),
)
# fmt: on

OPS = {f"{op.package}{op.java_class}": op for op in _TABLE}
GROUP = "scored_export.ops"


def register(op: Op) -> None:
    """Have the stages of a class exported by this row; one of Spark's own stays as it is.

    Parameters
    ----------
    op : Op
        `package` and `java_class` together are the class as the stage's metadata name it, `name` is one of
        the daemon's ops (`scored ops`), and `build` returns the parameters and blocks that this op reads.

    Raises
    ------
    ValueError
        Where the daemon has no such op, or the class is one of the table's.
    """
    its_class = f"{op.package}{op.java_class}"
    if op.name not in {known.name for known in _TABLE}:
        raise ValueError(f"there is no op {op.name!r} for {its_class}")
    if its_class in _OWN:
        raise ValueError(f"{its_class} has an op of its own")
    OPS[its_class] = op


def _entries() -> list[EntryPoint]:
    """Return what installed packages name; Python 3.9 has no selection."""
    found = entry_points()
    return list(found.select(group=GROUP) if hasattr(found, "select") else found.get(GROUP, []))


def register_installed() -> None:
    """Register the ops that installed packages name, or say which package cannot be used."""
    for entry in _entries():
        try:
            register(entry.load())
        except Exception as why:
            cure = "mend or remove the package that names it"
            what = f"{entry.value}, an op named by an installed package, cannot be used"
            raise Refused(f"{what}: {why}", cure) from why


_OWN = frozenset(OPS)
