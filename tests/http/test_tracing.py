"""Whose request a request is, and how long what of it took: X-Request-Id, traceparent, Server-Timing."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from daemon import Daemon
from wire import Connection, Reply, ask, request

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
GOOD = f"00-{TRACE}-{SPAN}-01"


def traced(port: int, traceparent: str, target: str = "/livez") -> str | None:
    """The reply's traceparent."""
    return ask(port, "GET", target, headers={"traceparent": traceparent}).headers.get("traceparent")


@pytest.mark.parametrize(
    ("sent", "flags"),
    [
        (GOOD, "01"),
        (f"00-{TRACE}-{SPAN}-00", "00"),
        (f"00-{TRACE}-{SPAN}-ff", "01"),
        (f"00-{TRACE}-{SPAN}-02", "00"),
        (f"cc-{TRACE}-{SPAN}-01", "01"),
        (f"cc-{TRACE}-{SPAN}-01-what-is-to-come", "01"),
    ],
)
def test_a_trace_goes_on(port: int, sent: str, flags: str) -> None:
    got = [re.fullmatch("00-([0-9a-f]{32})-([0-9a-f]{16})-(..)", traced(port, sent) or "") for _ in range(3)]
    assert all(g and (g[1], g[3]) == (TRACE, flags) for g in got)
    spans = {g[2] for g in got if g}
    assert len(spans) == 3 and SPAN not in spans


@pytest.mark.parametrize(
    "sent",
    [
        "",
        GOOD[:-1],
        GOOD + "0",
        GOOD + "-0",
        GOOD.upper(),
        GOOD.replace("-", "_"),
        "ff" + GOOD[2:],
        "0g" + GOOD[2:],
        f"cc-{TRACE}-{SPAN}-01.x",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[:-1]}g-{SPAN}-01",
        f"00-{TRACE}-{SPAN[:-1]}G-01",
        f"00-{TRACE}-{SPAN}-0g",
        f"00-{TRACE}{SPAN}--01",
    ],
)
def test_what_is_no_trace_is_ignored(port: int, sent: str) -> None:
    r = ask(port, "GET", "/livez", headers={"traceparent": sent})
    assert r.status == 200 and "traceparent" not in r.headers


def test_two_traces_are_none(port: int) -> None:
    with Connection(port) as c:
        c.send(b"GET /livez HTTP/1.1\r\nHost: x\r\n" + f"traceparent: {GOOD}\r\n".encode() * 2 + b"\r\n")
        c.send(request("GET", "/livez", headers={"TraceParent": GOOD}))
        c.send(request("GET", "/livez"))
        replies: list[Reply | None] = [c.read() for _ in range(3)]
    assert ["traceparent" in r.headers for r in replies if r] == [False, True, False]


@pytest.mark.parametrize("form", ["logfmt", "json"])
def test_the_log_names_the_trace(form: str) -> None:
    d = Daemon("--log-format", form)
    try:
        for headers in ({"traceparent": GOOD, "X-Request-Id": "with"}, {"X-Request-Id": "without"}):
            assert ask(d.port, "POST", "/predict", "{", headers=headers).status == 400
    finally:
        assert d.stop() == 0
    lines = {name: next(line for line in d.last_log.splitlines() if name in line) for name in ("with", "without")}
    said = f'"trace":"{TRACE}"' if form == "json" else f" trace={TRACE} "
    assert said in lines["with"] and "trace" not in lines["without"]


# -- times


def times(reply: Reply) -> dict[str, float]:
    """What Server-Timing says, in milliseconds."""
    parts = [part.split(";dur=") for part in reply.headers["server-timing"].split(", ")]
    return {name: float(value) for name, value in parts}


@pytest.mark.parametrize("kind", ["application/json", "application/x-ndjson"])
def test_times_are_told_where_they_are_asked_for(port: int, row: dict[str, Any], answer: Any, kind: str) -> None:
    r = ask(port, "POST", "/predict?timing=true", json.dumps(row), kind)
    assert r.json == answer
    told = times(r)
    assert list(told) == ["parse", "score", "encode", "wait", "total"]
    assert all(told[name] > 0 for name in ("parse", "score", "encode"))
    assert told["total"] < 10_000 and sum(told.values()) < 2 * told["total"]
    for query in ("", "?timing=false"):
        assert "server-timing" not in ask(port, "POST", "/predict" + query, json.dumps(row), kind).headers


def test_times_are_those_of_all_rows(port: int, row: dict[str, Any]) -> None:
    one, many = (times(ask(port, "POST", "/predict?timing=true", json.dumps([row] * n))) for n in (1, 2000))
    assert all(many[name] > 20 * one[name] for name in ("parse", "score", "encode")), (one, many)
    assert many["parse"] + many["score"] + many["encode"] + many["wait"] < many["total"]


def test_times_of_a_row_without_an_answer(port: int, row: dict[str, Any], text_field: str) -> None:
    r = ask(port, "POST", "/predict?timing=true", json.dumps(row | {text_field: 17}))
    assert r.status == 422 and times(r)["parse"] > 0


@pytest.mark.parametrize("value", ["", "yes", "1", "TRUE"])
def test_timing_is_true_or_false(port: int, row: dict[str, Any], value: str) -> None:
    r = ask(port, "POST", f"/predict?timing={value}", json.dumps(row))
    assert r.status == 400 and "timing" in r.json["detail"] and "timing" in r.json["parameters"]
    assert "server-timing" not in r.headers


def test_the_next_request_of_a_connection_tells_no_times(port: int, row: dict[str, Any]) -> None:
    with Connection(port) as c:
        c.send(request("POST", "/predict?timing=true", json.dumps(row)) + request("GET", "/livez"))
        replies: list[Reply | None] = [c.read(), c.read()]
    assert ["server-timing" in r.headers for r in replies if r] == [True, False]
