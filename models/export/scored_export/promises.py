# SPDX-License-Identifier: Apache-2.0
"""Which switches of the platform a stage's outputs depend on, by its parameters alone, its data unread."""

from __future__ import annotations

from collections.abc import Callable

from scored_export.glm import LINK_NEEDS, family_of
from scored_export.needs import BLAS, EXP, LOCALE, LOG, LOWER, POW, REGEX, RULES
from scored_export.ops import OPS
from scored_export.ops.base import Columns
from scored_export.saved import SavedStage
from scored_export.values import saved_number

Needs = dict[str, set[str]]

#: Op -> what rawPrediction and probability depend on.
CLASSIFIERS: dict[str, tuple[set[str], set[str]]] = {
    "logistic_regression": ({BLAS}, {BLAS, EXP}),
    "decision_tree_classification": (set(), set()),
    "random_forest_classification": (set(), set()),
    "gbt_classification": ({BLAS}, {BLAS, EXP}),
    "fm_classification": ({BLAS}, {BLAS, EXP}),
    "multilayer_perceptron": ({BLAS, EXP}, {BLAS, EXP}),
}
#: Op -> what all of its outputs depend on.
ALL = {
    "linear_regression": {BLAS},
    "gbt_regression": {BLAS},
    "linear_svc": {BLAS},
    "pca": {BLAS},
    "gaussian_mixture": {BLAS, EXP},
    "lda": {BLAS, EXP},
    "fm_regression": {BLAS},
    "bucketed_random_projection_lsh": {BLAS},
    "fp_growth": {RULES},
}
BAYES = {"multinomial": {BLAS}, "complement": {BLAS, EXP, LOG}, "bernoulli": {BLAS, EXP}, "gaussian": {LOG}}
PLAIN_NORMS = (1.0, 2.0, float("inf"))


def _by_probability(op: str, saved: SavedStage) -> bool:
    """Tell whether thresholds choose the class by its probability; a binomial logistic model's do not."""
    thresholds = saved.set.get("thresholds") or []
    two = op == "logistic_regression" and saved.params.get("family") != "multinomial" and len(thresholds) <= 2
    return bool(thresholds) and not two


def _classifier(op: str, saved: SavedStage, outputs: Columns) -> Needs:
    return _classes(*CLASSIFIERS[op], _by_probability(op, saved), outputs)


def _classes(raw: set[str], probability: set[str], by_probability: bool, outputs: Columns) -> Needs:
    from_raw = "rawPredictionCol" in outputs and not by_probability
    return {
        "rawPredictionCol": raw,
        "probabilityCol": probability,
        "predictionCol": raw if from_raw else probability,
    }


def _one_vs_rest(op: str, saved: SavedStage, outputs: Columns) -> Needs:
    raw: Columns = {"rawPredictionCol": []}
    found = [needs_of(OPS[model.java_class].name, model, raw) for model in saved.models]
    needs = {need for one in found for need in one.get("rawPredictionCol", set())}
    return dict.fromkeys(outputs, needs)


def _normalizer(op: str, saved: SavedStage, outputs: Columns) -> Needs:
    return {} if saved_number(saved.params["p"]) in PLAIN_NORMS else {"outputCols": {POW}}


def _naive_bayes(op: str, saved: SavedStage, outputs: Columns) -> Needs:
    raw = BAYES[str(saved.params["modelType"])]
    return _classes(raw, {*raw, EXP}, bool(saved.set.get("thresholds")), outputs)


def _generalized_linear(op: str, saved: SavedStage, outputs: Columns) -> Needs:
    link = family_of(saved)[1]
    return {"linkPredictionCol": {BLAS}, "predictionCol": {BLAS, *LINK_NEEDS.get(link, set())}}


def _survival(op: str, saved: SavedStage, outputs: Columns) -> Needs:
    return {"predictionCol": {BLAS, EXP}, "quantilesCol": {BLAS, EXP, LOG}}


def _clusters(op: str, saved: SavedStage, outputs: Columns) -> Needs:
    cosine = saved.params.get("distanceMeasure") == "cosine"
    return dict.fromkeys(outputs, {BLAS} if cosine else set())


def _remover(op: str, saved: SavedStage, outputs: Columns) -> Needs:
    return {} if saved.params["caseSensitive"] else {"outputCols": {LOWER}}


def _regex_tokenizer(op: str, saved: SavedStage, outputs: Columns) -> Needs:
    return {"outputCols": {REGEX, LOWER, LOCALE} if saved.params["toLowercase"] else {REGEX}}


_BY_OP: dict[str, Callable[[str, SavedStage, Columns], Needs]] = {
    **dict.fromkeys(CLASSIFIERS, _classifier),
    **dict.fromkeys(ALL, lambda op, saved, outputs: dict.fromkeys(outputs, ALL[op])),
    "naive_bayes": _naive_bayes,
    "k_means": _clusters,
    "bisecting_k_means": _clusters,
    "aft_survival_regression": _survival,
    "generalized_linear_regression": _generalized_linear,
    "normalizer": _normalizer,
    "one_vs_rest": _one_vs_rest,
    "tokenizer": lambda op, saved, outputs: {"outputCols": {LOWER, LOCALE}},
    "regex_tokenizer": _regex_tokenizer,
    "stop_words_remover": _remover,
}


def needs_of(op: str, saved: SavedStage, outputs: Columns) -> Needs:
    """Return, for each column parameter, the switches that it depends on; those of its inputs come on top."""
    find = _BY_OP.get(op)
    return find(op, saved, outputs) if find else {}
