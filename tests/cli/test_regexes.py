# SPDX-License-Identifier: Apache-2.0
"""Expressions of a RegexTokenizer that no exporter wrote, and texts that take too many steps."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("SCORED_BIN", TOP / "build" / "release" / "scored")).resolve()
sys.path.insert(0, str(TOP / "tests" / "bundles"))

from make_good import Block, draft  # noqa: E402

A, B = ord("a"), ord("b")
WRONG = (
    *("[2]", "[", "[]", "[0", "[-1]", "[ 0]", "[99999999999999999999]", "a", ".", "(", "(?:", "(?:[0]", ")"),
    *("[0])", "(?C)", "(?C1)", "(?R)", "(?1)", "(*F)", "(*LIMIT_MATCH=1)", "(?i)", "(?#x)", "(?<n>[0])"),
    *("\\Q", "\\", "\\A", "\\1", "[0]{", "[0]{}", "[0]{,2}", "[0]{1", "[0]{2,1}", "[0]{99999}", "[0]**"),
    *("*", "+", "(?<=[0]+)", "(?<=(?:[0]))", "(?<=^)", "(?:(?:[0]){1000}){1000}", "(?:" * 300 + ")" * 300),
    *("[0]|" * 60000,),
)
WRONG_SETS = (
    ([], [A, A]),
    ([0, 2, 1, 2], [A, A, B, B]),
    ([1, 2], [A, A, B, B]),
    ([0, 1], [A, A, B]),
    ([0, 3], [A, A, B, B]),
    ([0, 1], [B, A]),
    ([0, 1], [A, 0x110000]),
)


def write(
    folder: Path, expression: str, sets: tuple[list[int], list[int]] = ([0, 1, 2], [A, A, B, B])
) -> Path:
    """Write a bundle of a tokenizer, which is to leave the text "c" as it is."""
    tokenizer = {
        "op": "regex_tokenizer",
        "uid": "tokens",
        "class": "org.apache.spark.ml.feature.RegexTokenizer",
        "inputs": {"inputCols": ["s"]},
        "outputs": {"outputCols": ["t"]},
        "params": {
            **{"expression": expression, "units": True, "aligned": True, "gaps": True},
            **{"minTokenLength": 0, "toLowercase": False},
        },
    }
    blocks = {"s000.sets.offsets": Block("U32", sets[0]), "s000.sets.ranges": Block("U32", sets[1])}
    text, tokens = {"name": "s", "type": "string", "nullable": True}, {"name": "t", "type": "array<string>"}
    golden = [{"in": {"s": "c"}, "out": {"t": ["c"]}}]
    draft("regexes", [text], [tokens], [tokenizer], ["t"], blocks, golden).write(folder)
    return folder


def refusal(bundle: Path) -> str:
    done = subprocess.run([BIN, "check", bundle], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1, done
    return done.stderr


@pytest.mark.parametrize("expression", WRONG, ids=lambda e: e[:24])
def test_wrong_expressions_are_refused(tmp_path: Path, expression: str) -> None:
    assert "params.expression" in refusal(write(tmp_path / "bundle", expression))


@pytest.mark.parametrize("sets", WRONG_SETS)
def test_wrong_sets_are_refused(tmp_path: Path, sets: tuple[list[int], list[int]]) -> None:
    assert "sets." in refusal(write(tmp_path / "bundle", "[0]", sets))


def answers(bundle: Path, texts: list[str]) -> list[dict[str, object]]:
    """Return what is answered to texts, however many rows stand in a frame."""
    lines = b"".join(json.dumps({"s": text}).encode() + b"\n" for text in texts)
    found = []
    for rows in ("1", "64"):
        command = [BIN, "predict", "--model", bundle, "--frame-rows", rows]
        done = subprocess.run(command, input=lines, capture_output=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        found.append([json.loads(line) for line in done.stdout.splitlines()])
    assert [line.get("t") for line in found[0]] == [line.get("t") for line in found[1]]
    return found[1]


def test_too_many_steps_are_an_error_of_the_row(tmp_path: Path) -> None:
    bundle = write(tmp_path / "bundle", "(?:[0]|[0][0])+[1][1]")
    first, hard, last = answers(bundle, ["aabb", "a" * 60 + "cbb", "cabbc"])
    assert (first, last) == ({"t": []}, {"t": ["c", "c"]})
    assert hard["error"]["type"].endswith("invalid-value") and "10000000 steps" in hard["error"]["detail"]


def test_a_deep_search_needs_memory_that_is_bounded(tmp_path: Path) -> None:
    bundle = write(tmp_path / "bundle", "(?:[0]|[1])+")
    deep, flat = answers(bundle, ["ab" * 400_000, "c" * 400_000 + "ab"])
    assert deep["error"]["type"].endswith("row-too-large")
    assert flat == {"t": ["c" * 400_000]}
