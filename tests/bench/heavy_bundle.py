#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a bundle whose rows are short to send and long to score: ``heavy_bundle.py DIR [--classes N]``.

A number, 1,000 times in a vector, and a multinomial logistic regression over that: 1,000 products a class. The
answer is the class whose coefficients' sum leads by far more than rounding could change.
"""

from __future__ import annotations

import argparse
import random
import sys
from array import array
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bundles"))

from large_bundle import Raw
from make_good import Block, draft

FEATURES, LEAD = 1000, 1e-6


def predicted(matrix: list[list[float]], x: float) -> float:
    """Return the class whose margin is the largest, which it must be clearly."""
    margins = [x * sum(line) for line in matrix]
    second, first = sorted(margins)[-2:]
    assert first - second > LEAD, "take another seed"
    return float(margins.index(first))


def write(directory: Path, classes: int) -> None:
    """Write the bundle."""
    rng = random.Random(3)
    matrix = [[rng.uniform(-1, 1) for _ in range(FEATURES)] for _ in range(classes)]
    rows = [0.5, -0.25, 3.0, -7.75]
    golden = [{"in": {"x": x}, "out": {"prediction": predicted(matrix, x)}} for x in rows]
    flat = array("d", [x for line in matrix for x in line]).tobytes()
    assembler = {
        "op": "vector_assembler",
        "uid": "assembler",
        "class": "org.apache.spark.ml.feature.VectorAssembler",
        "inputs": {"inputCols": ["x"] * FEATURES},
        "outputs": {"outputCol": ["features"]},
        "params": {"handleInvalid": "error", "lengths": [1] * FEATURES},
    }
    regression = {
        "op": "logistic_regression",
        "uid": "heavy",
        "class": "org.apache.spark.ml.classification.LogisticRegressionModel",
        "inputs": {"featuresCol": ["features"]},
        "outputs": {"predictionCol": ["prediction"]},
        "params": {
            "numClasses": classes,
            "numFeatures": FEATURES,
            "isMultinomial": True,
            "threshold": None,
            "rawThreshold": None,
            "thresholds": None,
            "coefficientMatrix": {"kind": "dense", "rows": classes, "cols": FEATURES, "transposed": True},
            "interceptVector": {"kind": "dense", "size": classes},
        },
    }
    draft(
        "heavy",
        [{"name": "x", "type": "double", "nullable": True}],
        [{"name": "prediction", "type": "double"}],
        [assembler, regression],
        ["features", "prediction"],
        {
            "s001.coefficientMatrix": Raw("F64", flat, [classes, FEATURES]),
            "s001.interceptVector": Block("F64", [0.0] * classes),
        },
        golden,
    ).write(directory)


def main() -> int:
    """Write the bundle."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--classes", type=int, default=200)
    options = parser.parse_args()
    write(options.directory, options.classes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
