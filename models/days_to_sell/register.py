# SPDX-License-Identifier: Apache-2.0
"""Job 7, where MLFLOW_TRACKING_URI names a tracking server: the bundle as an artifact of its run, and a registered version."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence

from days_to_sell import cli, track


def register(folder: cli.Folder, alias: str) -> None:
    """Register what `publish` wrote down, and give it the alias."""
    told = json.loads(folder.need(folder.published, "publish").read_text(encoding="utf-8"))
    mlflow, run_id = track.client(), told["lineage"].get("mlflow_run_id")
    if mlflow is None or run_id is None:
        cli.say("  nothing to do: " + ("no MLFLOW_TRACKING_URI" if mlflow is None else "no run of MLflow made it"))
        return
    own = hashlib.sha256((folder.bundle / "bundle.json").read_bytes()).hexdigest() == told["sha256"]
    if own and not mlflow.list_artifacts(run_id, "bundle"):
        mlflow.log_artifacts(run_id, str(folder.bundle), "bundle")
    version = track.register(mlflow, told, run_id)
    mlflow.set_registered_model_alias(track.NAME, alias, version)
    cli.say(f"  models:/{track.NAME}@{alias} is version {version}, of run {run_id}")


HELP = """Log the published bundle to its run of MLflow, register it, and give the version an alias, by which
scored serve --model models:/days_to_sell@champion finds it. The same bundle is registered once.

example:
  python -m days_to_sell.register --out build/days_to_sell"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the job."""
    p = cli.parser("register", HELP)
    p.add_argument("--alias", default="champion", help="of the version (default champion)")
    args = p.parse_args(argv)
    return cli.run("register", lambda: register(cli.Folder(args.out), args.alias))


if __name__ == "__main__":
    sys.exit(main())
