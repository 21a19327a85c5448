"""Whose port it is: a server that a test waits for must be the one that the test has started."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import subprocess
import time
from pathlib import Path
from typing import Any

LISTEN = "0A"


def listens(pid: int, port: int) -> bool:
    """Whether a process itself listens on a port of 127.0.0.1 or of all addresses."""
    own = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            own.add(os.readlink(link))
    loopback = f"{struct.unpack('=I', socket.inet_aton('127.0.0.1'))[0]:08X}"
    for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        address, number = fields[1].split(":")
        if (fields[3], int(number, 16)) == (LISTEN, port) and address in (loopback, "00000000"):
            return f"socket:[{fields[9]}]" in own
    return False


def until_it_listens(process: subprocess.Popen[Any], port: int, seconds: float = 60.0) -> None:
    """Return when the process itself listens, whoever else may; AssertionError where it ends, or the time does."""
    end = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < end:
        if listens(process.pid, port):
            return
        time.sleep(0.02)
    raise AssertionError(f"{process.args} does not listen on {port}")
