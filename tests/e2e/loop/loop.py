#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The whole way of a model, and all that stops it: ``loop.py FOLDER TOOLS [--until turn|load|halts]``; $SCORED_BIN.

Sources arrive; Airflow runs the DAG, MLflow keeps its runs, a bucket the bundle; the DAG commits; a forge builds the image of
that commit, tests it, pushes it to a registry, and rolls it out to pods that are containers, behind HAProxy; the DAG's last
task asks there. Twice, the second time under load. Then each fault: where it halts, what it says, and what is served meanwhile.
FOLDER keeps the images' base and build stage, TOOLS are those of tests/cluster/build.sh. build/logs/loop.md is the transcript.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

TESTS = Path(__file__).resolve().parents[2]
FOLDERS = ("image", "airflow", "airflow/sabotage", "mlflow", "cluster", "bench", "e2e", "http", "bundles", "")
sys.path[:0] = [str(Path(__file__).parent), *(str(TESTS / name) for name in FOLDERS), str(TESTS.parent / "models")]

import wire  # noqa: E402
from backends import client  # noqa: E402
from days_to_sell.confirm import bits  # noqa: E402
from drain import free_port  # noqa: E402
from engine import Engine  # noqa: E402
from fake_s3 import FakeS3  # noqa: E402
from faults import FAULTS, halted, keys, play  # noqa: E402
from flow import TASKS, TOP, WHO, Ran, World, run  # noqa: E402
from forge import MANIFESTS, OVERLAY, SPACE, STEPS, Forge, Site, Turn  # noqa: E402
from front import Service  # noqa: E402
from node import Api, Nodes  # noqa: E402
from plane import Plane, until  # noqa: E402
from pods import terminate  # noqa: E402
from rig import Verdicts  # noqa: E402
from rollouts import Load  # noqa: E402
from spoil import spoil  # noqa: E402
from tracking import tracking  # noqa: E402
from whose_port import until_it_listens  # noqa: E402
from witness import Witness  # noqa: E402

NAMESPACE = "scored-production"
PODS = 3  # that production's autoscaler has at least
AGAIN = (4600, "2026-07-07")  # the sources of the second turn: a week later, and more of them
LOADED = 100.0  # seconds of load, in which a roll-out must end
ROWS = 8  # golden rows that the witness asks, of the first version


class Checkout(World):
    """The DAG in a clone of this repository as it was committed, which its `commit` task pushes to."""

    def _checkout(self) -> Path:
        run("git", "init", "-q", "--bare", "-b", "main", self.repository)
        run("git", "-C", TOP, "push", "-q", self.repository, "HEAD:refs/heads/main")
        run("git", "clone", "-q", self.repository, self.root / "tree")
        return self.root / "tree"

    def published(self) -> dict[str, Any]:
        """What the run of the sources' day has published."""
        told: dict[str, Any] = json.loads((self.out / "runs" / f"{self.day}T00-00-00" / "published.json").read_text())
        return told


@contextlib.contextmanager
def registry(folder: Path) -> Iterator[str]:
    """Run a registry; gives its host and port."""
    place = f"127.0.0.1:{free_port()}"
    config = {"version": 0.1, "log": {"level": "error"}, "http": {"addr": place},
              "storage": {"filesystem": {"rootdirectory": str(folder / "registry")}}}  # fmt: skip
    (folder / "registry.yml").write_text(yaml.safe_dump(config))
    with (folder / "registry.log").open("wb") as log:
        process = subprocess.Popen(["docker-registry", "serve", str(folder / "registry.yml")], stdout=log, stderr=log)
    try:
        until_it_listens(process, int(place.partition(":")[2]))
        yield place
    finally:
        terminate(process)


def ask(url: str) -> Any:
    """Return what a server answers; an empty list where it knows nothing of it."""
    try:
        with urllib.request.urlopen(url, timeout=20) as reply:
            return json.load(reply)
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return []
        raise


class Told(Verdicts):
    """Verdicts that are written down, with the times at which they were given."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = time.monotonic()
        self.lines: list[str] = []
        self.turns: list[tuple[str, dict[str, float]]] = []
        self.halts: list[tuple[str, str, str, str]] = []

    def add(self, fine: bool, text: str) -> None:
        """Print one, and keep it."""
        super().add(fine, text)
        self.lines.append(f"{time.monotonic() - self.begun:7.1f} s  {'ok  ' if fine else 'FAIL'}  {text}")

    def halt(self, fine: bool, what: tuple[str, str, str], served: str) -> None:
        """Add a row to the table of halts."""
        fault, where, why = what
        why = re.sub(r"(?<![\w:/])/\S*/", "", " ".join(why.split()))[:300]
        self.halts.append((fault, where, why, served))
        self.add(fine, f"{fault}: halts at {where}: {why} | meanwhile {served}")

    def write(self, to: Path) -> None:
        """Write the transcript."""
        names = list(dict.fromkeys(name for _, steps in self.turns for name in steps))
        head = ["| step |", "|---|"]
        rows = [f"| {name} |" for name in names]
        for title, steps in self.turns:
            head = [head[0] + f" {title}, s |", head[1] + "---|"]
            rows = [row + (f" {steps[name]:.1f} |" if name in steps else " |") for row, name in zip(rows, names, strict=True)]
        halts = ["| fault | halts at | says | served meanwhile |", "|---|---|---|---|"]
        halts += [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in self.halts]
        parts = ["# The loop", "\n".join(head + rows), "\n".join(halts), "```text\n" + "\n".join(self.lines) + "\n```",
                 f"{self.passed} passed, {self.failed} failed"]  # fmt: skip
        to.write_text("\n\n".join(parts) + "\n")


class Loop:
    """All that takes part, from the beginning of the block to its end."""

    def __init__(self, folder: Path, tools: Path) -> None:
        self.folder, self.tools = folder, tools
        self.end = contextlib.ExitStack()
        self.version = self.image = self.good = ""

    def __enter__(self) -> Loop:
        with self.end:
            self.begin()
            self.end = self.end.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.end.close()

    def begin(self) -> None:
        """Start one after the other."""
        enter = self.end.enter_context
        self.root = Path(enter(tempfile.TemporaryDirectory(prefix="loop-", ignore_cleanup_errors=True)))
        for name in ("mlflow", "haproxy", "forge", "world"):
            (self.root / name).mkdir()
        self.s3 = enter(FakeS3())
        self.s3.store.put("models", "other", b"")
        self.mlflow = enter(tracking(self.root / "mlflow"))
        self.registry = enter(registry(self.root))
        self.plane = enter(Plane(self.tools, kwok=False))
        self.prepare()
        self.node = Engine(self.root / "node")
        self.end.callback(subprocess.run, ["umount", "-l", str(self.root / "node/store/overlay")], stderr=subprocess.DEVNULL)
        api = Api(self.plane.config)
        self.nodes = enter(Nodes(api, self.node, "abc"))
        self.service = enter(Service(api, self.nodes, self.root / "haproxy", NAMESPACE, "scored"))
        self.world = Checkout("3", self.root / "world", self.s3.env())
        self.end.callback(self.world.close)
        self.world.env |= {"MLFLOW_TRACKING_URI": self.mlflow, "DAYS_TO_SELL_PYTHON": str(self.python()),
                           "DAYS_TO_SELL_SERVER": self.service.url, "DAYS_TO_SELL_CONFIRM": "600"}  # fmt: skip
        engine = Engine(self.folder)
        engine.base()
        self.forge = enter(Forge(Site(self.world.repository, self.registry, engine, self.plane, self.root / "forge",
                                      self.root / "world/public.pem", self.s3.env(), self.root / "credentials")))  # fmt: skip

    def prepare(self) -> None:
        """What a cluster has before anything is rolled out to it: kinds of the operator, and the namespace."""
        for text in (self.tools / "crds/monitoring.coreos.com_servicemonitors.yaml", TOP / OVERLAY / "namespace.yaml"):
            done = self.plane.apply(text.read_text())
            assert done.returncode == 0, done.stderr
        self.plane.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")

    def python(self) -> Path:
        """Where models are trained: the Python that has PySpark, with MLflow's client beside it."""
        script = self.root / "python"
        path = f"{TOP}/build/mlflow_client${{PYTHONPATH:+:$PYTHONPATH}}"
        script.write_text(f'#!/bin/sh\nPYTHONPATH={path} exec {sys.executable} "$@"\n')
        script.chmod(0o755)
        return script

    def client(self) -> Any:
        """A client of the bucket."""
        return client("s3", self.s3.env())

    def objects(self) -> dict[str, str]:
        """Digest of every object in the bucket."""
        contents = self.client().list_objects_v2(Bucket="models").get("Contents", [])
        bodies = {o["Key"]: self.client().get_object(Bucket="models", Key=o["Key"])["Body"].read() for o in contents}
        return {key: hashlib.sha256(body).hexdigest() for key, body in bodies.items()}

    def tags(self) -> list[str]:
        """What is in the registry."""
        return sorted((ask(f"http://{self.registry}/v2/days-to-sell/tags/list") or {"tags": []})["tags"])

    def pods(self) -> list[dict[str, Any]]:
        """The pods that are to stay."""
        return [p for p in self.plane.get("pods", SPACE) if "deletionTimestamp" not in p["metadata"]]

    def images(self) -> list[str]:
        """What they run."""
        return [p["spec"]["containers"][0]["image"] for p in self.pods()]

    def shipped(self, version: str) -> str:
        """The DAG's commit of a version."""
        return run("git", "-C", self.world.repository, "log", "-1", "--format=%H", "--grep", f"^days_to_sell {version}$", "main").strip()

    def commit(self, change: Callable[[Path], None], message: str) -> str:
        """Push a commit that is the last good one, changed."""
        tree = self.root / "people"
        shutil.rmtree(tree, ignore_errors=True)
        run("git", "clone", "-q", self.world.repository, tree)
        run("git", "-C", tree, "checkout", "-q", self.good, "--", ".")
        change(tree)
        run("git", "-C", tree, "commit", "-q", "-a", "--allow-empty", "-m", message, env=os.environ | WHO)
        run("git", "-C", tree, "push", "-q", "origin", "HEAD:main")
        return run("git", "-C", tree, "rev-parse", "HEAD").strip()

    def head(self) -> str:
        """The repository's newest commit."""
        return run("git", "-C", self.world.repository, "rev-parse", "main").strip()


# -- turns


def serves(v: Told, loop: Loop, turn: Turn) -> None:
    """All pods run the image that git names, and what they answer is what Spark did."""
    loop.version, loop.image, loop.good = turn.version, turn.image, loop.head()
    until(f"{PODS} pods", lambda: len(loop.pods()) == PODS)
    v.add(loop.images() == PODS * [turn.image], f"{PODS} pods run {turn.image}")
    (golden,) = (loop.root / "forge" / f"bundle-{turn.commit[:12]}").glob("golden-*.jsonl")
    row = next(row for row in map(json.loads, golden.read_text().splitlines()) if "out" in row)
    reply = wire.ask(loop.service.port, "POST", "/predict", json.dumps(row["in"]))
    v.add(reply.status == 200 and bits(reply.json) == bits(row["out"]) and reply.headers["x-model-version"] == turn.version,
          f"HAProxy: a golden row: {reply.body.decode().strip()}, Spark {row['out']}, X-Model-Version {reply.headers.get('x-model-version')}")  # fmt: skip


def go(v: Told, loop: Loop, title: str) -> tuple[Ran, Turn]:
    """A turn, from the sources' arrival to the last pod; there is no going on without it."""
    began = time.monotonic()
    ran = loop.world.run()
    v.add(ran.done == list(TASKS) and not ran.alerts, f"{title}: the DAG: {len(ran.done)} tasks done {ran.alerts or ''}")
    if len(ran.done) < TASKS.index("confirm"):
        raise SystemExit((loop.root / "world/last.log").read_text()[-3000:])
    turn = loop.forge.of(loop.shipped(loop.world.published()["version"]))
    took = time.monotonic() - began
    v.add(turn.done == list(STEPS), f"{title}: the forge: {', '.join(turn.done)} {turn.why}")
    if turn.halted:
        raise SystemExit(1)
    steps = {f"DAG: {task}": ran.seconds[task] for task in TASKS} | {f"forge: {name}": s for name, s in turn.steps}
    v.turns.append((title, steps | {"all, `confirm` beside the forge": took}))
    serves(v, loop, turn)
    return ran, turn


def lineage(v: Told, loop: Loop, ran: Ran, turn: Turn) -> None:
    """From the header of an answer back to the data, by the page's commands; then MLflow's run, and the image's own word."""
    told, made = loop.world.walk(loop.service.url, loop.root / f"walk-{turn.version}"), loop.world.published()
    facts = made["lineage"]
    names = (turn.version, turn.commit, ran.run_id, facts["training_data_sha256"], facts["git_commit"], facts["mlflow_run_id"])
    lost = [fact for fact in names if fact not in told]
    v.add(not lost and told.count(facts["training_data_sha256"]) >= 3,
          f"from X-Model-Version {turn.version} to commit {turn.commit[:12]}, {turn.uri[:60]}..., run {ran.run_id}, code {facts['git_commit'][:12]}, "
          f"data {facts['training_data_sha256'][:12]} {lost or ''}")  # fmt: skip
    run_of = ask(f"{loop.mlflow}/api/2.0/mlflow/runs/get?run_id={facts['mlflow_run_id']}")["run"]["data"]
    tags = {t["key"]: t["value"] for t in run_of["tags"]}
    alias = ask(f"{loop.mlflow}/api/2.0/mlflow/registered-models/alias?name=days_to_sell&alias=champion")["model_version"]
    v.add(tags["training_data_sha256"] == facts["training_data_sha256"] and tags["airflow_run_id"] == ran.run_id
          and (alias["run_id"], alias["source"]) == (facts["mlflow_run_id"], turn.uri)
          and {m["key"]: m["value"] for m in run_of["metrics"]} == facts["metrics"],
          f"MLflow: run {facts['mlflow_run_id']} of this data and run of Airflow, champion is version {alias['version']}")  # fmt: skip
    name = loop.nodes.pulled[-1]
    labels = json.loads(loop.node.podman("image", "inspect", name).stdout)[0]["Config"]["Labels"]
    v.add(labels["scored.model"] == turn.uri and labels["org.opencontainers.image.revision"] == turn.commit,
          f"the pods' image: of {labels['org.opencontainers.image.revision'][:12]}, with {labels['scored.model'][:50]}...")  # fmt: skip


def first(v: Told, loop: Loop) -> None:
    """The first model; from then on somebody asks."""
    ran, turn = go(v, loop, "first")
    lineage(v, loop, ran, turn)
    (golden,) = (loop.root / "forge" / f"bundle-{turn.commit[:12]}").glob("golden-*.jsonl")
    rows = [row for row in map(json.loads, golden.read_text().splitlines()) if "out" in row][:ROWS]
    loop.witness = loop.end.enter_context(Witness(loop.service.port, [row["in"] for row in rows], loop.s3.env()))
    loop.witness.uris[turn.version] = turn.uri
    v.add(loop.witness.answers(turn.version) == [bits(row["out"]) for row in rows], "the witness expects what Spark answered")
    time.sleep(3)
    page = loop.witness.page()
    v.add(not page.wrong and set(page.versions) == {turn.version}, f"somebody asks from now on: {page.text}")


def second(v: Told, loop: Loop) -> None:
    """Retrained on other data, and rolled out under load."""
    before = loop.version
    loop.world.arrives(*AGAIN)
    load, loading = Load(loop.root, loop.service.port, json.loads(loop.witness.rows[0])), contextlib.ExitStack()
    loop.forge.before = lambda turn, step: step == "apply" and loading.enter_context(load.over(LOADED))
    ran, turn = go(v, loop, "second, under load")
    loading.close()
    loop.forge.before = lambda turn, step: None
    loop.witness.uris[turn.version] = turn.uri
    page = loop.witness.page()
    v.add(load.failed == 0 and load.counts["due"] > 10_000, f"the second roll-out: {load.failed} of {load.counts['due']:,} requests failed {dict(load.counts)}")
    v.add(not page.wrong and set(page.versions) == {before, turn.version}, f"and each answer was its version's: {page.text}")
    lineage(v, loop, ran, turn)


# -- halts


def held(loop: Loop) -> tuple[bool, str]:
    """Whether what served before has served all the time, and still does."""
    page = loop.witness.page()
    return not page.wrong and set(page.versions) == {loop.version} and loop.images() == PODS * [loop.image], page.text


DAG_HALTS = ("a source is empty", "the sources are late", "a feature knows the label", "the model is worse than the accepted one",
             "an answer differs from its golden row", "another key has signed")  # fmt: skip


def dag_halts(v: Told, loop: Loop) -> None:
    """What halts the DAG: nothing is published, registered, committed or rolled out."""
    for number, fault in enumerate(DAG_HALTS):
        before = loop.objects(), loop.head(), loop.tags()
        ran = play(loop, fault, loop.root / f"fault-{number}")
        fine, served = held(loop)
        same = before == (loop.objects(), loop.head(), loop.tags())
        where = f"DAG, `{FAULTS[fault].task}`"
        v.halt(halted(fault, ran) and same and fine, (fault, where, ran.alerts[0]["why"] if ran.alerts else str(ran)), served)


def model(tree: Path, **told: str) -> None:
    """Change what docker/model.env says."""
    file = tree / "docker/model.env"
    there = dict(line.split("=", 1) for line in file.read_text().splitlines())
    file.write_text("".join(f"{key}={value}\n" for key, value in (there | told).items()))


def patch(tree: Path, operation: str) -> None:
    """Add an operation to production's patch of the deployment."""
    file = tree / OVERLAY / "kustomization.yaml"
    told = yaml.safe_load(file.read_text())
    (of_deployment,) = (p for p in told["patches"] if p["target"]["kind"] == "Deployment")
    of_deployment["patch"] += f"\n{operation}"
    file.write_text(yaml.safe_dump(told))


def other_bundle(loop: Loop, prefix: str, change: Callable[[Path], str], key: Path) -> str:
    """Publish the bundle that serves once more, changed and signed again; return its URI."""
    folder = loop.root / prefix
    scored, env = os.environ["SCORED_BIN"], loop.s3.env()
    run(scored, "fetch", loop.witness.uris[loop.version], folder, env=env)
    digest = change(folder)
    for old in folder.glob("*.dsse"):
        old.unlink()
    run(scored, "sign", "--no-check", "--key", key, folder, env=env)
    for file in folder.iterdir():
        loop.s3.store.put("models", f"{prefix}/{file.name}", file.read_bytes())
    return f"s3://models/{prefix}/#sha256={digest}"


def wrong_answers(loop: Loop, tree: Path) -> None:
    """The right key has signed golden rows that are not Spark's."""
    model(tree, MODEL_URI=other_bundle(loop, "wrong", spoil, loop.root / "world/private.pem"))


def wrong_key(loop: Loop, tree: Path) -> None:
    """The bundle that serves, signed by another key."""
    digest = loop.witness.uris[loop.version].partition("=")[2]
    model(tree, MODEL_URI=other_bundle(loop, "other", lambda _: digest, keys(loop.root / "keys")[0]))


def wrong_version(loop: Loop, tree: Path) -> None:
    """The commit names a version that the bundle is not."""
    model(tree, MODEL_VERSION="20260714-00000000-00000000")


def wrong_place(loop: Loop, tree: Path) -> None:
    """The image is built, but the bundle is not where pods look for it."""
    file = tree / "docker/Dockerfile"
    file.write_text(file.read_text().replace("COPY --from=bundle /bundle /bundle", "COPY --from=bundle /bundle /model"))


def slip(loop: Loop, tree: Path) -> None:
    """A slip of the pen in production's manifests."""
    patch(tree, "- {op: add, path: /spec/template/spec/containers/0/readynessProbe, value: {}}")


def never_ready(loop: Loop, tree: Path) -> None:
    """Production's pods are told to serve what is not there."""
    patch(tree, "- {op: replace, path: /spec/template/spec/containers/0/args/1, value: --model=/nothing}")


@dataclass(frozen=True)
class Slip:
    """A commit that must halt at a step, and what is said then."""

    what: str
    make: Callable[[Loop, Path], None]
    step: str
    says: str


OF_IMAGES = (
    Slip("model.env names a bundle with a wrong golden row", wrong_answers, "build", r"golden"),
    Slip("model.env names a bundle of another signer", wrong_key, "build", r"sign|key"),
    Slip("model.env says another version than the bundle", wrong_version, "test", r"answers as version \S+, the commit says 20260714-"),
    Slip("an image without the bundle in its place", wrong_place, "test", r"not ready within 30 s: .*/bundle"),
)
OF_MANIFESTS = (
    Slip("a slip of the pen in production's manifests", slip, "validate", r"readynessProbe"),
    Slip("pods that are never ready", never_ready, "roll out", r"exceeded its progress deadline; .*/nothing.*; undone"),
)


def forge_halts(v: Told, loop: Loop, slips: tuple[Slip, ...]) -> None:
    """What halts the forge: no step behind is done."""
    for it in slips:
        tags = loop.tags()
        commit = loop.commit(lambda tree, it=it: it.make(loop, tree), it.what)
        turn = loop.forge.of(commit)
        until("the pods before", lambda: len(loop.pods()) == PODS)
        fine, served = held(loop)
        steps = STEPS if slips is OF_IMAGES else MANIFESTS
        stood = turn.halted == it.step and turn.done == list(steps[: steps.index(it.step)]) and bool(re.search(it.says, turn.why))
        same = loop.tags() == tags and loop.head() == commit
        v.halt(stood and same and fine, (it.what, f"forge, `{turn.halted}`", turn.why), served)


def mended(v: Told, loop: Loop, what: str, steps: tuple[str, ...]) -> None:
    """The next good commit goes through, without a request that fails."""
    before = loop.version
    commit = loop.commit(lambda tree: None, what)
    turn = loop.forge.of(commit)
    page = loop.witness.page()
    v.add(turn.done == list(steps) and not page.wrong and set(page.versions) == {before}, f"{what}: {', '.join(turn.done)} {turn.why}; {page.text}")
    loop.good = loop.head()
    if "push" in steps:
        loop.image = turn.image
    until("the pods", lambda: loop.images() == PODS * [loop.image])


def halts(v: Told, loop: Loop) -> None:
    """Each fault, and back."""
    loop.witness.page()
    dag_halts(v, loop)
    forge_halts(v, loop, OF_IMAGES)
    mended(v, loop, "taken back, image and all", STEPS)
    forge_halts(v, loop, OF_MANIFESTS)
    mended(v, loop, "taken back, manifests only", MANIFESTS)


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("tools", type=Path)
    parser.add_argument("--until", choices=("turn", "load", "halts"), default="halts")
    args = parser.parse_args()
    parts = {"turn": first, "load": second, "halts": halts}
    v = Told()
    try:
        with Loop(args.folder.resolve(), args.tools.resolve()) as loop:
            v.add(True, "a bucket, MLflow, Airflow, a repository, a registry, a control plane, three nodes and HAProxy")
            for name in list(parts)[: list(parts).index(args.until) + 1]:
                parts[name](v, loop)
            codes = loop.nodes.codes
            v.add(set(codes) == {0} and len(codes) > 1 or args.until == "turn", f"{len(codes)} containers were ended by SIGTERM, with {sorted(set(codes))}")
    except BaseException as error:
        v.add(False, f"it broke off: {error!r:.600}")
        raise
    finally:
        v.write(TOP / "build/logs/loop.md")
    return v.close()


if __name__ == "__main__":
    sys.exit(main())
