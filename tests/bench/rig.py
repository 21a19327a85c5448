# SPDX-License-Identifier: Apache-2.0
"""What the campaigns of load share: a daemon on a processor of its own, streams of requests, and what is seen."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "http")]

import wire  # noqa: E402
from daemon import BIN, BUNDLE, Daemon  # noqa: E402

BUILD = Path(os.environ.get("SCORED_BUILD", BIN.parent))
PROBES_A_SECOND = 20


def processors() -> tuple[int, int]:
    """Return the processor of the daemon and that of the load; the same where there is only one."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[min(1, len(allowed) - 1)]


def first(pid: int, priority: int = 2) -> None:
    """Have the load go before all others on its processor, where the system lets it: it measures."""
    with contextlib.suppress(OSError):
        os.sched_setscheduler(pid, os.SCHED_FIFO, os.sched_param(priority))


def behind(pid: int) -> None:
    """Have who only is in the way take what others leave: the system's own work goes before it, as if it were far away."""
    os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0))


def ahead(pid: int) -> None:
    """Have a session get most of its processor; not all: a daemon that is saturated never rests."""
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text("-19")
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, int(task.name), -19)


@contextlib.contextmanager
def serving(*flags: str, model: str = str(BUNDLE), pinned: bool = True) -> Iterator[Daemon]:
    """Serve a model on the first processor until the block ends; it must end well."""
    before = os.sched_getaffinity(0)
    if pinned:
        os.sched_setaffinity(0, {processors()[0]})
    try:
        daemon = Daemon(*flags, models=(model,), tool=("setsid",))
    finally:
        os.sched_setaffinity(0, before)
    if pinned:
        ahead(daemon.process.pid)
    try:
        yield daemon
    except BaseException:
        daemon.process.kill()
        raise
    code = daemon.stop()
    assert code == 0, f"the daemon ended with {code}"


def example(bundle: Path) -> dict[str, Any]:
    """Return a bundle's example row."""
    return json.loads((bundle / "bundle.json").read_text())["example"]["in"]


@dataclass
class Stream:
    """A stream of one request, as `overload` is told of it."""

    name: str
    port: int
    request: bytes
    rates: str
    mode: str = "kept"
    connections: int = 64
    arrivals: str = "poisson"
    give_up: float = 0.0

    def text(self, folder: Path) -> str:
        """Return the argument; the request's bytes go into a file."""
        file = folder / f"{self.name}.request"
        file.write_bytes(self.request)
        text = f"name={self.name},port={self.port},request={file},mode={self.mode},rates={self.rates}"
        text += f",connections={self.connections},arrivals={self.arrivals}"
        return text + (f",give-up={self.give_up}" if self.give_up else "")


def probes(daemon: Daemon, seconds: float) -> list[Stream]:
    """Return streams of probes on both listeners, a connection a probe, as a kubelet asks."""
    return [
        Stream(
            f"{side}-{path}", port, wire.request("GET", f"/{path}"), f"{PROBES_A_SECOND}:{seconds}", "fresh", 400
        )
        for side, port in (("public", daemon.port), ("admin", daemon.admin))
        for path in ("livez", "readyz")
    ]  # fmt: skip


class Generator:
    """`overload` at work on the second processor."""

    def __init__(self, folder: Path, streams: list[Stream], grace: float = 2.0) -> None:
        command = ["taskset", "-c", str(processors()[1]), str(BUILD / "overload"), "-g", str(grace)]
        command += [stream.text(folder) for stream in streams]
        self.out = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self.process = subprocess.Popen(command, stdout=self.out)
        first(self.process.pid)

    def figures(self) -> dict[str, Any]:
        """Wait for its end; return what each stream saw, by name."""
        if self.process.wait(timeout=3600):
            raise SystemExit(f"overload ended with {self.process.returncode}")
        self.out.seek(0)
        return {f["name"]: f for f in map(json.loads, self.out)}


def load(folder: Path, streams: list[Stream], grace: float = 2.0) -> dict[str, Any]:
    """Run streams beside each other; return what they saw, by name."""
    return Generator(folder, streams, grace).figures()


@dataclass
class Seen:
    """A process as the kernel tells of it, again and again."""

    seconds: float
    rss: int  # bytes
    descriptors: int
    threads: int


def look(pid: int, since: float = 0.0) -> Seen:
    """Look at a process once."""
    status = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line
    )
    descriptors = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return Seen(
        time.monotonic() - since, int(status["VmRSS"].split()[0]) << 10, descriptors, int(status["Threads"])
    )


@dataclass
class Watcher:
    """Looks at a process until the block ends."""

    pid: int
    every: float = 0.2
    seen: list[Seen] = field(default_factory=list)

    def __enter__(self) -> Watcher:
        self.since = time.monotonic()
        self.ends = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()
        return self

    def _watch(self) -> None:
        os.sched_setaffinity(0, {processors()[1]})  # of this thread: to list ten thousand descriptors takes long
        while not self.ends.wait(self.every):
            try:
                self.seen.append(look(self.pid, self.since))
            except OSError:
                return

    def __exit__(self, *_: object) -> None:
        self.ends.set()
        self.thread.join(5)

    def most(self) -> int:
        """Return the most memory seen, in bytes."""
        return max((s.rss for s in self.seen), default=0)


class Verdicts:
    """Lines "ok" and "FAIL", counted."""

    def __init__(self) -> None:
        self.passed = self.failed = 0

    def add(self, fine: bool, text: str) -> None:
        """Print one."""
        self.passed += fine
        self.failed += not fine
        print(f"{'ok  ' if fine else 'FAIL'}  {text}", flush=True)

    def close(self) -> int:
        """Print the counts; return the exit status."""
        print(f"\n{self.passed} passed, {self.failed} failed")
        return 1 if self.failed else 0
