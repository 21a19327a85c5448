# SPDX-License-Identifier: Apache-2.0
"""The daemon in its sandbox: what holds is told, and a whole session needs nothing that is refused."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from certificates import Authority
from daemon import BIN, BUNDLE, Daemon, until
from secure import Secure, context
from wire import Connection, ask, request

WALLS = ("seccomp", "landlock")


def is_sanitized() -> bool:
    """Sanitizers make calls of their own: there the default is off."""
    return b"__asan_init" in BIN.read_bytes() or b"__tsan_init" in BIN.read_bytes()


plain = pytest.mark.skipif(is_sanitized(), reason="built with a sanitizer")


def walls(d: Daemon) -> list[float]:
    """What /metrics says of them."""
    text = ask(d.port, "GET", "/metrics").body.decode()
    return [float(re.search(rf'^scored_sandbox\{{wall="{wall}"\}} (\S+)$', text, re.M)[1]) for wall in WALLS]  # type: ignore[index]


def status(d: Daemon) -> dict[str, str]:
    """What the kernel says of the process."""
    return dict(line.split(":\t", 1) for line in Path(f"/proc/{d.process.pid}/status").read_text().splitlines() if ":\t" in line)


@plain
@pytest.mark.parametrize("mode", ["auto", "on"])
def test_it_holds(mode: str) -> None:
    d = Daemon("--sandbox", mode, "--workers", "2")
    try:
        assert walls(d) == [1, 1] and "sandbox=seccomp,landlock" in d.log()
        tasks = [Path(task) for task in Path(f"/proc/{d.process.pid}/task").iterdir()]
        for task in tasks:
            said = (task / "status").read_text()
            assert "Seccomp:\t2\n" in said and "NoNewPrivs:\t1\n" in said, (task / "comm").read_text()
        assert {"scored-0", "scored-1"} <= {(task / "comm").read_text().strip() for task in tasks}
        limits = Path(f"/proc/{d.process.pid}/limits").read_text()
        assert re.search(r"Max core file size +0 +0 ", limits)
    finally:
        assert d.stop() == 0


def test_it_can_be_left_out() -> None:
    d = Daemon("--sandbox", "off")
    try:
        assert walls(d) == [0, 0] and "sandbox=off" in d.log() and status(d)["Seccomp"] == "0"
        assert status(d)["NoNewPrivs"] == "0"
    finally:
        assert d.stop() == 0


@plain
def test_the_default_is_what_there_is(daemon: Daemon) -> None:
    assert walls(daemon) == [1, 1] and status(daemon)["Seccomp"] == "2"


def session(d: Daemon, row: dict[str, Any], name: str, tokens: Path) -> None:
    """All that a daemon does, once."""
    key = {"Authorization": "Bearer t"}
    for body in (json.dumps(row), json.dumps([row] * 3000)):
        for headers in ({}, {"Accept-Encoding": "gzip"}, {"traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01"}):
            assert ask(d.port, "POST", "/predict", body, headers=headers | key).status == 200
    assert ask(d.port, "POST", "/predict", (json.dumps(row) + "\n") * 3000, "application/x-ndjson", headers=key).status == 200
    for target in ("/livez", "/readyz", "/models", f"/models/{name}", f"/models/{name}/schema", "/openapi.json", "/metrics", "/version", "/none"):
        for port in (d.port, d.admin):
            assert ask(port, "GET", target, headers=key).status in (200, 404)
    assert ask(d.port, "GET", "/", headers={"Accept": "text/html"}).status == 200
    assert ask(d.port, "GET", "/models").status == 401
    with Connection(d.port) as c:
        c.send(request("GET", "/livez")[:10])  # never whole
    tokens.write_text(tokens.read_text() + "# more\n")
    until(lambda: "tokens were read again" in d.log(), "the tokens")


def child_of(d: Daemon) -> int:
    """The daemon itself, behind strace."""
    return int(subprocess.run(["pgrep", "-P", str(d.process.pid)], capture_output=True, text=True, check=True).stdout)


def check(calls: Path) -> None:
    """Since it was entered nothing was refused, also to those who would go on without it."""
    lines = calls.read_text().splitlines()
    entered = next(i for i, line in enumerate(lines) if "SECCOMP_FILTER_FLAG_TSYNC" in line and "NULL" not in line)
    refused = [line for line in lines[entered:] if re.search(r"= -1 (EPERM|EACCES)|--- SIGSYS|by SIGSYS", line)]
    assert not refused, refused[:5]
    missing = {re.sub(r"^\d+ +(<\.\.\. )?(\w+).*", r"\2", line) for line in lines[entered:] if "= -1 ENOSYS" in line}
    assert missing <= {"clone3"}, missing


@plain
def test_tls_needs_nothing_that_is_refused(tmp_path: Path) -> None:
    authority, calls = Authority(tmp_path), tmp_path / "calls"
    pair = authority.issue("server")
    d = Daemon("--tls-cert", str(pair.cert), "--tls-key", str(pair.key), tool=("strace", "-f", "-qq", "-o", str(calls)))
    try:
        for _ in range(3):
            with Secure(d.port, context(authority.file)) as c:
                c.send(request("GET", "/models"))
                reply = c.read()
                assert reply and reply.status == 200
        names = {(t / "comm").read_text().strip() for t in Path(f"/proc/{child_of(d)}/task").iterdir()}
        assert any(name.startswith("scored-tls-") for name in names), names
        authority.issue("server")
        until(lambda: "certificate" in d.log(), "the new certificate")
    finally:
        os.kill(child_of(d), signal.SIGTERM)
        assert d.process.wait(timeout=60) == 0
    check(calls)


@plain
def test_a_session_needs_nothing_that_is_refused(tmp_path: Path, row: dict[str, Any]) -> None:
    """Every call that fails for want of permission is seen, also by those who would go on without it."""
    tokens, calls, served = tmp_path / "tokens", tmp_path / "calls", tmp_path / "bundle"
    tokens.write_text(f"sha256:{hashlib.sha256(b't').hexdigest()} admin t\n")
    shutil.copytree(BUNDLE, served)
    name = json.loads((BUNDLE / "bundle.json").read_text())["name"]
    flags = ["--tokens", str(tokens), "--access-log", "all", "--otlp-endpoint", "http://localhost:9/", "--probe-listen", "127.0.0.1:0", "--poll", "0.1"]
    tool = ("strace", "-f", "-qq", "-o", str(calls))
    d = Daemon(*flags, models=(str(served),), tool=tool, headers={"Authorization": "Bearer t"})
    child = child_of(d)
    try:
        session(d, row, name, tokens)
        assert ask(d.admin, "POST", f"/models/{name}/reload", b'{"force":true}', headers={"Authorization": "Bearer t"}).status == 202
        manifest = (served / "bundle.json").read_text()
        (served / "bundle.new").write_text(manifest.replace(json.loads(manifest)["version"], "next"))
        (served / "bundle.new").rename(served / "bundle.json")
        key = {"Authorization": "Bearer t"}
        until(lambda: ask(d.port, "GET", f"/models/{name}", headers=key).json["version"] == "next", "the next version")
        os.kill(child, signal.SIGHUP)
        until(lambda: "looking for new versions" in d.log(), "SIGHUP")
        time.sleep(1.5)  # spans are sent
    finally:
        os.kill(child, signal.SIGTERM)
        assert d.process.wait(timeout=60) == 0
    check(calls)
