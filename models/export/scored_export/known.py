# SPDX-License-Identifier: Apache-2.0
"""Asks the table of ops, and the versions, before Spark loads or saves anything."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from scored_export.errors import Refused
from scored_export.live import java_class, live_stages
from scored_export.ops import OPS, register_installed
from scored_export.ops.base import Op
from scored_export.saved import SavedStage, release

#: Ensembles are saved differently from this release of Spark on, which earlier ones do not read.
ENSEMBLES_CHANGED = (4, 1)
#: Classes that are refused for a reason of their own, and what to do instead.
REFUSED = {
    "org.apache.spark.ml.clustering.DistributedLDAModel": (
        "draws at random anew wherever it is loaded, and answers otherwise each time: it",
        "export what its toLocal() returns, or fit with optimizer=online",
    ),
}
#: What Spark's own classes begin with.
SPARKS = ("org.apache.spark.ml.", "pyspark.ml.")
UNFITTED = ("Pipeline", "CrossValidator", "TrainValidationSplit")


def _fits(estimator: str) -> str:
    """Return the class that an estimator of Spark's fits."""
    return re.sub("Regressor$", "Regression", re.sub("Classifier$", "Classification", estimator)) + "Model"


def op_of(its_class: str, *, name: str, uid: str, saved_by: str = "") -> Op:
    """Return the op of a stage's class, or refuse the stage.

    Parameters
    ----------
    saved_by : str
        Version of the Spark that saved it; empty where it is not saved yet.
    """
    if its_class not in OPS and not its_class.startswith(SPARKS):
        register_installed()
    op = OPS.get(its_class)
    if op is not None:
        return op
    what = f"{its_class}, saved by Spark {saved_by}," if saved_by else its_class
    if _fits(its_class) in OPS or its_class.rsplit(".", 1)[-1] in UNFITTED:
        cure = "call fit, and export what it returns"
        raise Refused(f"{what} is not fitted", cure, stage=name, uid=uid)
    if its_class in REFUSED:
        why, cure = REFUSED[its_class]
        raise Refused(f"{what} {why} cannot be exported", cure, stage=name, uid=uid)
    if not its_class.startswith(SPARKS):
        cure = "install a package that registers one (see scored_export.ops), or use a stage of Spark's own"
        raise Refused(f"{what} cannot be exported: no op is registered for it", cure, stage=name, uid=uid)
    known = ", ".join(sorted(name.rsplit(".", 1)[-1] for name in OPS))
    cure = f"use fitted stages of these classes: {known}"
    raise Refused(f"{what} cannot be exported", cure, stage=name, uid=uid)


def _check_holds(op: Op, *, name: str, uid: str) -> None:
    """Refuse what a OneVsRestModel may not hold."""
    if op.name == "one_vs_rest" or "rawPredictionCol" not in op.outs:
        what = f"a OneVsRestModel of {op.java_class.rsplit('.', 1)[-1]} cannot be exported"
        raise Refused(what, "fit it with a classifier that makes rawPrediction", stage=name, uid=uid)


def check_saved(stages: Sequence[SavedStage], spark: Any, *, held: bool = False) -> None:
    """Refuse stages that no bundle holds, or that this Spark does not read."""
    for stage in stages:
        check_saved(stage.models, spark, held=True)
        op = op_of(stage.java_class, name=stage.name, uid=stage.uid, saved_by=stage.saved_by)
        if held:
            _check_holds(op, name=stage.name, uid=stage.uid)
        changed = op.ensemble and release(stage.saved_by) >= ENSEMBLES_CHANGED
        if changed and release(spark.version) < ENSEMBLES_CHANGED:
            raise Refused(
                f"{stage.java_class}, saved by Spark {stage.saved_by}, is not read by Spark {spark.version}",
                f"export with Spark {'.'.join(map(str, ENSEMBLES_CHANGED))} or newer",
                stage=stage.name,
                uid=stage.uid,
            )


def check_live(model: Any) -> None:
    """Refuse stages that no bundle holds; those without a class on the JVM are Python's own."""
    for stage in live_stages(model):
        _check_live(stage)
        for held in getattr(stage, "models", []):
            _check_holds(_check_live(held), name=type(held).__name__, uid=str(held.uid))


def _check_live(stage: Any) -> Op:
    found = java_class(stage)
    return op_of(found, name=found.rsplit(".", 1)[-1], uid=str(getattr(stage, "uid", "")))
