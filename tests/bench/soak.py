#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Load and faults for long: ``soak.py [--seconds N] [--warm N]``; the daemon is $SCORED_BIN.

Requests come at a steady rate on kept and on fresh connections. Meanwhile clients reset within bodies, send
nonsense, never read, never finish, come in hundreds and go, give up, and the model is reloaded by signal and by
request. All along memory, descriptors and threads are looked at: none may grow in the last ten minutes, or what
--seconds says. Heaps fill their holes for half an hour: that is the warm-up, unless --warm says otherwise.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import signal
import socket
import statistics
import struct
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from rig import BUNDLE, Daemon, Generator, Stream, Verdicts, Watcher, example, look, wire

ROW = json.dumps(example(BUNDLE), separators=(",", ":"))
PREDICT = wire.request("POST", "/predict", ROW)
WINDOWS = 24
KIB_AN_HOUR = 1024.0
WARM = 1800.0  # seconds before slopes are taken
SETTLE_SECONDS = 20.0


# -- faults: each takes a connection and a source of chance, and leaves the connection as it likes


def reset(c: wire.Connection, rng: random.Random) -> None:
    """Send a part of a request and reset."""
    c.send(PREDICT[: rng.randrange(1, len(PREDICT))])
    c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def nonsense(c: wire.Connection, rng: random.Random) -> None:
    """Send bytes that are no HTTP, or nearly none."""
    data = bytearray(PREDICT)
    for _ in range(rng.randrange(1, 9)):
        data[rng.randrange(len(data))] = rng.randrange(256)
    c.send(bytes(data))
    c.socket.settimeout(0.2)
    with contextlib.suppress(OSError, AssertionError, ValueError, IndexError):
        c.read()


def deaf(c: wire.Connection, rng: random.Random) -> None:
    """Ask for much and read nothing of it for a while."""
    body = ("[" + ",".join([ROW] * 2000) + "]").encode()
    c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    c.socket.settimeout(1)
    with contextlib.suppress(OSError):
        c.socket.sendall(wire.request("POST", "/predict?columns=all", body.decode()))
    time.sleep(rng.uniform(0, 2))


def unfinished(c: wire.Connection, rng: random.Random) -> None:
    """Send a part and wait."""
    c.send(PREDICT[: rng.randrange(1, len(PREDICT))])
    time.sleep(rng.uniform(0, 8))


def half_closed(c: wire.Connection, rng: random.Random) -> None:
    """Send a part and end the half."""
    c.send(PREDICT[: rng.randrange(1, len(PREDICT) + 1)])
    with contextlib.suppress(OSError):
        c.socket.shutdown(socket.SHUT_WR)
    c.socket.settimeout(1)
    with contextlib.suppress(OSError, AssertionError):
        c.closed()


def long_one(c: wire.Connection, rng: random.Random) -> None:
    """Ask for many rows, in chunks, with a deadline that is sometimes too short."""
    line = ROW.encode() + b"\n"
    data = wire.chunked("POST", "/predict", [line * 200] * rng.randrange(1, 40), "application/x-ndjson")
    if rng.random() < 0.5:
        data = data.replace(b"\r\n\r\n", b"\r\nX-Request-Timeout-Ms: 5\r\n\r\n", 1)
    c.send(data)
    with contextlib.suppress(OSError, AssertionError):
        c.read()


FAULTS: list[Callable[[wire.Connection, random.Random], None]] = [
    reset, nonsense, deaf, unfinished, half_closed, long_one,
]  # fmt: skip


class Trouble(threading.Thread):
    """Makes one fault after another."""

    def __init__(self, port: int, seed: int, ends: threading.Event) -> None:
        super().__init__(daemon=True)
        self.port, self.rng, self.ends = port, random.Random(seed), ends
        self.made: Counter[str] = Counter()

    def run(self) -> None:
        """Make them."""
        while not self.ends.wait(self.rng.uniform(0, 0.1)):
            fault = self.rng.choice(FAULTS)
            with contextlib.suppress(OSError), wire.Connection(self.port) as c:
                fault(c, self.rng)
                self.made[fault.__name__] += 1


def crowd(port: int, rng: random.Random) -> None:
    """Come in hundreds, ask once, stay a moment, go."""
    with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
        members = [stack.enter_context(wire.Connection(port)) for _ in range(rng.randrange(100, 600))]
        for c in members:
            c.send(PREDICT)
        time.sleep(rng.uniform(0, 2))


def operate(daemon: Daemon, rng: random.Random) -> None:
    """Reload, by signal or by request."""
    if rng.random() < 0.5:
        daemon.process.send_signal(signal.SIGHUP)
    else:
        name = json.loads((BUNDLE / "bundle.json").read_text())["name"]
        wire.ask(daemon.admin, "POST", f"/models/{name}/reload")


def slope(points: list[tuple[float, float]]) -> tuple[float, float, float]:
    """Return Theil and Sen's slope, and the bounds within which 95 % of the pairs' slopes' order puts it."""
    slopes = sorted(
        (y - v) / (x - u) for i, (u, v) in enumerate(points) for x, y in points[i + 1 :] if x != u
    )
    n, pairs = len(points), len(slopes)
    width = 1.96 * (n * (n - 1) * (2 * n + 5) / 18) ** 0.5
    low, high = max(0, int((pairs - width) / 2)), min(pairs - 1, int((pairs + width) / 2))
    return statistics.median(slopes), slopes[low], slopes[high]


def minima(watcher: Watcher, what: str, begin: float, seconds: float) -> list[tuple[float, float]]:
    """Return the least of each window after the warm-up, which ends at `begin`; times are in hours."""
    width = seconds / WINDOWS
    points = []
    for i in range(WINDOWS):
        lo = begin + i * width
        seen = [getattr(s, what) for s in watcher.seen if lo <= s.seconds < lo + width]
        if seen:
            points.append(((lo + width / 2) / 3600, float(min(seen))))
    return points


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--warm", type=float, default=WARM)
    parser.add_argument("--rate", type=int, default=300)
    args = parser.parse_args()
    total = args.warm + args.seconds
    v, rng, ends = Verdicts(), random.Random(6), threading.Event()
    daemon = Daemon("--poll=5", "--lame-duck=0")
    pid = daemon.process.pid
    with tempfile.TemporaryDirectory(prefix="soak-") as name, Watcher(pid) as watcher:
        time.sleep(1)
        before = look(pid)
        streams = [
            Stream("kept", daemon.port, PREDICT, f"{args.rate}:{total}", "kept", 32),
            Stream("fresh", daemon.port, PREDICT, f"{args.rate // 5}:{total}", "fresh", 4000, give_up=5.0),
            Stream("hasty", daemon.port, PREDICT, f"{args.rate // 10}:{total}", "fresh", 4000, give_up=0.001),
        ]
        generator = Generator(Path(name), streams, grace=10)
        trouble = [Trouble(daemon.port, seed, ends) for seed in range(12)]
        for t in trouble:
            t.start()
        while generator.process.poll() is None:
            time.sleep(rng.uniform(1, 4))
            crowd(daemon.port, rng)
            operate(daemon, rng)
        seen = generator.figures()
        ends.set()
        for t in trouble:
            t.join(20)
        while look(pid).descriptors > before.descriptors and watcher.seen[-1].seconds < total + 120:
            time.sleep(0.5)
        after = look(pid)
    made = sum((t.made for t in trouble), Counter())
    print(f"faults: {dict(made)}")
    for key in ("kept", "fresh"):
        (phase,) = seen[key]["phases"]
        bad = phase["due"] - phase["accepted"]
        text = f"{key}: {bad} of {phase['due']:,} not answered; p99 {phase['accepted_us']['p99'] / 1e3:.1f} ms"
        v.add(bad == 0, f"{text}; {seen[key]['statuses']}")
    for what, unit in (("rss", 1024.0), ("descriptors", 1.0), ("threads", 1.0)):
        middle, low, high = (x / unit for x in slope(minima(watcher, what, args.warm, args.seconds)))
        flat = middle < (KIB_AN_HOUR if what == "rss" else 1.0) or low <= 0
        v.add(flat, f"{what}: slope {middle:.1f} an hour ({low:.1f} .. {high:.1f}){' KiB' if what == 'rss' else ''}")
    print(f"before {before}\nafter  {after}, most memory {watcher.most() / 1024:.0f} KiB")
    v.add(after.descriptors <= before.descriptors, f"descriptors: {before.descriptors} before, {after.descriptors} after")
    v.add(after.threads == before.threads, f"threads: {before.threads} before, {after.threads} after")
    code = daemon.stop()
    v.add(code == 0, f"it ended with {code}")
    return v.close()


if __name__ == "__main__":
    sys.exit(main())
