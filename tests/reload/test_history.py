# SPDX-License-Identifier: Apache-2.0
"""The judge itself: histories made by hand, one good one, and a bad one for each way of being wrong."""

from __future__ import annotations

import json
import struct
from typing import Any, NamedTuple

import pytest
from history import NEVER, RULES, History, Publication, check, read

ONE, MANY = 0, 1
BAD = "c"


class Asked(NamedTuple):
    """A request of a hand-made history."""

    sent: int
    received: int
    reply: tuple[int, str, Any]  # status, version, body
    body: int = ONE
    connection: int = 0


def answer(version: str, body: int = ONE) -> tuple[int, str, Any]:
    """Return the right reply of a version."""
    values = VERSIONS[version][body]
    made = [{"prediction": x} for x in values]
    return 200, version, made[0] if body == ONE else made


VERSIONS = {"a": [[1.5], [1.5, 10.25]], "b": [[2.5], [2.5, 20.25]], "d": [[4.5], [4.5, 0.1 + 0.2]]}
# a from the beginning; b published at 100, seen at 200; c is corrupt; d published at 400, seen at 500
PUBLICATIONS = [
    Publication("a", VERSIONS["a"], 0, 1),
    Publication("b", VERSIONS["b"], 100, 200),
    Publication(BAD, None, 300, NEVER),
    Publication("d", VERSIONS["d"], 400, 500),
]
GOOD = [
    Asked(10, 20, answer("a")),
    Asked(15, 25, answer("a", MANY), MANY, connection=1),
    Asked(90, 110, answer("b")),  # sent before b was published, answered after
    Asked(95, 205, answer("a"), connection=1),  # on its way all the time
    Asked(111, 112, answer("b"), connection=2),
    Asked(210, 220, answer("b", MANY), MANY),
    Asked(310, 320, answer("b"), connection=1),  # c never serves
    Asked(410, 420, answer("b")),  # d is published, and nobody has seen it
    Asked(415, 430, answer("d"), connection=2),
    Asked(425, 440, answer("b"), connection=1),  # sent before d's first answer came
    Asked(510, 520, answer("d", MANY), MANY),
]


def judged(asked: list[Asked]) -> dict[str, int]:
    """Return how often which rule was broken."""
    replies: list[dict[str, Any]] = []
    history = History()
    for request in asked:
        status, version, body = request.reply
        text = body if isinstance(body, str) else json.dumps(body)
        reply = {"status": status, "version": version, "body": text}
        if reply not in replies:
            replies.append(reply)
        row = (request.sent, request.sent, request.received, replies.index(reply))
        row += (request.connection, request.body)
        columns = (
            history.due,
            history.sent,
            history.received,
            history.reply,
            history.connection,
            history.body,
        )
        for column, value in zip(columns, row):
            column.append(value)  # type: ignore[attr-defined]
    return dict(check(PUBLICATIONS, replies, history).broken)


def test_a_good_history_breaks_no_rule() -> None:
    assert judged(GOOD) == {}


MIX = [{"prediction": 1.5}, {"prediction": 20.25}]
CASES: dict[str, tuple[Asked, dict[str, int]]] = {
    "no answer": (Asked(600, 0, answer("d")), {"unanswered": 1}),
    "a 503": (Asked(600, 610, (503, "", '{"title":"not ready"}')), {"status": 1}),
    "a 500 that names a version": (Asked(600, 610, (500, "d", "{}")), {"status": 1}),
    "a version nobody published": (Asked(600, 610, (200, "x", {"prediction": 4.5})), {"unknown": 1}),
    "no version": (Asked(600, 610, (200, "", {"prediction": 4.5})), {"unknown": 1}),
    "the corrupt version": (
        Asked(310, 320, (200, BAD, {"prediction": 3.5}), connection=9),
        {"bad version": 1},
    ),
    "b's answer under d's name": (Asked(600, 610, (200, "d", {"prediction": 2.5})), {"wrong": 1}),
    "an answer of nobody": (Asked(600, 610, (200, "d", {"prediction": 4.6})), {"wrong": 1}),
    "rows of two versions": (Asked(600, 610, (200, "b", MIX), MANY), {"mixed": 1}),
    "all rows of another version": (Asked(600, 610, (200, "d", answer("b", MANY)[2]), MANY), {"wrong": 1}),
    "a row less": (Asked(600, 610, (200, "d", [{"prediction": 4.5}]), MANY), {"wrong": 1}),
    "no rows": (Asked(600, 610, (200, "d", []), MANY), {"wrong": 1}),
    "an integer": (Asked(600, 610, (200, "d", {"prediction": 4})), {"wrong": 1}),
    "an error for a row": (Asked(600, 610, (200, "d", {"error": {}})), {"wrong": 1}),
    "not JSON": (Asked(600, 610, (200, "d", '{"prediction":4.5')), {"wrong": 1}),
    "the last bit": (
        Asked(600, 610, (200, "d", [{"prediction": 4.5}, {"prediction": 0.3}]), MANY),
        {"wrong": 1},
    ),
    "b before it was published": (
        Asked(50, 60, answer("b"), connection=9),
        {"too early": 1, "backwards": 1},  # the a that is asked for at 95 is then older
    ),
    "a after b was seen": (
        Asked(201, 206, answer("a"), connection=9),
        {"too late": 1, "backwards": 1},
    ),
    "a after somebody got b": (Asked(113, 120, answer("a"), connection=9), {"backwards": 1}),
    "b after d on a connection": (Asked(421, 435, answer("b"), connection=2), {"connection": 1}),
}


@pytest.mark.parametrize("name", CASES)
def test_a_bad_history_breaks_its_rule(name: str) -> None:
    bad, broken = CASES[name]
    assert judged(sorted([*GOOD, bad], key=lambda request: request.sent)) == broken


def test_every_rule_has_a_bad_history() -> None:
    assert {rule for _, broken in CASES.values() for rule in broken} == set(RULES)


def test_negative_zero_is_not_zero() -> None:
    publications = [Publication("z", [[0.0]], 0, 1)]
    history = History([1], [1], [2], [0], [0], [0])
    reply = {"status": 200, "version": "z", "body": '{"prediction":-0.0}'}
    assert check(publications, [reply], history).broken == {"wrong": 1}


def test_a_file_of_records_is_read_back() -> None:
    first, second = (1, 2, 3, 70000, 5, 1), (2**40, 2**40 + 1, 0, 0xFFFFFFFF, 65535, 0)
    history = read(b"".join(struct.pack("<QQQIHH", *record) for record in (first, second)))
    assert len(history) == 2
    for i, record in enumerate((first, second)):
        columns = (
            history.due,
            history.sent,
            history.received,
            history.reply,
            history.connection,
            history.body,
        )
        assert tuple(column[i] for column in columns) == record
