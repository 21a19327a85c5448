# SPDX-License-Identifier: Apache-2.0
"""The DAG on both lines of Airflow: green from the sources to a daemon that answers, a rerun that changes nothing, and every
check that halts it, each in its own way and with its reason. The table of what was seen goes to build/logs/faults.md."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults import FAULTS, halted, play
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
    told = running.world.walk(running.url, tmp_path)
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


@pytest.mark.parametrize("running", ["3"], indirect=True)
@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_halts_in_its_own_way(running: Running, tmp_path: Path, fault: str) -> None:
    before, commits = running.objects(), running.world.commits()
    with contextlib.ExitStack() as end:
        env = {}
        if FAULTS[fault].task == "confirm":
            other = Daemon()
            end.callback(other.stop)
            env["DAYS_TO_SELL_SERVER"] = f"http://127.0.0.1:{other.port}"
        ran = play(running, fault, tmp_path / "it", **env)
    SEEN.append((fault, ran))
    assert halted(fault, ran), ran
    assert running.objects() == before and running.world.commits() == commits


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


