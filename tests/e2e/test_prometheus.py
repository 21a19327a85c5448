"""Prometheus itself: it scrapes the daemon, and the rules of k8s/monitoring fire when they should. Skipped where it is
not installed (Debian: prometheus)."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from daemon import BUNDLE, TOP, Daemon, until
from wire import ask

HERE = Path(__file__).resolve().parent
RULES = TOP / "k8s" / "monitoring" / "rules.yaml"
TRACE = "0af7651916cd43dd8448eb211c80319c"


def tool(name: str) -> str:
    """The path of a program."""
    found = os.environ.get(name.upper()) or shutil.which(name)
    assert found, f"{name} is not installed; tests/run.sh e2e does so"
    return found


def alerts() -> dict[str, dict[str, Any]]:
    """The alerts by name."""
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"] if "alert" in rule}


def test_rules_are_rules() -> None:
    command = [tool("promtool"), "check", "rules", "--lint=all", "--lint-fatal", RULES]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and "SUCCESS" in done.stdout, done.stdout + done.stderr


def test_each_alert_fires() -> None:
    done = subprocess.run([tool("promtool"), "test", "rules", HERE / "rules_test.yaml"], capture_output=True, text=True)
    assert done.returncode == 0 and "SUCCESS" in done.stdout, done.stdout + done.stderr


def test_each_alert_has_a_test_that_fires() -> None:
    tests = yaml.safe_load((HERE / "rules_test.yaml").read_text())["tests"]
    told = {case["alertname"] for test in tests for case in test["alert_rule_test"] if case["exp_alerts"]}
    assert told == set(alerts())


def test_rules_name_metrics_that_there_are() -> None:
    """Also labels and bounds, as the daemon has them."""
    d = Daemon("--poll", "3600")
    try:
        row = json.dumps(json.loads((BUNDLE / "bundle.json").read_text())["example"]["in"])
        assert ask(d.port, "POST", "/predict", row).status == 200
        text = ask(d.port, "GET", "/metrics").body.decode()
    finally:
        assert d.stop() == 0
    rules = RULES.read_text()
    named = set(re.findall(r"\b(scored_[a-z_]+)", rules))
    assert len(named) > 8 and named <= set(re.findall(r"^(?:# TYPE )?(scored_[a-z_]+)", text, re.M))
    assert re.search(r'^scored_request_duration_seconds_bucket\{route="/predict",model="\w+",le="0.03"\} 1$', text, re.M)
    assert re.search(r'^scored_requests_total\{route="/predict",model="\w+",status="200"\} 1$', text, re.M)


def queries() -> dict[str, str]:
    """The dashboard's queries by panel and letter, as Grafana sends them of all models."""
    panels = json.loads((TOP / "k8s" / "monitoring" / "dashboard.json").read_text())["panels"]
    return {
        f"{panel['title']} {target['refId']}": target["expr"].replace("$__rate_interval", "5s").replace("$model", ".*")
        for panel in panels
        for target in panel["targets"]
    }


# -- a server


class Prometheus:
    """A server that scrapes one daemon each half second."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(self, path: str, **query: str) -> Any:
        """An answer of its API."""
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=10) as r:
            return json.load(r)["data"]

    def value(self, query: str) -> float | None:
        """Of an instant query with one sample; None where it has none."""
        found = self.ask("query", query=query)["result"]
        return float(found[0]["value"][1]) if found else None

    def is_ready(self) -> bool:
        """Whether it answers."""
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=1).close()
        except OSError:
            return False
        return True


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextmanager
def prometheus(folder: Path, target: int) -> Iterator[Prometheus]:
    """A running Prometheus with our rules."""
    config = {
        "global": {"scrape_interval": "500ms", "evaluation_interval": "500ms"},
        "rule_files": [str(RULES)],
        "scrape_configs": [{"job_name": "scored", "static_configs": [{"targets": [f"127.0.0.1:{target}"]}]}],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    port = free_port()
    args = [
        tool("prometheus"), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}", "--enable-feature=exemplar-storage", "--log.level=error",
    ]  # fmt: skip
    process = subprocess.Popen(args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        p = Prometheus(port)
        until(p.is_ready, "Prometheus")
        yield p
    finally:
        process.terminate()
        process.wait(timeout=30)


def test_prometheus_scrapes_a_run(tmp_path: Path) -> None:
    tool("prometheus")
    row = json.loads((BUNDLE / "bundle.json").read_text())["example"]["in"]
    d = Daemon("--poll", "3600")
    headers = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
    try:
        with prometheus(tmp_path, d.admin) as p:
            for _ in range(20):
                assert ask(d.port, "POST", "/predict", json.dumps(row), headers=headers).status == 200
            count = 'scored_requests_total{route="/predict",status="200"}'
            until(lambda: p.value(count) == 20, "twenty requests, as Prometheus sees them")
            target = p.ask("targets")["activeTargets"][0]
            assert (target["health"], target["lastError"]) == ("up", "")
            assert p.value('scored_stage_duration_seconds_count{stage="score"}') == 20
            assert p.value('scored_feature_missing_total{feature="make"}') == 0
            assert p.value("scored_prediction_count") == 20
            seen = until(
                lambda: p.ask(
                    "query_exemplars",
                    query="scored_request_duration_seconds_bucket",
                    start=str(time.time() - 600),
                    end=str(time.time() + 600),
                ),
                "exemplars",
            )
            assert {e["labels"]["trace_id"] for series in seen for e in series["exemplars"]} == {TRACE}
            rules = [r for g in p.ask("rules")["groups"] for r in g["rules"]]
            assert len(rules) >= 19 and {r["name"] for r in rules if r["type"] == "alerting"} == set(alerts())
            until(lambda: all(r["health"] == "ok" for g in p.ask("rules")["groups"] for r in g["rules"]), "rules")
            assert not [r["lastError"] for g in p.ask("rules")["groups"] for r in g["rules"] if r.get("lastError")]
    finally:
        assert d.stop() == 0


def test_every_query_of_the_dashboard_has_data(tmp_path: Path) -> None:
    row = json.loads((BUNDLE / "bundle.json").read_text())["example"]["in"]
    d = Daemon("--poll", "3600")

    def without_data(p: Prometheus) -> list[str]:
        """Asks something, then all that the dashboard asks."""
        for _ in range(20):
            assert ask(d.port, "POST", "/predict", json.dumps(row)).status == 200
        found = {name: p.ask("query", query=query)["result"] for name, query in queries().items()}
        return [name for name, result in found.items() if not result or result[0]["value"][1] == "NaN"]

    try:
        with prometheus(tmp_path, d.admin) as p:
            end = time.monotonic() + 30
            while (lacking := without_data(p)) and time.monotonic() < end:
                time.sleep(0.5)
            assert not lacking and len(queries()) > 20
    finally:
        assert d.stop() == 0
