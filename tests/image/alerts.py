#!/usr/bin/env python3
"""Has each alert of k8s/monitoring fire in the fault that it is for, and no other: ``alerts.py FOLDER``.

Pods of the image, as k8s/base has them, a Prometheus that scrapes their probe listeners, and the shipped rules with their
times divided by SCALE. First all is well; then each model gets a fault of its own, beside one that stays well.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / name) for name in ("image", "bench", "e2e", "http", "bundles", "")]

import wire  # noqa: E402
from drain import free_port  # noqa: E402
from engine import TOP, Engine  # noqa: E402
from fake_s3 import FakeS3  # noqa: E402
from pods import Pod, terminate  # noqa: E402
from rig import Verdicts, example  # noqa: E402
from versions import ROW, version, wrong_golden  # noqa: E402

SCALE = 60
SECONDS = {"s": 1, "m": 60, "h": 3600}
BUNDLE = TOP / "models/days_to_sell/bundle"
# How the rows of each model are not like training's, and the alert that says so.
UNLIKE = {
    "unseen": ({"colour": "octarine"}, "ScoredUnseenCategories"),
    "range": ({"photos": 5000}, "ScoredOutOfRange"),
    "missing": ({"power_bhp": None}, "ScoredMissingValues"),
    "failing": ({"price": None}, "ScoredRowsFailing"),
    "drift": (example(BUNDLE), "ScoredPredictionsDrift"),  # the same row again and again
}
BURNING = {f"Scored{what}Burn{how}" for what in ("Faults", "Slow") for how in ("Fast", "Slow")}
# What must fire, by model; all that there is.
FIRING = {
    "good": set(),
    **{model: {alert} for model, (_, alert) in UNLIKE.items()},
    "slow": {a for a in BURNING if a.startswith("ScoredSlow")},
    # never loaded: unready, and every prediction is a 503
    "unready": {a for a in BURNING if a.startswith("ScoredFaults")} | {"ScoredModelUnready", "ScoredReloadFailing"},
    "reload": {"ScoredReloadFailing"},
    "stale": {"ScoredSourceStale", "ScoredReloadFailing"},
}


def good() -> list[dict[str, Any]]:
    """Return rows whose predictions are spread as training's were: the golden one next to each quantile."""
    (golden,), (profile,) = BUNDLE.glob("golden-*.jsonl"), BUNDLE.glob("profile-*.json")
    quantiles = json.loads(profile.read_text())["outputs"]["prediction"]["quantiles"]
    rows = [row for row in map(json.loads, golden.read_text().splitlines()) if "out" in row]
    return [min(rows, key=lambda row: abs(row["out"]["prediction"] - q))["in"] for q in quantiles]


def seconds(text: str) -> float:
    """Return a duration of Prometheus's."""
    return int(text[:-1]) * SECONDS[text[-1]]


def scaled(rules: dict[str, Any]) -> dict[str, Any]:
    """Divide windows, durations and the age of a source."""
    for group in rules["groups"]:
        for rule in group["rules"]:
            rule["expr"] = re.sub(r"\[(\w+)\]", lambda m: f"[{seconds(m[1]) / SCALE:.0f}s]", rule["expr"])
            rule["expr"] = re.sub(r"> 1800\b", f"> {1800 / SCALE:.0f}", rule["expr"])
            if "for" in rule:
                rule["for"] = f"{seconds(rule['for']) / SCALE:.0f}s"
    return rules


class Prometheus:
    """A server with the scaled rules."""

    def __init__(self, folder: Path, targets: list[int]) -> None:
        self.port = free_port()
        rules = scaled(yaml.safe_load((TOP / "k8s/monitoring/rules.yaml").read_text()))
        (folder / "rules.yaml").write_text(yaml.safe_dump(rules))
        config = {
            "global": {"scrape_interval": "500ms", "evaluation_interval": "500ms"},
            "rule_files": [str(folder / "rules.yaml")],
            "scrape_configs": [{"job_name": "scored", "static_configs": [{"targets": [f"127.0.0.1:{t}" for t in targets]}]}],
        }
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
             f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=error"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def ask(self, path: str, **query: str) -> Any:
        """Return an answer of its API."""
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=10) as reply:
            return json.load(reply)["data"]

    def firing(self) -> dict[str, set[str]]:
        """Return the alerts that fire, by model."""
        found: dict[str, set[str]] = defaultdict(set)
        for alert in self.ask("alerts")["alerts"]:
            if alert["state"] == "firing":
                found[alert["labels"]["model"]].add(alert["labels"]["alertname"])
        return found

    def up(self) -> int:
        """Return how many targets answer."""
        with contextlib.suppress(OSError):
            return len(self.ask("query", query="up == 1")["result"])
        return 0


class Traffic(threading.Thread):
    """Rows for each model, until the block ends."""

    def __init__(self, ports: dict[str, int]) -> None:
        super().__init__(daemon=True)
        self.ports, self.ends = ports, threading.Event()
        self.rows: dict[str, str] = {}
        for model in ports:
            self.send(model, [ROW] if model in ("reload", "stale", "unready") else good())

    def send(self, model: str, rows: list[dict[str, Any]]) -> None:
        """Send other rows from now on."""
        self.rows[model] = "\n".join(map(json.dumps, rows))

    def run(self) -> None:
        """Ask each in turn."""
        while not self.ends.wait(0.4):
            for model, port in self.ports.items():
                with contextlib.suppress(OSError, AssertionError):
                    wire.ask(port, "POST", f"/models/{model}/predict", self.rows[model],
                             headers={"Content-Type": "application/x-ndjson"})  # fmt: skip

    def __enter__(self) -> Traffic:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ends.set()
        self.join(20)


def quiet(v: Verdicts, p: Prometheus) -> None:
    """All is well for as long as the longest `for`, and an hour's window filled."""
    seen: set[str] = set()
    end = time.monotonic() + 40
    while time.monotonic() < end:
        seen |= {f"{alert} of {model}" for model, alerts in p.firing().items() for alert in alerts}
        time.sleep(0.5)
    v.add(not seen, f"all is well: nothing fires {sorted(seen) or ''}")


def fires(v: Verdicts, p: Prometheus) -> None:
    """Each model's fault is told by its alerts, and by no others."""
    began, first = time.monotonic(), dict[str, float]()
    extra: dict[str, set[str]] = defaultdict(set)
    while time.monotonic() < began + 150 and set(first) != set(FIRING) - {"good"}:
        for model, alerts in p.firing().items():
            extra[model] |= alerts - FIRING[model]
            if alerts >= FIRING[model]:
                first.setdefault(model, time.monotonic() - began)
        time.sleep(0.5)
    last = p.firing()
    for model, alerts in FIRING.items():
        lacking = sorted(alerts - last[model]) if model not in first else []
        when = f" after {first[model]:.0f} s" if model in first else ""
        text = f"{model}: {', '.join(sorted(alerts)) or 'nothing'}{when}"
        v.add(not lacking and not extra[model], text + (f"; lacks {lacking}" if lacking else "") +
              (f"; and {sorted(extra[model])}" if extra[model] else ""))  # fmt: skip


@contextlib.contextmanager
def pods(engine: Engine, s3: FakeS3, other: FakeS3) -> Iterator[dict[str, Pod]]:
    """Run a pod for each kind of model."""
    baked = [f"--model={name}=/bundle" for name in ("good", *UNLIKE)]
    fast = ("--poll=1",)
    made: dict[str, Pod] = {}
    try:
        made["good"] = Pod(engine, "days-to-sell", 0, *baked, *fast)
        made["slow"] = Pod(engine, "days-to-sell", 0, "--model=slow=/bundle", *fast)
        made["reload"] = Pod(engine, "scored", 0, "--model=reload=s3://models/reload/", *fast, env=s3.env())
        made["stale"] = Pod(engine, "scored", 0, "--model=stale=s3://models/stale/", *fast, env=other.env())
        made["unready"] = Pod(engine, "scored", 0, "--model=unready=s3://models/unready/", *fast, env=s3.env())
        for pod in made.values():
            pod.wait_until_ready()
        yield made
    finally:
        for pod in made.values():
            pod.kill()


def unload(engine: Engine, made: dict[str, Pod], s3: FakeS3) -> None:
    """Start the pod that finds no bundle, at the place of the one that did."""
    before = made["unready"]
    before.kill()
    made["unready"] = Pod(
        engine, "scored", before.port, "--model=unready=s3://models/nothing/", "--poll=1", probe=before.probe, env=s3.env()
    )


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    v, engine = Verdicts(), Engine(args.folder.resolve())
    for image, model in (("scored", ()), ("days-to-sell", ("--model", "models/days_to_sell/bundle"))):
        done = engine.build(image, *model, "--", "--layers")
        assert done.returncode == 0, done.stderr[-1000:]
    with FakeS3() as s3, FakeS3() as other, tempfile.TemporaryDirectory(prefix="alerts-") as folder:
        for server, prefix in ((s3, "reload"), (s3, "unready"), (other, "stale")):
            version(1).publish(lambda name, content, to=server, at=prefix: to.store.put("models", f"{at}/{name}", content))
        with pods(engine, s3, other) as made:
            ports = {model: made[model if model in made else "good"].port for model in FIRING}
            p = Prometheus(Path(folder), [pod.probe for pod in made.values()])
            try:
                with Traffic(ports) as traffic:
                    while p.up() < len(made):
                        time.sleep(0.2)
                    quiet(v, p)
                    for model, (change, _) in UNLIKE.items():
                        traffic.send(model, [row | change for row in good()])
                    traffic.send("slow", 200 * good())
                    wrong_golden(2).publish(lambda name, content: s3.store.put("models", f"reload/{name}", content))
                    other.stop()
                    unload(engine, made, s3)
                    fires(v, p)
            finally:
                terminate(p.process)
    told = {alert for alerts in FIRING.values() for alert in alerts}
    rules = yaml.safe_load((TOP / "k8s/monitoring/rules.yaml").read_text())
    v.add(told == {r["alert"] for g in rules["groups"] for r in g["rules"] if "alert" in r}, f"all {len(told)} alerts are among them")
    return v.close()


if __name__ == "__main__":
    sys.exit(main())
