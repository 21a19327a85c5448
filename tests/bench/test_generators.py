# SPDX-License-Identifier: Apache-2.0
"""The generators of load charge a server that stalls for everything that was due meanwhile.

A server stalls once, for two seconds, under 50 requests a second; some 100 are due in that time, and an
honest generator shows them as late as they are. One that waits for an answer before it asks again, or that
counts from when it sent, shows no more than one a connection.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest

TOP = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("SCORED_BUILD", TOP / "build" / "release"))
STALL, STALL_AFTER = 2.0, 2.0  # seconds
RATE, SECONDS = 50, 6
REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class StallingServer:
    """Answers at once, but for one stall; one thread a connection, one lock for all."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self.listener.getsockname()[1]
        self.lock = threading.Lock()
        self.first: float | None = None
        self.stalled = False
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _turn(self) -> None:
        with self.lock:
            now = time.monotonic()
            self.first = self.first or now
            if not self.stalled and now - self.first > STALL_AFTER:
                self.stalled = True
                time.sleep(STALL)

    def _serve(self, client: socket.socket) -> None:
        with client:
            pending = b""
            while data := client.recv(65536):
                pending += data
                while b"\r\n\r\n" in pending:
                    head, _, pending = pending.partition(b"\r\n\r\n")
                    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0] or 0)
                    while len(pending) < length:
                        pending += client.recv(65536)
                    pending = pending[length:]
                    self._turn()
                    client.sendall(REPLY)


STREAMS = {
    "kept": "mode=kept,connections=4",
    "kept-poisson": "mode=kept,connections=4,arrivals=poisson",
    "fresh": "mode=fresh,connections=200",
    "fresh-poisson": "mode=fresh,connections=200,arrivals=poisson",
    "impatient": "mode=fresh,connections=200,give-up=0.5",
    "closed": "mode=loop,connections=2",
}


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What all the streams saw, each of a server of its own, at once; and open_loop."""
    folder = tmp_path_factory.mktemp("generators")
    request, body = folder / "request", folder / "body"
    request.write_bytes(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
    body.write_bytes(b"{}")
    arguments = [str(x) for x in ("-s", StallingServer().port, 8, RATE * SECONDS, RATE, body)]
    open_loop = subprocess.Popen([BUILD / "open_loop", *arguments], stdout=subprocess.PIPE)
    streams = [
        f"name={name},port={StallingServer().port},request={request},{what},"
        f"rates={RATE if name != 'closed' else 100_000}:{SECONDS}"
        for name, what in STREAMS.items()
    ]
    done = subprocess.run([BUILD / "overload", "-g", "10", *streams], capture_output=True, check=True)
    seen = {f["name"]: f for f in map(json.loads, done.stdout.splitlines())}
    seen["open_loop"] = json.loads(open_loop.communicate(timeout=60)[0])
    assert open_loop.returncode == 0
    return seen


def honest(due: int, answered: int, p99_us: int, max_us: int, late: int, after: float) -> None:
    """Hold figures to what the stall made of them; a busy machine only makes answers later."""
    assert due == answered == RATE * SECONDS
    assert max_us > 0.95 * STALL * 1e6 and p99_us > 0.9 * STALL * 1e6
    assert late >= 0.8 * RATE * (STALL - after)


@pytest.mark.parametrize("name", ["kept", "kept-poisson", "fresh", "fresh-poisson"])
def test_overload_charges_for_a_stall(figures: dict[str, Any], name: str) -> None:
    (phase,) = figures[name]["phases"]
    times = phase["accepted_us"]
    slots = figures[name]["slots"]
    late = sum(accepted for _, accepted, worst_us, _ in slots if worst_us > 1_000_000)
    honest(phase["due"], phase["accepted"], times["p99"], times["max"], late, after=1.0)


def test_open_loop_charges_for_a_stall(figures: dict[str, Any]) -> None:
    f = figures["open_loop"]
    honest(f["requests"], f["answered"], f["p99_us"], f["max_us"], f["over_30_ms"], after=0.03)


def test_a_closed_loop_hides_it(figures: dict[str, Any]) -> None:
    (phase,) = figures["closed"]["phases"]
    times = phase["accepted_us"]
    assert times["n"] > RATE * SECONDS and times["p99"] < 0.5 * STALL * 1e6 < times["max"]


@pytest.mark.parametrize("name", ["fresh", "fresh-poisson"])
def test_the_stall_is_the_server_s(figures: dict[str, Any], name: str) -> None:
    (phase,) = figures[name]["phases"]
    assert phase["server_us"]["n"] == RATE * SECONDS
    assert phase["server_us"]["max"] > 0.95 * STALL * 1e6


def test_a_stall_of_the_generator_is_not(tmp_path: Path) -> None:
    request = tmp_path / "request"
    request.write_bytes(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
    server = StallingServer()
    server.stalled = True  # it has been: it answers at once
    stream = f"name=one,port={server.port},request={request},mode=kept,connections=200,rates={RATE}:4"
    with subprocess.Popen([BUILD / "overload", stream], stdout=subprocess.PIPE) as process:
        time.sleep(1.5)
        process.send_signal(signal.SIGSTOP)
        time.sleep(1.0)
        process.send_signal(signal.SIGCONT)
        (phase,) = json.loads(process.communicate(timeout=60)[0])["phases"]
    assert phase["accepted_us"]["max"] > 0.9e6 and phase["lag_us"]["max"] > 0.9e6
    assert phase["server_us"]["n"] == phase["due"] and phase["server_us"]["max"] < 0.5e6


def test_impatient_clients_give_up(figures: dict[str, Any]) -> None:
    (phase,) = figures["impatient"]["phases"]
    assert phase["gave_up"] >= 0.8 * RATE * (STALL - 0.5)
    assert phase["accepted"] + phase["gave_up"] == phase["due"] == RATE * SECONDS
