# SPDX-License-Identifier: Apache-2.0
"""What MLflow is told, where MLFLOW_TRACKING_URI names a tracking server: the run, its metrics, the bundle."""

from __future__ import annotations

import os
from typing import Any

from days_to_sell import cli
from days_to_sell.lineage import AIRFLOW

NAME = "days_to_sell"  # of the experiment and of the registered model
MADE_OF = "made_of"  # tag of a run: the same data and code again is the same run
SHA256 = "bundle_sha256"  # tag of a registered version


def client() -> Any | None:
    """Return MLflow's client, or None where no server is named."""
    if not os.environ.get("MLFLOW_TRACKING_URI"):
        return None
    try:
        from mlflow import MlflowClient
    except ImportError:
        raise cli.Usage("MLFLOW_TRACKING_URI is set, and mlflow is missing: pip install mlflow-skinny") from None
    return MlflowClient()


def experiment(mlflow: Any) -> str:
    """Return the id of the experiment, made where it is missing."""
    found = mlflow.get_experiment_by_name(NAME)
    return str(found.experiment_id if found else mlflow.create_experiment(NAME))


def log_run(mlflow: Any, digest: str, commit: str | None, report: dict[str, Any]) -> str:
    """Log a training run and return its id; that of the same data and code, if it was logged before."""
    where, made_of = experiment(mlflow), f"{digest} {commit}"
    known = mlflow.search_runs([where], f"tags.{MADE_OF} = '{made_of}'", max_results=1)
    if known and "dirty" not in made_of:
        return str(known[0].info.run_id)
    tags = {MADE_OF: made_of, "training_data_sha256": digest, "mlflow.source.git.commit": commit}
    tags |= {key: os.environ.get(name) for key, name in AIRFLOW.items()}
    run = mlflow.create_run(where, tags={key: value for key, value in tags.items() if value})
    run_id = str(run.info.run_id)
    mlflow.log_param(run_id, "winner", report["winner"])
    mlflow.log_param(run_id, "training_data_rows", report["fitted_rows"])
    for name, value in report["metrics"].items():
        mlflow.log_metric(run_id, name, value)
    mlflow.set_terminated(run_id)
    return run_id


def registered(mlflow: Any, sha256: str) -> str | None:
    """Return the registered version of a bundle, or None."""
    found = [v for v in mlflow.search_model_versions(f"name = '{NAME}'") if v.tags.get(SHA256) == sha256]
    return str(found[0].version) if found else None


def register(mlflow: Any, told: dict[str, Any], run_id: str) -> str:
    """Register a published bundle and return its version; what is in S3 stays there, pinned by its digest."""
    known = registered(mlflow, told["sha256"])
    if known:
        return known
    if not mlflow.search_registered_models(f"name = '{NAME}'"):
        mlflow.create_registered_model(NAME)
    source = f"{told['uri'].rstrip('/')}/#sha256={told['sha256']}"
    if not source.startswith("s3://"):
        source = f"{mlflow.get_run(run_id).info.artifact_uri}/bundle"
    tags = {SHA256: told["sha256"], "version": told["version"]}
    return str(mlflow.create_model_version(NAME, source, run_id, tags=tags).version)
