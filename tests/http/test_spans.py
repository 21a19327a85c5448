"""Spans go to a collector by OTLP over HTTP; one that is gone, slow or wrong costs nothing else."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from daemon import BIN, BUNDLE, WAIT_SECONDS, Daemon, until
from samples import metric
from wire import Connection, ask, request

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACED = {"traceparent": f"00-{TRACE}-{SPAN}-01"}


class Collector:
    """Takes what comes, and answers as it is told."""

    def __init__(self) -> None:
        self.status, self.seconds = 200, 0.0
        self.calls: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                time.sleep(outer.seconds)
                outer.calls.append((self.path, {k.lower(): v for k, v in self.headers.items()}, json.loads(body)))
                self.send_response(outer.status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def spans(self) -> list[dict[str, Any]]:
        """All spans that came."""
        scopes = [scope for _, _, body in self.calls for r in body["resourceSpans"] for scope in r["scopeSpans"]]
        return [span for scope in scopes for span in scope["spans"]]


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector that takes all."""
    c = Collector()
    yield c
    c.server.shutdown()


def values(attributes: list[dict[str, Any]]) -> dict[str, Any]:
    """Attributes by key."""
    found = {a["key"]: next(iter(a["value"].values())) for a in attributes}
    assert len(found) == len(attributes)
    return found


def test_the_collector_sees_the_callers_trace(
    collector: Collector, row: dict[str, Any], manifest: dict[str, Any]
) -> None:
    d = Daemon("--otlp-endpoint", collector.url)
    try:
        before = time.time_ns()
        r = ask(d.port, "POST", "/predict?echo=make", json.dumps([row] * 3), headers=TRACED | {"X-Request-Id": "mine"})
        after = time.time_ns()
        until(collector.spans, "a span")
        until(lambda: metric(d.admin, "scored_spans_sent_total") == 1, "it to be counted")
        assert metric(d.admin, "scored_spans_dropped_total") == 0
    finally:
        assert d.stop() == 0
    assert r.status == 200
    path, headers, body = collector.calls[0]
    assert (path, headers["content-type"]) == ("/v1/traces", "application/json")
    resource = body["resourceSpans"][0]
    assert values(resource["resource"]["attributes"])["service.name"] == "scored"
    (span,) = collector.spans()
    assert (span["traceId"], span["parentSpanId"]) == (TRACE, SPAN)
    assert span["spanId"] == r.headers["traceparent"].split("-")[2]
    assert (span["name"], span["kind"], span["status"]) == ("POST /predict", 2, {"code": 0})
    begin, end = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
    assert before - 10**8 < begin < end < after + 10**8
    told = values(span["attributes"])
    assert (told["http.response.status_code"], told["http.route"], told["http.request.method"]) == ("200", "/predict", "POST")
    assert (told["scored.model"], told["scored.version"]) == (manifest["name"], manifest["version"])
    assert (told["scored.rows"], told["scored.request"]) == ("3", "mine")
    assert 0 < int(told["scored.parse_ns"]) + int(told["scored.score_ns"]) + int(told["scored.encode_ns"]) < end - begin
    assert row["make"] not in json.dumps(body)


def test_faults_and_what_is_wrong_with_them(collector: Collector) -> None:
    d = Daemon("--otlp-endpoint", collector.url + "/")
    try:
        ask(d.port, "POST", "/predict", "{", headers=TRACED)
        ask(d.port, "BREW", "/livez", headers=TRACED)
        first, second = until(lambda: len(collector.spans()) == 2 and collector.spans(), "two spans")
    finally:
        assert d.stop() == 0
    assert collector.calls[0][0] == "/v1/traces"
    codes = {values(s["attributes"])["error.type"]: s["status"]["code"] for s in (first, second)}
    assert codes == {"urn:scored:malformed-json": 0, "urn:scored:not-implemented": 2}


@pytest.mark.parametrize("flag", ["00", "02"])
def test_what_the_caller_does_not_keep_is_not_sent(collector: Collector, flag: str) -> None:
    d = Daemon("--otlp-endpoint", collector.url)
    try:
        ask(d.port, "GET", "/livez")
        ask(d.port, "GET", "/livez", headers={"traceparent": f"00-{TRACE}-{SPAN}-{flag}"})
        ask(d.port, "GET", "/readyz", headers=TRACED)
        until(collector.spans, "a span")
    finally:
        assert d.stop() == 0
    assert [s["name"] for s in collector.spans()] == ["GET /readyz"]


def test_requests_begin_traces_of_their_own(collector: Collector) -> None:
    d = Daemon("--otlp-endpoint", collector.url, "--trace-one-in", "4", "--workers", "1")
    try:
        with Connection(d.port) as c:
            for _ in range(40):
                c.send(request("GET", "/livez", headers={"X-Request-Id": "x"}))
            told = [r.headers["traceparent"] for r in (c.read() for _ in range(40)) if r and "traceparent" in r.headers]
        until(lambda: len(collector.spans()) >= len(told), "spans")
    finally:
        assert d.stop() == 0
    here = [s for s in collector.spans() if s["name"] == "GET /livez"]
    assert len(here) == len(told) == 10 and not any("parentSpanId" in s for s in here)
    assert len({s["traceId"] for s in here}) == len(here)
    assert {f"00-{s['traceId']}-{s['spanId']}-01" for s in here} == set(told)


def test_nothing_is_sent_nowhere(port: int) -> None:
    assert "traceparent" not in ask(port, "GET", "/livez").headers
    ask(port, "GET", "/livez", headers=TRACED)
    assert metric(port, "scored_spans_sent_total") == metric(port, "scored_spans_dropped_total") == 0


@pytest.mark.parametrize(
    ("names", "path"),
    [
        (("OTEL_EXPORTER_OTLP_ENDPOINT",), "/v1/traces"),
        (("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",), ""),
        (("SCORED_OTLP_ENDPOINT",), "/v1/traces"),
    ],
)
def test_the_environment_says_where_to(collector: Collector, names: tuple[str, ...], path: str) -> None:
    env = {name: collector.url + "/here" for name in names}
    env |= {"OTEL_EXPORTER_OTLP_HEADERS": "api-key = secret,x-b=c=d", "OTEL_SERVICE_NAME": "cars"}
    d = Daemon(env=env)
    try:
        ask(d.port, "GET", "/livez", headers=TRACED)
        until(collector.spans, "a span")
    finally:
        assert d.stop() == 0
    called, headers, body = collector.calls[0]
    assert called == "/here" + path and (headers["api-key"], headers["x-b"]) == ("secret", "c=d")
    assert values(body["resourceSpans"][0]["resource"]["attributes"])["service.name"] == "cars"
    assert "secret" not in d.last_log


@pytest.mark.parametrize("url", ["localhost:4318", "ftp://x", "http://" + "x" * 600])
def test_other_urls_are_refused(url: str) -> None:
    args = [BIN, "serve", "--listen", "127.0.0.1:0", "--admin-listen", "off", "--model", BUNDLE, "--otlp-endpoint", url]
    done = subprocess.run(args, capture_output=True, text=True, timeout=WAIT_SECONDS)
    assert done.returncode == 2 and "--otlp-endpoint" in done.stderr


def test_what_is_left_is_sent_at_the_end(collector: Collector) -> None:
    d = Daemon("--otlp-endpoint", collector.url)
    for _ in range(7):
        ask(d.port, "GET", "/livez", headers=TRACED)
    assert d.stop() == 0
    assert len(collector.spans()) == 7


# -- collectors that are none


def ask_many(d: Daemon, n: int) -> float:
    """Asks with traces, on one connection; the seconds that it took."""
    began = time.monotonic()
    with Connection(d.port) as c:
        for _ in range(n // 100):
            c.send(request("GET", "/livez", headers=TRACED) * 100)
            for _ in range(100):
                r = c.read()
                assert r is not None and r.status == 200
    return time.monotonic() - began


def test_a_collector_that_is_gone_costs_its_spans() -> None:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        d = Daemon("--otlp-endpoint", f"http://127.0.0.1:{s.getsockname()[1]}")
        try:
            ask_many(d, 3000)
            until(lambda: metric(d.admin, "scored_spans_dropped_total") >= 2500, "spans to be dropped")
            assert metric(d.admin, "scored_spans_sent_total") == 0
        finally:
            assert d.stop() == 0
    assert d.last_log.count("spans are dropped") == 1


def test_a_collector_that_refuses_is_asked_again_later(collector: Collector) -> None:
    collector.status = 503
    d = Daemon("--otlp-endpoint", collector.url)
    try:
        ask(d.port, "GET", "/livez", headers=TRACED)
        until(lambda: metric(d.admin, "scored_spans_dropped_total") == 1, "a span to be dropped")
        collector.status = 200
        ask(d.port, "GET", "/readyz", headers=TRACED)
        until(lambda: metric(d.admin, "scored_spans_sent_total") == 1, "a span to be sent")
    finally:
        assert d.stop() == 0
    assert re.search(r"spans are dropped.*503", d.last_log) and "spans are taken again" in d.last_log


def test_a_collector_that_is_slow_delays_nobody(collector: Collector) -> None:
    collector.seconds = 60
    d = Daemon("--workers", "1")
    alone = ask_many(d, 3000)
    assert d.stop() == 0
    d = Daemon("--otlp-endpoint", collector.url, "--workers", "1")
    ask_many(d, 600)
    time.sleep(1.2)  # by now it waits for an answer
    assert ask_many(d, 3000) < 3 * alone + 1
    assert 3000 - 2048 <= metric(d.admin, "scored_spans_dropped_total") <= 3600
    began = time.monotonic()
    assert d.stop() == 0
    assert time.monotonic() - began < 5


STATES: list[tuple[list[str], str | None]] = [
    (["congo=t61rcWkgMzE"], "congo=t61rcWkgMzE"),
    (["rojo=00f067aa0ba902b7, congo=t61rcWkgMzE ,,tenant@vendor=1 2"], "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE,tenant@vendor=1 2"),
    (["a=1", "b=2", "c=3"], "a=1,b=2,c=3"),
    ([""], None),
    ([], None),
    (["Upper=1"], None),
    (["no value"], None),
    (["a="], None),
    (["a=1=2"], None),
    (["a=\u00e9"], None),
    (["a=1", "=2"], None),
    ([",".join(f"k{i}=1" for i in range(32))], ",".join(f"k{i}=1" for i in range(32))),
    ([",".join(f"k{i}=1" for i in range(33))], None),
    ([",".join(f"k{i:02}=" + "v" * 96 for i in range(7))], ",".join(f"k{i:02}=" + "v" * 96 for i in range(5))),
    (
        ["long=" + "v" * 200 + "," + ",".join(f"k{i:02}=" + "v" * 96 for i in range(4))],
        ",".join(f"k{i:02}=" + "v" * 96 for i in range(4)),
    ),
    (["long=" + "v" * 200 + ",a=1"], "long=" + "v" * 200 + ",a=1"),
    (["a=" + "v" * 257], None),
]


def test_a_tracestate_goes_with_its_span(collector: Collector) -> None:
    d = Daemon("--otlp-endpoint", collector.url)
    try:
        for i, (headers, _) in enumerate(STATES):
            lines = "".join(f"tracestate: {h}\r\n" for h in headers).encode("utf-8")
            head = request("GET", "/livez", headers={"traceparent": f"00-{TRACE}-{i + 1:016x}-01"})
            with Connection(d.port) as c:
                c.send(head.replace(b"\r\n\r\n", b"\r\n" + lines + b"\r\n"))
                reply = c.read()
                assert reply and reply.status == 200 and "tracestate" not in reply.headers
        until(lambda: len(collector.spans()) >= len(STATES), "the spans")
        found = {int(s["parentSpanId"], 16) - 1: s.get("traceState") for s in collector.spans()}
        assert [found[i] for i in range(len(STATES))] == [want for _, want in STATES]
    finally:
        assert d.stop() == 0


def test_a_tracestate_without_its_trace_is_dropped(collector: Collector) -> None:
    """A trace that begins here is none of its vendors'."""
    d = Daemon("--otlp-endpoint", collector.url, "--trace-one-in", "1")
    try:
        for headers in ({"tracestate": "a=1"}, {"tracestate": "a=1", "traceparent": "00-0-0-01"}):
            assert ask(d.port, "GET", "/livez", headers=headers).status == 200
        until(lambda: len(collector.spans()) >= 2, "the spans")
        assert all("traceState" not in span for span in collector.spans())
    finally:
        assert d.stop() == 0
