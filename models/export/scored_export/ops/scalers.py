# SPDX-License-Identifier: Apache-2.0
"""Stages that scale vectors by fitted constants."""

from __future__ import annotations

from typing import Any

from scored_export.blocks import Blocks, vector
from scored_export.ops.base import Built, Reading
from scored_export.values import number, saved_number, saved_vector


def _vectors(r: Reading, *names: str) -> tuple[dict[str, Any], Blocks]:
    row = r.saved.row()
    params: dict[str, Any] = {}
    blocks: Blocks = {}
    for name in names:
        params[name], found = vector(f"{r.prefix}.{name}", row[name])
        blocks.update(found)
    return params, blocks


def _centered(r: Reading, flags: tuple[str, str], vectors: tuple[str, str]) -> Built:
    params, blocks = _vectors(r, *vectors)
    return Built({**{name: bool(r.saved.params[name]) for name in flags}, **params}, blocks)


def standard_scaler(r: Reading) -> Built:
    """StandardScalerModel."""
    return _centered(r, ("withMean", "withStd"), ("mean", "std"))


def robust_scaler(r: Reading) -> Built:
    """RobustScalerModel."""
    return _centered(r, ("withCentering", "withScaling"), ("median", "range"))


def min_max_scaler(r: Reading) -> Built:
    """MinMaxScalerModel."""
    params, blocks = _vectors(r, "originalMin", "originalMax")
    bounds = {name: number(saved_number(r.saved.params[name])) for name in ("min", "max")}
    return Built({**bounds, **params}, blocks)


def max_abs_scaler(r: Reading) -> Built:
    """MaxAbsScalerModel."""
    return Built(*_vectors(r, "maxAbs"))


def elementwise_product(r: Reading) -> Built:
    """ElementwiseProduct: its weights are a parameter."""
    weights, blocks = vector(f"{r.prefix}.scalingVec", saved_vector(r.saved.params["scalingVec"]))
    return Built({"scalingVec": weights}, blocks)
