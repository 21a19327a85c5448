# SPDX-License-Identifier: Apache-2.0
"""The profile: training-time statistics of inputs and outputs, and the synthetic example made of them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from scored_export.planned import Row
from scored_export.values import FLOATS, INTEGERS, REAL, base_type, encode

CATEGORIES = 1000
PERCENTILES = 101


def _numbers(values: list[Any], kind: str) -> dict[str, Any]:
    def plain(value: Any) -> Any:
        return int(value) if kind in INTEGERS else encode(float(value), kind if kind in FLOATS else "double")

    nans = sum(isinstance(v, float) and math.isnan(v) for v in values)
    real = sorted(v for v in values if not (isinstance(v, float) and math.isnan(v)))
    ranks = [round(i * (len(real) - 1) / (PERCENTILES - 1)) for i in range(PERCENTILES)] if real else []
    return {
        "nans": nans,
        "min": plain(real[0]) if real else None,
        "max": plain(real[-1]) if real else None,
        "quantiles": [plain(real[rank]) for rank in ranks],
        "distinct": len(set(real)),
    }


def _categories(values: list[Any]) -> dict[str, Any]:
    counts = Counter(values)
    top = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:CATEGORIES]
    other = len(values) - sum(count for _, count in top)
    return {"categories": [[v, count] for v, count in top], "other": other, "distinct": len(counts)}


def column(values: Sequence[Any], kind: str) -> dict[str, Any]:
    """Return the statistics of one column."""
    present = [v for v in values if v is not None]
    found: dict[str, Any] = {"type": kind, "nulls": len(values) - len(present)}
    if base_type(kind) in REAL:
        found.update(_numbers(present, kind))
    elif kind in ("string", "boolean"):
        found.update(_categories(present))
    return found


def columns(rows: Sequence[Row], named: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return the statistics of each of the named, typed columns."""
    return {name: column([row[i] for row in rows], kind) for i, (name, kind) in enumerate(named)}


def _has_nul(value: Any) -> bool:
    return "\0" in value if isinstance(value, str) else isinstance(value, list) and any(map(_has_nul, value))


def typical(values: Sequence[Any], kind: str) -> Any:
    """Return the median or the most frequent value of a column; None if it has none."""
    present = [v for v in values if v is not None and not _has_nul(v)]
    if base_type(kind) in REAL:
        real = sorted(v for v in present if not (isinstance(v, float) and not math.isfinite(v)))
        return real[(len(real) - 1) // 2] if real else (present[0] if present else None)
    if not present:
        return None
    if kind == "vector":
        return _median_vector(present)
    key = tuple if kind.startswith("array") else (lambda v: v)
    best = max(Counter(map(key, present)).items(), key=lambda item: (item[1], repr(item[0])))[0]
    return list(best) if isinstance(best, tuple) else best


def _median_vector(values: list[Any]) -> Any:
    from pyspark.ml.linalg import Vectors

    width = Counter(v.size if hasattr(v, "indices") else len(v) for v in values).most_common(1)[0][0]
    same = np.array([v.toArray() for v in values if len(v.toArray()) == width], dtype=float)
    ordered = np.sort(same, axis=0)
    return Vectors.dense(ordered[(len(same) - 1) // 2].tolist())
