# SPDX-License-Identifier: Apache-2.0
"""A tracking server of MLflow, on loopback."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
HOME = TOP / "build" / "mlflow" / "bin"


@contextlib.contextmanager
def tracking(root: Path) -> Iterator[str]:
    """Run a server that keeps artifacts itself, all below a folder; gives its URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [HOME / "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
               "--backend-store-uri", f"sqlite:///{root}/store.db", "--artifacts-destination", str(root / "artifacts")]  # fmt: skip
    env = os.environ | {"PATH": f"{HOME}:{os.environ['PATH']}"}
    with open(root / "log", "w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=env, cwd=root, start_new_session=True)
    url = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + 180
        while True:
            try:
                assert urllib.request.urlopen(f"{url}/health", timeout=5).read() == b"OK"
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < end, (root / "log").read_text()[-3000:]
                time.sleep(0.5)
        yield url
    finally:
        os.killpg(process.pid, 15)
        process.wait(30)
