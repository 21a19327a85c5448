#!/usr/bin/env python3
"""Builds the image as it was committed, twice, and looks at it, runs it, and spoils what it is made of.

    run.py FOLDER [--hadolint PROGRAM]

FOLDER keeps the base and what was built. Closes with "N passed, N failed".
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import re
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / name) for name in ("image", "e2e", "http", "bundles", "")]

from engine import RUN, TOP, Engine, run  # noqa: E402
from fake_s3 import KEY_ID, SECRET, FakeS3  # noqa: E402
from versions import ROW, Version, answer, version, wrong_golden  # noqa: E402

from wire import ask  # noqa: E402

LIMIT = 20_000_000  # bytes of an image
READY_SECONDS = 5.0  # from "podman run" on, on a busy machine
MEMORY = "64m"
Checks = Iterator[tuple[str, bool]]


def files(root: Path) -> dict[str, Path]:
    """Return the files of an image by their paths in it."""
    return {"/" + str(p.relative_to(root)): p for p in root.rglob("*") if p.is_file() or p.is_symlink()}


def listed(root: Path) -> dict[str, str]:
    """Return digests by path, as the image's own list has them."""
    components = json.loads((root / "sbom.cdx.json").read_text())["components"]
    return {f["name"]: f["hashes"][0]["content"] for c in components for f in c["components"]}


def check_contents(root: Path) -> Checks:
    """What is in it is what it says, and nothing that is not needed."""
    there = files(root)
    found = {path: hashlib.sha256(p.read_bytes()).hexdigest() for path, p in there.items()}
    del found["/sbom.cdx.json"]
    yield f"its list has all {len(found)} files and their digests", found == listed(root)
    components = json.loads((root / "sbom.cdx.json").read_text())["components"]
    libraries = [c for c in components if c["type"] == "library"]
    yield (
        f"all {len(libraries)} packages have a URL, a status and a licence",
        len(libraries) > 6
        and all(re.fullmatch(r"pkg:deb/debian/[a-z0-9.+-]+@[^+?]+\?arch=source&distro=debian-12", c["purl"]) for c in libraries)
        and all({f"/var/lib/dpkg/status.d/{c['name']}", f"/usr/share/doc/{c['name']}/copyright"} <= set(found) for c in libraries),
    )  # fmt: skip
    executable = {path for path, p in there.items() if p.stat().st_mode & 0o111 and ".so" not in path}
    yield f"the only program is the daemon: {executable}", executable == {"/scored"}
    modes = [p.lstat() for p in root.rglob("*")]
    yield (
        "nobody but root may write, and nothing runs as its owner",
        not any(m.st_mode & (stat.S_IWOTH | stat.S_IWGRP | stat.S_ISUID | stat.S_ISGID) or m.st_uid for m in modes),
    )
    size = sum(p.stat().st_size for p in there.values())
    yield f"{size / 1e6:.1f} MB", size <= LIMIT


def check_config(engine: Engine, tag: str) -> Checks:
    """What the image says of itself."""
    config = engine.config(tag)["Config"]
    commit = run(["git", "-C", str(TOP), "rev-parse", "HEAD"]).stdout.strip()
    when = run(["git", "-C", str(TOP), "log", "-1", "--format=%cd", "--date=format-local:%Y-%m-%dT%H:%M:%SZ"],
               env=os.environ | {"TZ": "UTC"}).stdout.strip()  # fmt: skip
    labels = {k.removeprefix("org.opencontainers.image."): v for k, v in config["Labels"].items()}
    yield "labels: the commit", labels["revision"].removesuffix("-dirty") == commit
    yield f"labels: its time, {when}", labels["created"] == when
    yield "labels: the version", f"VERSION {labels['version']} " in (TOP / "CMakeLists.txt").read_text()
    yield "starts as nobody", config["User"] == "65532:65532"
    yield "starts the daemon", (config["Entrypoint"], config["Cmd"]) == (["/scored"], ["serve"])


@contextlib.contextmanager
def running(engine: Engine, tag: str, *args: str, options: tuple[str, ...] = ()) -> Iterator[tuple[str, float]]:
    """Run an image as a pod would; gives the container's name and when it was started."""
    name = f"scored-{os.getpid()}-{time.monotonic_ns()}"
    command = engine.podman_command(
        "run", "-d", f"--name={name}", *RUN, "--read-only", "--cap-drop=all", "--security-opt=no-new-privileges",
        f"--memory={MEMORY}", "--user=65532:65532", *options, f"localhost/{tag}", *args,
    )  # fmt: skip
    began = time.monotonic()
    done = run(command)
    assert done.returncode == 0, done.stderr
    try:
        yield name, began
    finally:
        engine.podman("rm", "-f", "-t", "0", name)


def ready(port: int, seconds: float) -> float | None:
    """Wait until a daemon is ready; return when it was."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError, AssertionError):
            if ask(port, "GET", "/readyz").status == 200:
                return time.monotonic()
        time.sleep(0.01)
    return None


def check_run(engine: Engine, tag: str, n: int) -> Checks:
    """It answers with all that Kubernetes takes away, by no word but `serve`, and ends by SIGTERM."""
    options = ("--env=SCORED_LISTEN=127.0.0.1:18080", "--env=SCORED_ADMIN_LISTEN=127.0.0.1:18081", "--env=SCORED_LAME_DUCK=0")
    with running(engine, tag, "serve", options=options) as (name, began):
        when = ready(18080, 60)
        yield f"ready {(when or 1e9) - began:.2f} s after it was started", bool(when) and when - began < READY_SECONDS
        reply = ask(18080, "POST", "/predict", json.dumps(ROW))
        yield "answers", (reply.status, reply.json) == (200, {"prediction": answer(n)})
        pid = engine.podman("inspect", "--format={{.State.Pid}}", name).stdout.strip()
        status = Path(f"/proc/{pid}/status").read_text()
        yield "is nobody", re.search(r"^Uid:\s+65532\s+65532\s", status, re.MULTILINE) is not None
        yield "has no capability", re.search(r"^CapEff:\s+0+$", status, re.MULTILINE) is not None
        yield "gets no privileges", re.search(r"^NoNewPrivs:\s+1$", status, re.MULTILINE) is not None
        yield "is healthy", engine.podman("exec", name, "/scored", "health").returncode == 0
        yield "has no shell", engine.podman("exec", name, "/bin/sh", "-c", ":").returncode != 0
        stopped = engine.podman("stop", "-t", "20", name)
        yield "ends by SIGTERM", stopped.returncode == 0 and "SIGKILL" not in stopped.stderr
    alone = engine.podman("run", *RUN, *options, f"localhost/{tag}", "health")
    yield f"is not healthy where none runs: {alone.stderr.strip()}", alone.returncode == 1


def check_unpacked(engine: Engine, folder: Path) -> Checks:
    """SageMaker unpacks a model at /opt/ml/model and says `serve`."""
    version(7).publish(lambda name, content: (folder / name).write_bytes(content))
    folder.chmod(0o755)
    options = ("--env=SCORED_LISTEN=127.0.0.1:18080", "--env=SCORED_LAME_DUCK=0", f"--volume={folder}:/opt/ml/model:ro")
    with running(engine, "scored", "serve", options=options):
        yield "a model at /opt/ml/model: ready", ready(18080, 60) is not None
        reply = ask(18080, "POST", "/predict", json.dumps(ROW))
        yield "a model at /opt/ml/model: answers", (reply.status, reply.json) == (200, {"prediction": answer(7)})


class Bucket:
    """An S3 of bundles that images are built from."""

    def __init__(self, s3: FakeS3, folder: Path) -> None:
        self.s3 = s3
        self.credentials = folder / "credentials"
        self.credentials.write_text(f"[default]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n")

    def put(self, prefix: str, v: Version) -> str:
        """Publish a version; return its URI."""
        v.publish(lambda name, content: self.s3.store.put("models", f"{prefix}/{name}", content))
        return f"s3://models/{prefix}/"

    def build(self, engine: Engine, tag: str, uri: str, *args: str) -> subprocess.CompletedProcess[str]:
        """Bake what is at a URI."""
        return engine.build(tag, "--model", uri, "--region", self.s3.region, "--credentials", str(self.credentials), *args,
                            "--", "--layers", f"--build-arg=AWS_ENDPOINT_URL={self.s3.url}")  # fmt: skip


def wrapper(root: Path, to: Path) -> Path:
    """Make a program that is the image's daemon with the image's libraries, for who runs it without a container."""
    loader = root / "lib64/ld-linux-x86-64.so.2"
    to.write_text(f'#!/bin/sh\nexec {loader} --library-path {root}/lib/x86_64-linux-gnu:{root}/usr/local/lib {root}/scored "$@"\n')
    to.chmod(0o755)
    return to


def keys(folder: Path) -> tuple[Path, Path]:
    """Make a private and a public key."""
    private, public = folder / "private.pem", folder / "public.pem"
    for command in (
        ["openssl", "genpkey", "-algorithm", "ed25519", "-out", str(private)],
        ["openssl", "pkey", "-in", str(private), "-pubout", "-out", str(public)],
    ):
        assert run(command).returncode == 0
    return private, public


def check_baked(engine: Engine, scored: Path, folder: Path) -> Checks:
    """What is baked in is what was named, signed and right; else there is no image."""
    done = engine.build("days-to-sell", "--model", "models/days_to_sell/bundle", "--", "--layers")
    yield f"baked: a bundle of the repository{done.stderr[-500:] if done.returncode else ''}", done.returncode == 0
    private, public = keys(folder)
    signed = folder / "signed"
    signed.mkdir()
    version(3).publish(lambda name, content: (signed / name).write_bytes(content))
    assert run([str(scored), "sign", "--key", str(private), str(signed)]).returncode == 0
    with FakeS3() as s3:
        bucket = Bucket(s3, folder)
        good = bucket.put("good", version(3))
        wrong = bucket.put("wrong", wrong_golden(4))
        for path in signed.iterdir():
            s3.store.put("models", f"signed/{path.name}", path.read_bytes())
        pinned = f"{good}#sha256={version(3).sha256}"
        done = bucket.build(engine, "baked", pinned)
        yield "baked: a bundle of S3, pinned", done.returncode == 0
        print(done.stderr[-1500:] if done.returncode else "", end="")
        config = engine.config("baked")["Config"]
        yield "baked: the image says of which model it is", config["Labels"].get("scored.model") == pinned
        root = engine.root("baked")
        published = {p.name: p.read_bytes() for p in (root / "bundle").iterdir()}
        yield "baked: the bundle, byte for byte", published == version(3).files
        yield "baked: no credentials, no key", not any(SECRET.encode() in p.read_bytes() for p in files(root).values())
        done = bucket.build(engine, "signed", "s3://models/signed/", "--trust", str(public))
        yield "baked: signed by the key that is trusted", done.returncode == 0
        for name, uri, args, says in (
            ("answers that are not Spark's", wrong, (), "golden"),
            ("another digest than the one pinned", f"{good}#sha256={'0' * 64}", (), "bundle-0000000000000000.json"),
            ("a bundle that nobody signed", good, ("--trust", str(public)), "sign"),
            ("a bundle that is not there", "s3://models/none/", (), "none"),
        ):
            done = bucket.build(engine, "bad", uri, *args)
            said = (done.stdout + done.stderr)[-3000:]
            reason = next((line for line in said.splitlines() if line.startswith("scored ")), said[-300:])
            yield f"no image: {name}: {reason}", done.returncode != 0 and says in reason
        yield "no image: none", "localhost/bad" not in engine.buildah("images", "--format", "{{.Name}}")


def check_build(engine: Engine, hadolint: str) -> Checks:
    """It is built twice, the second time from the beginning, and comes out the same."""
    done = run([hadolint, str(TOP / "docker/Dockerfile")])
    yield f"hadolint has nothing to say{done.stdout[:500]}", done.returncode == 0 and not done.stdout
    engine.base()
    digests = []
    for flags in ((), ("--no-cache",)):
        began = time.monotonic()
        done = engine.build("scored", "--", "--layers", *flags)
        yield f"builds, in {time.monotonic() - began:.0f} s", done.returncode == 0
        if done.returncode:
            print((done.stdout + done.stderr)[-3000:])
            return
        digests.append(engine.digest("scored"))
    yield f"is the same twice: {digests[0]}", digests[0] == digests[1] != ""


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--hadolint", default="hadolint")
    args = parser.parse_args()
    engine = Engine(args.folder.resolve())
    counts = {True: 0, False: 0}

    def hold(checks: Checks) -> None:
        for name, fine in checks:
            print("ok   " if fine else "FAIL ", name, flush=True)
            counts[bool(fine)] += 1

    hold(check_build(engine, args.hadolint))
    if not counts[False]:
        root = engine.root("scored")
        scored = wrapper(root, engine.folder / "scored")
        hold(check_contents(root))
        hold(check_config(engine, "scored"))
        with tempfile.TemporaryDirectory(prefix="image-") as name:
            hold(check_baked(engine, scored, Path(name)))
        hold(check_run(engine, "baked", 3))
        with tempfile.TemporaryDirectory(prefix="image-") as name:
            hold(check_unpacked(engine, Path(name)))
    print(f"{counts[True]} passed, {counts[False]} failed")
    return 1 if counts[False] else 0


if __name__ == "__main__":
    sys.exit(main())
