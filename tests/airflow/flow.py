# SPDX-License-Identifier: Apache-2.0
"""A world for the DAG: Airflow with a home of its own, a checkout, a feed, a bucket, a repository, a daemon, an ear for alerts."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import urllib.request
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parents[2]
DAY = "2026-06-30"  # the last one of the generated data
PREFIX = "s3://models/days_to_sell/"
TASKS = ("arrive", "generate", "check", "train", "export", "prove", "publish", "register", "commit", "confirm")
WHO = {f"GIT_{role}_{key}": "t@t" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}


def run(*command: str | Path, **more: Any) -> str:
    """Run a command that must end well, and return what it prints."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **more)
    assert done.returncode == 0, f"{command}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


class Ear:
    """Hears the alerts."""

    def __init__(self) -> None:
        heard: list[dict[str, Any]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.heard = heard
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@dataclass(frozen=True)
class Ran:
    """A run of the DAG: the state of each task, and the alerts."""

    run_id: str
    states: dict[str, str]
    seconds: dict[str, float]
    alerts: list[dict[str, Any]]

    @property
    def done(self) -> list[str]:
        """The tasks that succeeded, in order."""
        return [task for task in TASKS if self.states.get(task) == "success"]

    @property
    def why(self) -> str:
        """What the only alert says."""
        (alert,) = self.alerts
        return f"{alert['task']}: {alert['why']}"


def seconds(row: dict[str, Any]) -> float:
    """How long a task took; 0 where it did not run."""
    begun, ended = (row.get(key) for key in ("start_date", "end_date"))
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(begun)).total_seconds() if begun and ended else 0.0


class World:
    """From construction to close(): one line of Airflow, "2" or "3"."""

    def __init__(self, line: str, root: Path, s3_env: dict[str, str]) -> None:
        self.root = root
        self.bin = TOP / "build" / f"airflow{line}" / "bin"
        self.ear = Ear()
        self.repository = root / "repository.git"
        self.tree = self._checkout()
        self.out = root / "out"
        self.feed = root / "feed" / "sources"
        self.first = run("git", "-C", self.repository, "rev-parse", "main").strip()
        python = sys.executable
        self.env = {k: os.environ[k] for k in ("JAVA_HOME", "HOME", "LANG") if k in os.environ} | s3_env | {
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "SPARK_LOCAL_IP": "127.0.0.1",
            "PYSPARK_PYTHON": python,
            "SCORED_BIN": os.environ["SCORED_BIN"],
            "AIRFLOW_HOME": str(root / "home"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.tree / "models" / "days_to_sell"),
            "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "200",
            "DAYS_TO_SELL_PYTHON": python,
            "DAYS_TO_SELL_OUT": str(self.out),
            "DAYS_TO_SELL_FEED": str(self.feed),
            "DAYS_TO_SELL_BUNDLE": PREFIX,
            "DAYS_TO_SELL_REPOSITORY": str(self.repository),
            "DAYS_TO_SELL_ALERT": self.ear.url,
            "DAYS_TO_SELL_ONLY": "forest",
            "DAYS_TO_SELL_WAIT": "1",
            "DAYS_TO_SELL_CONFIRM": "20",
        }  # fmt: skip
        run("openssl", "genpkey", "-algorithm", "ed25519", "-out", root / "private.pem")
        run("openssl", "pkey", "-in", root / "private.pem", "-pubout", "-out", root / "public.pem")
        self.env |= {"DAYS_TO_SELL_SIGN_KEY": str(root / "private.pem"), "DAYS_TO_SELL_TRUST": str(root / "public.pem")}
        self.arrives(4000)
        run(self.bin / "airflow", "db", "migrate", env=self.env)
        if line != "2":
            run(self.bin / "airflow", "dags", "reserialize", env=self.env)

    def _checkout(self) -> Path:
        """The models folder as it stands, in a repository that has nothing else: a commit of its own, and nothing dirty; and
        an empty one for `commit`."""
        run("git", "init", "-q", "--bare", "-b", "main", self.repository)
        first = self.root / "first"
        run("git", "clone", "-q", self.repository, first)
        run("git", "-C", first, "commit", "-q", "--allow-empty", "-m", "first", env=os.environ | WHO)
        run("git", "-C", first, "push", "-q", "origin", "HEAD:main")
        tree = self.root / "tree"
        shutil.copytree(TOP / "models", tree / "models", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", "build"))
        for arguments in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-q", "-m", "the jobs")):
            run("git", "-C", tree, *arguments, env=os.environ | WHO)
        return tree

    def arrives(self, rows: int, day: str = DAY) -> None:
        """Let other sources arrive, whose last day it is, and be the day of the runs from now on."""
        shutil.rmtree(self.feed, ignore_errors=True)
        self.job("generate", "--out", str(self.feed.parent), "--rows", str(rows), "--end", day)
        self.day = day

    def later(self, days: int) -> str:
        """A day after that of the sources."""
        return str(date.fromisoformat(self.day) + timedelta(days))

    def job(self, name: str, *arguments: str) -> str:
        """Run a job by hand."""
        return run(sys.executable, "-m", f"days_to_sell.{name}", *arguments, cwd=self.tree / "models", env=self.env)

    def commits(self) -> list[str]:
        """The repository's commits, newest first, without what it began with."""
        return run("git", "-C", self.repository, "log", "--format=%H", f"{self.first}..main").split()

    def run(self, day: str = "", skip: tuple[str, ...] = (), **env: str) -> Ran:
        """Run the DAG, for the sources' day where none is said; the tasks of `skip` are taken as done."""
        self.ear.heard.clear()
        marks = ["--mark-success-pattern", f"^({'|'.join(skip)})$"] if skip else []
        done = subprocess.run([self.bin / "airflow", "dags", "test", *marks, "days_to_sell", day or self.day], env=self.env | env,
                              capture_output=True, text=True, check=False)  # fmt: skip
        text = done.stdout + done.stderr
        (self.root / "last.log").write_text(text)
        run_id = re.search(r"run_id=(\S+?),? ", text) or re.search(r"(manual__\S+?)[,\s]", text)
        assert run_id, text[-3000:]
        told = run(self.bin / "airflow", "tasks", "states-for-dag-run", "days_to_sell", run_id[1], "-o", "json", env=self.env)
        rows = json.loads(told[told.index("[{") :])
        states, took = ({row["task_id"]: of(row) for row in rows} for of in (lambda row: row["state"], seconds))
        return Ran(run_id[1], states, took, list(self.ear.heard))

    def walk(self, url: str, to: Path) -> str:
        """Go from an answer of a daemon to all that made it, by the commands of models/README.md; return what they print."""
        text = (TOP / "models/README.md").read_text()
        block = re.search(r"<!-- not run: tests/airflow[^\n]*\n```sh\n(.*?)```", text, re.S)[1]
        example = json.load(urllib.request.urlopen(f"{url}/models/days_to_sell"))["example"]["in"]
        (to / "bin").mkdir(parents=True)
        (to / "row.json").write_text(json.dumps(example))
        (to / "bin/scored").symlink_to(self.env["SCORED_BIN"])
        run("git", "clone", "-q", self.repository, to / "deployments")
        shutil.copytree(self.out / "runs", to / "runs")
        block = block.replace("localhost:8080", url.removeprefix("http://")).replace("/var/lib/days_to_sell/", "")
        env = {k: v for k, v in self.env.items() if k != "SCORED_BIN"} | {"PATH": f"{to}/bin:{self.env['PATH']}"}
        return run("bash", "-eu", "-o", "pipefail", "-c", block, cwd=to, env=env)

    def close(self) -> None:
        """End the ear."""
        self.ear.server.shutdown()
        self.ear.server.server_close()
