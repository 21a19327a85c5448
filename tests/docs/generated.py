#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is written from the program's own table of ops: FORMAT.md's table and words of the fuzz dictionary.

``generated.py SCORED`` says whether the files are current; with ``--write`` it makes them so.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parents[2]
Op = dict[str, Any]
NUMERIC = ["tinyint", "smallint", "int", "bigint", "float", "double"]
PACKAGE = "org.apache.spark.ml."
# Kinds that FORMAT.md 4 describes: a block's name stands for all of them.
COMPOSED = {"strings": "table", "vector": "vector", "vector or null": "vector", "matrix": "matrix"}


def read_ops(scored: str) -> list[Op]:
    """Return the ops as the program declares them."""
    done = subprocess.run([scored, "ops", "--json"], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["ops"]


# -- FORMAT.md


def types_text(types: list[str]) -> str:
    """Return types by name, all numbers as one word."""
    numbers = ["numeric"] if set(NUMERIC) <= set(types) else []
    rest = [name for name in types if not numbers or name not in NUMERIC]
    return ", ".join(sorted(rest) + numbers)


def input_text(port: dict[str, Any]) -> str:
    """Return a key of ``inputs``."""
    return f"{port['key']}{'?' if port.get('optional') else ''} ({types_text(port['types'])}{', one' if port['one'] else ''})"


def output_text(port: dict[str, Any]) -> str:
    """Return a key of ``outputs``."""
    made = types_text(port["types"]) or "of its input's type"
    return f"{port['key']}{'?' if port['optional'] else ''} {made}"


def range_text(param: dict[str, Any]) -> str:
    """Return what a number may be."""
    low, high = param.get("low"), param.get("high")
    if low is None:
        return ""
    if low == high:
        return f", {low:,}"
    if high is None:
        return f" >= {low:,}"
    return f", {low:,} to {high:,}"


def param_text(param: dict[str, Any]) -> str:
    """Return a param."""
    what = ", ".join(param["values"]) if "values" in param else param["kind"]
    size = f", of `{param['size_of']}`'s size" if "size_of" in param else ""
    each = ", one a column" if param["each"] else ""
    note = f", {param['note']}" if "note" in param else ""
    return f"`{param['name']}` {what}{range_text(param)}{size}{each}{note}"


def block_text(block: dict[str, Any]) -> str:
    """Return a block, or what all of its kind are called."""
    name, kind = block["name"], block["kind"]
    if kind == "forest":
        return "forest"
    if kind in COMPOSED:
        return f"{COMPOSED[kind]} `{re.sub('[.](bytes|offsets|indptr|indices|values)$', '', name)}`"
    when = f" ({block['when']})" if "when" in block else f" ({kind})"
    return f"`{name}` {block['dtype']}{when}"


def row(op: Op) -> str:
    """Return an op's row of the table."""
    blocks = list(dict.fromkeys(block_text(block) for block in op["blocks"]))
    params = [*map(param_text, op["params"]), *(["models"] if op["models"] else [])]
    cells = [
        f"`{op['op']}`",
        ", ".join(f"`{name.removeprefix(PACKAGE)}`" for name in [op["class"], *op.get("more_classes", [])]),
        "; ".join(map(input_text, op["inputs"])),
        "; ".join(map(output_text, op["outputs"])) or "-",
        "; ".join(params) or "-",
        "; ".join(blocks) or "-",
    ]
    return f"| {' | '.join(cells)} |"


def table(ops: list[Op]) -> str:
    """Return the table of FORMAT.md 5."""
    head = [
        f"| op | Spark class (`{PACKAGE}`) | in | out | params | blocks |",
        "|---|---|---|---|---|---|",
    ]
    return "\n".join([*head, *map(row, ops)]) + "\n"


# -- the dictionary


def words(ops: list[Op]) -> str:
    """Return the words of manifests and blocks that ops bring, for libFuzzer."""
    found: dict[str, None] = {}
    for op in ops:
        found[f'"{op["op"]}"'] = None
        found.update({name: None for name in [op["class"], *op.get("more_classes", [])]})
        for port in op["inputs"] + op["outputs"]:
            found[f'"{port["key"]}":'] = None
        for param in op["params"]:
            found[f'"{param["name"]}":'] = None
            found.update({f'"{value}"': None for value in param.get("values", [])})
        found.update({f".{block['name'].replace('<i>', '0')}": None for block in op["blocks"]})
        if op["models"]:
            found.update({'"models":': None, ".models.0": None})
    return "".join('"' + word.replace('"', '\\"') + '"\n' for word in found)


# -- files

FILES: list[tuple[str, str, str, Callable[[list[Op]], str]]] = [
    ("models/FORMAT.md", "<!-- written by tests/docs/generated.py -->\n", "<!-- end -->\n", table),
    ("tests/fuzz/bundle.dict", "# written by tests/docs/generated.py\n", "# end\n", words),
]


def renewed(text: str, begin: str, end: str, part: str) -> str:
    """Return the text with what stands between two marks replaced."""
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise SystemExit(f"no {begin.strip()} with {end.strip()} behind it")
    return before + begin + part + end + after


def main() -> int:
    """Check or write the files; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scored", help="the program whose ops are described")
    parser.add_argument("--write", action="store_true", help="write what is not current")
    options = parser.parse_args()
    ops = read_ops(options.scored)
    stale = 0
    for name, begin, end, make in FILES:
        text = (TOP / name).read_text()
        new = renewed(text, begin, end, make(ops))
        if new != text and options.write:
            (TOP / name).write_text(new)
        elif new != text:
            stale += 1
            print(f"{name} is not current: run tests/docs/generated.py {options.scored} --write")
    print(f"{len(FILES) - stale} passed, {stale} failed, 0 skipped")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
