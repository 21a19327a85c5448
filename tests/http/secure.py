"""A client of TLS whose every record and every end is in the test's hands."""

from __future__ import annotations

import contextlib
import socket
import ssl
from pathlib import Path
from typing import Any

from certificates import Pair
from wire import TIMEOUT, Connection


def context(ca: Path, client: Pair | None = None) -> ssl.SSLContext:
    """What a careful client asks for."""
    c = ssl.create_default_context(cafile=str(ca))
    if client:
        c.load_cert_chain(client.cert, client.key)
    return c


class Pipe:
    """A socket that encrypts. What `socket` can do is done by it; what only TLS can do stands here."""

    def __init__(self, plain: socket.socket, c: ssl.SSLContext) -> None:
        self.plain = plain
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = c.wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")
        self._until(self.tls.do_handshake)

    def _flush(self) -> None:
        data = self.outgoing.read()
        if data:
            self.plain.sendall(data)

    def _until(self, call: Any, *args: Any) -> Any:
        while True:
            try:
                done = call(*args)
                self._flush()
                return done
            except ssl.SSLWantReadError:
                self._flush()
                data = self.plain.recv(65536)
                if data:
                    self.incoming.write(data)
                else:
                    self.incoming.write_eof()

    def sendall(self, data: bytes) -> None:
        """Sends, in records as large as may be."""
        self.tls.write(data)
        self._flush()

    def recv(self, n: int) -> bytes:
        """Receives; b"" is an end that was said. One that was not is a ConnectionResetError, as a broken one is."""
        try:
            return self._until(self.tls.read, n)
        except ssl.SSLZeroReturnError:
            return b""
        except ssl.SSLError as e:
            raise ConnectionResetError(str(e)) from e

    def end(self) -> None:
        """Says that no more is sent, and goes on receiving."""
        with contextlib.suppress(ssl.SSLWantReadError):
            self.tls.unwrap()
        self._flush()

    def shutdown(self, how: int) -> None:
        """As a socket's."""
        assert how == socket.SHUT_WR
        self.end()

    def close(self) -> None:
        """Ends as clients do."""
        with contextlib.suppress(OSError, ssl.SSLError):
            self.end()
        self.plain.close()

    def setsockopt(self, *args: Any) -> None:
        """Of the socket beneath."""
        self.plain.setsockopt(*args)


class Secure(Connection):
    """A connection over TLS. `window` is how many bytes its system takes before they are read."""

    def __init__(self, port: int, c: ssl.SSLContext, window: int = 0) -> None:
        super().__init__(port)
        if window:
            self.socket.close()
            self.socket = socket.socket()
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
            self.socket.settimeout(TIMEOUT)
            self.socket.connect(("127.0.0.1", port))
        try:
            self.pipe = Pipe(self.socket, c)
        except BaseException:
            self.socket.close()
            raise
        self.socket = self.pipe  # type: ignore[assignment]
