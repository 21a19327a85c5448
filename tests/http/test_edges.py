# SPDX-License-Identifier: Apache-2.0
"""The edges of a connection's life, and of the process's: nothing is lost there that could be answered."""

from __future__ import annotations

import contextlib
import json
import random
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from daemon import Daemon

from wire import Connection, ask, request

LONG = 20.0  # seconds; nothing here takes as long on a machine that is merely busy
SOON = 8.0  # nor what happens at once
CLOSE_WAIT = "08"


@contextlib.contextmanager
def serving(*flags: str) -> Iterator[Daemon]:
    """Serve until the block ends, which may have stopped it."""
    d = Daemon(*flags)
    try:
        yield d
    finally:
        if d.process.poll() is None:
            d.process.kill()
        d.process.wait()


def ends(d: Daemon, seconds: float = LONG) -> int:
    """Return how the process ended, which it does in time."""
    return d.process.wait(seconds)


def half_closed(port: int) -> int:
    """Count the server's connections whose client has closed its half."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    local = f":{port:04X}"
    return sum(line.split()[1].endswith(local) and line.split()[3] == CLOSE_WAIT for line in lines)


def send_with_fin(port: int, data: bytes) -> Connection:
    """Send bytes and the end of the stream in one segment."""
    c = Connection(port)
    c.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0)
    c.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
    c.socket.sendall(data)
    c.socket.shutdown(socket.SHUT_WR)
    return c


# -- a client that hardly reads


def queued(server: int, client: int) -> int:
    """Return how many bytes of the server's answers the system holds for a client."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        local, remote, _, queues = line.split()[1:5]
        if local.endswith(f":{server:04X}") and remote.endswith(f":{client:04X}"):
            return int(queues.partition(":")[0], 16)
    raise LookupError("no such connection")


def test_the_system_does_not_take_what_a_client_leaves(port):
    """A window of some bytes makes segments as small of all that the system takes: their time is the others'."""
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        s.settimeout(LONG)
        s.connect(("127.0.0.1", port))
        s.sendall(request("GET", "/openapi.json") * 3)
        time.sleep(0.3)
        assert 0 < queued(port, s.getsockname()[1]) < 12000
        got = 0
        while got < 3 * 30000:  # and who reads on gets it all
            data = s.recv(65536)
            assert data
            got += len(data)


# -- a client that ends its half


@pytest.fixture(scope="module")
def patient() -> Iterator[Daemon]:
    """A daemon of 40 connections that waits for long."""
    flags = ("--connections", "40", "--idle-timeout", "600", "--head-timeout", "600", "--body-timeout", "600")
    with serving(*flags) as d:
        yield d


@pytest.mark.parametrize("cut", [1, 40, -1], ids=["inside the method", "inside the head", "inside the body"])
def test_a_partial_request_and_its_end_hold_no_slot(patient, row, answer, cut):
    whole = request("POST", "/predict", json.dumps(row))
    clients = [send_with_fin(patient.port, whole[:cut]) for _ in range(60)]
    end = time.monotonic() + SOON
    while half_closed(patient.port) and time.monotonic() < end:
        time.sleep(0.02)
    assert half_closed(patient.port) == 0
    assert ask(patient.port, "POST", "/predict", json.dumps(row)).json == answer
    for c in clients:
        c.socket.close()


def test_a_whole_request_and_its_end_get_an_answer(patient, row, answer):
    with send_with_fin(patient.port, request("POST", "/predict", json.dumps(row))) as c:
        reply = c.read()
        assert reply and reply.json == answer and c.closed()


def test_pipelined_requests_and_their_end_get_answers(patient, row, answer):
    with send_with_fin(patient.port, 5 * request("POST", "/predict", json.dumps(row))) as c:
        assert [c.read().json for _ in range(5)] == [answer] * 5 and c.closed()


# -- a process that stood still


def test_after_a_standstill_what_came_meanwhile_is_answered(row, answer):
    """The time that the process did not run is no client's fault: it reads before it times out."""
    data = request("POST", "/predict", json.dumps(row))
    flags = ("--idle-timeout", "1", "--head-timeout", "1", "--body-timeout", "1", "--workers", "1")
    with serving(*flags) as d, contextlib.ExitStack() as stack:
        kept = [stack.enter_context(Connection(d.port)) for _ in range(20)]
        for c in kept:
            c.send(data)
            assert c.read().json == answer
        begun = [stack.enter_context(Connection(d.port)) for _ in range(20)]
        for i, c in enumerate(begun):
            c.send(data[: 10 + 15 * i])
        d.process.send_signal(signal.SIGSTOP)
        fresh = [stack.enter_context(Connection(d.port)) for _ in range(20)]
        for c in kept + fresh:
            c.send(data)
        for i, c in enumerate(begun):
            c.send(data[10 + 15 * i :])
        time.sleep(3)
        d.process.send_signal(signal.SIGCONT)
        for name, clients in (("kept", kept), ("begun", begun), ("fresh", fresh)):
            answers = [c.read() for c in clients]
            assert [a and a.json for a in answers] == [answer] * 20, name
        d.terminate()
        assert ends(d) == 0


# -- a process that is to end


def test_unready_at_once_and_serving_all_the_same(row, answer):
    with serving("--lame-duck", "600") as d, Connection(d.port) as kept:
        kept.send(request("POST", "/predict", json.dumps(row)))
        assert not kept.read().closes
        d.terminate()
        end = time.monotonic() + LONG
        while ask(d.admin, "GET", "/readyz").status == 200 and time.monotonic() < end:
            time.sleep(0.01)
        for port in (d.port, d.admin):
            assert ask(port, "GET", "/readyz").status == 503
            assert ask(port, "GET", "/livez").status == 200
        time.sleep(0.5)
        assert "level=error" not in d.log()
        kept.send(request("POST", "/predict", json.dumps(row)))
        reply = kept.read()
        assert reply.json == answer and reply.closes and kept.closed()
        reply = ask(d.port, "POST", "/predict", json.dumps(row))
        assert reply.json == answer and reply.closes
        d.terminate()
        assert ends(d) == 0


def test_what_is_under_way_is_finished(row, answer):
    data = request("POST", "/predict", json.dumps(row))
    with serving("--lame-duck", "0", "--drain", "600", "--body-timeout", "600") as d:
        with Connection(d.port) as c:
            c.send(data[:-5])
            time.sleep(0.2)
            d.terminate()
            time.sleep(0.5)
            assert d.process.poll() is None
            c.send(data[-5:])
            reply = c.read()
            assert reply and reply.json == answer and reply.closes
        assert ends(d) == 0


def test_a_second_sigterm_hastens(row):
    """A body that comes byte by byte holds the end up no longer than that."""
    data = request("POST", "/predict", json.dumps(row))
    with serving("--lame-duck", "0", "--drain", "600", "--body-timeout", "600") as d:
        with Connection(d.port) as c:
            c.send(data[:-5])
            time.sleep(0.2)
            d.terminate()
            time.sleep(0.5)
            assert d.process.poll() is None
            d.terminate()
            assert ends(d, SOON) == 0


def test_the_end_of_draining(row):
    """A body that does not come is not waited for longer than --drain."""
    with serving("--lame-duck", "0", "--drain", "1", "--body-timeout", "600") as d, Connection(d.port) as c:
        c.send(request("POST", "/predict", json.dumps(row))[:-5])
        time.sleep(0.2)
        d.terminate()
        assert ends(d, SOON) == 0


class Client(threading.Thread):
    """Asks as a load balancer does: on until the server is unready; what it began must be answered."""

    def __init__(self, d: Daemon, data: bytes, kept: bool, unready: threading.Event) -> None:
        super().__init__(daemon=True)
        self.d, self.data, self.kept, self.unready = d, data, kept, unready
        self.answered, self.lost = 0, []

    def run(self) -> None:
        """Ask."""
        connection: Connection | None = None
        while not self.unready.wait(random.uniform(0, 0.2)):
            try:
                connection = connection or Connection(self.d.port)
                connection.send(self.data)
                reply = connection.read()
                if reply is None or reply.status != 200:
                    self.lost.append(reply)
                else:
                    self.answered += 1
                if reply is None or reply.closes or not self.kept:
                    connection.socket.close()
                    connection = None
            except OSError as error:
                self.lost.append(error)
                connection = None


def test_nothing_is_lost_when_it_ends(row):
    data = request("POST", "/predict", json.dumps(row))
    for _ in range(3):
        with serving("--lame-duck", "1") as d:
            unready = threading.Event()
            clients = [Client(d, data, kept, unready) for kept in (True, False) for _ in range(4)]
            for c in clients:
                c.start()
            while not all(c.answered for c in clients):
                time.sleep(0.01)
            d.terminate()
            while ask(d.admin, "GET", "/readyz").status == 200:
                time.sleep(0.05)
            time.sleep(0.4)  # until the next check
            unready.set()
            for c in clients:
                c.join(LONG)
            assert [c.lost for c in clients if c.lost] == []
            assert ends(d) == 0
