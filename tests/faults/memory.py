#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Clients that hold memory, against a daemon that has 256 MiB: ``memory.py BIN [--only NAME] [--share N]``.

The limit is a control group's, which the daemon finds where a container's would be; where this system lets
nobody make one, it is --memory, and what is resident is watched. In each attack the process must stay alive,
who asks for more than there is gets 503 or 413 or is closed, others go on being answered, and when the
attackers have gone their memory has gone too. --share N: an N-th of each attack.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import selectors
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "http"), str(HERE.parent / "bench")]

MIB = 1 << 20
LIMIT = 256 * MIB
GROUPS = Path("/sys/fs/cgroup/memory")
HELD_SECONDS = 3.0  # that attackers stay when all have done what they can
LONGEST_SECONDS = 40.0
BACK_SECONDS, BACK_BYTES = 10.0, 24 * MIB  # memory after an attack: how soon, and how much more than before
DRIPS, DRIP_BYTES = 300, 3 * MIB
ENTER = 'echo $$ > "$1/cgroup.procs" && mount --bind "$1" /sys/fs/cgroup/memory && shift && exec "$@"'


# -- the limit


@contextlib.contextmanager
def limited() -> Iterator[tuple[tuple[str, ...], Path | None]]:
    """Make a control group; gives the command that runs another in it, and its folder, if there is one."""
    group = GROUPS / f"scored-{os.getpid()}"
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(LIMIT))
    except OSError:
        yield (), None
        return
    enter = ("unshare", "--mount", "sh", "-c", ENTER, "sh", str(group))
    try:
        if subprocess.run([*enter, "true"], capture_output=True, check=False).returncode:
            yield (), None
        else:
            yield enter, group
    finally:
        with contextlib.suppress(OSError):
            group.rmdir()


# -- attackers


@dataclass
class Attacker:
    """A connection with bytes still to send; it may refuse to read."""

    socket: socket.socket
    left: memoryview
    reads: bool = True
    came: bytes = b""
    over: bool = False


@dataclass
class Crowd:
    """Attackers, moved on by a thread of their own until the block ends."""

    port: int
    made: Iterator[tuple[bytes, bool]]  # what each sends, and whether it reads
    members: list[Attacker] = field(default_factory=list)
    moved: float = 0.0  # when one of them last did anything

    def __enter__(self) -> Crowd:
        self.moved = time.monotonic()
        self.ends = threading.Event()
        self.selector = selectors.DefaultSelector()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ends.set()
        self.thread.join(30)
        for member in self.members:
            member.socket.close()

    def _join(self) -> None:
        """One more, from an address of its own kind: one has only so many ports."""
        with contextlib.suppress(StopIteration):
            data, reads = next(self.made)
            s = socket.socket()
            s.setblocking(False)
            s.bind((f"127.0.1.{1 + len(self.members) % 200}", 0))
            s.connect_ex(("127.0.0.1", self.port))
            member = Attacker(s, memoryview(data), reads)
            self.members.append(member)
            self.moved = time.monotonic()
            self.selector.register(s, selectors.EVENT_READ * reads | selectors.EVENT_WRITE, member)

    def _move(self, member: Attacker, events: int) -> None:
        self.moved = time.monotonic()
        try:
            if events & selectors.EVENT_READ:
                data = member.socket.recv(65536)
                member.came = (member.came + data)[:4096]
                if not data:
                    raise ConnectionResetError
            if events & selectors.EVENT_WRITE and member.left:
                member.left = member.left[member.socket.send(member.left[:262144]) :]
            if not member.left:
                wanted = selectors.EVENT_READ * member.reads
                if wanted:
                    self.selector.modify(member.socket, wanted, member)
                else:
                    self.selector.unregister(member.socket)
        except BlockingIOError:
            pass
        except OSError:
            member.over = True
            self.selector.unregister(member.socket)

    def _run(self) -> None:
        while not self.ends.is_set():
            for _ in range(200):
                self._join()
            for key, events in self.selector.select(0.005):
                self._move(key.data, events)

    def told(self) -> Counter[str]:
        """Count what became of them; a member that would not read is asked now."""
        counts: Counter[str] = Counter()
        for member in self.members:
            if not member.reads:
                with contextlib.suppress(OSError):
                    member.came = member.socket.recv(64)
            status = member.came[9:12].decode("latin-1")
            counts[status or ("closed" if member.over else "held")] += 1
        return counts


def unread(row: str) -> Iterator[tuple[bytes, bool]]:
    """Yield 5 bodies of 40 MiB of rows, all columns asked for, by clients that read nothing."""
    line = row.encode() + b"\n"
    body = line * (40 * MIB // len(line))
    head = b"POST /predict?columns=all HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\n"
    for _ in range(5):
        yield head + b"Content-Length: %d\r\n\r\n" % len(body) + body, False


def bodies(row: str) -> Iterator[tuple[bytes, bool]]:
    """Yield 400 bodies of 1 MiB, less their last byte."""
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    data = head % MIB + b"[" + b" " * (MIB - 2)
    for _ in range(400):
        yield data, True


def heads(row: str) -> Iterator[tuple[bytes, bool]]:
    """Yield 8,000 heads of 30 KB that do not end."""
    line = b"X-Long: " + b"a" * 992 + b"\r\n"
    data = b"GET /livez HTTP/1.1\r\nHost: x\r\n" + line * 30
    for _ in range(8000):
        yield data, True


def idle(row: str) -> Iterator[tuple[bytes, bool]]:
    """Yield 7,193 requests whose connections are then kept."""
    data = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
    for _ in range(7193):
        yield data % (len(row), row.encode()), True


ATTACKS: dict[str, Callable[[str], Iterator[tuple[bytes, bool]]]] = {
    "5 unread answers to 40 MiB of NDJSON, all columns": unread,
    "400 bodies of 1 MiB less a byte": bodies,
    "8,000 unfinished heads of 30 KB": heads,
    "7,193 kept idle connections": idle,
}


# -- the others


class Others(threading.Thread):
    """A client with a kept connection, one with a fresh one each time, and a probe of the admin listener."""

    def __init__(self, port: int, admin: int, row: str) -> None:
        super().__init__(daemon=True)
        self.port, self.admin, self.row = port, admin, row
        self.kept: Counter[str] = Counter()
        self.fresh: Counter[str] = Counter()
        self.probe: Counter[str] = Counter()
        self.last_fresh = ""
        self.ends = threading.Event()

    def run(self) -> None:
        """Ask until told to end."""
        from wire import Connection, request

        predict, livez = request("POST", "/predict", self.row), request("GET", "/livez")
        connection: Connection | None = None
        while not self.ends.wait(0.05):
            try:
                connection = connection or Connection(self.port)
                self.kept[self._one(connection, predict)] += 1
            except OSError as error:
                self.kept[type(error).__name__] += 1
                connection = None
            for counts, port, data in ((self.fresh, self.port, predict), (self.probe, self.admin, livez)):
                try:
                    with Connection(port) as c:
                        said = self._one(c, data)
                except OSError as error:
                    said = type(error).__name__
                counts[said] += 1
                self.last_fresh = said if counts is self.fresh else self.last_fresh

    @staticmethod
    def _one(connection: object, data: bytes) -> str:
        connection.socket.settimeout(5.0)  # type: ignore[attr-defined]
        connection.send(data)  # type: ignore[attr-defined]
        reply = connection.read()  # type: ignore[attr-defined]
        if reply is None:
            raise ConnectionResetError
        return str(reply.status)

    def stop(self) -> None:
        """End it."""
        self.ends.set()
        self.join(30)


# -- a run


def resident(pid: int) -> int:
    """Return its memory in bytes, 0 where it has ended."""
    from rig import look

    try:
        return look(pid).rss
    except (OSError, KeyError):
        return 0


def attack(name: str, share: int, tool: tuple[str, ...], group: Path | None) -> list[str]:
    """Play one; return what was not as it has to be."""
    from daemon import BUNDLE, Daemon

    row = json.dumps(json.loads((BUNDLE / "bundle.json").read_text())["example"]["in"])
    flags = () if group else ("--memory", str(LIMIT))
    daemon = Daemon("--lame-duck", "0", *flags, tool=tool) if has("lame-duck") else Daemon(*flags, tool=tool)
    pid, wrong = daemon.process.pid, []
    others = Others(daemon.port, daemon.admin, row)
    others.start()
    time.sleep(1)
    before = resident(pid)
    most, told = before, Counter[str]()
    made = iter([m for i, m in enumerate(ATTACKS[name](row)) if i % share == 0])
    with Crowd(daemon.port, made) as crowd:
        end = time.monotonic() + LONGEST_SECONDS
        while daemon.process.poll() is None and time.monotonic() < min(end, crowd.moved + HELD_SECONDS):
            most = max(most, resident(pid))
            time.sleep(0.05)
        told = crowd.told()
    alive = daemon.process.poll() is None
    after, since = most, time.monotonic()
    while alive and after > before + BACK_BYTES and time.monotonic() - since < BACK_SECONDS:
        time.sleep(0.2)
        after = resident(pid)
    time.sleep(0.5)
    others.stop()
    if not alive:
        wrong.append(f"the process was killed: {daemon.process.returncode}")
    elif daemon.stop():
        wrong.append("it did not end well")
    if most > LIMIT:
        wrong.append("more memory than the limit")
    if after > before + BACK_BYTES:
        wrong.append("the memory did not come back")
    if set(others.kept) != {"200"} or set(others.probe) != {"200"}:
        wrong.append(f"others: kept {dict(others.kept)}, probe {dict(others.probe)}")
    # a new client cannot be told from an attacker: it is served or told so, and served when they have gone
    if set(others.fresh) - {"200", "503"} or others.last_fresh != "200":
        wrong.append(f"others: fresh {dict(others.fresh)}, at last {others.last_fresh}")
    if set(told) - {"200", "413", "503", "408", "431", "held", "closed"}:
        wrong.append("an answer that nobody expects")
    figures = f"{before / MIB:4.0f} {most / MIB:5.0f} {after / MIB:5.0f}"
    print(f"{name:52} {figures}  attackers {dict(told)}; kept {dict(others.kept)}; fresh {dict(others.fresh)}", flush=True)
    return wrong


def drip() -> list[str]:
    """Leave large answers unread, one after the other: what each leaves behind must not add up."""
    from daemon import BUNDLE, Daemon
    from wire import Connection, request

    row = json.dumps(json.loads((BUNDLE / "bundle.json").read_text())["example"]["in"])
    ask = request("POST", "/predict?columns=all", "[" + ",".join([row] * 2000) + "]")
    daemon = Daemon()
    time.sleep(1)
    before = resident(daemon.process.pid)
    for _ in range(DRIPS):
        with contextlib.suppress(OSError), Connection(daemon.port) as c:
            c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            c.socket.settimeout(1)
            c.socket.sendall(ask)
    after, since = before + MIB * DRIPS, time.monotonic()
    while after > before + DRIP_BYTES and time.monotonic() - since < BACK_SECONDS:
        time.sleep(0.2)
        after = resident(daemon.process.pid)
    print(f"{f'{DRIPS} unread answers, one after the other':52} {before / MIB:4.0f}       {after / MIB:5.0f}", flush=True)
    wrong = ["the memory did not come back"] if after > before + DRIP_BYTES else []
    return wrong + (["it did not end well"] if daemon.stop() else [])


def has(flag: str) -> bool:
    """Tell whether the daemon has a setting."""
    from daemon import BIN

    return f"--{flag}" in subprocess.run([BIN, "serve", "--help"], capture_output=True, text=True).stdout


def main() -> int:
    """Play them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--share", type=int, default=1)
    args = parser.parse_args()
    os.environ["SCORED_BIN"] = str(args.binary.resolve())
    passed = failed = 0
    with limited() as (tool, group):
        print(f"256 MiB by {'a control group' if group else '--memory'}")
        print(f"{'attack':52} MiB before, most, after")
        for name in (n for n in ATTACKS if args.only in n):
            wrong = attack(name, args.share, tool, group)
            passed, failed = passed + (not wrong), failed + bool(wrong)
            print(f"FAIL  {'; '.join(wrong)}" if wrong else "ok", flush=True)
        if not args.only:
            wrong = drip()
            passed, failed = passed + (not wrong), failed + bool(wrong)
            print(f"FAIL  {'; '.join(wrong)}" if wrong else "ok", flush=True)
    print(f"\n{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
