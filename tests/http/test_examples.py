"""The example that a model shows of itself: the manifest's numbers digit by digit, and what it is answered."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from daemon import BIN, TOP, Daemon

from wire import ask

BUNDLES = sorted((TOP / "tests" / "ops" / "bundles").glob("*/")) + sorted((TOP / "tests" / "bundles" / "good").glob("*/"))


def name_of(bundle: Path) -> str:
    return f"{bundle.parent.name}.{bundle.name}"


def by_sed(document: bytes) -> bytes:
    """The row that the command of `serve --help` cuts out of a model's document."""
    told = subprocess.run([BIN, "serve", "--help"], capture_output=True, text=True, check=True).stdout
    (script,) = re.findall(r"sed '(.*)' > row.json", told)
    assert script in (TOP / "README.md").read_text()
    return subprocess.run(["sed", script], input=document, capture_output=True, check=True).stdout


def texts(document: str | bytes) -> Any:
    """JSON whose numbers stay texts: two that differ in the last digit are not the same."""
    return json.loads(document, parse_float=str, parse_int=str)


@pytest.fixture(scope="module")
def served() -> Iterator[dict[Path, Daemon]]:
    """By each bundle the daemon that serves it: as many models as one takes."""
    parts = [BUNDLES[i : i + 60] for i in range(0, len(BUNDLES), 60)]
    daemons = {b: d for part in parts for d in [Daemon(models=tuple(f"{name_of(b)}={b}" for b in part))] for b in part}
    yield daemons
    for d in set(daemons.values()):
        d.stop()


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda b: b.name)
def test_the_example_is_shown_as_it_was_published_and_answered_as_it_says(served: dict[Path, Daemon], bundle: Path) -> None:
    port, name = served[bundle].port, name_of(bundle)
    example = texts((bundle / "bundle.json").read_text())["example"]
    assert texts(ask(port, "GET", f"/models/{name}").body)["example"] == example
    assert texts(ask(port, "GET", f"/models/{name}/schema").body)["examples"] == [example["in"]]
    schemas = texts(ask(port, "GET", "/openapi.json").body)["components"]["schemas"]
    assert schemas[f"{name}.row"]["examples"] == [example["in"]] and schemas[f"{name}.answer"]["examples"] == [example["out"]]

    shown = ask(port, "GET", f"/models/{name}").json["example"]
    assert json.loads(by_sed(ask(port, "GET", f"/models/{name}").body)) == shown["in"]
    answer = ask(port, "POST", f"/models/{name}/predict?vectors=spark", json.dumps(shown["in"]))
    assert (answer.status, answer.json) == (200, shown["out"])


def test_a_row_of_any_shape_is_cut_out() -> None:
    row = {"text": 'big } one, "out":{', "v": {"size": 2, "indices": [0], "values": [1.0]}, "out": 1}
    document = json.dumps({"name": "m", "example": {"in": row, "out": {"v": [1.0], "p": 2.0}}}, separators=(",", ":"))
    assert json.loads(by_sed(document.encode())) == row
