# SPDX-License-Identifier: Apache-2.0
"""A daemon that serves from S3, as tests see it: what it says of its model, and what it answers meanwhile."""

from __future__ import annotations

import json
import os
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daemon import Daemon
from versions import ROW, answer

from wire import Connection, Reply, ask, request

MODEL = "m"
SLOWER = float(os.environ.get("SCORED_SLOWER", "1"))  # of a build with sanitizers, or a busy machine
Status = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """One prediction as a client saw it; times are time.monotonic()."""

    sent: float
    came: float
    status: int
    version: str
    value: Any
    good: bool  # an answer, and that of the version that it names


@dataclass(frozen=True)
class Question:
    """A row and what each version answers to it."""

    row: dict[str, Any]
    right: Callable[[str, Any], bool]

    def judged(self, sent: float, reply: Reply) -> Answer:
        """Return a reply as an answer."""
        value = reply.json.get("prediction") if reply.status == 200 else reply.body
        label = reply.headers.get("x-model-version", "")
        good = reply.status == 200 and self.right(label, value)
        return Answer(sent, time.monotonic(), reply.status, label, value, good)


def right_by_number(label: str, value: Any) -> bool:
    """Tell whether the version "vN" answers ROW so."""
    number = label.removeprefix("v")
    return number.isdecimal() and value == answer(int(number))


BY_NUMBER = Question(ROW, right_by_number)


class Traffic:
    """Predicts on one connection from start to stop, some times a second, and keeps every answer."""

    def __init__(self, port: int, rate: float = 50.0, question: Question = BY_NUMBER) -> None:
        self.port = port
        self.question = question
        self.pause = 1.0 / rate
        self.answers: list[Answer] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._bytes = request("POST", f"/models/{MODEL}/predict", json.dumps(question.row))

    def start(self) -> None:
        """Start."""
        self._thread.start()

    def __enter__(self) -> Traffic:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _one(self, connection: Connection) -> Answer:
        sent = time.monotonic()
        connection.send(self._bytes)
        reply = connection.read()
        if reply is None:
            raise ConnectionError("the connection was closed")
        return self.question.judged(sent, reply)

    def _run(self) -> None:
        connection: Connection | None = None
        while not self._stop.is_set():
            sent = time.monotonic()
            try:
                connection = connection or Connection(self.port)
                self.answers.append(self._one(connection))
            except (OSError, AssertionError, ValueError) as error:
                self.answers.append(Answer(sent, time.monotonic(), 0, "", repr(error), False))
            if self.answers[-1].status == 0 and connection:
                connection.socket.close()
                connection = None
            self._stop.wait(max(0.0, sent + self.pause - time.monotonic()))

    def stop(self) -> None:
        """Stop."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(30)

    def settles(self, label: str, seconds: float = 5.0) -> None:
        """Wait until a version answers here too, if anything is asked here."""
        end = time.monotonic() + seconds
        while self._thread.is_alive() and time.monotonic() < end:
            if self.answers and self.answers[-1].version == label:
                return
            time.sleep(self.pause / 4)

    @property
    def failed(self) -> list[Answer]:
        """The answers that no client should have got."""
        return [a for a in self.answers if not a.good]

    def seen(self) -> list[str]:
        """Return the versions that answered, in the order of their first answers after another's."""
        order: list[str] = []
        for a in self.answers:
            if not order or order[-1] != a.version:
                order.append(a.version)
        return order


class Live:
    """A daemon with one model, called `m`."""

    def __init__(
        self,
        uri: str,
        *flags: str,
        env: Mapping[str, str] | None = None,
        poll: float = 0.2,
        rate: float = 50.0,
        question: Question = BY_NUMBER,
    ) -> None:
        self.daemon = Daemon("--poll", str(poll), *flags, models=(f"{MODEL}={uri}",), env=dict(env or {}))
        self.killed = False
        self.question = question
        self.traffic = Traffic(self.daemon.port, rate, question)

    def __enter__(self) -> Live:
        return self

    def __exit__(self, kind: object, error: BaseException | None, *_: object) -> None:
        self.traffic.stop()
        if kind is None and not self.killed:
            assert self.daemon.stop() == 0, self.daemon.log()
        else:
            if error is not None:
                error.add_note(self.remains())
            self.kill()

    def remains(self) -> str:
        """Return what is left of it: its exit status, and what it logged last, requests aside."""
        code = self.daemon.process.poll()
        log = Path(self.daemon.log_file.name)
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        told = [line for line in lines if "route=" not in line]
        return "\n".join([f"exit status {code}", *told[-40:]])

    def kill(self) -> None:
        """End it as kill -9 does."""
        self.killed = True
        self.traffic.stop()
        self.daemon.process.kill()
        self.daemon.process.wait(30)
        log = Path(self.daemon.log_file.name)
        assert not log.exists() or "Sanitizer" not in log.read_text(errors="replace"), self.remains()

    # -- asking

    def get(self, path: str) -> Reply:
        """GET a path of the public listener."""
        return ask(self.daemon.port, "GET", path)

    def status(self) -> Status:
        """Return what an operator is told of the model, with the status of the reply as ``http``."""
        reply = ask(self.daemon.admin, "GET", f"/models/{MODEL}")
        return {**reply.json, "http": reply.status}

    def metrics(self) -> str:
        """Return the metrics."""
        return self.get("/metrics").body.decode()

    def metric(self, name: str) -> float:
        """Return the one value of a metric."""
        lines = [line for line in self.metrics().splitlines() if line.split("{")[0].split(" ")[0] == name]
        assert len(lines) == 1, (name, lines)
        return float(lines[0].rpartition(" ")[2])

    def predict(self, version: str | None = None) -> Answer:
        """Predict the row whose answers are known, by the current version or by a kept one."""
        where = f"/versions/{version}" if version else ""
        sent = time.monotonic()
        text = json.dumps(self.question.row)
        return self.question.judged(
            sent, ask(self.daemon.port, "POST", f"/models/{MODEL}{where}/predict", text)
        )

    def admin(self, path: str, body: Any = None) -> Reply:
        """POST to the admin listener, below the model."""
        text = None if body is None else json.dumps(body)
        return ask(self.daemon.admin, "POST", f"/models/{MODEL}/{path}", text)

    # -- waiting

    def wait(self, what: str, holds: Callable[[Status], Any], seconds: float = 20.0) -> Status:
        """Wait until the status is as told; fail with all that is known where that takes too long."""
        end = time.monotonic() + seconds * SLOWER
        while True:
            status = self.status()
            if holds(status):
                return status
            if time.monotonic() > end or self.daemon.process.poll() is not None:
                raise AssertionError(f"not within {seconds} s: {what}\n{json.dumps(status)}")
            time.sleep(0.03)

    def serves(self, label: str, seconds: float = 20.0) -> Status:
        """Wait until a version serves; the next answer is that version's."""
        status = self.wait(f"{label} serves", lambda s: s["http"] == 200 and s["version"] == label, seconds)
        now = self.predict()
        assert now.good and now.version == label, now
        self.traffic.settles(label)
        return status

    def fails(
        self, phase: str, detail: str = "", refused: bool | None = None, seconds: float = 20.0
    ) -> Status:
        """Wait until the last attempt has failed as told."""

        def holds(status: Status) -> bool:
            error = status["reload"]["last_error"]
            return bool(
                error
                and error["phase"] == phase
                and re.search(detail, error["detail"], re.IGNORECASE)
                and refused in (None, error["refused"])
            )

        return self.wait(f"a failure in {phase}: {detail!r}, refused {refused}", holds, seconds)

    def ready(self) -> Reply:
        """Return the readiness."""
        return ask(self.daemon.admin, "GET", "/readyz")
