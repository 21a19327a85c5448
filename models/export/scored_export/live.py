# SPDX-License-Identifier: Apache-2.0
"""Stages as PySpark's objects, and their way to disk and back, with what the exporter reads of them.

Each stage is loaded and saved by itself, several at once: to Spark each is a few jobs, which mostly wait.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from importlib import import_module
from typing import Any, TypeVar

from scored_export.errors import Refused
from scored_export.ops import OPS
from scored_export.paths import qualified
from scored_export.saved import DATA, FORMULA, ONE_VS_REST, SavedStage, numbered, on_jvm, read_stages, release
from scored_export.spark_says import refusal

AT_ONCE = 4
BROADCAST = "spark.sql.autoBroadcastJoinThreshold"

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
    if java_class(model) == FORMULA:
        return [_numbered(stage, i) for i, stage in enumerate(model._java_obj.pipelineModel().stages())]
    return [model]


def _numbered(java: Any, i: int) -> Any:
    stage = wrapped(java)
    return stage._resetUid(numbered(stage.uid, i))


def java_class(live: Any) -> str:
    """Return a live stage's class on the JVM, or that of Python."""
    java = getattr(live, "_java_obj", None)
    python = f"{type(live).__module__}.{type(live).__qualname__}"
    return on_jvm(python if java is None else str(java.getClass().getName()))


def _python_class(name: str) -> Any:
    """Return PySpark's class for one of the JVM; None where there is none."""
    module, _, short = name.replace("org.apache.spark", "pyspark").rpartition(".")
    try:
        return getattr(import_module(module), short, None)
    except ImportError:
        return None


def wrapped(java: Any) -> Any:
    """Return a fitted stage of the JVM as PySpark's object, of a class made here where it has none."""
    from pyspark.ml.util import JavaMLWritable
    from pyspark.ml.wrapper import JavaModel, JavaParams

    class JvmStage(JavaModel, JavaMLWritable):  # type: ignore[misc]
        """A stage that only Scala knows."""

    found = _python_class(str(java.getClass().getName()))
    return JvmStage(java) if found is None else JavaParams._from_java(java)


def data_params(live: Any) -> dict[str, Any]:
    """Return the parameters of a live stage that are none to Spark."""
    key = DATA.get(java_class(live))
    if key == "columnsToPrune":
        return {key: sorted(str(live._java_obj.columnsToPrune().mkString("\n")).split("\n"))}
    return {} if key is None else {key: str(live._java_obj.vectorCol())}


def _as_live(saved: SavedStage, live: Any) -> None:
    """Tell what files do not: OneVsRest's raw column, which PySpark does not save; HashingTF's old hash."""
    if saved.java_class == ONE_VS_REST:
        saved.params["rawPredictionCol"] = live.getRawPredictionCol()
    elif saved.name == "HashingTF" and hasattr(live, "_java_obj"):
        saved.extra["hashFuncVersion"] = int(live._java_obj.hashFuncVersion())


def in_driver(spark: Any, model: Any) -> Any:
    """Return a model that answers the same and is all the JVM's.

    A OneVsRestModel before Spark 4.1 is computed by Python's workers, which only jobs have.
    """
    from pyspark.ml import PipelineModel
    from pyspark.ml.wrapper import JavaModel

    stages = live_stages(model)
    if release(spark.version) >= (4, 1) or not any(java_class(s) == ONE_VS_REST for s in stages):
        return model

    def twin(stage: Any) -> Any:
        if java_class(stage) != ONE_VS_REST:
            return stage
        java = stage._to_java()
        java.set(java.getParam("rawPredictionCol"), stage.getRawPredictionCol())
        return JavaModel(java)

    return PipelineModel(stages=[twin(stage) for stage in stages])


def joins(saved: SavedStage) -> bool:
    """Tell whether Spark scores a stage by joins with its data, as it does with recommenders."""
    return saved.name == "ALSModel"


@contextmanager
def rows_in_place(spark: Any, stages: Iterable[SavedStage]) -> Iterator[None]:
    """Keep joins from moving rows to other partitions: all tables go to the rows, however large they are.

    Spark knows the size of a table that it has read, but not that of one that a fit left in memory.
    """
    before = spark.conf.get(BROADCAST)
    if not any(joins(stage) for stage in stages):
        yield
        return
    spark.conf.set(BROADCAST, str(1 << 62))
    try:
        yield
    finally:
        spark.conf.set(BROADCAST, before)


def _read_ahead(saved: SavedStage) -> None:
    """Read a stage's data before it is asked for; what goes wrong is told when it is."""
    read = OPS[saved.java_class].read
    if read is not None:
        with suppress(Exception):
            read(saved)


def _load(saved: SavedStage) -> Any:
    found = _python_class(saved.java_class)
    try:
        if found is None:
            reader = saved.spark.sparkContext._jvm
            for part in saved.java_class.split("."):
                reader = getattr(reader, part)
            live = wrapped(reader.load(saved.path))
        else:
            live = found.load(saved.path)
    except Exception as error:
        raise saved.refusal(error) from error
    _as_live(saved, live)
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
        saved = replace(read_stages(spark, path)[0], uid=uid)
        _as_live(saved, stage)
        _read_ahead(saved)
        return saved

    return _each(save, enumerate(stages))
