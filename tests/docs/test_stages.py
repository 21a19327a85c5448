# SPDX-License-Identifier: Apache-2.0
"""models/STAGES.md is as its maker writes it, and has every op of the program."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests" / "parity"))

import matrix  # noqa: E402

SCORED = os.environ.get("SCORED_BIN", str(TOP / "build" / "release" / "scored"))
PAGE = matrix.PAGE.read_text(encoding="utf-8")
CELLS = matrix.HEAD.count("|") - 1
LEAST = 2000
#: Ops of stages that came with Spark 4.0: due once the page has a table of it.
LATER = set() if "## Spark 4" in PAGE else {"target_encoder"}


def rows() -> list[list[str]]:
    """Return the cells of all rows of all platforms."""
    found = [row for _, table in matrix.parsed(PAGE).values() for row in table.values()]
    return [[cell.strip(" `") for cell in row.strip("| ").split(" | ")] for row in found]


def test_the_page_is_as_it_is_written():
    assert matrix.page(matrix.parsed(PAGE)) == PAGE, "tests/parity/matrix.py writes it, no hand"


def test_every_row_is_whole():
    for _, table in matrix.parsed(PAGE).values():
        for row in table.values():
            assert row.count("|") - 1 == CELLS, row[:200]


def test_every_op_was_compared():
    done = subprocess.run([SCORED, "ops", "--json"], capture_output=True, text=True, check=True)
    compared = {row[1] for row in rows() if int(row[2]) and int(row[4].replace(",", "")) >= LEAST}
    missing = [op["op"] for op in json.loads(done.stdout)["ops"] if op["op"] not in compared | LATER]
    if missing:
        pytest.fail(f"run tests/parity/run.py on pipelines of {missing}, then tests/parity/matrix.py")
