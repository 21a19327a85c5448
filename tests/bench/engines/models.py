#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains the models that engines_bench compares engines on: ``models.py DIR``.

DIR/NAME gets the model in its library's own format (``lightgbm.txt`` or ``xgboost.json``), the same trees as a bundle of
ours, rows (``rows.f64``), and two files of answers that a plain walk over the library's own trees gives:
``ours.f64``, what the bundle must answer, the mean of the trees in doubles; ``peer.f64``, what the library must,
to the bit: LightGBM adds doubles, XGBoost floats, its base score first.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import lightgbm
import numpy as np
import xgboost
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bundles"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from large_bundle import Raw
from make_good import Block, draft

Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]

FEATURES, TRAINED, TIMED, GOLDEN = 30, 20_000, 20_000, 64
EDGES = 512  # rows behind the timed ones, their values at thresholds and next to them


class Model(NamedTuple):
    """What is trained."""

    library: str
    trees: int
    size: int  # leaves (LightGBM) or levels (XGBoost)

    @property
    def name(self) -> str:
        """Return the name of its directory."""
        return f"{self.library}_{self.trees}x{'d' if self.library == 'xgboost' else ''}{self.size}"


MODELS = (
    Model("lightgbm", 100, 31),
    Model("lightgbm", 500, 31),
    Model("xgboost", 100, 6),
    Model("xgboost", 500, 8),
)


@dataclass
class Tree:
    """A tree as its library compares: a leaf is its own left and right child."""

    feature: Ints
    threshold: Doubles
    left: Ints
    right: Ints
    leaf: Doubles
    strict: bool  # x < threshold goes left, of floats; else x <= threshold, of doubles

    def values(self, rows: Doubles) -> Doubles:
        """Return the leaves' values of all rows, by a walk."""
        at, each = np.zeros(len(rows), np.int64), np.arange(len(rows))
        less = np.less if self.strict else np.less_equal
        while True:
            goes_left = less(rows[each, self.feature[at]], self.threshold[at])
            below = np.where(goes_left, self.left[at], self.right[at])
            if (below == at).all():
                return self.leaf[at]
            at = below

    def bounds(self) -> Doubles:
        """Return the t for which x <= t is the library's comparison, of all floats x."""
        if not self.strict:
            return self.threshold
        return np.nextafter(self.threshold.astype(np.float32), np.float32(-np.inf)).astype(np.float64)

    def in_pre_order(self) -> tuple[list[int], list[int]]:
        """Return the nodes, parents first, left before right, and for each the place of its right child."""
        order: list[int] = []
        right: list[int] = []
        waiting = [(0, -1)]  # a node, and whose right child it is
        while waiting:
            node, parent = waiting.pop()
            if parent >= 0:
                right[parent] = len(order)
            if self.left[node] != node:
                waiting += [(int(self.right[node]), len(order)), (int(self.left[node]), -1)]
            order.append(node)
            right.append(0)
        return order, right


# -- training


def table(rng: np.random.Generator, rows: int) -> Doubles:
    """Return rows of numbers that floats hold: normal, uniform, skewed, and small integers."""
    parts = [
        rng.normal(size=(rows, 10)),
        rng.uniform(-5, 5, size=(rows, 8)),
        rng.lognormal(size=(rows, 6)),
        rng.integers(0, 40, size=(rows, 6)),
    ]
    return np.hstack(parts).astype(np.float32).astype(np.float64)


def target(x: Doubles, rng: np.random.Generator) -> Doubles:
    """Return what is learnt: every feature has a part in it."""
    smooth = 3 * np.sin(2 * x[:, 0]) + x[:, 1] * x[:, 2] + np.abs(x[:, 10]) * (x[:, 3] > 0) + np.log1p(x[:, 18])
    jumps = (x[:, 24] % 7) * 0.5 + np.where(x[:, 25] > x[:, 26], 1.5, -0.5)
    rest = np.tanh(x) @ np.linspace(-1, 1, x.shape[1])
    return 20 + smooth + jumps + rest + rng.normal(scale=0.5, size=len(x))


def train_lightgbm(model: Model, x: Doubles, y: Doubles, path: Path) -> None:
    """Train and save."""
    params = {
        "objective": "regression",
        "num_leaves": model.size,
        "seed": 7,
        "deterministic": True,
        "num_threads": 1,
        "verbosity": -1,
    }
    lightgbm.train(params, lightgbm.Dataset(x, y), model.trees).save_model(path)


def train_xgboost(model: Model, x: Doubles, y: Doubles, path: Path) -> None:
    """Train and save."""
    params = {"tree_method": "hist", "max_depth": model.size, "eta": 0.1, "seed": 7, "nthread": 1}
    booster = xgboost.train(params, xgboost.DMatrix(x, y, nthread=1), model.trees)
    path.write_bytes(booster.save_raw("json"))


# -- reading


def lightgbm_trees(path: Path) -> Iterator[Tree]:
    """Read the trees of LightGBM's text: leaves are the children below 0, ~child."""
    for part in path.read_text().split("\nTree=")[1:]:
        fields = dict(line.split("=", 1) for line in part.split("\n\n")[0].splitlines()[1:] if "=" in line)
        assert fields["num_cat"] == "0", "a split by categories"
        kinds = {int(x) for x in fields["decision_type"].split()}
        assert kinds <= {0, 2}, f"missing values, or categories: {kinds}"  # 2: the default is left
        n, leaves = int(fields["num_leaves"]) - 1, np.array(fields["leaf_value"].split(), np.float64)
        own = np.arange(n, n + len(leaves))
        children = [np.array(fields[key].split(), np.int64) for key in ("left_child", "right_child")]
        left, right = (np.concatenate([np.where(c < 0, n + ~c, c), own]) for c in children)
        feature = np.array(fields["split_feature"].split(), np.int64)
        threshold = np.array(fields["threshold"].split(), np.float64)
        none = np.zeros(len(leaves))
        yield Tree(
            np.concatenate([feature, none.astype(np.int64)]),
            np.concatenate([threshold, none]),
            left,
            right,
            np.concatenate([np.zeros(n), leaves]),
            strict=False,
        )


def xgboost_trees(path: Path) -> tuple[list[Tree], np.float32]:
    """Read the trees and the base score of XGBoost's JSON: a leaf's value stands where a threshold would."""
    learner = json.loads(path.read_text())["learner"]
    base = np.float32(learner["learner_model_param"]["base_score"].strip("[]"))
    trees = []
    for fields in learner["gradient_booster"]["model"]["trees"]:
        assert not fields["categories_nodes"], "a split by categories"
        left, right = (np.array(fields[key], np.int64) for key in ("left_children", "right_children"))
        value = np.array(fields["split_conditions"], np.float32).astype(np.float64)
        own, leaf = np.arange(len(left)), left < 0
        trees.append(
            Tree(
                np.where(leaf, 0, np.array(fields["split_indices"], np.int64)),
                np.where(leaf, 0.0, value),
                np.where(leaf, own, left),
                np.where(leaf, own, right),
                np.where(leaf, value, 0.0),
                strict=True,
            )
        )
    return trees, base


# -- writing


def forest_blocks(trees: list[Tree]) -> dict[str, Block]:
    """Return the trees as FORMAT.md has them."""
    parts: dict[str, list[Any]] = {key: [] for key in ("kind", "feature", "threshold", "right", "prediction")}
    ends = [0]
    for tree in trees:
        order, right = tree.in_pre_order()
        inner = tree.left[order] != np.array(order)
        parts["kind"].append(inner.astype(np.uint8))
        parts["feature"].append(tree.feature[order].astype(np.uint32))
        parts["threshold"].append(np.where(inner, tree.bounds()[order], 0.0))
        parts["right"].append(np.array(right, np.uint32))
        parts["prediction"].append(tree.leaf[order])
        ends.append(ends[-1] + len(order))
    nodes = ends[-1]
    types = {"kind": "U8", "feature": "U32", "threshold": "F64", "right": "U32", "prediction": "F64"}
    blocks: dict[str, Block] = {
        key: Raw(types[key], np.concatenate(part).tobytes(), [nodes]) for key, part in parts.items()
    }
    blocks |= {
        "tree_offset": Block("U32", ends),
        "tree_weight": Block("F64", [1.0] * len(trees)),
        "set": Raw("U32", bytes(4 * nodes), [nodes]),
        "stats": Raw("F64", bytes(24 * nodes), [nodes, 3]),
        "set_offset": Block("U32", [0]),
        "set_bits": Block("U8", []),
    }
    return {f"s000.forest.{name}": block for name, block in blocks.items()}


def write_bundle(directory: Path, name: str, trees: list[Tree], rows: Doubles, answers: Doubles) -> None:
    """Write the trees as a random forest, whose answer is their mean."""
    stage = {
        "op": "random_forest_regression",
        "uid": "forest",
        "class": "org.apache.spark.ml.regression.RandomForestRegressionModel",
        "inputs": {"featuresCol": ["features"]},
        "outputs": {"predictionCol": ["prediction"]},
        "params": {"numFeatures": FEATURES, "numCategories": {}},
    }
    golden = [
        {"in": {"features": row.tolist()}, "out": {"prediction": float(answer)}} for row, answer in zip(rows, answers)
    ]
    draft(
        name,
        [{"name": "features", "type": "vector", "nullable": True, "size": FEATURES}],
        [{"name": "prediction", "type": "double"}],
        [stage],
        ["prediction"],
        forest_blocks(trees),
        golden,
    ).write(directory)


def edge_rows(trees: list[Tree], rows: Doubles, rng: np.random.Generator) -> Doubles:
    """Return rows of which every value is a threshold of its feature, or the next number below or above it."""
    step = np.float32 if trees[0].strict else np.float64
    edges = rows[:EDGES].copy()
    for feature in range(FEATURES):
        splits = [t.threshold[(t.feature == feature) & (t.left != np.arange(len(t.left)))] for t in trees]
        thresholds = np.unique(np.concatenate(splits)).astype(step)
        if len(thresholds):
            near = np.stack([thresholds, np.nextafter(thresholds, step(-np.inf)), np.nextafter(thresholds, step(np.inf))])
            edges[:, feature] = rng.choice(near.ravel(), EDGES)
    return edges


def make(model: Model, directory: Path, x: Doubles, y: Doubles, rows: Doubles) -> str:
    """Train the model, write all there is of it; return a line about it."""
    directory.mkdir(parents=True, exist_ok=True)
    source = directory / ("lightgbm.txt" if model.library == "lightgbm" else "xgboost.json")
    if model.library == "lightgbm":
        train_lightgbm(model, x, y, source)
        trees, start = list(lightgbm_trees(source)), np.float64(0)
    else:
        train_xgboost(model, x, y, source)
        trees, start = xgboost_trees(source)  # type: ignore[assignment]
    assert len(trees) == model.trees
    rows = np.vstack([rows, edge_rows(trees, rows, np.random.default_rng(3))])
    assert len(np.unique(rows, axis=0)) == len(rows), "rows are to differ"
    ours, peer = np.zeros(len(rows)), np.full(len(rows), start)
    for tree in trees:
        values = tree.values(rows)
        ours += values
        peer += values.astype(peer.dtype)
    apart = np.abs((ours + float(start)) - peer.astype(np.float64)).max()
    mean = ours / len(trees)
    rows.tofile(directory / "rows.f64")
    mean.tofile(directory / "ours.f64")
    peer.astype(np.float64).tofile(directory / "peer.f64")
    golden = np.r_[0 : GOLDEN // 2, len(rows) - GOLDEN // 2 : len(rows)]
    write_bundle(directory / "bundle", model.name, trees, rows[golden], mean[golden])
    nodes = [int((t.left != np.arange(len(t.left))).sum()) for t in trees]
    splits = {(int(f), float(b)) for t in trees for f, b in zip(t.feature, t.threshold) if b}
    return (
        f"{model.name}: {sum(nodes) + len(trees)} leaves, {len(splits)} thresholds, start {float(start):.9g}, "
        f"{len(rows)} rows; sums of doubles and of the library's numbers are at most {apart:.3g} apart"
    )


def main() -> int:
    """Make all models."""
    directory = Path(sys.argv[1])
    rng = np.random.default_rng(20261201)
    x = table(rng, TRAINED)
    y = target(x, rng)
    rows = table(rng, TIMED)
    for model in MODELS:
        print(make(model, directory / model.name, x, y, rows), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
