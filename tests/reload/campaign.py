#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reloads under load that nobody notices.

    campaign.py --load OPEN_LOOP [--reloads N] [--full] [--sanitized]     the daemon is $SCORED_BIN

The daemon and its loader share a processor; the load, an open loop of 2,000 requests a second, and the S3
that the models come from share another. Windows in which a version is published and asked for every second
take turns with windows in which nothing happens. Every version has answers of its own; every 10th is corrupt
and every 7th comes slowly. Every answer is judged (history.py), every reload must end as it should, memory
must not grow, loads must have run at idle priority. --full makes 1,000 reloads and also holds the
latencies to their bounds. A thread above all others notes on each processor when it stood still (a virtual
machine does while its host runs others); what a request takes is counted less that, with as long
again for the queue behind it, and printed both ways. It also keeps the processors from sleeping, where the
kernel lets it: see standstill.c.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE)] + [str(HERE.parent / room) for room in ("http", "bundles", "e2e")]

import versions  # noqa: E402
from daemon import Daemon  # noqa: E402
from fake_s3 import FakeS3  # noqa: E402
from history import NEVER, History, Publication, check, read  # noqa: E402
from report import Plan, Record, Reload, Result, Standstills, Window  # noqa: E402
from wire import ask  # noqa: E402

MIB = 1 << 20
MODEL, BUCKET, PREFIX = "m", "models", "m/"
CONNECTIONS = 15  # odd, so that each sends both bodies
PAD = 2 << 20  # bytes of blocks beside the coefficients
CORRUPT_EVERY, SLOW_EVERY = 10, 7
ATTEMPT_SECONDS = 60.0  # for a reload to end, on however busy a machine
USUAL_SECONDS = 15.0  # more than it takes on a machine of one's own, with what is between two
MANY = [(make, index, km) for index, make in enumerate(versions.ALL_MAKES) for km in versions.KM]
BODIES = [versions.ROW, [{"make": make, "km": km} for make, _, km in MANY]]


def answers(n: int) -> list[list[float]]:
    """Return what version `n` says to each of BODIES."""
    return [[versions.answer(n)], [versions.value(n, float(index), km) for _, index, km in MANY]]


def corrupted(version: versions.Version) -> versions.Version:
    """Return a version whose answers would be others: a byte of its coefficient, the digest as it was."""

    def change(content: bytes) -> bytes:
        at = content.index(struct.pack("<2d", 0.5, version.n)) + 8 + 5
        return content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1 :]

    return version.spoilt("blocks", change)


# a request that waited for a slow reload would exceed the limit
QUICK = Plan(reloads=50, windows=5, quiet_seconds=5, slow_seconds=1.5, rss_from=10, rss_growth=2 * MIB)
FULL = Plan(
    reloads=1000,
    windows=10,
    quiet_seconds=20,
    slow_seconds=0.5,
    rss_from=50,
    rss_growth=MIB,
    limit_ms=30.0,
    more_over_5_ms=0.1,
)


def is_corrupt(n: int) -> bool:
    """Tell whether version `n` must not serve."""
    return n > 0 and n % CORRUPT_EVERY == 0


def is_slow(n: int) -> bool:
    """Tell whether version `n` comes slowly."""
    return n > 0 and n % SLOW_EVERY == 0


# -- the machine


def end(process: subprocess.Popen[Any]) -> None:
    """End a process that may have ended."""
    if process.poll() is None:
        process.kill()
        process.wait()


def processors() -> tuple[int, int]:
    """Return the processor of the daemon and that of the rest; the same where there is only one."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[min(1, len(allowed) - 1)]


@contextlib.contextmanager
def on(processor: int) -> Iterator[None]:
    """What is started within runs there."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {processor})
    yield
    os.sched_setaffinity(0, before)


@dataclass(frozen=True)
class Process:
    """What the kernel says of a process."""

    pid: int

    def rss(self) -> int:
        """Resident memory in bytes."""
        text = Path(f"/proc/{self.pid}/status").read_text()
        return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("VmRSS:")) << 10

    def settled_rss(self) -> int:
        """Resident memory but for that of an attempt that is just under way."""
        seen = [self.rss()]
        for _ in range(4):
            time.sleep(0.02)
            seen.append(self.rss())
        return min(seen)

    def threads(self, idle: bool) -> list[int]:
        """Return the threads that run at idle priority, or the others; a load's comes and goes."""
        found = []
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            with contextlib.suppress(ProcessLookupError):
                if (os.sched_getscheduler(int(task.name)) == os.SCHED_IDLE) == idle:
                    found.append(int(task.name))
        return found

    def waited_seconds(self) -> float:
        """Return how long the threads that exist now, but for idle ones, were ready and did not run."""
        stats = [Path(f"/proc/{self.pid}/task/{t}/schedstat").read_text() for t in self.threads(idle=False)]
        return sum(int(text.split()[1]) for text in stats) / 1e9

    def cpu_seconds(self) -> float:
        """Return the time that the process ran, threads that have ended too."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# -- publishing


class Publisher:
    """Publishes versions to the prefix that the daemon watches, and has it look."""

    def __init__(self, s3: FakeS3, slow_seconds: float) -> None:
        self.s3 = s3
        self.pause = slow_seconds / 2  # before the blocks' head, and again within them
        self.live: list[versions.Version] = []

    @staticmethod
    def make(n: int) -> versions.Version:
        """Return version `n`, spoilt where its turn has come."""
        made = versions.written(n, versions.sketch(n, PAD))
        return corrupted(made) if is_corrupt(n) else made

    def publish(self, version: versions.Version) -> int:
        """Put all files; return when the writing of the manifest began. Of three versions the first goes."""
        begun = 0

        def put(name: str, content: bytes) -> None:
            nonlocal begun
            begun = time.monotonic_ns()
            self.s3.store.put(BUCKET, PREFIX + name, content)

        delays = [
            {"action": "delay_head", "seconds": self.pause, "path": "blocks-"},
            {"action": "delay_body", "seconds": self.pause, "after": 100_000, "path": "blocks-"},
        ]
        self.s3.rules.set(*(delays if is_slow(version.n) else []))
        version.publish(put)
        self.live.append(version)
        gone = self.live.pop(0).files if len(self.live) > 3 else {}
        for name in gone:
            if not any(name in kept.files for kept in self.live):  # versions may share a file
                del self.s3.store.bucket(BUCKET).objects[PREFIX + name]
        return begun


class Operator:
    """Asks for reloads and sees how they end."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon
        self.process = Process(daemon.process.pid)

    def status(self) -> Any:
        """Return what the daemon says of its model."""
        return ask(self.daemon.admin, "GET", f"/models/{MODEL}").json

    def wait_until_ready(self) -> None:
        """Wait for the first version."""
        end = time.monotonic() + ATTEMPT_SECONDS
        while ask(self.daemon.port, "GET", "/readyz").status != 200:
            if time.monotonic() > end:
                raise SystemExit(f"campaign: the daemon is not ready:\n{self.daemon.log()[-4000:]}")
            time.sleep(0.02)

    def reload(self) -> tuple[Any, int]:
        """Ask, wait until that is done; return what is said then, and when."""
        reply = ask(self.daemon.admin, "POST", f"/models/{MODEL}/reload")
        if reply.status != 202:
            raise SystemExit(f"campaign: a reload was answered {reply.status}: {reply.body!r}")
        end = time.monotonic() + ATTEMPT_SECONDS
        while time.monotonic() < end:
            status = self.status()
            if status["reload"]["attempts"] >= reply.json["attempt"]:
                return status, time.monotonic_ns()
            time.sleep(0.02)
        raise SystemExit(f"campaign: a reload did not end:\n{status}\n{self.daemon.log()[-4000:]}")

    @staticmethod
    def problem(version: versions.Version, status: Any, before: str) -> str:
        """Return what is wrong with how a reload ended."""
        error = status["reload"]["last_error"]
        if not is_corrupt(version.n):
            fine = status["version"] == version.label and status["sha256"] == version.sha256 and not error
        else:
            fine = bool(
                status["version"] == before
                and error
                and (error["phase"], error["refused"]) == ("fetch", False)
                and error["sha256"] == version.sha256
            )
        return (
            ""
            if fine
            else f"after {version.label}: {json.dumps(status['reload'])}, {status['version']} serves"
        )


# -- the load


class Load:
    """open_loop, as a process of its own; it leaves a history."""

    def __init__(self, binary: Path, port: int, folder: Path, plan: Plan) -> None:
        seconds = USUAL_SECONDS * plan.reloads + plan.windows * plan.quiet_seconds
        self.history = folder / "history"
        files = [folder / f"body-{i}" for i in range(len(BODIES))]
        for file, body in zip(files, BODIES):
            file.write_text(json.dumps(body))
        numbers = [port, CONNECTIONS, int(plan.rate * seconds), plan.rate]
        command = [str(x) for x in (binary, "-s", "-o", self.history, *numbers, *files)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE)
        with contextlib.suppress(PermissionError):  # it measures: it is not to wait for others
            os.sched_setscheduler(self.process.pid, os.SCHED_FIFO, os.sched_param(1))

    def stop(self) -> tuple[Any, History]:
        """End it; return its figures and the history."""
        self.process.send_signal(signal.SIGTERM)
        figures, _ = self.process.communicate(timeout=60)
        if self.process.returncode:
            raise SystemExit(f"campaign: open_loop ended with {self.process.returncode}")
        return json.loads(figures), read(self.history.read_bytes())


class Watch:
    """standstill, as a process of its own: when the machine stood still."""

    def __init__(self, binary: Path, cpus: tuple[int, int]) -> None:
        command = [str(binary), *sorted({str(cpu) for cpu in cpus})]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def stop(self) -> Standstills | None:
        """End it; return what it saw, None where it may not watch."""
        self.process.terminate()
        seen, _ = self.process.communicate(timeout=60)
        return None if self.process.returncode else Standstills.read(seen)


class IdleWatch:
    """Looks a few hundred times a second how many threads run at idle priority; `most` is the most."""

    def __init__(self, process: Process) -> None:
        self.most = 0
        self._process = process
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(0.003):
            self.most = max(self.most, len(self._process.threads(idle=True)))

    def stop(self) -> tuple[int, int]:
        """Return the most that were seen, and those that do not end within ten seconds.

        One that looks for a new version, or frees the old one, may be under way just now, and what
        is of idle priority takes its time on a busy machine.
        """
        self._stop.set()
        self._thread.join()
        ends = time.monotonic() + 10
        while (left := len(self._process.threads(idle=True))) and time.monotonic() < ends:
            time.sleep(0.01)
        return self.most, left


# -- a run


class Campaign:
    """One run from start to stop."""

    def __init__(self, plan: Plan, load: Path) -> None:
        self.plan = plan
        self.load = load
        self.record = Record()

    def first(self, publisher: Publisher) -> None:
        """Publish what the daemon starts with."""
        version = publisher.make(0)
        begun = publisher.publish(version)
        self.record.publications.append(Publication(version.label, answers(0), begun))

    def one(self, version: versions.Version, publisher: Publisher, operator: Operator) -> None:
        """Publish a version and have it loaded."""
        served = next(p.label for p in reversed(self.record.publications) if p.answers is not None)
        good = not is_corrupt(version.n)
        start = time.monotonic()
        begun = publisher.publish(version)
        status, seen = operator.reload()
        known = seen if good and status["version"] == version.label else NEVER
        known_answers = answers(version.n) if good else None
        self.record.publications.append(Publication(version.label, known_answers, begun, known))
        time.sleep(max(0.1, start + 0.9 - time.monotonic()))  # the old one is freed meanwhile
        rss = operator.process.settled_rss()
        problem = operator.problem(version, status, served)
        self.record.reloads.append(Reload(begun, seen, is_slow(version.n), rss, problem))
        time.sleep(max(0.0, start + 1.0 - time.monotonic()))

    def window(self, process: Process, reloading: bool, work: Callable[[], None]) -> None:
        """Do something and note when."""
        before = process.waited_seconds()
        window = Window(reloading, time.monotonic_ns())
        self.record.windows.append(window)
        work()
        window.ended = time.monotonic_ns()
        window.waited = process.waited_seconds() - before

    def windows(self, publisher: Publisher, operator: Operator) -> None:
        """Take turns; which goes first changes from pair to pair. What is published is made before."""
        made: list[versions.Version] = []

        def reloads() -> None:
            for version in made:
                self.one(version, publisher, operator)

        kinds = [(False, lambda: time.sleep(self.plan.quiet_seconds)), (True, reloads)]
        for pair in range(self.plan.windows):
            first = 1 + pair * self.plan.by_window
            made[:] = [publisher.make(n) for n in range(first, first + self.plan.by_window)]
            for reloading, work in kinds if pair % 2 == 0 else reversed(kinds):
                self.window(operator.process, reloading, work)

    def run(self) -> Result:
        """Run it."""
        daemon_cpu, rest_cpu = processors()
        os.sched_setaffinity(0, {rest_cpu})
        with contextlib.ExitStack() as stack:
            s3 = stack.enter_context(FakeS3())
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="reload-")))
            publisher = Publisher(s3, self.plan.slow_seconds)
            self.first(publisher)
            with on(daemon_cpu):
                uri = f"{MODEL}=s3://{BUCKET}/{PREFIX}"
                daemon = Daemon("--poll", "3600", "--keep-versions", "1", models=(uri,), env=s3.env())
            stack.callback(end, daemon.process)
            operator = Operator(daemon)
            operator.wait_until_ready()
            started = len(daemon.log())
            watch = Watch(self.load.parent / "standstill", (daemon_cpu, rest_cpu))
            stack.callback(end, watch.process)
            load = Load(self.load, daemon.port, folder, self.plan)
            stack.callback(end, load.process)
            time.sleep(2)
            idle_watch = IdleWatch(operator.process)
            self.windows(publisher, operator)
            idle, cpu = idle_watch.stop(), operator.process.cpu_seconds()
            figures, history = load.stop()
            stood = watch.stop()
            status, log, code = operator.status(), daemon.log()[started:], daemon.stop()
        verdict = check(self.record.publications, figures["replies"], history)
        return Result(self.plan, self.record, figures, history, verdict, stood, idle, cpu, status, log, code)


def main() -> int:
    """Run a campaign."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--load", type=Path, required=True, help="the program open_loop")
    parser.add_argument("--reloads", type=int, help=f"instead of {QUICK.reloads}, of --full {FULL.reloads}")
    parser.add_argument("--full", action="store_true")
    parser.add_argument(
        "--sanitized",
        action="store_true",
        help="so is the daemon: fewer requests, and neither memory nor times count",
    )
    args = parser.parse_args()
    plan = FULL if args.full else QUICK
    if args.reloads:
        plan = replace(plan, reloads=args.reloads, windows=min(plan.windows, max(1, args.reloads // 10)))
    if args.sanitized:
        plan = replace(plan, rss_growth=None, limit_ms=None, more_over_5_ms=None, rate=500)
    return 0 if Campaign(plan, args.load).run().report() else 1


if __name__ == "__main__":
    sys.exit(main())
