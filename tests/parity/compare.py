# SPDX-License-Identifier: Apache-2.0
"""Compares answers by the rule of FORMAT.md 6: null, kind, size, indices and bits; a NaN is a NaN."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from spark_side import ERROR, SKIPPED, Answer

SHOWN = 5
_HEX = re.compile("[0-9a-f]+")


@dataclass
class Difference:
    """A cell that differs; `row` counts from 0."""

    what: str
    row: int
    column: str
    expected: Any
    got: Any

    def __str__(self) -> str:
        spark, scored = str(self.expected)[:300], str(self.got)[:300]
        return f"{self.what} row {self.row} {self.column}: Spark {spark}, scored {scored}"


def bits(value: Any) -> str:
    """Return the hex digits of a double, of a number or a string that stands for a non-finite one."""
    number = float(value)
    return "NaN" if number != number else struct.pack(">d", number).hex()


def bits32(value: Any) -> str:
    """Return the eight hex digits of a float."""
    number = np.float32(float(value))
    return "NaN" if number != number else struct.pack(">f", number).hex()


def _doubles(values: Sequence[Any]) -> str:
    return " ".join([bits(v) for v in values])


def _vector(value: Any) -> str:
    """Return a vector of Spark's JSON (`type`) or of scored's as one text."""
    if isinstance(value, list):
        return f"dense {len(value)}: {_doubles(value)}"
    if value.get("type", 0) == 1:
        return _vector(value["values"])
    return f"sparse {value['size']} {value['indices']}: {_doubles(value['values'])}"


def cell(value: Any, kind: str) -> str:
    """Return a value in a form that is equal exactly when the values are."""
    if value is None:
        return "null"
    if kind == "vector":
        return _vector(value)
    if kind == "array<vector>":
        return "; ".join(map(_vector, value))
    if kind in ("array<float>", "array<double>"):
        return "; ".join([cell(one, kind[len("array<") : -1]) for one in value])
    if kind == "double":
        assert not isinstance(value, bool), value
        return bits(value)
    if kind == "float":
        return bits32(value)
    assert not isinstance(value, float), f"{value} in a column of {kind}"
    return json.dumps(value)


def _order(digits: str) -> int:
    """Return the place of a double or float, by its bits, among all of its kind."""
    number, half = int(digits, 16), 1 << (4 * len(digits) - 1)
    return number if number < half else half - number


def ulps(expected: Any, got: Any) -> int | None:
    """Return how far two differing cells are apart: the farthest of their numbers, None where other things differ."""
    pairs = list(zip(str(expected).split(), str(got).split()))
    differing = [(a, b) for a, b in pairs if a != b]
    if not all(len(a) == len(b) and len(a) in (8, 16) and _HEX.fullmatch(a + b) for a, b in differing):
        return None
    return max((abs(_order(a) - _order(b)) for a, b in differing), default=None)


def expected_cells(answers: Sequence[Answer], kinds: Mapping[str, str]) -> list[Any]:
    """Return Spark's answers in that form: a mapping of column to text, or what became of the row."""
    return [a if isinstance(a, str) else {c: cell(a[c], k) for c, k in kinds.items()} for a in answers]


def _kind_of(answer: Any) -> Any:
    """Return `error` or `skipped` for a row without an answer, else the answer."""
    if isinstance(answer, dict) and len(answer) == 1:
        for what in (ERROR, SKIPPED):
            if isinstance(answer.get(what), dict):
                return what
    return answer


def _check(answer: Any, want: Any, kinds: Mapping[str, str]) -> list[tuple[str, Any, Any]]:
    """Return (column, expected, got) of what differs in a row."""
    got = _kind_of(answer)
    if isinstance(want, str) or isinstance(got, str):
        return (
            [] if want == got else [("", want if isinstance(want, str) else "an answer", json.dumps(answer))]
        )
    if list(got) != list(kinds):
        return [("columns", list(kinds), list(got))]
    differing = []
    for column, kind in kinds.items():
        try:
            have = cell(got[column], kind)
        except (AssertionError, TypeError, ValueError, KeyError, AttributeError) as why:
            have = f"not a {kind}: {why}"
        if have != want[column]:
            differing.append((column, want[column], f"{have} {got[column]}"))
    return differing


def compare(
    what: str, lines: Sequence[bytes], want: Sequence[Any], kinds: Mapping[str, str], first: int = 0
) -> list[Difference]:
    """Return the differences between lines of answers and Spark's cells; `first` is the number of the first."""
    found: list[Difference] = []
    if len(lines) != len(want):
        found.append(Difference(what, -1, "lines", len(want), len(lines)))
    for row, (line, expected) in enumerate(zip(lines, want), first):
        try:
            answer = json.loads(line)
        except ValueError:
            found.append(Difference(what, row, "", "JSON", line[:300]))
            continue
        found += [Difference(what, row, *cells) for cells in _check(answer, expected, kinds)]
    return found
