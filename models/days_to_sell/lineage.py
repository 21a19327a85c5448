# SPDX-License-Identifier: Apache-2.0
"""What is said of a bundle's origin: the data, the commit, the run, the metrics."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

#: Set by Airflow, 2 and 3 alike, in the environment of every task.
AIRFLOW = {"airflow_dag_id": "AIRFLOW_CTX_DAG_ID", "airflow_run_id": "AIRFLOW_CTX_DAG_RUN_ID"}


def commit() -> str | None:
    """Return the git commit of this code, `-dirty` if the folder differs from it; None outside a checkout."""
    here = Path(__file__).parent
    try:
        head = subprocess.run(
            ["git", "-C", here, "rev-parse", "HEAD"], capture_output=True, text=True, check=True
        )
        changed = subprocess.run(
            ["git", "-C", here, "status", "--porcelain", "--", "*.py", "*.sql"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return head.stdout.strip() + ("-dirty" if changed.stdout else "")


def label(created: str, made: dict) -> str:
    """Return the version of a run: its day, and what it is made of; the same run again has the same."""
    parts = (created[:10].replace("-", ""), made["training_data_sha256"][:8], made.get("git_commit", "")[:8])
    return "-".join(part for part in parts if part)


def lineage(profile: dict, report: dict, uri: str | None) -> dict:
    """Return the manifest's `lineage` from what `check` and `train` wrote down; unknown keys are left out."""
    known = {
        "git_commit": commit(),
        "training_data_uri": uri,
        "training_data_sha256": profile["training_data_sha256"],
        "training_data_rows": report["fitted_rows"],
        "metrics": report["metrics"],
        "mlflow_run_id": report.get("mlflow_run_id"),
        "x-winner": report["winner"],
        "x-note": "generated data: real names, invented numbers",
    } | {key: os.environ.get(name) for key, name in AIRFLOW.items()}
    return {key: value for key, value in known.items() if value is not None}
