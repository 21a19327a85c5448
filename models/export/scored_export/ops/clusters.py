# SPDX-License-Identifier: Apache-2.0
"""Stages that assign rows to clusters."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from scored_export.blocks import Blocks, matrix, numbers, rows, u32, vector
from scored_export.errors import Refused
from scored_export.ops.base import Built, Reading


def _centers(name: str, centers: list[Any]) -> tuple[dict[str, Any], Blocks]:
    """Return the centers as a matrix, a row each."""
    sparse = [i for i, center in enumerate(centers) if hasattr(center, "indices")]
    if sparse:
        raise Refused(f"center {sparse[0]} is a sparse vector", "fit with at least one iteration")
    flat = [value for center in centers for value in center.values]
    return matrix(name, rows(len(centers), len(centers[0]), flat))


def _measure(live: Any) -> str:
    """Return the distance of a live model: Spark forgets it where it loads one, and takes the Euclidean."""
    return str(live._java_obj.parentModel().distanceMeasure())


def k_means(r: Reading) -> Built:
    """KMeansModel, with the distance that the model at hand uses, saved or live."""
    saved = sorted(r.saved.table().collect(), key=lambda row: row["clusterIdx"])
    params, blocks = _centers(f"{r.prefix}.clusterCenters", [row["clusterCenter"] for row in saved])
    measure = _measure(r.live)
    return Built({"distanceMeasure": measure, "clusterCenters": params}, blocks)


def _preorder(nodes: dict[int, Any], root: int) -> list[Any]:
    """Return the nodes of a tree, each before its children."""
    order, stack = [], [root]
    while stack:
        row = nodes[stack.pop()]
        order.append(row)
        stack += reversed(row["children"])
    return order


def bisecting_k_means(r: Reading) -> Built:
    """BisectingKMeansModel: its tree, with the norms as they were saved."""
    lines = r.saved.spark.read.text(f"{r.saved.path}/data/metadata").collect()
    metadata = json.loads("".join(line[0] for line in lines))
    nodes = {int(row["index"]): row for row in r.saved.table("data/data").collect()}
    order = _preorder(nodes, int(metadata["rootId"]))
    place = {int(row["index"]): i for i, row in enumerate(order)}
    params, blocks = _centers(f"{r.prefix}.centers", [row["center"] for row in order])
    norms, more = vector(f"{r.prefix}.norms", numbers([row["norm"] for row in order]))
    blocks |= more
    counts = np.cumsum([0, *(len(row["children"]) for row in order)], dtype=np.int64)
    blocks |= {
        f"{r.prefix}.offsets": u32(counts),
        f"{r.prefix}.children": u32([place[int(child)] for row in order for child in row["children"]]),
        f"{r.prefix}.clusters": u32([0 if row["children"] else int(row["index"]) for row in order]),
    }
    measure = str(metadata.get("distanceMeasure", "euclidean"))
    return Built({"distanceMeasure": measure, "centers": params, "norms": norms}, blocks)


class _Gaussian:
    """What a multivariate Gaussian on the JVM computes once and keeps to itself."""

    def __init__(self, spark: Any, gaussian: Any) -> None:
        self._gaussian = gaussian
        self._context = spark.sparkContext

    def __getattr__(self, name: str) -> Any:
        from pyspark.ml.common import _java2py

        gateway, jvm = self._context._gateway, self._context._jvm
        method = self._gaussian.getClass().getDeclaredMethod(name, gateway.new_array(jvm.Class, 0))
        method.setAccessible(True)
        found = method.invoke(self._gaussian, gateway.new_array(jvm.Object, 0))
        return _java2py(self._context, found)


def gaussian_mixture(r: Reading) -> Built:
    """GaussianMixtureModel: the constants that Spark's LAPACK makes of the covariances."""
    if not hasattr(r.saved.spark, "sparkContext") or not hasattr(r.live, "_java_obj"):
        raise Refused("the constants of its Gaussians are only on the JVM", "export without Spark Connect")
    gaussians = [_Gaussian(r.saved.spark, g) for g in r.live._java_obj.gaussians()]
    roots = [g.rootSigmaInvMat for g in gaussians]
    if len({root.isTransposed for root in roots}) != 1:
        raise Refused("the roots of its covariances differ in layout", "fit the mixture again")
    size = roots[0].numCols
    layout = matrix("root", roots[0])[0]
    stacked = [matrix("root", root)[1]["root"] for root in roots]
    params: dict[str, Any] = {"roots": {**layout, "rows": len(roots) * size}}
    blocks = {f"{r.prefix}.roots": np.concatenate(stacked)}
    vectors = {"weights": r.live.weights, "constants": [g.u for g in gaussians]}
    for name, values in vectors.items():
        params[name], more = vector(f"{r.prefix}.{name}", numbers(values))
        blocks |= more
    flat = [value for g in gaussians for value in g.rootSigmaInvMulMu.values]
    params["products"], more = matrix(f"{r.prefix}.products", rows(len(roots), size, flat))
    return Built(params, {**blocks, **more})


def _draw(context: Any, model: Any, topics: int) -> list[float]:
    """Return what the inference of an LDA model begins with: draws from one seed, which no parameter sets."""
    gateway, jvm = context._gateway, context._jvm
    seed, shape = int(model.seed()), float(model.gammaShape())
    halves = gateway.new_array(jvm.int, 2)  # as commons-math cuts a long
    for i, half in enumerate((seed >> 32, seed)):
        halves[i] = (half & 0xFFFFFFFF ^ 1 << 31) - (1 << 31)
    twister = jvm.org.apache.commons.math3.random.MersenneTwister(halves)
    distributions = jvm.breeze.stats.distributions
    gamma = distributions.Gamma(shape, 1.0 / shape, distributions.RandBasis(twister))
    return [float(gamma.draw()) for _ in range(topics)]


def lda(r: Reading) -> Built:
    """LocalLDAModel, and the draws that its inference begins with."""
    if not hasattr(r.saved.spark, "sparkContext") or not hasattr(r.live, "_java_obj"):
        raise Refused("what its inference begins with is only on the JVM", "export without Spark Connect")
    row = r.saved.row()
    topics = row["topicsMatrix"]
    params: dict[str, Any] = {}
    params["topicsMatrix"], blocks = matrix(f"{r.prefix}.topicsMatrix", topics)
    draw = _draw(r.saved.spark.sparkContext, r.live._java_obj.oldLocalModel(), topics.numCols)
    for name, values in (("docConcentration", row["docConcentration"].toArray()), ("draw", draw)):
        params[name], more = vector(f"{r.prefix}.{name}", numbers(values))
        blocks |= more
    return Built(params, blocks)
