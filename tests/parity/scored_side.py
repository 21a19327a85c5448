# SPDX-License-Identifier: Apache-2.0
"""What scored answers: by `scored predict`, and by a daemon on loopback."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

NDJSON_ROWS = 2500
ARRAY_ROWS, ARRAY_BYTES = 200, 900_000  # a JSON body may have 1 MiB
START_SECONDS = 20


KERNELS = {1: "walk", 7: "avx2", 64: "avx512"}  # by rows a frame


class Failed(Exception):
    """scored did not answer at all."""


def predict(binary: Path, bundle: Path, lines: Sequence[bytes], columns: str, frame_rows: int) -> list[bytes]:
    """Return the answer lines of `scored predict`; the sizes of frames take turns with the kernels."""
    command = [
        binary,
        "predict",
        "--model",
        bundle,
        "--columns",
        columns,
        "--vectors",
        "spark",
        "--frame-rows",
        str(frame_rows),
        "--kernel",
        KERNELS.get(frame_rows, "auto"),
    ]
    done = subprocess.run(
        command, input=b"".join(line + b"\n" for line in lines), capture_output=True, timeout=600
    )
    if done.returncode != 0:
        raise Failed(
            f"scored predict: exit {done.returncode}: {done.stderr.decode(errors='replace').strip()}"
        )
    return done.stdout.splitlines(keepends=False)


def _chunks(lines: Sequence[bytes]) -> Iterator[list[bytes]]:
    """Yield runs of lines that fit into an array."""
    chunk: list[bytes] = []
    for line in lines:
        if len(chunk) == ARRAY_ROWS or (chunk and sum(map(len, chunk)) + len(line) > ARRAY_BYTES):
            yield chunk
            chunk = []
        chunk.append(line)
    if chunk:
        yield chunk


class Daemon:
    """A running `scored serve`."""

    def __init__(self, port: int) -> None:
        self._port = port

    def _post(self, target: str, body: bytes, kind: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=120)
        connection.request("POST", target, body, {"Content-Type": kind})
        answer = connection.getresponse()
        try:
            return answer.status, answer.read()
        finally:
            connection.close()

    def ndjson(self, target: str, lines: Sequence[bytes]) -> list[bytes]:
        """Return the answer lines of rows sent as NDJSON."""
        found: list[bytes] = []
        for at in range(0, len(lines), NDJSON_ROWS):
            body = b"".join(line + b"\n" for line in lines[at : at + NDJSON_ROWS])
            status, text = self._post(target, body, "application/x-ndjson")
            if status != 200:
                raise Failed(f"NDJSON: HTTP {status}: {text[:300]!r}")
            found += text.split(b"\n")[:-1]
        return found

    def array(self, target: str, lines: Sequence[bytes]) -> list[bytes]:
        """Return the answers of rows sent as JSON arrays, each as a line."""
        found: list[bytes] = []
        for chunk in _chunks(lines):
            status, text = self._post(target, b"[" + b",".join(chunk) + b"]", "application/json")
            if status != 200:
                raise Failed(f"array: HTTP {status}: {text[:300]!r}")
            found += [json.dumps(answer).encode() for answer in json.loads(text)]
        return found

    def single(self, target: str, lines: Sequence[bytes]) -> list[bytes]:
        """Return the answers of rows sent one a request; a 422 is a row error. Each must be one line."""
        found = []
        for line in lines:
            status, text = self._post(target, line, "application/json")
            if status not in (200, 422):
                raise Failed(f"one row: HTTP {status}: {text[:300]!r}")
            if text.find(b"\n") != len(text) - 1:
                raise Failed(f"one row: not one line: {text[:300]!r}")
            text = text[:-1]
            found.append(text if status == 200 else b'{"error":' + text + b"}")
        return found


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    """Return the port that a daemon's log names; it was asked to take a free one."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        text = log.read_text(encoding="utf-8", errors="replace")
        found = re.search(r"127\.0\.0\.1:(\d+)", text)
        if found and int(found[1]):
            return int(found[1])
        if process.poll() is not None:
            raise Failed(f"scored serve: exit {process.returncode}: {text.strip()[-500:]}")
        time.sleep(0.005)
    raise Failed(f"scored serve does not listen: {text.strip()[-500:]}")


@contextmanager
def daemon(binary: Path, bundle: Path, log: Path) -> Iterator[Daemon]:
    """Serve a bundle on a free port of loopback."""
    command = [
        binary,
        "serve",
        "--model",
        bundle,
        "--listen",
        "127.0.0.1:0",
        "--admin-listen",
        "off",
        "--workers",
        "1",
        "--lame-duck",
        "0",
    ]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
    try:
        yield Daemon(_port(process, log))
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def target(columns: str) -> str:
    """Return the request target that asks for columns with Spark's vectors."""
    return f"/predict?columns={quote(columns, safe=',')}&vectors=spark"
