"""HTTP by hand: bytes out over a socket, replies in, nothing tidied up on the way."""

from __future__ import annotations

import contextlib
import json
import re
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

TIMEOUT = 20.0
LINE = 65536
REQUEST = re.compile(rb"([A-Z]+) (\S+) HTTP/1\.\d\r?\n")
# Told of each reply read: the port, method and target of its request where they are known, and the reply.
READ: list[Callable[[int, tuple[str, str] | None, Reply], object]] = []


@dataclass
class Reply:
    """One reply as it came."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)  # names in lower case
    body: bytes = b""

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def closes(self) -> bool:
        """Whether the server said that it closes the connection."""
        return self.headers.get("connection", "").lower() == "close"


class Connection:
    """A TCP connection that reads replies by their Content-Length."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port = port
        self.pending = b""
        self.line = b""  # the end of what was sent, behind its last line
        self.asked: deque[tuple[str, str]] = deque()

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Sends all bytes; a peer that has gone away is seen when reading."""
        self.line += data
        for found in REQUEST.finditer(self.line):
            self.asked.append((found[1].decode(), found[2].decode("latin-1")))
        self.line = self.line.rpartition(b"\n")[2][-LINE:]
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.socket.sendall(data)

    def _more(self) -> bool:
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            return False
        self.pending += data
        return bool(data)

    def closed(self) -> bool:
        """Waits for the server to close, and says whether nothing more came."""
        while self._more():
            pass
        return not self.pending

    def read(self, head: bool = False) -> Reply | None:
        """The next reply, or None where the connection closed instead. Replies with 100 are replies too."""
        while b"\r\n\r\n" not in self.pending:
            if not self._more():
                return None
        top, _, self.pending = self.pending.partition(b"\r\n\r\n")
        first, *lines = top.decode("latin-1").split("\r\n")
        reply = Reply(int(first.split(" ")[1]))
        for line in lines:
            name, _, value = line.partition(":")
            assert name.lower() not in reply.headers, f"{name} stands twice"
            reply.headers[name.lower()] = value.strip()
        length = int(reply.headers.get("content-length", "0"))
        if reply.status == 100:
            return reply
        asked = self.asked.popleft() if self.asked else None
        if head or reply.status == 204:
            return reply
        while len(self.pending) < length:
            if not self._more():
                raise AssertionError("the connection closed within a body")
        reply.body, self.pending = self.pending[:length], self.pending[length:]
        for told in READ:
            told(self.port, asked, reply)
        return reply


def request(
    method: str,
    target: str,
    body: bytes | str | None = None,
    kind: str | None = "application/json",
    headers: dict[str, str] | None = None,
    version: str = "HTTP/1.1",
    host: str = "localhost",
) -> bytes:
    """A request's bytes, framed by Content-Length."""
    data = body.encode() if isinstance(body, str) else body
    lines = [f"{method} {target} {version}", f"Host: {host}"]
    if data is not None:
        lines += [f"Content-Length: {len(data)}"] + ([f"Content-Type: {kind}"] if kind else [])
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (data or b"")


def chunked(method: str, target: str, chunks: list[bytes], kind: str = "application/json") -> bytes:
    """A request in chunks."""
    head = f"{method} {target} HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n"
    head += f"Content-Type: {kind}\r\n\r\n"
    parts = b"".join(b"%x\r\n%s\r\n" % (len(c), c) for c in chunks)
    return head.encode() + parts + b"0\r\n\r\n"


def ask(port: int, *args: Any, **kwargs: Any) -> Reply:
    """One request on a connection of its own; the arguments are those of `request`."""
    with Connection(port) as c:
        c.send(request(*args, **kwargs))
        reply = c.read(head=args[0] == "HEAD")
        assert reply is not None, "no reply"
        return reply
