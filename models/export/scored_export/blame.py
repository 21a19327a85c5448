# SPDX-License-Identifier: Apache-2.0
"""Finds the stage that no row of a sample passes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scored_export.errors import Refused
from scored_export.plan import Plan
from scored_export.planned import Row
from scored_export.score import Outcome, Scorer

TRIES = 20


def _passes(spark: Any, plan: Plan, count: int, rows: Sequence[Row]) -> bool:
    """Return whether any row is answered by the first stages."""
    from pyspark.ml import PipelineModel

    model = PipelineModel(stages=[stage.live for stage in plan.stages[:count]])
    last = [name for names in plan.stages[count - 1].outputs.values() for name in names]
    if not last:  # it drops columns
        return _passes(spark, plan, count - 1, rows)
    try:
        answers = Scorer(spark, model, plan.inputs, last).score(rows)
    except Refused:  # Spark would see a row before it plans
        return False
    return any(not isinstance(answer, Outcome) for answer in answers)


def no_row_passes(spark: Any, plan: Plan, rows: Sequence[Row]) -> Refused:
    """Return the refusal of a sample of which the pipeline answers nothing, with the stage named."""
    refused = Refused("Spark answers no row of the sample", "give a sample that the pipeline accepts")
    some = rows[:TRIES]
    for count, stage in enumerate(plan.stages, 1):
        if not _passes(spark, plan, count, some):
            return refused.at(stage.saved.name, stage.saved.uid)
    return refused
