#!/usr/bin/env python3
"""Holds docker/ and k8s/ to the daemon: what they name must be there.

    check.py SCORED_BIN [--bundle DIR]

Flags exist in `scored serve --help`, ports and users agree, selectors select, and a daemon started with
the deployment's own arguments answers every probe, predicts, and ends by SIGTERM. Closes with
"N passed, N failed".
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from fnmatch import fnmatch
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from whose_port import listens

TOP = Path(__file__).resolve().parents[2]
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
STOP_SECONDS = 25  # --lame-duck and --drain

Checks = Iterator[tuple[str, bool]]


class Dockerfile:
    """The instructions of docker/Dockerfile, continuation lines joined, comments dropped."""

    def __init__(self, path: Path) -> None:
        lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
        joined = "\n".join(lines).replace("\\\n", " ")
        self.rows = [
            (word, rest) for word, _, rest in (line.partition(" ") for line in joined.splitlines()) if word
        ]

    def all(self, word: str) -> list[str]:
        """What follows each instruction of that name."""
        return [rest for name, rest in self.rows if name == word]


def flags(arguments: list[str]) -> set[str]:
    """Flags among a command's arguments, without their values."""
    return {a[2:].partition("=")[0] for a in arguments if a.startswith("--")}


def known_flags(binary: str) -> set[str]:
    """Flags that `scored serve --help` lists, and --help."""
    text = subprocess.run([binary, "serve", "--help"], capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"^ +--([a-z-]+)", text, re.MULTILINE)) | {"help"}


def ignored(source: str) -> bool:
    """Does .dockerignore keep a path out of the build's context? The last pattern of it or of a folder above it says."""
    kept = True
    path = Path(source)
    for line in (TOP / ".dockerignore").read_text().splitlines():
        pattern = line.lstrip("!")
        if not line.startswith("#") and any(fnmatch(str(p), pattern) for p in (path, *path.parents) if str(p) != "."):
            kept = line.startswith("!")
    return not kept


def check_dockerfile(docker: Dockerfile, known: set[str]) -> Checks:
    """Sources exist, commands are commands, the user is no root."""
    arguments = dict(a.partition("=")[::2] for line in docker.all("ARG") for a in line.split())
    yield "the bundle is in the context", not ignored(arguments["MODEL_URI"])
    yield (
        "VERSION is this release's",
        f"project(scored VERSION {arguments['VERSION']} " in (TOP / "CMakeLists.txt").read_text(),
    )
    for copy in docker.all("COPY"):
        if not copy.startswith("--from") and not copy.startswith(". "):
            for source in shlex.split(copy)[:-1]:
                yield (
                    f"COPY {source}: is there and in the context",
                    (TOP / source).exists() and not ignored(source),
                )
    for command in docker.all("CMD"):
        words = json.loads(command)
        yield f"CMD {command}: serves", words[0] == "serve" and flags(words) <= known
    yield "ENTRYPOINT is the binary", docker.all("ENTRYPOINT") == ['["/scored"]']
    yield "USER is no root", all(re.fullmatch(r"[1-9]\d*:[1-9]\d*", u) for u in docker.all("USER"))


def check_manifests(docs: dict[str, dict[str, Any]], docker: Dockerfile, known: set[str]) -> Checks:
    """What the manifests say of each other, of the image and of the daemon."""
    deployment = docs["Deployment"]["spec"]
    pod = deployment["template"]["spec"]
    container = pod["containers"][0]
    labels = deployment["template"]["metadata"]["labels"].items()
    ports = {p["name"]: p["containerPort"] for p in container["ports"]}
    listens = {
        name: next(a.rpartition(":")[2] for a in container["args"] if a.startswith(f"--{flag}="))
        for name, flag in (("http", "listen"), ("probe", "probe-listen"))
    }
    metrics = deployment["template"]["metadata"]["annotations"]["prometheus.io/port"]

    yield "the arguments' flags exist", flags(container["args"]) <= known
    yield (
        "ports are those that it listens on, and the image's",
        listens == {name: str(port) for name, port in ports.items()}
        and set(listens.values()) == set(" ".join(docker.all("EXPOSE")).split()),
    )
    yield (
        "probes and metrics are asked for where no load reaches them",
        metrics == listens["probe"] and {container[p]["httpGet"]["port"] for p in PROBES} == {"probe"},
    )
    yield "the service's ports exist", {p["targetPort"] for p in docs["Service"]["spec"]["ports"]} == set(ports)
    yield "the pods' account exists", pod["serviceAccountName"] == docs["ServiceAccount"]["metadata"]["name"]
    scaled = docs["HorizontalPodAutoscaler"]["spec"]
    yield (
        "the autoscaler scales the deployment, which says no number of its own",
        scaled["scaleTargetRef"]["name"] == docs["Deployment"]["metadata"]["name"] and "replicas" not in deployment,
    )
    policy = docs["NetworkPolicy"]["spec"]
    yield "the policy's ports exist", {p["port"] for rule in policy["ingress"] for p in rule["ports"]} == set(ports)
    for kind, selector in (
        ("NetworkPolicy", policy["podSelector"]["matchLabels"]),
        ("Deployment", deployment["selector"]["matchLabels"]),
        ("Service", docs["Service"]["spec"]["selector"]),
        ("PodDisruptionBudget", docs["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"]),
    ):
        yield f"the {kind} selects the pods", bool(selector) and selector.items() <= labels
    user = f"{pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}"
    yield "the user is the image's", docker.all("USER") == [user]
    yield "the grace period covers the end", pod["terminationGracePeriodSeconds"] > STOP_SECONDS
    context = container["securityContext"]
    yield (
        "restricted",
        (
            context["capabilities"]["drop"] == ["ALL"]
            and not context["allowPrivilegeEscalation"]
            and context["readOnlyRootFilesystem"]
            and pod["securityContext"]["runAsNonRoot"]
            and pod["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"
        ),
    )


def check_s3(docs: dict[str, dict[str, Any]], known: set[str]) -> Checks:
    """The variant that watches S3 changes what it should of the deployment, and nothing by mistake."""
    base = docs["Deployment"]["spec"]["template"]["spec"]
    kustomization = yaml.safe_load((TOP / "k8s/s3/kustomization.yaml").read_text())
    patch = yaml.safe_load((TOP / "k8s/s3" / kustomization["patches"][0]["path"]).read_text())
    pod = patch["spec"]["template"]["spec"]
    container = pod["containers"][0]
    arguments = dict(a.partition("=")[::2] for a in container["args"])

    yield "s3: the patch is of the deployment", patch["metadata"]["name"] == docs["Deployment"]["metadata"]["name"]
    yield "s3: the container is the deployment's", container["name"] == base["containers"][0]["name"]
    yield "s3: the flags exist", flags(container["args"]) <= known
    yield "s3: the public port stays", f"--listen={arguments['--listen']}" in base["containers"][0]["args"]
    mounts = {m["name"]: m["mountPath"] for m in container["volumeMounts"]}
    yield "s3: the cache is a volume", mounts.get("cache") == arguments["--cache"]
    limit = next(v for v in pod["volumes"] if v["name"] == "cache")["emptyDir"]["sizeLimit"]
    yield "s3: the cache fits into it", int(arguments["--cache-bytes"]) < int(limit.removesuffix("M")) * 10**6
    for patch in kustomization["patches"]:
        changed = yaml.safe_load((TOP / "k8s/s3" / patch["path"]).read_text())
        yield f"s3: {patch['path']} changes what there is", changed["metadata"]["name"] == docs[changed["kind"]]["metadata"]["name"]


def ask(url: str, body: bytes | None = None) -> tuple[int, bytes]:
    """Status and body of a request; status 0 where nobody listens."""
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as error:
        return error.code, b""
    except OSError:
        return 0, b""


class Other(BaseHTTPRequestHandler):
    """A server that has an answer to everything."""

    def do_GET(self) -> None:
        """200."""
        body = b'{"prediction":17.0}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def run_sh(*args: str) -> subprocess.CompletedProcess[str]:
    """models/run.sh."""
    command = ["sh", str(TOP / "models/run.sh"), *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def run_once(port: int) -> subprocess.CompletedProcess[str]:
    """models/run.sh --once at a port."""
    return run_sh("--once", "--port", str(port))


def build_sh(*args: str) -> subprocess.CompletedProcess[str]:
    """docker/build.sh, with a builder that only says what it was told."""
    return subprocess.run(
        [str(TOP / "docker/build.sh"), *args], capture_output=True, text=True, check=False, env=os.environ | {"BUILDER": "echo"}
    )


def check_build_sh() -> Checks:
    """What the builder is told; what is wrong with an argument is said in a line."""
    alone = build_sh("scored").stdout.split()
    yield "build.sh: the daemon alone", alone[:1] == ["build"] and alone[-1] == "." and "baked" not in alone
    yield "build.sh: the commit's time", any(re.fullmatch(r"CREATED=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", a) for a in alone)
    with tempfile.TemporaryDirectory() as folder:
        key = Path(folder) / "public.pem"
        key.write_text("a key\n")
        flags = ("--trust", str(key), "--region", "r", "--credentials", "c")
        baked = build_sh("x", "--model", "s3://b/p/", *flags, "--", "--layers").stdout
    told = ("--target baked ", "MODEL_URI=s3://b/p/ ", "TRUST=a key ", "AWS_REGION=r ", "--secret id=aws,src=c ", " --layers .")
    yield "build.sh: with a bundle", all(text in baked for text in told)
    for args, says in (([], "build.sh TAG"), (["x", "--modle", "y"], "there is no --modle"), (["x", "--model"], "--model needs a value")):
        done = build_sh(*args)
        yield f"build.sh: {' '.join(args) or 'no argument'}", done.returncode == 2 and says in done.stderr and not done.stdout


def check_run_sh_usage() -> Checks:
    """What is wrong with an argument is said in a line, before anything is installed or built."""
    for args, says in (
        (["--prot", "9"], "there is no --prot; there are --port N and --once"),
        (["--port"], "--port needs a number"),
        (["--port", "abc"], "from 0 to 65535, not 'abc'"),
        (["--port=65536"], "from 0 to 65535, not '65536'"),
        (["--port="], "from 0 to 65535, not ''"),
    ):
        done = run_sh(*args)
        yield f"run.sh: {' '.join(args)}", done.returncode == 2 and says in done.stderr and not done.stdout
    done = run_sh("--help")
    yield "run.sh: --help", done.returncode == 0 and "--port N" in done.stdout and not done.stderr


def check_run_sh(binary: str, bundle: Path) -> Checks:
    """The first command of the README asks the server that it has started, or fails."""
    example = json.loads((bundle / "bundle.json").read_text())["example"]
    done = run_once(0)
    yield "run.sh: ends well", done.returncode == 0
    yield "run.sh: prints Spark's answer", done.stdout.count(json.dumps(example["out"]["prediction"])) == 2
    other = ThreadingHTTPServer(("127.0.0.1", 0), Other)
    threading.Thread(target=other.serve_forever, daemon=True).start()
    done = run_once(other.server_port)
    yield "run.sh: fails where another server has the port", done.returncode == 1 and "17.0" not in done.stdout
    yield "run.sh: says how to take another port", "--port 0 a free one" in done.stderr
    other.shutdown()
    command = [binary, "serve", "--model", str(bundle), "--listen", "127.0.0.1:0", "--admin-listen", "off"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as scored:
        lines = iter(scored.stderr.readline, "")
        port = next(int(m[1]) for m in (re.search(r"listen=\S*:(\d+) ", line) for line in lines) if m)
        done = run_once(port)
        yield "run.sh: fails where another scored has the port", done.returncode == 1 and not done.stdout
        yield "whose port: the process that listens", listens(scored.pid, port)
        yield "whose port: no other process", not listens(os.getpid(), port)
        yield "whose port: no other port", not listens(scored.pid, other.server_port)
        scored.terminate()


def cmake(*args: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """CMake, with what it says."""
    return subprocess.run(
        ["cmake", *args], capture_output=True, text=True, check=False, timeout=300, env=os.environ | (env or {})
    )


def check_build(binary: str) -> Checks:
    """Configuring, installing, and what lies around."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        bare = {"PKG_CONFIG_LIBDIR": folder, "PKG_CONFIG_PATH": ""}
        told = cmake("-S", str(TOP), "-B", str(work / "bare"), env=bare)
        linked = {"libmicrohttpd-dev", "libcjson-dev", "libssl-dev", "libcurl4-openssl-dev", "libpcre2-dev",
                  "zlib1g-dev", "libseccomp-dev"}
        packages = {*linked, "libcmocka-dev"}
        yield "configure names all that is missing", told.returncode != 0 and all(p in told.stderr for p in packages)
        done = cmake("--install", str(Path(binary).parent), "--prefix", str(work / "usr"))
        installed = {str(p.relative_to(work / "usr")) for p in (work / "usr").rglob("*") if p.is_file()}
        yield "install: works", done.returncode == 0
        wanted = {"bin/scored", "share/man/man1/scored.1", "share/doc/scored/LICENSE"}
        yield "install: program, manual page, licence", wanted <= installed
        licences = {p.rpartition("/")[2] for p in installed if "/licenses/" in p}
        yield "install: the licences of what it links", licences == linked | {"libzstd-dev"}
        around = work / "around" / "tree"
        files = subprocess.run(["git", "ls-files", "-z", "CMakeLists.txt", "src", "include"], cwd=TOP,
                               capture_output=True, check=True).stdout.decode().split("\0")  # fmt: skip
        for name in filter(None, files):
            (around / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(TOP / name, around / name)
        shutil.copy(TOP / "LICENSE", around)
        git = ["git", "-C", str(around.parent), "-c", "user.name=n", "-c", "user.email=e"]
        subprocess.run([*git, "init", "-q"], check=True)
        subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "around"], check=True)
        cmake("-S", str(around), "-B", str(work / "inner"), "-G", "Ninja", "-DTESTS=OFF")
        rules = (work / "inner" / "build.ninja").read_text()
        yield "the commit is not that of a repository around", 'SCORED_COMMIT=\\"unknown' in rules
        told = subprocess.run([str(TOP / "tests/run.sh"), "--help"], cwd=folder, capture_output=True, text=True, check=False)
        relative = os.path.relpath(TOP / "tests/run.sh", folder)
        again = subprocess.run([relative, "--help"], cwd=folder, capture_output=True, text=True, check=False)
        yield "tests/run.sh --help: from any folder", "stages:" in told.stdout and "--full" in again.stdout
    ignored = subprocess.run(["git", "check-ignore", "models/export/build/lib", "models/export/scored_export.egg-info/x"],
                             cwd=TOP, capture_output=True, text=True, check=False)  # fmt: skip
    yield "pip install ./models/export leaves nothing untracked", len(ignored.stdout.splitlines()) == 2


def check_daemon(binary: str, bundle: Path, docs: dict[str, dict[str, Any]]) -> Checks:
    """A daemon with the deployment's arguments, but for bundle and address, does what they expect."""
    template = docs["Deployment"]["spec"]["template"]
    container = template["spec"]["containers"][0]
    with socket.socket() as free, socket.socket() as another:
        free.bind(("127.0.0.1", 0))
        another.bind(("127.0.0.1", 0))
        address, probes = (f"127.0.0.1:{s.getsockname()[1]}" for s in (free, another))
    change = {"--model": str(bundle), "--listen": address, "--probe-listen": probes}
    arguments = [
        f"{f}={change.get(f, v)}" if v else f for f, _, v in (a.partition("=") for a in container["args"])
    ]
    example = json.loads((bundle / "bundle.json").read_text())["example"]
    with tempfile.TemporaryFile() as log:
        daemon = subprocess.Popen([binary, *arguments], stderr=log)
        try:
            end = time.monotonic() + 60
            while (
                not listens(daemon.pid, int(address.partition(":")[2]))
                and daemon.poll() is None
                and time.monotonic() < end
            ):
                time.sleep(0.05)
            yield "it listens, and nobody else", daemon.poll() is None
            paths = {container[p]["httpGet"]["path"] for p in PROBES}
            for path in sorted(paths | {template["metadata"]["annotations"]["prometheus.io/path"]}):
                yield f"GET {path}", ask(f"http://{probes}{path}")[0] == 200
            yield "no models there", ask(f"http://{probes}/models")[0] == 404
            status, answer = ask(f"http://{address}/predict", json.dumps(example["in"]).encode())
            yield "the example's answer", status == 200 and json.loads(answer) == example["out"]
            daemon.send_signal(signal.SIGTERM)
            yield "SIGTERM ends it", daemon.wait(STOP_SECONDS + 5) == 0
        finally:
            daemon.kill()
            daemon.wait()


def main() -> int:
    """Runs all checks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("--bundle", type=Path, default=TOP / "models/days_to_sell/bundle")
    args = parser.parse_args()
    docker = Dockerfile(TOP / "docker/Dockerfile")
    known = known_flags(args.binary)
    files = yaml.safe_load((TOP / "k8s/base/kustomization.yaml").read_text())["resources"]
    docs = {d["kind"]: d for f in files for d in yaml.safe_load_all((TOP / "k8s/base" / f).read_text())}
    passed = failed = 0
    for checks in (
        check_build_sh(),
        check_dockerfile(docker, known),
        check_manifests(docs, docker, known),
        check_s3(docs, known),
        check_daemon(args.binary, args.bundle, docs),
        check_build(args.binary),
        check_run_sh(args.binary, args.bundle),
    ):
        for name, fine in checks:
            print("ok   " if fine else "FAIL ", name)
            passed, failed = passed + fine, failed + (not fine)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
