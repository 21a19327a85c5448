# SPDX-License-Identifier: Apache-2.0
"""A fault, what has to come of it, and the run that finds out: once at start, once at reload.

At start the daemon meets the fault with the first version that it ever sees; at reload it serves version 1
and meets the fault with version 2, while a client predicts all the time. What may come of a fault:

passes
    the version serves all the same, in time.
holds
    the daemon says why not (at start it is alive and not ready, at reload version 1 goes on), keeps trying,
    and serves the version soon after the fault has gone.
refuses
    as holds, but the version itself is bad: it is not fetched again, and the next good one serves.
waits
    nobody can know of it: version 1 goes on without an error, and the version serves soon after it has gone.
scripted
    what a function of the scenario says.
"""

from __future__ import annotations

import re
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fake_aws.faults import Rule
from fake_s3 import FakeS3
from live import Live
from versions import Version, version

BUCKET = "models"
PREFIX = "cars/"
RETRIES = 15.0  # seconds in which a failure has been tried again
QUIET = 1.0  # seconds in which a refused version is not asked for


class Skip(Exception):
    """This machine cannot play the scenario."""


@dataclass
class Stage:
    """What a scenario plays on."""

    mode: str
    folder: Path
    s3: FakeS3
    target: Version
    env: dict[str, str]
    flags: list[str] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    notes: dict[str, Any] = field(default_factory=dict)
    uri: str = f"s3://{BUCKET}/{PREFIX}"
    live: Live | None = None

    def put(self, name: str, content: bytes) -> None:
        """Put a file of the bundle."""
        self.s3.store.put(BUCKET, PREFIX + name, content)

    @property
    def daemon(self) -> Live:
        """The daemon, which runs."""
        assert self.live is not None
        return self.live


Step = Callable[[Stage], Any]


def nothing(stage: Stage, live: Live | None = None) -> None:
    """Do nothing."""


@dataclass(frozen=True)
class Fault:
    """A scenario."""

    name: str
    expect: str  # a method of Run
    rules: Sequence[Mapping[str, Any]] = ()
    phase: str = ""
    detail: str = ""  # a regular expression, in the reason
    within: float = 15.0  # seconds to what is expected
    healed: float = 15.0  # seconds from the end of the fault to the version
    target: Callable[[int], Version] = version
    first: Callable[[int], Version] = version  # what serves before, at reload
    modes: tuple[str, ...] = ("start", "reload")
    before: Step = nothing  # before the daemon starts
    inject: Step = nothing  # besides the rules
    heal: Step = nothing
    after: Step = nothing  # what else has to hold
    refused: bool = False  # of what holds: the bytes that came are refused, though the version is good
    script: Callable[[Stage, Live], Any] = nothing
    flags: tuple[str, ...] = ()
    poll: float = 0.2


@dataclass
class Result:
    """What came of a scenario."""

    name: str
    mode: str
    expect: str
    seconds: float = 0.0
    predictions: int = 0
    failed: int = 0
    reason: str = ""
    error: str = ""
    skipped: bool = False


class Run:
    """One scenario in one mode."""

    def __init__(self, fault: Fault, mode: str, folder: Path) -> None:
        self.fault = fault
        target = fault.target(1 if mode == "start" else 2)
        s3 = FakeS3()
        s3.store.bucket(BUCKET, create=True)
        self.stage = Stage(mode, folder, s3, target, {})
        self.result = Result(fault.name, mode, fault.expect)

    def play(self) -> None:
        """Play it; raise where anything is not as it has to be."""
        stage, fault = self.stage, self.fault
        with stage.s3:
            stage.env = stage.s3.env()
            stage.flags = list(fault.flags)
            fault.before(stage)
            if stage.mode == "start":
                self._publish(stage.target)
                self._inject()
            else:
                self._publish(fault.first(1))
            with Live(stage.uri, *stage.flags, env=stage.env, poll=fault.poll, rate=20) as live:
                stage.live = live
                if stage.mode == "reload":
                    live.serves("v1")
                    live.traffic.start()
                    self._inject()
                    self._publish(stage.target)
                getattr(self, "_" + fault.expect)(live)
                fault.after(stage)
                self._judge(live)

    def _publish(self, bundle: Version) -> None:
        bundle.publish(self.stage.put)

    def _inject(self) -> None:
        self.stage.rules = self.stage.s3.rules.set(*self.fault.rules)
        self.fault.inject(self.stage)
        self.began = time.monotonic()

    def _heal(self) -> None:
        assert all(rule.acted for rule in self.stage.rules), [
            r.action for r in self.stage.rules if not r.acted
        ]
        self.stage.s3.rules.clear()
        self.fault.heal(self.stage)

    def _mark(self, reason: str = "") -> None:
        self.result.seconds = time.monotonic() - self.began
        self.result.reason = reason

    def _judge(self, live: Live) -> None:
        if self.stage.mode == "start":
            return
        live.traffic.stop()
        self.result.predictions = len(live.traffic.answers)
        self.result.failed = len(live.traffic.failed)
        assert self.result.predictions > 0
        assert not live.traffic.failed, live.traffic.failed[:3]

    # -- what is expected

    def _passes(self, live: Live) -> None:
        live.serves(self.stage.target.label, self.fault.within)
        self._mark()
        acted = [rule for rule in self.stage.rules if not rule.acted]
        assert not acted, f"never happened: {[rule.action for rule in acted]}"

    def _stands(self, live: Live, refused: bool) -> dict[str, Any]:
        status = live.fails(self.fault.phase, self.fault.detail, refused, self.fault.within)
        error = status["reload"]["last_error"]
        self._mark(error["detail"])
        ready = live.ready()
        if self.stage.mode == "start":
            assert (status["http"], ready.status) == (503, 503)
            assert re.search(self.fault.detail, ready.body.decode(), re.IGNORECASE), ready.body
            assert live.get("/livez").status == 200
        else:
            assert (status["http"], status["version"], ready.status) == (200, "v1", 200)
            assert live.traffic.seen() in (["v1"], []), live.traffic.seen()
        return status

    def _holds(self, live: Live) -> None:
        status = self._stands(live, self.fault.refused)
        attempts = status["reload"]["attempts"]
        wait = max(RETRIES, 2 * self.fault.within)
        live.wait("another attempt", lambda s: s["reload"]["attempts"] > attempts, wait)
        self._heal()
        status = live.serves(self.stage.target.label, self.fault.healed)
        assert status["reload"]["last_error"] is None, status["reload"]

    def _waits(self, live: Live) -> None:
        time.sleep(QUIET)
        status = live.status()
        assert status["version"] == "v1" and status["reload"]["last_error"] is None, status
        self._mark()
        self._heal()
        live.serves(self.stage.target.label, self.fault.healed)

    def _scripted(self, live: Live) -> None:
        self.fault.script(self.stage, live)
        self._mark()

    def _refuses(self, live: Live) -> None:
        status = self._stands(live, refused=True)
        assert self.stage.target.sha256 in [entry["sha256"] for entry in status["refused"]]
        asked = len(self.stage.s3.log)
        time.sleep(QUIET)
        again = [seen.path for seen in self.stage.s3.requests(since=asked)]
        assert again and all(path.endswith("/bundle.json") for path in again), again
        self._heal()
        self._publish(self.fault.first(9))
        live.serves("v9", self.fault.healed)


def play(fault: Fault, mode: str) -> Result:
    """Play a scenario in a folder of its own; return what came of it."""
    with tempfile.TemporaryDirectory(prefix="fault-") as folder:
        run = Run(fault, mode, Path(folder))
        try:
            run.play()
        except Skip as reason:
            run.result.skipped, run.result.reason = True, str(reason)
        except Exception as error:
            run.result.error = "".join(traceback.format_exception(error))
    return run.result
