#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a bundle with a large random forest: ``large_bundle.py DIR [--bytes N]``.

A few trees are made at random and repeated until the blocks have N bytes, 10^9 if nothing is said. Golden
rows are answered here, by a walk over the lists that the trees were made as.
"""

from __future__ import annotations

import argparse
import random
import sys
from array import array
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bundles"))

from make_good import Block, draft

FEATURES = 30
CATEGORIES = {0: 24, 1: 57, 2: 200}  # feature -> how many
DEPTH, TREES, ROWS = 17, 24, 40
NODE_BYTES = 1 + 3 * 4 + 5 * 8
LEAF, SPLIT, SET_LEFT = 0, 1, 2


@dataclass
class Forest:
    """Nodes in pre-order, as the blocks hold them."""

    kind: list[int] = field(default_factory=list)
    feature: list[int] = field(default_factory=list)
    threshold: list[float] = field(default_factory=list)
    right: list[int] = field(default_factory=list)
    set_of: list[int] = field(default_factory=list)
    prediction: list[float] = field(default_factory=list)
    roots: list[int] = field(default_factory=list)
    sets: list[set[int]] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)  # by set: categories of its feature

    def add_node(self, kind: int, feature: int, threshold: float, set_of: int, rng: random.Random) -> None:
        """Append a node without a right child."""
        self.kind.append(kind)
        self.feature.append(feature)
        self.threshold.append(threshold)
        self.right.append(0)
        self.set_of.append(set_of)
        self.prediction.append(rng.uniform(-100, 100))

    def add_tree(self, depth: int, rng: random.Random) -> None:
        """Append a subtree: the deeper, the likelier is a leaf."""
        node = len(self.kind)
        if depth == DEPTH or (depth > 7 and rng.random() < 0.15):
            self.add_node(LEAF, 0, 0.0, 0, rng)
            return
        feature = rng.randrange(FEATURES)
        if feature in CATEGORIES:
            count = CATEGORIES[feature]
            self.add_node(SET_LEFT, feature, 0.0, len(self.sets), rng)
            self.sets.append(set(rng.sample(range(count), count // 2)))
            self.counts.append(count)
        else:
            self.add_node(SPLIT, feature, rng.gauss(0, 1), 0, rng)
        self.add_tree(depth + 1, rng)
        self.right[node] = len(self.kind) - self.roots[-1]
        self.add_tree(depth + 1, rng)

    def leaf(self, root: int, row: list[float]) -> float:
        """Return the prediction of the tree at `root`."""
        node = root
        while self.kind[node] != LEAF:
            value = row[self.feature[node]]
            if self.kind[node] == SPLIT:
                left = value <= self.threshold[node]
            else:
                left = value in self.sets[self.set_of[node]]
            node = node + 1 if left else root + self.right[node]
        return self.prediction[node]


def packed(code: str, values: list[int] | list[float], times: int) -> bytes:
    """Return the values as bytes, repeated."""
    return array(code, values).tobytes() * times


class Raw(Block):
    """A block made of bytes."""

    def __init__(self, dtype: str, data: bytes, shape: list[int]) -> None:
        super().__init__(dtype, [], shape)
        self.raw = data

    def data(self) -> bytes:
        """Return the bytes."""
        return self.raw


def set_blocks(forest: Forest) -> dict[str, Block]:
    """Return set_offset and set_bits."""
    offsets, content = [0], b""
    for members, count in zip(forest.sets, forest.counts):
        content += sum(1 << c for c in members).to_bytes((count + 7) // 8, "little")
        offsets.append(len(content))
    return {"set_offset": Block("U32", offsets), "set_bits": Raw("U8", content, [len(content)])}


def blocks(forest: Forest, times: int) -> dict[str, Block]:
    """Return the forest's blocks, its trees repeated."""
    nodes, trees = len(forest.kind) * times, TREES * times
    ends = [*forest.roots[1:], len(forest.kind)]
    offsets = [0] + [end + k * len(forest.kind) for k in range(times) for end in ends]
    fields: dict[str, Block] = {
        "tree_offset": Block("U32", offsets),
        "tree_weight": Block("F64", [1.0] * trees),
        "kind": Raw("U8", packed("B", forest.kind, times), [nodes]),
        "feature": Raw("U32", packed("I", forest.feature, times), [nodes]),
        "threshold": Raw("F64", packed("d", forest.threshold, times), [nodes]),
        "right": Raw("U32", packed("I", forest.right, times), [nodes]),
        "set": Raw("U32", packed("I", forest.set_of, times), [nodes]),
        "prediction": Raw("F64", packed("d", forest.prediction, times), [nodes]),
        "stats": Raw("F64", random.Random(2).randbytes(24 << 10) * (nodes // 1024 + 1), [nodes, 3]),
        **set_blocks(forest),
    }
    fields["stats"].raw = fields["stats"].raw[: nodes * 24]  # type: ignore[attr-defined]
    return {f"s000.forest.{name}": block for name, block in fields.items()}


def golden(forest: Forest, times: int, rng: random.Random) -> list[dict[str, object]]:
    """Return rows with their answers."""
    lines: list[dict[str, object]] = []
    for _ in range(ROWS):
        row = [rng.gauss(0, 1) for _ in range(FEATURES)]
        for feature, count in CATEGORIES.items():
            row[feature] = float(rng.randrange(count + 1))
        predictions = [forest.leaf(root, row) for root in forest.roots]
        total = 0.0
        for _ in range(times):
            for prediction in predictions:
                total += prediction
        lines.append({"in": {"features": row}, "out": {"prediction": total / (TREES * times)}})
    return lines


def write(directory: Path, size: int) -> None:
    """Write the bundle."""
    rng = random.Random(1)
    forest = Forest()
    for _ in range(TREES):
        forest.roots.append(len(forest.kind))
        forest.add_tree(0, rng)
    times = max(1, round(size / (len(forest.kind) * NODE_BYTES)))
    stage = {
        "op": "random_forest_regression",
        "uid": "forest",
        "class": "org.apache.spark.ml.regression.RandomForestRegressionModel",
        "inputs": {"featuresCol": ["features"]},
        "outputs": {"predictionCol": ["prediction"]},
        "params": {
            "numFeatures": FEATURES,
            "numCategories": {str(feature): count for feature, count in CATEGORIES.items()},
        },
    }
    draft(
        "large",
        [{"name": "features", "type": "vector", "nullable": True, "size": FEATURES}],
        [{"name": "prediction", "type": "double"}],
        [stage],
        ["prediction"],
        blocks(forest, times),
        golden(forest, times, rng),
    ).write(directory)


def main() -> int:
    """Write the bundle."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--bytes", type=int, default=10**9)
    options = parser.parse_args()
    write(options.directory, options.bytes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
