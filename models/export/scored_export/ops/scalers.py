# SPDX-License-Identifier: Apache-2.0
"""Stages that scale vectors by fitted constants."""

from __future__ import annotations

from typing import Any

from scored_export.blocks import Blocks, vector
from scored_export.ops.base import Built, Reading
from scored_export.values import number, saved_number


def _vectors(r: Reading, *names: str) -> tuple[dict[str, Any], Blocks]:
    row = r.saved.row()
    params: dict[str, Any] = {}
    blocks: Blocks = {}
    for name in names:
        params[name], found = vector(f"{r.prefix}.{name}", row[name])
        blocks.update(found)
    return params, blocks


def standard_scaler(r: Reading) -> Built:
    """StandardScalerModel."""
    params, blocks = _vectors(r, "mean", "std")
    flags = {name: bool(r.saved.params[name]) for name in ("withMean", "withStd")}
    return Built({**flags, **params}, blocks)


def min_max_scaler(r: Reading) -> Built:
    """MinMaxScalerModel."""
    params, blocks = _vectors(r, "originalMin", "originalMax")
    bounds = {name: number(saved_number(r.saved.params[name])) for name in ("min", "max")}
    return Built({**bounds, **params}, blocks)


def max_abs_scaler(r: Reading) -> Built:
    """MaxAbsScalerModel."""
    return Built(*_vectors(r, "maxAbs"))
