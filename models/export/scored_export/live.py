# SPDX-License-Identifier: Apache-2.0
"""Stages as PySpark's objects, and their way to disk and back, with what the exporter reads of them.

Each stage is loaded and saved by itself, several at once: to Spark each is a few jobs, which mostly wait.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib import import_module
from typing import Any, TypeVar

from scored_export.errors import Refused
from scored_export.ops import OPS
from scored_export.paths import qualified
from scored_export.saved import SavedStage, read_stages
from scored_export.spark_says import refusal

AT_ONCE = 4

One, Other = TypeVar("One"), TypeVar("Other")


def _each(work: Callable[[One], Other], things: Iterable[One]) -> list[Other]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(work, things))


def live_stages(model: Any) -> list[Any]:
    """Return the stages of a live model, nested pipelines flattened depth first."""
    if hasattr(model, "bestModel"):
        return live_stages(model.bestModel)
    if type(model).__name__ == "PipelineModel":
        return [stage for child in model.stages for stage in live_stages(child)]
    return [model]


def _read_ahead(saved: SavedStage) -> None:
    """Read a stage's data before it is asked for; what goes wrong is told when it is."""
    if OPS[saved.java_class].one_row:
        with suppress(Exception):
            saved.row()


def _load(saved: SavedStage) -> Any:
    module, _, name = saved.java_class.replace("org.apache.spark", "pyspark").rpartition(".")
    try:
        live = getattr(import_module(module), name).load(saved.path)
    except Exception as error:
        raise saved.refusal(error) from error
    _read_ahead(saved)
    return live


def load_stages(stages: Iterable[SavedStage]) -> list[Any]:
    """Return saved stages as PySpark's objects."""
    return _each(_load, stages)


def save_stages(spark: Any, stages: Iterable[Any], folder: str) -> list[SavedStage]:
    """Save live stages below a folder, and return what its files say."""

    def save(numbered: tuple[int, Any]) -> SavedStage:
        number, stage = numbered
        name, uid = type(stage).__name__, str(stage.uid)
        if not hasattr(stage, "write"):
            raise Refused(f"{name} cannot be saved", "use Spark's own stages")
        path = f"{folder}/{number}"
        try:
            stage.write().overwrite().save(qualified(path))
        except Exception as error:
            raise refusal(error, "Spark cannot save the model", spark=spark).at(name, uid) from error
        saved = read_stages(spark, path)[0]
        _read_ahead(saved)
        return saved

    return _each(save, enumerate(stages))
