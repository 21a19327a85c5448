#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds a daemon to HTTP/1.1: ``run.py BIN [--tls]`` plays every row of cases.py over raw sockets, or over TLS.

Behind what a case sends comes a request of ours: its answer says that the connection goes on, and that nothing of
the case was left over or taken for a request. Closes with "N passed, N failed, N skipped".
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import socket
import subprocess
import ssl
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "http"))

if len(sys.argv) > 1:
    os.environ["SCORED_BIN"] = sys.argv[1]  # before the module that reads it

from cases import END, EXCEPTIONS, MAY, MUST, PAUSE, SHOULD, WAIT, Case, cases
from certificates import Authority
from daemon import Daemon
from secure import Pipe, context

PROBE = b"GET /livez HTTP/1.1\r\nHost: probe\r\nX-Request-Id: probe\r\n\r\n"
PATIENCE = 20.0
STATUS = re.compile(rb"HTTP/1\.1 ([1-5][0-9]{2}) [\t -~]*")
FIELD = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t -~]*?)[ \t]*")
DATE = re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT")


class Hangs(Exception):
    """Neither a reply nor an end."""


class Broken(Exception):
    """A reply that is not HTTP."""


@dataclass
class Reply:
    """One reply as it came."""

    status: int
    fields: dict[str, str]
    body: bytes = b""

    @property
    def closes(self) -> bool:
        """Whether the server said that it closes the connection."""
        return "close" in re.split(r"\s*,\s*", self.fields.get("connection", "").lower())

    @property
    def is_probe(self) -> bool:
        """Whether it answers the request behind the case."""
        return self.status == 200 and self.fields.get("x-request-id") == "probe"

    @property
    def is_ours(self) -> bool:
        """Not one that the library wrote by itself."""
        return self.status < 200 or "x-request-id" in self.fields

    def faults(self) -> list[str]:
        """What no reply may be."""
        found = []
        if self.status >= 200 and not DATE.fullmatch(self.fields.get("date", "")):
            found.append("no Date (9110 6.6.1)")
        if self.status == 204 and "content-length" in self.fields:
            found.append("a Content-Length of 204 (9110 8.6)")
        if self.status >= 200 and self.status != 204 and "content-length" not in self.fields:
            found.append("no Content-Length (9112 6.3)")
        if self.is_ours and self.body and "content-type" not in self.fields:
            found.append("no Content-Type (9110 8.3)")
        return found


class Client:
    """A connection that reads replies by the letter."""

    tls: ssl.SSLContext | None = None

    def __init__(self, port: int) -> None:
        plain = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = Pipe(plain, self.tls) if self.tls else plain
        self.pending = b""

    def close(self) -> None:
        """Ends it."""
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Sends; a server that has gone away is seen when reading."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.socket.sendall(data)

    def _more(self) -> bool:
        try:
            data = self.socket.recv(1 << 16)
        except ConnectionResetError:
            return False
        except TimeoutError:
            raise Hangs from None
        self.pending += data
        return bool(data)

    def read(self, bodiless: bool) -> Reply | None:
        """The next reply; None at the end of the connection."""
        while b"\r\n\r\n" not in self.pending:
            if not self._more():
                if self.pending:
                    raise Broken(f"an end within a head: {self.pending[:80]!r}")
                return None
        head, _, self.pending = self.pending.partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        status = STATUS.fullmatch(first)
        if not status:
            raise Broken(f"no status line: {first[:80]!r}")
        reply = Reply(int(status[1]), {})
        for line in lines:
            found = FIELD.fullmatch(line)
            if not found:
                raise Broken(f"no field: {line[:80]!r}")
            name = found[1].decode().lower()
            if name in reply.fields:
                raise Broken(f"two fields {name}")
            reply.fields[name] = found[2].decode()
        size = 0 if bodiless or reply.status < 200 else int(reply.fields.get("content-length", 0))
        while len(self.pending) < size:
            if not self._more():
                raise Broken("an end within a body")
        reply.body, self.pending = self.pending[:size], self.pending[size:]
        return reply


@dataclass
class Seen:
    """What came of a case."""

    replies: list[Reply] = field(default_factory=list)
    kept: bool = False
    faults: list[str] = field(default_factory=list)

    @property
    def outcome(self) -> str:
        """In the words of cases.py."""
        return " ".join(str(r.status) for r in self.replies) + ("" if self.kept else "!")


def read_all(c: Client, seen: Seen, head: bool) -> None:
    """Reads replies up to that of the probe, or the end."""
    while True:
        reply = c.read(head and not [r for r in seen.replies if r.status >= 200])
        if reply is None or reply.is_probe:
            seen.kept = reply is not None
            return
        seen.replies.append(reply)
        seen.faults += reply.faults()


def play(port: int, case: Case) -> Seen:
    """Sends a case on a connection of its own."""
    seen = Seen()
    steps = case.send if isinstance(case.send, tuple) else (case.send,)
    c = Client(port)
    try:
        for step in steps:
            if isinstance(step, bytes):
                c.send(step)
            elif step is WAIT:
                reply = c.read(case.head)
                if reply is None:
                    return seen
                seen.replies.append(reply)
            elif step is PAUSE:
                time.sleep(0.03)
            elif step is END:
                with contextlib.suppress(OSError):
                    c.socket.shutdown(socket.SHUT_WR)
        if END not in steps:
            c.send(PROBE)
        read_all(c, seen, case.head)
        told = END in steps or not seen.replies or seen.replies[-1].closes
        if not seen.kept and not told:
            seen.faults.append("an end that was not announced (9112 9.6)")
    except Hangs:
        seen.faults.append("hangs")
    except Broken as e:
        seen.faults.append(str(e))
    finally:
        c.close()
    return seen


def cut(port: int, case: Case) -> Seen:
    """Sends requests in two pieces, cut at every byte, and byte by byte; the first other outcome counts."""
    wanted = case.want.split("|")
    for request in case.pieces:
        sends = [(request[:i], PAUSE_SHORT, request[i:]) for i in range(1, len(request))]
        sends.append(tuple(request[i : i + 1] for i in range(len(request))))
        for send in sends:
            seen = cut_once(port, send)
            if seen.outcome not in wanted or seen.faults:
                return seen
    return seen


PAUSE_SHORT = 0.001


def cut_once(port: int, send: tuple[bytes | float, ...]) -> Seen:
    """One of the ways."""
    seen = Seen()
    c = Client(port)
    try:
        for step in send:
            if isinstance(step, float):
                time.sleep(step)
            else:
                c.send(step)
        c.send(PROBE)
        read_all(c, seen, False)
    except Hangs:
        seen.faults.append(f"hangs, sent as {send!r}"[:200])
    except Broken as e:
        seen.faults.append(f"{e}, sent as {send!r}"[:200])
    finally:
        c.close()
    return seen


def check_allow(reply: Reply, case: Case, port: int) -> str | None:
    """RFC 9110, 15.5.6."""
    return None if re.fullmatch(r"[A-Z]+(, [A-Z]+)*", reply.fields.get("allow", "")) else "no Allow"


def check_accept_post(reply: Reply, case: Case, port: int) -> str | None:
    """What is taken instead."""
    return None if "application/json" in reply.fields.get("accept-post", "") else "no Accept-Post"


def check_like_get(reply: Reply, case: Case, port: int) -> str | None:
    """RFC 9110, 9.3.2: the same fields."""
    assert isinstance(case.send, bytes)
    other = play(port, Case(case.group, case.name, b"GET" + case.send[4:], "", MUST, "")).replies[0]
    own = {"date", "x-request-id"}
    if {k: v for k, v in reply.fields.items() if k not in own} != {k: v for k, v in other.fields.items() if k not in own}:
        return f"HEAD says {reply.fields}, GET {other.fields}"
    return None


def check_own_id(reply: Reply, case: Case, port: int) -> str | None:
    """An id of the server's own."""
    return None if re.fullmatch(r"[0-9a-f]{24}", reply.fields.get("x-request-id", "")) else "no id"


def check_problem(reply: Reply, case: Case, port: int) -> str | None:
    """RFC 9457."""
    if reply.fields.get("content-type") != "application/problem+json":
        return f"not a problem but {reply.fields.get('content-type')}"
    problem = json.loads(reply.body)
    known = problem["type"].startswith("urn:scored:") and problem["status"] == reply.status and problem["title"]
    return None if known else f"a problem of another kind: {problem}"


# Within bodies the library reads by itself, and says by itself what is wrong with them.
LIBRARY_ANSWERS = "chunks"

CHECKS = {
    "allow": check_allow,
    "accept-post": check_accept_post,
    "like GET": check_like_get,
    "own id": check_own_id,
    "problem": check_problem,
}


def excepted(case: Case) -> str | None:
    """The outcome that an exception gives the case instead."""
    return next((outcome for names, outcome in EXCEPTIONS.values() if case.id in names), None)


def judge(port: int, case: Case) -> str | None:
    """What is wrong, or None."""
    seen = cut(port, case) if case.pieces else play(port, case)
    faults = list(seen.faults)
    if case.group != LIBRARY_ANSWERS and not all(reply.is_ours for reply in seen.replies):
        faults.append("an answer of the library's own")
    want = "|".join(w for w in (excepted(case), case.want) if w)
    if seen.outcome not in want.split("|"):
        faults.insert(0, f"{seen.outcome} and not {want}")
    elif case.check:
        fault = CHECKS[case.check](seen.replies[0], case, port)
        faults += [fault] if fault else []
    return "; ".join(faults) or None


def library(port: int) -> str:
    """Which libmicrohttpd answers."""
    c = Client(port)
    c.send(b"GET /version HTTP/1.1\r\nHost: a\r\n\r\n")
    reply = c.read(False)
    c.close()
    assert reply
    return json.loads(reply.body)["libmicrohttpd"]


def report(found: list[tuple[Case, str | None]]) -> None:
    """A table by group and level."""
    print(f"{'':20}{'cases':>7}" + "".join(f"{level:>9} {'failed':>7}" for level in (MUST, SHOULD, MAY)))
    groups = list(dict.fromkeys(case.group for case, _ in found))
    for group in [*groups, "all"]:
        rows = [(c, f) for c, f in found if group in (c.group, "all")]
        line = f"{group:20}{len(rows):7}"
        for level in (MUST, SHOULD, MAY):
            of = [f for c, f in rows if c.level == level]
            line += f"{len(of):9} {sum(f is not None for f in of):7}"
        print(line)
    for rule, (names, _) in EXCEPTIONS.items():
        print(f"an exception: {rule} ({len(names)} cases)")


def stop(daemon: Daemon) -> int | str:
    """Its exit code, or what is wrong with its end."""
    try:
        return daemon.stop()
    except (AssertionError, subprocess.TimeoutExpired) as e:
        return str(e)


def tls(folder: Path) -> list[str]:
    """Flags of a daemon over TLS, which all clients are of from now on."""
    authority = Authority(folder)
    pair = authority.issue("server")
    Client.tls = context(authority.file)
    return ["--tls-cert", str(pair.cert), "--tls-key", str(pair.key)]


def main() -> int:
    """Plays all cases against a daemon of its own, or one that runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bin", help="the daemon")
    parser.add_argument("--match", default="", help="only cases whose name has this")
    parser.add_argument("--tls", action="store_true", help="over TLS")
    args = parser.parse_args()
    os.environ["SCORED_LAME_DUCK"] = "0"
    with tempfile.TemporaryDirectory(prefix="scored-tls-") as folder:
        daemon = Daemon(*tls(Path(folder)) if args.tls else [])
    chosen = [case for case in cases() if args.match in case.id]
    assert len({case.id for case in chosen}) == len(chosen), "two cases of one name"
    try:
        print(f"libmicrohttpd {library(daemon.port)}")
        with ThreadPoolExecutor(8) as pool:
            found = list(zip(chosen, pool.map(lambda case: judge(daemon.port, case), chosen)))
    finally:
        code = stop(daemon)
    report(found)
    failed = [(case, fault) for case, fault in found if fault]
    for case, fault in failed:
        print(f"{case.level:6} {case.section:13} {case.id}: {fault}")
    if code:
        print(f"the daemon ended with {code}")
    bad = len(failed) + bool(code)
    print(f"{len(found) - len(failed)} passed, {bad} failed, 0 skipped")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
