"""The log, and what else an operator's surroundings do to the process: readers that do not read, signals, closed
descriptors."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from daemon import BIN, BUNDLE, SERVING, TOP, WAIT_SECONDS, Daemon, until
from wire import Connection, ask

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
    with ThreadPoolExecutor(1) as reader:
        read = reader.submit(piped.read_to_the_end)
        time.sleep(1)  # in which what waits is read, or the last line would find no room
        piped.process.terminate()
        lines = read.result().splitlines()
    assert piped.process.wait(timeout=WAIT_SECONDS) == 0
    assert sum(int(n) for n in re.findall(r"\bdropped=(\d+)", "\n".join(lines))) > 100
    assert "stopped" in lines[-1], lines[-3:]
    assert all(re.search(r"msg=|^$", line) for line in lines), "a line is in pieces"


# -- lines

PAIR = re.compile(r'(?:^| )([a-z_0-9]+)=("(?:[^"\\]|\\(?:["\\nrt]|u[0-9a-f]{4}))*"|[^\x00-\x20"=\\\x7f]+)')
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
LONG = "x" * 3000


def logfmt(line: str) -> dict[str, str]:
    """A line as a strict reader of logfmt takes it."""
    pairs = PAIR.findall(line)
    assert "".join(m[0] for m in PAIR.finditer(line)) .replace(" ", "") == line.replace(" ", ""), line
    assert PAIR.sub("", line) == "", line
    return {key: json.loads(value) if value[0] == '"' else value for key, value in pairs}


def read(log: str, form: str) -> list[dict[str, Any]]:
    """All lines; each begins with when, level and message."""
    found = [json.loads(line) if form == "json" else logfmt(line) for line in log.splitlines()]
    for line in found:
        assert list(line)[:3] == ["time", "level", "msg"] and TIME.fullmatch(line["time"]), line
        assert line["level"] in ("error", "warn", "info", "debug")
    return found


@pytest.mark.parametrize("form", ["logfmt", "json"])
def test_a_failed_request_says_who_asked_for_what(form):
    d = Daemon("--log-format", form)
    paths = ["/no-such", "/'quoted'=1", "/" + LONG]
    try:
        for path in paths:
            assert ask(d.port, "GET", path + "?secret=7", headers={"X-Request-Id": "me"}).status in (400, 404)
        with Connection(d.port) as c:
            c.send(b'BREW /"te\x80a\\\x01?secret HTTP/1.1\r\nHost: x\r\n\r\n')
            assert c.read().status == 400
            client = "%s:%d" % c.socket.getsockname()
    finally:
        assert d.stop() == 0
    lines = read(d.last_log, form)
    mine = [line for line in lines if line.get("request") == "me"]
    assert [line["path"] for line in mine[:2]] == paths[:2]
    assert mine[2]["path"].endswith("x...") and len(mine[2]["path"]) < 400
    assert {(line["level"], line["method"], line["route"]) for line in mine} == {("warn", "GET", "none")}
    assert (int(mine[0]["status"]), mine[0]["type"]) == (404, "urn:scored:not-found")
    assert all(line["client"].startswith("127.0.0.1:") for line in mine)
    bad = [line for line in lines if line.get("client") == client]
    assert [(line["method"], line["path"]) for line in bad] == [("BREW", '/"te\ufffda\\\x01')]
    assert "secret" not in d.last_log
    if form == "json":
        assert isinstance(mine[0]["status"], int)


def test_lines_that_were_left_out_are_told_by_the_next_and_by_no_other():
    d = Daemon()
    try:
        for _ in range(100):
            assert ask(d.port, "GET", "/none").status == 404
        time.sleep(1.1)
        assert ask(d.port, "GET", "/none").status == 404
    finally:
        assert d.stop() == 0
    lines = [line for line in read(d.last_log, "logfmt") if line.get("path") == "/none"]
    counts = [int(line["unlogged"]) for line in lines if "unlogged" in line]
    assert sum(counts) == 101 - len(lines) > 0 and len(counts) < len(lines) and 0 not in counts
    assert "unlogged" not in lines[0] and "unlogged" in lines[-1]


def test_titles_say_what_is_wrong(port):
    """They are the log's messages: "A row is a JSON object" would be no complaint."""
    assert ask(port, "POST", "/predict", "7").json["title"] == "A row is not a JSON object"


@pytest.mark.parametrize("form", ["logfmt", "json"])
def test_every_change_of_what_is_served_is_logged(tmp_path, form):
    folder = tmp_path / "bundle"
    versions = TOP / "tests" / "bundles" / "versions"
    shutil.copytree(versions, folder)

    def publish(name: str) -> None:
        (folder / "part").write_bytes((versions / f"{name}.json").read_bytes())
        (folder / "part").rename(folder / "bundle.json")

    def reload(body: bytes = b"{}") -> None:
        number = ask(d.admin, "POST", "/models/cars/reload", body).json["attempt"]
        until(lambda: ask(d.admin, "GET", "/models/cars").json["reload"]["attempts"] >= number, "a reload")

    publish("v1")
    d = Daemon("--poll", "3600", "--log-format", form, "--keep-versions", "2", models=(f"cars={folder}",))
    try:
        publish("v2")
        reload()
        publish("bad_golden")
        reload()
        assert ask(d.admin, "POST", "/models/cars/rollback", headers={"X-Request-Id": "back"}).status == 200
        again = ask(d.admin, "POST", "/models/cars/rollback")
        assert again.status == 409 and "force" in again.json["detail"]
        assert ask(d.admin, "POST", "/models/cars/rollback", b'{"force":true}').json["version"] == "v2"
        publish("v3")
        reload(b'{"force":true}')
        publish("v1")
        reload()
    finally:
        assert d.stop() == 0
    changes = [
        (line["msg"], line.get("from"), line.get("to"))
        for line in read(d.last_log, form)
        if line.get("model") == "cars" and line["msg"] != "reload asked for"
    ]
    assert [c for c in changes if "golden" not in c[0]] == [
        ("loaded", None, "v1"),
        ("replaced", "v1", "v2"),
        ("rolled back", "v2", "v1"),
        ("rolled back", "v1", "v2"),
        ("refused versions may be tried again", None, None),
        ("replaced", "v2", "v3"),
        ("replaced by an older version, which was promoted", "v3", "v1"),
    ], changes
    lines = read(d.last_log, form)
    refused = next(line for line in lines if line.get("phase") == "golden")
    assert str(refused["refused"]).lower() == "true" and refused["from"] == "v2" and len(refused["sha256"]) == 64
    back = next(line for line in lines if line["msg"] == "rolled back")
    assert back["request"] == "back" and back["client"].startswith("127.0.0.1:")


# -- the end


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
    d = Daemon("--lame-duck", "0.5")
    d.process.send_signal(getattr(signal, f"SIG{name}"))
    assert d.stop() == 0 and "stopped" in d.last_log
    told = next(line for line in read(d.last_log, "logfmt") if line["msg"] == "stopping")
    assert (told["signal"], told["lame_duck_ms"]) == (name, "500") and "second" in told["sooner"]
