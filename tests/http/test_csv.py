"""CSV in, CSV out: the same answers as NDJSON gives, row by row."""

from __future__ import annotations

import csv
import io
import json
import random
from pathlib import Path

import pytest
from daemon import Daemon

from wire import Connection, ask, chunked

CSV, LINES = "text/csv", "application/x-ndjson"
OPS = Path(__file__).resolve().parent.parent / "ops" / "bundles"
# models of every kind of column that a row can bring
OTHERS = ["imputer.integers", "tokenizer.texts", "vector_slicer.names", "stop_words_remover.lists", "binarizer.several"]


def written(records, quoting=csv.QUOTE_MINIMAL):
    """Records as Python's own writer has them; None is nothing, an empty text is in quotes."""
    out = io.StringIO()
    for record in records:
        line = io.StringIO()
        csv.writer(line, quoting=quoting).writerow(["\0" if v == "" else v for v in record])
        out.write(line.getvalue().replace('"\0"', '""').replace("\0", '""'))
    return out.getvalue()


def cell(value):
    """A value as a field of CSV."""
    if isinstance(value, (list, dict, bool)):
        return json.dumps(value)
    return value


def as_csv(names, rows, quoting=csv.QUOTE_MINIMAL):
    """Rows as a body of CSV."""
    return written([names, *([cell(r.get(n)) for n in names] for r in rows)], quoting)


def read(text):
    """The records of an answer, as Python's own reader has them."""
    return list(csv.reader(io.StringIO(text, newline="")))


def expected(line, columns):
    """The record that says what a line of NDJSON says."""
    if "error" in line:
        error = line["error"]
        return [""] * len(columns) + [f"{error['type']} {error['detail']}"]
    if "skipped" in line:
        return [""] * len(columns) + ["skipped"]
    return [plain(line[c]) for c in columns] + [""]


class Digits(str):
    """A number as it was written."""


def plain(value):
    """A value of JSON as it stands in a field."""
    if value is None:
        return ""
    return value if isinstance(value, str) else nested(value)


def nested(value):
    """A value of JSON as it was written."""
    if isinstance(value, list):
        return "[" + ",".join(map(nested, value)) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f'"{k}":{nested(v)}' for k, v in value.items()) + "}"
    return value if isinstance(value, Digits) else json.dumps(value, ensure_ascii=False)


def same(port, names, rows, query=""):
    """CSV is answered as NDJSON is, but for what only one of them can say."""
    names = names if len(names) > 1 else [*names, "pad"]  # a null alone would be a blank line
    lines = "\n".join(json.dumps({n: r.get(n) for n in names}) for r in rows)
    target = f"/predict{query}"
    by_lines = ask(port, "POST", target, lines, LINES)
    by_csv = ask(port, "POST", target, as_csv(names, rows), CSV)
    assert (by_lines.status, by_csv.status) == (200, 200), by_csv.body[:300]
    assert by_csv.headers["content-type"] == CSV
    head, *records = read(by_csv.body.decode())
    answers = [json.loads(x, parse_float=Digits, parse_int=Digits) for x in by_lines.body.decode().splitlines()]
    assert head[-1] == "error" and len(records) == len(answers)
    for record, line in zip(records, answers):
        assert record == expected(line, head[:-1])
    return records


def adversarial(rng, kind):
    """A value that a field of the kind takes, or should not."""
    if rng.random() < 0.1:
        return None
    if kind == "string":
        return rng.choice(["", " ", "a,b", 'say "x"', "line\nline", "\r", "null", "NaN", "1", "true", "𝄞é", "x" * 300])
    if kind == "boolean":
        return rng.choice([True, False])
    if kind == "vector":
        return rng.choice([[1, 2.5], [], {"size": 3, "indices": [1], "values": [-0.0]}, ["NaN", 1]])
    if kind == "array<string>":
        return rng.choice([[], ["a", "b,c"], ['"'], ["é", "𝄞"]])
    if kind in ("float", "double"):
        return rng.choice(["NaN", "Infinity", "-Infinity", 0, -0.0, 1e300, 5e-324, 1.5, -7, rng.gauss(0, 100)])
    return rng.choice([0, 1, -1, 100, 2**31, rng.randrange(-5, 500)])


def test_the_example(port, row, answer):
    (record,) = same(port, list(row), [row])
    assert record == [plain(answer["prediction"]), ""]


def test_bodies_of_any_values_are_answered_as_lines_are(port, manifest, row):
    rng = random.Random(1)
    kinds = {f["name"]: f["type"] for f in manifest["input"]}
    rows = [row | {n: adversarial(rng, k) for n, k in kinds.items() if rng.random() < 0.1} for _ in range(700)]
    records = same(port, list(kinds), rows)
    assert sum(r[-1] == "" for r in records) > 100 < sum(r[-1] != "" for r in records)
    same(port, list(kinds), rows, query="?columns=all")


@pytest.mark.parametrize("name", OTHERS)
def test_columns_of_all_kinds(name):
    manifest = json.loads((OPS / name / "bundle.json").read_text())
    rng = random.Random(name)
    kinds = {f["name"]: f["type"] for f in manifest["input"]}
    d = Daemon(models=(str(OPS / name),))
    try:
        rows = [{n: adversarial(rng, k) for n, k in kinds.items()} for _ in range(200)]
        same(d.port, list(kinds), rows)
        same(d.port, list(kinds), rows, query="?columns=all&vectors=spark")
    finally:
        assert d.stop() == 0


def test_every_quoting_and_ending_says_the_same(port, row):
    names = list(row)
    want = ask(port, "POST", "/predict", as_csv(names, [row, row]), CSV).body
    for quoting in (csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC):
        assert ask(port, "POST", "/predict", as_csv(names, [row, row], quoting), CSV).body == want
    text = as_csv(names, [row, row])
    for other in (text.replace("\r\n", "\n"), text.rstrip(), text + "\r\n\n", "\ufeff" + text):
        assert ask(port, "POST", "/predict", other, "application/csv").body == want


def test_names_come_in_any_order_and_may_be_unknown(port, row, answer):
    names = [*reversed(row), "more"]
    r = ask(port, "POST", "/predict", as_csv(names, [row | {"more": "x"}]), CSV)
    assert read(r.body.decode())[1] == [plain(answer["prediction"]), ""]
    assert r.headers["x-scored-unknown-fields"] == "more"
    r = ask(port, "POST", "/predict?strict=true", as_csv(names, [row]), CSV)
    assert "urn:scored:unknown-field" in read(r.body.decode())[1][-1]


def test_echoes_stand_first(port, row):
    names = [*row, "id"]
    rows = [row | {"id": v} for v in ('a,"b"', "", "7", None)]
    r = ask(port, "POST", "/predict?echo=id", as_csv(names, rows), CSV)
    head, *records = read(r.body.decode())
    assert head == ["id", "prediction", "error"]
    assert [x[0] for x in records] == ['a,"b"', "", "7", ""]
    assert b'\r\n"",' in b"\r\n" + r.body.replace(b"\n", b"\r\n") and b"\n,2" in r.body  # empty text, and null


@pytest.mark.parametrize(
    ("record", "why"),
    [
        ("{x},1", "expected {n} fields as in the first line, found {m}"),
        ('"open', "a quote is not closed"),
        ('"a"b', "something stands between a closing quote and the next comma"),
        ('a"b', "a quote stands within a field that is not in quotes"),
    ],
)
def test_a_torn_record_fails_alone(port, row, record, why):
    names = list(row)
    good = as_csv(names, [row]).split("\r\n")[1]
    bad = record.format(x=good) if "{x}" in record else good.rsplit(",", 1)[0] + "," + record
    last = '"open' in record
    body = "\r\n".join([",".join(names), good, *([bad] if last else [bad, good])])
    records = read(ask(port, "POST", "/predict", body, CSV).body.decode())[1:]
    assert [r[-1] == "" for r in records] == ([True, False] if last else [True, False, True])
    said = records[1][-1]
    assert said == "urn:scored:malformed-csv " + why.format(n=len(names), m=len(names) + 1)


@pytest.mark.parametrize("body", ["", "\n", "\ufeff", "\r\n\r\n"])
def test_a_body_without_names_is_refused(port, body):
    r = ask(port, "POST", "/predict", body.encode(), CSV)
    assert (r.status, r.json["type"]) == (400, "urn:scored:malformed-csv")


def test_a_name_that_stands_twice_is_refused(port, row):
    name = next(iter(row))
    r = ask(port, "POST", "/predict", f"{name},{name}\r\n1,1\r\n", CSV)
    assert (r.status, r.json["type"]) == (400, "urn:scored:duplicate-field")


def test_only_names_have_no_rows(port, row):
    r = ask(port, "POST", "/predict", ",".join(row) + "\n", CSV)
    assert (r.status, r.body) == (200, b"prediction,error\n")


def test_pieces_say_the_same(port, row):
    names = list(row)
    field = next(n for n in names if isinstance(row[n], str))
    data = as_csv(names, [row, row | {field: 'a "quoted",\r\nlong text'}, row]).encode()
    want = ask(port, "POST", "/predict", data, CSV).body
    for size in (1, 2, 3, 7, 64):
        pieces = [data[i : i + size] for i in range(0, len(data), size)]
        with Connection(port) as c:
            c.send(chunked("POST", "/predict", pieces, CSV))
            assert c.read().body == want


def test_a_quote_that_never_closes_is_too_large(port, row):
    body = ",".join(row) + '\r\n"' + "x" * (2 << 20)
    r = ask(port, "POST", "/predict", body, CSV)
    assert (r.status, r.json["type"]) == (413, "urn:scored:too-large")
    assert "--max-body" in r.json["detail"]


def test_the_answer_must_be_wanted(port, row):
    r = ask(port, "POST", "/predict", as_csv(list(row), [row]), CSV, {"Accept": "application/json"})
    assert r.status == 406 and "text/csv" in r.json["detail"]
    r = ask(port, "POST", "/predict", as_csv(list(row), [row]), CSV, {"Accept": "text/*"})
    assert r.status == 200
