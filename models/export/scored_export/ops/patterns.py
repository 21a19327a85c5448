# SPDX-License-Identifier: Apache-2.0
"""Models of frequent patterns."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from scored_export.blocks import f64, string_list, u32
from scored_export.errors import Refused
from scored_export.ops.base import Built, Reading
from scored_export.values import type_name

TEXTS = "array<string>"

Rules = list[tuple[list[Any], Any]]


def _rules(r: Reading) -> Rules:
    """Return the rules as `transform` collects them, each antecedents and a consequent.

    Spark makes them by a shuffle of the frequent item sets whenever it is asked. Their order follows from the
    partitions of these (a fitted model's are the training data's, a loaded one's those in which the session
    reads the files) and from spark.default.parallelism; spark.sql.shuffle.partitions and adaptive execution
    do not matter.
    """
    found = r.live.associationRules
    name = r.inputs["itemsCol"][0]
    kind = type_name(found.schema["antecedent"].dataType)
    if kind != r.types[name]:
        raise Refused(
            f"the model has rules of {kind}, column {name} has type {r.types[name]}",
            f"cast column {name} to {kind} before the first stage",
        )
    rows = found.select("antecedent", "consequent").collect()
    return [(list(antecedent), *consequent) for antecedent, consequent in rows]


def places_of(items: Sequence[Any]) -> dict[Any, int]:
    """Return different items with a place each; those that the engine would take for others are refused."""
    places: dict[Any, int] = {}
    written: dict[Any, str] = {}
    for item in items:
        if item is None or item != item:
            raise Refused(f"an item of the model is {item}", "fit on arrays without nulls")
        if written.setdefault(item, repr(item)) != repr(item):
            reason = "items 0.0 and -0.0 are two to the model, and one to Spark's transform"
            raise Refused(reason, "fit without -0.0")
        places.setdefault(item, len(places))
    return places


def fp_growth(r: Reading) -> Built:
    """FPGrowthModel: its items, and its rules by the places of these, in this session's order."""
    rules = _rules(r)
    places = places_of([item for antecedents, consequent in rules for item in (*antecedents, consequent)])
    are_texts = r.types[r.inputs["itemsCol"][0]] == TEXTS
    texts = list(places) if are_texts else []
    inline, blocks = string_list(f"{r.prefix}.items", texts)
    if not are_texts:
        blocks[f"{r.prefix}.numbers"] = f64(list(places))
    ends = itertools.accumulate((len(antecedents) for antecedents, _ in rules), initial=0)
    blocks[f"{r.prefix}.rules.ends"] = u32(list(ends))
    blocks[f"{r.prefix}.rules.antecedents"] = u32([places[item] for items, _ in rules for item in items])
    blocks[f"{r.prefix}.rules.consequents"] = u32([places[item] for _, item in rules])
    return Built({"items": inline}, blocks, strings=len(texts))
