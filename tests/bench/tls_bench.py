#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What TLS costs the daemon: ``tls_bench.py [--requests N] [--pairs N] [--handshakes N] [--idle N]``; $SCORED_BIN.

CPU time of the daemon's threads, which has the first processor for itself: a request of one row on 32 kept
connections, plain and over TLS in turn (the median of the pairs and their range), a handshake by the kind of
key and resumed, and the memory that an idle connection holds which has asked once. One worker, one relay.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import socket
import ssl
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rig import BUNDLE, example, look, processors, serving, wire

from certificates import Authority, Pair  # isort: skip
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from daemon import Daemon

KEPT, WARM_UP = 32, 2000
Dial = Callable[[], socket.socket]


def cpu_us(pid: int) -> float:
    """Return the time that its threads had a processor, in microseconds."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((t / "schedstat").read_text().split()[0]) for t in tasks) / 1e3


def dial(daemon: Daemon, c: ssl.SSLContext | None, session: ssl.SSLSession | None = None) -> socket.socket:
    """Connect, over TLS where there is a context."""
    s = socket.create_connection(("127.0.0.1", daemon.port), 20)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return c.wrap_socket(s, server_hostname="localhost", session=session) if c else s


def a_request(daemon: Daemon, c: ssl.SSLContext | None, requests: int) -> float:
    """Return microseconds a request; all connections have one under way."""
    request = wire.request("POST", "/predict", json.dumps(example(BUNDLE)))
    held = [dial(daemon, c) for _ in range(KEPT)]
    begun = 0.0
    for n in range(0, WARM_UP + requests, KEPT):
        if n >= WARM_UP and not begun:
            begun, first = cpu_us(daemon.process.pid), n
        for s in held:
            s.sendall(request)
        for s in held:
            assert s.recv(65536).startswith(b"HTTP/1.1 200 ")
    spent = cpu_us(daemon.process.pid) - begun
    for s in held:
        s.close()
    return spent / (n + KEPT - first)


def a_handshake(daemon: Daemon, c: ssl.SSLContext, handshakes: int, resumed: bool) -> float:
    """Return microseconds a connection with one handshake and no request, its end included."""
    with dial(daemon, c) as s:
        s.sendall(wire.request("GET", "/livez"))
        assert s.recv(65536)
        session = s.session if resumed else None
    time.sleep(0.2)
    begun = cpu_us(daemon.process.pid)
    for _ in range(handshakes):
        with dial(daemon, c, session) as s:
            assert s.session_reused == resumed
            s.unwrap()
    time.sleep(0.2)
    return (cpu_us(daemon.process.pid) - begun) / handshakes


def an_idle_one(daemon: Daemon, c: ssl.SSLContext | None, n: int) -> float:
    """Return KiB that the process holds for a connection that has asked once."""
    held, before = [], 0
    for i in range(n + 50):
        if i == 50:
            before = look(daemon.process.pid).rss
        held.append(dial(daemon, c))
        held[-1].sendall(wire.request("GET", "/livez"))
        assert held[-1].recv(65536)
    each = (look(daemon.process.pid).rss - before) / n / 1024
    for s in held:
        s.close()
    return each


def show(what: str, found: list[float], unit: str) -> None:
    """Print a line."""
    print(f"{what:34} {statistics.median(found):8.1f} {unit}   ({min(found):.1f} .. {max(found):.1f})", flush=True)


def requests(pair: Pair, c: ssl.SSLContext, options: argparse.Namespace) -> None:
    """Compare requests."""
    tls = ["--tls-cert", str(pair.cert), "--tls-key", str(pair.key)]
    plain, secure = [], []
    with serving("--workers=1") as a, serving("--workers=1", *tls) as b:
        for _ in range(options.pairs):
            plain.append(a_request(a, None, options.requests))
            secure.append(a_request(b, c, options.requests))
    show("a request, plain", plain, "us")
    show("a request, TLS 1.3", secure, "us")
    show("times as much", [s / p for s, p in zip(secure, plain)], "x ")


def handshakes(name: str, pair: Pair, c: ssl.SSLContext, options: argparse.Namespace) -> None:
    """Measure handshakes of a kind of key."""
    with serving("--workers=1", "--tls-cert", str(pair.cert), "--tls-key", str(pair.key)) as d:
        for resumed in (False, True):
            found = [a_handshake(d, c, options.handshakes, resumed) for _ in range(options.pairs)]
            what = f"a handshake, {name}{', resumed' if resumed else ''}"
            show(what, found, "us")
            show("  a second and processor", [1e6 / f for f in found], "  ")


def idle(pair: Pair, c: ssl.SSLContext, options: argparse.Namespace) -> None:
    """Measure memory."""
    tls = ["--tls-cert", str(pair.cert), "--tls-key", str(pair.key)]
    for what, flags, how in (("plain", [], None), ("TLS 1.3", tls, c)):
        with serving("--workers=1", "--idle-timeout=300", "--connections=100000", *flags) as d:
            show(f"an idle connection, {what}", [an_idle_one(d, how, options.idle)], "KiB")


def main() -> int:
    """Measure all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--handshakes", type=int, default=1000)
    parser.add_argument("--idle", type=int, default=4000)
    options = parser.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    os.sched_setaffinity(0, {processors()[1]})
    with tempfile.TemporaryDirectory(prefix="scored-tls-") as folder:
        authority = Authority(Path(folder))
        c = ssl.create_default_context(cafile=str(authority.file))
        pairs = {"ECDSA P-256": ec.generate_private_key(ec.SECP256R1()), "RSA 2048": rsa.generate_private_key(65537, 2048)}
        made = {name: authority.issue(name.replace(" ", "-"), key=key) for name, key in pairs.items()}
        requests(made["ECDSA P-256"], c, options)
        for name, pair in made.items():
            handshakes(name, pair, c, options)
        idle(made["ECDSA P-256"], c, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
