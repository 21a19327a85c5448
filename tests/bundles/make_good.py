#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes small bundles by hand, from models/FORMAT.md alone: a second writer beside models/export.

Every answer is computed here, with exact arithmetic, so that nothing of the reader or of the exporter is
believed. ``make_good.py DIR`` writes one bundle a directory: one for every input type, and ``forest``, from
which make_bad.py derives the hostile ones.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

Json = dict[str, Any]
SIZES = {"F64": 8, "I64": 8, "U32": 4, "U8": 1}
CODES = {"F64": "d", "I64": "q", "U32": "I", "U8": "B"}
SUFFIX = {"blocks": "safetensors", "golden": "jsonl", "profile": "json"}
PLATFORM = {
    "spark": "3.5.9",
    "scala": "2.12.18",
    "jdk": "17.0.15",
    "locale": "en",
    "arch": "x86_64",
    "cpu_vendor": "GenuineIntel",
    "blas": "java11",
    "reduce": "sequential",
    "libm": "hotspot-x86",
    "ansi": False,
    "case_sensitive": False,
    "compressed": "old",
    "double_to_string": "jdk17",
}


# -- numbers


def fma(a: float, b: float, c: float) -> float:
    """Return a * b + c, rounded once."""
    if not all(math.isfinite(x) for x in (a, b, c)):
        return a * b + c
    exact = Fraction(a) * Fraction(b) + Fraction(c)
    if exact == 0:
        return a * b + c  # the signs of zeros; an exact cancellation is 0.0 in both
    try:
        return exact.numerator / exact.denominator
    except OverflowError:
        return math.inf if exact > 0 else -math.inf


@dataclass
class Vector:
    """A vector as Spark keeps it: dense where `indices` is None, else with its stored entries."""

    size: int
    values: list[float]
    indices: list[int] | None = None

    def entries(self) -> list[tuple[int, float]]:
        """Return the stored entries with their places."""
        return list(zip(self.indices if self.indices is not None else range(self.size), self.values))

    def json(self) -> Any:
        """Return the vector as golden lines show it."""
        if self.indices is None:
            return [number(x) for x in self.values]
        return {"size": self.size, "indices": self.indices, "values": [number(x) for x in self.values]}


def assemble(parts: Sequence[float | Vector]) -> Vector:
    """Return VectorAssembler's vector of the parts: the non-zeros, sparse where that is smaller."""
    stored: list[tuple[int, float]] = []
    size = 0
    for part in parts:
        entries = part.entries() if isinstance(part, Vector) else [(0, part)]
        stored += [(size + i, x) for i, x in entries if x != 0]
        size += part.size if isinstance(part, Vector) else 1
    if 1.5 * (len(stored) + 1.0) < size:
        return Vector(size, [x for _, x in stored], [i for i, _ in stored])
    places = dict(stored)
    return Vector(size, [places.get(i, 0.0) for i in range(size)])


def dot(x: Vector, y: Sequence[float]) -> float:
    """Return x . y as Java11BLAS sums it for a dense y."""
    if x.indices is not None:
        total = 0.0
        for i, value in x.entries():
            total += value * y[i]
        return total
    sums = [0.0] * 4
    whole = x.size & ~3
    for i in range(whole):
        sums[i % 4] = fma(x.values[i], y[i], sums[i % 4])
    total = 0.0 + (((sums[0] + sums[1]) + sums[2]) + sums[3])
    for i in range(whole, x.size):
        total = fma(x.values[i], y[i], total)
    return total


def number(x: Any) -> Any:
    """Return a value of a golden line: non-finite doubles are strings."""
    if isinstance(x, float) and not math.isfinite(x):
        return "NaN" if x != x else "Infinity" if x > 0 else "-Infinity"
    return x


def float32(x: float) -> float:
    """Return x rounded to binary32; the tables hold only values for which one rounding is all."""
    return float(struct.unpack("<f", struct.pack("<f", x))[0])


# -- files


@dataclass
class Block:
    """A named tensor."""

    dtype: str
    values: Sequence[float]
    shape: list[int] | None = None

    def data(self) -> bytes:
        """Return the elements, little-endian."""
        return struct.pack(f"<{len(self.values)}{CODES[self.dtype]}", *self.values)


def lay_out(blocks: Mapping[str, Block]) -> tuple[Json, bytes]:
    """Return the header and the data of a blocks file: by element size, largest first, then by name."""
    header: Json = {}
    data = b""
    for name in sorted(blocks, key=lambda name: (-SIZES[blocks[name].dtype], name)):
        block = blocks[name]
        begin = len(data)
        data += block.data()
        header[name] = {
            "dtype": block.dtype,
            "shape": [len(block.values)] if block.shape is None else block.shape,
            "data_offsets": [begin, len(data)],
        }
    return header, data


def pack(header: bytes, data: bytes) -> bytes:
    """Return a blocks file, its header padded so that the data begins at a multiple of 64."""
    header += b" " * (-(8 + len(header)) % 64)
    return struct.pack("<Q", len(header)) + header + data


def dump(value: Any) -> str:
    """Return compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def string_table(name: str, entries: Sequence[str]) -> dict[str, Block]:
    """Return the two blocks of a string table."""
    texts = [entry.encode() for entry in entries]
    offsets = [sum(map(len, texts[:i])) for i in range(len(texts) + 1)]
    return {f"{name}.bytes": Block("U8", b"".join(texts)), f"{name}.offsets": Block("U32", offsets)}


@dataclass
class Draft:
    """A bundle before it is written. The edits are how make_bad.py spoils it, each at its layer."""

    manifest: Json
    blocks: dict[str, Block]
    golden: list[Json]
    profile: Json
    edit_header: list[Callable[[Json], None]] = field(default_factory=list)
    edit_bytes: dict[str, list[Callable[[bytes], bytes]]] = field(default_factory=dict)
    edit_manifest: list[Callable[[Json], None]] = field(default_factory=list)
    edit_text: list[Callable[[bytes], bytes]] = field(default_factory=list)
    edit_files: list[Callable[[Path], None]] = field(default_factory=list)

    def role_bytes(self) -> dict[str, bytes]:
        """Return the bytes of the three files."""
        header, data = lay_out(self.blocks)
        for edit in self.edit_header:
            edit(header)
        files = {
            "blocks": pack(dump(header).encode(), data),
            "golden": "".join(dump(line) + "\n" for line in self.golden).encode(),
            "profile": dump(self.profile).encode(),
        }
        for role, edits in self.edit_bytes.items():
            for change in edits:
                files[role] = change(files[role])
        return files

    def write(self, directory: Path) -> None:
        """Write the bundle, digests and names made of what the files hold."""
        directory.mkdir(parents=True, exist_ok=True)
        manifest = json.loads(json.dumps(self.manifest))
        manifest["files"] = []
        for role, content in self.role_bytes().items():
            digest = hashlib.sha256(content).hexdigest()
            name = f"{role}-{digest[:16]}.{SUFFIX[role]}"
            (directory / name).write_bytes(content)
            manifest["files"].append({"role": role, "name": name, "size": len(content), "sha256": digest})
        for edit in self.edit_manifest:
            edit(manifest)
        text = dump(manifest).encode()
        for change in self.edit_text:
            text = change(text)
        (directory / f"bundle-{hashlib.sha256(text).hexdigest()[:16]}.json").write_bytes(text)
        (directory / "bundle.json").write_bytes(text)
        for touch in self.edit_files:
            touch(directory)


def draft(
    name: str,
    inputs: list[Json],
    outputs: list[Json],
    stages: list[Json],
    added: Sequence[str],
    blocks: dict[str, Block],
    golden: list[Json],
) -> Draft:
    """Return a bundle with all that every manifest holds; `added` are the columns that the stages add."""
    for index, stage in enumerate(stages):
        stage["blocks"] = sorted(b for b in blocks if b.startswith(f"s{index:03d}."))
    manifest = {
        "format": "scored-bundle",
        "format_version": 1,
        "name": name,
        "version": "by-hand-1",
        "created": "2026-11-21T10:20:30.123Z",
        "lineage": {"exporter": "by hand", "training_data_rows": len(golden), "metrics": {"rmse": 0.5}},
        "platform": dict(PLATFORM),
        "input": inputs,
        "output": outputs,
        "example": next(line for line in golden if "out" in line),
        "stages": stages,
        "exactness": {column: {"tier": "exact-on-platform", "why": "by hand"} for column in added},
        "golden": {"rows": len(golden), "made": 0, "leaves": [0, 0], "labels": [0, 0]},
    }
    profile = {"rows": len(golden), "columns": {}, "outputs": {}}
    return Draft(manifest, blocks, golden, profile)


# -- one bundle an input type

COEFFICIENTS = [0.1, -1.7, 3.0e-5, 1.0 / 3.0, -2.5e10]
INTERCEPT = 0.7


def linear_stage(size: int) -> Json:
    """Return a linear regression over "features"."""
    return {
        "op": "linear_regression",
        "uid": "linear",
        "class": "org.apache.spark.ml.regression.LinearRegressionModel",
        "inputs": {"featuresCol": ["features"]},
        "outputs": {"predictionCol": ["prediction"]},
        "params": {"intercept": INTERCEPT, "coefficients": {"kind": "dense", "size": size}},
    }


def assembler_stage(columns: list[str], lengths: list[int | None]) -> Json:
    """Return an assembler of columns to "features", handleInvalid error."""
    return {
        "op": "vector_assembler",
        "uid": "assembler",
        "class": "org.apache.spark.ml.feature.VectorAssembler",
        "inputs": {"inputCols": columns},
        "outputs": {"outputCol": ["features"]},
        "params": {"handleInvalid": "error", "lengths": lengths},
    }


def golden_line(row: Json, value: float | Vector | None, d: float | None) -> Json:
    """Return the line of a row whose column x is assembled as `value`, None where it fails."""
    parts = [part for part in (value, d) if part is not None]
    features = assemble(parts)
    bad = len(parts) < 2 or any(isinstance(p, float) and math.isnan(p) for p in parts)
    if bad or features.size > len(COEFFICIENTS):
        return {"in": row, "error": True}
    answer = dot(features, COEFFICIENTS[: features.size]) + INTERCEPT
    return {"in": row, "out": {"prediction": number(answer)}}


def scalar(kind: str, nullable: bool, values: Sequence[Any], cast: Callable[[Any], float] = float) -> Draft:
    """Return a bundle with a number or boolean x beside a double d."""
    second = [0.25, -0.0, 1e-3, 12345.678, 0.0, -7.5, math.inf]
    golden = []
    for i, x in enumerate(values):
        d = second[i % len(second)]
        golden.append(golden_line({"x": number(x), "d": number(d)}, None if x is None else cast(x), d))
    golden.append(golden_line({"x": number(values[0]), "d": None}, cast(values[0]), None))
    return draft(
        kind,
        [
            {"name": "x", "type": kind, "nullable": nullable},
            {"name": "d", "type": "double", "nullable": True},
        ],
        [{"name": "prediction", "type": "double"}],
        [assembler_stage(["x", "d"], [1, 1]), linear_stage(2)],
        ["features", "prediction"],
        {"s001.coefficients": Block("F64", COEFFICIENTS[:2])},
        golden,
    )


def string() -> Draft:
    """Return a bundle with a string x that is indexed."""
    labels = ["b", "", "ä€😀", 'b\\"\n']
    golden = [
        golden_line({"x": x, "d": d}, float(labels.index(x)) if x in labels else None, d)
        for x, d in [("b", 0.5), ("", -1.0), ("ä€😀", 1e6), ('b\\"\n', 0.0), ("B", 0.5), (None, 0.5)]
    ]
    indexer = {
        "op": "string_indexer",
        "uid": "indexer",
        "class": "org.apache.spark.ml.feature.StringIndexerModel",
        "inputs": {"inputCols": ["x"]},
        "outputs": {"outputCols": ["x_i"]},
        "params": {"handleInvalid": "error", "labels": [labels]},
    }
    return draft(
        "string",
        [
            {"name": "x", "type": "string", "nullable": True, "description": "a word"},
            {"name": "d", "type": "double", "nullable": True},
        ],
        [{"name": "prediction", "type": "double"}],
        [indexer, assembler_stage(["x_i", "d"], [1, 1]), linear_stage(2)],
        ["x_i", "features", "prediction"],
        {"s002.coefficients": Block("F64", COEFFICIENTS[:2])},
        golden,
    )


def array(element: str, contains_null: bool, values: Sequence[Any]) -> Draft:
    """Return a bundle with an array x that is accepted, and read by no stage."""
    golden = []
    for x in values:
        row = {"x": None if x is None else [number(item) for item in x], "d": 2.5}
        ok = x is not None and (contains_null or None not in x)
        line = golden_line(row, 2.5, 2.5)
        line["out"]["features"] = [2.5, 2.5]
        golden.append(line if ok else {"in": row, "error": True})
    return draft(
        f"array_{element}",
        [
            {"name": "x", "type": f"array<{element}>", "nullable": False, "containsNull": contains_null},
            {"name": "d", "type": "double", "nullable": True},
        ],
        [{"name": "prediction", "type": "double"}, {"name": "features", "type": "vector", "size": 2}],
        [assembler_stage(["d", "d"], [1, 1]), linear_stage(2)],
        ["features", "prediction"],
        {"s001.coefficients": Block("F64", COEFFICIENTS[:2])},
        golden,
    )


def vector_sizes() -> Draft:
    """Return a bundle of vectors whose sizes add up beyond 32 bits in one row: it has no answer."""
    huge = {"size": 2**31 - 1, "indices": [0], "values": [1.0]}
    golden: list[Json] = [
        {"in": {"x": [1.0], "y": [1.0, 2.0]}, "out": {"features": [1.0, 1.0, 1.0, 2.0]}},
        {"in": {"x": huge, "y": [1.0, 2.0, 3.0, 4.0]}, "error": True},
    ]
    return draft(
        "vector_sizes",
        [{"name": name, "type": "vector", "nullable": True, "size": None} for name in "xy"],
        [{"name": "features", "type": "vector", "size": None}],
        [assembler_stage(["x", "x", "y"], [None, None, None])],
        ["features"],
        {},
        golden,
    )


def vector(name: str, nullable: bool, size: int | None) -> Draft:
    """Return a bundle with a vector x of four entries; other sizes do not fit the coefficients."""
    rows: list[tuple[Vector | None, float]] = [
        (Vector(4, [1.0, 2.0, 3.0, 4.0]), 0.5),
        (Vector(4, [1.0, 2.0], [0, 3]), 0.0),
        (Vector(4, [-0.0, 7.0], [1, 2]), 0.0),
        (Vector(4, [0.1, 0.2, 0.3, 0.4]), 1e10),
        (Vector(4, [], []), 0.0),
        (Vector(4, [math.nan, 0.0, 0.0, 1.0]), 3.0),
        (Vector(5, [1.0, 2.0, 3.0, 4.0, 5.0]), 0.5),
        (None, 1.0),
    ]
    golden = []
    for x, d in rows:
        row = {"x": None if x is None else x.json(), "d": d}
        line = golden_line(row, x, d)
        if "out" in line and x is not None:
            line["out"]["features"] = assemble([x, d]).json()
        golden.append(line)
    return draft(
        name,
        [
            {"name": "x", "type": "vector", "nullable": nullable, "size": size},
            {"name": "d", "type": "double", "nullable": True},
        ],
        [{"name": "prediction", "type": "double"}, {"name": "features", "type": "vector", "size": None}],
        [assembler_stage(["x", "d"], [size, 1]), linear_stage(5)],
        ["features", "prediction"],
        {"s001.coefficients": Block("F64", COEFFICIENTS)},
        golden,
    )


# -- the forest, from which the hostile bundles are made


def forest_blocks(stage: str) -> dict[str, Block]:
    """Return two trees over [make_i, age_i, km] with every kind of node.

    Tree 0: make in {0} left (kind 2, of 3 categories); right: km <= 10.5.
    Tree 1: age not in {1} left (kind 3, of 4 categories); its left: km <= 0.5.
    """
    fields: dict[str, tuple[str, list[float]]] = {
        "tree_offset": ("U32", [0, 5, 10]),
        "tree_weight": ("F64", [1.0, 1.0]),
        "kind": ("U8", [2, 0, 1, 0, 0, 3, 1, 0, 0, 0]),
        "feature": ("U32", [0, 0, 2, 0, 0, 1, 2, 0, 0, 0]),
        "threshold": ("F64", [0.0, 0.0, 10.5, 0.0, 0.0, 0.0, 0.5, 0.0, 0.0, 0.0]),
        "right": ("U32", [2, 0, 4, 0, 0, 4, 3, 0, 0, 0]),
        "set": ("U32", [0, 0, 0, 0, 0, 1, 0, 0, 0, 0]),
        "prediction": ("F64", [1.0, 2.25, 3.0, 0.1, 7.0, 1.0, 1.0, 0.2, 1e-3, 5.5]),
        "set_offset": ("U32", [0, 1, 2]),
        "set_bits": ("U8", [0b001, 0b0010]),
    }
    blocks = {f"{stage}.forest.{name}": Block(dtype, values) for name, (dtype, values) in fields.items()}
    blocks[f"{stage}.forest.stats"] = Block("F64", [1.0] * 30, [10, 3])
    return blocks


MAKES = ["BMW", "Opel"]
AGES = ["3", "1", "2"]


def forest_line(make: str | None, age: int | None, km: float | None) -> Json:
    """Return the golden line of a row of the forest bundle."""
    row = {"make": make, "age": age, "km": number(km)}
    if km is None or math.isnan(km):
        return {"in": row, "error": True}
    make_i = MAKES.index(make) if make in MAKES else len(MAKES)
    age_i = AGES.index(str(age)) if str(age) in AGES else len(AGES)
    leaf0 = 0 if make_i == 0 else 1 if km <= 10.5 else 2
    leaf1 = 2 if age_i == 1 else 0 if km <= 0.5 else 1
    features = assemble([float(make_i), float(age_i), km])
    total = 0.0
    for i, value in features.entries():  # the coefficients are sparse: 0.5 at 0 and -2.0 at 2
        total += value * {0: 0.5, 2: -2.0}.get(i, 0.0) if i in (0, 2) else 0.0
    out = {
        "forest": (0.0 + [2.25, 0.1, 7.0][leaf0] + [0.2, 1e-3, 5.5][leaf1]) / 2,
        "leaf": [float(leaf0), float(leaf1)],
        "linear": number(total + 0.125),
    }
    return {"in": row, "out": out}


def forest() -> Draft:
    """Return a bundle with a string table, numeric keys, a forest and sparse coefficients."""
    stages: list[Json] = [
        {
            "op": "string_indexer",
            "uid": "indexer",
            "class": "org.apache.spark.ml.feature.StringIndexerModel",
            "inputs": {"inputCols": ["make", "age"]},
            "outputs": {"outputCols": ["make_i", "age_i"]},
            "params": {"handleInvalid": "keep", "labels": [None, AGES]},
        },
        assembler_stage(["make_i", "age_i", "km"], [1, 1, 1]),
        {
            "op": "random_forest_regression",
            "uid": "forest",
            "class": "org.apache.spark.ml.regression.RandomForestRegressionModel",
            "inputs": {"featuresCol": ["features"]},
            "outputs": {"predictionCol": ["forest"], "leafCol": ["leaf"]},
            "params": {"numFeatures": 3, "numCategories": {"0": 3, "1": 4}},
        },
        {
            "op": "linear_regression",
            "uid": "linear",
            "class": "org.apache.spark.ml.regression.LinearRegressionModel",
            "inputs": {"featuresCol": ["features"]},
            "outputs": {"predictionCol": ["linear"]},
            "params": {"intercept": 0.125, "coefficients": {"kind": "sparse", "size": 3}},
        },
    ]
    blocks = {
        **string_table("s000.labels.0", MAKES),
        "s000.keys.1": Block("I64", [3, 1, 2]),
        "s000.key_index.1": Block("U32", [0, 1, 2]),
        **forest_blocks("s002"),
        "s003.coefficients.indices": Block("U32", [0, 2]),
        "s003.coefficients.values": Block("F64", [0.5, -2.0]),
    }
    golden = [
        forest_line(*row)
        for row in [
            ("BMW", 3, 0.25),
            ("Opel", 1, 10.5),
            ("Opel", 2, 11.0),
            ("Fiat", 7, 0.75),
            (None, None, 1.0),
            ("BMW", 3, 0.0),
            ("Opel", 3, math.inf),
            ("BMW", 1, math.nan),
            ("BMW", 1, None),
        ]
    ]
    return draft(
        "forest",
        [
            {"name": "make", "type": "string", "nullable": True},
            {"name": "age", "type": "int", "nullable": True},
            {"name": "km", "type": "double", "nullable": True},
        ],
        [
            {"name": "forest", "type": "double"},
            {"name": "leaf", "type": "vector", "size": 2},
            {"name": "linear", "type": "double"},
        ],
        stages,
        ["make_i", "age_i", "features", "forest", "leaf", "linear"],
        blocks,
        golden,
    )


def labels() -> Draft:
    """Return the forest with labels: as many as may be, one as long as may be, and any text."""
    made = forest()
    made.manifest["labels"] = {"forest": ["x" * 1024] + [str(i) for i in range(999)], "leaf": ["", 'ä"\\\n']}
    return made


GOOD: dict[str, Callable[[], Draft]] = {
    "boolean": lambda: scalar("boolean", True, [True, False, None], float),
    "tinyint": lambda: scalar("tinyint", False, [-128, 127, 0, 7]),
    "smallint": lambda: scalar("smallint", True, [-32768, 32767, None, 0]),
    "int": lambda: scalar("int", True, [-(2**31), 2**31 - 1, 0, None, 41]),
    "bigint": lambda: scalar("bigint", False, [2**53 + 1, -(2**63), 2**63 - 1, 0, 2**53 + 3]),
    "float": lambda: scalar("float", True, [0.1, 2.0**24, 1e-45, -0.0, math.nan, None, 3.4e38], float32),
    "double": lambda: scalar("double", True, [0.1, -0.0, 5e-324, 1e308, math.inf, math.nan, None, 1 / 3]),
    "string": string,
    "array_string": lambda: array("string", True, [["a", None, ""], [], ["ä€😀"], None]),
    "array_double": lambda: array("double", False, [[0.5, math.nan, -0.0], [], [1.0, None], None]),
    "vector": lambda: vector("vector", True, 4),
    "vector_any_size": lambda: vector("vector_any_size", False, None),
    "vector_sizes": vector_sizes,
    "forest": forest,
    "labels": labels,
}


def main() -> int:
    """Write every good bundle below the directory named on the command line."""
    if len(sys.argv) != 2:
        print("usage: make_good.py DIR", file=sys.stderr)
        return 2
    for name, make in GOOD.items():
        make().write(Path(sys.argv[1]) / name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
