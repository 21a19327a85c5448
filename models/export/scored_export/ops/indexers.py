# SPDX-License-Identifier: Apache-2.0
"""Stages that turn strings into indices and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scored_export.blocks import Blocks, f64, string_list, u32
from scored_export.errors import Refused
from scored_export.ops.base import Built, Columns, Reading
from scored_export.saved import SavedStage
from scored_export.values import INTEGERS, NUMERIC, number, saved_number

INT32 = range(-(1 << 31), 1 << 31)


def label_lists(saved: SavedStage) -> list[list[str]]:
    """Return the labels of a StringIndexerModel, a list a column."""
    row = saved.row().asDict()
    lists = row["labelsArray"] if "labelsArray" in row else [row["labels"]]
    return [list(labels) for labels in lists]


def _check_labels(labels: Sequence[str | None]) -> None:
    if None in labels:
        raise Refused(
            f"label {labels.index(None)} of {len(labels)} is null, which no row's value can be",
            "take it out of the labels, or put a text in its place that no row has",
        )


def _integer_keys(labels: Sequence[str], kind: str) -> list[int | None]:
    """Return the integer whose text in Java is the label, None where there is none."""
    half = 1 << (INTEGERS[kind] - 1)

    def key(label: str) -> int | None:
        try:
            value = int(label)
        except ValueError:
            return None
        return value if str(value) == label and -half <= value < half else None

    return [key(label) for label in labels]


def _float_keys(spark: Any, labels: Sequence[str], kind: str) -> list[float | None]:
    """Return the double or float whose text in this JVM is the label, None where there is none."""
    from pyspark.sql import functions as F

    frame = spark.createDataFrame(list(enumerate(labels)), "i int, label string")
    value = F.expr(f"try_cast(label AS {kind})")
    rows = frame.select("i", value.alias("v"), (value.cast("string") == F.col("label")).alias("same"))
    found = {row.i: float(row.v) for row in rows.collect() if row.same}
    return [found.get(i) for i in range(len(labels))]


def _keys(r: Reading, i: int, labels: Sequence[str], kind: str) -> Blocks:
    keys: Sequence[float | None]
    integral = kind in INTEGERS
    keys = _integer_keys(labels, kind) if integral else _float_keys(r.saved.spark, labels, kind)
    last = {label: (key, index) for index, (label, key) in enumerate(zip(labels, keys)) if key is not None}
    values = [key for key, _ in last.values()]
    return {
        f"{r.prefix}.keys.{i}": np.asarray(values, dtype="<i8") if integral else f64(values),
        f"{r.prefix}.key_index.{i}": u32([index for _, index in last.values()]),
    }


def present_pairs(r: Reading) -> tuple[Columns, Columns]:
    """Return the pairs of a StringIndexerModel whose input is there; Spark skips the others."""
    kept = [i for i, name in enumerate(r.input_names) if name in r.types]
    if len(kept) < len(r.input_names) and r.saved.params["handleInvalid"] == "skip":
        missing = [name for name in r.input_names if name not in r.types]
        raise Refused(
            f"column {missing[0]} is not in the sample, and Spark throws on that under handleInvalid=skip",
            "add the column to the sample, or take the label's StringIndexer out of the served pipeline",
        )
    names, outs = r.input_names, r.outputs["outputCols"]
    return {"inputCols": [names[i] for i in kept]}, {"outputCols": [outs[i] for i in kept]}


def string_indexer(r: Reading) -> Built:
    """StringIndexerModel: labels, and for numeric columns the values whose text is a label."""
    lists = label_lists(r.saved)
    every = r.saved.strings("inputCols") or [r.saved.params["inputCol"]]
    labels: list[list[str] | None] = []
    blocks: Blocks = {}
    count = 0
    for i, name in enumerate(r.input_names):
        mine = lists[every.index(name)] if len(lists) == len(every) else lists[i]
        _check_labels(mine)
        inline, table = string_list(f"{r.prefix}.labels.{i}", mine)
        labels.append(inline)
        blocks.update(table)
        count += len(mine)
        if r.types[name] in NUMERIC:
            blocks.update(_keys(r, i, mine, r.types[name]))
    params = {"handleInvalid": r.choice("handleInvalid", "error", "skip", "keep"), "labels": labels}
    return Built(params, blocks, strings=count)


def index_to_string(r: Reading) -> Built:
    """IndexToString: its own labels, or else those in the metadata of its input column."""
    labels = r.saved.strings("labels")
    if not labels:
        attribute = (r.fields[r.input_names[0]].metadata or {}).get("ml_attr", {})
        labels = list(attribute.get("vals", []))
    if not labels:
        raise Refused(
            f"column {r.input_names[0]} carries no labels in its metadata", "set labels on the IndexToString"
        )
    _check_labels(labels)
    inline, blocks = string_list(f"{r.prefix}.labels.0", labels)
    return Built({"labels": [inline]}, blocks)


def one_hot_encoder(r: Reading) -> Built:
    """OneHotEncoderModel."""
    sizes = [int(size) for size in r.saved.row()["categorySizes"]]
    return Built(
        {
            "categorySizes": sizes,
            "dropLast": bool(r.saved.params["dropLast"]),
            "handleInvalid": r.choice("handleInvalid", "error", "keep"),
        }
    )


def target_encoder(r: Reading) -> Built:
    """TargetEncoderModel: what it counted of each category, those apart for null and for the whole."""
    rows = {int(row["index"]): row for row in r.saved.table().collect()}
    blocks = {
        f"{r.prefix}.{name}.{i}": f64([float(value) for value in row[name]])
        for i, row in rows.items()
        for name in ("categories", "counts", "stats")
    }
    return Built(
        {
            "handleInvalid": r.choice("handleInvalid", "error", "keep"),
            "targetType": r.choice("targetType", "binary", "continuous"),
            "smoothing": number(saved_number(r.saved.params["smoothing"])),
        },
        blocks,
    )
