# SPDX-License-Identifier: Apache-2.0
"""What CI and CD do of a commit: image, its test, registry, manifests, roll-out. The first step that fails is the last.

A commit that changes what the image is made of goes through all steps; one that does not, through those of the manifests.
Faults of the code of the tests themselves are no halts: they end the thread and are raised to whoever waits.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from days_to_sell.confirm import bits
from engine import Engine, run
from flow import WHO
from plane import Plane
from pods import Pod, deployment

import wire

OVERLAY = "k8s/production"
SPACE = "--namespace=scored-production"
MANIFESTS = ("clone", "validate", "apply", "roll out")
STEPS = ("clone", "build", "test", "push", "validate", "commit", "apply", "roll out")
READY = 30.0  # seconds that the image's test waits
MADE_OF = ("CMakeLists.txt", "docker/", "include/", "models/", "src/")
FORGE = {"GIT_AUTHOR_NAME": "forge", "GIT_COMMITTER_NAME": "forge"}


class Halt(Exception):
    """A step has failed; the message says why."""


@dataclass
class Turn:
    """What became of a commit."""

    commit: str
    begun: float = field(default_factory=time.monotonic)
    steps: list[tuple[str, float]] = field(default_factory=list)
    halted: str = ""
    why: str = ""
    version: str = ""
    uri: str = ""
    image: str = ""  # as the overlay names it
    tree: Path = Path("/nowhere")
    image_too: bool = True

    @property
    def done(self) -> list[str]:
        """The steps that ended well."""
        return [name for name, _ in self.steps if name != self.halted]


@dataclass(frozen=True)
class Site:
    """Where things are."""

    repository: Path
    registry: str
    engine: Engine
    plane: Plane
    folder: Path
    trust: Path
    s3_env: dict[str, str]
    credentials: Path


def must(*command: str | Path, seconds: float = 900, **more: Any) -> str:
    """Run a command; Halt with what it says at last where it fails."""
    done = run([str(part) for part in command], timeout=seconds, **more)
    if done.returncode:
        raise Halt(reason(done))
    return done.stdout


def reason(done: subprocess.CompletedProcess[str]) -> str:
    """Return why a command failed: what scored or the API server says, or else the end of what was said."""
    lines = (done.stdout + done.stderr).strip().splitlines()
    told = [line for line in lines if line.startswith(("scored ", "Error from server"))]
    return (told or [" ".join(lines)[-400:]])[0]


class Forge(threading.Thread):
    """Watches the repository's main, from the beginning of the block to its end."""

    def __init__(self, site: Site) -> None:
        super().__init__(daemon=True)
        self.site = site
        self.turns: dict[str, Turn] = {}
        self.built: list[str] = []
        self.before: Callable[[Turn, str], None] = lambda turn, step: None
        self.broken: BaseException | None = None
        self.ends = threading.Event()
        self.head = self.git("rev-parse", "main")
        credentials = "[default]\naws_access_key_id = {AWS_ACCESS_KEY_ID}\naws_secret_access_key = {AWS_SECRET_ACCESS_KEY}\n"
        site.credentials.write_text(credentials.format_map(site.s3_env))

    def git(self, *arguments: str, at: Path | None = None) -> str:
        """Run git."""
        return must("git", "-C", at or self.site.repository, *arguments, env=os.environ | WHO | FORGE).strip()

    # -- watching

    def run(self) -> None:
        """Take each commit in turn, but its own."""
        try:
            while not self.ends.wait(0.5):
                new = self.git("log", "--reverse", "--format=%H %an", f"{self.head}..main").splitlines()
                for line in new:
                    commit, _, who = line.partition(" ")
                    if who != "forge":
                        self.turns[commit] = self.take(commit)
                    self.head = commit
        except BaseException as error:
            self.broken = error
            raise

    def of(self, commit: str, seconds: float = 900) -> Turn:
        """Wait for what becomes of a commit."""
        end = time.monotonic() + seconds
        while commit not in self.turns:
            assert self.broken is None, self.broken
            assert time.monotonic() < end, f"no turn of {commit} within {seconds:g} s"
            time.sleep(0.1)
        return self.turns[commit]

    def take(self, commit: str) -> Turn:
        """Go through the steps."""
        turn = Turn(commit, tree=self.site.folder / commit[:12])
        changed = self.git("diff", "--name-only", f"{commit}^", commit).splitlines()
        turn.image_too = any(path.startswith(MADE_OF) for path in changed)
        for name in STEPS if turn.image_too else MANIFESTS:
            began = time.monotonic()
            self.before(turn, name)
            try:
                getattr(self, name.replace(" ", "_"))(turn)
            except Halt as halt:
                turn.halted, turn.why = name, str(halt)
            turn.steps.append((name, time.monotonic() - began))
            if turn.halted:
                break
        shutil.rmtree(turn.tree, ignore_errors=True)
        return turn

    def __enter__(self) -> Forge:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ends.set()
        self.join(120)
        for tag in self.built:
            with contextlib.suppress(AssertionError):
                self.site.engine.buildah("rmi", f"localhost/{tag}")

    # -- steps

    def clone(self, turn: Turn) -> None:
        """The commit as it is, and what it says of the model."""
        self.git("clone", "-q", str(self.site.repository), str(turn.tree))
        self.git("checkout", "-q", "-B", "main", turn.commit, at=turn.tree)
        told = dict(re.findall(r"^(MODEL_\w+)=(.*)$", (turn.tree / "docker/model.env").read_text(), re.M))
        turn.uri, turn.version = told["MODEL_URI"], told["MODEL_VERSION"]

    def tag(self, turn: Turn) -> str:
        """The image's name where it is built."""
        return f"days-to-sell:{turn.version}-{turn.commit[:8]}"

    def build(self, turn: Turn) -> None:
        """docker/build.sh of the commit: the bundle, by digest, signed, its golden rows right."""
        s3 = self.site.s3_env
        done = self.site.engine.build(
            self.tag(turn), "--model", turn.uri, "--trust", str(self.site.trust), "--region", s3["AWS_REGION"], "--credentials",
            str(self.site.credentials), "--", "--layers", f"--build-arg=AWS_ENDPOINT_URL={s3['AWS_ENDPOINT_URL_S3']}", top=turn.tree,
        )  # fmt: skip
        if done.returncode:
            raise Halt(reason(done))
        self.built.append(self.tag(turn))

    def test(self, turn: Turn) -> None:
        """Run the image as the base has its pods: ready, its golden rows right, one of them by HTTP, under its version."""
        bundle = self.site.folder / f"bundle-{turn.commit[:12]}"
        must(os.environ["SCORED_BIN"], "fetch", "--trust", self.site.trust, turn.uri, bundle, env=self.site.s3_env)
        (golden,) = bundle.glob("golden-*.jsonl")
        row = next(row for row in map(json.loads, golden.read_text().splitlines()) if "out" in row)
        pod = Pod(self.site.engine, self.tag(turn), spec=deployment(turn.tree))
        try:
            pod.wait_until_ready(READY)
            checked = self.site.engine.podman("exec", pod.name, "/scored", "check", "/bundle")
            if checked.returncode:
                raise Halt(f"scored check: {reason(checked)}")
            self.judge(turn, wire.ask(pod.port, "POST", "/predict", json.dumps(row["in"])), row["out"])
        except AssertionError as error:
            raise Halt(f"not ready within {READY:g} s: {' '.join(str(error).splitlines()[-1:])}") from error
        finally:
            code = pod.stop()
        if code:
            raise Halt(f"ends with {code}")

    def judge(self, turn: Turn, reply: wire.Reply, golden: Any) -> None:
        """Compare an answer of the image with Spark's, and the version with the commit's."""
        if reply.status != 200 or bits(reply.json) != bits(golden):
            raise Halt(f"answers {reply.status} {reply.body[:200]!r}, Spark {golden}")
        if reply.headers["x-model-version"] != turn.version:
            raise Halt(f"answers as version {reply.headers['x-model-version']}, the commit says {turn.version}")

    def push(self, turn: Turn) -> None:
        """Into the registry; the digest is its answer."""
        name, file = f"{self.site.registry}/{self.tag(turn)}", self.site.folder / "digest"
        must("buildah", *self.site.engine.storage, "push", "-q", "--tls-verify=false", f"--digestfile={file}",
             f"localhost/{self.tag(turn)}", f"docker://{name}")  # fmt: skip
        turn.image = f"{name}@{file.read_text().strip()}"
        overlay = turn.tree / OVERLAY
        must(self.site.plane.tools / "kustomize", "edit", "set", "image", f"days-to-sell={turn.image}", cwd=overlay)

    def manifests(self, turn: Turn) -> str:
        """What the overlay makes."""
        return must(self.site.plane.tools / "kubectl", "kustomize", turn.tree / OVERLAY)

    def validate(self, turn: Turn) -> None:
        """Would the API server take it?"""
        self.send(turn, "--dry-run=server")

    def send(self, turn: Turn, *more: str) -> None:
        """What is in git is what is there, whoever changed it meanwhile."""
        done = self.site.plane.apply(self.manifests(turn), "--force-conflicts", *more)
        if done.returncode:
            raise Halt(reason(done))

    def commit(self, turn: Turn) -> None:
        """Say in git what is to be there."""
        message = f"{OVERLAY}: days-to-sell {turn.version}\n\nImage: {turn.image}\nOf-Commit: {turn.commit}\n"
        self.git("commit", "-q", "-a", "-m", message, at=turn.tree)
        self.git("pull", "-q", "--rebase", "origin", "main", at=turn.tree)
        self.git("push", "-q", "origin", "HEAD:main", at=turn.tree)

    def apply(self, turn: Turn) -> None:
        """Bring it about."""
        self.send(turn)

    def roll_out(self, turn: Turn) -> None:
        """Wait until all pods are of it; where they will not be, back to those before."""
        kubectl = self.site.plane.kubectl
        done = kubectl("rollout", "status", "deployment/scored", SPACE, "--timeout=280s")
        if done.returncode == 0:
            return
        why = f"{done.stderr.strip()}; {self.standing()}"
        kubectl("rollout", "undo", "deployment/scored", SPACE)
        back = kubectl("rollout", "status", "deployment/scored", SPACE, "--timeout=60s")
        raise Halt(f"{why}; {'undone' if back.returncode == 0 else back.stderr}")

    def standing(self) -> str:
        """Why pods are not ready, each reason once."""
        statuses = [s for pod in self.site.plane.get("pods", SPACE) for s in pod["status"].get("containerStatuses", [])]
        reasons = [s["state"].get("waiting") or s["lastState"].get("terminated") or {} for s in statuses if not s["ready"]]
        return "; ".join(sorted({" ".join(r.get("message", "not ready").split()) for r in reasons}))
