# SPDX-License-Identifier: Apache-2.0
"""Finds what a classifier's classes are called: the labels of the StringIndexerModel that made its label."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from scored_export.ops import OPS
from scored_export.ops.indexers import label_lists
from scored_export.plan import NAME_BYTES, PREDICTORS, Plan, Stage
from scored_export.result import LABEL, Pruned
from scored_export.saved import SavedStage
from scored_export.values import dumps

Labels = dict[str, list[str]]

CLASSIFIERS = ".ml.classification."
INDEXER = "org.apache.spark.ml.feature.StringIndexerModel"
#: What Spark calls the index of a null or unseen label under handleInvalid=keep.
UNKNOWN = "__unknown"
LABELS = 1000
LABEL_BYTES = 1024
ALL_BYTES = 1 << 16


def _outputs(saved: SavedStage) -> list[str]:
    """Return the columns that a stage makes."""
    op = OPS.get(saved.java_class)
    return [name for names in op.columns(saved)[1].values() for name in names] if op else []


def _maker(stages: Sequence[SavedStage], column: str) -> SavedStage | None:
    """Return the last of the stages that makes a column."""
    return next((saved for saved in reversed(stages) if column in _outputs(saved)), None)


def _labels_of(indexer: SavedStage, column: str) -> list[str]:
    """Return what the values of a StringIndexerModel's output stand for."""
    lists, made = label_lists(indexer), _outputs(indexer)
    labels = lists[made.index(column)] if len(lists) == len(made) else []
    return [*labels, UNKNOWN] if labels and indexer.params["handleInvalid"] == "keep" else labels


def _classes(stage: Stage) -> int:
    """Return how many classes a classifier has, 0 where that is unknown."""
    known = stage.params.get("numClasses") or getattr(stage.live, "numClasses", None)
    return int(known or len(getattr(stage.live, "models", [])))


def _can_stand(labels: Sequence[str]) -> bool:
    """Tell whether the manifest can hold the labels: they are few and short, and texts of JSON."""
    try:
        sizes = [len(label.encode()) for label in labels]
    except UnicodeEncodeError:
        return False
    nul = any("\0" in label for label in labels)
    small = len(labels) <= LABELS and max(sizes) <= LABEL_BYTES and len(dumps(labels).encode()) <= ALL_BYTES
    return small and not nul


def _labels(stage: Stage, before: Sequence[SavedStage]) -> list[str]:
    """Return the labels of a classifier's classes, none where they are not known for each class."""
    column = stage.saved.params.get("labelCol", "label")
    indexer = _maker(before, column)
    if indexer is None or indexer.java_class != INDEXER:
        return []
    labels = _labels_of(indexer, column)
    classes = _classes(stage) or len(labels)
    labels = labels[:classes]
    return labels if labels and len(labels) == classes and _can_stand(labels) else []


def class_labels(saved: Sequence[SavedStage], plan: Plan) -> Labels:
    """Return the labels of the classes by column: a classifier's prediction, probability and rawPrediction.

    Parameters
    ----------
    saved : sequence of SavedStage
        All stages as saved, those too that the bundle leaves out: the label's indexer is one of them.
    """
    found: Labels = {}
    places = {stage.uid: i for i, stage in enumerate(saved)}
    for stage in plan.stages:
        if CLASSIFIERS not in stage.saved.java_class:
            continue
        labels = _labels(stage, saved[: places[stage.saved.uid]])
        columns = [name for param in PREDICTORS for name in stage.outputs.get(param, [])]
        found.update({name: labels for name in columns if labels and name in plan.added})
    return found


def label_columns(labels: Iterable[str], plan: Plan) -> tuple[list[str], list[Pruned]]:
    """Return the predictions whose label can be asked for by name, and what is left out because of its name.

    No stage makes these columns: the daemon adds them, by the same rule.
    """
    given = [name for name in labels if plan.type_of(name) == "double"]
    taken = {name.lower() for name in (*(field.name for field in plan.inputs), *plan.needs)}
    free = [n for n in given if (n + LABEL).lower() not in taken and len((n + LABEL).encode()) <= NAME_BYTES]
    left = [Pruned(n + LABEL, f"the name is taken: no label of {n}") for n in given if n not in free]
    return free, left
