# SPDX-License-Identifier: Apache-2.0
"""Models of MLflow's registry: looked up by alias, followed when it moves, and nothing that a server says is believed unread."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from daemon import BIN, ENVIRONMENT
from fake_mlflow import FakeMlflow
from fake_s3 import FakeS3
from live import Live
from versions import ROW, Version, answer, version

ALIAS, PLACE = "mlflow/registered-models/alias", "mlflow/model-versions/get-download-uri"


@pytest.fixture
def mlflow() -> Iterator[FakeMlflow]:
    """A running registry in which nothing is."""
    with FakeMlflow() as running:
        yield running


def register(mlflow: FakeMlflow, n: int, place: str, alias: str = "champion") -> None:
    """Register a version of "the cars", and give it the alias."""
    mlflow.places[("the cars", n)] = place
    mlflow.aliases[("the cars", alias)] = n


def publish(s3: FakeS3, n: int) -> str:
    """Publish a version to S3, all into one prefix, and return its pinned place."""
    made: Version = version(n).publish(lambda name, data: s3.store.put("models", f"cars/{name}", data))
    return f"s3://models/cars/#sha256={made.sha256}"


def through(mlflow: FakeMlflow, n: int) -> str:
    """Log a version as an artifact, and return its place."""
    version(n).publish(lambda name, data: mlflow.files.update({f"7/run{n}/artifacts/bundle/{name}": data}))
    return f"mlflow-artifacts:/7/run{n}/artifacts/bundle"


def scored(*args: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself."""
    return subprocess.run([BIN, *args], env=ENVIRONMENT | env, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("kind", ["s3", "artifacts"])
def test_the_alias_is_followed_when_it_moves(mlflow: FakeMlflow, s3: FakeS3, tmp_path: Path, kind: str) -> None:
    place = (lambda n: publish(s3, n)) if kind == "s3" else (lambda n: through(mlflow, n))
    register(mlflow, 1, place(1))
    flags = ("--cache", str(tmp_path), "--mlflow", mlflow.url)
    with Live("models:/the cars@champion", *flags, env=s3.env()) as live:
        live.serves("v1")
        with live.traffic:
            register(mlflow, 2, place(2))
            assert live.serves("v2")["sha256"] == version(2).sha256
            mlflow.aliases[("the cars", "champion")] = 1
            live.serves("v1")
        assert live.traffic.failed == [] and live.traffic.seen() == ["v1", "v2", "v1"]


def test_a_numbered_version_stays(mlflow: FakeMlflow, s3: FakeS3) -> None:
    register(mlflow, 1, publish(s3, 1))
    register(mlflow, 2, publish(s3, 2))
    env = s3.env() | {"MLFLOW_TRACKING_URI": mlflow.url + "/"}
    told = scored("check", "models:/the cars/1", env=env)
    assert told.returncode == 0 and "version v1" in told.stdout, told
    assert ALIAS not in mlflow.asked
    assert "version v2" in scored("check", "models:/the cars@champion", env=env).stdout


def test_every_command_takes_it(mlflow: FakeMlflow, tmp_path: Path) -> None:
    register(mlflow, 3, through(mlflow, 3))
    env = {"MLFLOW_TRACKING_URI": mlflow.url}
    uri = "models:/the cars@champion"
    assert scored("fetch", uri, str(tmp_path / "out"), env=env).returncode == 0
    assert (tmp_path / "out/bundle.json").read_bytes() == version(3).manifest
    assert "v3" in scored("inspect", uri, env=env).stdout
    asked = subprocess.run(
        [BIN, "predict", "--model", uri], env=ENVIRONMENT | env, input=json.dumps(ROW) + "\n", capture_output=True, text=True, check=True
    )
    assert json.loads(asked.stdout) == {"prediction": answer(3)}
    pinned = scored("check", f"{uri}#sha256={version(3).sha256}", env=env)
    assert pinned.returncode == 0, pinned
    other = scored("check", f"{uri}#sha256={version(4).sha256}", env=env)
    assert other.returncode == 1 and f"bundle-{version(4).sha256[:16]}.json" in other.stderr


@pytest.mark.parametrize(
    ("env", "wanted"),
    [
        ({"MLFLOW_TRACKING_TOKEN": "abc"}, "Bearer abc"),
        ({"MLFLOW_TRACKING_USERNAME": "ann", "MLFLOW_TRACKING_PASSWORD": "b:c"}, "Basic YW5uOmI6Yw=="),
    ],
)
def test_who_asks_is_told_to_the_server(mlflow: FakeMlflow, env: dict[str, str], wanted: str) -> None:
    register(mlflow, 1, through(mlflow, 1))
    mlflow.token = wanted
    uri = {"MLFLOW_TRACKING_URI": mlflow.url}
    assert scored("check", "models:/the cars@champion", env=env | uri).returncode == 0
    refused = scored("check", "models:/the cars@champion", env=uri)
    assert refused.returncode == 1 and "answered 401; MLFLOW_TRACKING_TOKEN" in refused.stderr


USAGE = [
    ("models:/m@a", {}, "--mlflow URL (SCORED_MLFLOW, MLFLOW_TRACKING_URI) names it"),
    ("models:/m@a", {"MLFLOW_TRACKING_URI": "sqlite:///x.db"}, "takes a URL of http or https, not 'sqlite:///x.db'"),
    ("models:/m@a", {"MLFLOW_TRACKING_URI": "http://h/?x"}, "takes a URL of http or https"),
    ("models:/m@a", {"MLFLOW_TRACKING_URI": "http://h", "MLFLOW_TRACKING_TOKEN": "a\nb"}, "MLFLOW_TRACKING_TOKEN"),
    *((f"models:/{rest}", {"MLFLOW_TRACKING_URI": "http://h"}, "models:/NAME@ALIAS or models:/NAME/VERSION")
      for rest in ("", "m", "m@", "@a", "/1", "m/", "m/latest", "m/1/2", "m@a/b", "m" * 300 + "@a")),
]  # fmt: skip


@pytest.mark.parametrize(("uri", "env", "says"), USAGE)
def test_what_is_misspelt_is_told(uri: str, env: dict[str, str], says: str) -> None:
    told = scored("check", uri, env=env)
    assert told.returncode == 2 and says in told.stderr, told


GOOD = json.dumps({"model_version": {"version": "1"}}).encode()
HOSTILE = {
    "no JSON": (ALIAS, (200, b"<html>"), "cannot be used"),
    "nothing": (ALIAS, (200, b""), "cannot be used"),
    "another shape": (ALIAS, (200, b'{"model_version":[1]}'), "cannot be used"),
    "a number": (ALIAS, (200, b'{"model_version":{"version":1}}'), "cannot be used"),
    "no number": (ALIAS, (200, b'{"model_version":{"version":"1&x=2"}}'), "version '1&x=2' is no number"),
    "endless": (ALIAS, (200, b'{"model_version":' + b" " * 200_000), "larger than allowed"),
    "deep": (ALIAS, (200, b"[" * 5000), "cannot be used"),
    "an error": (ALIAS, (500, b"oops"), "answered 500"),
    "elsewhere": (ALIAS, (302, b""), "answered 302"),
    "unknown": (ALIAS, (404, b"{}"), "answered 404"),
    "no place": (PLACE, (200, b'{"artifact_uri":""}'), "artifact_uri: empty"),
    "a long place": (PLACE, (200, b'{"artifact_uri":"s3://' + b"x" * 4000 + b'"}'), "artifact_uri: empty, too long"),
    "two lines": (PLACE, (200, b'{"artifact_uri":"s3://m/a\\nb"}'), "or no text"),
    "a folder": (PLACE, (200, b'{"artifact_uri":"/etc"}'), "only s3:// and mlflow-artifacts:/ are read"),
    "another registry": (PLACE, (200, b'{"artifact_uri":"models:/m@a"}'), "only s3:// and mlflow-artifacts:/"),
    "above": (PLACE, (200, b'{"artifact_uri":"mlflow-artifacts:/1/../../x"}'), "no place below"),
    "another server": (PLACE, (200, b'{"artifact_uri":"mlflow-artifacts://h:1/x"}'), "no place below"),
    "a query": (PLACE, (200, b'{"artifact_uri":"mlflow-artifacts:/x?y"}'), "no place below"),
    "a bad pin": (PLACE, (200, b'{"artifact_uri":"s3://models/x/#sha256=12"}'), "wants 64 lower-case hex digits"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_nothing_is_believed_unread(mlflow: FakeMlflow, what: str) -> None:
    path, reply, says = HOSTILE[what]
    register(mlflow, 1, through(mlflow, 1))
    mlflow.raw = {ALIAS: (200, GOOD), path: reply}
    told = scored("check", "models:/the cars@champion", env={"MLFLOW_TRACKING_URI": mlflow.url})
    assert told.returncode in (1, 2) and says in told.stderr and "models:/the cars@champion" in told.stderr, told


def test_a_pin_of_the_registry_holds(mlflow: FakeMlflow, s3: FakeS3) -> None:
    """Whoever can write to the bucket cannot change what was registered."""
    place = publish(s3, 1)
    register(mlflow, 1, place)
    name = f"cars/bundle-{version(1).sha256[:16]}.json"
    s3.store.put("models", name, version(2).manifest)
    publish(s3, 2)
    told = scored("check", "models:/the cars@champion", env=s3.env() | {"MLFLOW_TRACKING_URI": mlflow.url})
    assert told.returncode == 1 and "as it should be" in told.stderr, told


def test_a_server_that_goes_away_leaves_the_model(mlflow: FakeMlflow) -> None:
    register(mlflow, 1, through(mlflow, 1))
    with Live("models:/the cars@champion", "--mlflow", mlflow.url) as live:
        live.serves("v1")
        mlflow.raw = {ALIAS: (503, b"")}
        status = live.wait("a failed look", lambda s: "503" in json.dumps(s))
        assert status["version"] == "v1"
        mlflow.raw = {}
        register(mlflow, 2, through(mlflow, 2))
        live.serves("v2")
