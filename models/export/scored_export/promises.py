# SPDX-License-Identifier: Apache-2.0
"""Which switches of the platform a stage's outputs depend on, by its parameters alone, its data unread."""

from __future__ import annotations

from collections.abc import Callable

from scored_export.ops import OPS
from scored_export.ops.base import BLAS, EXP, POW, Columns
from scored_export.saved import SavedStage
from scored_export.values import saved_number

Needs = dict[str, set[str]]

#: Op -> what rawPrediction and probability depend on.
CLASSIFIERS: dict[str, tuple[set[str], set[str]]] = {
    "logistic_regression": ({BLAS}, {BLAS, EXP}),
    "decision_tree_classification": (set(), set()),
    "random_forest_classification": (set(), set()),
    "gbt_classification": ({BLAS}, {BLAS, EXP}),
}
REGRESSIONS = {"linear_regression": {BLAS}, "gbt_regression": {BLAS}}
PLAIN_NORMS = (1.0, 2.0, float("inf"))


def _by_probability(op: str, saved: SavedStage) -> bool:
    """Tell whether thresholds choose the class by its probability; a binomial logistic model's do not."""
    thresholds = saved.set.get("thresholds") or []
    two = op == "logistic_regression" and saved.params.get("family") != "multinomial" and len(thresholds) <= 2
    return bool(thresholds) and not two


def _classifier(op: str, saved: SavedStage, outputs: Columns) -> Needs:
    raw, probability = CLASSIFIERS[op]
    from_raw = "rawPredictionCol" in outputs and not _by_probability(op, saved)
    return {
        "rawPredictionCol": raw,
        "probabilityCol": probability,
        "predictionCol": raw if from_raw else probability,
    }


def _one_vs_rest(op: str, saved: SavedStage, outputs: Columns) -> Needs:
    classifiers = [CLASSIFIERS.get(OPS[model.java_class].name) for model in saved.models]
    needs = {need for found in classifiers if found for need in found[0]}
    return dict.fromkeys(outputs, needs)


def _normalizer(op: str, saved: SavedStage, outputs: Columns) -> Needs:
    return {} if saved_number(saved.params["p"]) in PLAIN_NORMS else {"outputCols": {POW}}


_BY_OP: dict[str, Callable[[str, SavedStage, Columns], Needs]] = {
    **dict.fromkeys(CLASSIFIERS, _classifier),
    **dict.fromkeys(REGRESSIONS, lambda op, saved, outputs: {"predictionCol": REGRESSIONS[op]}),
    "normalizer": _normalizer,
    "one_vs_rest": _one_vs_rest,
}


def needs_of(op: str, saved: SavedStage, outputs: Columns) -> Needs:
    """Return, for each column parameter, the switches that it depends on; those of its inputs come on top."""
    find = _BY_OP.get(op)
    return find(op, saved, outputs) if find else {}
