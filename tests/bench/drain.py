#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Ends that nobody notices: ``drain.py [--terms N] [--starts N] [--only haproxy,nginx,starts,idle]``; $SCORED_BIN.

haproxy: two instances behind HAProxy, active checks of /readyz, no retries; under load each is ended by
SIGTERM and started again, N times in all, and no client sees an error. nginx: the same behind nginx, which
has no active checks and tries the other instance where one takes no connection; what clients saw is
counted. starts: N starts and ends under load, each of which must end well and in time. idle: requests on
kept connections just when the daemon's idle limit and a load balancer's 60 seconds run out.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import json
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rig import BIN, BUNDLE, Daemon, Generator, Stream, Verdicts, example, wire
from whose_port import until_it_listens

ROW = json.dumps(example(BUNDLE))
LAME_DUCK, CHECK_MS, ENDS = 1.5, 150, 20.0
KEPT_RATE, FRESH_RATE = 400, 100


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


class Instance:
    """A daemon that comes back to its port."""

    def __init__(self) -> None:
        self.port = free_port()
        self.start()

    def start(self) -> None:
        """Start it."""
        self.daemon = Daemon(f"--listen=127.0.0.1:{self.port}", f"--lame-duck={LAME_DUCK}", "--workers=1")

    def end(self) -> float:
        """End it; return the seconds it took."""
        began = time.monotonic()
        code = self.daemon.stop()
        assert code == 0, code
        return time.monotonic() - began


HAPROXY = """
global
    maxconn 4000
    stats socket {folder}/stats
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout check 2s
    retries 0
    http-reuse always
    option httpchk GET /readyz
    default-server inter {check}ms fastinter {check}ms downinter {check}ms fall 2 rise 2 check
frontend all
    bind 127.0.0.1:{port}
    default_backend both
backend both
    balance roundrobin
    server a 127.0.0.1:{a}
    server b 127.0.0.1:{b}
"""

NGINX = """
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 4000; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    upstream both {{
        server 127.0.0.1:{a} max_fails=1 fail_timeout=1s;
        server 127.0.0.1:{b} max_fails=1 fail_timeout=1s;
        keepalive 32;
    }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://both;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_next_upstream error;
        }}
    }}
}}
"""


def print_errors(log: Path) -> None:
    """Print what nginx complained of, each kind once."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    kinds = Counter(re.sub(r"^.*?: \*\d+ |, client: .*", "", line) for line in lines)
    for kind, n in kinds.most_common(8):
        print(f"      {n} x {kind}")


@contextlib.contextmanager
def front(kind: str, folder: Path, a: int, b: int) -> Iterator[int]:
    """Run HAProxy or nginx before two ports; gives its own."""
    port = free_port()
    file = folder / f"{kind}.conf"
    text = HAPROXY if kind == "haproxy" else NGINX
    file.write_text(text.format(port=port, a=a, b=b, check=CHECK_MS, folder=folder))
    flags = ["-f", str(file), "-q"] if kind == "haproxy" else ["-c", str(file), "-p", str(folder)]
    process = subprocess.Popen([kind, *flags], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until_it_listens(process, port)
        end = time.monotonic() + 20
        while time.monotonic() < end:
            with contextlib.suppress(OSError, AssertionError):
                if wire.ask(port, "GET", "/livez").status == 200:
                    break
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(20)
        print_errors(folder / "error.log")


def believed_up(folder: Path, name: str) -> bool:
    """Tell whether HAProxy sends requests to a server."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(str(folder / "stats"))
        s.sendall(b"show stat\n")
        said = b"".join(iter(lambda: s.recv(65536), b"")).decode()
    rows = csv.DictReader(said.lstrip("# ").splitlines())
    return any(r["svname"] == name and r["status"] == "UP" for r in rows)


def wait_until_it_serves(kind: str, folder: Path, name: str) -> None:
    """Return when the front end sends requests to a server that has come back."""
    end = time.monotonic() + ENDS
    while kind == "haproxy" and not believed_up(folder, name) and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(0.3 if kind == "haproxy" else 1.2)  # nginx looks again after a second


def rolling(v: Verdicts, kind: str, folder: Path, terms: int) -> None:
    """End and start two instances in turn."""
    instances = [Instance(), Instance()]
    counts: Counter[str] = Counter()
    seconds: list[float] = []
    with front(kind, folder, *(i.port for i in instances)) as port:
        request = wire.request("POST", "/predict", ROW)
        while len(seconds) < terms:
            some = min(terms - len(seconds), 10)
            lasts = some * (LAME_DUCK + 1.0)
            streams = [
                Stream("kept", port, request, f"{KEPT_RATE}:{lasts}", "kept", 32),
                Stream("fresh", port, request, f"{FRESH_RATE}:{lasts}", "fresh", 4000),
            ]
            generator = Generator(folder, streams, grace=15)
            time.sleep(0.5)
            for _ in range(some):
                turn = len(seconds) % 2
                seconds.append(instances[turn].end())
                instances[turn].start()
                wait_until_it_serves(kind, folder, "ab"[turn])
            for figures in generator.figures().values():
                (phase,) = figures["phases"]
                counts.update({"due": phase["due"], "answered": phase["accepted"], "closed": figures["closed"]})
                kinds = ("waiting", "busy", "late", "other", "reset", "refused")
                counts.update({k: phase[k] for k in kinds if phase[k]})
                counts.update({s: n for s, n in figures["statuses"].items() if s != "200"})
    for i in instances:
        i.end()
    errors = counts["due"] - counts["answered"]
    text = f"{kind}: {terms} SIGTERMs, {errors} errors of {counts['due']:,} requests; {dict(counts)}; ends took "
    text += f"{min(seconds):.2f} .. {max(seconds):.2f} s"
    v.add(errors == 0 if kind == "haproxy" else errors <= 0.001 * counts["due"], text)


class Pressure(threading.Thread):
    """A client of whatever serves just now."""

    port = 0

    def __init__(self, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.ends = stop
        self.answered = 0

    def run(self) -> None:
        """Ask, a few at a time."""
        data = wire.request("POST", "/predict", ROW)
        while not self.ends.is_set():
            try:
                with wire.Connection(Pressure.port) as c:
                    c.socket.settimeout(2)
                    while not self.ends.is_set():
                        c.send(3 * data)
                        for _ in range(3):
                            reply = c.read()
                            if reply is None:
                                raise ConnectionResetError
                            self.answered += 1
            except (OSError, AssertionError):
                time.sleep(0.002)


def starts(v: Verdicts, count: int) -> None:
    """Start and end it again and again."""
    stop = threading.Event()
    clients = [Pressure(stop) for _ in range(6)]
    rng = random.Random(4)
    codes: Counter[int] = Counter()
    hung, longest = 0, 0.0
    port = free_port()
    Pressure.port = port
    for c in clients:
        c.start()
    for i in range(count):
        daemon = Daemon(f"--listen=127.0.0.1:{port}", "--lame-duck=0", f"--workers={1 + i % 3}")
        time.sleep(rng.uniform(0, 0.05))
        began = time.monotonic()
        daemon.terminate()
        if rng.random() < 0.2:
            time.sleep(rng.uniform(0, 0.01))
            daemon.terminate()
        try:
            codes[daemon.process.wait(ENDS)] += 1
        except subprocess.TimeoutExpired:
            hung += 1
            daemon.process.send_signal(signal.SIGKILL)
            daemon.process.wait()
        longest = max(longest, time.monotonic() - began)
        if codes.total() - codes[0] == 1 and codes.total() == i + 1:
            print(daemon.log()[-2000:])
        daemon.log_file.close()
    stop.set()
    for c in clients:
        c.join(10)
    answered = sum(c.answered for c in clients)
    text = f"{count} starts and ends under load ({answered:,} answers): codes {dict(codes)}, {hung} hung, "
    v.add(set(codes) == {0} and not hung and answered > count, text + f"the longest end {longest:.2f} s")


def at_the_edge(v: Verdicts, flags: tuple[str, ...], seconds: float, spread: float, allowed: int) -> None:
    """Ask once on each of many kept connections, `seconds` after their first answers, more or less."""
    count, data = 1500, wire.request("POST", "/predict", ROW)
    outcomes: Counter[str] = Counter()
    daemon = Daemon(*flags)
    rng = random.Random(5)
    due: list[tuple[float, wire.Connection]] = []
    for i in range(count):
        c = wire.Connection(daemon.port)
        c.send(data)
        assert c.read().status == 200
        due.append((time.monotonic() + seconds + rng.uniform(-spread, spread), c))
        time.sleep(0.001 if i % 10 == 0 else 0)
    for at, c in sorted(due, key=lambda d: d[0]):
        time.sleep(max(0.0, at - time.monotonic()))
        c.socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            closed = c.socket.recv(1) == b""
            outcomes["seen closed"] += closed
            continue
        c.socket.settimeout(10)
        c.send(data)
        reply = c.read()
        outcomes["answered" if reply and reply.status == 200 else "lost"] += 1
        c.socket.close()
    assert daemon.stop() == 0
    text = f"idle {seconds:g} s +- {1e3 * spread:g} ms {' '.join(flags)}: {dict(outcomes)} of {count}"
    v.add(outcomes["lost"] <= allowed and outcomes["answered"] > 0, text)


def idle(v: Verdicts) -> None:
    """Ask at the edges."""
    at_the_edge(v, ("--idle-timeout=2",), 2.0, 0.05, allowed=3)
    at_the_edge(v, (), 60.0, 1.0, allowed=0)


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--terms", type=int, default=100)
    parser.add_argument("--starts", type=int, default=2000)
    parser.add_argument("--only", default="haproxy,nginx,starts,idle")
    args = parser.parse_args()
    v = Verdicts()
    print(BIN)
    parts: dict[str, Callable[[Path], None]] = {
        "haproxy": lambda folder: rolling(v, "haproxy", folder, args.terms),
        "nginx": lambda folder: rolling(v, "nginx", folder, args.terms),
        "starts": lambda folder: starts(v, args.starts),
        "idle": lambda folder: idle(v),
    }
    for part in args.only.split(","):
        if part in ("haproxy", "nginx") and not shutil.which(part):
            v.add(False, f"{part} is not installed")
            continue
        with tempfile.TemporaryDirectory(prefix="drain-") as name:
            parts[part](Path(name))
    return v.close()


if __name__ == "__main__":
    sys.exit(main())
