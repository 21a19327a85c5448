# SPDX-License-Identifier: Apache-2.0
"""Reads what Spark's model writers leave on disk: metadata JSON and Parquet."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from scored_export.errors import Refused

PIPELINES = {"org.apache.spark.ml.PipelineModel", "pyspark.ml.pipeline.PipelineModel"}
TUNED = {
    f"{package}.ml.tuning.{name}"
    for package in ("org.apache.spark", "pyspark")
    for name in ("CrossValidatorModel", "TrainValidationSplitModel")
}


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
    """

    spark: Any
    path: str
    java_class: str
    uid: str
    set: dict[str, Any]
    params: dict[str, Any]
    extra: dict[str, Any]

    @property
    def name(self) -> str:
        """Class name without its package."""
        return self.java_class.rsplit(".", 1)[-1]

    def table(self, folder: str = "data") -> Any:
        """Return one of the stage's Parquet folders as a Spark DataFrame."""
        return self.spark.read.parquet(f"{self.path}/{folder}")

    def row(self) -> Any:
        """Return the single row of the stage's data."""
        rows = self.table().take(2)
        if len(rows) != 1:
            raise Refused("the saved data should be one row", "save the model again")
        return rows[0]

    def strings(self, name: str) -> list[str]:
        """Return a parameter that is a list of strings, empty when unset."""
        return list(self.params.get(name) or [])


def local_path(path: str) -> Path | None:
    """Return the path on this machine that a path or ``file:`` URI names, else None."""
    parts = urlsplit(path)
    if parts.scheme == "file":
        return Path(unquote(parts.path))
    return None if parts.scheme and "://" in path else Path(path)


def qualified(path: str) -> str:
    """Return a path as Spark must be given it, whatever its default file system."""
    if "://" in path or path.startswith("file:"):
        return path.rstrip("/")
    return Path(os.path.abspath(path)).as_uri()


def _metadata(spark: Any, path: str) -> dict[str, Any]:
    local = local_path(path)
    if local is not None:
        parts = sorted(local.glob("metadata/part-*"))
        lines = [line for part in parts for line in part.read_text("utf-8").split("\n")]
    else:
        lines = [row[0] for row in spark.read.text(f"{path}/metadata").collect()]
    text = "".join(line for line in lines if line.strip())
    if not text:
        raise Refused(f"{path} holds no model saved by Spark", "give the directory that model.save() wrote")
    metadata: dict[str, Any] = json.loads(text)
    return metadata


def read_stages(spark: Any, path: str) -> list[SavedStage]:
    """Return the fitted stages below a saved model, nested pipelines flattened depth first."""
    path = qualified(path)
    meta = _metadata(spark, path)
    java_class = str(meta["class"])
    if java_class in TUNED:
        return read_stages(spark, f"{path}/bestModel")
    if java_class in PIPELINES:
        uids = meta["paramMap"]["stageUids"]
        digits = len(str(len(uids)))
        found = [read_stages(spark, f"{path}/stages/{i:0{digits}d}_{uid}") for i, uid in enumerate(uids)]
        return [stage for group in found for stage in group]
    given = dict(meta.get("paramMap", {}))
    return [
        SavedStage(
            spark=spark,
            path=path,
            java_class=java_class,
            uid=str(meta["uid"]),
            set=given,
            params={**meta.get("defaultParamMap", {}), **given},
            extra=meta,
        )
    ]


def load_model(spark: Any, path: str) -> Any:
    """Return the saved model as PySpark's object; of a tuned one, the best model."""
    from pyspark.ml import PipelineModel
    from pyspark.ml.util import DefaultParamsReader

    path = qualified(path)
    java_class = str(_metadata(spark, path)["class"])
    if java_class in TUNED:
        return load_model(spark, f"{path}/bestModel")
    if java_class in PIPELINES:
        return PipelineModel.load(path)
    return DefaultParamsReader.loadParamsInstance(path, spark.sparkContext)


def live_stages(model: Any) -> list[Any]:
    """Return the stages of a live model, nested pipelines flattened depth first."""
    if hasattr(model, "bestModel"):
        return live_stages(model.bestModel)
    if type(model).__name__ == "PipelineModel":
        return [stage for child in model.stages for stage in live_stages(child)]
    return [model]
