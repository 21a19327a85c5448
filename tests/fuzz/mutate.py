#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bundles of every op with one to three parts changed, loaded, and scored where they load: no crash, no hang.

``mutate.py BUNDLE_FUZZ [--each N] [--seed TEXT] [--only OP]``. What is changed is known: params and columns of a
stage, types, sizes and places of blocks, numbers within them, the length of a block with all else made to fit, values
of a row. Digests are right, so that every mutant is looked into. Mutants that fail are kept beside the target.
"""

from __future__ import annotations

import argparse
import copy
import json
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seeds import OWN, container

EACH, EACH_IN_FULL = 20, 1000
SECONDS = 20  # of one mutant
FORMATS = {"U8": "B", "U16": "H", "U32": "I", "U64": "Q", "I8": "b", "I16": "h", "I32": "i", "I64": "q", "F32": "f", "F64": "d"}
REALS = (0.0, -0.0, 1.0, -1.0, float("nan"), float("inf"), float("-inf"), 1e308, -1e308, 5e-324, 1e-30, 0.5, 3.4e38)
WHOLE = (0, 1, 2, -1, 3, 7, 127, 255, 65535, 2**31 - 1, 2**31, 2**32 - 1, 2**53, 2**63 - 1)
ODD: tuple[Any, ...] = (
    *(None, True, False, "", "NaN", "-Infinity", "x" * 300, "\u0000", [], {}, [[]], [None], {"kind": "dense", "size": 3}),
    *(0, 1, -1, 2, 1 << 24, (1 << 30) + 1, 2**31, 2**53, 1e308, -0.0, 0.5, 1e-400),
)


@dataclass
class Mutant:
    """A bundle in parts that are changed each for itself."""

    manifest: dict[str, Any]
    header: dict[str, Any]
    data: bytearray
    golden: bytes
    row: dict[str, Any]

    def text(self) -> bytes:
        """Return it as the target reads it."""
        parts = [json.dumps(part, separators=(",", ":")).encode() for part in (self.manifest, self.header, self.row)]
        return b"\n%%\n".join([parts[0], parts[1], bytes(self.data), self.golden, parts[2]])


def mutant_of(bundle: Path) -> Mutant:
    """Return a bundle yet unchanged."""
    manifest, header, rest = container(bundle).split(b"\n%%\n", 2)
    data, golden, row = rest.rsplit(b"\n%%\n", 2)
    return Mutant(json.loads(manifest), json.loads(header), bytearray(data), golden, json.loads(row))


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Return every place within a value: what holds it, and its key."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    found = []
    for key in keys:
        found += [(value, key), *_places(value[key])]
    return found


def _changed(r: random.Random, value: Any) -> Any:
    """Return another value, often of the same kind."""
    kind = r.random()
    if isinstance(value, (int, float)) and not isinstance(value, bool) and kind < 0.6:
        return r.choice((value + 1, value - 1, -value, value * 2, *WHOLE, *(v for v in REALS if abs(v) < 1e400)))
    if isinstance(value, list) and value and kind < 0.7:
        return r.choice((value[1:], value[:-1], value + value[:1], value[::-1], value * 9, [value[0]] * len(value)))
    if isinstance(value, str) and kind < 0.4:
        return r.choice((value[:-1], value + value, value.swapcase(), value + "\u00e9"))
    return copy.deepcopy(r.choice(ODD))


def stages(r: random.Random, m: Mutant) -> None:
    """Change, drop or take from elsewhere something of the stages."""
    places = _places(m.manifest["stages"])
    holder, key = r.choice(places)
    kind = r.random()
    if kind < 0.2:
        del holder[key]
    elif kind < 0.4:
        other, its_key = r.choice(places)
        holder[key] = copy.deepcopy(other[its_key])
    else:
        holder[key] = _changed(r, holder[key])


def columns(r: random.Random, m: Mutant) -> None:
    """Change something of the inputs and outputs."""
    holder, key = r.choice(_places([m.manifest["input"], m.manifest["output"]])[2:])
    if key == "type":
        holder[key] = r.choice(("double", "float", "int", "bigint", "string", "vector", "boolean", "array<string>", "array<double>"))
    else:
        holder[key] = _changed(r, holder[key])


def _tensor(r: random.Random, m: Mutant) -> dict[str, Any] | None:
    names = [name for name in m.header if name != "__metadata__"]
    return m.header[r.choice(names)] if names else None


def described(r: random.Random, m: Mutant) -> None:
    """Change a block's type, shape or place, or take it out."""
    tensor = _tensor(r, m)
    if tensor is None:
        return columns(r, m)
    kind = r.randrange(4)
    if kind == 0:
        tensor["dtype"] = r.choice([*FORMATS, "F16", "BOOL"])
    elif kind == 1:
        del m.header[next(name for name, other in m.header.items() if other is tensor)]
    else:
        holder, key = r.choice(_places(tensor))
        holder[key] = _changed(r, holder[key])
    return None


def numbers(r: random.Random, m: Mutant) -> None:
    """Change numbers within a block."""
    tensor = _tensor(r, m)
    code = FORMATS.get(tensor["dtype"]) if tensor else None
    width = struct.calcsize(code) if code else 1
    count = (tensor["data_offsets"][1] - tensor["data_offsets"][0]) // width if tensor else 0
    count = min(int(count), len(m.data) // width)
    if count <= 0 or not code:
        return stages(r, m)
    for _ in range(r.choice((1, 1, 2, min(count, 1000)))):
        at = tensor["data_offsets"][0] + width * r.randrange(count)
        other = tensor["data_offsets"][0] + width * r.randrange(count)
        if code in "fd":
            m.data[at : at + width] = struct.pack(f"<{code}", r.choice(REALS))
        elif r.random() < 0.3:
            m.data[at : at + width] = m.data[other : other + width]
        else:
            (value,) = struct.unpack_from(f"<{code}", m.data, at)
            value = r.choice((value + 1, value - 1, *WHOLE)) % (1 << (8 * width))
            m.data[at : at + width] = value.to_bytes(width, "little")
    return None


def resized(r: random.Random, m: Mutant) -> None:
    """Make a block longer or shorter, its shape and all places after it made to fit."""
    tensor = _tensor(r, m)
    if not tensor or tensor["dtype"] not in FORMATS or not tensor["shape"] or not tensor["shape"][0]:
        return described(r, m)
    begin, end = tensor["data_offsets"]
    step = (end - begin) // tensor["shape"][0]
    rows = max(0, tensor["shape"][0] + r.choice((-1, -1, 1, 1, 2, -tensor["shape"][0])))
    if begin + rows * step > 2 * len(m.data) + 64:  # an earlier change has made it too large
        return described(r, m)
    filling = (bytes(m.data[begin:end]) * 3)[: rows * step]
    m.data[begin:end] = filling
    tensor["shape"][0] = rows
    for other in m.header.values():
        if other is not tensor and "data_offsets" in other and other["data_offsets"][0] >= end:
            other["data_offsets"] = [at + len(filling) - (end - begin) for at in other["data_offsets"]]
    tensor["data_offsets"] = [begin, begin + len(filling)]
    return None


def values(r: random.Random, m: Mutant) -> None:
    """Change a value of the row."""
    places = _places(m.row)
    if places:
        holder, key = r.choice(places)
        holder[key] = _changed(r, holder[key])


CHANGES: tuple[Callable[[random.Random, Mutant], None], ...] = (
    *(stages, stages, stages, columns, described, numbers, numbers, numbers, resized, resized, values),
)


def mutated(bundle: Mutant, seed: str) -> bytes:
    """Return the mutant of a seed; a change that an earlier one made impossible is left out."""
    r, m = random.Random(seed), copy.deepcopy(bundle)
    for _ in range(r.choice((1, 1, 1, 2, 3))):
        try:
            r.choice(CHANGES)(r, m)
        except (ArithmeticError, AttributeError, IndexError, KeyError, TypeError, ValueError, struct.error):
            continue
    return m.text()


def judge(target: Path, op: str, bundles: list[Path], each: int, seed: str) -> str:
    """Return what is wrong with an op, or nothing; the mutant that failed is kept."""
    read = [mutant_of(bundle) for bundle in bundles]
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        files = [Path(folder) / f"{op}-{i:04d}" for i in range(each)]
        for i, file in enumerate(files):
            file.write_bytes(mutated(read[i % len(read)], f"{seed} {op} {i}"))
        given = [target, f"-timeout={SECONDS}", "-rss_limit_mb=2048", f"-artifact_prefix={folder}/", *files]
        done = subprocess.run(given, capture_output=True, text=True, errors="replace", check=False)
        ran = done.stderr.count("\nExecuted ")
        if done.returncode == 0 and ran == each:
            return ""
        if ran < each:
            shutil.copy(files[ran], target.parent)
        return f"{ran} of {each} ran, then {files[min(ran, each - 1)].name}: {done.stderr[-1500:]}"


def main() -> int:
    """Try the mutants of every op that has fixtures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", type=Path, help="bundle_fuzz, built with sanitizers")
    parser.add_argument("--each", type=int, default=EACH, help=f"mutants an op (default {EACH})")
    parser.add_argument("--full", action="store_true", help=f"{EACH_IN_FULL} mutants an op")
    parser.add_argument("--seed", default=time.strftime("%Y-%m-%d"), help="of the mutants (default: the day)")
    parser.add_argument("--only", help="one op")
    args = parser.parse_args()
    each = EACH_IN_FULL if args.full else args.each
    bundles: dict[str, list[Path]] = {}
    for bundle in sorted(OWN[1].iterdir()):
        bundles.setdefault(bundle.name.partition(".")[0], []).append(bundle)
    chosen = {op: its for op, its in bundles.items() if args.only in (None, op)}
    failed = 0
    for op, its in chosen.items():
        start = time.monotonic()
        wrong = judge(args.target.resolve(), op, its, each, args.seed)
        failed += bool(wrong)
        print(f"{'FAIL ' if wrong else 'ok   '} {op}: {wrong or f'{each} mutants'} ({time.monotonic() - start:.1f} s)", flush=True)
    print(f"seed {args.seed}\n{len(chosen) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
