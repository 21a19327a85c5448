# SPDX-License-Identifier: Apache-2.0
"""Trees and their ensembles: one structure-of-arrays forest, nodes in pre-order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from scored_export.blocks import Blocks, f64, u32
from scored_export.errors import Refused
from scored_export.needs import BLAS, EXP
from scored_export.ops.base import Built, Reading
from scored_export.ops.linear import classifier_needs, thresholds_of
from scored_export.saved import SavedStage

#: Trees as arrays, and their weights.
Trees = tuple[list[dict[str, Any]], list[float]]

LEAF, THRESHOLD, IN_SET_LEFT, IN_SET_RIGHT = range(4)
NODE_FIELDS = {
    "id": "node.id",
    "prediction": "node.prediction",
    "stats": "node.impurityStats",
    "left": "node.leftChild",
    "right": "node.rightChild",
    "feature": "node.split.featureIndex",
    "categories": "node.split.numCategories",
    "values": "node.split.leftCategoriesOrThreshold",
}


def _lists(saved: SavedStage, ensemble: bool) -> Any:
    """Return each tree as one row of equally ordered lists: far fewer objects than one row a node."""
    from pyspark.sql import functions as F

    table = saved.table()
    if ensemble:
        nodes = table.select("treeID", F.col("nodeData").alias("node"))
    else:
        nodes = table.select(F.lit(0).alias("treeID"), F.struct(*table.columns).alias("node"))
    lists = [F.collect_list(path).alias(name) for name, path in NODE_FIELDS.items()]
    return nodes.groupBy("treeID").agg(*lists).coalesce(1)


def _arrays(row: Any) -> dict[str, Any]:
    """Return one tree's lists as arrays; of its splits by category, the categories by their nodes."""
    found = {name: np.asarray(row[name]) for name in NODE_FIELDS if name != "values"}
    first = [values[0] if values else 0.0 for values in row["values"]]
    found["threshold"] = np.where((found["left"] >= 0) & (found["categories"] == -1), first, 0.0)
    sets = np.flatnonzero((found["left"] >= 0) & (found["categories"] != -1))
    found["sets"] = {int(i): row["values"][i] for i in sets}
    return found


def _weights(saved: SavedStage) -> list[float]:
    """Return the weights of an ensemble's trees; the columns are read by position, as their names changed."""
    rows = saved.table("treesMetadata").collect()
    return [float(row[2]) for row in sorted(rows, key=lambda row: row[0])]


def _read(saved: SavedStage, ensemble: bool) -> Trees:
    """Return trees and their weights; trees come one by one, so that few are lists at a time."""
    trees = {row["treeID"]: _arrays(row) for row in _lists(saved, ensemble).toLocalIterator()}
    return [trees[i] for i in sorted(trees)], _weights(saved) if ensemble else [1.0]


def read_tree(saved: SavedStage) -> Trees:
    """Read a decision tree, once."""
    return saved.once("trees", lambda: _read(saved, ensemble=False))


def read_ensemble(saved: SavedStage) -> Trees:
    """Read an ensemble, once."""
    return saved.once("trees", lambda: _read(saved, ensemble=True))


class _Forest:
    """Collects the trees' nodes and the category sets they share a file with."""

    def __init__(self) -> None:
        self.parts: list[dict[str, np.ndarray[Any, Any]]] = []
        self.set_bits: list[bytes] = []
        self.categories: dict[int, int] = {}

    def add(self, tree: dict[str, Any]) -> None:
        """Add one tree, its nodes sorted by id, which Spark gives in pre-order."""
        order = np.argsort(tree["id"], kind="stable")
        left, right, sizes = tree["left"][order], tree["right"][order], tree["categories"][order]
        inner = left >= 0
        here = np.arange(len(order))
        if not (np.array_equal(tree["id"][order], here) and np.array_equal(left[inner], here[inner] + 1)):
            raise Refused("the saved tree is not in pre-order", "save the model again with Spark 2 or later")
        kind = np.where(inner, THRESHOLD, LEAF)
        sets = np.zeros(len(order), dtype=np.int64)
        features = np.where(inner, tree["feature"][order], 0)
        for i in np.flatnonzero(inner & (sizes != -1)):
            kind[i], sets[i] = self._set(int(features[i]), tree["sets"][int(order[i])], int(sizes[i]))
        self.parts.append(
            {
                "kind": kind.astype("|u1"),
                "feature": u32(features),
                "threshold": tree["threshold"][order],
                "right": u32(np.where(inner, right, 0)),
                "set": u32(sets),
                "prediction": f64(tree["prediction"][order]),
                "stats": f64(tree["stats"][order]),
            }
        )

    def _set(self, feature: int, left: list[float], size: int) -> tuple[int, int]:
        """Store the smaller side as Spark chooses it: that decides where unseen values go."""
        if self.categories.setdefault(feature, size) != size:
            raise Refused(f"feature {feature} has two numbers of categories", "fit the model again")
        member = np.zeros(size, dtype=bool)
        member[np.asarray(left, dtype=np.int64)] = True
        kind = IN_SET_LEFT if len(left) <= size // 2 else IN_SET_RIGHT
        bits = np.packbits(member if kind == IN_SET_LEFT else ~member, bitorder="little")
        self.set_bits.append(bits.tobytes())
        return kind, len(self.set_bits) - 1

    def blocks(self, prefix: str, weights: list[float]) -> Blocks:
        """Return the forest's blocks."""

        def joined(name: str) -> np.ndarray[Any, Any]:
            return np.concatenate([part[name] for part in self.parts])

        def offsets(lengths: list[int]) -> np.ndarray[Any, Any]:
            return u32(np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]))

        fields: Blocks = {
            "tree_offset": offsets([len(part["kind"]) for part in self.parts]),
            "tree_weight": f64(weights),
            **{name: joined(name) for name in self.parts[0]},
            "set_offset": offsets([len(bits) for bits in self.set_bits]),
            "set_bits": np.frombuffer(b"".join(self.set_bits), dtype="|u1"),
        }
        return {f"{prefix}.forest.{name}": block for name, block in fields.items()}


def _forest(r: Reading, read: Callable[[SavedStage], Trees]) -> tuple[dict[str, Any], Blocks]:
    found, weights = read(r.saved)
    if len(found) != len(weights):
        raise Refused(f"{len(found)} trees are saved with {len(weights)} weights", "save the model again")
    forest = _Forest()
    for tree in found:
        forest.add(tree)
    params = {
        "numFeatures": int(r.saved.extra["numFeatures"]),
        "numCategories": {str(f): n for f, n in sorted(forest.categories.items())},
    }
    return params, forest.blocks(r.prefix, weights)


def _regression(r: Reading, read: Callable[[SavedStage], Trees], needs: set[str]) -> Built:
    params, blocks = _forest(r, read)
    return Built(params, blocks, {"predictionCol": needs})


def _classification(
    r: Reading, read: Callable[[SavedStage], Trees], raw: set[str], probability: set[str]
) -> Built:
    params, blocks = _forest(r, read)
    classes = int(r.saved.extra.get("numClasses", 2))
    thresholds, more = thresholds_of(r, classes)
    params.update(numClasses=classes, thresholds=thresholds)
    needs = classifier_needs(r, raw, probability)
    if thresholds is not None:
        needs["predictionCol"] = probability
    return Built(params, {**blocks, **more}, needs)


def decision_tree_regression(r: Reading) -> Built:
    """DecisionTreeRegressionModel."""
    return _regression(r, read_tree, set())


def random_forest_regression(r: Reading) -> Built:
    """RandomForestRegressionModel."""
    return _regression(r, read_ensemble, set())


def gbt_regression(r: Reading) -> Built:
    """GBTRegressionModel: the sum over trees is a BLAS dot."""
    return _regression(r, read_ensemble, {BLAS})


def decision_tree_classification(r: Reading) -> Built:
    """DecisionTreeClassificationModel."""
    return _classification(r, read_tree, set(), set())


def random_forest_classification(r: Reading) -> Built:
    """RandomForestClassificationModel."""
    return _classification(r, read_ensemble, set(), set())


def gbt_classification(r: Reading) -> Built:
    """GBTClassificationModel."""
    return _classification(r, read_ensemble, {BLAS}, {BLAS, EXP})
