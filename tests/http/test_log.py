"""The log, and what else an operator's surroundings do to the process: readers that do not read, signals, closed
descriptors."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
from daemon import BIN, BUNDLE, SERVING, Daemon
from wire import ask

WAIT_SECONDS = 30.0


def until(found, what: str):
    """Waits for a value that is true."""
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        value = found()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"waited in vain for {what}")


class Piped:
    """A daemon whose log is a pipe that this side reads, or does not."""

    def __init__(self, *flags: str) -> None:
        self.reader, writer = os.pipe()
        fcntl.fcntl(self.reader, fcntl.F_SETPIPE_SZ, 4096)
        args = ["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--workers", "1"]
        self.process = subprocess.Popen([BIN, *args, "--model", BUNDLE, *flags], stderr=writer)
        # a way of its own into the pipe: O_NONBLOCK must not become the daemon's
        self.stuffing = os.open(f"/proc/self/fd/{writer}", os.O_WRONLY | os.O_NONBLOCK)
        os.close(writer)
        self.text = b""
        found = until(self._serving, "the line that it serves")
        self.port, self.admin = int(found[1]), int(found[2])

    def _serving(self):
        self.text += os.read(self.reader, 4096)
        return SERVING.search(self.text.decode())

    def stuff(self) -> None:
        """Fills the pipe to the last byte."""
        for size in (1024, 1):
            with contextlib.suppress(BlockingIOError):
                while True:
                    os.write(self.stuffing, b"\n" * size)

    def read_to_the_end(self) -> str:
        """What comes until nobody writes any more."""
        os.close(self.stuffing)
        text = b""
        while data := os.read(self.reader, 65536):
            text += data
        return text.decode()

    def dropped(self) -> int:
        """Lines dropped so far, by the metric."""
        text = ask(self.admin, "GET", "/metrics").body.decode()
        return int(re.search(r"^scored_log_lines_dropped_total (\d+)", text, re.M)[1])

    def close(self) -> None:
        """Ends it, however it is."""
        self.process.kill()
        self.process.wait()
        os.close(self.reader)


@pytest.fixture
def piped():
    """A daemon with one worker, its log in a pipe of 4 KiB."""
    p = Piped()
    yield p
    p.close()


def test_a_log_that_nobody_reads_stops_nothing(piped, row, answer):
    piped.stuff()
    for _ in range(30):
        assert ask(piped.port, "POST", "/predict", "{").status == 400
        assert ask(piped.port, "POST", "/predict", json.dumps(row)).json == answer
    assert ask(piped.admin, "GET", "/readyz").status == 200
    piped.process.terminate()
    assert piped.process.wait(timeout=WAIT_SECONDS) == 0


def test_dropped_lines_are_counted_and_said(piped):
    piped.stuff()

    def hang_up_until_dropped():
        for _ in range(100):
            piped.process.send_signal(signal.SIGHUP)
            time.sleep(0.0002)
        return piped.dropped() > 100

    until(hang_up_until_dropped, "lines to be dropped")
    piped.process.terminate()
    lines = piped.read_to_the_end().splitlines()
    assert piped.process.wait(timeout=WAIT_SECONDS) == 0
    assert sum(int(n) for n in re.findall(r"\bdropped=(\d+)", "\n".join(lines))) > 100
    assert "stopped" in lines[-1], lines[-3:]
    assert all(re.search(r"msg=|^$", line) for line in lines), "a line is in pieces"


def test_a_dying_process_writes_what_it_logged():
    d = Daemon()
    for _ in range(5):
        assert ask(d.port, "POST", "/predict", "{", headers={"X-Request-Id": "last"}).status == 400
    d.process.send_signal(signal.SIGABRT)
    assert d.process.wait(timeout=WAIT_SECONDS) == -signal.SIGABRT
    assert d.log().count("last") == 5


def test_a_dying_process_does_not_wait_for_a_reader(piped):
    piped.stuff()
    ask(piped.port, "POST", "/predict", "{")
    piped.process.send_signal(signal.SIGABRT)
    assert piped.process.wait(timeout=WAIT_SECONDS) == -signal.SIGABRT


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)])
def test_no_socket_takes_the_place_of_a_closed_standard_stream(closed):
    args = [BIN, "serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--model", BUNDLE]
    process = subprocess.Popen(
        args, stderr=subprocess.DEVNULL, preexec_fn=lambda: [os.close(fd) for fd in closed]
    )
    folder = Path(f"/proc/{process.pid}/fd")

    def targets():
        found = {}
        for link in folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                found[int(link.name)] = os.readlink(link)
        return found

    def listening():
        assert process.poll() is None
        return sum(target.startswith("socket:") for target in targets().values()) >= 2

    try:
        until(listening, "two sockets")
        assert all(targets()[fd] == "/dev/null" for fd in closed), targets()
    finally:
        process.terminate()
        assert process.wait(timeout=WAIT_SECONDS) == 0


def test_what_is_written_to_a_closed_stream_is_an_error():
    done = subprocess.run([BIN, "predict", "--model", BUNDLE], input=b"{}\n", preexec_fn=lambda: os.close(1),
                          stderr=subprocess.PIPE, check=False)  # fmt: skip
    assert done.returncode == 1 and b"standard output" in done.stderr


@pytest.mark.parametrize("name", ["QUIT", "USR1", "USR2", "ALRM", "VTALRM", "PROF", "IO", "PWR", "STKFLT", "XFSZ",
                                  "PIPE", "WINCH", "CONT", "URG", "RTMIN", "RTMAX"])  # fmt: skip
def test_signals_that_mean_nothing_do_nothing(name):
    d = Daemon()
    d.process.send_signal(getattr(signal, f"SIG{name}"))
    with pytest.raises(subprocess.TimeoutExpired):
        d.process.wait(timeout=0.1)
    assert ask(d.port, "GET", "/livez").status == 200
    assert d.stop() == 0


@pytest.mark.parametrize("name", ["TERM", "INT"])
def test_signals_that_stop(name):
    d = Daemon()
    d.process.send_signal(getattr(signal, f"SIG{name}"))
    assert d.stop() == 0 and "stopped" in d.last_log
