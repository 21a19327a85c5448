"""Routes, methods, media types, limits, and what the daemon says of itself."""

from __future__ import annotations

import json
import re
import time

import pytest
from daemon import Daemon, until
from samples import metric, parse
from wire import Connection, ask, chunked, request

GETS = [
    "/livez",
    "/readyz",
    "/healthz",
    "/models",
    "/models/{name}",
    "/models/{name}/schema",
    "/openapi.json",
    "/metrics",
    "/version",
]


@pytest.mark.parametrize("target", GETS)
@pytest.mark.parametrize("side", ["port", "admin"])
def test_gets(daemon, manifest, target, side):
    r = ask(getattr(daemon, side), "GET", target.replace("{name}", manifest["name"]))
    assert r.status == 200 and r.body and r.headers["cache-control"] == "no-store"
    if target != "/metrics":
        assert r.json


@pytest.mark.parametrize("target", GETS)
def test_head_is_get_without_a_body(port, manifest, target):
    target = target.replace("{name}", manifest["name"])
    with Connection(port) as c:
        c.send(request("HEAD", target) + request("GET", "/livez"))
        r = c.read(head=True)
        assert r is not None and r.status == 200 and int(r.headers["content-length"]) > 0
        after = c.read()
        assert after is not None and after.body == b'{"status":"live"}\n'
    same = {"date", "x-request-id", "content-length"}
    g = ask(port, "GET", target)
    assert {k: v for k, v in g.headers.items() if k not in same} == {
        k: v for k, v in r.headers.items() if k not in same
    }
    if target != "/metrics":
        assert r.headers["content-length"] == g.headers["content-length"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE"])
def test_methods_of_gets(port, method):
    r = ask(port, method, "/livez")
    assert (r.status, r.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    assert r.json["type"] == "urn:scored:method-not-allowed"


@pytest.mark.parametrize("method", ["FOO", "get", "PROPFIND"])
def test_methods_that_nobody_knows(port, method):
    r = ask(port, method, "/livez")
    assert (r.status, r.json["type"], r.closes) == (501, "urn:scored:not-implemented", False)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_methods_of_predict(port, method):
    assert ask(port, method, "/predict").headers["allow"] == "POST, OPTIONS"


def test_options(port):
    r = ask(port, "OPTIONS", "/predict")
    assert (r.status, r.headers["allow"]) == (204, "POST, OPTIONS")
    assert ask(port, "OPTIONS", "/livez").headers["allow"] == "GET, HEAD, OPTIONS"
    assert ask(port, "OPTIONS", "*").status == 204
    assert ask(port, "OPTIONS", "/nothing").status == 404


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/nothing",
        "/predict/",
        "//predict",
        "/Predict",
        "/models/",
        "/models//schema",
        "/models/../livez",
        "/livez/x",
        "/models/a/b",
    ],
)
def test_not_found_lists_what_there_is(port, target):
    r = ask(port, "GET", target)
    assert (r.status, r.json["type"], r.closes) == (404, "urn:scored:not-found", False)
    assert "POST /predict" in r.json["paths"]


def test_predict_is_not_on_the_admin_listener(daemon):
    r = ask(daemon.admin, "POST", "/predict", "{}")
    assert r.status == 404 and "POST /predict" not in r.json["paths"]


@pytest.mark.parametrize(
    "kind",
    [
        "text/yaml",
        "application/jsonx",
        "application/json; charset=latin-1",
        "text/plain",
    ],
)
def test_unsupported_types(port, kind):
    r = ask(port, "POST", "/predict", "{}", kind)
    assert (r.status, r.json["type"]) == (415, "urn:scored:unsupported-type")
    assert "application/json" in r.headers["accept-post"]


@pytest.mark.parametrize(
    "kind", [None, "application/json", "Application/JSON ; charset=UTF-8", 'application/json;charset="utf-8"']
)
def test_supported_types(port, row, kind):
    assert ask(port, "POST", "/predict", json.dumps(row), kind).status == 200


def test_encoded_bodies_are_refused(port):
    assert ask(port, "POST", "/predict", "{}", headers={"Content-Encoding": "br"}).status == 415
    assert ask(port, "POST", "/predict", "[]", headers={"Content-Encoding": "identity"}).status == 200


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("*/*", 200),
        ("application/*", 200),
        ("text/html, application/json;q=0.1", 200),
        ("text/html", 406),
        ("application/json;q=0", 406),
        ("application/json;q=0, */*", 406),
        ("application/x-ndjson", 406),
        ("", 406),
    ],
)
def test_accept(port, accept, status):
    r = ask(port, "POST", "/predict", "[]", headers={"Accept": accept})
    assert r.status == status or (accept == "" and r.status == 200)


def test_problems_are_problems_whatever_is_accepted(port):
    r = ask(port, "GET", "/nothing", headers={"Accept": "text/html"})
    assert r.headers["content-type"] == "application/problem+json" and r.json["status"] == 404


@pytest.mark.parametrize("sent", ["a", "A-b_c.9", "x" * 64])
def test_request_ids_are_echoed(port, sent):
    assert ask(port, "GET", "/livez", headers={"X-Request-Id": sent}).headers["x-request-id"] == sent


@pytest.mark.parametrize("sent", ["", "x" * 65, "a b", 'a"b', "a;b", "\u00e9"])
def test_other_request_ids_are_made(port, sent):
    got = {
        ask(port, "GET", "/livez", headers={"X-Request-Id": sent}).headers["x-request-id"] for _ in range(5)
    }
    assert len(got) == 5 and all(re.fullmatch("[0-9a-f]{24}", i) for i in got)


def test_a_body_too_large_is_refused_before_it_is_read(port):
    with Connection(port) as c:
        c.send(
            b"POST /predict HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
            b"Content-Length: 1048577\r\n\r\n"
        )
        r = c.read()
        assert r is not None and (r.status, r.json["type"], r.closes) == (413, "urn:scored:too-large", True)


def test_a_body_of_the_greatest_size(port):
    assert ask(port, "POST", "/predict", "[" + " " * (1048576 - 2) + "]").json == []


def test_chunks_too_large_in_all(port):
    with Connection(port) as c:
        c.send(chunked("POST", "/predict", [b"[" + b" " * 65535] * 20))
        r = c.read()
        assert r is not None and (r.status, r.closes) == (413, True)


def test_a_line_too_large(port):
    r = ask(port, "POST", "/predict", "[" * 1500000, "application/x-ndjson")
    assert r.status == 413


def test_headers_too_large(port):
    with Connection(port) as c:
        c.send(b"GET /livez HTTP/1.1\r\nHost: test\r\nX: " + b"x" * 40000 + b"\r\n\r\n")
        r = c.read(head=True)
        assert r is None or r.status in (400, 413, 431)
        assert r is None or c.closed() or True


def test_an_early_error_reaches_a_sender_of_a_body(port):
    for _ in range(30):
        with Connection(port) as c:
            data = request("POST", "/nothing", "x" * 100000)
            c.send(data[:300])
            time.sleep(0.001)
            c.send(data[300:])
            r = c.read()
            assert r is not None and r.status == 404


def test_limits_of_rows_and_replies(row):
    d = Daemon("--max-rows", "3", "--max-reply", "2000", "--max-ndjson", "200000")
    text = json.dumps(row)
    try:
        assert ask(d.port, "POST", "/predict", f"[{','.join([text] * 3)}]").status == 200
        r = ask(d.port, "POST", "/predict", f"[{','.join([text] * 4)}]")
        assert (r.status, r.json["type"]) == (413, "urn:scored:too-large")
        r = ask(d.port, "POST", "/predict", "\n".join([text] * 300), "application/x-ndjson")
        assert (r.status, r.json["type"]) == (413, "urn:scored:too-large")
        assert ask(d.port, "POST", "/predict", "[" * 200001, "application/x-ndjson").status == 413
        assert ask(d.port, "POST", "/predict", text).status == 200
    finally:
        assert d.stop() == 0


@pytest.mark.parametrize("kept", [False, True], ids=["first", "later"])
@pytest.mark.parametrize(
    "begin, piece, told",
    [
        (b"GET /livez HTTP/1.1\r\nHost: test\r\n", b"x: y\r\n", True),
        (b"POST /predict HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\n\r\n", b" ", False),
    ],
    ids=["head", "body"],
)
def test_a_slow_request_is_closed_after_its_deadline(begin, piece, told, kept):
    """Each byte starts an inactivity timer again; these count from the first."""
    d = Daemon("--head-timeout", "1.5", "--body-timeout", "1.5")
    try:
        with Connection(d.port) as c:
            if kept:
                c.send(request("GET", "/livez"))
                assert c.read() is not None
            before = time.monotonic()
            c.send(begin)
            c.socket.settimeout(0.2)
            came = b""
            while time.monotonic() - before < 25:
                c.send(piece)
                try:
                    data = c.socket.recv(1000)
                except TimeoutError:
                    continue
                except ConnectionResetError:
                    break
                came += data
                if not data:
                    break
        assert 1.2 < time.monotonic() - before < 8
        assert came.startswith(b"HTTP/1.1 408 ") == told, came
        assert metric(d.port, "scored_connections_overdue_total") == 1
    finally:
        assert d.stop() == 0


def test_an_idle_connection_is_closed():
    d = Daemon("--idle-timeout", "1")
    try:
        with Connection(d.port) as c:
            before = time.monotonic()
            assert c.closed()
            assert 0.5 < time.monotonic() - before < 4
    finally:
        assert d.stop() == 0


def test_connections_above_the_cap_are_refused():
    d = Daemon("--connections", "5")
    try:
        end = time.monotonic() + 20
        while metric(d.admin, "scored_connections") > 1:  # who asked for the document is not gone at once
            assert time.monotonic() < end
        held = [Connection(d.port) for _ in range(5)]
        for c in held:
            c.send(request("GET", "/livez"))
            assert c.read() is not None
        before = metric(d.admin, "scored_connections_refused_total")  # who asks for the document counts too
        with Connection(d.port) as one_more:
            one_more.send(request("GET", "/livez"))
            r = one_more.read()
            assert r.status == 503 and r.json["type"] == "urn:scored:overloaded" and r.closes
        assert metric(d.admin, "scored_connections_refused_total") == before + 1
        held.pop().socket.close()
        time.sleep(0.2)
        assert ask(d.port, "GET", "/livez").status == 200
    finally:
        assert d.stop() == 0


# -- metrics -----------------------------------------------------------------

def test_metrics_count(daemon, row, text_field, manifest):
    def scrape():
        return parse(ask(daemon.port, "GET", "/metrics").body.decode())[1]

    name = manifest["name"]
    before = scrape()
    ask(daemon.port, "POST", "/predict", json.dumps([row, row | {text_field: 17}, row | {"nobody knows": 1}]))
    ask(daemon.port, "POST", "/predict", "{")
    after = scrape()

    def grown(series):
        return after.get(series, 0) - before.get(series, 0)

    assert grown(f'scored_requests_total{{route="/predict",model="{name}",status="200"}}') == 1
    assert grown(f'scored_requests_total{{route="/predict",model="{name}",status="400"}}') == 1
    assert grown(f'scored_request_duration_seconds_count{{route="/predict",model="{name}"}}') == 2
    assert grown(f'scored_request_duration_seconds_bucket{{route="/predict",model="{name}",le="+Inf"}}') == 2
    assert grown(f'scored_rows_total{{model="{name}"}}') == 3
    assert grown(f'scored_rows_failed_total{{model="{name}"}}') == 1
    assert grown(f'scored_unknown_fields_total{{model="{name}"}}') == 1
    assert (
        grown(f'scored_row_errors_total{{model="{name}",field="{text_field}",type="urn:scored:wrong-type"}}')
        == 1
    )
    assert "nobody" not in str(after)


def test_metrics_formats(port, manifest):
    plain = ask(port, "GET", "/metrics")
    assert plain.headers["content-type"].startswith("text/plain; version=0.0.4")
    families, samples = parse(plain.body.decode())
    assert families["scored_requests_total"] == "counter"
    assert families["scored_request_duration_seconds"] == "histogram"
    assert (
        samples[
            f'scored_model_info{{model="{manifest["name"]}",version="{manifest["version"]}",sha256="'
            + ask(port, "GET", "/models").json["models"][0]["sha256"]
            + '"}'
        ]
        == 1
    )
    accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1"
    r = ask(port, "GET", "/metrics", headers={"Accept": accept})
    assert r.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert r.body.endswith(b"# EOF\n")
    families, _ = parse(r.body.decode())
    assert families["scored_requests"] == "counter" and "scored_requests_total" not in families


def test_histograms_only_rise(port):
    _, samples = parse(ask(port, "GET", "/metrics").body.decode())
    counts = [
        v
        for k, v in samples.items()
        if k.startswith('scored_request_duration_seconds_bucket{route="/predict",model=')
    ]
    assert len(counts) > 5 and counts == sorted(counts)


# -- descriptions -----------------------------------------------------------------


def test_the_schema_has_the_fields(port, manifest, row):
    s = ask(port, "GET", f"/models/{manifest['name']}/schema")
    assert s.headers["content-type"] == "application/schema+json"
    assert list(s.json["properties"]) == [f["name"] for f in manifest["input"]]
    assert s.json["required"] == [f["name"] for f in manifest["input"] if not f["nullable"]]
    assert s.json["examples"] == [row]
    for f in manifest["input"]:
        p = s.json["properties"][f["name"]]
        assert p["x-spark-type"] == f["type"] and p.get("description") == f.get("description")


def test_the_schema_has_the_categories(port, manifest):
    s = ask(port, "GET", f"/models/{manifest['name']}/schema").json
    found = 0
    for stage in manifest["stages"]:
        if stage["op"] != "string_indexer":
            continue
        for name, labels in zip(stage["inputs"]["inputCols"], stage["params"]["labels"], strict=True):
            if labels is not None and name in s["properties"]:
                assert s["properties"][name]["x-categories"] == labels
                assert s["properties"][name]["x-unseen"] == stage["params"]["handleInvalid"]
                found += 1
    assert found


def test_openapi(port, manifest, answer):
    doc = ask(port, "GET", "/openapi.json").json
    name = manifest["name"]
    assert doc["openapi"] == "3.1.0"
    assert {"/predict", f"/models/{name}/predict", "/metrics", "/livez"} <= set(doc["paths"])
    references = set(re.findall(r'"\$ref": "#/components/schemas/([^"]+)"', json.dumps(doc)))
    assert references <= set(doc["components"]["schemas"]) and f"{name}.row" in references
    example = doc["components"]["schemas"][f"{name}.row"]["examples"][0]
    assert ask(port, "POST", "/predict", json.dumps(example)).json == answer


def test_model_and_version(port, manifest):
    m = ask(port, "GET", f"/models/{manifest['name']}").json
    assert (m["version"], m["exactness"], m["lineage"]) == tuple(
        manifest[k] for k in ("version", "exactness", "lineage")
    )
    assert [f["name"] for f in m["input"]] == [f["name"] for f in manifest["input"]]
    v = ask(port, "GET", "/version").json
    assert re.fullmatch(r"\d+\.\d+\.\d+", v["version"]) and v["libmicrohttpd"]


# -- the log, and stopping -----------------------------------------------------------------


def test_a_failed_request_is_one_line_without_values(row, text_field):
    d = Daemon()
    try:
        ask(
            d.port,
            "POST",
            "/predict",
            json.dumps(row | {text_field: 12345678987}),
            headers={"X-Request-Id": "find-me"},
        )
        ask(d.port, "POST", "/predict?columns=secret7", json.dumps(row))
        ask(d.port, "GET", "/livez", headers={"X-Request-Id": "unseen"})
        lines = [line for line in d.log().splitlines() if "find-me" in line]
        assert len(lines) == 1 and "status=422" in lines[0] and "urn:scored:wrong-type" in lines[0]
        assert f"field={text_field}" in lines[0].split() and "route=/predict " in lines[0]
        assert not any(word in d.log() for word in ("12345678987", "secret7", "unseen"))
    finally:
        assert d.stop() == 0


def test_the_log_is_limited():
    d = Daemon()
    try:
        for _ in range(100):
            ask(d.port, "GET", "/nothing")
        time.sleep(1.1)
        ask(d.port, "GET", "/nothing")
        lines = []

        def all_are_counted() -> bool:
            lines[:] = [line for line in d.log().splitlines() if "status=404" in line]
            unlogged = sum(int(n) for line in lines for n in re.findall(r"unlogged=(\d+)", line))
            return len(lines) + unlogged == 101

        until(all_are_counted, "lines, which a thread of its own writes")
        assert len(lines) < 80
    finally:
        assert d.stop() == 0


def test_stopping_answers_what_is_in_flight(row, answer):
    d = Daemon("--lame-duck", "1")
    with Connection(d.port) as c:
        data = request("POST", "/predict", json.dumps(row))
        c.send(data[:-10])
        time.sleep(0.2)
        d.terminate()
        time.sleep(0.3)
        assert d.process.poll() is None
        assert ask(d.port, "GET", "/readyz").status == 503
        assert ask(d.port, "GET", "/livez").closes
        c.send(data[-10:])
        r = c.read()
        assert r is not None and r.json == answer and r.closes
    assert d.stop() == 0
