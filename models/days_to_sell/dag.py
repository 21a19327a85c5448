# SPDX-License-Identifier: Apache-2.0
"""From sources to a model that serves, as an Airflow DAG for Airflow 2.10 and 3.

Airflow starts the jobs, in a process of their own each, and stops at the first that fails; each also runs alone, by
`python -m days_to_sell.<job>`. What a job refuses is not tried again, for the data would be the same; what breaks is.
Every run works in a folder of its own, so a back-fill and a rerun find what they left, and change nothing.
"""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
import urllib.request
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from airflow.exceptions import AirflowFailException

try:
    from airflow.sdk import dag, get_current_context, task
except ImportError:
    from airflow.decorators import dag, task
    from airflow.operators.python import get_current_context

MODELS = Path(__file__).resolve().parents[1]
LOG = logging.getLogger(__name__)
WAITING = 3  # exit code of `arrive`


def setting(name: str, default: str = "") -> str:
    """Return a setting of this DAG: DAYS_TO_SELL_<NAME>. models/README.md lists them."""
    return os.environ.get(f"DAYS_TO_SELL_{name}", default)


OUT = Path(setting("OUT", "/var/lib/days_to_sell"))
BUNDLE = setting("BUNDLE", f"{OUT}/bundle")
ACCEPTED = OUT / "accepted.json"
FEED, SERVER, REPOSITORY = setting("FEED"), setting("SERVER"), setting("REPOSITORY")
PYTHON = setting("PYTHON", sys.executable)
WAIT = timedelta(seconds=float(setting("WAIT", "21600")))


def flag(name: str, value: object) -> list[str]:
    """Return a flag with its value, or none where there is no value."""
    return [f"--{name}", str(value)] if value else []


def now() -> datetime:
    """Return the time that a run is for; a run that was triggered by hand without one is for the time it began."""
    run = get_current_context()["dag_run"]
    moment: datetime | None = getattr(run, "logical_date", None) or getattr(run, "execution_date", None)
    return moment or run.run_after


def folder() -> Path:
    """Return the folder of this run."""
    return OUT / "runs" / re.sub(r"[^0-9A-Za-z._-]", "-", now().strftime("%Y-%m-%dT%H-%M-%S"))


def start(job: str, *arguments: str) -> tuple[int, str]:
    """Run a job in a process of its own and return its exit code and why it failed."""
    done = subprocess.run(
        [PYTHON, "-m", f"days_to_sell.{job}", "--out", str(folder()), *arguments],
        cwd=MODELS,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    LOG.info("%s", done.stdout)
    return done.returncode, done.stderr.rpartition(f"{job}: ")[2] or done.stderr[-2000:]


def run(job: str, *arguments: str) -> None:
    """Run a job; exit codes 1 and 2 fail the task for good, others may succeed another time."""
    code, why = start(job, *arguments)
    if code in (1, 2):
        raise AirflowFailException(f"{job}: {why}")
    if code:
        raise RuntimeError(f"{job} ended with {code}: {why}")


def alert(context: dict[str, Any]) -> None:
    """Tell people of a task that has failed for good: a POST to DAYS_TO_SELL_ALERT, and a line in the log."""
    instance = context["task_instance"]
    told = {"task": instance.task_id, "run": instance.run_id, "why": str(context.get("exception"))}
    LOG.error("days_to_sell stands: %s", json.dumps(told))
    if setting("ALERT"):
        head = {"Content-Type": "application/json"}
        urllib.request.urlopen(
            urllib.request.Request(setting("ALERT"), json.dumps(told).encode(), head), timeout=10
        ).close()


@dag(
    schedule="@weekly",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=12),
    default_args={
        "retries": 2,
        "retry_delay": timedelta(minutes=5),
        "retry_exponential_backoff": True,
        "execution_timeout": timedelta(hours=1),
        "on_failure_callback": alert,
    },
    tags=["scored"],
)
def days_to_sell() -> None:
    """Chain the jobs, from the arrival of the sources to a daemon that answers."""

    @task.sensor(mode="reschedule", poke_interval=60, timeout=(WAIT + timedelta(hours=1)).total_seconds())
    def arrive() -> bool:
        if not FEED:
            return True  # invented data arrive at once
        code, why = start("arrive", "--feed", FEED, "--day", f"{now():%Y-%m-%d}")
        begun = get_current_context()["dag_run"].start_date
        if code == WAITING and datetime.now(timezone.utc) - begun < WAIT:
            LOG.info("waiting: %s", why)
            return False
        if code:
            raise AirflowFailException(f"arrive: {why}")
        return True

    @task
    def generate() -> None:
        invented = [*flag("rows", setting("ROWS")), "--end", f"{now():%Y-%m-%d}"]
        run("generate", *(flag("feed", FEED) or invented))

    @task
    def check() -> None:
        run("check", *flag("last", ACCEPTED.exists() and ACCEPTED))

    @task(execution_timeout=timedelta(hours=4))
    def train() -> None:
        run("train", "--accepted", BUNDLE, *flag("only", setting("ONLY")))

    @task
    def export() -> None:
        run("export", *flag("created", f"{now():%Y-%m-%dT%H:%M:%S}.000Z"), *flag("sign-key", setting("SIGN_KEY")))

    @task
    def prove() -> None:
        run("prove", *flag("trust", setting("TRUST")))

    @task
    def publish() -> None:
        run("publish", "--bundle", BUNDLE, "--accepted", str(ACCEPTED))

    @task
    def register() -> None:
        run("register", *flag("alias", setting("ALIAS")))

    @task
    def commit() -> None:
        if REPOSITORY:
            run("commit", "--repository", REPOSITORY, *flag("branch", setting("BRANCH")), *flag("file", setting("FILE")))

    @task
    def confirm() -> None:
        if SERVER:
            run("confirm", "--server", SERVER, *flag("wait", setting("CONFIRM")))

    before = arrive() >> generate() >> check() >> train() >> export()
    before >> prove() >> publish() >> register() >> commit() >> confirm()


days_to_sell()
