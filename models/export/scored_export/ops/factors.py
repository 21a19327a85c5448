# SPDX-License-Identifier: Apache-2.0
"""Models of factors: factorization machines and recommenders."""

from __future__ import annotations

from typing import Any

import numpy as np

from scored_export.blocks import Blocks, matrix, transposed, vector
from scored_export.ops.base import Built, Reading
from scored_export.ops.linear import thresholds_of
from scored_export.values import number


def fm_regression(r: Reading) -> Built:
    """FMRegressionModel: its factors a row each."""
    row = r.saved.row()
    linear, blocks = vector(f"{r.prefix}.linear", row["linear"])
    factors, more = matrix(f"{r.prefix}.factors", transposed(row["factors"]))
    params = {"intercept": number(float(row["intercept"])), "linear": linear, "factors": factors}
    return Built(params, {**blocks, **more})


def fm_classification(r: Reading) -> Built:
    """FMClassificationModel."""
    built = fm_regression(r)
    thresholds, more = thresholds_of(r, 2)
    return Built({"thresholds": thresholds, **built.params}, {**built.blocks, **more})


def _factors(r: Reading, name: str, rank: int) -> Blocks:
    rows: list[Any] = sorted(r.saved.table(name).collect(), key=lambda row: row["id"])
    floats = np.array([row["features"] for row in rows], dtype="<f4").reshape(len(rows), rank)
    return {
        f"{r.prefix}.{name}.ids": np.array([row["id"] for row in rows], dtype="<i8"),
        f"{r.prefix}.{name}.values": floats.view("<u4"),
    }


def als(r: Reading) -> Built:
    """ALSModel: ids, and the bits of their factors."""
    rank = int(r.saved.extra["rank"])
    params = {"rank": rank, "coldStartStrategy": r.choice("coldStartStrategy", "nan", "drop")}
    return Built(params, {**_factors(r, "userFactors", rank), **_factors(r, "itemFactors", rank)})
