# SPDX-License-Identifier: Apache-2.0
"""Job 8: commit the published bundle's place and digest to the repository that images are built from."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from days_to_sell import cli

TRIES = 5  # others push too
WHO = {"NAME": "days_to_sell", "EMAIL": "days_to_sell@localhost"}
FILE = "docker/model.env"


def git(*arguments: str, at: Path) -> subprocess.CompletedProcess[str]:
    """Run git, as somebody."""
    who = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in WHO.items()}
    env = who | dict(os.environ) | {"GIT_TERMINAL_PROMPT": "0"}
    return subprocess.run(["git", *arguments], cwd=at, env=env, capture_output=True, text=True, check=False)


def must(done: subprocess.CompletedProcess[str]) -> str:
    """Return what git printed, or refuse with what it said."""
    if done.returncode:
        raise cli.Refused(f"git {done.args[1]}: {(done.stderr or done.stdout).strip()}")
    return done.stdout.strip()


def content(told: dict) -> str:
    """Return the file: what docker/build.sh --model takes, and the version for people."""
    uri = told["uri"] + ("" if told["uri"].endswith("/") else "/")
    return f"MODEL_URI={uri}#sha256={told['sha256']}\nMODEL_VERSION={told['version']}\n"


def message(told: dict) -> str:
    """Return the commit's message: its last lines lead from the digest to all that made it."""
    made = told["lineage"]
    trailers = {
        "Bundle-Sha256": told["sha256"],
        "Airflow-Run": f"{made.get('airflow_dag_id', '')} {made.get('airflow_run_id', '')}".strip(),
        "MLflow-Run": made.get("mlflow_run_id", ""),
        "Training-Data-Sha256": made.get("training_data_sha256", ""),
        "Code-Commit": made.get("git_commit", ""),
    }
    lines = [f"{key}: {value}" for key, value in trailers.items() if value]
    return f"days_to_sell {told['version']}\n\n" + "\n".join(lines) + "\n"


def commit_once(told: dict, repository: str, branch: str, file: str, at: Path) -> str | None:
    """Clone, write, commit, push. Returns the commit, which is there already if nothing changes; None: again."""
    tree = at / "tree"
    must(git("clone", "-q", "--depth", "1", "--branch", branch, repository, str(tree), at=at))
    path = tree / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content(told), encoding="utf-8")
    must(git("add", "--", file, at=tree))
    if git("diff", "--cached", "--quiet", at=tree).returncode == 0:
        return "nothing to commit"
    must(git("commit", "-q", "-m", message(told), at=tree))
    if git("push", "-q", "origin", f"HEAD:{branch}", at=tree).returncode == 0:
        return "commit " + must(git("rev-parse", "HEAD", at=tree))
    return None


def commit(folder: cli.Folder, repository: str, branch: str, file: str) -> None:
    """Commit what `publish` wrote down."""
    told = json.loads(folder.need(folder.published, "publish").read_text(encoding="utf-8"))
    for _ in range(TRIES):
        with tempfile.TemporaryDirectory(prefix="days_to_sell-") as scratch:
            made = commit_once(told, repository, branch, file, Path(scratch))
        if made:
            cli.say(f"  {repository} {branch} {file}: {made}")
            return
    raise cli.Refused(f"git push to {repository} {branch} was refused {TRIES} times")


HELP = f"""Commit place and digest of the published bundle, so that CI builds and rolls out an image with it.
FILE holds MODEL_URI=s3://...#sha256=..., which docker/build.sh --model takes. Nothing changes, nothing is committed.

example:
  python -m days_to_sell.commit --out build/days_to_sell --repository git@git.example:team/scored.git --file {FILE}"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the job."""
    p = cli.parser("commit", HELP)
    p.add_argument("--repository", required=True, metavar="URL", help="what git clones and pushes to")
    p.add_argument("--branch", default="main", help="default main")
    p.add_argument("--file", default=FILE, metavar="PATH", help=f"in the repository (default {FILE})")
    args = p.parse_args(argv)
    return cli.run("commit", lambda: commit(cli.Folder(args.out), args.repository, args.branch, args.file))


if __name__ == "__main__":
    sys.exit(main())
