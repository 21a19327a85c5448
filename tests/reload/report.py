# SPDX-License-Identifier: Apache-2.0
"""What a campaign comes to: a table of latencies, and the checks."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from history import RULES, History, Publication, Verdict


@dataclass(frozen=True)
class Plan:
    """How long what takes, and what is asserted beside that every answer is right."""

    reloads: int
    windows: int
    quiet_seconds: float  # each window without reloads
    slow_seconds: float  # what a slow S3 adds to a reload
    rss_from: int  # the reload after which memory may not grow any more
    rss_growth: int  # by how much, in bytes
    limit_ms: float = 1000.0  # no request takes longer
    more_over_5_ms: float | None = None  # percentage points

    @property
    def by_window(self) -> int:
        """Reloads in a window."""
        return self.reloads // self.windows


@dataclass
class Window:
    """Some time of the run, on the monotonic clock."""

    reloading: bool
    begun: int
    ended: int = 0


@dataclass
class Reload:
    """How one ended."""

    seconds: float
    slow: bool
    rss: int
    problem: str = ""


@dataclass
class Record:
    """All that a run leaves."""

    publications: list[Publication] = field(default_factory=list)
    reloads: list[Reload] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)


@dataclass
class Latency:
    """Latencies in some windows, in microseconds from when each request was due."""

    us: list[int]

    def at(self, share: float) -> int:
        """Return a quantile."""
        return self.us[min(len(self.us) - 1, int(len(self.us) * share))]

    def over(self, ms: float) -> int:
        """Count those above a limit."""
        return sum(1 for us in self.us if us > ms * 1000)

    def percent_over(self, ms: float) -> float:
        """Return their share."""
        return 100.0 * self.over(ms) / len(self.us)

    def row(self, name: str) -> str:
        """Return a line of the table."""
        quantiles = " ".join(f"{self.at(q):8,}" for q in (0.5, 0.99, 0.999, 1.0))
        return (
            f"  {name:16} {len(self.us):10,} {quantiles} {self.over(5):9,} {self.percent_over(5):8.3f} %"
            f" {self.over(30):10,}"
        )


@dataclass
class Result:
    """What is checked and printed."""

    plan: Plan
    record: Record
    figures: Any
    history: History
    verdict: Verdict
    idle_threads: int
    cpu: tuple[float, float]
    status: Any
    log: str
    code: int

    def latency(self, reloading: bool) -> Latency:
        """Return the latencies of the requests that were due in windows of a kind."""
        due, received = self.history.due, self.history.received
        us = array("q")
        windows = [w for w in self.record.windows if w.reloading == reloading]
        for i in range(len(self.history)):
            while windows and due[i] >= windows[0].ended:
                windows.pop(0)
            if windows and received[i] and due[i] >= windows[0].begun:
                us.append((received[i] - due[i]) // 1000)
        return Latency(sorted(us))

    def unexpected(self) -> list[str]:
        """Return the warnings of the log but those of corrupt versions."""
        lines = [line for line in self.log.splitlines() if line.startswith(("warn", "error"))]
        return [line for line in lines if "phase=fetch refused=false" not in line]

    def checks(self, calm: Latency, busy: Latency) -> Iterator[tuple[str, bool, str]]:
        """Yield each check: its name, whether it holds, and what was seen."""
        plan, record, reloads = self.plan, self.record, self.record.reloads
        for rule, text in RULES.items():
            yield (
                text,
                not self.verdict.broken[rule],
                f"{self.verdict.broken[rule]} of {len(self.history):,} not",
            )
        yield "no connection was closed", not self.figures["closed"], f"{self.figures['closed']} were"
        slow = [r.seconds for r in reloads if r.slow]
        yield (
            "a slow S3 made reloads slow",
            min(slow, default=0) >= plan.slow_seconds,
            f"{min(slow, default=0):.2f} s",
        )
        wrong = [r.problem for r in reloads if r.problem]
        yield "every reload ended as it should", not wrong, f"{len(wrong)} of {len(reloads)} not {wrong[:3]}"
        good = [p for p in record.publications if p.answers is not None]
        silent = [p.label for p in good if not self.verdict.answers[p.label]]
        yield "every good version answered", not silent, f"{len(good)} versions, not {silent[:5]}"
        last = self.status["version"]
        yield "the last good version serves at the end", last == good[-1].label, last
        yield "one thread runs at idle priority", self.idle_threads == 1, f"{self.idle_threads} do"
        by_reload = self.cpu[0] / len(reloads) * 1e3
        yield "that thread is the loader", by_reload > 0.5, f"{by_reload:.1f} ms a reload"
        before, after = reloads[plan.rss_from - 1].rss, reloads[-1].rss
        yield (
            f"memory grows by at most {plan.rss_growth >> 10:,} KiB from reload {plan.rss_from} to {len(reloads)}",
            after <= before + plan.rss_growth,
            f"{before >> 10:,} -> {after >> 10:,} KiB, most {max(r.rss for r in reloads) >> 10:,}",
        )
        late = busy.over(plan.limit_ms)
        yield f"no request took over {plan.limit_ms:.0f} ms during reloads", not late, f"{late} did"
        more = busy.percent_over(5) - calm.percent_over(5)
        if plan.more_over_5_ms is not None:
            yield (
                f"requests over 5 ms: at most {plan.more_over_5_ms} percentage points more with reloads",
                more <= plan.more_over_5_ms,
                f"{more:+.3f}",
            )
        odd = self.unexpected()
        yield "the log warns of corrupt versions only", not odd, f"{odd[:3]}"
        yield "the daemon stopped as asked", self.code == 0, f"exit code {self.code}"

    def report(self) -> bool:
        """Print all; return whether all checks hold."""
        calm, busy = self.latency(False), self.latency(True)
        times = sorted(r.seconds for r in self.record.reloads)
        print(
            f"{len(times)} reloads, each done after {times[len(times) // 2]:.2f} s (median), {times[-1]:.2f} s (most)"
        )
        print(f"processor time: {self.cpu[1]:.1f} s, of that the loader {self.cpu[0]:.1f} s")
        print(f"load average: {' '.join(f'{x:.1f}' for x in os.getloadavg())}")
        print(
            "  windows            requests    p50 us   p99 us  99.9 us   max us   over 5 ms            over 30 ms"
        )
        print(calm.row("without reloads"))
        print(busy.row("with reloads"))
        print()
        failed = 0
        checks = list(self.checks(calm, busy))
        for name, holds, seen in checks:
            failed += not holds
            print(f"{'ok  ' if holds else 'FAIL'}  {name}  ({seen})")
        print(*self.verdict.shown, sep="\n")
        print(f"{len(checks) - failed} passed, {failed} failed, 0 skipped")
        return not failed
