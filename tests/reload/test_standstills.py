# SPDX-License-Identifier: Apache-2.0
"""What is taken for the machine's own standstill."""

from __future__ import annotations

from report import Standstills

SEEN = "0 100 200\n1 150 300\n1 500 600\n0 900 901\n"


def test_processors_are_taken_together() -> None:
    assert Standstills.read(SEEN).spans == [(100, 300), (500, 600), (900, 901)]
    assert Standstills.read("").spans == []


def test_only_what_lies_within_counts() -> None:
    stood = Standstills.read(SEEN)
    for begin, end, still in [
        (0, 1000, 301),
        (0, 100, 0),
        (0, 101, 1),
        (250, 550, 100),
        (299, 500, 1),
        (300, 500, 0),
        (510, 520, 10),
        (600, 900, 0),
        (901, 5000, 0),
    ]:
        assert stood.within(begin, end) == still, (begin, end)
    assert Standstills([]).within(0, 1000) == 0
