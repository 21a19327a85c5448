#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Flips bits of a model one at a time: every flip that changes a golden answer must be refused.

``flips.py SCORED BUNDLE [--flips N] [--seed N]``. A flip hits the prediction of a leaf, a threshold, a
coefficient or a label that golden rows reach; digests and names are made right again. Whether an answer
changes is decided here, by a walk of the blocks that shares nothing with the program. The walk knows the
stages of OPS; a bundle with others ends in exit status 2.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import json
import math
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent / "bundles"))

from make_good import CODES, SIZES, Json, Vector, assemble, dot, float32

Row = dict[str, Any]
Place = tuple[str, int]  # a block and an element of it
NAMED = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


class RowError(Exception):
    """Spark would throw on this row."""


class Skipped(Exception):
    """Spark would drop this row."""


@dataclass
class Bundle:
    """A bundle read into Python values."""

    manifest: Json
    blocks: dict[str, list[Any]]
    begins: dict[str, tuple[str, int]]  # name -> dtype, place in the file
    content: bytes
    golden: list[Json]
    reached: set[Place]
    labels: set[tuple[int, int, int]]  # stage, column, label


def read(directory: Path) -> Bundle:
    """Read a bundle."""
    manifest = json.loads((directory / "bundle.json").read_bytes())
    names = {entry["role"]: entry["name"] for entry in manifest["files"]}
    content = (directory / names["blocks"]).read_bytes()
    (length,) = struct.unpack_from("<Q", content)
    blocks, begins = {}, {}
    for name, entry in json.loads(content[8 : 8 + length]).items():
        if name == "__metadata__":
            continue
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        count = (end - begin) // SIZES[entry["dtype"]]
        blocks[name] = list(struct.unpack_from(f"<{count}{CODES[entry['dtype']]}", content, begin))
        begins[name] = (entry["dtype"], begin)
    golden = [json.loads(line) for line in (directory / names["golden"]).read_text().split("\n") if line]
    return Bundle(manifest, blocks, begins, content, golden, set(), set())


# -- stages: each takes the bundle, its index and the row, and adds its columns


def double(value: Any) -> float:
    """Return a number of a row as Spark casts it to double."""
    return NAMED[value] if isinstance(value, str) else float(value)


def label_lists(bundle: Bundle, stage: int) -> Iterator[list[bytes]]:
    """Yield the labels of each column."""
    for i, labels in enumerate(bundle.manifest["stages"][stage]["params"]["labels"]):
        if labels is not None:
            yield [label.encode() for label in labels]
            continue
        text = bytes(bundle.blocks[f"s{stage:03d}.labels.{i}.bytes"])
        offsets = bundle.blocks[f"s{stage:03d}.labels.{i}.offsets"]
        yield [text[a:b] for a, b in zip(offsets, offsets[1:])]


def string_indexer(bundle: Bundle, stage: int, row: Row) -> None:
    """Look texts up; numbers are looked up by the prepared keys."""
    s = bundle.manifest["stages"][stage]
    invalid = s["params"]["handleInvalid"]
    columns = zip(s["inputs"]["inputCols"], s["outputs"]["outputCols"], label_lists(bundle, stage))
    for i, (source, target, labels) in enumerate(columns):
        value = row[source]
        index: int | None = None
        keys = bundle.blocks.get(f"s{stage:03d}.keys.{i}")
        if value is None:
            pass
        elif keys is None:
            found = [k for k, label in enumerate(labels) if label == value.encode()]
            index = found[-1] if found else None
        else:
            places = bundle.blocks[f"s{stage:03d}.key_index.{i}"]
            found = [place for key, place in zip(keys, places) if bits(float(key)) == bits(double(value))]
            index = found[-1] if found else None
        if index is None and invalid != "keep":
            raise RowError if invalid == "error" else Skipped
        if index is not None:
            bundle.labels.add((stage, i, index))
        row[target] = float(len(labels) if index is None else index)


def one_hot_encoder(bundle: Bundle, stage: int, row: Row) -> None:
    """One 1.0 at the category's place."""
    s = bundle.manifest["stages"][stage]
    keep = s["params"]["handleInvalid"] == "keep"
    columns = zip(s["inputs"]["inputCols"], s["outputs"]["outputCols"], s["params"]["categorySizes"])
    for source, target, size in columns:
        value = double(row[source])
        if not 0 <= value < size:
            if not keep:
                raise RowError
            value = size
        width = size + keep - s["params"]["dropLast"]
        row[target] = Vector(width, [1.0], [int(value)]) if value < width else Vector(width, [], [])


def imputer(bundle: Bundle, stage: int, row: Row) -> None:
    """Put surrogates in the place of nulls and of the missing value."""
    s = bundle.manifest["stages"][stage]
    types = {column["name"]: column["type"] for column in bundle.manifest["input"]}
    missing = double(s["params"]["missingValue"])
    surrogates = bundle.blocks[f"s{stage:03d}.surrogateDF"]
    for source, target, surrogate in zip(s["inputs"]["inputCols"], s["outputs"]["outputCols"], surrogates):
        kind = types.get(source, "double")
        value = row[source]
        absent = value is None or double(value) == missing
        absent = absent or (math.isnan(missing) and math.isnan(double(value)))
        if absent:
            row[target] = surrogate if kind == "double" else math.trunc(surrogate)
            if kind == "float":
                row[target] = float32(surrogate)
        else:
            row[target] = value


def bucketizer(bundle: Bundle, stage: int, row: Row) -> None:
    """Find the bucket [split, next split), the last one closed."""
    s = bundle.manifest["stages"][stage]
    invalid = s["params"]["handleInvalid"]
    for i, (source, target) in enumerate(zip(s["inputs"]["inputCols"], s["outputs"]["outputCols"])):
        splits = bundle.blocks[f"s{stage:03d}.splitsArray.{i}"]
        value = None if row[source] is None else double(row[source])
        if value is None or math.isnan(value):
            if invalid != "keep":
                raise RowError if invalid == "error" else Skipped
            row[target] = float(len(splits) - 1)
        elif value == splits[-1]:
            row[target] = float(len(splits) - 2)
        else:
            found = [k for k in range(len(splits) - 1) if splits[k] <= value < splits[k + 1]]
            if not found:
                raise RowError
            row[target] = float(found[0])


def vector_assembler(bundle: Bundle, stage: int, row: Row) -> None:
    """Put columns end to end."""
    s = bundle.manifest["stages"][stage]
    invalid = s["params"]["handleInvalid"]
    parts: list[float | Vector] = []
    for source, length in zip(s["inputs"]["inputCols"], s["params"]["lengths"]):
        value = row[source]
        if value is not None and not isinstance(value, Vector):
            value = double(value)
        bad = value is None or (isinstance(value, float) and math.isnan(value))
        if bad and invalid != "keep":
            raise RowError if invalid == "error" else Skipped
        parts += [math.nan] * length if value is None else [value]
    row[s["outputs"]["outputCol"][0]] = assemble(parts)


def linear_regression(bundle: Bundle, stage: int, row: Row) -> None:
    """Dot and intercept."""
    s = bundle.manifest["stages"][stage]
    name = f"s{stage:03d}.coefficients"
    if name not in bundle.blocks:
        raise SystemExit("flips.py: sparse coefficients are not known here")
    features = row[s["inputs"]["featuresCol"][0]]
    bundle.reached |= {(name, i) for i in range(features.size)}
    answer = dot(features, bundle.blocks[name]) + double(s["params"]["intercept"])
    row[s["outputs"]["predictionCol"][0]] = answer


def leaf(bundle: Bundle, prefix: str, root: int, features: Vector) -> int:
    """Walk a tree; note the thresholds that were asked."""
    field = {key: bundle.blocks[prefix + key] for key in ("kind", "feature", "threshold", "right", "set")}
    offsets, members = bundle.blocks[prefix + "set_offset"], bundle.blocks[prefix + "set_bits"]
    values = dict(features.entries())
    node = root
    while field["kind"][node]:
        kind, value = field["kind"][node], values.get(field["feature"][node], 0.0)
        if kind == 1:
            bundle.reached.add((prefix + "threshold", node))
            left = value <= field["threshold"][node]
        else:
            row = field["set"][node]
            stored = members[offsets[row] : offsets[row + 1]]
            whole = math.isfinite(value) and value == int(value) and 0 <= value < 8 * len(stored)
            inside = whole and bool(stored[int(value) >> 3] >> (int(value) & 7) & 1)
            left = inside == (kind == 2)
        node = node + 1 if left else root + field["right"][node]
    return node


def forest(combine: Callable[[list[float], list[float]], float]) -> Callable[[Bundle, int, Row], None]:
    """Return a regression by trees; `combine` makes the answer of predictions and weights."""

    def run(bundle: Bundle, stage: int, row: Row) -> None:
        s = bundle.manifest["stages"][stage]
        prefix = f"s{stage:03d}.forest."
        features = row[s["inputs"]["featuresCol"][0]]
        roots = bundle.blocks[prefix + "tree_offset"][:-1]
        leaves = [leaf(bundle, prefix, root, features) for root in roots]
        bundle.reached |= {(prefix + "prediction", node) for node in leaves}
        predictions = [bundle.blocks[prefix + "prediction"][node] for node in leaves]
        answer = combine(predictions, bundle.blocks[prefix + "tree_weight"])
        row[s["outputs"]["predictionCol"][0]] = answer

    return run


def mean(predictions: list[float], _: list[float]) -> float:
    """Return the mean, summed from the left."""
    total = 0.0
    for prediction in predictions:
        total += prediction
    return total / len(predictions)


OPS: dict[str, Callable[[Bundle, int, Row], None]] = {
    "string_indexer": string_indexer,
    "one_hot_encoder": one_hot_encoder,
    "imputer": imputer,
    "bucketizer": bucketizer,
    "vector_assembler": vector_assembler,
    "linear_regression": linear_regression,
    "decision_tree_regression": forest(lambda predictions, _: predictions[0]),
    "random_forest_regression": forest(mean),
}


def bits(x: float) -> bytes:
    """Return the bits of a double, those of one NaN for all."""
    return struct.pack("<d", math.nan if x != x else x)


def answers(bundle: Bundle) -> list[Any]:
    """Return the outcome of every golden row: "error", "skipped", or the outputs' bits."""
    outcomes: list[Any] = []
    for line in bundle.golden:
        row = dict(line["in"])
        try:
            for index, stage in enumerate(bundle.manifest["stages"]):
                OPS[stage["op"]](bundle, index, row)
        except (RowError, Skipped) as reason:
            outcomes.append("error" if isinstance(reason, RowError) else "skipped")
            continue
        outcomes.append({c["name"]: bits(row[c["name"]]) for c in bundle.manifest["output"]})
    return outcomes


def promised(bundle: Bundle) -> list[Any]:
    """Return what the golden lines say, in the form of `answers`."""
    return [
        "error" if "error" in line
        else "skipped" if "skipped" in line
        else {name: bits(double(value)) for name, value in line["out"].items()}
        for line in bundle.golden
    ]  # fmt: skip


# -- flips


@dataclass(frozen=True)
class Flip:
    """One bit: of an element of a block, or of a byte of a label."""

    kind: str
    place: Place | tuple[int, int, int]
    bit: int


def flips(bundle: Bundle, count: int, rng: random.Random) -> list[Flip]:
    """Choose bits of what the golden rows reach, as many of each kind."""
    pools: dict[str, list[Any]] = {}
    for place in sorted(bundle.reached):
        pools.setdefault(place[0].rsplit(".", 1)[1], []).append(place)
    inline = [
        key for key in sorted(bundle.labels)
        if bundle.manifest["stages"][key[0]]["params"]["labels"][key[1]] is not None
        and f"s{key[0]:03d}.keys.{key[1]}" not in bundle.blocks
    ]  # fmt: skip
    if inline:
        pools["label"] = inline
    kinds = sorted(pools)
    chosen: dict[Flip, None] = {}
    while len(chosen) < count:
        kind = kinds[len(chosen) % len(kinds)]
        chosen[Flip(kind, rng.choice(pools[kind]), rng.randrange(64))] = None
    return list(chosen)


def flipped(bundle: Bundle, flip: Flip) -> Bundle:
    """Return the bundle with the bit flipped."""
    other = copy.copy(bundle)
    other.reached, other.labels = set(), set()
    if flip.kind == "label":
        stage, column, index = flip.place  # type: ignore[misc]
        other.manifest = copy.deepcopy(bundle.manifest)
        labels = other.manifest["stages"][stage]["params"]["labels"][column]
        text = list(labels[index] or "a")
        at = flip.bit % len(text)
        text[at] = chr(ord(text[at]) ^ 1 << flip.bit % 5)  # stays a printable letter or sign
        labels[index] = "".join(text)
        return other
    name, element = flip.place  # type: ignore[misc]
    begin = bundle.begins[name][1] + 8 * element
    content = bytearray(bundle.content)
    content[begin + flip.bit // 8] ^= 1 << flip.bit % 8
    other.content = bytes(content)
    values = list(bundle.blocks[name])
    (values[element],) = struct.unpack_from("<d", content, begin)
    other.blocks = {**bundle.blocks, name: values}
    return other


def write(bundle: Bundle, source: Path, target: Path) -> None:
    """Write the bundle with its digests and names made right."""
    manifest = copy.deepcopy(bundle.manifest)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    for entry in manifest["files"]:
        if entry["role"] != "blocks":
            shutil.copy(source / entry["name"], target / entry["name"])
            continue
        digest = hashlib.sha256(bundle.content).hexdigest()
        entry.update(name=f"blocks-{digest[:16]}.safetensors", sha256=digest, size=len(bundle.content))
        (target / entry["name"]).write_bytes(bundle.content)
    (target / "bundle.json").write_text(json.dumps(manifest, ensure_ascii=False, separators=(",", ":")))


REFUSAL = re.compile(
    r"golden-[0-9a-f]{16}\.jsonl: line (\d+): "
    r"(?:column '([^']+)': expected (\S+), got (\S+)$|expected .*, got .*)"
)


def complaint(bundle: Bundle, before: list[Any], after: list[Any], done: Any) -> str:
    """Return what is wrong with the program's verdict on a flip, or nothing."""
    stderr = done.stderr.decode("utf-8", "replace").strip()
    changed = [i for i, (old, new) in enumerate(zip(before, after)) if old != new]
    if not changed:
        return "" if done.returncode == 0 else f"refused, though no answer changes: {stderr}"
    if done.returncode != 1:
        return f"ACCEPTED with exit status {done.returncode}, though {len(changed)} answers change"
    match = REFUSAL.search(stderr)
    if not match or int(match[1]) != changed[0] + 1:
        return f"the refusal does not name line {changed[0] + 1}: {stderr}"
    new = after[changed[0]]
    if isinstance(new, str) or isinstance(before[changed[0]], str):
        return ""
    if not match[2] or match[2] not in new:
        return f"the refusal does not name the column: {stderr}"
    for text, outcome in ((match[3], before), (match[4], after)):
        if bits(double(json.loads(text))) != outcome[changed[0]][match[2]]:
            return f"the refusal's values are not the answers: {stderr}"
    return ""


def main() -> int:
    """Flip, decide, ask the program, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scored")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--flips", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    bundle = read(options.bundle)
    unknown = {stage["op"] for stage in bundle.manifest["stages"]} - set(OPS)
    if unknown:
        print(f"flips.py: cannot walk {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    before = answers(bundle)
    if before != promised(bundle):
        first = next(i for i, pair in enumerate(zip(before, promised(bundle))) if pair[0] != pair[1])
        print(f"line {first + 1}: this walk does not repeat the golden answer")
        return 1
    chosen = flips(bundle, options.flips, random.Random(options.seed))
    caught: dict[str, list[int]] = {}
    failures = 0
    with tempfile.TemporaryDirectory() as temporary:
        target = Path(temporary) / "bundle"
        for flip in chosen:
            other = flipped(bundle, flip)
            after = answers(other)
            write(other, options.bundle, target)
            done = subprocess.run([options.scored, "check", str(target)], capture_output=True, check=False)
            wrong = complaint(bundle, before, after, done)
            failures += bool(wrong)
            if wrong:
                print(f"FAIL {flip}: {wrong}")
            counts = caught.setdefault(flip.kind, [0, 0, 0])
            counts[0] += 1
            counts[1] += before != after
            counts[2] += done.returncode == 1
    for kind, (total, changing, refused) in sorted(caught.items()):
        print(f"{kind}: {total} flips, {changing} change an answer, {refused} refused")
    refused = sum(counts[2] for counts in caught.values())
    share = 100 * refused / len(chosen)
    print(f"caught {share:.1f} % of all flips; golden rows: {len(before)}, all repeated")
    print(f"{len(chosen) - failures} passed, {failures} failed, 0 skipped")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
