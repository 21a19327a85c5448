# SPDX-License-Identifier: Apache-2.0
"""Which pipelines CI takes: by seed, so that each op stands in one and all have their turn."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

#: Estimators whose models are called otherwise than by the rules below.
MADE = {
    "QuantileDiscretizer": ("Bucketizer",),
    "LDA": ("LocalLDAModel",),
    "RFormula": ("ColumnPruner", "VectorAttributeRewriter", "VectorAssembler"),
}
RULES = (("", ""), ("$", "Model"), ("Classifier", "ClassificationModel"), ("Regressor", "RegressionModel"))


def _within(stage: Any) -> list[Any]:
    """Return the stages that become stages of the bundle; the models of a OneVsRest do not."""
    if hasattr(stage, "getStages"):
        return list(stage.getStages())
    return [stage.getEstimator()] if hasattr(stage, "getEstimator") else []


def classes_of(stages: Sequence[Any], known: set[str]) -> set[str]:
    """Return the classes of `known` that a fit of these stages is expected to give."""
    found: set[str] = set()
    for stage in stages:
        name = type(stage).__name__
        names = [f"{name}$".replace(old, new).rstrip("$") if old else name for old, new in RULES]
        found.update(known.intersection([*names, *MADE.get(name, ())]))
        found |= classes_of(_within(stage), known)
    return found


def draw(pipelines: Sequence[Any], known: set[str], seed: str) -> list[Any]:
    """Return pipelines that hold every known class, the rarest drawn first, in the table's order."""
    r = random.Random(seed)
    held = {p.name: classes_of(p.stages(), known) for p in pipelines}
    holders = {name: [p for p in pipelines if name in held[p.name]] for name in sorted(known)}
    chosen: dict[str, Any] = {}
    for name in sorted(holders, key=lambda name: len(holders[name])):
        if holders[name] and not any(name in held[p] for p in chosen):
            drawn = r.choice(holders[name])
            chosen[drawn.name] = drawn
    return [p for p in pipelines if p.name in chosen]
