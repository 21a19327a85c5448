#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Clients that are slow on purpose: ``slow.py [--connections N] [--seconds N]``; the daemon is $SCORED_BIN.

A trickler of many connections that send a byte a second, within heads and within bodies, and slowhttptest's
four modes. Meanwhile others ask for one row at a fixed rate; their p99 beside the slow ones is compared with
that without, in turns. The slow ones share a processor with the others, not with the daemon: so the times judged
run from when a request was sent until the system had its answer, whenever its client came to read it. Each slow connection must be gone a second after its deadline. At last all slots are
taken, and a new client and one that is known are looked after.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import json
import os
import select
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rig import BUNDLE, Daemon, Stream, Verdicts, Watcher, behind, example, load, look, processors, serving, wire

MIB = 1 << 20
HEAD_DEADLINE, BODY_DEADLINE = 5.0, 15.0
MORE, LONGER = 1.0, 10.0  # seconds after a deadline: in which it acts, and that are waited for it
RAMP = 10.0  # seconds that slowhttptest takes to connect, whatever it is told
P99_MORE = 1.2
QUIET = 15.0  # seconds of the others alone: their p99 of fewer is of chance
RATE = 500  # requests a second of the others
HEAD = b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: "
BODY = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n"


def others(daemon: Daemon, folder: Path, seconds: float) -> dict[str, Any]:
    """Ask for one row, steadily; return the figures."""
    request = wire.request("POST", "/predict", json.dumps(example(BUNDLE)))
    stream = Stream("others", daemon.port, request, f"{RATE}:{seconds}", connections=16, arrivals="fixed")
    (phase,) = load(folder, [stream])["others"]["phases"]
    return phase


@dataclass
class Trickler:
    """Connections that each send a byte a second after a first piece, from a thread of its own."""

    port: int
    count: int
    first: bytes
    then: bytes  # one byte
    began: dict[int, float] = field(default_factory=dict)  # by descriptor
    lasted: list[float] = field(default_factory=list)
    opened: int = 0
    refused: int = 0
    told: dict[str, int] = field(default_factory=dict)
    turns: deque[tuple[float, int]] = field(default_factory=deque)  # when each sends next

    def start(self) -> None:
        """Begin."""
        self.ends = threading.Event()
        self.sockets: dict[int, socket.socket] = {}
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _open(self, i: int) -> None:
        s = socket.socket()
        s.bind((f"127.0.2.{1 + i % 200}", 0))
        s.settimeout(2)
        try:
            s.connect(("127.0.0.1", self.port))
            s.setblocking(False)
            s.send(self.first)
        except OSError:
            self.refused += 1
            s.close()
            return
        self.began[s.fileno()] = time.monotonic()
        self.turns.append((time.monotonic() + 1.0, s.fileno()))
        self.sockets[s.fileno()] = s
        self.epoll.register(s, select.EPOLLIN)

    def _gone(self, fd: int, now: float) -> None:
        s = self.sockets.pop(fd)
        status = "none"
        with contextlib.suppress(OSError):
            status = s.recv(64)[9:12].decode("latin-1") or "none"
        self.told[status] = self.told.get(status, 0) + 1
        self.lasted.append(now - self.began[fd])
        s.close()

    def _run(self) -> None:
        os.sched_setaffinity(0, {processors()[1]})  # of this thread
        behind(0)
        self.epoll = select.epoll()
        while not self.ends.is_set():
            gone = self.epoll.poll(0.005, 20000)
            now = time.monotonic()
            for fd, _ in gone:
                self._gone(fd, now)
            for _ in range(min(20, self.count - self.opened)):  # 4,000 a second
                self._open(self.opened)
                self.opened += 1
            while self.turns and self.turns[0][0] <= now:  # each by a second of its own
                due, fd = self.turns.popleft()
                if fd in self.sockets and due > self.began[fd]:
                    with contextlib.suppress(OSError):
                        self.sockets[fd].send(self.then)
                    self.turns.append((due + 1.0, fd))

    def stop(self) -> None:
        """End it; what is still open was not sent away."""
        self.ends.set()
        self.thread.join(30)
        for s in self.sockets.values():
            s.close()


def compared(quiet: list[float], beside: list[float]) -> tuple[float, str]:
    """Return the ratio of medians, and both as text."""
    a, b = statistics.median(quiet), statistics.median(beside)
    return b / a, f"{b / 1e3:.2f} ms beside, {a / 1e3:.2f} ms without"


def judge_others(v: Verdicts, what: str, quiet: list[dict[str, Any]], beside: list[dict[str, Any]]) -> None:
    """Print the verdicts on the others."""
    lost = sum(p["due"] - p["accepted"] for p in beside)
    v.add(lost == 0, f"{what}: others all answered ({lost} of {sum(p['due'] for p in beside)} not)")
    for times, which in (("server_us", "p50"), ("accepted_us", "p50"), ("accepted_us", "p99")):
        ratio, text = compared(*([p[times][which] for p in side] for side in (quiet, beside)))
        whose = "" if times == "server_us" else " as clients read it"
        print(f"      {what}: others' {which}{whose} {ratio:.2f} x ({text})")
    ratio, text = compared(*([p["server_us"]["p99"] for p in side] for side in (quiet, beside)))
    v.add(ratio <= P99_MORE, f"{what}: others' p99 changes <= 20 % ({ratio:.2f} x: {text})")


def trickle(v: Verdicts, folder: Path, count: int, where: str, rounds: int) -> None:
    """Trickle within heads or bodies."""
    deadline = HEAD_DEADLINE if where == "heads" else BODY_DEADLINE
    quiet, beside, lasted, refused, left = [], [], [], 0, 0
    told: dict[str, int] = {}
    with serving("--workers", "1", "--connections", str(count + 100)) as daemon:
        with Watcher(daemon.process.pid) as watcher:
            for _ in range(rounds):
                quiet.append(others(daemon, folder, deadline))
                slow = Trickler(daemon.port, count, *((HEAD, b"a") if where == "heads" else (BODY, b" ")))
                slow.start()
                beside.append(others(daemon, folder, deadline))
                end = time.monotonic() + deadline + LONGER
                while (slow.sockets or slow.opened < count) and time.monotonic() < end:
                    time.sleep(0.05)
                left += len(slow.sockets)
                slow.stop()
                lasted += slow.lasted
                refused += slow.refused
                told = slow.told
    what = f"{count:,} x 1 byte/s within {where}"
    longest = max(lasted, default=float("inf"))
    v.add(refused == 0, f"{what}: all connected ({refused} refused); answers {told}")
    text = f"{min(lasted, default=0):.2f} .. {longest:.2f} s, deadline {deadline:.0f}, {left} left"
    v.add(not left and longest <= deadline + MORE, f"{what}: gone by the deadline + 1 s ({text})")
    judge_others(v, what, quiet, beside)
    print(f"      {what}: {watcher.most() / MIB:.0f} MiB at most")


MODES = {
    "-H": ["-t", "GET", "-i", "1", "-x", "24"],
    "-B": ["-t", "POST", "-i", "1", "-x", "10", "-s", "8192", "-f", "application/json"],
    "-R": ["-t", "HEAD", "-a", "10", "-b", "3000"],
    "-X": ["-w", "10", "-y", "20", "-n", "5", "-z", "32", "-k", "3"],
}


def slowhttptest(v: Verdicts, folder: Path, mode: str, count: int, rounds: int) -> None:
    """Run one of slowhttptest's modes."""
    seconds = int((BODY_DEADLINE if mode in ("-B", "-X") else HEAD_DEADLINE) + RAMP + LONGER)
    quiet, beside, still, served = [], [], 0, True
    # a reply that the system took is out of the daemon's hands: who does not read it is idle
    idle = f"--idle-timeout={BODY_DEADLINE - 5:.0f}"
    with serving("--workers", "1", "--connections", str(count + 100), idle) as daemon:
        path = "predict" if mode == "-B" else "openapi.json" if mode == "-X" else "livez"
        for _ in range(rounds):
            quiet.append(others(daemon, folder, QUIET))
            before = look(daemon.process.pid).descriptors
            command = ["setsid", "taskset", "-c", str(processors()[1]), "slowhttptest", "-c", str(count), mode, *MODES[mode]]
            command += ["-r", str(count // 4), "-l", str(seconds), "-p", "3", "-g", "-o", str(folder / "slow")]
            command += ["-u", f"http://127.0.0.1:{daemon.port}/{path}"]
            with (
                Watcher(daemon.process.pid) as watcher,
                subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process,
            ):
                behind(process.pid)
                beside.append(others(daemon, folder, seconds - 1))
                process.wait(120)
                open_then = watcher.seen[-5 if len(watcher.seen) > 5 else 0].descriptors
            still = max(still, open_then - before - 16)  # the connections of the others
            with open(folder / "slow.csv", newline="") as file:
                served &= all(int(r.get("Service Available") or 0) for r in csv.DictReader(file))
    what = f"slowhttptest {mode} with {count:,}"
    most = max(s.descriptors for s in watcher.seen)
    held = mode == "-R" or most > count // 2  # what -R asks for is answered at once
    v.add(still <= 0 and held, f"{what}: gone in its time ({most} open at most, {max(still, 0)} left)")
    v.add(served, f"{what}: its own probe finds the service available")
    judge_others(v, what, quiet, beside)


def full(v: Verdicts) -> None:
    """Take all slots with connections that never ask; look after a new client and a known one."""
    row = json.dumps(example(BUNDLE))
    with serving("--workers", "1", "--connections", "200") as daemon:
        with wire.Connection(daemon.port) as known:
            known.send(wire.request("POST", "/predict", row))
            fine = known.read()
            mute = [socket.create_connection(("127.0.0.1", daemon.port)) for _ in range(400)]
            time.sleep(0.5)
            said: list[str] = []
            for _ in range(20):
                try:
                    with wire.Connection(daemon.port) as new:
                        new.socket.settimeout(2)
                        new.send(wire.request("POST", "/predict", row))
                        reply = new.read()
                        said.append(str(reply.status) if reply else "closed")
                except OSError as error:
                    said.append(type(error).__name__)
            known.send(wire.request("POST", "/predict", row))
            again = known.read()
            admin = wire.ask(daemon.admin, "GET", "/livez").status
            for s in mute:
                s.close()
        v.add(bool(fine and again and again.status == 200), "full: a known client is still answered")
        v.add(admin == 200, "full: the admin listener answers")
        counts = {s: said.count(s) for s in set(said)}
        v.add(set(said) <= {"200", "503"}, f"full: new clients are served, or told 503 ({counts})")


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--connections", type=int, default=10000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="full,heads,bodies,-H,-B,-R,-X")
    args = parser.parse_args()
    parts = args.only.split(",")
    v = Verdicts()
    with tempfile.TemporaryDirectory(prefix="slow-") as name:
        folder = Path(name)
        if "full" in parts:
            full(v)
        for where in ("heads", "bodies"):
            if where in parts:
                trickle(v, folder, args.connections, where, args.rounds)
        for mode in MODES:
            if mode in parts and shutil.which("slowhttptest"):
                slowhttptest(v, folder, mode, min(args.connections, 4000), args.rounds)
            elif mode in parts:
                v.add(False, "slowhttptest is not installed")
    return v.close()


if __name__ == "__main__":
    sys.exit(main())
