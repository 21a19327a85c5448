"""What predictions answer."""

from __future__ import annotations

import json
import threading

import pytest
from daemon import BUNDLE, Daemon

from wire import Connection, ask, chunked, request

LINES = "application/x-ndjson"


def golden(n):
    """The first n golden rows with an answer."""
    rows = []
    for line in next(BUNDLE.glob("golden-*.jsonl")).read_text().splitlines():
        case = json.loads(line)
        if "out" in case:
            rows.append(case)
        if len(rows) == n:
            break
    return rows


def test_an_object_is_answered_by_an_object(port, row, answer, manifest):
    r = ask(port, "POST", "/predict", json.dumps(row))
    assert (r.status, r.json) == (200, answer)
    assert r.headers["content-type"] == "application/json"
    assert r.headers["x-model-name"] == manifest["name"]
    assert r.headers["x-model-version"] == manifest["version"]
    assert r.headers["x-content-type-options"] == "nosniff"
    assert r.headers["cache-control"] == "no-store"
    assert r.headers["date"] and r.headers["content-length"] == str(len(r.body))
    assert "server" not in r.headers and not r.closes


def test_an_array_is_answered_in_its_order(port):
    cases = golden(300)
    r = ask(port, "POST", "/predict", json.dumps([c["in"] for c in cases]))
    assert (r.status, r.json) == (200, [c["out"] for c in cases])


def test_an_empty_array(port):
    assert ask(port, "POST", "/predict", "[]").json == []


@pytest.mark.parametrize("kind", [LINES, "application/ndjson", "application/jsonl"])
def test_lines_are_answered_by_lines(port, kind):
    cases = golden(200)
    r = ask(port, "POST", "/predict", "\n".join(json.dumps(c["in"]) for c in cases) + "\n", kind)
    assert r.status == 200 and r.headers["content-type"] == LINES
    assert [json.loads(line) for line in r.body.splitlines()] == [c["out"] for c in cases]


@pytest.mark.parametrize("size", [1, 7, 100, 5000, 100000])
def test_lines_do_not_depend_on_chunks(port, size):
    cases = golden(60)
    body = "\n".join(json.dumps(c["in"]) for c in cases).encode()
    chunks = [body[i : i + size] for i in range(0, len(body), size)]
    with Connection(port) as c:
        c.send(chunked("POST", "/predict", chunks, LINES))
        r = c.read()
    assert r is not None and r.status == 200 and r.closes
    assert [json.loads(line) for line in r.body.splitlines()] == [c["out"] for c in cases]


def test_a_bad_line_is_answered_in_its_place(port, row, answer, text_field):
    good, wrong = json.dumps(row), json.dumps(row | {text_field: 17})
    r = ask(port, "POST", "/predict", "\n".join([good, "{", "", wrong, good]), LINES)
    answers = [json.loads(line) for line in r.body.splitlines()]
    assert r.status == 200 and len(answers) == 5
    assert answers[0] == answers[4] == answer
    assert answers[1]["error"]["type"] == answers[2]["error"]["type"] == "urn:scored:malformed-json"
    assert answers[3]["error"]["type"] == "urn:scored:wrong-type"
    assert answers[3]["error"]["field"] == text_field


def test_thousands_of_lines(port, row, answer):
    n = 20000
    r = ask(port, "POST", "/predict", (json.dumps(row) + "\n") * n, LINES)
    lines = r.body.splitlines()
    assert r.status == 200 and len(lines) == n
    assert all(json.loads(line) == answer for line in set(lines))


def test_no_lines(port):
    r = ask(port, "POST", "/predict", "", LINES)
    assert (r.status, r.body) == (200, b"")


def test_a_row_without_answer_is_a_problem(port, row, text_field):
    r = ask(port, "POST", "/predict", json.dumps(row | {text_field: 17}))
    assert r.status == 422 and r.headers["content-type"] == "application/problem+json"
    assert r.json["type"] == "urn:scored:wrong-type" and r.json["status"] == 422
    assert r.json["field"] == text_field and not r.closes


def test_malformed_json_tells_where(port):
    r = ask(port, "POST", "/predict", '{"a":1,\n "b" 2}')
    assert r.status == 400 and r.json["type"] == "urn:scored:malformed-json"
    assert (r.json["offset"], r.json["line"], r.json["column"]) == (13, 2, 6)


@pytest.mark.parametrize(
    "body", ["", " ", "{", "[", "nul", '{"a":1}x', "[1,]", '{"a":01}', '{"a":.5}', '"\\ud800"']
)
def test_malformed_bodies(port, body):
    assert ask(port, "POST", "/predict", body).json["type"] == "urn:scored:malformed-json"


def test_malformed_utf8(port):
    assert ask(port, "POST", "/predict", b'{"a":"\xff"}').json["type"] == "urn:scored:malformed-utf8"


@pytest.mark.parametrize("body", ["1", '"x"', "null", "true"])
def test_a_scalar_is_no_row(port, body):
    r = ask(port, "POST", "/predict", body)
    assert (r.status, r.json["type"]) == (422, "urn:scored:not-a-row")


def test_columns(port, row, manifest):
    names = [n for s in manifest["stages"] for out in s["outputs"].values() for n in out]
    r = ask(port, "POST", "/predict?columns=all", json.dumps(row))
    assert list(r.json) == names
    two = [names[-1], names[0]]
    assert list(ask(port, "POST", "/predict?columns=" + ",".join(two), json.dumps(row)).json) == two


def test_vectors(port, row, manifest):
    features = next(s["outputs"]["outputCol"][0] for s in manifest["stages"] if s["op"] == "vector_assembler")
    dense = ask(port, "POST", f"/predict?columns={features}&vectors=dense", json.dumps(row)).json[features]
    spark = ask(port, "POST", f"/predict?vectors=spark&columns={features}", json.dumps(row)).json[features]
    if isinstance(spark, dict):
        full = [0.0] * spark["size"]
        for i, v in zip(spark["indices"], spark["values"], strict=True):
            full[i] = v
        spark = full
    assert dense == spark and len(dense) > 1


def test_echo(port, row, answer, text_field):
    body = json.dumps(row | {"stock_id": 17, "note": "x\u00e9"}, ensure_ascii=False)
    r = ask(port, "POST", f"/predict?echo=stock_id,note&echo={text_field}&echo=absent", body)
    assert r.json == answer | {"stock_id": 17, "note": "x\u00e9", text_field: row[text_field], "absent": None}


def test_percent_encoded_parameters(port, row, answer):
    r = ask(port, "POST", "/predict?echo=a%2Cb+c%C3%A9", json.dumps(row | {"a": 1, "b c\u00e9": 2}))
    assert r.json == answer | {"a": 1, "b c\u00e9": 2}


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("colums=all", "bad-parameter"),
        ("vectors=sparse", "bad-parameter"),
        ("vectors", "bad-parameter"),
        ("columns=", "bad-parameter"),
        ("columns=all&columns=all", "bad-parameter"),
        ("echo=", "bad-parameter"),
        ("echo=a,", "bad-parameter"),
        ("echo=a,a", "bad-parameter"),
        ("echo=prediction", "bad-parameter"),
        ("echo=%ff", "bad-parameter"),
        ("echo=a%ffb", "bad-parameter"),
        ("columns=a%ff", "bad-parameter"),
        ("a%ff=all", "bad-parameter"),
        ("echo=" + ",".join("abcdefghijklmnopq"), "bad-parameter"),
        ("=x", "bad-parameter"),
        ("columns=nothing", "unknown-column"),
        ("columns=prediction,", "unknown-column"),
    ],
)
def test_bad_parameters(port, row, query, kind):
    r = ask(port, "POST", f"/predict?{query}", json.dumps(row))
    assert (r.status, r.json["type"]) == (400, f"urn:scored:{kind}")
    assert not query.startswith("colums") or '"colums"' in r.json["detail"]
    known = r.json["columns"] if kind == "unknown-column" else r.json["parameters"]
    assert ("prediction" if kind == "unknown-column" else "echo") in known


def test_an_empty_query(port, row, answer):
    assert ask(port, "POST", "/predict?", json.dumps(row)).json == answer
    assert ask(port, "POST", "/predict?&", json.dumps(row)).json == answer


def test_many_models():
    d = Daemon(models=(f"a={BUNDLE}", f"default={BUNDLE}"))
    try:
        row = golden(1)[0]
        assert ask(d.port, "POST", "/predict", json.dumps(row["in"])).headers["x-model-name"] == "default"
        assert ask(d.port, "POST", "/models/a/predict", json.dumps(row["in"])).json == row["out"]
        r = ask(d.port, "POST", "/models/b/predict", "{}")
        assert (r.status, r.json["type"], r.json["models"]) == (404, "urn:scored:no-model", ["a", "default"])
        assert set(ask(d.port, "GET", "/openapi.json").json["paths"]) >= {"/predict", "/models/a/predict"}
    finally:
        assert d.stop() == 0


def test_two_models_and_no_default():
    d = Daemon(models=(f"a={BUNDLE}", f"b={BUNDLE}"))
    try:
        assert ask(d.port, "POST", "/predict", "{}").json["models"] == ["a", "b"]
        assert ask(d.port, "GET", "/openapi.json").status == 200
    finally:
        assert d.stop() == 0


def test_connections_at_once_each_get_their_own_answers(port):
    cases = golden(64)
    wrong = []

    def work(case):
        with Connection(port) as c:
            for i in range(40):
                c.send(request("POST", "/predict", json.dumps(case["in"]), headers={"X-Request-Id": f"r{i}"}))
                r = c.read()
                if r is None or r.json != case["out"] or r.headers["x-request-id"] != f"r{i}":
                    wrong.append(r)

    threads = [threading.Thread(target=work, args=(case,)) for case in cases]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_reject_unknown_fields(row):
    d = Daemon("--unknown-fields", "reject")
    try:
        r = ask(d.port, "POST", "/predict", json.dumps(row | {"nobody knows": 1}))
        assert (r.status, r.json["type"]) == (422, "urn:scored:unknown-field")
        assert ask(d.port, "POST", "/predict", json.dumps(row)).status == 200
    finally:
        assert d.stop() == 0


def test_an_error_leaves_the_connection_open(port, row):
    """A malformed body, an unknown column and a wrong media type are answered; the next request goes on."""
    bad = [("/predict", b"{", "application/json", 400), ("/predict?columns=none", b"{}", "application/json", 400),
           ("/predict", b"a,b", "text/yaml", 415), ("/nothing", b"{}", "application/json", 404)]
    with Connection(port) as c:
        for target, body, kind, status in bad:
            c.send(request("POST", target, body, headers={"Content-Type": kind}))
            r = c.read()
            assert r is not None and (r.status, r.closes) == (status, False)
        c.send(request("POST", "/predict", json.dumps(row).encode(), headers={"Content-Type": "application/json"}))
        r = c.read()
        assert r is not None and r.status == 200


@pytest.mark.parametrize("name", ["error", "skipped"])
def test_an_echo_does_not_take_the_place_of_an_error(port, row, name):
    r = ask(port, "POST", f"/predict?echo={name}", json.dumps(row))
    assert (r.status, r.json["type"]) == (400, "urn:scored:bad-parameter")
