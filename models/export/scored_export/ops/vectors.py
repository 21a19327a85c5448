# SPDX-License-Identifier: Apache-2.0
"""Stages that build vectors, pick from them, or change single numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from scored_export.blocks import Blocks, f64, matrix, transposed, u32
from scored_export.errors import Refused
from scored_export.needs import DIGITS, POW
from scored_export.ops.base import Built, Reading
from scored_export.values import base_type, number, saved_number


def vector_width(field: Any) -> int | None:
    """Return the size that a vector column's metadata states, None where it is unknown."""
    attributes = (field.metadata or {}).get("ml_attr", {})
    if "num_attrs" in attributes:
        return int(attributes["num_attrs"])
    kinds = attributes.get("attrs")
    return sum(len(group) for group in kinds.values()) if kinds else None


def vector_assembler(r: Reading) -> Built:
    """VectorAssembler, with the width of each input as far as the metadata tells it."""
    invalid = r.choice("handleInvalid", "error", "skip", "keep")
    lengths = [vector_width(r.fields[n]) if r.types[n] == "vector" else 1 for n in r.input_names]
    if invalid == "keep" and None in lengths:
        unknown = r.input_names[lengths.index(None)]
        raise Refused(
            f"the width of vector column {unknown} is unknown, and handleInvalid=keep needs it",
            "put a VectorSizeHint's metadata on the sample's column",
        )
    return Built({"handleInvalid": invalid, "lengths": lengths})


def _names(field: Any) -> dict[str, int]:
    """Return the index of each named attribute of a vector column."""
    groups = (field.metadata or {}).get("ml_attr", {}).get("attrs", {})
    return {a["name"]: int(a["idx"]) for group in groups.values() for a in group if "name" in a}


def vector_slicer(r: Reading) -> Built:
    """VectorSlicer: its indices, then those of its names."""
    known = _names(r.fields[r.input_names[0]])
    names = r.saved.strings("names")
    missing = [name for name in names if name not in known]
    if missing:
        raise Refused(
            f"{r.input_names[0]} has no attribute named {missing[0]!r}", "name the slots by indices"
        )
    indices = [int(i) for i in r.saved.params.get("indices") or []] + [known[name] for name in names]
    return Built({"indices": indices})


def vector_size_hint(r: Reading) -> Built:
    """VectorSizeHint."""
    invalid = r.choice("handleInvalid", "error", "skip", "optimistic")
    return Built({"size": int(r.saved.params["size"]), "handleInvalid": invalid})


def imputer(r: Reading) -> Built:
    """ImputerModel: one surrogate a column."""
    row = r.saved.row()
    surrogates = f64([float(row[name]) for name in r.input_names])
    decimals = any(base_type(r.types[name]) == "decimal" for name in r.input_names)
    return Built(
        {"missingValue": number(saved_number(r.saved.params["missingValue"]))},
        {f"{r.prefix}.surrogateDF": surrogates},
        needs={"outputCols": {DIGITS}} if decimals else {},  # by way of a double's text
    )


def bucketizer(r: Reading) -> Built:
    """Bucketizer, which a fitted QuantileDiscretizer is too."""
    several = r.saved.params.get("splitsArray") or [r.saved.params["splits"]]
    blocks = {
        f"{r.prefix}.splitsArray.{i}": f64([saved_number(split) for split in splits])
        for i, splits in enumerate(several)
    }
    return Built({"handleInvalid": r.choice("handleInvalid", "error", "skip", "keep")}, blocks)


def binarizer(r: Reading) -> Built:
    """Binarizer of doubles or vectors."""
    several = r.saved.set.get("thresholds") if len(r.input_names) > 1 or "inputCols" in r.saved.set else None
    given = several or [r.saved.params["threshold"]] * len(r.input_names)
    thresholds = [saved_number(threshold) for threshold in given]
    for name, threshold in zip(r.input_names, thresholds):
        if math.isnan(threshold) and r.types[name] == "vector":
            raise Refused(f"the threshold of vector column {name} is NaN", "set a number")
    return Built({}, {f"{r.prefix}.thresholds": f64(thresholds)})


def normalizer(r: Reading) -> Built:
    """Normalizer; only a p other than 1, 2 and infinity goes through Math.pow."""
    p = saved_number(r.saved.params["p"])
    needs = set() if p in (1.0, 2.0, float("inf")) else {POW}
    return Built({"p": number(p)}, needs={"outputCols": needs})


def dct(r: Reading) -> Built:
    """DCT."""
    return Built({"inverse": bool(r.saved.params["inverse"])})


def feature_selector(r: Reading) -> Built:
    """The models of ChiSqSelector, UnivariateFeatureSelector and VarianceThresholdSelector."""
    return Built({"selectedFeatures": sorted(int(i) for i in r.saved.row()["selectedFeatures"])})


def polynomial_expansion(r: Reading) -> Built:
    """PolynomialExpansion."""
    degree = int(r.saved.params["degree"])
    if degree > 1000:
        raise Refused(f"degree={degree} is beyond 1000", "expand to a lower degree")
    return Built({"degree": degree})


def _categories(attribute: dict[str, Any], name: str) -> int:
    """Return how many categories an attribute has, 1 for a number."""
    if attribute.get("type", "numeric") != "nominal":
        return 1
    count = attribute.get("num_vals", len(attribute["vals"]) if "vals" in attribute else None)
    if count is None:
        raise Refused(f"a nominal attribute of {name} does not tell its values", "index it in the pipeline")
    return max(1, int(count))


def _vector_categories(field: Any) -> list[int]:
    groups = (field.metadata or {}).get("ml_attr", {}).get("attrs")
    if groups is None:
        raise Refused(f"vector column {field.name} has no attributes", "assemble it in the pipeline")
    found = {
        int(attribute["idx"]): _categories({**attribute, "type": kind}, field.name)
        for kind, group in groups.items()
        for attribute in group
    }
    width = vector_width(field) or 0
    return [found.get(i, 1) for i in range(width)]


def interaction(r: Reading) -> Built:
    """Interaction: how many categories each feature has, from the columns' attributes."""
    blocks: Blocks = {}
    for i, name in enumerate(r.input_names):
        field = r.fields[name]
        attribute = (field.metadata or {}).get("ml_attr", {})
        counts = _vector_categories(field) if r.types[name] == "vector" else [_categories(attribute, name)]
        blocks[f"{r.prefix}.categories.{i}"] = u32(counts)
    return Built({}, blocks)


def vector_indexer(r: Reading) -> Built:
    """VectorIndexerModel: the values of each categorical feature, in the order of their indexes."""
    row = r.saved.row()
    maps = {int(feature): values for feature, values in row["categoryMaps"].items()}
    lists = [sorted(maps[feature], key=maps[feature].__getitem__) for feature in sorted(maps)]
    for feature, values in zip(sorted(maps), lists):
        if [maps[feature][value] for value in values] != list(range(len(values))):
            raise Refused(f"the indexes of feature {feature} are not 0, 1, ...", "fit the indexer again")
    params = {
        "numFeatures": int(row["numFeatures"]),
        "handleInvalid": r.choice("handleInvalid", "error", "skip", "keep"),
        "features": sorted(maps),
    }
    blocks = {
        f"{r.prefix}.categories.offsets": u32(np.cumsum([0, *map(len, lists)], dtype=np.int64)),
        f"{r.prefix}.categories.values": f64([value for values in lists for value in values]),
    }
    return Built(params, blocks)


def pca(r: Reading) -> Built:
    """PCAModel: the transpose of its matrix, as Spark multiplies by it."""
    params, blocks = matrix(f"{r.prefix}.pc", transposed(r.saved.row()["pc"]))
    return Built({"pc": params}, blocks)
