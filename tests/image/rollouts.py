#!/usr/bin/env python3
"""Rolls images out under load as a Deployment does: ``rollouts.py FOLDER [--updates N] [--images N]``.

Two pods (podman and runc; user, root, capabilities, memory and arguments from k8s/base) behind HAProxy, which asks each
/readyz and repeats nothing. An update starts a pod of the next image beside them, waits until it is ready and gets
requests, ends an old one by SIGTERM, and so again for the other. Requests come by a timetable of their own; not one may fail, and
each answer must be that of the version it names. One SIGKILL is told apart. Then nginx, which asks nobody whether he is ready.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / name) for name in ("image", "bench", "e2e", "http", "bundles", "")]

import wire  # noqa: E402
from drain import believed_up, free_port, print_errors  # noqa: E402
from engine import Engine  # noqa: E402
from fake_s3 import FakeS3  # noqa: E402
from pods import Pod, processes, terminate  # noqa: E402
from rig import Generator, Stream, Verdicts  # noqa: E402
from run import Bucket  # noqa: E402
from versions import ROW, answer, version  # noqa: E402

KEPT_RATE, FRESH_RATE = 200, 50
CHECK_MS = 500  # two of them must fail, or be answered: less than the lame duck's 5 s
DETECTED = 2 * CHECK_MS / 1000 + 1.0  # seconds after which a killed pod gets no requests

HAPROXY = """
global
    maxconn 4000
    stats socket {folder}/stats level admin
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout check 2s
    retries 0
    http-reuse always
    option httpchk GET /readyz
    default-server inter {check} fastinter {check} downinter {check} fall 2 rise 2 check
frontend all
    bind 127.0.0.1:{port}
    default_backend pods
backend pods
    balance roundrobin
{servers}
"""
NGINX = """
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 4000; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    upstream pods {{
{servers}
        keepalive 32;
    }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://pods;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_next_upstream error;
        }}
    }}
}}
"""


class Front:
    """HAProxy or nginx before three places, of which two are taken."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind, self.folder, self.port = kind, folder, free_port()
        self.places = {name: free_port() for name in "abc"}
        form = "    server {0} 127.0.0.1:{1}" if kind == "haproxy" else "        server 127.0.0.1:{1} max_fails=1 fail_timeout=1s;"
        servers = "\n".join(form.format(name, port) for name, port in self.places.items())
        file = folder / f"{kind}.conf"
        text = HAPROXY if kind == "haproxy" else NGINX
        file.write_text(text.format(folder=folder, port=self.port, servers=servers, check=CHECK_MS))
        flags = ["-f", str(file), "-q"] if kind == "haproxy" else ["-c", str(file), "-p", str(folder)]
        self.process = subprocess.Popen([kind, *flags], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def wait_until_it_serves(self, place: str) -> None:
        """Return when requests go to a place."""
        end = time.monotonic() + 30
        while self.kind == "haproxy" and not believed_up(self.folder, place):
            assert time.monotonic() < end, f"HAProxy does not see {place}"
            time.sleep(0.05)
        if self.kind == "nginx":
            time.sleep(1.5)  # it tries again after a second


class Fleet:
    """Two pods and the place of a third."""

    def __init__(self, engine: Engine, front: Front) -> None:
        self.engine, self.front = engine, front
        self.pods: dict[str, Pod] = {}
        self.codes: Counter[int] = Counter()
        self.starts: list[float] = []

    def add(self, image: str) -> str:
        """Start a pod at a free place and wait until it serves; return the place."""
        place = next(p for p in self.front.places if p not in self.pods)
        began = time.monotonic()
        self.pods[place] = Pod(self.engine, image, self.front.places[place])
        self.pods[place].wait_until_ready()
        self.starts.append(time.monotonic() - began)
        self.front.wait_until_it_serves(place)
        return place

    def remove(self, place: str) -> None:
        """End a pod."""
        self.codes[self.pods.pop(place).stop()] += 1

    def update(self, image: str) -> None:
        """Roll an image out: one more, one less, twice."""
        for place in list(self.pods):
            self.add(image)
            self.remove(place)


class Witness(threading.Thread):
    """A client that looks at each answer: it is that of the version that it names."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.port, self.ends = port, threading.Event()
        self.seen: Counter[str] = Counter()
        self.wrong: list[str] = []

    def run(self) -> None:
        """Ask, fifty times a second."""
        row = json.dumps(ROW)
        while not self.ends.wait(0.02):
            try:
                reply = wire.ask(self.port, "POST", "/predict", row)
                label = reply.headers.get("x-model-version", "")
                if reply.status == 200 and reply.json == {"prediction": answer(int(label[1:]))}:
                    self.seen[label] += 1
                else:
                    self.wrong.append(f"{reply.status} {label} {reply.body[:80]!r}")
            except (OSError, AssertionError, ValueError) as error:
                self.wrong.append(repr(error))


class Load:
    """Requests by a timetable, and what became of them."""

    def __init__(self, folder: Path, port: int, row: dict[str, Any] = ROW) -> None:
        self.folder, self.port = folder, port
        self.counts: Counter[str] = Counter()
        self.request = wire.request("POST", "/predict", json.dumps(row))

    @contextlib.contextmanager
    def over(self, seconds: float) -> Iterator[None]:
        """Load the block, which must not take longer."""
        rates = f":{seconds}"
        generator = Generator(self.folder, [
            Stream("kept", self.port, self.request, f"{KEPT_RATE}{rates}", "kept", 32),
            Stream("fresh", self.port, self.request, f"{FRESH_RATE}{rates}", "fresh", 4000),
        ], grace=15)  # fmt: skip
        began = time.monotonic()
        time.sleep(0.5)
        yield
        took = time.monotonic() - began
        figures = generator.figures()
        assert took < seconds, f"the load has ended before what it was for: {took:.1f} s"
        for of_stream in figures.values():
            (phase,) = of_stream["phases"]
            self.counts.update({"due": phase["due"], "answered": phase["accepted"]})
            self.counts.update({k: phase[k] for k in ("waiting", "busy", "late", "other", "reset", "refused") if phase[k]})
            self.counts.update({s: n for s, n in of_stream["statuses"].items() if s != "200"})

    @property
    def failed(self) -> int:
        """Requests that were not answered."""
        return self.counts["due"] - self.counts["answered"]


def check_pod(v: Verdicts, pod: Pod) -> None:
    """It is as restricted as the manifest says."""
    status = processes(pod)
    v.add(status["Uid"].split()[0] == "65532" and int(status["CapEff"], 16) == 0 and status["NoNewPrivs"] == "1"
          and status["Seccomp"] == "2", "a pod: user 65532, no capabilities, no new privileges, seccomp")  # fmt: skip


def updates(v: Verdicts, fleet: Fleet, load: Load, images: list[str], count: int) -> None:
    """Roll out image after image under load, four to a timetable."""
    longest, done = 20.0, 0
    began = time.monotonic()
    while done < count:
        some = min(4, count - done)
        with load.over(some * longest * 1.3):
            for _ in range(some):
                since = time.monotonic()
                done += 1
                fleet.update(images[done % len(images)])
                longest = max(15.0, time.monotonic() - since)
    print(f"      {count} updates in {time.monotonic() - began:.0f} s; start to ready {min(fleet.starts):.2f} .. {max(fleet.starts):.2f} s")


def rolling(v: Verdicts, engine: Engine, kind: str, folder: Path, images: list[str], count: int) -> None:
    """Update behind HAProxy or nginx."""
    front = Front(kind, folder)
    fleet, load = Fleet(engine, front), Load(folder, front.port)
    witness = Witness(front.port)
    try:
        for _ in range(2):
            fleet.add(images[0])
        check_pod(v, next(iter(fleet.pods.values())))
        witness.start()
        updates(v, fleet, load, images, count)
        witness.ends.set()
        witness.join(10)
        text = f"{kind}: {count} updates, {load.failed} of {load.counts['due']:,} requests failed; {dict(load.counts)}"
        v.add(load.failed == 0 if kind == "haproxy" else load.failed <= 0.001 * load.counts["due"], text)
        seen = sum(witness.seen.values())
        v.add(len(witness.wrong) <= (0 if kind == "haproxy" else 0.001 * seen) and len(witness.seen) == len(images),
              f"{kind}: {seen:,} answers of {len(witness.seen)} versions looked at, wrong: {witness.wrong[:3]}")  # fmt: skip
        v.add(set(fleet.codes) == {0}, f"{kind}: ends {dict(fleet.codes)}")
        if kind == "haproxy":
            killed(v, fleet, Load(folder, front.port))
    finally:
        witness.ends.set()
        for pod in fleet.pods.values():
            pod.kill()
        terminate(front.process)
        print_errors(folder / "error.log")


def killed(v: Verdicts, fleet: Fleet, load: Load) -> None:
    """SIGKILL is seen by clients, and for no longer than HAProxy takes to see it."""
    with load.over(10.0):
        time.sleep(1)
        code = fleet.pods.pop(next(iter(fleet.pods))).kill()
        time.sleep(4)
    bound = (KEPT_RATE + FRESH_RATE) * DETECTED
    v.add(0 < load.failed <= bound, f"SIGKILL: {load.failed} of {load.counts['due']:,} requests failed (at most {bound:.0f}): {dict(load.counts)}")
    v.add(code == 137, f"SIGKILL: exit code {code}, where SIGTERM's is 0")


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--updates", type=int, default=20)
    parser.add_argument("--images", type=int, default=5)
    parser.add_argument("--only", default="haproxy,nginx")
    args = parser.parse_args()
    v, engine = Verdicts(), Engine(args.folder.resolve())
    images = [f"version-{n}" for n in range(1, args.images + 1)]
    with tempfile.TemporaryDirectory(prefix="rollouts-") as name, FakeS3() as s3:
        bucket = Bucket(s3, Path(name))
        for n, image in enumerate(images, 1):
            done = bucket.build(engine, image, bucket.put(image, version(n)))
            assert done.returncode == 0, done.stderr[-1000:]
    for kind in args.only.split(","):
        with tempfile.TemporaryDirectory(prefix="rollouts-") as name:
            rolling(v, engine, kind, Path(name), images, args.updates if kind == "haproxy" else max(2, args.updates // 4))
    return v.close()


if __name__ == "__main__":
    sys.exit(main())
