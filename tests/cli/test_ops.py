# SPDX-License-Identifier: Apache-2.0
"""The program's table of ops: it is what bundles have, and what the exporter writes."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scored_export.ops import OPS

TOP = Path(__file__).resolve().parents[2]
TESTS = TOP / "tests"
BUNDLES = [*sorted((TESTS / "ops" / "bundles").iterdir()), *sorted((TESTS / "bundles" / "good").iterdir())]

MADE_BY_PARITY = {"one_hot_encoder"}  # no bundles of its own are kept


@pytest.fixture(scope="module")
def ops() -> dict[str, dict[str, Any]]:
    """Every op by its class."""
    command = [os.environ["SCORED_BIN"], "ops", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    listed = json.loads(done.stdout)["ops"]
    return {name: op for op in listed for name in [op["class"], *op.get("more_classes", [])]}


def stages() -> Iterator[dict[str, Any]]:
    """The stages of bundles that Spark wrote, and of some by hand."""
    for folder in BUNDLES:
        yield from json.loads((folder / "bundle.json").read_text())["stages"]


def test_a_line_an_op(ops: dict[str, dict[str, Any]]) -> None:
    done = subprocess.run([os.environ["SCORED_BIN"], "ops"], capture_output=True, text=True, check=True)
    listed = [line.split() for line in done.stdout.splitlines()]
    assert listed == [[op["op"], name] for name, op in ops.items() if name == op["class"]]


def test_the_exporter_has_the_same_table(ops: dict[str, dict[str, Any]]) -> None:
    assert set(OPS) == set(ops)
    for name, op in ops.items():
        row = OPS[name]
        assert row.name == op["op"]
        assert list(row.ins) == [port["key"] for port in op["inputs"]]
        assert list(row.outs) == [port["key"] for port in op["outputs"]]
        assert set(row.accepts) == {kind for port in op["inputs"] for kind in port["types"]}


def test_stages_have_the_declared_params_and_blocks(ops: dict[str, dict[str, Any]]) -> None:
    seen = set()
    for stage in stages():
        op = ops[stage["class"]]
        seen.add(stage["class"])
        assert stage["op"] == op["op"]
        assert set(stage["params"]) == {param["name"] for param in op["params"]}
        declared = [re.escape(block["name"]).replace("<i>", r"\d+") for block in op["blocks"]]
        for block in stage["blocks"]:
            name = block.split(".", 1)[1]
            assert any(re.fullmatch(pattern, name) for pattern in declared), (stage["uid"], block)
    assert {ops[name]["op"] for name in set(ops) - seen} <= MADE_BY_PARITY


def test_a_flag_that_is_not_there_is_wrong_usage() -> None:
    done = subprocess.run([os.environ["SCORED_BIN"], "ops", "--yaml"], capture_output=True, check=False)
    assert done.returncode == 2
