"""Mistakes that would be silent: fields that the model does not know, rows that hold none, bodies without a type."""

from __future__ import annotations

import json
from urllib.parse import unquote

import pytest
from daemon import Daemon, until

from wire import ask

FORM = "application/x-www-form-urlencoded"
UNKNOWN = "x-scored-unknown-fields"


def misspelt(row):
    """The row with the last letter of its first field's name gone."""
    name = next(iter(row))
    return {name[:-1]: row[name]} | {k: v for k, v in row.items() if k != name}, name


def test_unknown_fields_are_told_in_a_header(port, row, answer):
    r = ask(port, "POST", "/predict", json.dumps(row | {"milage": 1, "ü,\n": 2, "milage ": 3}))
    assert (r.status, r.json) == (200, answer)
    assert [unquote(name) for name in r.headers[UNKNOWN].split(",")] == ["milage", "ü,\n", "milage "]
    assert UNKNOWN not in ask(port, "POST", "/predict", json.dumps(row)).headers


def test_the_header_is_bounded(port, row):
    """Eight names, each once, of 64 bytes, not cut within a character."""
    more = {"x" + "ü" * 40: 1} | {f"n{i % 30}": i for i in range(60)}
    r = ask(port, "POST", "/predict", json.dumps([row | more] * 3))
    names = [unquote(name) for name in r.headers[UNKNOWN].split(",")]
    assert r.status == 200 and names == ["x" + "ü" * 31] + [f"n{i}" for i in range(7)]


def test_lines_are_told_too(port, row):
    lines = "\n".join(json.dumps(row | {f"odd{i}": 1}) for i in range(3))
    r = ask(port, "POST", "/predict", lines, kind="application/x-ndjson")
    assert r.headers[UNKNOWN] == "odd0,odd1,odd2"


def test_names_of_one_request_are_not_told_to_the_next(port, row):
    assert ask(port, "POST", "/predict", json.dumps(row | {"once": 1})).headers[UNKNOWN] == "once"
    assert ask(port, "POST", "/predict", json.dumps(row | {"twice": 1})).headers[UNKNOWN] == "twice"


def test_strict_asks_for_all_fields_and_no_others(port, row, answer):
    whole = json.dumps(row)
    assert ask(port, "POST", "/predict?strict=true", whole).json == answer
    wrong, name = misspelt(row)
    r = ask(port, "POST", "/predict?strict=true", json.dumps(wrong))
    assert (r.status, r.json["type"]) == (422, "urn:scored:unknown-field")
    assert f'did you mean "{name}"?' in r.json["detail"]
    rest = {k: v for k, v in row.items() if k != name}
    r = ask(port, "POST", "/predict?strict=true", json.dumps([rest, row]))
    assert r.json[0]["error"]["type"] == "urn:scored:missing-field"
    assert r.json[0]["error"]["field"] == name and r.json[1] == answer
    assert ask(port, "POST", "/predict?strict=yes", whole).status == 400


def test_strict_takes_null_for_a_value(port, row, manifest):
    nullable = next(c["name"] for c in manifest["input"] if c["nullable"])
    assert ask(port, "POST", "/predict?strict=true", json.dumps(row | {nullable: None})).status == 200


def test_missing_fields_may_be_refused_for_all(row, manifest):
    nullable = next(c["name"] for c in manifest["input"] if c["nullable"])
    rest = json.dumps({k: v for k, v in row.items() if k != nullable})
    d = Daemon("--missing-fields", "reject")
    try:
        r = ask(d.port, "POST", "/predict", rest)
        assert (r.status, r.json["type"], r.json["field"]) == (422, "urn:scored:missing-field", nullable)
        assert ask(d.port, "POST", "/predict?strict=false", rest).status == 200
        assert ask(d.port, "POST", "/predict", json.dumps(row)).status == 200
    finally:
        assert d.stop() == 0


@pytest.mark.parametrize("envelope", ["instances", "inputs", "dataframe_split"])
def test_an_envelope_of_another_server_is_named(port, row, envelope):
    r = ask(port, "POST", "/predict", json.dumps({envelope: [row]}))
    assert (r.status, r.json["type"]) == (422, "urn:scored:unknown-field")
    assert f'without "{envelope}" around them' in r.json["detail"]


def test_a_row_without_a_field_of_the_model_is_no_row(port, row, answer):
    shouted = {k.upper(): v for k, v in row.items()}
    r = ask(port, "POST", "/predict", json.dumps([{}, shouted, row]))
    none, case, good = r.json
    assert none["error"]["type"] == case["error"]["type"] == "urn:scored:unknown-field"
    assert "none of the model's" in none["error"]["detail"]
    name = next(iter(row))
    assert f'by "{name.upper()}", did you mean "{name}"?' in case["error"]["detail"]
    assert good == answer


def test_the_operator_sees_the_names_last_seen(row, manifest):
    d = Daemon()
    model = f"/models/{manifest['name']}"
    wrong, name = misspelt(row)
    try:
        for _ in range(3):
            ask(d.port, "POST", "/predict", json.dumps([wrong | {"secret": "hush"}]))
        seen = {f["name"]: f for f in ask(d.admin, "GET", model).json["unknown_fields"]}
        assert seen.keys() == {name[:-1], "secret"}
        assert (seen[name[:-1]]["requests"], seen[name[:-1]]["did_you_mean"]) == (3, name)
        assert "unknown_fields" not in ask(d.port, "GET", model).json
        until(lambda: f"field={name[:-1]} meant={name}" in d.log(), "the line about the field")
        assert d.log().count(f"field={name[:-1]} ") == 1 and "hush" not in d.log()
        for i in range(40):
            ask(d.port, "POST", "/predict", json.dumps(row | {f"f{i}": 1}))
        seen = ask(d.admin, "GET", model).json["unknown_fields"]
        assert {f["name"] for f in seen} == {f"f{i}" for i in range(24, 40)}
        assert d.log().count("a field that the model does not know") < 40  # so many a second at most
    finally:
        assert d.stop() == 0


@pytest.mark.parametrize("space", [b"", b" \r\n\t"])
def test_what_curl_sends_without_a_type_is_taken_as_json(port, row, answer, space):
    body = space + json.dumps(row).encode()
    assert ask(port, "POST", "/predict", body, kind=FORM).json == answer
    r = ask(port, "POST", "/predict", space + b"[" + body + b"]", kind=FORM)
    assert r.json == [answer]


def test_a_form_is_no_json(port, row):
    r = ask(port, "POST", "/predict", "make=Ford", kind=FORM)
    assert (r.status, r.json["type"]) == (415, "urn:scored:unsupported-type")
    assert "application/json" in r.headers["accept-post"] and FORM in r.json["detail"]


def test_a_page_of_a_browser_cannot_send_a_form_to_the_operator(daemon, manifest):
    r = ask(daemon.admin, "POST", f"/models/{manifest['name']}/reload", "{}", kind=FORM)
    assert r.status == 415


def test_lines_that_come_as_json_are_told_what_they_are(port, row):
    r = ask(port, "POST", "/predict", json.dumps(row) + "\n" + json.dumps(row))
    assert r.status == 400 and "application/x-ndjson" in r.json["detail"] and r.json["line"] == 2
