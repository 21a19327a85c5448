# SPDX-License-Identifier: Apache-2.0
"""Reads what Spark's model writers leave on disk: metadata JSON and Parquet."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from scored_export.errors import Refused, Unavailable
from scored_export.paths import local_path, qualified
from scored_export.spark_says import refusal, said, spark_says

PIPELINES = {"org.apache.spark.ml.PipelineModel", "pyspark.ml.pipeline.PipelineModel"}
GIVE = "give the directory that model.save() wrote"
COPY = "copy the model again, whole, or save it again"
TUNED = {
    f"{package}.ml.tuning.{name}"
    for package in ("org.apache.spark", "pyspark")
    for name in ("CrossValidatorModel", "TrainValidationSplitModel")
}


ONE_VS_REST = "org.apache.spark.ml.classification.OneVsRestModel"
FORMULA = "org.apache.spark.ml.feature.RFormulaModel"
#: Classes without parameters: what they know stands in their data.
DATA = {
    "org.apache.spark.ml.feature.ColumnPruner": "columnsToPrune",
    "org.apache.spark.ml.feature.VectorAttributeRewriter": "vectorCol",
}


def on_jvm(name: str) -> str:
    """Return the class on the JVM; Python's own writers name PySpark's, which stands beside it."""
    beside = name.startswith("pyspark.ml.")
    return f"org.apache.spark.{name.partition('.')[2]}" if beside else name


def numbered(uid: str, i: int) -> str:
    """Return a uid for a stage of an RFormulaModel, whose stages all have one."""
    return f"{uid}_{i}"


def saved_by(metadata: dict[str, Any]) -> str:
    """Return the version of the Spark that wrote some metadata."""
    return str(metadata.get("sparkVersion", "of unknown version"))


def release(version: str) -> tuple[int, ...]:
    """Return major and minor number of a version of Spark, (0,) where there are none."""
    match = re.match(r"(\d+)\.(\d+)", version)
    return (int(match[1]), int(match[2])) if match else (0,)


@dataclass(frozen=True)
class SavedStage:
    """One fitted stage as its writer left it.

    Attributes
    ----------
    set : dict
        Parameters the user or the estimator set.
    params : dict
        The same over the defaults.
    extra : dict
        The rest of the metadata, such as ``numFeatures``.
    models : tuple of SavedStage
        The models that a OneVsRestModel holds.
    """

    spark: Any
    path: str
    java_class: str
    uid: str
    set: dict[str, Any]
    params: dict[str, Any]
    extra: dict[str, Any]
    models: tuple[SavedStage, ...] = ()
    _kept: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def name(self) -> str:
        """Class name without its package."""
        return self.java_class.rsplit(".", 1)[-1]

    @property
    def saved_by(self) -> str:
        """Version of the Spark that saved it."""
        return saved_by(self.extra)

    def refusal(self, error: BaseException) -> Refused:
        """Return the refusal for what Spark or Python threw over this stage."""
        if isinstance(error, Refused):
            return error.at(self.name, self.uid)
        doing = f"{self.java_class}, saved by Spark {self.saved_by}, cannot be read"
        refused = refusal(error, doing, spark=self.spark, cure="save the model again")
        mine = release(self.saved_by)
        if mine > release(self.spark.version) and not isinstance(refused, Unavailable):
            refused = Refused(refused.reason, f"export with Spark {mine[0]}.{mine[1]} or newer")
        return refused.at(self.name, self.uid)

    def table(self, folder: str = "data") -> Any:
        """Return one of the stage's Parquet folders as a Spark DataFrame."""
        return self.spark.read.parquet(f"{self.path}/{folder}")

    def row(self) -> Any:
        """Return the single row of the stage's data, which is read once."""
        return self.once("row", self._row)

    def _row(self) -> Any:
        rows = self.table().take(2)
        if len(rows) != 1:
            raise Refused("the saved data should be one row", "save the model again")
        return rows[0]

    def once(self, what: str, read: Callable[[], Any]) -> Any:
        """Return what is read of the stage, the first time that it is asked for."""
        if what not in self._kept:
            self._kept[what] = read()
        return self._kept[what]

    def strings(self, name: str) -> list[str]:
        """Return a parameter that is a list of strings, empty when unset."""
        return list(self.params.get(name) or [])


def _lines(spark: Any, path: str) -> list[str]:
    """Return the metadata's lines; files that Spark has compressed are read by Spark."""
    local = local_path(path)
    parts = sorted(local.glob("metadata/part-*")) if local is not None else []
    if parts and all(part.suffix in ("", ".txt") for part in parts):
        return [line for part in parts for line in part.read_text("utf-8").split("\n")]
    if local is not None and not parts:
        return []
    with spark_says(f"{path} cannot be read", spark=spark, cure=GIVE):
        return [row[0] for row in spark.read.text(f"{path}/metadata").collect()]


def _metadata(spark: Any, path: str) -> dict[str, Any]:
    try:
        text = "".join(line for line in _lines(spark, path) if line.strip())
        metadata = json.loads(text) if text else None
    except (ValueError, OSError) as error:
        raise Refused(f"{path}/metadata is damaged: {said(error)}", COPY) from None
    if metadata is None:
        raise Refused(f"{path} holds no model saved by Spark", _give(path))
    if not isinstance(metadata, dict) or not {"class", "uid"} <= metadata.keys():
        raise Refused(f"{path}/metadata is damaged: it names no class", COPY)
    return metadata


def _give(path: str) -> str:
    """Return what to give instead of a folder that holds no model; MLflow keeps it one level below."""
    local = local_path(path)
    inside = local is not None and (local / "sparkml" / "metadata").is_dir()
    return f"give {path}/sparkml" if inside else GIVE


def read_stages(spark: Any, path: str) -> list[SavedStage]:
    """Return the fitted stages below a saved model, nested pipelines flattened depth first."""
    path = qualified(path)
    meta = _metadata(spark, path)
    java_class = str(meta["class"])
    if java_class in TUNED:
        return read_stages(spark, f"{path}/bestModel")
    if java_class == FORMULA:
        inner = read_stages(spark, f"{path}/pipelineModel")
        return [replace(stage, uid=numbered(stage.uid, i)) for i, stage in enumerate(inner)]
    if java_class in PIPELINES:
        by = saved_by(meta)
        return [stage for child in _children(path, meta) for stage in _read_child(spark, *child, by)]
    return [_stage(spark, path, on_jvm(java_class), meta)]


def _stage(spark: Any, path: str, java_class: str, meta: dict[str, Any]) -> SavedStage:
    given = dict(meta.get("paramMap", {}))
    models = range(int(meta.get("numClasses", 0))) if java_class == ONE_VS_REST else ()
    stage = SavedStage(
        spark=spark,
        path=path,
        java_class=java_class,
        uid=str(meta["uid"]),
        set=given,
        params={**meta.get("defaultParamMap", {}), **given},
        extra=meta,
        models=tuple(m for k in models for m in read_stages(spark, f"{path}/model_{k}")),
    )
    if java_class in DATA:
        key = DATA[java_class]
        value = stage.row()[key]
        stage.params[key] = value if isinstance(value, str) else sorted(value)
    return stage


def _children(path: str, meta: dict[str, Any]) -> list[tuple[str, str]]:
    """Return folder and uid of each stage of a saved pipeline."""
    uids = meta.get("paramMap", {}).get("stageUids")
    if not isinstance(uids, list):
        raise Refused(f"{path}/metadata is damaged: it names no stages", "save the model again")
    digits = len(str(len(uids)))
    return [(f"{path}/stages/{i:0{digits}d}_{uid}", str(uid)) for i, uid in enumerate(uids)]


def _read_child(spark: Any, path: str, uid: str, by: str) -> list[SavedStage]:
    """Return the stages of a pipeline's child; without metadata, its uid begins with its name."""
    try:
        return read_stages(spark, path)
    except Refused as error:
        if error.stage:
            raise
        reason = f"{error.reason}; the pipeline was saved by Spark {by}"
        cure = COPY if error.cure == GIVE else error.cure
        raise type(error)(reason, cure, stage=uid.rsplit("_", 1)[0], uid=uid) from None
