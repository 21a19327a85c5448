#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A small S3 for tests, with STS, the container endpoint and IMDSv2 on the same port.

It checks every signature by its own reading of Signature Version 4, knows several key pairs and when they
expire, and makes mistakes by script (``fake_aws/faults.py`` lists them). As a module::

    with FakeS3() as s3:
        s3.store.put("models", "m/bundle.json", b"{}")
        s3.rules.add(action="status", status=503, code="SlowDown", path="bundle.json", nth=[1, 2])
        ... s3.url, s3.env() ...
        assert [seen.status for seen in s3.log] == [503, 503, 200]

As a command: ``fake_s3.py --port 9000 [--directory DIR] [--rules FILE]``; its keys are those of ``env()``.
While it runs, ``PUT /_fake/rules`` sets rules from JSON and ``GET /_fake/log`` gives the requests so far.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import socket
import ssl
import sys
import threading
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from urllib.parse import unquote

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent))

from fake_aws import faults
from fake_aws.credentials import CONTAINER_PATH, IMDS_PATH, Issuer
from fake_aws.errors import ServiceError
from fake_aws.objects import Bucket, Store
from fake_aws.sigv4 import KeyPair, verify
from fake_aws.wire import Connection, Gone, Reply, Request

KEY_ID, SECRET = "AKIAFAKE000000000001", "fake/secret+key/of/the/tests/0000000001"
REGION = "us-east-1"
DOMAINS = ("s3.test", "localhost")


@dataclass(frozen=True)
class Seen:
    """A request as the log keeps it."""

    at: float  # seconds since 1970, this machine's
    service: str
    method: str
    host: str
    path: str
    query: str
    headers: dict[str, str]
    status: int
    code: str
    key_id: str
    acts: tuple[str, ...]


class FakeS3:
    """The server: from start() to stop(), or as a context."""

    def __init__(
        self,
        *,
        region: str = REGION,
        directory: Path | None = None,
        port: int = 0,
        domains: tuple[str, ...] = DOMAINS,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.region = region
        self.domains = domains
        self.tls = tls
        self.port = port
        self.skew = 0.0
        self.anonymous = False
        self.keys: dict[str, KeyPair] = {KEY_ID: KeyPair(SECRET)}
        self.store = Store(region, directory)
        self.issuer = Issuer(self.keys, self.now, region)
        self.rules = faults.Rules()
        self.log: list[Seen] = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._listener: socket.socket | None = None
        self._reserved: socket.socket | None = None  # keeps the port while nothing listens
        self._open: set[Connection] = set()

    # -- running

    def start(self) -> FakeS3:
        """Listen; the port is kept from one start to the next."""
        self._stopping = threading.Event()
        if self._reserved is None:
            self._reserved = self._bound()
        self._listener = listener = self._bound()
        listener.listen(512)
        self._accepting = threading.Thread(
            target=self._accept, args=(listener, self._stopping), daemon=True
        )
        self._accepting.start()
        return self

    def _bound(self) -> socket.socket:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", self.port))
        self.port = sock.getsockname()[1]
        return sock

    def refuse(self) -> None:
        """Listen no more; connections that are open stay."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.shutdown(socket.SHUT_RDWR)  # the thread that accepts closes it
            self._accepting.join()

    def stop(self) -> None:
        """Listen no more and reset what is open."""
        self._stopping.set()
        self.refuse()
        with self._lock:
            left = list(self._open)
        for connection in left:
            connection.abort()

    def __enter__(self) -> FakeS3:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _accept(self, listener: socket.socket, stopping: threading.Event) -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                listener.close()
                return
            threading.Thread(target=self._serve, args=(sock, stopping), daemon=True).start()

    def _serve(self, sock: socket.socket, stopping: threading.Event) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls is not None:
            try:
                sock.settimeout(30)
                sock = self.tls.wrap_socket(sock, server_side=True)
                sock.settimeout(None)
            except (OSError, ValueError):
                sock.close()
                return
        connection = Connection(sock, stopping, self.tls is not None)
        with self._lock:
            self._open.add(connection)
        reset = False
        try:
            while not reset and self._one(connection):
                pass
        except Gone:
            pass
        except _Reset:
            reset = True
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close(reset)

    # -- one request

    def _one(self, connection: Connection) -> bool:
        request = connection.read()
        if request.path.startswith("/_fake/"):
            connection.send(self._control(request), self.now())
            return True
        service = self._service(request)
        bucket, key = self.place(request) if service == "s3" else ("", "")
        name = f"{bucket}/{key}" if service == "s3" else request.text_path
        chosen = self.rules.chosen(request, service, name)
        for rule in chosen:
            if rule.action in faults.BEFORE:
                faults.BEFORE[rule.action](self, **rule.arguments)
        reply, key_id = self._reply(request, service, bucket, key, chosen)
        for rule in chosen:
            if rule.action in faults.AFTER:
                faults.AFTER[rule.action](reply, **rule.arguments)
        if request.method == "HEAD":
            reply.head_only = True
        self._note(request, service, reply, key_id, tuple(rule.action for rule in chosen))
        connection.send(reply, self.now())
        if reply.reset:
            raise _Reset
        return not (reply.ends or request.value("connection") == "close")

    def _note(self, request: Request, service: str, reply: Reply, key_id: str, acts: tuple[str, ...]) -> None:
        host = request.value("host") or ""
        seen = Seen(
            time.time(), service, request.method, host, request.text_path, request.query,
            dict(request.headers), reply.status, reply.code, key_id, acts,
        )  # fmt: skip
        with self._lock:
            self.log.append(seen)

    def _service(self, request: Request) -> str:
        if request.path == CONTAINER_PATH:
            return "container"
        if request.path.startswith(IMDS_PATH):
            return "instance"
        form = (request.value("content-type") or "").startswith("application/x-www-form-urlencoded")
        return "sts" if request.method == "POST" and request.path == "/" and form else "s3"

    def place(self, request: Request) -> tuple[str, str]:
        """Return the bucket and the key of a request, by host or by path."""
        for domain in self.domains:
            if request.host.endswith("." + domain):
                return request.host.removesuffix("." + domain), unquote(request.path[1:])
        bucket, _, key = request.path[1:].partition("/")
        return unquote(bucket), unquote(key)

    def _reply(
        self, request: Request, service: str, bucket: str, key: str, chosen: list[faults.Rule]
    ) -> tuple[Reply, str]:
        key_id = ""
        try:
            if service == "container":
                return self.issuer.container(request), ""
            if service == "instance":
                return self.issuer.instance(request), ""
            if service == "sts":
                return self.issuer.sts(request)
            key_id = self._allowed(request, bucket)
            for rule in chosen:
                if rule.action in faults.INSTEAD:
                    request = faults.INSTEAD[rule.action](request, **rule.arguments)
            return self.store.answer(request, bucket, key), key_id
        except ServiceError as error:
            body = error.sts_xml() if service == "sts" else error.s3_xml(request.text_path)
            headers = [("Content-Type", "application/xml"), *error.headers]
            return Reply(error.status, headers, body, code=error.code), key_id

    def _allowed(self, request: Request, bucket: str) -> str:
        held: Bucket | None = self.store.buckets.get(bucket)
        region = held.region if held else self.region
        scope = re.search(r"Credential=[^/]+/\d+/([^/]+)/s3/", request.value("authorization") or "")
        if held and held.redirects and scope and scope[1] != region:
            raise ServiceError(
                "PermanentRedirect",
                "The bucket you are attempting to access must be addressed using the specified endpoint.",
                headers=(("x-amz-bucket-region", region),),
                Bucket=bucket,
                Endpoint=f"{bucket}.s3.{region}.amazonaws.com",
            )
        if self.anonymous and request.value("authorization") is None:
            return ""
        key_id = verify(request, self.keys, region, "s3", self.now())
        if held and held.requester_pays and request.value("x-amz-request-payer") != "requester":
            raise ServiceError("AccessDenied", "Access Denied")
        return key_id

    def _control(self, request: Request) -> Reply:
        if request.path == "/_fake/rules" and request.method == "PUT":
            try:
                self.rules.set(*json.loads(request.body))
            except (ValueError, TypeError, KeyError) as error:
                return Reply(400, body=f"{error}\n".encode())
            return Reply(204)
        if request.path == "/_fake/log" and request.method == "GET":
            with self._lock:
                seen = [asdict(entry) for entry in self.log]
            return Reply(200, [("Content-Type", "application/json")], json.dumps(seen).encode())
        return Reply(404)

    # -- what tests set and ask

    def now(self) -> float:
        """Return the server's idea of the time."""
        return time.time() + self.skew

    def expire(self) -> None:
        """Make all key pairs that were issued expire now."""
        for key_id, pair in list(self.keys.items()):
            if pair.expires is not None:
                self.keys[key_id] = replace(pair, expires=self.now())

    @property
    def url(self) -> str:
        """The endpoint."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def env(self) -> dict[str, str]:
        """Return the environment of a client with the static keys, which sees nothing of this machine's."""
        return quiet_env() | {
            "AWS_ACCESS_KEY_ID": KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": self.region,
            "AWS_ENDPOINT_URL_S3": self.url,
            "AWS_ENDPOINT_URL_STS": self.url,
        }

    def requests(self, path: str = "", since: int = 0) -> list[Seen]:
        """Return the requests from some place in the log on whose path contains a text."""
        with self._lock:
            return [seen for seen in self.log[since:] if path in seen.path]


def quiet_env() -> dict[str, str]:
    """Return settings that keep a client from the files, the proxies and the metadata of this machine."""
    return {
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "NO_PROXY": "127.0.0.1,localhost,.test",
        "no_proxy": "127.0.0.1,localhost,.test",
    }


class _Reset(Exception):
    """The connection is to be reset."""


def main() -> None:
    """Run until interrupted."""
    parser = argparse.ArgumentParser(description="a small S3 for tests")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--directory", type=Path)
    parser.add_argument("--region", default=REGION)
    parser.add_argument("--rules", type=Path, help="a file of JSON: a list of rules")
    args = parser.parse_args()
    server = FakeS3(region=args.region, directory=args.directory, port=args.port)
    if args.rules:
        server.rules.set(*json.loads(args.rules.read_text()))
    server.start()
    print("\n".join(f"export {name}={value}" for name, value in server.env().items()), flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()
    server.stop()


if __name__ == "__main__":
    main()
