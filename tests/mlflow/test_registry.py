# SPDX-License-Identifier: Apache-2.0
"""A real tracking server: the jobs log and register with its own client, and the daemon finds the model by its REST interface."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from tracking import HOME, TOP, tracking

sys.path[:0] = [str(TOP / "tests" / folder) for folder in ("e2e", "http", "bundles", "")]
from fake_s3 import FakeS3  # noqa: E402
from live import Live  # noqa: E402

from daemon import BIN, ENVIRONMENT  # noqa: E402

BUNDLE = TOP / "models" / "days_to_sell" / "bundle"
PLACE = "s3://models/days_to_sell/"
LOG = """
import json, sys
from days_to_sell import track
report = json.loads(sys.stdin.read())
print(track.log_run(track.client(), sys.argv[1], sys.argv[2], report))
"""
Made = dict[str, str]


def run(*command: str | Path, **more) -> str:
    """Run a command that must end well, and return what it prints."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **more)
    assert done.returncode == 0, f"{command}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a tracking server that keeps artifacts itself."""
    with tracking(tmp_path_factory.mktemp("mlflow")) as url:
        yield url


class Jobs:
    """The jobs, run by the Python that has MLflow's client."""

    def __init__(self, server: str, s3: FakeS3, root: Path) -> None:
        boto = run(sys.executable, "-c", "import boto3, os; print(os.path.dirname(os.path.dirname(boto3.__file__)))").strip()
        self.root = root
        self.env = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG")} | s3.env() | {
            "MLFLOW_TRACKING_URI": server,
            "PYTHONPATH": f"{TOP}/models:{TOP}/models/export",
            "AIRFLOW_CTX_DAG_ID": "days_to_sell",
            "AIRFLOW_CTX_DAG_RUN_ID": "manual__1",
        }  # fmt: skip
        self.others = boto
        manifest = json.loads((BUNDLE / "bundle.json").read_text())
        self.report = {"winner": "forest", "fitted_rows": 13572, "metrics": manifest["lineage"]["metrics"]}

    def log(self, digest: str, commit: str) -> str:
        """What `train` does of it; returns the run's id."""
        return run(HOME / "python", "-c", LOG, digest, commit, input=json.dumps(self.report), env=self.env).split()[-1]

    def publish(self, version: str, created: str, run_id: str, data: str, to: str) -> dict:
        """What `export` and `publish` do, with the committed bundle's numbers."""
        folder = self.root / version
        shutil.copytree(BUNDLE, folder / "bundle", dirs_exist_ok=True)
        manifest = json.loads((BUNDLE / "bundle.json").read_text()) | {"version": version, "created": created}
        manifest["lineage"] |= {"mlflow_run_id": run_id, "training_data_sha256": data}
        text = json.dumps(manifest).encode()
        for old in (folder / "bundle").glob("bundle*"):
            old.unlink()
        for name in ("bundle.json", f"bundle-{hashlib.sha256(text).hexdigest()[:16]}.json"):
            (folder / "bundle" / name).write_bytes(text)
        (folder / "profile.json").write_text("{}")
        self.job("publish", version, "--bundle", to)
        return json.loads((folder / "published.json").read_text())

    def job(self, name: str, version: str, *arguments: str) -> str:
        """Run a job on a version's folder; boto3 is another environment's."""
        env = self.env | {"PYTHONPATH": f"{self.env['PYTHONPATH']}:{self.others}"} if name == "publish" else self.env
        python = sys.executable if name == "publish" else HOME / "python"
        return run(python, "-m", f"days_to_sell.{name}", "--out", self.root / version, *arguments, env=env, cwd=TOP / "models")


@pytest.fixture(scope="module")
def s3() -> Iterator[FakeS3]:
    """A bucket."""
    with FakeS3() as running:
        running.store.put("models", "other", b"")
        yield running


@pytest.fixture(scope="module")
def jobs(server: str, s3: FakeS3, tmp_path_factory: pytest.TempPathFactory) -> Jobs:
    """The jobs."""
    return Jobs(server, s3, tmp_path_factory.mktemp("runs"))


def get(server: str, path: str) -> dict:
    """Ask the server itself."""
    return json.load(urllib.request.urlopen(f"{server}/api/2.0/mlflow/{path}"))


def test_a_run_is_logged_once_and_whole(jobs: Jobs, server: str) -> None:
    first = jobs.log("1" * 64, "c" * 40)
    assert jobs.log("1" * 64, "c" * 40) == first
    assert jobs.log("1" * 64, "c" * 40 + "-dirty") != jobs.log("1" * 64, "c" * 40 + "-dirty")
    told = get(server, f"runs/get?run_id={first}")["run"]
    assert {m["key"]: m["value"] for m in told["data"]["metrics"]} == jobs.report["metrics"]
    tags = {t["key"]: t["value"] for t in told["data"]["tags"]}
    assert tags["airflow_run_id"] == "manual__1" and tags["training_data_sha256"] == "1" * 64
    assert told["info"]["status"] == "FINISHED"


def test_what_is_published_is_registered_once(jobs: Jobs, server: str) -> None:
    run_id = jobs.log("1" * 64, "c" * 40)
    told = jobs.publish("v1", "2026-06-01T00:00:00.000Z", run_id, "1" * 64, PLACE)
    for _ in range(2):
        assert "models:/days_to_sell@champion is version 1" in jobs.job("register", "v1")
    version = get(server, "registered-models/alias?name=days_to_sell&alias=champion")["model_version"]
    assert (version["version"], version["run_id"]) == ("1", run_id)
    assert version["source"] == f"{PLACE}#sha256={told['sha256']}"
    files = get(server, f"artifacts/list?run_id={run_id}&path=bundle")["files"]
    assert {Path(f["path"]).name for f in files} == {p.name for p in (jobs.root / "v1/bundle").iterdir()}


def serves(live: Live, label: str) -> dict:
    """Wait until a version serves."""
    return live.wait(f"{label} serves", lambda s: s["http"] == 200 and s["version"] == label)


def test_the_daemon_follows_the_alias(jobs: Jobs, server: str) -> None:
    second = jobs.log("2" * 64, "c" * 40)
    with Live("models:/days_to_sell@champion", "--mlflow", server, env=jobs.env) as live:
        serves(live, "v1")
        jobs.publish("v2", "2026-06-08T00:00:00.000Z", second, "2" * 64, PLACE)
        assert "is version 2" in jobs.job("register", "v2")
        assert serves(live, "v2")["lineage"]["mlflow_run_id"] == second
        assert "is version 1" in jobs.job("register", "v1")  # whoever moves the alias back goes back
        serves(live, "v1")


def test_a_bundle_of_the_artifact_store_is_served_through_the_server(jobs: Jobs, server: str, tmp_path: Path) -> None:
    """Where nothing is in S3: the run's own artifacts are the model."""
    third = jobs.log("3" * 64, "c" * 40)
    jobs.publish("v3", "2026-06-15T00:00:00.000Z", third, "3" * 64, str(tmp_path / "there"))
    assert "is version 3" in jobs.job("register", "v3", "--alias", "local")
    source = get(server, "model-versions/get?name=days_to_sell&version=3")["model_version"]["source"]
    assert source.startswith("mlflow-artifacts:/")
    env = ENVIRONMENT | {"MLFLOW_TRACKING_URI": server}
    assert "good: days_to_sell version v3" in run(BIN, "check", "models:/days_to_sell@local", env=env)
    assert "version v3" in run(BIN, "check", "models:/days_to_sell/3", env=env)
    wrong = subprocess.run([BIN, "check", "models:/days_to_sell@nobody"], capture_output=True, text=True, env=env, check=False)
    assert wrong.returncode == 1 and re.search(r"answered 40[04]", wrong.stderr), wrong


def test_the_commands_of_the_page_lead_to_the_run(jobs: Jobs, server: str, tmp_path: Path) -> None:
    text = (TOP / "models/README.md").read_text()
    block = re.search(r"<!-- not run: tests/mlflow[^\n]*\n```sh\n(.*?)```", text, re.S)[1]
    (tmp_path / "scored").symlink_to(BIN)
    told = run("bash", "-eu", "-o", "pipefail", "-c", block.replace("scored serve", "scored check").replace("--model ", ""), cwd=tmp_path,
               env=jobs.env | {"PATH": f"{tmp_path}:{os.environ['PATH']}"})  # fmt: skip
    run_id = get(server, "registered-models/alias?name=days_to_sell&alias=champion")["model_version"]["run_id"]
    assert told.count(run_id) >= 2 and '"holdout_mae"' in told and "good: days_to_sell version v1" in told


def test_without_a_server_nothing_is_done(jobs: Jobs) -> None:
    env = {k: v for k, v in jobs.env.items() if k != "MLFLOW_TRACKING_URI"}
    told = run(HOME / "python", "-m", "days_to_sell.register", "--out", jobs.root / "v1", env=env, cwd=TOP / "models")
    assert "nothing to do: no MLFLOW_TRACKING_URI" in told
