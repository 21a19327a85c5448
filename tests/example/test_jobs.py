# SPDX-License-Identifier: Apache-2.0
"""The jobs as commands, the export, and the DAG that chains them."""

from __future__ import annotations

import hashlib
import importlib
import json
import re
import shlex
import subprocess
import sys
import types
from collections.abc import Callable
from itertools import pairwise
from typing import ClassVar

import pytest
from conftest import MODELS
from days_to_sell import check, cli, columns, export, train

JOBS = ("generate", "check", "train", "export")


@pytest.mark.parametrize("job", JOBS)
def test_help_teaches(job, capsys):
    with pytest.raises(SystemExit) as ended:
        importlib.import_module(f"days_to_sell.{job}").main(["--help"])
    assert ended.value.code == cli.OK
    assert f"python -m days_to_sell.{job} --out" in capsys.readouterr().out


def shown() -> list[str]:
    """The jobs' commands that documents and helps show."""
    texts = [(MODELS / "README.md").read_text(encoding="utf-8")]
    texts += [importlib.import_module(f"days_to_sell.{job}").HELP for job in JOBS]
    return [line for text in texts for line in re.findall(r"^ *(python -m days_to_sell.*)$", text, re.M)]


@pytest.mark.parametrize("command", shown())
def test_commands_that_are_shown_are_understood(command, monkeypatch):
    """Not run, which takes minutes, but read."""
    monkeypatch.setattr(cli, "run", lambda job, work: cli.OK)
    module, *args = shlex.split(command)[2:]
    assert importlib.import_module(module).main(args) == cli.OK


def test_all_jobs_are_shown():
    assert all(sum(f"days_to_sell.{job} " in command for command in shown()) >= 2 for job in JOBS)


@pytest.mark.parametrize("job", JOBS)
def test_unknown_flag_is_a_usage_error(job):
    done = subprocess.run(
        [sys.executable, "-m", f"days_to_sell.{job}", "--no-such"], cwd=MODELS, capture_output=True
    )
    assert done.returncode == cli.USAGE


@pytest.mark.parametrize(("job", "before"), [(check, "generate"), (train, "check"), (export, "train")])
def test_a_job_names_the_job_before_it(job, before, tmp_path, capsys):
    assert job.main(["--out", str(tmp_path)]) == cli.USAGE
    assert f"days_to_sell.{before} --out" in capsys.readouterr().err


def test_a_model_no_better_than_the_median_is_refused(checked, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(train, "GAIN", 0.9)
    folder = cli.Folder(tmp_path)
    folder.training.symlink_to(checked.training)
    assert train.main(["--out", str(tmp_path), "--only", "linear", "--master", "local[1]"]) == cli.REFUSED
    assert "not worth serving" in capsys.readouterr().err
    assert not folder.model.exists()


def check_bundle(bundle) -> dict:
    """Check names, sizes and digests of a bundle and return its manifest."""
    text = (bundle / "bundle.json").read_bytes()
    assert (bundle / f"bundle-{hashlib.sha256(text).hexdigest()[:16]}.json").read_bytes() == text
    manifest = json.loads(text)
    for file in manifest["files"]:
        content = (bundle / file["name"]).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file["size"], file["sha256"])
    assert [c["name"] for c in manifest["input"]] == list(columns.FEATURES)
    assert {c["name"]: c["nullable"] for c in manifest["input"]} == {
        c.name: c.nullable for c in columns.COLUMNS
    }
    assert manifest["lineage"]["metrics"]["holdout_mae"] < manifest["lineage"]["metrics"]["baseline_mae"]
    return manifest


def test_export_writes_a_bundle_with_its_lineage(trained):
    assert export.main(["--out", str(trained.root), "--version", "test-1", "--master", "local[1]"]) == cli.OK
    manifest = check_bundle(trained.bundle)
    assert manifest["version"] == "test-1"
    profile = json.loads(trained.profile.read_text())
    assert manifest["lineage"]["training_data_sha256"] == profile["training_data_sha256"]


def test_export_publishes_where_it_is_told(trained, monkeypatch, capsys):
    """A URI of S3 comes to the exporter as it is, and so does the key; its refusal is the job's."""
    given = {}

    def fake(model, out, **more):
        given.update(more, out=out)
        raise export.scored_export.Refused("s3:// needs boto3", "install it")

    monkeypatch.setattr(export.scored_export, "export", fake)
    args = ["--bundle", "s3://models/days_to_sell/", "--sign-key", "k.pem", "--master", "local[1]"]
    assert export.main(["--out", str(trained.root), *args]) == cli.REFUSED
    assert (given["out"], given["sign_key"]) == ("s3://models/days_to_sell/", "k.pem")
    assert "s3:// needs boto3; install it" in capsys.readouterr().err


def test_committed_bundle_is_whole():
    bundle = MODELS / "days_to_sell" / "bundle"
    check_bundle(bundle)
    assert sum(f.stat().st_size for f in bundle.iterdir()) <= 2 << 20


class FakeTask:
    """Stands in for an Airflow task: `a >> b` notes the order."""

    order: ClassVar[list[tuple[str, str]]] = []
    end: ClassVar[FakeTask]

    def __init__(self, work: Callable[[], None]) -> None:
        self.name = work.__name__
        self.work = work

    def __rshift__(self, other: FakeTask) -> FakeTask:
        self.order.append((self.name, other.name))
        FakeTask.end = other
        return other


@pytest.mark.parametrize("home", ["airflow.sdk", "airflow.decorators"])
def test_dag_chains_the_jobs(home, monkeypatch):
    """On both lines of Airflow; a failing job fails its task for good."""

    def fake(name: str, **content: object) -> None:
        module = types.ModuleType(name)
        module.__dict__.update(content)
        monkeypatch.setitem(sys.modules, name, module)

    class Fail(Exception):
        """As Airflow's."""

    fake("airflow")
    fake("airflow.exceptions", AirflowFailException=Fail)
    fake(home, dag=lambda **_: lambda f: f, task=lambda f: lambda: FakeTask(f))
    monkeypatch.setattr(FakeTask, "order", [])
    monkeypatch.setenv("DAYS_TO_SELL_BUNDLE", "s3://models/days_to_sell/")
    monkeypatch.setenv("DAYS_TO_SELL_SIGN_KEY", "k.pem")
    monkeypatch.delitem(sys.modules, "days_to_sell.dag", raising=False)
    made = importlib.import_module("days_to_sell.dag")
    assert FakeTask.order == list(pairwise(JOBS))
    with pytest.raises(Fail, match="unrecognized arguments: --no-such"):
        made.run("generate", "--no-such")
    ran = []
    monkeypatch.setattr(made, "run", lambda *args: ran.append(args))
    FakeTask.end.work()
    assert ran == [("export", "--bundle", "s3://models/days_to_sell/", "--sign-key", "k.pem")]
