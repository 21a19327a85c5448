"""The access log: which requests, what of them, and readers that do not read."""

from __future__ import annotations

import fcntl
import json
import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from daemon import BIN, BUNDLE, SERVING, WAIT_SECONDS, Daemon, until
from wire import Connection, ask, request

TRACE = "0af7651916cd43dd8448eb211c80319c"
MEMBERS = {
    "time", "method", "route", "status", "model", "version", "rows", "bytes_in", "bytes_out", "parse_us", "score_us",
    "encode_us", "wait_us", "total_us", "request", "trace", "span", "client",
}  # fmt: skip


def lines(log: str) -> list[dict[str, Any]]:
    """The access log's lines; the other log is logfmt."""
    return [json.loads(line) for line in log.splitlines() if line.startswith("{")]


def asked_here(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of a test's own requests, without the one by which all replies are held to their description."""
    return [line for line in told if line["route"] != "/openapi.json"]


def answered(*flags: str, ask_all: Any) -> list[dict[str, Any]]:
    """What stands in the access log of a daemon that was asked."""
    d = Daemon(*flags)
    try:
        ask_all(d)
    finally:
        assert d.stop() == 0
    return lines(d.last_log)


def test_a_line_says_what_a_request_was(row: dict[str, Any], manifest: dict[str, Any], text_field: str) -> None:
    body = json.dumps([row, row | {text_field: "a secret"}])
    sizes = []

    def ask_all(d: Daemon) -> None:
        headers = {"X-Request-Id": "mine", "traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
        with Connection(d.port) as c:
            c.send(request("POST", "/predict?echo=" + text_field, body, headers=headers))
            r = c.read()
            assert r is not None and r.status == 200 and b"a secret" in r.body
            sizes.append((len(r.body), r.headers["traceparent"].split("-")[2], "%s:%d" % c.socket.getsockname()))
            c.send(request("GET", "/livez"))
            assert c.read() is not None

    first, second = asked_here(answered("--access-log", "all", "--workers", "1", ask_all=ask_all))
    assert set(first) == MEMBERS
    assert (first["method"], first["route"], first["status"]) == ("POST", "/predict", 200)
    assert (first["model"], first["version"]) == (manifest["name"], manifest["version"])
    assert (first["rows"], first["bytes_in"]) == (2, len(body))
    assert (first["bytes_out"], first["span"], first["client"]) == sizes[0]
    assert (first["request"], first["trace"]) == ("mine", TRACE)
    stages = [first[f"{name}_us"] for name in ("parse", "score", "encode", "wait")]
    assert all(us > 0 for us in stages[:3]) and sum(stages) < first["total_us"] < 10e6
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", first["time"])
    now = time.strftime("%Y-%m-%dT%H:%M", time.gmtime())
    assert first["time"][:13] == now[:13] or now[14:] == "00"
    assert set(second) == MEMBERS - {"model", "version", "trace", "span"} and second["route"] == "/livez"
    assert (second["rows"], second["bytes_in"], second["parse_us"]) == (0, 0, 0)
    assert "secret" not in json.dumps([first, second])


def test_a_failure_says_what_was_wrong(row: dict[str, Any], text_field: str) -> None:
    ids = []

    def ask_all(d: Daemon) -> None:
        ids.append(ask(d.port, "POST", "/predict", json.dumps(row | {text_field: 17})).headers["x-request-id"])
        ask(d.port, "GET", "/no?secret=7")
        with Connection(d.port) as c:
            c.send(b"BREW / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n")
            r = c.read()
            assert r is not None and r.status == 400
            ids.append(r.headers["x-request-id"])

    first, second, third = answered("--access-log", "errors", "--workers", "1", ask_all=ask_all)
    assert (first["status"], first["type"], first["request"]) == (422, "urn:scored:wrong-type", ids[0])
    assert (second["route"], second["status"], second["rows"]) == ("none", 404, 0)
    assert (third["method"], third["status"], third["request"]) == ("BREW", 400, ids[1])
    assert "secret" not in json.dumps(second)


@pytest.mark.parametrize(
    ("mode", "fine", "wrong"), [("off", 0, 0), ("errors", 0, 9), ("sampled:4", 5, 9), ("sampled:1", 20, 9), ("all", 20, 9)]
)
def test_which_requests_are_told(mode: str, fine: int, wrong: int) -> None:
    def ask_all(d: Daemon) -> None:
        with Connection(d.port) as c:
            for target, n in (("/livez", 20), ("/none", 9)):
                for _ in range(n):
                    c.send(request("GET", target))
                    assert c.read() is not None

    told = asked_here(answered("--access-log", mode, "--workers", "1", ask_all=ask_all))
    assert [sum(line["status"] == status for line in told) for status in (200, 404)] == [fine, wrong]


@pytest.mark.parametrize("value", ["", "yes", "sampled", "sampled:", "sampled:0", "sampled:-1", "sampled:1x", "ALL"])
def test_other_values_are_refused(value: str) -> None:
    args = [BIN, "serve", "--listen", "127.0.0.1:0", "--admin-listen", "off", "--model", BUNDLE, "--access-log", value]
    done = subprocess.run(args, capture_output=True, text=True, timeout=WAIT_SECONDS)
    assert done.returncode == 2 and "--access-log" in done.stderr and "sampled:N" in done.stderr


def test_the_environment_says_it_too() -> None:
    d = Daemon(env={"SCORED_ACCESS_LOG": "all"})
    try:
        ask(d.port, "GET", "/livez")
    finally:
        assert d.stop() == 0
    assert [line["route"] for line in asked_here(lines(d.last_log))] == ["/livez"]


# -- readers


class Watched:
    """A daemon whose access log is a pipe of 4 KiB."""

    def __init__(self, process: subprocess.Popen[str], reader: int) -> None:
        self.process, self.reader = process, reader
        assert process.stderr
        found = until(lambda: SERVING.search(process.stderr.readline()), "the line that it serves")
        self.port, self.admin = int(found[1]), int(found[2])
        threading.Thread(target=process.stderr.read, daemon=True).start()

    def ask_many(self, n: int) -> None:
        """Asks on one connection, and wants all answers."""
        with Connection(self.port) as c:
            for _ in range(n // 100):
                c.send(request("GET", "/livez") * 100)
                for _ in range(100):
                    r = c.read()
                    assert r is not None and r.status == 200

    def dropped(self) -> int:
        """Lines dropped so far, by the metric."""
        text = ask(self.admin, "GET", "/metrics").body.decode()
        return int(re.search(r"^scored_access_log_lines_dropped_total (\d+)", text, re.M)[1])

    def end(self) -> float:
        """Seconds that it takes to stop."""
        began = time.monotonic()
        self.process.terminate()
        assert self.process.wait(timeout=WAIT_SECONDS) == 0
        return time.monotonic() - began


@contextmanager
def _watched() -> Iterator[Watched]:
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    args = [BIN, "serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--lame-duck", "0", "--access-log",
            "all", "--workers", "1", "--model", BUNDLE]  # fmt: skip
    process = subprocess.Popen(args, stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    try:
        yield Watched(process, reader)
    finally:
        process.kill()
        process.wait()


def test_a_reader_that_does_not_read_costs_only_its_lines() -> None:
    with _watched() as w:
        w.ask_many(6000)  # more than the pipe and the ring hold
        missing = until(w.dropped, "lines to be dropped")
        assert 6000 - 2048 - 100 < missing + 2048
        text = b""
        while text.count(b"\n") + w.dropped() < 6000:
            text += os.read(w.reader, 65536)
        w.ask_many(100)
        until(lambda: (w.dropped() == missing) and True, "no more drops")
        while text.count(b"\n") + missing < 6100:
            text += os.read(w.reader, 65536)
        assert w.end() < 5
        while data := os.read(w.reader, 65536):
            text += data
        os.close(w.reader)
    told = lines(text.decode())
    assert len(told) == text.count(b"\n") and {line["route"] for line in told} <= {"/livez", "/metrics", "/openapi.json"}


def test_a_reader_that_does_not_read_delays_no_end() -> None:
    with _watched() as w:
        w.ask_many(3000)
        until(w.dropped, "lines to be dropped")
        assert w.end() < 5
        os.close(w.reader)


def test_a_reader_that_has_gone_costs_only_its_lines() -> None:
    with _watched() as w:
        os.close(w.reader)
        w.ask_many(1000)
        until(lambda: w.dropped() >= 1000, "all lines to be dropped")
        w.ask_many(100)
        assert w.end() < 5
