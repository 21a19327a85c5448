#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints how long it takes to load a large model: ``load_bench.py BUILD [--bytes N] [--rounds N]``.

The bundle is made once, in BUILD/large-N. From files the yardstick is ``openssl dgst -sha256`` of the blocks;
over S3, from a server on this machine that only sends files, it is ``curl | openssl dgst -sha256``. The files
are in the page cache. Yardstick and load take turns, and the median counts. CPU seconds are printed beside:
they say more where other programs run.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import large_bundle

BUCKET = "bench"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key", "AWS_REGION": "us-east-1"}


def handler_of(folder: Path) -> type[BaseHTTPRequestHandler]:
    """Return a handler that sends the folder's files, whole or by range, and looks at no signature."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            """Answer without a body."""
            self.do_GET()

        def do_GET(self) -> None:
            """Send a file or a range of it."""
            path = folder / self.path.split("?")[0].rsplit("/", 1)[-1]
            if not path.is_file():
                self.send_response(404)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            size = path.stat().st_size
            first, last = 0, size - 1
            asked = self.headers.get("Range")
            if asked:
                begin, _, end = asked.removeprefix("bytes=").partition("-")
                first, last = int(begin), min(int(end), size - 1) if end else size - 1
            self.send_response(206 if asked else 200)
            self.send_header("ETag", f'"{path.stem}"')
            self.send_header("Content-Length", str(last - first + 1))
            if asked:
                self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
            self.end_headers()
            self.wfile.flush()
            if self.command == "GET":
                with path.open("rb") as f:
                    self.send(f.fileno(), first, last + 1)

        def send(self, fd: int, at: int, end: int) -> None:
            """Send bytes of a file without looking at them."""
            with contextlib.suppress(ConnectionError):
                while at < end:
                    at += os.sendfile(self.connection.fileno(), fd, at, end - at)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    return Handler


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve the folder until the block ends; gives the server's URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler_of(folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


Cost = tuple[float, float]  # seconds, and seconds of CPU


def openssl(path: Path) -> Callable[[], Cost]:
    """Return what times ``openssl dgst`` of a file."""
    return lambda: timed(["openssl", "dgst", "-sha256", str(path)])


def curl(url: str) -> Callable[[], Cost]:
    """Return what times ``curl | openssl dgst``."""
    return lambda: timed(["bash", "-o", "pipefail", "-c", f"curl -sf '{url}' | openssl dgst -sha256"])


def timed(command: list[str]) -> Cost:
    """Return what a command costs."""
    start, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - start, cpu


class Loader:
    """load_bench on one URI; keeps its last figures."""

    def __init__(self, build: Path, uri: str, env: dict[str, str]) -> None:
        self.command, self.env = [str(build / "load_bench"), uri], {**os.environ, **env}
        self.figures: dict[str, Any] = {}

    def load(self, wall: str, cpu: str) -> Cost:
        """Load once; returns two of the figures."""
        done = subprocess.run(self.command, env=self.env, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"load_bench: {done.stderr}")
        self.figures = json.loads(done.stdout)
        return self.figures[wall], self.figures[cpu]


def compare(what: str, target: float, yardstick: Callable[[], Cost], load: Callable[[], Cost], n: int) -> None:
    """Print medians of load and yardstick, and their ratios."""
    pairs = [(load(), yardstick()) for _ in range(n)]
    ours, theirs = ([statistics.median(p[side][k] for p in pairs) for k in (0, 1)] for side in (0, 1))
    wall, cpu = (sorted(a[k] / b[k] for a, b in pairs) for k in (0, 1))
    print(
        f"  {what:<24} {ours[0]:5.2f} s   yardstick {theirs[0]:5.2f} s   ratio {statistics.median(wall):5.2f}"
        f"  ({wall[0]:.2f} .. {wall[-1]:.2f}; target: {target})"
    )
    print(
        f"  {'    of CPU':<24} {ours[1]:5.2f} s   yardstick {theirs[1]:5.2f} s   "
        f"ratio {statistics.median(cpu):5.2f}  ({cpu[0]:.2f} .. {cpu[-1]:.2f})"
    )


def print_memory(figures: dict[str, Any]) -> None:
    """Print what the model takes beside what it may."""
    allowed = (8 << 20) + 1.2 * figures["blocks"] + figures["scratch"]
    print(
        f"  resident when loaded: {figures['rss'] / 1e6:,.0f} MB, at most while loading "
        f"{figures['peak'] / 1e6:,.0f} MB   (target: {allowed / 1e6:,.0f} MB)"
    )


def main() -> int:
    """Make the bundle, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=Path)
    parser.add_argument("--bytes", type=int, default=10**9)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    folder = options.build / f"large-{options.bytes}"
    if not (folder / "bundle.json").exists():
        large_bundle.write(folder, options.bytes)
    (blocks,) = folder.glob("blocks-*")
    print(f"loading {blocks.stat().st_size / 1e6:,.0f} MB of blocks, golden rows replayed, {options.rounds} pairs")
    loader = Loader(options.build, str(folder), {})
    compare("files, to loaded", 1.6, openssl(blocks), partial(loader.load, "seconds", "cpu"), options.rounds)
    print_memory(loader.figures)
    with serving(folder) as url:
        env = {**CREDENTIALS, "AWS_ENDPOINT_URL": url}
        remote = Loader(options.build, f"s3://{BUCKET}/large/", env)
        yardstick = curl(f"{url}/{BUCKET}/large/{blocks.name}")
        fetch = partial(remote.load, "fetch", "fetch_cpu")
        compare("S3, fetched and verified", 1.15, yardstick, fetch, options.rounds)
        print_memory(remote.figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
