# SPDX-License-Identifier: Apache-2.0
"""The DAG on both lines of Airflow: green from the sources to a daemon that answers, a rerun that changes nothing, and every
check that halts it, each in its own way and with its reason. The table of what was seen goes to build/logs/faults.md."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import json
import re
import shutil
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from flow import PREFIX, TASKS, TOP, Ran, World, run

sys.path[:0] = [str(TOP / "tests" / folder) for folder in ("e2e", "http", "")]
from fake_s3 import FakeS3  # noqa: E402

from daemon import Daemon  # noqa: E402

SEEN: list[tuple[str, Ran]] = []


class Running:
    """The world, its bucket, and the daemon that watches it."""

    def __init__(self, line: str, root: Path, s3: FakeS3) -> None:
        self.s3 = s3
        self.world = World(line, root, s3.env())
        self.daemon = Daemon("--poll", "0.3", "--trust", str(root / "public.pem"), models=(f"days_to_sell={PREFIX}",), env=s3.env())
        self.url = f"http://127.0.0.1:{self.daemon.port}"
        self.world.env["DAYS_TO_SELL_SERVER"] = self.url
        self.first = self.world.run()

    def objects(self) -> dict[str, str]:
        """Digest of every object in the bucket."""
        client = self.client()
        pages = client.list_objects_v2(Bucket="models").get("Contents", [])
        return {p["Key"]: hashlib.sha256(client.get_object(Bucket="models", Key=p["Key"])["Body"].read()).hexdigest() for p in pages}

    def client(self):
        from backends import client

        return client("s3", self.s3.env())


@pytest.fixture(scope="module", params=["3", "2"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The DAG after its first run."""
    with FakeS3() as s3, contextlib.ExitStack() as end:
        s3.store.put("models", "other", b"")
        made = Running(request.param, tmp_path_factory.mktemp(f"airflow{request.param}"), s3)
        end.callback(made.world.close)
        end.callback(made.daemon.stop)
        yield made


def test_it_is_green_end_to_end(running: Running) -> None:
    first, world = running.first, running.world
    assert first.done == list(TASKS) and first.alerts == [], (first, (world.root / "last.log").read_text()[-3000:])
    about = json.load(urllib.request.urlopen(f"{running.url}/models/days_to_sell"))
    assert about["lineage"]["airflow_run_id"] == first.run_id and about["lineage"]["airflow_dag_id"] == "days_to_sell"
    assert about["lineage"]["git_commit"] == run("git", "-C", world.tree, "rev-parse", "HEAD").strip()
    (commit,) = world.commits()
    file = run("git", "-C", world.repository, "show", f"{commit}:docker/model.env")
    assert file == f"MODEL_URI={PREFIX}#sha256={about['sha256']}\nMODEL_VERSION={about['version']}\n"


def test_an_answer_leads_to_all_that_made_it(running: Running, tmp_path: Path) -> None:
    """By the commands of models/README.md, as they stand there."""
    text = (TOP / "models/README.md").read_text()
    block = re.search(r"<!-- not run: tests/airflow[^\n]*\n```sh\n(.*?)```", text, re.S)[1]
    world = running.world
    example = json.load(urllib.request.urlopen(f"{running.url}/models/days_to_sell"))["example"]["in"]
    (tmp_path / "row.json").write_text(json.dumps(example))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/scored").symlink_to(world.env["SCORED_BIN"])
    (tmp_path / "bin/scored-export").write_text(f'#!/bin/sh\nPYTHONPATH={TOP}/models/export exec {sys.executable} -m scored_export.cli "$@"\n')
    (tmp_path / "bin/scored-export").chmod(0o755)
    run("git", "clone", "-q", world.repository, tmp_path / "deployments")
    shutil.copytree(world.out / "runs", tmp_path / "runs")
    block = block.replace("localhost:8080", running.url.removeprefix("http://")).replace("/var/lib/days_to_sell/", "")
    env = {k: v for k, v in world.env.items() if k != "SCORED_BIN"} | {"PATH": f"{tmp_path}/bin:{world.env['PATH']}"}
    told = run("bash", "-eu", "-o", "pipefail", "-c", block, cwd=tmp_path, env=env)
    manifest = json.loads(running.client().get_object(Bucket="models", Key="days_to_sell/bundle.json")["Body"].read())
    made = manifest["lineage"]
    for fact in (manifest["version"], made["git_commit"], made["airflow_run_id"], made["training_data_sha256"], running.world.commits()[0]):
        assert fact in told, (fact, told)
    assert told.count(made["training_data_sha256"]) >= 3  # of the manifest, of the commit, and of the sources again
    assert len(re.findall(r"\bsuccess\b", told)) == len(TASKS)


def test_a_rerun_changes_nothing(running: Running) -> None:
    """Behind the test before: Airflow 3 forgets the first run of a day in `dags test`, 2.10 gives both one id."""
    before, commits = running.objects(), running.world.commits()
    again = running.world.run()
    assert again.done == list(TASKS), again
    assert running.objects() == before and running.world.commits() == commits


# -- faults: what is done, and what is then said -------------------------------------------------------------------


def alter(feed: Path, to: Path, name: str, change) -> None:
    """Copy a feed and change the rows of a source."""
    shutil.copytree(feed, to)
    with open(to / f"{name}.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    head = list(rows[0])
    with open(to / f"{name}.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, head, lineterminator="\n")
        writer.writeheader()
        writer.writerows(change(rows))


def leaky(rows: list[dict[str, str]]) -> Iterator[dict[str, str]]:
    """As many photos as days that it took to sell."""
    from datetime import date

    for row in rows:
        end = row["sold_on"] or row["withdrawn_on"]
        days = (date.fromisoformat(end) - date.fromisoformat(row["listed_on"])).days if end else 100
        yield row | {"photos": str(max(0, min(100, days)))}


def missing(running: Running, to: Path) -> dict[str, str]:
    shutil.copytree(running.world.feed, to)
    (to / "valuations.csv").unlink()
    return {"day": "2026-07-01", "DAYS_TO_SELL_FEED": str(to)}


def empty(running: Running, to: Path) -> dict[str, str]:
    alter(running.world.feed, to, "adverts", lambda rows: [])
    return {"day": "2026-07-01", "DAYS_TO_SELL_FEED": str(to)}


def late(running: Running, to: Path) -> dict[str, str]:
    return {"day": "2026-07-09"}


def leak(running: Running, to: Path) -> dict[str, str]:
    alter(running.world.feed, to, "adverts", leaky)
    return {"day": "2026-07-01", "DAYS_TO_SELL_FEED": str(to)}


def worse(running: Running, to: Path) -> dict[str, str]:
    client = running.client()
    there = client.get_object(Bucket="models", Key="days_to_sell/bundle.json")["Body"].read()
    better = re.sub(rb'"holdout_mae":[\d.]+', b'"holdout_mae":1.5', there)
    client.put_object(Bucket="models", Key="days_to_sell/bundle.json", Body=better)
    return {"restore": there}


def golden(running: Running, to: Path) -> dict[str, str]:
    return {"skip": TRAINED, "DAYS_TO_SELL_TRUST": "", "SABOTAGE": "golden", "PYTHONPATH": str(TOP / "tests/airflow/sabotage")}


def signature(running: Running, to: Path) -> dict[str, str]:
    to.mkdir()
    run("openssl", "genpkey", "-algorithm", "ed25519", "-out", to / "other.pem")
    run("openssl", "pkey", "-in", to / "other.pem", "-pubout", "-out", to / "public.pem")
    return {"skip": TRAINED, "DAYS_TO_SELL_TRUST": str(to / "public.pem")}


def repository(running: Running, to: Path) -> dict[str, str]:
    return {"skip": PUBLISHED, "DAYS_TO_SELL_REPOSITORY": str(to / "none.git")}


def server(running: Running, to: Path) -> dict[str, str]:
    """A daemon that serves another bundle under this name."""
    return {"skip": (*PUBLISHED, "commit"), "another": "days_to_sell", "DAYS_TO_SELL_CONFIRM": "2"}


TRAINED, PUBLISHED = TASKS[:4], TASKS[:8]
FAULTS = {
    "a source is missing": (missing, "arrive", r"missing: .*valuations\.csv has not arrived"),
    "a source is empty": (empty, "arrive", r"empty: .*adverts\.csv has no rows"),
    "the sources are late": (late, "arrive", r"late: the newest of adverts is of 2026-06-\d\d, \d+ days before 2026-07-09"),
    "a feature knows the label": (leak, "check", r"HALT: .*leak\.photos: 0\.\d+, must be within \[0, 0\.8\]: follows the label"),
    "the model is worse than the accepted one": (worse, "train", r"HALT: forest errs by [\d.]+ days, the accepted version \S+ by 1\.50"),
    "another key has signed": (signature, "prove", r"HALT: .*(sign|key)"),
    "an answer differs from its golden row": (golden, "prove", r"HALT: .*golden"),
    "git refuses": (repository, "commit", r"HALT: git clone: .*none\.git"),
    "the daemon serves something else": (server, "confirm", r"HALT: \S+ does not serve sha256 [0-9a-f]{64} within 2 s: it serves version"),
}  # fmt: skip


@pytest.mark.parametrize("running", ["3"], indirect=True)
@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_halts_in_its_own_way(running: Running, tmp_path: Path, fault: str) -> None:
    make, task, says = FAULTS[fault]
    how = make(running, tmp_path / "it")
    restore, skip, another = how.pop("restore", None), how.pop("skip", ()), how.pop("another", None)
    before, commits = running.objects(), running.world.commits()
    with contextlib.ExitStack() as end:
        if another:
            other = Daemon()
            end.callback(other.stop)
            how["DAYS_TO_SELL_SERVER"] = f"http://127.0.0.1:{other.port}"
        ran = running.world.run(skip=skip, **how)
    SEEN.append((fault, ran))
    assert ran.states[task] == "failed" and ran.done == list(TASKS[: TASKS.index(task)]), ran
    assert re.search(f"^{task}: {task}: .*{says}", ran.why, re.S), ran.why
    assert running.objects() == before and running.world.commits() == commits
    if restore:
        running.client().put_object(Bucket="models", Key="days_to_sell/bundle.json", Body=restore)


@pytest.fixture(scope="module", autouse=True)
def table() -> Iterator[None]:
    """What was seen, as a table."""
    yield
    lines = ["| fault | halts | says |", "|---|---|---|"]
    for fault, ran in SEEN:
        why = " ".join(ran.why.partition(": ")[2].split())
        lines.append(f"| {fault} | {len(ran.done)} tasks done, then `{ran.alerts[0]['task']}` | {re.sub(r'/[^ ]*/', '', why)[:300]} |")
    (TOP / "build/logs/faults.md").write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("running", ["3"], indirect=True)
def test_the_daemon_stayed(running: Running) -> None:
    """Whatever failed, what was accepted first is served."""
    assert running.daemon.process.poll() is None
    about = json.load(urllib.request.urlopen(f"{running.url}/models/days_to_sell"))
    assert about["lineage"]["airflow_run_id"] == running.first.run_id


