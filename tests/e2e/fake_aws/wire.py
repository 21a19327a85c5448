# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 on a socket, bare enough that every byte of a reply can be made wrong."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote

from .sigv4 import Signed

HEAD_MAX = 64 * 1024
BODY_MAX = 1 << 30
STEP = 64 * 1024
TLS_HANDSHAKE = b"\x16"


class Gone(Exception):
    """The peer has left, or the server is stopping."""


@dataclass(frozen=True)
class Request(Signed):
    """A request; header names are lower case."""

    tls: bool = False

    @property
    def host(self) -> str:
        """The Host header without the port."""
        return (self.value("host") or "").rsplit(":", 1)[0]

    @property
    def text_path(self) -> str:
        """The path, decoded."""
        return unquote(self.path)

    @property
    def arguments(self) -> dict[str, str]:
        """The query, decoded."""
        return dict(parse_qsl(self.query, keep_blank_values=True))


@dataclass
class Reply:
    """A reply and the way in which it is sent."""

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    head_only: bool = False  # the body is only counted: HEAD
    code: str = ""  # of an error
    delay_head: float = 0.0
    delay_body: float = 0.0
    delay_after: int = 0  # bytes of the body that go before delay_body
    rate: float | None = None  # bytes of the body a second
    cut: int | None = None  # bytes, head included, after which the connection ends
    cut_body: int | None = None  # bytes of the body after which the connection ends
    reset: bool = False  # the end is a reset
    raw: bytes | None = None  # sent instead of everything
    chunked: bool = False
    until_close: bool = False  # no length: the connection's end is the body's

    def set(self, name: str, value: str | None) -> None:
        """Set a header, or take it out."""
        self.headers = [(key, old) for key, old in self.headers if key.lower() != name.lower()]
        if value is not None:
            self.headers.append((name, value))

    def get(self, name: str) -> str | None:
        """Return a header."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def head(self, date: float) -> bytes:
        """Return the head."""
        phrase = HTTPStatus(self.status).phrase if self.status in set(HTTPStatus) else "Odd"
        lines = [f"HTTP/1.1 {self.status} {phrase}", f"Date: {formatdate(date, usegmt=True)}"]
        lines.append("Server: AmazonS3")
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.chunked:
            lines.append("Transfer-Encoding: chunked")
        elif self.until_close:
            lines.append("Connection: close")
        elif self.get("content-length") is None and self.status not in (204, 304):
            lines.append(f"Content-Length: {len(self.body)}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8")

    def payload(self) -> bytes:
        """Return what follows the head."""
        if self.head_only or self.status in (204, 304):
            return b""
        if not self.chunked:
            return self.body
        parts = [self.body[i : i + STEP] for i in range(0, len(self.body), STEP)]
        return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in [*parts, b""])

    @property
    def ends(self) -> bool:
        """Whether the connection ends with this reply."""
        odd = self.cut is not None or self.cut_body is not None or self.raw is not None
        return odd or self.reset or self.until_close or self.get("connection") == "close"


class Connection:
    """A connection of a client."""

    def __init__(self, sock: socket.socket, stopping: threading.Event, tls: bool) -> None:
        self.sock = sock
        self.stopping = stopping
        self.tls = tls
        self.buffer = b""
        self.aborted = False

    def _more(self) -> None:
        try:
            data = self.sock.recv(STEP)
        except OSError as error:
            raise Gone from error
        if not data:
            raise Gone
        self.buffer += data

    def _take(self, size: int) -> bytes:
        parts = []
        while size > len(self.buffer):
            parts.append(self.buffer)
            size -= len(self.buffer)
            self.buffer = b""
            self._more()
        parts.append(self.buffer[:size])
        self.buffer = self.buffer[size:]
        return b"".join(parts)

    def _line(self, end: bytes = b"\r\n") -> bytes:
        while end not in self.buffer:
            if len(self.buffer) > HEAD_MAX:
                raise Gone
            self._more()
        line, _, self.buffer = self.buffer.partition(end)
        return line

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self._line().partition(b";")[0], 16):
            body += self._take(size)
            self._line()
        while self._line():
            pass
        return body

    def read(self) -> Request:
        """Return the next request; raise Gone where there is none, or none that can be read."""
        if not self.buffer:
            self._more()
        if self.buffer.startswith(TLS_HANDSHAKE) and not self.tls:
            self._send(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            raise Gone
        try:
            head = self._line(b"\r\n\r\n").decode("latin-1").split("\r\n")
            method, target, version = head[0].split(" ")
            fields = [line.partition(":") for line in head[1:]]
            headers = [(name.strip().lower(), value.strip()) for name, _, value in fields]
        except ValueError as error:
            raise Gone from error
        if not version.startswith("HTTP/1."):
            raise Gone
        known = dict(headers)
        if known.get("expect", "").lower() == "100-continue":
            self._send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if known.get("transfer-encoding", "").lower() == "chunked":
            body = self._chunks()
        else:
            length = int(known.get("content-length", "0"))
            if length > BODY_MAX:
                raise Gone
            body = self._take(length)
        if target.startswith("http://"):  # what a client of a proxy sends
            target = "/" + target.removeprefix("http://").partition("/")[2]
        path, _, query = target.partition("?")
        return Request(method, path, query, headers, body, self.tls)

    def _send(self, data: bytes) -> None:
        try:
            self.sock.sendall(data)
        except OSError as error:
            raise Gone from error

    def _wait(self, seconds: float) -> None:
        if seconds > 0 and self.stopping.wait(seconds):
            raise Gone

    def _drip(self, data: bytes, rate: float) -> None:
        step = max(1, int(rate / 10))
        start = time.monotonic()
        for i in range(0, len(data), step):
            self._wait(start + i / rate - time.monotonic())
            self._send(data[i : i + step])

    def _send_body(self, reply: Reply, body: bytes) -> None:
        if reply.delay_body:
            self._send(body[: reply.delay_after])
            body = body[reply.delay_after :]
            self._wait(reply.delay_body)
        if reply.rate is not None:
            self._drip(body, reply.rate)
        else:
            self._send(body)

    def send(self, reply: Reply, date: float) -> None:
        """Send a reply as it wants to be sent."""
        self._wait(reply.delay_head)
        if reply.raw is not None:
            self._send(reply.raw)
            return
        head, body = reply.head(date), reply.payload()
        if reply.cut_body is not None:
            body = body[: reply.cut_body]
        if reply.cut is not None:
            body = body[: max(0, reply.cut - len(head))]
            head = head[: reply.cut]
        if reply.delay_body or reply.rate is not None:
            self._send(head)
            self._send_body(reply, body)
        else:
            self._send(head + body)

    def abort(self) -> None:
        """Make the thread that serves the connection reset it; only that one may close it."""
        self.aborted = True
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self.sock, socket.SHUT_RDWR)

    def close(self, reset: bool = False) -> None:
        """End the connection: in order, or by a reset."""
        with contextlib.suppress(OSError):
            if reset or self.aborted:
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                self.sock.shutdown(socket.SHUT_WR)
        with contextlib.suppress(OSError):
            self.sock.close()
