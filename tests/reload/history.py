# SPDX-License-Identifier: Apache-2.0
"""Judges a recorded load against the versions that were published meanwhile.

Versions are published one after the other, and never taken back. So they are a register that only goes
forward, and each answer must be explained by one version that was live at some moment between the request's
sending and the answer's coming: not before the publisher began to write its manifest, and not after a later
version was seen to serve, by the publisher or in an answer. All of an answer must be what that version says.
"""

from __future__ import annotations

import json
import struct
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

NEVER = 1 << 63
RECORD_WORDS = 4
SHOWN = 5

RULES = {
    "unanswered": "every request is answered",
    "status": "every answer is a 200",
    "unknown": "every answer names a version that was published",
    "bad version": "no version that must not serve ever answers",
    "mixed": "all rows of an answer come from one version",
    "wrong": "every answer is, bit for bit, what the version that it names says",
    "too early": "no version answers before it was published",
    "too late": "no version answers a request sent after a later one was known to serve",
    "backwards": "nobody gets a version older than one that anybody got before asking",
    "connection": "on a connection versions never go back",
}


@dataclass(frozen=True)
class Publication:
    """A version as its publisher saw it; nanoseconds of the monotonic clock.

    Attributes
    ----------
    label
        The version, as X-Model-Version names it.
    answers
        For each body of the load the predictions that it must get; None: the version must never answer.
    begun
        When the publisher began to write the manifest.
    known
        When the publisher first saw it serve; NEVER if it did not.
    """

    label: str
    answers: Sequence[Sequence[float]] | None
    begun: int
    known: int = NEVER


@dataclass
class History:
    """What became of each request, in columns; in the order of sending. `received` is 0 for no answer."""

    due: Sequence[int] = field(default_factory=list)
    sent: Sequence[int] = field(default_factory=list)
    received: Sequence[int] = field(default_factory=list)
    reply: Sequence[int] = field(default_factory=list)
    connection: Sequence[int] = field(default_factory=list)
    body: Sequence[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.sent)


def read(content: bytes) -> History:
    """Return the history that open_loop wrote: arrays of its struct record."""
    words = array("Q", content)
    due, sent, received, rest = (words[i::RECORD_WORDS] for i in range(RECORD_WORDS))
    reply = array("q", (word & 0xFFFFFFFF for word in rest))
    return History(
        due,
        sent,
        received,
        reply,
        array("H", (word >> 32 & 0xFFFF for word in rest)),
        array("H", (word >> 48 for word in rest)),
    )


@dataclass
class Verdict:
    """How often each rule was broken, with the first cases in words; and who answered how often."""

    broken: Counter[str] = field(default_factory=Counter)
    shown: list[str] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)

    def note(self, rule: str, text: str) -> None:
        """Count a case."""
        self.broken[rule] += 1
        if self.broken[rule] <= SHOWN:
            self.shown.append(f"{rule}: {text}")


# -- an answer by itself


def bits(value: Any) -> bytes | None:
    """Return the bits of a double; None for what is none."""
    return struct.pack("<d", value) if isinstance(value, float) else None


def rows(text: str) -> list[bytes | None]:
    """Return the bits of the predictions of an answer, one row or an array; [None] where it is none."""
    try:
        value = json.loads(text)
    except ValueError:
        return [None]
    found = value if isinstance(value, list) else [value]
    return [bits(row.get("prediction")) if isinstance(row, dict) else None for row in found]


class Judge:
    """Judges each different reply once for each body that it answered."""

    def __init__(self, publications: Sequence[Publication], replies: Sequence[Mapping[str, Any]]) -> None:
        self.publications = publications
        self.replies = replies
        self.places = {p.label: i for i, p in enumerate(publications)}
        self.known: dict[tuple[int, int], tuple[str, str, int]] = {}

    def says(self, i: int, body: int) -> list[bytes | None]:
        """Return the predictions of a version."""
        answers = self.publications[i].answers
        return [] if answers is None else [bits(x) for x in answers[body]]

    def _faulty(self, got: list[bytes | None], body: int) -> str:
        """Return the rule that a wrong answer breaks: whether it is a mix of several versions."""
        whole = [self.says(i, body) for i in range(len(self.publications))]
        makers = [
            {i for i, says in enumerate(whole) if says[at : at + 1] == [row]} for at, row in enumerate(got)
        ]
        return "mixed" if got and all(makers) and not set.intersection(*makers) else "wrong"

    def _judge(self, reply: int, body: int) -> tuple[str, str, int]:
        seen = self.replies[reply]
        where = f"version '{seen['version']}': {seen['body'][:300]}"
        if seen["status"] != 200:
            return "status", f"{seen['status']}: {seen['body'][:300]}", -1
        place = self.places.get(seen["version"], -1)
        if place < 0:
            return "unknown", where, -1
        if self.publications[place].answers is None:
            return "bad version", where, -1
        got = rows(seen["body"])
        if got == self.says(place, body):
            return "", where, place
        return self._faulty(got, body), where, -1

    def judge(self, reply: int, body: int) -> tuple[str, str, int]:
        """Return the rule that a reply breaks (or ""), the reply in words, and its version's place."""
        key = reply, body
        if key not in self.known:
            self.known[key] = self._judge(reply, body)
        return self.known[key]


# -- an answer among the others


def latest(publications: Sequence[Publication]) -> tuple[list[int], list[int]]:
    """Return ascending times, and from each on the latest version that is known to serve."""
    times: list[int] = []
    places: list[int] = []
    for known, place in sorted((p.known, i) for i, p in enumerate(publications) if p.known != NEVER):
        times.append(known)
        places.append(max(place, places[-1] if places else -1))
    return times, places


def check_order(history: History, places: Sequence[int], text: Iterable[str], verdict: Verdict) -> None:
    """Check that no answer is of an older version than one that had come before its request was sent.

    Parameters
    ----------
    history
        All requests, in the order of sending.
    places
        For each its version's place, -1 where that is not known.
    text
        For each its reply in words.
    verdict
        Where cases are noted.
    """
    arrived = sorted((i for i in range(len(history)) if places[i] >= 0), key=history.received.__getitem__)
    at = newest = -1
    by_connection: dict[int, int] = {}
    for i, words in enumerate(text):
        while at + 1 < len(arrived) and history.received[arrived[at + 1]] < history.sent[i]:
            at += 1
            newest = max(newest, places[arrived[at]])
        place, connection = places[i], history.connection[i]
        if place < 0:
            continue
        if place < newest:
            verdict.note("backwards", f"request {i}: {words}")
        if place < by_connection.get(connection, -1):
            verdict.note("connection", f"request {i}, connection {connection}: {words}")
        by_connection[connection] = max(place, by_connection.get(connection, -1))


def check(
    publications: Sequence[Publication], replies: Sequence[Mapping[str, Any]], history: History
) -> Verdict:
    """Return the verdict over a recorded load.

    Parameters
    ----------
    publications
        All versions, in the order in which they were published.
    replies
        The different replies: ``status``, ``version`` and ``body`` of each.
    history
        What became of each request.
    """
    judge = Judge(publications, replies)
    verdict = Verdict()
    times, serving = latest(publications)
    places = array("q", [-1]) * len(history)
    texts: list[str] = []
    for i in range(len(history)):
        if not history.received[i]:
            verdict.note("unanswered", f"request {i}")
            texts.append("")
            continue
        rule, text, place = judge.judge(history.reply[i], history.body[i])
        texts.append(text)
        if rule:
            verdict.note(rule, f"request {i}: {text}")
            continue
        places[i] = place
        version = publications[place]
        verdict.answers[version.label] += 1
        if history.received[i] < version.begun:
            verdict.note("too early", f"request {i}: {text}")
        before = bisect_left(times, history.sent[i]) - 1
        if before >= 0 and place < serving[before]:
            verdict.note("too late", f"request {i}: {text}")
    check_order(history, places, texts, verdict)
    return verdict
