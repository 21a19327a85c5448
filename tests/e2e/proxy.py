"""A small HTTP proxy: forwards requests, opens tunnels, and notes what it was asked."""

from __future__ import annotations

import base64
import contextlib
import select
import socket
import threading

REFUSAL = (
    b"HTTP/1.1 407 Proxy Authentication Required\r\n"
    b'Proxy-Authenticate: Basic realm="here"\r\n'
    b"Content-Length: 0\r\n\r\n"
)


class Proxy:
    """Sends everything to one port, whatever host it is asked for.

    With a password, "user:secret", it serves only those who know it.
    """

    def __init__(self, target: int, password: str = "") -> None:
        self.target = target
        self.password = base64.b64encode(password.encode()) if password else b""
        self.asked: list[str] = []  # request lines, of each connection the first
        self.heads: list[bytes] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._accept, daemon=True)

    @property
    def url(self) -> str:
        """What a proxy variable names."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Proxy:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(5)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.target)) as server:
            while head := self._head(client):
                line, _, rest = head.partition(b"\r\n")
                self.asked.append(line.decode("latin-1"))
                self.heads.append(head)
                if self.password and b"Proxy-Authorization: Basic " + self.password not in head:
                    client.sendall(REFUSAL)
                    continue
                method, url, version = line.split(b" ")
                if method == b"CONNECT":
                    client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    self._join(client, server)
                    return
                path = b"/" + url.split(b"/", 3)[3]
                server.sendall(b" ".join((method, path, version)) + b"\r\n" + rest)
                self._reply(client, server)

    @staticmethod
    def _head(client: socket.socket) -> bytes:
        """A request's head; those that come here have no body."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            piece = client.recv(1)
            if not piece:
                return b""
            head += piece
        return head

    @staticmethod
    def _reply(client: socket.socket, server: socket.socket) -> None:
        """Passes on what comes until the other side asks again or nothing more comes."""
        while True:
            ready, _, _ = select.select([client, server], [], [], 30)
            if server in ready:
                data = server.recv(65536)
                if not data:
                    raise ConnectionResetError
                client.sendall(data)
            elif client in ready or not ready:
                return

    @staticmethod
    def _join(client: socket.socket, server: socket.socket) -> None:
        while True:
            ready, _, _ = select.select([client, server], [], [], 30)
            for one, other in ((client, server), (server, client)):
                if one in ready:
                    data = one.recv(65536)
                    if not data:
                        return
                    other.sendall(data)
