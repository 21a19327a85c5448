# SPDX-License-Identifier: Apache-2.0
"""What a campaign comes to: a table of latencies, and the checks."""

from __future__ import annotations

import re
import bisect
import os
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from history import RULES, History, Publication, Verdict

SECOND_NS = 10**9
RETIRED_NS = SECOND_NS // 10  # after a reload the old model is freed
LEAST_MS = 2  # latencies below need no second look


@dataclass(frozen=True)
class Plan:
    """How long what takes, and what is asserted beside that every answer is right."""

    reloads: int
    windows: int
    quiet_seconds: float  # each window without reloads
    slow_seconds: float  # what a slow S3 adds to a reload
    rss_from: int  # the reload after which memory may not grow any more
    rss_growth: int | None  # by how much, in bytes
    limit_ms: float | None = 1000.0  # no request takes longer
    rate: int = 2000  # requests a second
    more_over_5_ms: float | None = None  # percentage points

    @property
    def by_window(self) -> int:
        """Reloads in a window."""
        return self.reloads // self.windows


@dataclass
class Window:
    """Some time of the run, on the monotonic clock.

    Attributes
    ----------
    reloading
        Whether reloads were asked for.
    begun, ended
        In nanoseconds.
    waited
        Seconds that the daemon's threads, but for the loader, waited for the processor.
    """

    reloading: bool
    begun: int
    ended: int = 0
    waited: float = 0.0

    @property
    def seconds(self) -> float:
        """Its length."""
        return (self.ended - self.begun) / 1e9


@dataclass
class Reload:
    """How one went; from when its version was published to when it was seen to have ended, in nanoseconds."""

    begun: int
    ended: int
    slow: bool
    rss: int
    problem: str = ""

    @property
    def seconds(self) -> float:
        """How long it took."""
        return (self.ended - self.begun) / 1e9


@dataclass
class Record:
    """All that a run leaves."""

    publications: list[Publication] = field(default_factory=list)
    reloads: list[Reload] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)


Span = tuple[int, int]


def united(spans: Iterable[Span]) -> list[Span]:
    """Return spans in order, none in another."""
    found: list[Span] = []
    for begin, end in sorted(spans):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((begin, end))
    return found


def within(spans: list[Span], begin: int, end: int) -> int:
    """Return how much of a span lies in others, which are united."""
    at = bisect.bisect_right(spans, begin, key=lambda span: span[1])
    total = 0
    while at < len(spans) and spans[at][0] < end:
        total += min(end, spans[at][1]) - max(begin, spans[at][0])
        at += 1
    return total


@dataclass
class Standstills:
    """When a processor of the machine stood still, in nanoseconds.

    Attributes
    ----------
    spans
        Of all processors together.
    disturbed
        The same, each as long again: what came meanwhile is worked off first.
    """

    spans: list[Span]
    disturbed: list[Span]

    @staticmethod
    def read(text: str) -> Standstills:
        """Return what tests/bench/standstill printed."""
        seen = [(int(begin), int(end)) for _, begin, end in map(str.split, text.splitlines())]
        return Standstills(united(seen), united((begin, 2 * end - begin) for begin, end in seen))

    def explain(self, begin: int, end: int) -> int:
        """Return for how long of a span one, or what had come in it, may have delayed a request."""
        return within(self.disturbed, begin, end)

    def ms_a_second(self, spans: list[Span]) -> float:
        """Return for how many ms of each second of some spans it stood still."""
        total = sum(within(self.spans, *span) for span in spans)
        return 1e3 * total / max(1, sum(end - begin for begin, end in spans))


@dataclass
class Latency:
    """Latencies in some spans of time, in microseconds from when each request was due.

    Attributes
    ----------
    us
        As the client saw them.
    own
        Less the time that standstills of the machine, and what had come in them, explain.
    still
        For how many ms of a second the machine stood still.
    """

    us: list[int]
    own: list[int]
    still: float

    def at(self, share: float) -> int:
        """Return a quantile."""
        return self.us[min(len(self.us) - 1, int(len(self.us) * share))] if self.us else 0

    def over(self, ms: float) -> tuple[int, int]:
        """Count those above a limit: as they were seen, and on their own."""
        limit = ms * 1000
        return sum(us > limit for us in self.us), sum(us > limit for us in self.own)

    def percent_over(self, ms: float) -> float:
        """Return the share of those that are above a limit on their own."""
        return 100.0 * self.over(ms)[1] / max(1, len(self.us))

    def row(self, name: str) -> str:
        """Return a line of the table."""
        quantiles = " ".join(f"{self.at(q):8,}" for q in (0.5, 0.99, 0.999, 1.0))
        five, thirty = (" ".join(f"{n:8,}" for n in self.over(ms)) for ms in (5, 30))
        return (
            f"  {name:16} {len(self.us):10,} {quantiles}       {self.still:6.1f}"
            f"  {five} {self.percent_over(5):8.3f} %  {thirty}"
        )


@dataclass(frozen=True)
class Check:
    """One thing that must hold, and what was seen of it; `holds` is None where that cannot be told."""

    name: str
    holds: bool | None
    seen: str

    @property
    def outcome(self) -> str:
        """Return how it ended."""
        return "skipped" if self.holds is None else "passed" if self.holds else "failed"


@dataclass
class Result:
    """What is checked and printed."""

    plan: Plan
    record: Record
    figures: Any
    history: History
    verdict: Verdict
    stood: Standstills | None  # None: nobody could watch
    idle_threads: tuple[int, int]  # the most at a time, and at the end
    cpu: float
    status: Any
    log: str
    code: int

    def latency(self, spans: list[Span]) -> Latency:
        """Return the latencies of the requests that were due in some spans of time, which are in order."""
        due, received = self.history.due, self.history.received
        us, own = array("q"), array("q")
        stood = self.stood or Standstills([], [])
        at = 0
        for i in range(len(self.history)):
            while at < len(spans) and due[i] >= spans[at][1]:
                at += 1
            if at < len(spans) and received[i] and due[i] >= spans[at][0]:
                us.append((received[i] - due[i]) // 1000)
                explained = stood.explain(due[i], received[i]) if us[-1] > 1000 * LEAST_MS else 0
                own.append(us[-1] - explained // 1000)
        return Latency(sorted(us), sorted(own), stood.ms_a_second(spans))

    def windows(self, reloading: bool) -> list[Span]:
        """Return the windows of a kind."""
        return [(w.begun, w.ended) for w in self.record.windows if w.reloading == reloading]

    def waited(self) -> float:
        """Return the share of the time in which the daemon waited for its processor."""
        windows = self.record.windows
        return sum(w.waited for w in windows) / sum(w.seconds for w in windows)

    def unexpected(self) -> list[str]:
        """Return the warnings of the log but those of corrupt versions."""
        lines = [line for line in self.log.splitlines() if re.search("level=(warn|error) ", line)]
        return [line for line in lines if "phase=fetch refused=false" not in line]

    def answers(self) -> Iterator[Check]:
        """Yield the checks of what the load got."""
        for rule, text in RULES.items():
            broken = self.verdict.broken[rule]
            yield Check(text, not broken, f"{broken} of {len(self.history):,} not")
        closed = self.figures["closed"]
        yield Check("no connection was closed", not closed, f"{closed} were")
        good = [p.label for p in self.record.publications if p.answers is not None]
        silent = [label for label in good if not self.verdict.answers[label]]
        yield Check("every good version answered", not silent, f"{len(good)} versions, not {silent[:5]}")
        last = self.status["version"]
        yield Check("the last good version serves at the end", last == good[-1], last)

    def loads(self) -> Iterator[Check]:
        """Yield the checks of the reloads themselves."""
        plan, reloads = self.plan, self.record.reloads
        fastest = min((r.seconds for r in reloads if r.slow), default=0.0)
        yield Check("a slow S3 made reloads slow", fastest >= plan.slow_seconds, f"{fastest:.2f} s")
        wrong = [r.problem for r in reloads if r.problem]
        seen = f"{len(wrong)} of {len(reloads)} not {wrong[:3]}"
        yield Check("every reload ended as it should", not wrong, seen)
        most, left = self.idle_threads
        yield Check("a load runs at idle priority, one at a time", most == 1, f"{most} at most")
        yield Check("its thread ends with it", left == 0, f"{left} at the end")
        before, after = reloads[plan.rss_from - 1].rss >> 10, reloads[-1].rss >> 10
        if plan.rss_growth is not None:
            most = plan.rss_growth >> 10
            name = f"memory after reload {len(reloads)}: at most {most:,} KiB over {plan.rss_from}'s"
            seen = f"{before:,} -> {after:,} KiB, most {max(r.rss for r in reloads) >> 10:,}"
            yield Check(name, after <= before + most, seen)
        odd = self.unexpected()
        yield Check("the log warns of corrupt versions only", not odd, f"{odd[:3]}")
        yield Check("the daemon stopped as asked", self.code == 0, f"exit code {self.code}")

    def spans(self) -> tuple[Latency, Latency]:
        """Return the latencies while a reload was under way, and between two of a window."""
        running = [(r.begun, r.ended + RETIRED_NS) for r in self.record.reloads]
        between = [(a[1], b[0]) for a, b in zip(running, running[1:]) if a[1] < b[0] < a[1] + 2 * SECOND_NS]
        return self.latency(running), self.latency(between)

    def times(self, calm: Latency, busy: Latency, between: Latency) -> Iterator[Check]:
        """Yield the checks of latencies, less what standstills of the machine explain.

        Where nobody could watch the machine, one that stalls without any reload does not tell.
        """
        plan = self.plan
        if plan.limit_ms is not None:
            late, own = busy.over(plan.limit_ms)
            others = calm.over(plan.limit_ms)[0] + between.over(plan.limit_ms)[0]
            name = f"no request took over {plan.limit_ms:.0f} ms during reloads"
            seen = f"{own} did on their own, {late} with standstills, {others} when no reload was under way"
            yield Check(name, None if self.stood is None and late and others else not own, seen)
        if plan.more_over_5_ms is not None:
            more = busy.percent_over(5) - calm.percent_over(5)
            told = calm.percent_over(5) <= plan.more_over_5_ms
            name = f"requests over 5 ms: at most {plan.more_over_5_ms} percentage points more with reloads"
            seen = f"{more:+.3f}; {calm.percent_over(5):.3f} % without reloads"
            yield Check(name, more <= plan.more_over_5_ms if told else None, seen)

    def table(self, rows: list[tuple[str, Latency]]) -> None:
        """Print what was measured."""
        reloads = self.record.reloads
        times = sorted(r.seconds for r in reloads)
        print(
            f"{len(times)} reloads: {times[len(times) // 2]:.2f} s each (median), {times[-1]:.2f} s the slowest"
        )
        print(
            f"processor time: {self.cpu:.1f} s;"
            f" waited for it {100 * self.waited():.2f} % of the time"
        )
        print(f"load average: {' '.join(f'{x:.1f}' for x in os.getloadavg())}")
        if self.stood is None:
            print("standstills of the machine: nobody could watch (it takes real-time priority)")
        else:
            longest = max((end - begin for begin, end in self.stood.spans), default=0) / 1e6
            print(f"standstills of the machine: {len(self.stood.spans):,}, {longest:.1f} ms the longest")
        print(
            "  windows            requests   p50 us   p99 us  99.9 us   max us"
            "   still ms/s  over 5 ms, own             over 30 ms, own"
        )
        for name, latency in rows:
            print(latency.row(name))
        print()

    def report(self) -> bool:
        """Print all; return whether no check failed."""
        calm, busy = self.latency(self.windows(False)), self.latency(self.windows(True))
        running, between = self.spans()
        names = ("without reloads", "with reloads", "  in a reload", "  between two")
        self.table(list(zip(names, (calm, busy, running, between))))
        checks = [*self.answers(), *self.loads(), *self.times(calm, busy, between)]
        for check in checks:
            print(f"{check.outcome:8}{check.name}  ({check.seen})")
        print(*self.verdict.shown, sep="\n")
        count = Counter(check.outcome for check in checks)
        print(f"{count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped")
        return not count["failed"]
