# SPDX-License-Identifier: Apache-2.0
"""A model behind HTTP from a notebook: export to a temporary folder, start the daemon, ask it."""

from __future__ import annotations

import atexit
import json
import logging
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scored_export.daemon import environment, program
from scored_export.errors import Refused, Unavailable

LOG = logging.getLogger("scored")
LOG.addHandler(logging.NullHandler())
LEVELS = {"error": logging.ERROR, "warn": logging.WARNING, "info": logging.DEBUG, "debug": logging.DEBUG}
KEPT = 20
#: The daemon ends when this interpreter does, however that ends: prctl(PR_SET_PDEATHSIG, SIGTERM), then exec.
DIE_TOO = (
    "import ctypes, os, sys\n"
    "ctypes.CDLL(None).prctl(1, 15)\n"
    "os.getppid() == int(sys.argv[1]) or sys.exit(1)\n"
    "os.execv(sys.argv[2], ['scored', *sys.argv[3:]])\n"
)


class Server:
    """A daemon on this machine that answers for one model, until it is closed.

    Attributes
    ----------
    url : str
        Where it listens, ``http://127.0.0.1:PORT``.
    name, version : str
        The model's, as the daemon says them.
    example : dict
        A row that works.
    """

    def __init__(self, uri: str, port: int, flags: Sequence[str], timeout: float, folder: str | None) -> None:
        self._folder = folder
        self._lines: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._told = threading.Event()
        self._process: subprocess.Popen[str] | None = None
        self._trouble: OSError | None = None
        self.url = ""
        command = [str(program()), "serve", "--model", uri, "--listen", f"127.0.0.1:{port}"]
        command += ["--admin-listen", "off", "--lame-duck", "0", "--log-format", "json", *flags]
        atexit.register(self.close)
        # The thread that starts a process is the parent whose death ends it; this one lives as Python does.
        threading.Thread(target=self._run, args=(command,), name="scored", daemon=True).start()
        try:
            self._wait(timeout)
            (model,) = self._call("/models")["models"]
            about = self._call(f"/models/{model['name']}")
        except BaseException:
            self.close()
            raise
        self.name: str = about["name"]
        self.version: str = about["version"]
        self.example: dict[str, Any] = about["example"]["in"]

    def _run(self, command: list[str]) -> None:
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-S", "-E", "-c", DIE_TOO, str(os.getpid()), *command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                env=environment(),
                start_new_session=True,  # Ctrl-C in a cell is not meant for it
            )
            assert self._process.stderr is not None
            for line in self._process.stderr:
                self._note(line)
        except OSError as error:
            self._trouble = error
        finally:
            self._told.set()

    def _note(self, line: str) -> None:
        """Take a line of the daemon's log."""
        try:
            event = json.loads(line)
        except ValueError:
            event = {"level": "error", "msg": line.strip()}
        self._lines.append(event)
        LOG.log(LEVELS.get(event.get("level", ""), logging.DEBUG), "%s", line.rstrip())
        if event.get("msg") == "serving":
            self.url = f"http://{event['listen']}"
            self._told.set()

    def _wait(self, timeout: float) -> None:
        if not self._told.wait(timeout):
            raise Unavailable(f"the daemon does not serve within {timeout:g} s", "give a longer timeout")
        if self._trouble:
            raise Refused(f"the daemon cannot be started: {self._trouble}") from self._trouble
        if not self.url:
            errors = [line["msg"] for line in self._lines if line.get("level") == "error"]
            raise Refused(f"the daemon ended: {' '.join(errors) or 'without a word'}")

    def _call(self, path: str, body: Any = None) -> Any:
        """Ask the daemon; what it refuses is raised with what it says."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=60) as reply:
                return json.load(reply)
        except urllib.error.HTTPError as error:
            said = json.loads(error.read() or b"{}")
            raise Refused(f"{said.get('title', error.reason)}: {said.get('detail', '')}") from None
        except urllib.error.URLError as error:
            raise Unavailable(f"the daemon does not answer: {error.reason}", "serve again") from None

    def predict(self, rows: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> Any:
        """Return the answer to a row, or the answers to a list of rows."""
        return self._call("/predict", rows)

    @property
    def curl(self) -> str:
        """A command that asks for the example row."""
        row = shlex.quote(json.dumps(self.example))
        return f"curl -s {self.url}/predict -H 'Content-Type: application/json' -d {row}"

    @property
    def running(self) -> bool:
        """Whether the daemon is there."""
        return self._process is not None and self._process.poll() is None

    def close(self) -> None:
        """End the daemon and delete what was exported for it; again does nothing."""
        atexit.unregister(self.close)
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "" if self.running else " (closed)"
        return f"{self.name} {self.version} at {self.url}{state}\n{self.curl}"


def _is_bundle(model: Any) -> bool:
    if not isinstance(model, (str, os.PathLike)):
        return False
    return os.fspath(model).startswith("s3://") or (Path(model) / "bundle.json").is_file()


def serve(
    model: Any,
    sample: Any = None,
    *,
    name: str = "model",
    port: int = 0,
    flags: Sequence[str] = (),
    timeout: float = 60,
    **options: Any,
) -> Server:
    """Serve a fitted model on this machine.

    Parameters
    ----------
    model : pyspark.ml.Model or str
        As for ``export``; or a bundle, its directory or ``s3://bucket/prefix/``, which needs no sample.
    sample : DataFrame of Spark or pandas, or list
        Rows as the service will be sent them.
    name : str
        Name of the model.
    port : int
        Of 127.0.0.1; 0 takes a free one.
    flags : sequence of str
        More flags of ``scored serve``, as ``["--unknown-fields", "reject"]``.
    timeout : float
        Seconds that the start may take, without the export.
    **options
        What else ``export`` takes: ``schema``, ``output``, ``lineage`` and so on.

    Returns
    -------
    Server
        Running. It ends by ``close()``, at the end of a ``with``, and with this interpreter.

    Raises
    ------
    Refused
        If there is no program for this machine, the model cannot be exported, or the daemon does not start.
    """
    program()  # before the work of an export
    if _is_bundle(model):
        if sample is not None:
            raise Refused(f"{model} is a bundle already", "leave the sample out")
        uri = os.fspath(model)
        return Server(uri if uri.startswith("s3://") else os.path.abspath(uri), port, flags, timeout, None)
    if sample is None:
        raise Refused("a model needs a sample of the rows that it will be asked", "serve(model, sample=df)")
    from scored_export.exporter import export

    folder = tempfile.mkdtemp(prefix="scored-serve-")
    try:
        export(model, folder, sample=sample, name=name, **options)
        return Server(folder, port, flags, timeout, folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
