# SPDX-License-Identifier: Apache-2.0
"""What is taken for the machine's own standstill, and which requests it may have delayed."""

from __future__ import annotations

from report import Latency, Standstills

SEEN = "0 100 200\n1 150 350\n1 600 700\n0 900 901\n"


def test_processors_are_taken_together() -> None:
    stood = Standstills.read(SEEN)
    assert stood.spans == [(100, 350), (600, 700), (900, 901)]
    assert stood.disturbed == [(100, 550), (600, 800), (900, 902)]
    assert Standstills.read("").spans == []


def test_a_standstill_disturbs_as_long_again() -> None:
    stood = Standstills.read(SEEN)
    for begin, end, explained in [
        (0, 100, 0),
        (0, 101, 1),
        (0, 5000, 652),
        (400, 410, 10),
        (549, 550, 1),
        (550, 600, 0),
        (500, 650, 100),
        (799, 900, 1),
        (902, 5000, 0),
    ]:
        assert stood.explain(begin, end) == explained, (begin, end)
    assert Standstills.read("").explain(0, 1000) == 0


def test_still_for_ms_of_a_second() -> None:
    stood = Standstills.read(SEEN)
    assert stood.ms_a_second([(0, 1000)]) == 351.0
    assert stood.ms_a_second([(0, 200), (340, 640)]) == 300.0
    assert stood.ms_a_second([(350, 600), (2000, 3000)]) == 0.0


def test_a_slow_request_is_not_excused_by_a_short_standstill() -> None:
    ms = 10**6
    stood = Standstills.read(f"0 {10 * ms} {12 * ms}\n")
    assert 1000 * ms - stood.explain(0, 1000 * ms) == 996 * ms


def test_over_a_limit() -> None:
    latency = Latency([1, 2, 6000, 40000], [1, 2, 3000, 6000], 0.0)
    assert latency.over(5) == (2, 1)
    assert latency.over(30) == (1, 0)
    assert latency.percent_over(5) == 25.0
