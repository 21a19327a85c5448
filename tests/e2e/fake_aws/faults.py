# SPDX-License-Identifier: Apache-2.0
"""Faults by script: rules that say for which requests what goes wrong.

A rule is a mapping, so that a file of JSON can hold them::

    {"action": "status", "status": 503, "code": "SlowDown", "path": "blocks-", "nth": [1, 2]}

What it matches: `method`; `path`, a regular expression searched in ``bucket/key`` or the path; `service`
("s3", "sts", "container", "instance"); `ranged`, true or false. Of the requests that match, counted from 1,
it acts on those in `nth` (a number or a list), on those from `since` on, on every `every`-th; at most
`times`. The rest are the action's own arguments.
"""

from __future__ import annotations

import gzip
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .errors import ServiceError
from .wire import Reply, Request

if TYPE_CHECKING:
    from fake_s3 import FakeS3

PORTAL = b"<!DOCTYPE html><html><head><title>Sign in to the network</title></head><body>Welcome</body></html>"
MATCHING = ("method", "path", "service", "ranged", "nth", "since", "every", "times")


@dataclass
class Rule:
    """One rule and how often it has matched and acted."""

    action: str
    arguments: dict[str, Any] = field(default_factory=dict)
    method: str | None = None
    path: str | None = None
    service: str | None = None
    ranged: bool | None = None
    nth: int | Sequence[int] | None = None
    since: int | None = None
    every: int | None = None
    times: int | None = None
    matched: int = 0
    acted: int = 0

    def fits(self, request: Request, service: str, name: str) -> bool:
        """Tell whether the rule is about this request."""
        return (
            self.method in (None, request.method)
            and self.service in (None, service)
            and self.ranged in (None, request.value("range") is not None)
            and (self.path is None or re.search(self.path, name) is not None)
        )

    def turn(self) -> bool:
        """Count a request that fits; tell whether it is one to act on."""
        self.matched += 1
        chosen = (self.nth,) if isinstance(self.nth, int) else self.nth
        act = (
            (chosen is None or self.matched in chosen)
            and (self.since is None or self.matched >= self.since)
            and (self.every is None or self.matched % self.every == 0)
            and (self.times is None or self.acted < self.times)
        )
        self.acted += act
        return act


def rule(spec: Mapping[str, Any]) -> Rule:
    """Return the rule that a mapping describes."""
    spec = dict(spec)
    action = spec.pop("action")
    if action not in ACTIONS:
        raise ValueError(f"no action '{action}'; there are: {', '.join(ACTIONS)}")
    match = {name: spec.pop(name) for name in MATCHING if name in spec}
    return Rule(action, spec, **match)


class Rules:
    """The rules in force."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[Rule] = []

    def set(self, *specs: Mapping[str, Any]) -> list[Rule]:
        """Put these in the place of all others."""
        rules = [rule(spec) for spec in specs]
        with self._lock:
            self._rules = rules
        return rules

    def add(self, **spec: Any) -> Rule:
        """Add one."""
        added = rule(spec)
        with self._lock:
            self._rules.append(added)
        return added

    def clear(self) -> None:
        """Take all away."""
        self.set()

    def chosen(self, request: Request, service: str, name: str) -> list[Rule]:
        """Return the rules that act on this request."""
        with self._lock:
            return [r for r in self._rules if r.fits(request, service, name) and r.turn()]


# -- what is done before the request is answered


def overwrite(
    server: FakeS3, key: str, data: bytes | str = b"overwritten", bucket: str | None = None
) -> None:
    """Put another object over a key: someone publishes meanwhile."""
    content = data.encode() if isinstance(data, str) else data
    server.store.put(bucket or next(iter(server.store.buckets)), key, content)


def delete(server: FakeS3, key: str, bucket: str | None = None) -> None:
    """Delete an object: someone tidies up meanwhile."""
    server.store.delete(bucket or next(iter(server.store.buckets)), key)


def skew(server: FakeS3, seconds: float) -> None:
    """Set the server's clock apart."""
    server.skew = seconds


def refuse(server: FakeS3) -> None:
    """Stop listening, after this request."""
    server.refuse()


def call(server: FakeS3, function: Callable[[FakeS3], None]) -> None:
    """Call a function of the test."""
    function(server)


def expire(server: FakeS3) -> None:
    """Make all credentials that were issued expire now."""
    server.expire()


# -- what is done to the reply


def status(
    reply: Reply,
    status: int,
    code: str = "",
    message: str = "scripted",
    headers: Mapping[str, str] | None = None,
    retry_after: int | None = None,
    body: str | None = None,
) -> None:
    """Answer with a status, and S3's document of a code; `retry_after` in milliseconds."""
    reply.status, reply.code = status, code
    reply.headers = [("Content-Type", "application/xml"), *(headers or {}).items()]
    if retry_after is not None:
        reply.headers.append(("x-amz-retry-after", str(retry_after)))
    reply.body = ServiceError(code, message, status=status).s3_xml("/") if code else b""
    if body is not None:
        reply.body = body.encode()


def delay_head(reply: Reply, seconds: float) -> None:
    """Wait before the head."""
    reply.delay_head = seconds


def delay_body(reply: Reply, seconds: float, after: int = 0) -> None:
    """Wait before the body, or inside it."""
    reply.delay_body, reply.delay_after = seconds, after


def drip(reply: Reply, rate: float = 1.0) -> None:
    """Send the body at some bytes a second."""
    reply.rate = rate


def close(reply: Reply) -> None:
    """End the connection without a reply."""
    reply.raw = b""


def cut_head(reply: Reply, at: int = 20) -> None:
    """End the connection inside the head."""
    reply.cut = at


def cut_body(reply: Reply, at: int | None = None, fraction: float = 0.5) -> None:
    """End the connection inside the body, whose length was told rightly."""
    reply.cut_body = int(len(reply.body) * fraction) if at is None else at


def reset(reply: Reply, at: int = 0, body: int | None = None) -> None:
    """Reset the connection: after `at` bytes, or after `body` bytes of the body."""
    reply.reset = True
    reply.cut, reply.cut_body = (None, body) if body is not None else (at, None)


def shorten(reply: Reply, by: int = 1) -> None:
    """Leave out the end of the body, with the length of what is left."""
    reply.body = reply.body[:-by]


def lengthen(reply: Reply, by: int = 1) -> None:
    """Send more of a body than there is, with the length of all."""
    reply.body += b"\0" * by


def overrun(reply: Reply, by: int = 100) -> None:
    """Send more of a body than the length told."""
    reply.set("Content-Length", str(len(reply.body)))
    reply.body += b"\0" * by
    reply.set("Connection", "close")


def flip(reply: Reply, position: int = 0) -> None:
    """Change one bit of the byte at a position, counted from the end where it is negative."""
    body = bytearray(reply.body)
    if body:
        body[position % len(body)] ^= 1
    reply.body = bytes(body)


def wrong_range(reply: Reply, value: str | None = None) -> None:
    """Tell another Content-Range, or none."""
    reply.set("Content-Range", value)


def etag(reply: Reply, value: str | None = None) -> None:
    """Tell another ETag, or none."""
    reply.set("ETag", value)


def header(reply: Reply, name: str, value: str | None) -> None:
    """Set a header, or take it out."""
    reply.set(name, value)


def gzipped(reply: Reply, honest: bool = True) -> None:
    """Send the body compressed, though nobody asked; without `honest` only the header says so."""
    reply.set("Content-Encoding", "gzip")
    if honest:
        reply.body = gzip.compress(reply.body)


def portal(reply: Reply) -> None:
    """Answer as a captive portal does: 200 and a page."""
    reply.status, reply.headers, reply.body = 200, [("Content-Type", "text/html")], PORTAL


def redirect(reply: Reply, to: str, status: int = 307) -> None:
    """Send the client elsewhere."""
    reply.status, reply.headers, reply.body = status, [("Location", to)], b""


def chunked(reply: Reply) -> None:
    """Send the body in chunks, without a length."""
    reply.chunked = True


def until_close(reply: Reply) -> None:
    """Send the body without a length: it ends with the connection."""
    reply.until_close = True


def huge_head(reply: Reply, size: int = 1 << 20, count: int = 1) -> None:
    """Add headers of a size altogether."""
    reply.headers += [(f"x-filler-{i}", "x" * (size // count)) for i in range(count)]


def garbage(reply: Reply, text: str = "HTTP/9.9 banana\r\n\r\n") -> None:
    """Send something that is not HTTP."""
    reply.raw = text.encode("latin-1")


# -- what is answered in the request's place, once its signature was found right


def whole(request: Request) -> Request:
    """Return the request without its range: the server answers 200 with all."""
    headers = [(name, value) for name, value in request.headers if name != "range"]
    return Request(request.method, request.path, request.query, headers, request.body, request.tls)


def shifted(request: Request, by: int) -> Request:
    """Return the request for another range, which the reply tells rightly."""
    moved = re.sub(r"\d+", lambda n: str(int(n[0]) + by), request.value("range") or "")
    headers = [(name, moved if name == "range" else value) for name, value in request.headers]
    return Request(request.method, request.path, request.query, headers, request.body, request.tls)


def unconditional(request: Request) -> Request:
    """Return the request without its conditions: the server does not know them."""
    headers = [h for h in request.headers if h[0] not in ("if-match", "if-none-match")]
    return Request(request.method, request.path, request.query, headers, request.body, request.tls)


BEFORE: dict[str, Callable[..., None]] = {
    f.__name__: f for f in (overwrite, delete, skew, refuse, call, expire)
}
INSTEAD: dict[str, Callable[..., Request]] = {f.__name__: f for f in (whole, shifted, unconditional)}
AFTER: dict[str, Callable[..., None]] = {
    f.__name__: f
    for f in (
        status, delay_head, delay_body, drip, close, cut_head, cut_body, reset, shorten, lengthen, overrun,
        flip, wrong_range, etag, header, gzipped, portal, redirect, chunked, until_close, huge_head, garbage,
    )
}  # fmt: skip
ACTIONS = sorted([*BEFORE, *INSTEAD, *AFTER])
