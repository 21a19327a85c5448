# SPDX-License-Identifier: Apache-2.0
"""Stages that hold models, and those that an RFormula puts around its own."""

from __future__ import annotations

from scored_export.errors import Refused
from scored_export.ops.base import Built, Columns, Reading
from scored_export.saved import SavedStage

RAW = "rawPredictionCol"


def model_outputs(holder: SavedStage, model: SavedStage, outputs: Columns) -> Columns:
    """Return what counts of a model's outputs: rawPrediction, by the name that PySpark looks for."""
    name = holder.params[RAW]
    if not name:
        raise Refused(f"{RAW} is empty, and PySpark needs it", f"set {RAW} before fit")
    if outputs.get(RAW) != [name]:
        had = ", ".join(outputs.get(RAW, [])) or "no column"
        raise Refused(
            f"{model.name} {model.uid} makes {had}, and {RAW} is {name}: PySpark needs both to be the same",
            f"set {RAW} before fit",
        )
    return {RAW: [name]}


def one_vs_rest(r: Reading) -> Built:
    """OneVsRestModel: all that it knows is its models'."""
    return Built({})


def vector_attribute_rewriter(r: Reading) -> Built:
    """VectorAttributeRewriter: rewrites metadata, which no row sees."""
    return Built({})


def present_columns(r: Reading) -> tuple[Columns, Columns]:
    """Return the columns of a ColumnPruner that are there."""
    return {key: [name for name in names if name in r.types] for key, names in r.inputs.items()}, {}


def column_pruner(r: Reading) -> Built:
    """ColumnPruner."""
    return Built({})
