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
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from typing import ClassVar

import pytest
from conftest import MODELS
from days_to_sell import check, cli, columns, export, prove, train

JOBS = ("arrive", "generate", "check", "train", "export", "prove", "publish", "register", "commit", "confirm")
MAKERS = ("generate", "check", "train", "export")  # that models/README.md shows by hand


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
    told = {job: sum(f"days_to_sell.{job} " in command for command in shown()) for job in JOBS}
    assert all(n >= (2 if job in MAKERS else 1) for job, n in told.items()), told


@pytest.mark.parametrize("job", JOBS)
def test_unknown_flag_is_a_usage_error(job):
    done = subprocess.run(
        [sys.executable, "-m", f"days_to_sell.{job}", "--no-such"], cwd=MODELS, capture_output=True
    )
    assert done.returncode == cli.USAGE


@pytest.mark.parametrize(("job", "before"), [(check, "generate"), (train, "check"), (export, "train"), (prove, "export")])
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
    made: ClassVar[dict[str, FakeTask]] = {}

    def __init__(self, work: Callable[[], object]) -> None:
        self.name = work.__name__
        self.work = work
        self.made[self.name] = self

    def __rshift__(self, other: FakeTask) -> FakeTask:
        self.order.append((self.name, other.name))
        return other


def decorator(work: Callable[[], object] | None = None, **_: object) -> Callable[..., object]:
    """Stands in for `task` and `task.sensor`, with and without arguments."""
    return (lambda: FakeTask(work)) if work else decorator


decorator.sensor = decorator  # type: ignore[attr-defined]
DAY = datetime(2026, 6, 30, tzinfo=timezone.utc)
SETTINGS = {
    "OUT": "/out",
    "BUNDLE": "s3://models/days_to_sell/",
    "SIGN_KEY": "k.pem",
    "TRUST": "p.pem",
    "REPOSITORY": "r.git",
    "SERVER": "http://s:1",
    "FEED": "/feed",
}


class Fail(Exception):
    """As Airflow's."""


@pytest.fixture(params=["airflow.sdk", "airflow.decorators"])
def dag(request, monkeypatch):
    """The DAG as a module, read with a stand-in for Airflow; `ran` of it are the jobs' arguments."""

    def fake(name: str, **content: object) -> None:
        module = types.ModuleType(name)
        module.__dict__.update(content)
        monkeypatch.setitem(sys.modules, name, module)

    run = types.SimpleNamespace(logical_date=DAY, start_date=datetime.now(timezone.utc))
    context = {"get_current_context": lambda: {"dag_run": run}}
    fake("airflow")
    fake("airflow.exceptions", AirflowFailException=Fail)
    fake("airflow.operators")
    fake("airflow.operators.python", **context)
    fake(request.param, dag=lambda **_: lambda f: f, task=decorator, **context)
    monkeypatch.setattr(FakeTask, "order", [])
    for name, value in SETTINGS.items():
        monkeypatch.setenv(f"DAYS_TO_SELL_{name}", value)
    monkeypatch.delitem(sys.modules, "days_to_sell.dag", raising=False)
    return importlib.import_module("days_to_sell.dag")


def test_dag_chains_the_jobs(dag):
    assert FakeTask.order == list(pairwise(JOBS))
    assert set(FakeTask.made) == set(JOBS)


def test_tasks_hand_on_what_is_set(dag, monkeypatch):
    ran = {}
    monkeypatch.setattr(dag, "start", lambda job, *more: (ran.update({job: more}), (0, ""))[1])
    for job in JOBS:
        FakeTask.made[job].work()
    s3 = "s3://models/days_to_sell/"
    assert ran == {
        "arrive": ("--feed", "/feed", "--day", "2026-06-30"),
        "generate": ("--feed", "/feed"),
        "check": (),
        "train": ("--accepted", s3),
        "export": ("--created", "2026-06-30T00:00:00.000Z", "--sign-key", "k.pem"),
        "prove": ("--trust", "p.pem"),
        "publish": ("--bundle", s3, "--accepted", "/out/accepted.json"),
        "register": (),
        "commit": ("--repository", "r.git"),
        "confirm": ("--server", "http://s:1"),
    }


@pytest.mark.parametrize(("code", "raised"), [(cli.REFUSED, Fail), (cli.USAGE, Fail), (cli.BROKEN, RuntimeError)])
def test_only_what_can_help_is_tried_again(dag, monkeypatch, code, raised):
    """AirflowFailException fails a task for good."""
    monkeypatch.setattr(dag, "start", lambda *_: (code, "HALT: why"))
    with pytest.raises(raised, match="HALT: why"):
        FakeTask.made["check"].work()


def test_the_sources_are_waited_for_and_not_for_ever(dag, monkeypatch):
    monkeypatch.setattr(dag, "start", lambda *_: (cli.WAITING, "late: so"))
    assert FakeTask.made["arrive"].work() is False
    monkeypatch.setattr(dag, "WAIT", timedelta(0))
    with pytest.raises(Fail, match="arrive: late: so"):
        FakeTask.made["arrive"].work()


def test_a_job_is_started_and_its_reason_kept(dag, tmp_path, monkeypatch):
    monkeypatch.setattr(dag, "OUT", tmp_path)
    code, why = dag.start("generate", "--no-such")
    assert code == cli.USAGE and "unrecognized arguments: --no-such" in why
    assert dag.folder() == tmp_path / "runs" / "2026-06-30T00-00-00"
