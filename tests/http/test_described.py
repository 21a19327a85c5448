"""/openapi.json: valid, complete, and what answers, failed rows and skipped rows can be told apart by."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import described
import pytest
from daemon import BIN, TOP, Daemon
from openapi_spec_validator import validate
from wire import Reply, ask

OPS = sorted(TOP.glob("tests/ops/bundles/*"))
SKIPS = "bucketizer.open_skip"
METHODS = ("get", "post")
OF_ALL = {400, 406, 431, 500, 503}


AT_ONCE = 48  # models of a daemon; 64 may be named
WIDE = 10_000  # slots of a vector; each is looked at, so written out they are only where all answers are short
QUERIES = ("", "?columns=all", "?columns=all&vectors=spark")


@pytest.fixture(scope="module")
def many() -> Iterator[list[Daemon]]:
    """Daemons that serve the models of all ops, in their order."""
    groups = [OPS[i : i + AT_ONCE] for i in range(0, len(OPS), AT_ONCE)]
    daemons = [Daemon(models=tuple(f"{path.name}={path}" for path in group)) for group in groups]
    yield daemons
    assert not any([d.stop() for d in daemons])


def server(many: list[Daemon], bundle: Path) -> Daemon:
    """The one that has a bundle's model."""
    return many[OPS.index(bundle) // AT_ONCE]


def rows_of(bundle: Path) -> list[dict[str, Any]]:
    """The golden rows of a bundle as requests."""
    (golden,) = bundle.glob("golden-*")
    return [json.loads(line)["in"] for line in golden.read_bytes().splitlines()]


def is_wide(bundle: Path) -> bool:
    """Whether it answers vectors of very many slots."""
    output = json.loads((bundle / "bundle.json").read_text())["output"]
    return any((column.get("size") or 0) > WIDE for column in output)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each operation of a document with its path and method."""
    for path, item in document["paths"].items():
        yield from ((path, method, item[method]) for method in METHODS if method in item)


def test_the_document_is_valid(daemon: Daemon) -> None:
    for port in (daemon.port, daemon.admin):
        validate(ask(port, "GET", "/openapi.json").json)


def test_each_operation_has_an_id_of_its_own(many: list[Daemon]) -> None:
    for port in [p for d in many for p in (d.port, d.admin)]:
        document = ask(port, "GET", "/openapi.json").json
        ids = [operation["operationId"] for _, _, operation in operations(document)]
        assert len(ids) == len(set(ids)) and all(re.fullmatch(r"[\w.-]+", i) for i in ids)


def test_each_operation_lists_its_statuses(many: list[Daemon]) -> None:
    seen = set()
    documents = [ask(port, "GET", "/openapi.json").json for d in many for port in (d.port, d.admin)]
    for path, method, operation in (found for d in documents for found in operations(d)):
        statuses = {int(s) for s in operation["responses"]}
        assert statuses >= OF_ALL, path
        assert (404 in statuses) == (method == "post" or path.startswith("/models/")), path
        assert (415 in statuses) == (413 in statuses) == (method == "post"), path
        assert (422 in statuses) == path.endswith("/predict"), path
        assert (403 in statuses) == (409 in statuses) == path.endswith(("/reload", "/rollback")), path
        for said in operation["responses"].values():
            assert "$ref" in said or all(c["schema"] for c in said["content"].values()), path
        seen.add(path.rpartition("/")[2])
    assert {"predict", "rollback", "livez", "models", "metrics", "openapi.json"} <= seen


ASKED = [(query, bundle) for query in QUERIES for bundle in OPS if "spark" in query or not is_wide(bundle)]


@pytest.mark.parametrize(("query", "bundle"), ASKED, ids=[f"{query}-{bundle.name}" for query, bundle in ASKED])
def test_answers_of_every_op_are_described(many: list[Daemon], bundle: Path, query: str) -> None:
    port = server(many, bundle).port
    target = f"/models/{bundle.name}/predict{query}"
    before = described.checked
    answers = ask(port, "POST", target, json.dumps(rows_of(bundle)[:50])).json
    for row in rows_of(bundle)[:3]:
        assert ask(port, "POST", target, json.dumps(row)).status in (200, 422)
    assert described.checked == before + 4 and len(answers) > 5


def fitting(port: int, model: str, body: Any) -> set[str]:
    """Which of the schemas of a line a body is of."""
    document = described.DOCUMENTS[port]
    names = (f"{model}.answer", f"{model}.columns", "row-failed", "row-skipped")
    found = set()
    for name in names:
        try:
            document.check({"$ref": f"#/components/schemas/{name}"}, body)
            found.add(name)
        except AssertionError:
            continue
    return found


def test_what_a_row_comes_to_can_be_told_apart(many: list[Daemon]) -> None:
    bundle = TOP / "tests/ops/bundles" / SKIPS
    port = server(many, bundle).port
    target = f"/models/{SKIPS}/predict"
    rows = rows_of(bundle)
    field = next(iter(rows[0]))
    rows += [rows[0] | {field: "no number"}]
    answers = ask(port, "POST", f"{target}?echo={field}", json.dumps(rows)).json
    kinds = [fitting(port, SKIPS, answer) for answer in answers]
    assert {frozenset(kind) for kind in kinds} == {
        frozenset({f"{SKIPS}.answer", f"{SKIPS}.columns"}),
        frozenset({"row-skipped"}),
        frozenset({"row-failed"}),
    }
    assert answers[-1]["error"]["status"] == 422 and answers[-1]["error"]["row"] == len(rows) - 1


def test_names_mean_what_the_last_stage_made_of_them(many: list[Daemon]) -> None:
    bundle = TOP / "tests/ops/bundles/column_pruner.keep"
    port = server(many, bundle).port
    stages = json.loads((bundle / "bundle.json").read_text())["stages"]
    (pruner,) = (stage for stage in stages if stage["op"] == "column_pruner")
    target = f"/models/{bundle.name}/predict?columns="
    row = json.dumps(rows_of(bundle)[0])
    shadowed = ask(port, "POST", f"{target}v", row)
    assert shadowed.status == 200 and list(shadowed.json) == ["v"]
    for name in pruner["inputs"]["columnsToPrune"]:
        told = ask(port, "POST", f"{target}{name}", row)
        assert told.status == 400 and told.json["detail"].startswith(f"stage {pruner['uid']} drops the column")
        assert name not in told.json["columns"]


def test_a_line_tells_the_status_of_its_error(port: int, row: dict[str, Any]) -> None:
    lines = "\n".join(["{", json.dumps(row | {next(iter(row)): []}), json.dumps(row)])
    r = ask(port, "POST", "/predict", lines, kind="application/x-ndjson")
    errors = [json.loads(line).get("error") for line in r.body.splitlines()]
    assert [e and e["status"] for e in errors] == [400, 422, None]


def without(body: Any, *path: Any) -> bytes:
    """The body without a member."""
    copy = json.loads(json.dumps(body))
    place = copy
    for key in path[:-1]:
        place = place[key]
    del place[path[-1]]
    return json.dumps(copy).encode()


def test_a_reply_that_is_not_as_described_fails(port: int, row: dict[str, Any], manifest: dict[str, Any]) -> None:
    """The check itself: replies with one thing wrong."""
    asked = ("POST", "/predict")
    bad = row | {next(iter(row)): []}
    several = ask(port, *asked, json.dumps([row, bad]))
    single = ask(port, *asked, json.dumps(bad))
    model = ask(port, "GET", f"/models/{manifest['name']}")
    output = manifest["output"][0]["name"]
    wrong: list[tuple[tuple[str, str], Reply]] = [
        *((asked, replace(several, body=without(several.json, 1, "error", k))) for k in ("status", "row", "type")),
        (asked, replace(several, body=json.dumps([{output: None}]).encode())),
        (asked, replace(several, body=json.dumps([{output: 1.0, "more": [1]}]).encode())),
        (asked, replace(several, status=418)),
        (asked, replace(several, headers=several.headers | {"content-type": "text/html"})),
        (asked, replace(single, body=without(single.json, "status"))),
        (("GET", f"/models/{manifest['name']}"), replace(model, body=without(model.json, "reload", "state"))),
        (("GET", "/nowhere"), several),
    ]
    for request, reply in wrong:
        with pytest.raises(AssertionError):
            described.check_reply(port, request, reply)


def labelled(port: int, bundle: Path) -> None:
    """The label of a class is answered where it is asked for by name, and else not."""
    row = {"make": "BMW", "age": 3, "km": 0.25}
    asked = ask(port, "POST", "/predict?columns=forest_label,linear", json.dumps(row).encode())
    assert (asked.status, asked.json) == (200, {"forest_label": "0", "linear": -0.375})
    for query in ("", "?columns=all"):
        assert "forest_label" not in ask(port, "POST", f"/predict{query}", json.dumps(row).encode()).json
    unknown = ask(port, "POST", "/predict?columns=linear_label", json.dumps(row).encode())
    assert unknown.status == 400 and unknown.json["columns"][-1] == "forest_label"
    command = [BIN, "predict", "--model", bundle, "--columns", "forest_label"]
    done = subprocess.run(command, input=json.dumps(row).encode() + b"\n", capture_output=True, check=True)
    assert json.loads(done.stdout) == {"forest_label": "0"}


def test_labels_of_classes_are_told() -> None:
    """In every description of a model."""
    bundle = TOP / "tests" / "bundles" / "good" / "labels"
    given = json.loads((bundle / "bundle.json").read_text())["labels"]
    d = Daemon(models=(f"m={bundle}",))
    try:
        assert ask(d.port, "GET", "/models/m").json["labels"] == given
        assert ask(d.port, "GET", "/models/m/schema").json["x-labels"] == given
        document = ask(d.port, "GET", "/openapi.json").json
        validate(document)
        for kind in ("answer", "columns"):
            columns = document["components"]["schemas"][f"m.{kind}"]["properties"]
            found = {name: c["x-labels"] for name, c in columns.items() if "x-labels" in c}
            assert found == given and all(columns[name]["description"] for name in given)
        assert columns["forest_label"]["description"] == "the label of a class"
        assert "forest_label" not in document["components"]["schemas"]["m.answer"]["properties"]
        told = ask(d.port, "GET", "/models/m").json["columns"]
        assert told[-1] == "forest_label" and told.count("forest_label") == 1
        labelled(d.port, bundle)
    finally:
        assert d.stop() == 0
    shown = subprocess.run([BIN, "inspect", bundle], capture_output=True, text=True, check=True).stdout
    for name, labels in given.items():
        (line,) = re.findall(rf"^  {name} +(0 .*)$", shown, re.M)
        assert line == ", ".join(f"{i} {json.dumps(v, ensure_ascii=False)}" for i, v in enumerate(labels))


def test_a_model_without_labels_tells_none(port: int, manifest: dict[str, Any]) -> None:
    name = manifest["name"]
    assert "labels" not in ask(port, "GET", f"/models/{name}").json
    assert "x-labels" not in ask(port, "GET", f"/models/{name}/schema").json
    assert "x-labels" not in ask(port, "GET", "/openapi.json").body.decode()
