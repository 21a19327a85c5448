#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""More load than a processor can serve: ``overload.py [--seconds N] [--table FILE]``; the daemon is $SCORED_BIN.

One worker on one processor, the load on another, requests of some 20 ms of scoring (80 rows; --rows makes it more or
less), in steps of some 1 ms. Taking a connection, reading from it, answering and closing it costs some 0.07 ms
before anybody looks at what was sent: so much does it cost to refuse, too, and ten times the capacity is nine
refusals an answer. Capacity is measured first; then open loops of Poisson arrivals ask 0.5 to 10 times of it, on kept
connections and on fresh ones whose clients give up after a second. Probes ask the listeners all the while. Times
run from when a request was due. Prints a table in Markdown (also into FILE), then a verdict a line.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import heavy_bundle
from rig import Daemon, Stream, Verdicts, Watcher, example, load, look, probes, serving, wire

TIMES = (0.5, 0.8, 1.0, 2.0, 5.0, 10.0)
KEPT, FRESH, GIVE_UP = 512, 16000, 1.0
CAPACITY_SECONDS, AFTER_SECONDS = 3.0, 4.0
FRAME_ROWS = 4
RSS_MORE = 64 << 20  # bytes above what it holds when idle
MIB = 1 << 20


@dataclass
class Step:
    """What came of one rate."""

    times: float
    seconds: float
    phase: dict[str, Any]
    after: dict[str, Any]
    slots: list[list[int]]
    goodput: float  # answers a second that came within the time
    probe_p99_ms: float
    probe_admin_p99_ms: float
    probe_failed: int
    rss: int

    @property
    def offered(self) -> float:
        """Requests a second."""
        return self.phase["due"] / self.seconds

    def ms(self, sample: str, what: str = "p99") -> float:
        """Return a time of a sample, in milliseconds."""
        return self.phase[sample][what] / 1e3

    def recovery(self, p99_ms: float) -> float:
        """Seconds after the load to half a second in which all are answered as at a moderate rate."""
        begin, well = int(self.seconds * 10), 0
        for i in range(begin, begin + int(AFTER_SECONDS * 10)):
            due, accepted, worst_us, _ = self.slots[i]
            well = well + 1 if due == accepted and worst_us <= 2e3 * p99_ms else 0
            if well == 5:
                return (i - begin - 4) / 10
        return float("inf")


class Campaign:
    """The steps of both kinds of clients."""

    def __init__(self, daemon: Daemon, folder: Path, rows: list[Any], seconds: float) -> None:
        self.daemon, self.folder, self.seconds = daemon, folder, seconds
        self.request = wire.request("POST", "/predict", json.dumps(rows, separators=(",", ":")))
        self.idle_rss = 0
        self.capacity = 0.0

    def measure_capacity(self) -> None:
        """Ask again and again on a few connections."""
        stream = Stream("c", self.daemon.port, self.request, f"100000:{CAPACITY_SECONDS}", "loop", 4)
        (phase,) = load(self.folder, [stream])["c"]["phases"]
        self.capacity = phase["accepted"] / CAPACITY_SECONDS
        self.idle_rss = look(self.daemon.process.pid).rss
        print(
            f"capacity: {self.capacity:.0f} requests a second, {1e3 / self.capacity:.2f} ms each; "
            f"{self.idle_rss / MIB:.0f} MiB resident\n",
            flush=True,
        )

    def step(self, mode: str, times: float) -> Step:
        """Ask at one rate, and then at half the capacity."""
        rates = f"{self.capacity * times:.2f}:{self.seconds}+{self.capacity / 2:.2f}:{AFTER_SECONDS}"
        main = Stream("main", self.daemon.port, self.request, rates, mode)
        main.connections = KEPT if mode == "kept" else FRESH
        main.give_up = GIVE_UP if mode == "fresh" else 0.0
        with Watcher(self.daemon.process.pid) as watcher:
            seen = load(self.folder, [main, *probes(self.daemon, self.seconds)])
        asked = [f for name, f in seen.items() if name != "main"]
        p99 = {f["name"]: f["phases"][0]["accepted_us"]["p99"] / 1e3 for f in asked}
        slots = seen["main"]["slots"]
        return Step(
            times,
            self.seconds,
            *seen["main"]["phases"],
            slots,
            sum(slot[3] for slot in slots[: int(self.seconds * 10)]) / self.seconds,
            max(value for name, value in p99.items() if name.startswith("public")),
            max(value for name, value in p99.items() if name.startswith("admin")),
            sum(f["phases"][0]["due"] - f["phases"][0]["accepted"] for f in asked),
            watcher.most(),
        )


HEAD = (
    "| clients | times capacity | offered/s | goodput/s | 503 and 429 | gave up, reset | 504, other | "
    "accepted p50, p99, max ms | refused p99 ms | probes p99 ms: public, admin | failed | MiB |"
)


def line(mode: str, s: Step) -> str:
    """Return a step as a line of the table."""
    p = s.phase
    lost = p["gave_up"] + p["reset"] + p["refused"] + p["waiting"]
    accepted = ", ".join(f"{s.ms('accepted_us', what):.1f}" for what in ("p50", "p99", "max"))
    return (
        f"| {mode} | {s.times:g} | {s.offered:.0f} | {s.goodput:.0f} | {p['busy']} | {lost} | "
        f"{p['late'] + p['other']} | {accepted} | {s.ms('busy_us'):.2f} | "
        f"{s.probe_p99_ms:.1f}, {s.probe_admin_p99_ms:.1f} | {s.probe_failed} | {s.rss / MIB:.0f} |"
    )


def judge(v: Verdicts, mode: str, steps: list[Step], wanted: float, idle_rss: int) -> None:
    """Print the verdicts on a kind of clients."""
    by = {s.times: s for s in steps}
    peak, most = max(s.goodput for s in steps), by[10.0]
    base = by[0.8].ms("accepted_us")
    off = max(abs(s.offered / (wanted * s.times) - 1) for s in steps)
    lag = max(s.ms("lag_us") for s in steps)
    v.add(off < 0.01, f"{mode}: offered within 1 % of the intended ({100 * off:.2f} %; lag p99 {lag:.2f} ms)")
    share = most.goodput / peak
    v.add(share >= 0.95, f"{mode}: goodput at 10 x >= 95 % of the peak ({100 * share:.1f} %)")
    worst = max(s.ms("accepted_us") for s in steps)
    v.add(worst <= 2 * base, f"{mode}: p99 of accepted <= 2 x that at 0.8 x ({worst:.1f} of {base:.1f} ms)")
    refused = max(s.ms("busy_us") for s in steps)
    busy = sum(s.phase["busy"] for s in steps)
    v.add(busy > 0 and refused < 5, f"{mode}: refusals p99 < 5 ms ({refused:.2f} ms, {busy} refusals)")
    probe = max(max(s.probe_p99_ms, s.probe_admin_p99_ms) for s in steps)
    failed = sum(s.probe_failed for s in steps)
    v.add(probe < 10 and not failed, f"{mode}: probes p99 < 10 ms ({probe:.1f} ms, {failed} failed)")
    seconds = max(s.recovery(base) for s in steps)
    v.add(seconds <= 1, f"{mode}: recovery <= 1 s ({seconds:.1f} s)")
    rss = max(s.rss for s in steps) - idle_rss
    v.add(rss <= RSS_MORE, f"{mode}: memory <= {RSS_MORE / MIB:.0f} MiB above idle ({rss / MIB:.0f} MiB)")


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="of each step")
    parser.add_argument("--table", type=Path, help="a file for the table")
    parser.add_argument("--rows", type=int, default=80, help="a request")
    parser.add_argument("--modes", default="kept,fresh")
    parser.add_argument("flags", nargs="*", help="of the daemon, after --")
    args = parser.parse_args()
    verdicts = Verdicts()
    table = [HEAD, "|" + "---|" * (HEAD.count("|") - 1)]
    with tempfile.TemporaryDirectory(prefix="overload-") as name:
        folder = Path(name)
        heavy_bundle.write(folder / "heavy", 200)
        with serving("--workers=1", f"--frame-rows={FRAME_ROWS}", *args.flags, model=str(folder / "heavy")) as daemon:
            rows = [example(folder / "heavy")] * args.rows
            campaign = Campaign(daemon, folder, rows, args.seconds)
            campaign.measure_capacity()
            print("\n".join(table), flush=True)
            done: dict[str, list[Step]] = {}
            for mode in args.modes.split(","):
                done[mode] = []
                for times in TIMES:
                    done[mode].append(campaign.step(mode, times))
                    table.append(line(mode, done[mode][-1]))
                    print(table[-1], flush=True)
        print()
        for mode, steps in done.items():
            judge(verdicts, mode, steps, campaign.capacity, campaign.idle_rss)
    if args.table:
        args.table.write_text("\n".join(table) + "\n")
    return verdicts.close()


if __name__ == "__main__":
    sys.exit(main())
