"""The daemon under test as a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("SCORED_BIN", TOP / "build" / "release" / "scored"))
BUNDLE = Path(os.environ.get("SCORED_BUNDLE", TOP / "models" / "days_to_sell" / "bundle"))
SERVING = re.compile(r"\blisten\W+\S*?:(\d+)\W+admin\W+\S*?:(\d+)\W")
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith("SCORED_")}
START_SECONDS = 30.0
WAIT_SECONDS = 30.0
STARTED: list[Callable[[Daemon], object]] = []  # told of each daemon that serves
ENDED: list[Callable[[Daemon], object]] = []  # and of each that was stopped: its ports may be others' next


def until(found: Callable[[], Any], what: str) -> Any:
    """Waits for a value that is true."""
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        value = found()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"waited in vain for {what}")


class Daemon:
    """Serves from construction to stop(); its log is a file, so that it can never block on a full pipe.

    `tool` is a command that runs the daemon's, in the same process; `headers` are those by which it is asked for its
    own description.
    """

    def __init__(
        self,
        *flags: str,
        models: tuple[str, ...] = (str(BUNDLE),),
        env: dict[str, str] | None = None,
        tool: tuple[str, ...] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        self.headers = headers or {}
        self.log_file = tempfile.NamedTemporaryFile("r", prefix="scored-", suffix=".log")  # noqa: SIM115
        args = [*tool, str(BIN), "serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--lame-duck", "0", *flags]
        for model in models:
            args += ["--model", model]
        with open(self.log_file.name, "w") as log:
            self.process = subprocess.Popen(args, stderr=log, stdout=log, env=ENVIRONMENT | (env or {}))
        self.port, self.admin = self._ports()
        self.secure = {p for p, flag in ((self.port, "--tls-cert"), (self.admin, "--admin-tls")) if flag in flags}
        for told in STARTED:
            told(self)

    def _ports(self) -> tuple[int, int]:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            found = SERVING.search(self.log())
            if found:
                return int(found[1]), int(found[2])
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        raise AssertionError(f"the daemon does not serve:\n{self.log()}")

    def log(self) -> str:
        """What it has logged so far; after stop() it stands in last_log."""
        return Path(self.log_file.name).read_text(errors="replace")

    def terminate(self) -> None:
        """Asks it to stop, and does not wait."""
        self.process.send_signal(signal.SIGTERM)

    def stop(self) -> int:
        """Stops it and gives its exit code."""
        if self.process.poll() is None:
            self.terminate()
        try:
            code = self.process.wait(timeout=40)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        for told in ENDED:
            told(self)
        self.last_log = log = self.log()
        self.log_file.close()
        assert "Sanitizer" not in log and "runtime error" not in log, log
        return code
