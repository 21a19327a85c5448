"""New versions of a directory's bundle, and what operators ask: reload, rollback, versions."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from daemon import BIN, TOP, Daemon
from wire import Reply, ask

VERSIONS = TOP / "tests" / "bundles" / "versions"
ROW = json.dumps({"km": 2.0, "year": 3, "spare": "x"}).encode()  # v<N> answers 1.25 + 3 N
WAIT_SECONDS = 20.0


def answer_of(version: int) -> float:
    """What version `version` answers to ROW."""
    return 1.25 + 3 * version


class Served:
    """A daemon on a folder into which versions are published."""

    def __init__(self, folder: Path, *flags: str) -> None:
        self.folder = folder
        shutil.copytree(VERSIONS, folder)
        self.publish("v1")
        self.daemon = Daemon("--poll", "3600", *flags, models=(f"cars={folder}",))

    def publish(self, name: str) -> None:
        """Makes a version the one that `bundle.json` is, as a publisher does."""
        part = self.folder / "bundle.json.part"
        part.write_bytes((VERSIONS / f"{name}.json").read_bytes())
        part.rename(self.folder / "bundle.json")

    def post(self, path: str, body: bytes | None = None) -> Reply:
        """Asks the admin listener."""
        return ask(self.daemon.admin, "POST", path, b"{}" if body is None else body)

    def about(self) -> dict[str, Any]:
        """GET /models/cars."""
        return ask(self.daemon.admin, "GET", "/models/cars").json

    def reload(self, body: bytes | None = None) -> dict[str, Any]:
        """Reloads and waits until that is done."""
        reply = self.post("/models/cars/reload", body)
        assert reply.status == 202
        return self.wait(lambda a: a["reload"]["attempts"] >= reply.json["attempt"])

    def wait(self, done: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Waits until the model's description satisfies `done`."""
        end = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < end:
            about = self.about()
            if done(about):
                return about
            time.sleep(0.01)
        raise AssertionError(f"waited in vain: {about}")

    def predict(self, path: str = "/predict") -> Reply:
        """Asks ROW."""
        return ask(self.daemon.port, "POST", path, ROW)

    def serves(self, version: int, path: str = "/predict") -> bool:
        """Whether answer and header are those of a version."""
        reply = self.predict(path)
        right = reply.status == 200 and reply.json["prediction"] == answer_of(version)
        return right and reply.headers["x-model-version"] == f"v{version}"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """Version 1, one previous version kept."""
    s = Served(tmp_path / "bundle")
    yield s
    assert s.daemon.stop() == 0


def test_reload_publishes_the_next(served: Served) -> None:
    assert served.serves(1)
    served.publish("v2")
    assert served.serves(1)  # nobody has looked yet
    about = served.reload()
    assert served.serves(2)
    assert about["version"] == "v2" and about["reload"]["last_error"] is None
    assert [v["version"] for v in about["versions"]] == ["v1"]


def test_kept_versions_answer(served: Served) -> None:
    served.publish("v2")
    served.reload()
    assert served.serves(1, "/models/cars/versions/v1/predict")
    assert served.serves(2, "/models/cars/versions/v2/predict")
    gone = served.predict("/models/cars/versions/v3/predict")
    assert gone.status == 404 and gone.json["type"] == "urn:scored:no-version"
    assert [v["version"] for v in gone.json["versions"]] == ["v1"]
    served.publish("v3")
    served.reload()
    assert served.predict("/models/cars/versions/v1/predict").status == 404
    assert served.serves(2, "/models/cars/versions/v2/predict")


def test_rollback_and_what_undoes_it(served: Served) -> None:
    assert served.post("/models/cars/rollback").status == 409
    metrics = ask(served.daemon.admin, "GET", "/metrics").body.decode()
    assert 'scored_requests_total{route="/models/{name}/rollback",model="cars",status="409"} 1' in metrics
    served.publish("v2")
    served.reload()
    reply = served.post("/models/cars/rollback")
    assert reply.status == 200 and reply.json["version"] == "v1" and "this instance" in reply.json["detail"]
    assert served.serves(1)
    about = served.reload()  # the folder still holds version 2
    assert served.serves(1)
    assert [r["phase"] for r in about["refused"]] == ["rollback"]
    assert about["reload"]["last_error"]["refused"]
    about = served.reload(b'{"force":true}')
    assert served.serves(2) and about["refused"] == []


@pytest.mark.parametrize(
    ("name", "phase", "words"),
    [
        ("bad_golden", "golden", "expected"),
        ("bad_op", "compile", "op"),
        ("input_retyped", "schema", "another type"),
        ("input_not_nullable", "schema", "no longer be null"),
        ("output_dropped", "schema", "no longer answered"),
        ("output_resized", "schema", "another type"),
        ("name_changed", "schema", "name"),
        ("label_reused", "label", "label of its own"),
    ],
)
def test_refused(served: Served, name: str, phase: str, words: str) -> None:
    served.publish(name)
    about = served.reload()
    error = about["reload"]["last_error"]
    assert served.serves(1)
    assert error["phase"] == phase and error["refused"] and words in error["detail"], error
    assert [r["phase"] for r in about["refused"]] == [phase]
    assert "scored_model_failing{model=\"cars\"} 1" in ask(served.daemon.port, "GET", "/metrics").body.decode()
    served.publish("v2")
    assert served.reload()["reload"]["last_error"] is None
    assert served.serves(2)


def test_damaged_files_are_tried_again(served: Served) -> None:
    manifest = json.loads((VERSIONS / "v2.json").read_text())
    blocks = served.folder / next(f["name"] for f in manifest["files"] if f["role"] == "blocks")
    good = blocks.read_bytes()
    blocks.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    served.publish("v2")
    about = served.reload()
    error = about["reload"]["last_error"]
    assert served.serves(1) and error["phase"] == "fetch" and not error["refused"]
    assert about["refused"] == []
    blocks.write_bytes(good)
    served.wait(lambda a: a["version"] == "v2")  # by itself
    assert served.serves(2)


def test_sighup_looks_for_all(served: Served) -> None:
    served.publish("v2")
    os.kill(served.daemon.process.pid, signal.SIGHUP)
    served.wait(lambda a: a["version"] == "v2")
    assert served.serves(2)


def test_polls_by_itself(tmp_path: Path) -> None:
    s = Served(tmp_path / "bundle", "--poll", "0.05", "--keep-versions", "0")
    s.publish("v2")
    about = s.wait(lambda a: a["version"] == "v2")
    assert s.serves(2) and about["versions"] == []
    assert s.post("/models/cars/rollback").status == 409
    assert s.daemon.stop() == 0


def test_no_older_and_schema_flags(tmp_path: Path) -> None:
    s = Served(tmp_path / "bundle", "--no-older", "--allow-schema-change")
    s.publish("v2")
    s.reload()
    s.publish("v1")
    about = s.reload()
    assert s.serves(2) and about["reload"]["last_error"]["phase"] == "age"
    s.publish("input_nullable")
    s.reload()
    assert s.about()["version"] not in ("v1", "v2")
    assert s.daemon.stop() == 0


def test_errors_are_counted_by_the_fields_of_every_version(tmp_path: Path) -> None:
    s = Served(tmp_path / "bundle", "--allow-schema-change")
    bad = json.dumps({"km": 2.0, "year": 3, "spare": 5}).encode()

    def counted() -> str:
        text = ask(s.daemon.port, "GET", "/metrics").body.decode()
        found = re.search(r'scored_row_errors_total\{model="cars",(.*spare.*)', text)
        return found[1] if found else text

    s.publish("input_dropped")
    assert s.reload()["version"] == "input_dropped"
    assert ask(s.daemon.port, "POST", "/predict", bad).status == 200  # it has no such field
    s.daemon.stop()
    s.daemon = Daemon("--poll", "3600", "--allow-schema-change", models=(f"cars={s.folder}",))
    for n, version in enumerate(("v1", "v2", "input_nullable"), 1):
        s.publish(version)
        assert s.reload()["version"] == version
        assert ask(s.daemon.port, "POST", "/predict", bad).status == 422
        assert counted() == f'field="spare",type="urn:scored:wrong-type"}} {n}'
    assert s.daemon.stop() == 0


def test_operators_are_heard_on_the_admin_listener_only(served: Served) -> None:
    for path in ("/models/cars/reload", "/models/cars/rollback"):
        assert ask(served.daemon.port, "POST", path, b"").status == 404
        assert ask(served.daemon.admin, "GET", path).status == 405
        assert ask(served.daemon.admin, "POST", path.replace("cars", "none"), b"").status == 404
    assert served.serves(1)


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"force":1}', b'{"forse":true}', b'{"force":true}x'])
def test_a_reload_takes_its_own_body_only(served: Served, body: bytes) -> None:
    reply = served.post("/models/cars/reload", body)
    assert reply.status == 400 and "force" in reply.json["detail"]


def test_a_huge_body_is_refused(served: Served) -> None:
    assert served.post("/models/cars/reload", b" " * 5000).status == 413


def test_a_relative_path_behind_a_name_gets_a_hint() -> None:
    command = [str(BIN), "serve", "--model", "cars=models/x"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1 and "as in cars=./models/x" in done.stderr
