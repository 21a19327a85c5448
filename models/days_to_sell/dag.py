# SPDX-License-Identifier: Apache-2.0
"""The four jobs as an Airflow DAG, for Airflow 2.10 and 3.

Airflow only starts the jobs and stops at the first that fails; each also runs alone, by
`python -m days_to_sell.<job>`. A check that fails is not tried again: the data would be the same.
"""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

from airflow.exceptions import AirflowFailException

try:
    from airflow.sdk import dag, task
except ImportError:
    from airflow.decorators import dag, task

MODELS = Path(__file__).resolve().parents[1]
OUT = os.environ.get("DAYS_TO_SELL_OUT", "/var/lib/days_to_sell")
BUNDLE = os.environ.get("DAYS_TO_SELL_BUNDLE", f"{OUT}/bundle")  # or s3://BUCKET/PREFIX/
SIGN_KEY = os.environ.get("DAYS_TO_SELL_SIGN_KEY")


def run(job: str, *arguments: str) -> None:
    """Run a job in a process of its own; exit codes 1 and 2 fail the task for good."""
    done = subprocess.run(
        [sys.executable, "-m", f"days_to_sell.{job}", "--out", OUT, *arguments],
        cwd=MODELS,
        stderr=subprocess.PIPE,
        text=True,
    )
    if done.returncode in (1, 2):
        reason = done.stderr.rpartition(f"{job}: ")[2] or done.stderr[-2000:]
        raise AirflowFailException(f"{job}: {reason}")
    done.check_returncode()


@dag(
    schedule="@weekly",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 1, "retry_delay": timedelta(minutes=10)},
    tags=["scored"],
)
def days_to_sell() -> None:
    """Chain the jobs: sources, checks, training, bundle."""

    @task
    def generate() -> None:
        run("generate")

    @task
    def check() -> None:
        run("check")

    @task
    def train() -> None:
        run("train")

    @task
    def export() -> None:
        run("export", "--bundle", BUNDLE, *(["--sign-key", SIGN_KEY] if SIGN_KEY else []))

    generate() >> check() >> train() >> export()


days_to_sell()
