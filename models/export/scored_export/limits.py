# SPDX-License-Identifier: Apache-2.0
"""Refuses what every reader refuses for its size, by the limits of ``include/scored/bounds.h``."""

from __future__ import annotations

from scored_export.errors import Refused
from scored_export.plan import Plan, Stage

#: By the names of bounds.h; a test compares them.
BOUNDS = {
    "BLOCKS": 1 << 16,
    "STAGES": 1000,
    "MODELS": 1000,
    "COLUMNS": 4096,
    "INPUTS": 2048,
    "NAME": 256,
    "TREES": 1 << 20,
    "CLASSES": 1 << 16,
    "FEATURES": 1 << 30,
    "EXPANDED": 1 << 24,
}
HIDDEN = 2  # columns that a reader adds for a classifier whose own have no names
HIDDEN_OF_MODEL = 3  # and for a model that a stage holds
SPLIT = "split the pipeline"


def _check(what: str, count: int, bound: str, cure: str) -> None:
    if count > BOUNDS[bound]:
        raise Refused(f"{what}: {count}, and a bundle holds at most {BOUNDS[bound]}", cure)


def _check_stage(stage: Stage) -> None:
    _check("bytes of the uid", len(stage.saved.uid.encode()), "NAME", "give the stage a shorter uid")
    _check("classes", int(stage.params.get("numClasses", 0)), "CLASSES", "predict fewer classes")
    _check("slots of a vector", int(stage.params.get("numFeatures", 0)), "FEATURES", "set fewer numFeatures")
    trees = next((len(b) for name, b in stage.blocks.items() if name.endswith(".forest.tree_weight")), 0)
    _check("trees", trees, "TREES", "fit fewer trees")
    for name, value in stage.params.items():
        if isinstance(value, dict) and value.get("kind") == "sparse" and "size" in value:
            _check(f"entries of the sparse {name}", value["size"], "EXPANDED", "use fewer features")


def check_plan(plan: Plan) -> None:
    """Refuse a plan with more of something than a bundle holds, or without any input."""
    if not plan.inputs:
        raise Refused("no stage reads a column of the sample", "leave out what answers every row alike")
    _check("input columns", len(plan.inputs), "INPUTS", "assemble them into a vector first")
    _check("stages", len(plan.stages), "STAGES", SPLIT)
    hidden = sum(HIDDEN for stage in plan.stages if "numClasses" in stage.params)
    hidden += sum(1 + HIDDEN_OF_MODEL * len(stage.models) for stage in plan.stages if stage.models)
    _check("columns", len(plan.inputs) + len(plan.added) + hidden, "COLUMNS", SPLIT)
    _check("blocks", sum(len(stage.all_blocks()) for stage in plan.stages), "BLOCKS", SPLIT)
    for stage in plan.stages:
        try:
            _check("models", len(stage.models), "MODELS", "predict fewer classes")
            for part in (stage, *stage.models):
                _check_stage(part)
        except Refused as error:
            raise error.at(stage.saved.name, stage.saved.uid) from None
