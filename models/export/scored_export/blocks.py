# SPDX-License-Identifier: Apache-2.0
"""Blocks: named tensors, and the safetensors file that holds them."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from scored_export.errors import Refused

DTYPES = {"<f8": "F64", "<i8": "I64", "<u4": "U32", "|u1": "U8"}
ALIGN = 64
INLINE_ENTRIES = 64
INLINE_BYTES = 1024

Blocks = dict[str, "np.ndarray[Any, Any]"]


def f64(values: Any) -> np.ndarray[Any, Any]:
    """Return values as a little-endian double array."""
    return np.ascontiguousarray(values, dtype="<f8")


def u32(values: Any) -> np.ndarray[Any, Any]:
    """Return whole numbers as a little-endian 32-bit array, refusing what does not fit."""
    wide = np.asarray(values, dtype=np.int64)
    if wide.size and (int(wide.min()) < 0 or int(wide.max()) >= 1 << 32):
        raise Refused("an index of the model is not in [0, 2^32)")
    return np.ascontiguousarray(wide, dtype="<u4")


def safetensors(blocks: Mapping[str, np.ndarray[Any, Any]]) -> bytes:
    """Return the bytes of a safetensors file, tensors by element size, largest first, then by name."""
    names = sorted(blocks, key=lambda name: (-blocks[name].itemsize, name.encode()))
    header: dict[str, Any] = {}
    end = 0
    for name in names:
        begin, end = end, end + blocks[name].nbytes
        dtype = DTYPES[blocks[name].dtype.str]
        header[name] = {"dtype": dtype, "shape": list(blocks[name].shape), "data_offsets": [begin, end]}
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=True).encode()
    text += b" " * (-(8 + len(text)) % ALIGN)
    return b"".join([struct.pack("<Q", len(text)), text, *(blocks[name].tobytes() for name in names)])


def string_list(name: str, entries: Sequence[str]) -> tuple[list[str] | None, Blocks]:
    """Return a list of strings for `params`, or None and the table that holds it."""
    encoded = [entry.encode("utf-8") for entry in entries]
    longest = max(map(len, encoded), default=0)
    if len(encoded) <= INLINE_ENTRIES and longest <= INLINE_BYTES and not any(b"\0" in e for e in encoded):
        return list(entries), {}
    offsets = np.concatenate([[0], np.cumsum([len(e) for e in encoded], dtype=np.int64)])
    table = np.frombuffer(b"".join(encoded), dtype="|u1")
    return None, {f"{name}.bytes": table, f"{name}.offsets": u32(offsets)}


def vector(name: str, value: Any) -> tuple[dict[str, Any], Blocks]:
    """Return the description and the blocks of a Spark vector, its kind kept."""
    if hasattr(value, "indices"):
        description = {"kind": "sparse", "size": int(value.size)}
        return description, {f"{name}.indices": u32(value.indices), f"{name}.values": f64(value.values)}
    return {"kind": "dense", "size": len(value.values)}, {name: f64(value.values)}


def matrix(name: str, value: Any) -> tuple[dict[str, Any], Blocks]:
    """Return the description and the blocks of a Spark matrix, its kind and layout kept."""
    rows, cols, transposed = int(value.numRows), int(value.numCols), bool(value.isTransposed)
    description = {"kind": "dense", "rows": rows, "cols": cols, "transposed": transposed}
    if hasattr(value, "colPtrs"):
        description["kind"] = "sparse"
        return description, {
            f"{name}.indptr": u32(value.colPtrs),
            f"{name}.indices": u32(value.rowIndices),
            f"{name}.values": f64(value.values),
        }
    flat = f64(value.values)
    dense = flat.reshape(rows, cols) if transposed else flat.reshape(cols, rows).T
    return description, {name: np.ascontiguousarray(dense)}


def transposed(value: Any) -> Any:
    """Return the transpose of a dense Spark matrix, as `matrix` reads one; no number moves."""
    return SimpleNamespace(
        numRows=value.numCols,
        numCols=value.numRows,
        isTransposed=not value.isTransposed,
        values=value.values,
    )


def numbers(values: Sequence[float]) -> Any:
    """Return numbers as `vector` reads a dense vector."""
    return SimpleNamespace(values=f64([float(value) for value in values]))


def rows(count: int, width: int, values: Sequence[float]) -> Any:
    """Return numbers, row after row, as `matrix` reads a dense matrix."""
    return SimpleNamespace(numRows=count, numCols=width, isTransposed=True, values=f64(values))
