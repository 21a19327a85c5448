#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills the daemon, as kill -9 does, at random places of download, verification and switch; starts it again.

    tests/faults/kills.py BIN [--kills N] [--seed N] [--threads N]

BIN is a build with -DFAULTS=ON. In a session the daemon loads a version, a second one in its place, meets a
corrupt third and one whose golden rows are wrong, and loads a fifth; somewhere in it it is killed. It is
started again on the cache that the dead one left: with S3, where it has to end up with what S3 holds, or
without, where it has to serve the version that
answered last, or the next. No answer of either may be of a version that
was not verified.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), *(str(HERE.parent / room) for room in ("e2e", "http", "bundles"))]

import daemon  # noqa: E402
from fake_s3 import FakeS3  # noqa: E402
from live import Live  # noqa: E402
from versions import corrupt, version, wrong_golden  # noqa: E402

BUCKET, PREFIX = "models", "cars/"
URI = f"s3://{BUCKET}/{PREFIX}"
GOOD = ["v1", "v2", "v5"]  # in the order of publishing


@dataclass
class Outcome:
    """What came of a kill."""

    died: bool
    where: str = ""  # the version that served last
    away: bool = False  # S3, at the restart
    again: str = ""  # what served after the restart
    answers: int = 0
    error: str = ""


def main() -> int:
    """Run the campaign; 0 where every restart was good."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", type=Path)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=4)
    args = parser.parse_args()
    daemon.BIN = args.binary.resolve()
    start = time.monotonic()
    points = count_points()
    if points == 0:
        print("this build has no places to be killed at: it takes -DFAULTS=ON")
        return 1
    chance = random.Random(args.seed)
    jobs = [(chance.randint(1, points), chance.random() < 0.5) for _ in range(args.kills)]
    with ThreadPoolExecutor(args.threads) as pool:
        outcomes = list(pool.map(lambda job: attempt(*job), jobs))
    for (at, away), outcome in zip(jobs, outcomes, strict=True):
        if outcome.error:
            print(f"FAIL at {at}, S3 {'away' if away else 'there'} at the restart: {outcome.error}")
    failed = sum(bool(outcome.error) for outcome in outcomes)
    died = sum(outcome.died for outcome in outcomes)
    print(f"seed {args.seed}: {points} places in a session; {died} of {args.kills} daemons died in theirs")
    print("served before death:", dict(sorted(Counter(o.where or "nothing" for o in outcomes).items())))
    print("after, S3 there:    ", dict(sorted(Counter(o.again for o in outcomes if not o.away).items())))
    print("after, S3 away:     ", dict(sorted(Counter(o.again for o in outcomes if o.away).items())))
    answers = sum(outcome.answers for outcome in outcomes)
    print(f"{answers} answers, all of verified versions: {not failed}; {time.monotonic() - start:.0f} s")
    print(f"{args.kills - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed or died < args.kills * 0.9 else 0


def count_points() -> int:
    """Return how many places a session passes, by bisection: what is killed did not come to its end."""
    low, high = 0, 1
    while attempt(high, False).died:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if attempt(middle, False).died else (low, middle)
    return low


def attempt(at: int, away: bool) -> Outcome:
    """Kill a daemon at a place of its session, and start another on what it left."""
    outcome = Outcome(False)
    with FakeS3() as s3, tempfile.TemporaryDirectory(prefix="kill-") as folder:
        try:
            Session(s3, Path(folder), outcome).run(at)
            check_cache(Path(folder))
            if outcome.died:
                # what has answered is remembered; before that there may be nothing to serve
                outcome.away = away and (outcome.where in GOOD or any(Path(folder).glob("slot-*.json")))
                restart(s3, Path(folder), outcome)
        except Exception as error:
            outcome.error = f"{type(error).__name__}: {error}"
    return outcome


class Session:
    """A daemon's life until it is killed."""

    def __init__(self, s3: FakeS3, folder: Path, outcome: Outcome) -> None:
        self.s3 = s3
        self.folder = folder
        self.outcome = outcome

    def put(self, name: str, content: bytes) -> None:
        """Put a file of a bundle."""
        self.s3.store.put(BUCKET, PREFIX + name, content)

    def run(self, at: int) -> None:
        """Run it."""
        version(1).publish(self.put)
        try:
            live = Live(
                URI, "--cache", str(self.folder), env=self.s3.env() | {"SCORED_STOP_AT": str(at)}, poll=0.05
            )
        except AssertionError:
            self.outcome.died = True  # before it listened
            return
        try:
            with live.traffic:
                self.play(live)
        except (AssertionError, OSError, ValueError) as error:
            self.outcome.died = died(live)
            if not self.outcome.died:
                raise AssertionError(f"alive, and not as it should be: {error}") from error
        finally:
            live.daemon.process.kill()
            live.daemon.process.wait(10)
        judge(live, self.outcome)

    def play(self, live: Live) -> None:
        """Show it its versions."""
        live.serves("v1", 10)
        version(2).publish(self.put)
        live.serves("v2", 10)
        corrupt(3).publish(self.put)
        live.fails("fetch", seconds=10)
        wrong_golden(4).publish(self.put)
        live.fails("golden", seconds=10)
        version(5).publish(self.put)
        live.serves("v5", 10)


def died(live: Live) -> bool:
    """Tell whether the daemon was killed; its socket may be gone a moment before it is."""
    end = time.monotonic() + 2
    while live.daemon.process.poll() is None and time.monotonic() < end:
        time.sleep(0.01)
    return live.daemon.process.returncode == -signal.SIGKILL


def judge(live: Live, outcome: Outcome) -> None:
    """Hold every answer against the version that it names."""
    answers = [a for a in live.traffic.answers if a.status == 200]
    wrong = [a for a in answers if not a.good or a.version not in GOOD]
    assert not wrong, wrong[:3]
    outcome.answers += len(answers)
    if answers and not outcome.where:
        outcome.where = answers[-1].version


def check_cache(folder: Path) -> None:
    """Hold every file of the cache against its name."""
    for path in folder.iterdir():
        if len(path.name) == 64:
            assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name, f"{path.name} is torn"


def restart(s3: FakeS3, folder: Path, outcome: Outcome) -> None:
    """Start again; whatever serves has been verified."""
    outcome.where = outcome.where or "nothing"
    if outcome.away:
        s3.stop()
    with Live(URI, "--cache", str(folder), env=s3.env(), poll=0.05) as live:
        with live.traffic:
            status = live.wait("it serves", lambda s: s["http"] == 200, 15)
            assert status["version"] in GOOD, status
            held = s3.store.data(BUCKET, PREFIX + "bundle.json")
            for n in (1, 2, 5):
                if held == version(n).manifest and not outcome.away:
                    live.serves(f"v{n}", 10)
            assert live.predict().good
            outcome.again = live.status()["version"]
            if outcome.where in GOOD:
                assert GOOD.index(outcome.again) >= GOOD.index(outcome.where), "an older version came back"
        judge(live, outcome)
    check_cache(folder)


if __name__ == "__main__":
    sys.exit(main())
