# SPDX-License-Identifier: Apache-2.0
"""Stages that hash names and values to slots of vectors."""

from __future__ import annotations

from collections import Counter

from scored_export.blocks import matrix, u32
from scored_export.errors import Refused
from scored_export.ops.base import Built, Reading
from scored_export.values import REAL, base_type, number, saved_number

UNORDERED = 4  # Scala's sets of more columns than this have an order of their own


def murmur3(text: str) -> int:
    """Return Spark's hash of a text, a signed 32-bit number."""
    data, mask = text.encode(), 0xFFFFFFFF

    def spread(word: int) -> int:
        word = word * 0xCC9E2D51 & mask
        return ((word << 15 | word >> 17) & mask) * 0x1B873593 & mask

    found = 42
    for at in range(0, len(data) // 4 * 4, 4):
        found ^= spread(int.from_bytes(data[at : at + 4], "little"))
        found = ((found << 13 | found >> 19) & mask) * 5 + 0xE6546B64 & mask
    found ^= spread(int.from_bytes(data[len(data) // 4 * 4 :], "little")) ^ len(data)
    found = (found ^ found >> 16) * 0x85EBCA6B & mask
    found = (found ^ found >> 13) * 0xC2B2AE35 & mask
    found ^= found >> 16
    return found - (1 << 32) if found >> 31 else found


def _ordered(r: Reading, names: list[str], reals: list[str], slots: int) -> list[str]:
    """Return the real columns in the order in which Spark adds them, where that can make a difference."""
    full = max(Counter(murmur3(name) % slots for name in reals).values(), default=0)
    if full < 3 or len(names) <= UNORDERED:
        return reals
    context = getattr(r.saved.spark, "sparkContext", None)
    if context is None:
        raise Refused("three real columns share a slot", "raise numFeatures")
    convert = context._jvm.PythonUtils.toSeq
    others = [name for name in names if name not in reals]
    found = getattr(convert(names).toSet(), "$minus$minus")(convert(others)).iterator()
    ordered = []
    while found.hasNext():
        ordered.append(str(found.next()))
    return ordered


def feature_hasher(r: Reading) -> Built:
    """FeatureHasher: which columns are real numbers; all others are categories."""
    names, slots = r.input_names, int(r.saved.params["numFeatures"])
    listed = set(r.saved.strings("categoricalCols"))
    reals = [name for name in names if base_type(r.types[name]) in REAL and name not in listed]
    order = [names.index(name) for name in _ordered(r, names, reals, slots)]
    return Built({"numFeatures": slots, "realCols": order})


def bucketed_random_projection_lsh(r: Reading) -> Built:
    """BucketedRandomProjectionLSHModel."""
    params, blocks = matrix(f"{r.prefix}.randUnitVectors", r.saved.row()["randUnitVectors"])
    length = number(saved_number(r.saved.params["bucketLength"]))
    return Built({"bucketLength": length, "randUnitVectors": params}, blocks)


def min_hash_lsh(r: Reading) -> Built:
    """MinHashLSHModel."""
    return Built({}, {f"{r.prefix}.randCoefficients": u32(r.saved.row()["randCoefficients"])})
