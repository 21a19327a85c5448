#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs ``scored`` in a process whose n-th allocation fails: once, or with all later ones.

``run.py SCORED SHIM [--full]``. ``check`` and ``serve`` must end with exit status 1 and a line that says why, or do
what they were asked to; a daemon that serves must answer every request or close its connection, be what it was
afterwards, and go on serving the old version where a reload fails. Nothing may end by a signal, hang or leak.
Without ``--full`` the allocations are sampled evenly.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import http.client
import json
import mmap
import os
import re
import shutil
import signal
import ssl
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import zstandard

TESTS = Path(__file__).resolve().parents[1]
VERSIONS = TESTS / "bundles" / "versions"
SERVING = re.compile(r"listen=\S*:(\d+) admin=\S*?:(\d+) ")
SECONDS = 60.0
ZSTD = b"\x28\xb5\x2f\xfd"  # how a frame begins
OF_SERVER = 100  # allocations at the least, after its bundle has been read
ROW = {"km": 2, "year": 3}
ANSWERS = {
    "v1": {"prediction": 4.25, "features": [2.0, 3.0]},
    "v2": {"prediction": 7.25, "features": [2.0, 3.0]},
}
JSON = "application/json"


class Control:
    """The page that the shim shares: at, sticky, asked, failed, held."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(bytes(40))
        self.path = path
        with path.open("r+b") as file:
            self.page = mmap.mmap(file.fileno(), 40)

    def arm(self, at: int, sticky: bool) -> None:
        """Let the at-th allocation from now on fail."""
        self.disarm()
        self.page[8:32] = struct.pack("<3Q", sticky, 0, 0)
        self.page[0:8] = struct.pack("<Q", at)

    def disarm(self) -> int:
        """Let none fail any longer; return how many did."""
        self.page[0:8] = bytes(8)
        return self.failed

    @property
    def asked(self) -> int:
        """How many allocations there were."""
        return struct.unpack("<Q", self.page[16:24])[0]

    @property
    def failed(self) -> int:
        """How many of them failed."""
        return struct.unpack("<Q", self.page[24:32])[0]

    @property
    def held(self) -> int:
        """How many pieces of memory are in use."""
        return struct.unpack("<q", self.page[32:40])[0]


class Failure(Exception):
    """What must not be."""


class Bench:
    """The programs, a folder to work in, and how much to try."""

    def __init__(self, scored: str, shim: str, work: Path, full: bool) -> None:
        self.scored, self.work, self.full = scored, work, full
        self.control = Control(work / "control")
        self.environment = os.environ | {"LD_PRELOAD": shim, "OOM_CONTROL": str(self.control.path)}
        self.bundle = work / "bundle"
        shutil.copytree(VERSIONS, self.bundle)
        self.publish("v1")
        self.tries = 0
        self.flags: list[str] = []  # of every daemon
        self.tls: ssl.SSLContext | None = None  # what the public listener speaks
        self.last: subprocess.Popen[bytes] | None = None  # daemon

    def end(self) -> None:
        """End the last daemon, where a failure has left it."""
        if self.last and self.last.poll() is None:
            self.last.kill()
            self.last.wait()

    def publish(self, version: str) -> None:
        """Let a version take the place of what is published."""
        shutil.copy(VERSIONS / f"{version}.json", self.bundle / "next")
        (self.bundle / "next").rename(self.bundle / "bundle.json")

    def points(self, allocations: int, samples: int, last: int = 0) -> Iterator[int]:
        """Yield which allocations to fail; each of the last ones."""
        step = 1 if self.full else max(1, allocations // samples)
        each = max(1, allocations + 1 - last)
        yield from range(1, each, step)
        yield from range(each, allocations + 1)


# -- commands


def check_end(status: int, stderr: str) -> None:
    """Hold the end of a process to what it may be."""
    told = re.compile(r"time=\S+ level=(info|warn|error msg=.* request=)")
    lines = [line for line in stderr.splitlines() if not told.match(line)]
    if status not in (0, 1):
        raise Failure(f"exit status {status}: {stderr[-400:]}")
    if (status == 1 and len(lines) != 1) or (status == 0 and lines):
        raise Failure(f"exit status {status}, {len(lines)} lines: {stderr[-400:]}")


def run_check(bench: Bench, at: int, sticky: bool) -> int:
    """Run ``scored check``; return its exit status."""
    bench.control.arm(at, sticky)
    done = subprocess.run(
        [bench.scored, "check", str(bench.bundle)],
        env=bench.environment,
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    check_end(done.returncode, done.stderr.decode("utf-8", "replace"))
    return done.returncode


def commands(bench: Bench) -> str:
    """Fail allocations of ``scored check``."""
    if run_check(bench, 0, False) != 0:
        raise Failure("check fails untouched")
    allocations = bench.control.asked
    ended = {0: 0, 1: 0}
    for sticky in (False, True):
        for at in bench.points(allocations, 100):
            try:
                ended[run_check(bench, at, sticky)] += 1
            except Failure as failure:
                raise Failure(
                    f"allocation {at}, {'and all later' if sticky else 'once'}: {failure}"
                ) from failure
            bench.tries += 1
    return f"check: {allocations} allocations, exit status 0: {ended[0]}, 1: {ended[1]}"


# -- the daemon


class Daemon:
    """A daemon on the folder that is published to."""

    def __init__(self, bench: Bench, bundle: Path | None = None) -> None:
        self.log_path = bench.work / "log"
        args = ["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--workers", "1"]
        args += bench.flags
        self.tls = bench.tls
        with self.log_path.open("w") as log:
            self.process = subprocess.Popen(
                [bench.scored, *args, "--poll", "3600", "--model", str(bundle or bench.bundle)],
                env=bench.environment,
                stderr=log,
                stdout=log,
            )
        bench.last = self.process
        self.port = self.admin = 0

    def wait(self) -> bool:
        """Return whether it came to serve; else it has ended."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            found = SERVING.search(self.log())
            if found:
                self.port, self.admin = int(found[1]), int(found[2])
                return True
            if self.process.poll() is not None:
                return False
            time.sleep(0.005)
        raise Failure("it neither serves nor ends")

    def log(self) -> str:
        """What it has said."""
        return self.log_path.read_text(errors="replace")

    def stop(self) -> None:
        """Stop it; it must end as it should."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(timeout=SECONDS)
        except subprocess.TimeoutExpired as late:
            self.process.kill()
            raise Failure("it does not stop") from late
        check_end(status, self.log())

    def ask(
        self, method: str, target: str, body: str | bytes | None = None, kind: str = JSON
    ) -> tuple[int, bytes]:
        """Send a request on a connection of its own; status 0: it was closed."""
        port = self.admin if target.endswith("/reload") else self.port
        if self.tls and port == self.port:
            connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=SECONDS, context=self.tls)
        else:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
        try:
            headers = {"Content-Type": kind} if body else {}
            if isinstance(body, bytes):
                coding = "zstd" if body.startswith(ZSTD) else "gzip"
                headers |= {"Content-Encoding": coding, "Accept-Encoding": "gzip"}
            connection.request(method, target, body, headers)
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, gzip.decompress(text) if answer.headers["Content-Encoding"] else text
        except (ConnectionError, http.client.HTTPException, ssl.SSLError):
            return 0, b""
        except TimeoutError as late:
            raise Failure(f"{method} {target}: no answer") from late
        finally:
            connection.close()

    def attempts(self) -> int:
        """Return how many looks at the source have ended; 0 where it cannot be had."""
        status, body = self.ask("GET", "/models/cars")
        return json.loads(body)["reload"]["attempts"] if status == 200 else 0

    def reload(self) -> int:
        """Ask for a reload; return the attempt's number, or 0 where it was not taken."""
        status, body = self.ask("POST", "/models/cars/reload", "{}")
        if status not in (0, 202, 503):
            raise Failure(f"reload: {status}: {body!r}")
        return json.loads(body)["attempt"] if status == 202 else 0

    def wait_for(self, attempt: int, seconds: float) -> bool:
        """Return whether an attempt has been made, as far as one can be told."""
        end = time.monotonic() + seconds
        while self.attempts() < attempt:
            if time.monotonic() > end:
                return False
            time.sleep(0.005)
        return True

    def version(self) -> str:
        """Return the version that answers."""
        status, body = self.ask("POST", "/predict", json.dumps(ROW))
        for version, answer in ANSWERS.items():
            if status == 200 and json.loads(body) == answer:
                return version
        raise Failure(f"an untouched request is answered {status}: {body!r}")


def start(bench: Bench, at: int, sticky: bool) -> int:
    """Start a daemon and stop it; return 1 where it came to serve."""
    bench.control.arm(at, sticky)
    daemon = Daemon(bench)
    served = daemon.wait()
    bench.control.disarm()
    if served and daemon.process.poll() is None:
        # the loader and its thread are made after the line that it serves
        with contextlib.suppress(Failure):
            daemon.version()
        daemon.reload()  # every listener answers
    daemon.stop()
    return int(served)


def starts(bench: Bench, samples: int = 40, last: int = OF_SERVER) -> str:
    """Fail allocations of ``scored serve`` until it serves."""
    bench.control.arm(0, False)
    daemon = Daemon(bench)
    if not daemon.wait() or daemon.version() != "v1":
        raise Failure("it does not serve untouched")
    allocations = bench.control.asked
    daemon.stop()
    served = 0
    tries = 0
    for sticky in (False, True):
        for at in bench.points(allocations, samples, last):
            try:
                served += start(bench, at, sticky)
            except Failure as failure:
                raise Failure(f"allocation {at} ({'sticky' if sticky else 'once'}): {failure}") from failure
            tries += 1
    bench.tries += tries
    return f"serve: {allocations} allocations, came to serve: {served}, ended with a reason: {tries - served}"


def settled(bench: Bench, held: int) -> int:
    """Return by how much what is held differs, when it has come to rest."""
    end = time.monotonic() + 2
    while bench.control.held != held and time.monotonic() < end:
        time.sleep(0.002)
    return bench.control.held - held


def one_request(bench: Bench, daemon: Daemon, request: Callable[[], tuple[int, bytes]], same: bool) -> None:
    """Fail the allocations that a request makes, one after the other; `same`: its answer never changes."""
    good = request()
    if good[0] != 200:
        raise Failure(f"{good[0]} untouched: {good[1]!r}")
    for _ in range(3):
        request()
    time.sleep(0.05)
    held = bench.control.held
    for sticky in (False, True):
        at, failed = 0, 1
        while failed:
            at += 1
            bench.control.arm(at, sticky)
            status, body = request()
            failed = bench.control.disarm()
            bench.tries += 1
            if status not in (0, 200, 503) or (status == 200 and (not body or (same and body != good[1]))):
                raise Failure(f"allocation {at}: {status}: {body!r}")
            if daemon.process.poll() is not None:
                raise Failure(f"allocation {at}: it ended: {daemon.log()[-400:]}")
            left = settled(bench, held)
            if left:
                raise Failure(
                    f"allocation {at} ({'sticky' if sticky else 'once'}): {left} pieces more are held"
                )
        if same and request() != good:
            raise Failure("it no longer answers as it did")


def requests(bench: Bench) -> str:
    """Fail allocations of requests."""
    lines = (json.dumps(ROW) + "\n") * 200
    posts = [
        ("/predict", json.dumps(ROW), JSON),
        ("/predict?columns=all&echo=km", json.dumps([ROW] * 200), JSON),
        ("/predict", lines, "application/x-ndjson"),
        ("/predict", gzip.compress(lines.encode()), "application/x-ndjson"),
        ("/predict", gzip.compress(json.dumps([ROW] * 200).encode()), JSON),
        ("/predict", zstandard.compress(lines.encode()), "application/x-ndjson"),
    ]
    gets = [
        "/models",
        "/models/NAME",
        "/models/NAME/schema",
        "/openapi.json",
        "/metrics",
        "/readyz",
        "/version",
    ]
    for name, bundle in [("cars", bench.bundle), ("string", TESTS / "bundles" / "good" / "string")]:
        bench.control.arm(0, False)
        daemon = Daemon(bench, bundle)
        daemon.wait()
        asked = [("GET", target.replace("NAME", name), None, JSON) for target in gets]
        if name == "cars":
            asked += [("POST", *post) for post in posts]
        for method, target, body, kind in asked:
            try:
                one_request(
                    bench,
                    daemon,
                    lambda m=method, t=target, b=body, k=kind: daemon.ask(m, t, b, k),
                    target != "/metrics",
                )
            except Failure as failure:
                raise Failure(f"{method} {target}: {failure}") from failure
        daemon.stop()
    return "requests: answered or closed"


def one_reload(bench: Bench, daemon: Daemon, at: int, sticky: bool, now: str, following: str) -> None:
    """Publish a version and fail an allocation while it is loaded; it serves in the end."""
    bench.publish(following)
    bench.control.arm(at, sticky)
    daemon.wait_for(daemon.reload(), 0.2)
    bench.control.disarm()
    bench.tries += 1
    if daemon.process.poll() is not None:
        raise Failure(f"it ended: {daemon.log()[-400:]}")
    if daemon.version() not in (now, following):
        raise Failure("neither the old version nor the new one answers")
    if not daemon.wait_for(daemon.reload(), SECONDS):
        raise Failure("the loader does not come to its turn")
    if daemon.version() != following:
        raise Failure(f"the next reload leaves {daemon.version()}")


def reloads(bench: Bench) -> str:
    """Fail allocations of the whole daemon while it reloads.

    What is held longer must not be held twice: a library may keep something for each thread at its first
    failure, as OpenSSL does with its list of errors, but whoever loses memory loses it each time.
    """
    bench.control.arm(0, False)
    daemon = Daemon(bench)
    daemon.wait()
    now, following = "v1", "v2"
    for _ in range(3):
        one_reload(bench, daemon, 0, False, now, following)
        now, following = following, now
    bench.control.arm(0, False)
    one_reload(bench, daemon, 0, False, now, following)
    now, following = following, now
    allocations = bench.control.asked
    time.sleep(0.3)  # what fell out is freed soon
    held, kept = bench.control.held, 0
    for sticky in (False, True):
        for at in bench.points(allocations, 60):
            where = f"allocation {at} ({'sticky' if sticky else 'once'})"
            for again in (False, True):
                try:
                    one_reload(bench, daemon, at, sticky, now, following)
                except Failure as failure:
                    raise Failure(f"{where}: {failure}") from failure
                now, following = following, now
                more = settled(bench, held)
                if more and again:
                    raise Failure(f"{where}: {more} pieces more are held each time")
                held, kept = held + more, kept + more
                if not more:
                    break
    daemon.stop()
    bench.publish("v1")
    return f"reloads: {allocations} allocations, {kept} pieces kept once by libraries"


LOST = 4  # of some 300 tries


def handshakes(bench: Bench, daemon: Daemon) -> tuple[int, int]:
    """Fail allocations of a handshake and its request; what is held longer must not be held twice, as with reloads.

    But OpenSSL 3.0 loses a piece or two, each time, where it lacks the memory to read the names in a client's certificate.
    """
    for _ in range(4):
        daemon.version()
    time.sleep(0.1)
    bench.control.arm(0, False)
    daemon.version()
    time.sleep(0.1)
    allocations, held, kept, lost = bench.control.asked, bench.control.held, 0, 0
    for sticky in (False, True):
        for at in bench.points(allocations, 150):
            where = f"allocation {at} ({'sticky' if sticky else 'once'})"
            for again in (False, True):
                bench.control.arm(at, sticky)
                status, body = daemon.ask("POST", "/predict", json.dumps(ROW))
                bench.control.disarm()
                bench.tries += 1
                if status not in (0, 200, 503) or daemon.process.poll() is not None:
                    raise Failure(f"{where}: {status}: {body!r}: {daemon.log()[-400:]}")
                more = settled(bench, held)
                lost += bool(more and again)
                if again and (more > 2 or lost > LOST):
                    raise Failure(f"{where}: {more} pieces more are held each time, {lost} times so far")
                held, kept = held + more, kept + more
                if not more:
                    break
            if daemon.version() != "v1":
                raise Failure(f"{where}: it no longer answers as it did")
    return allocations, kept


def encrypted(bench: Bench) -> str:
    """Fail allocations of a start with TLS, and of a request with its handshake."""
    cert, key = bench.work / "cert.pem", bench.work / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-days", "2", "-out", str(cert), "-keyout", str(key)]
    subprocess.run(command, check=True, capture_output=True)
    bench.flags = ["--tls-cert", str(cert), "--tls-key", str(key), "--tls-client-ca", str(cert), "--sandbox", "off"]
    bench.tls = ssl.create_default_context(cafile=str(cert))
    bench.tls.load_cert_chain(cert, key)
    told = starts(bench, 40, 0)
    bench.control.arm(0, False)
    daemon = Daemon(bench)
    daemon.wait()
    allocations, kept = handshakes(bench, daemon)
    daemon.stop()
    return f"over TLS: {told}; a request: {allocations} allocations, {kept} pieces kept once by libraries"


def main() -> int:
    """Run all; print what was tried and a count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scored", help="the program, built without sanitizers")
    parser.add_argument("shim", help="oom_shim.so")
    parser.add_argument("--full", action="store_true", help="every allocation")
    parser.add_argument("--only", help="one of: commands, starts, encrypted, requests, reloads")
    options = parser.parse_args()
    failed = passed = 0
    for stage in (commands, starts, encrypted, requests, reloads):
        if options.only and stage.__name__ != options.only:
            continue
        begun = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="scored-oom-") as work:
            bench = Bench(options.scored, str(Path(options.shim).resolve()), Path(work), options.full)
            try:
                print(f"{stage(bench)} ({bench.tries} tries, {time.monotonic() - begun:.1f} s)", flush=True)
                passed += 1
            except (Failure, subprocess.TimeoutExpired) as failure:
                print(f"FAIL {stage.__name__}: {failure}", flush=True)
                failed += 1
            finally:
                bench.end()
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
