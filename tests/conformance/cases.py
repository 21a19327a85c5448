#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a server of HTTP/1.1 must, should and may do with a request, byte for byte: RFC 9110 and 9112 as data.

A case is what a client sends, the outcome that we promise, and what the RFC says of it: the section, and
MUST where any other outcome breaks it, SHOULD where it is advised, MAY where the choice is ours.

An outcome is the statuses of the replies in their order, then "!" where the connection closes; without it the
connection goes on to serve. "400!" is one reply and the end; "!" is an end without a word; "|" parts
alternatives.

``cases.py FOLDER`` writes what the cases send into files there, each behind a byte of its own.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

MUST, SHOULD, MAY = "MUST", "SHOULD", "MAY"


class Step:
    """What a client does between two pieces of bytes."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


WAIT = Step("WAIT")  # for the next reply
PAUSE = Step("PAUSE")  # so that what follows comes on its own
END = Step("END")  # of what the client sends; it still reads

Send = "bytes | tuple[bytes | Step, ...]"


@dataclass(frozen=True)
class Case:
    """A row of the suite."""

    group: str
    name: str
    send: Send
    want: str
    level: str
    section: str
    check: str = ""  # what else the first reply must be: see run.py
    head: bool = False  # the first reply has no body
    pieces: tuple[bytes, ...] = field(default=(), repr=False)  # requests of their own: cut at every byte

    @property
    def id(self) -> str:
        """The name, with that of the group."""
        return f"{self.group}: {self.name}"


HOST = b"Host: a\r\n"
LINES = b"Content-Type: application/x-ndjson\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
BODY = b"{}\n"
EXPECT = b"Expect: 100-continue\r\n"


def get(*fields: bytes, target: bytes = b"/livez", method: bytes = b"GET", host: bytes = HOST) -> bytes:
    """A request without a body."""
    return b"%s %s HTTP/1.1\r\n%s%s\r\n" % (method, target, host, b"".join(f + b"\r\n" for f in fields))


def post(*fields: bytes, length: bytes | None = b"Content-Length: 3\r\n", body: bytes = BODY) -> bytes:
    """A request with a body of one line, answered with 200."""
    lines = b"".join(f + b"\r\n" for f in fields)
    return b"POST /predict HTTP/1.1\r\n" + HOST + LINES + (length or b"") + lines + b"\r\n" + body


def coded(body: bytes, *fields: bytes) -> bytes:
    """A request in chunks, as they are given."""
    return post(*fields, length=CHUNKED, body=body)


OK_CHUNKS = b"3\r\n{}\n\r\n0\r\n\r\n"

# -- the request line: RFC 9112, 3 --------------------------------------------------------------------------------

LINE = [
    ("a plain GET", get(), "200", MUST, "9112 3"),
    ("a plain POST", post(), "200", MUST, "9112 3"),
    ("a query", get(target=b"/livez?a=b&c"), "200", MUST, "9112 3.2.1"),
    ("an empty query", get(target=b"/livez?"), "200", MUST, "9112 3.2.1"),
    ("the absolute form", get(target=b"http://a/livez"), "200", MUST, "9112 3.2.2"),
    ("the absolute form with a port", get(target=b"http://a:8080/livez"), "200", MUST, "9112 3.2.2"),
    ("the absolute form in capitals", get(target=b"HTTP://A/livez"), "200", MUST, "9110 4.2.3"),
    ("the absolute form of another host", get(target=b"http://b.example/livez"), "200", MUST, "9112 3.2.2"),
    ("the absolute form without a path", get(target=b"http://a"), "404", MUST, "9112 3.2.2"),
    ("the absolute form with a query alone", get(target=b"http://a?b"), "404", MUST, "9112 3.2.2"),
    ("the absolute form with a user", get(target=b"http://u@a/livez"), "400!", SHOULD, "9110 4.2.4"),
    ("the absolute form without a host", get(target=b"http:///livez"), "400!", MUST, "9110 4.2.1"),
    ("the absolute form with a port alone", get(target=b"http://:80/livez"), "400!", MUST, "9110 4.2.1"),
    ("the absolute form of another scheme", get(target=b"ftp://a/livez"), "400!", SHOULD, "9110 7.4"),
    ("the absolute form of https", get(target=b"https://a/livez"), "400!", SHOULD, "9110 7.4"),
    ("the asterisk of OPTIONS", get(method=b"OPTIONS", target=b"*"), "204", MUST, "9112 3.2.4"),
    ("an asterisk of GET", get(target=b"*"), "400!", SHOULD, "9112 3.2.4"),
    ("the authority form", get(method=b"CONNECT", target=b"a:80"), "400!", SHOULD, "9112 3.2.3"),
    ("CONNECT of a path", get(method=b"CONNECT", target=b"/predict"), "405", SHOULD, "9110 9.1"),
    ("the authority form of GET", get(target=b"a:80"), "400!", SHOULD, "9112 3.2.3"),
    ("a target without a slash", get(target=b"livez"), "400!", SHOULD, "9112 3.2"),
    ("a fragment", get(target=b"/livez#a"), "400!", SHOULD, "9112 3.2"),
    ("a backslash", get(target=b"\\livez"), "400!", SHOULD, "9112 3.2"),
    ("a backslash within", get(target=b"/livez\\a"), "400!", SHOULD, "9112 3.2"),
    ("a space in the target", get(target=b"/li vez"), "400!", SHOULD, "9112 3.2"),
    ("a tab in the target", get(target=b"/li\tvez"), "400!", SHOULD, "9112 3.2"),
    ("a NUL in the target", get(target=b"/livez\0"), "400!", SHOULD, "9112 3.2"),
    ("a control character in the target", get(target=b"/li\x01vez"), "400!", SHOULD, "9112 3.2"),
    ("a delete in the target", get(target=b"/li\x7fvez"), "400!", SHOULD, "9112 3.2"),
    ("UTF-8 in the target", get(target=b"/liv\xc3\xa9z"), "400!", SHOULD, "9112 3.2"),
    ("quotes in the target", get(target=b'/livez?"a"'), "400!", SHOULD, "9112 3.2"),
    ("angle brackets in the target", get(target=b"/livez?<a>"), "400!", SHOULD, "9112 3.2"),
    ("braces in the target", get(target=b"/livez?{a}|^"), "200", MAY, "9112 3.2"),
    ("half an escape", get(target=b"/livez?%4"), "400!", SHOULD, "9110 4.2"),
    ("an escape that is none", get(target=b"/livez?%zz"), "400!", SHOULD, "9110 4.2"),
    ("an escaped NUL", get(target=b"/livez%00"), "400!", MAY, "9110 17.5"),
    ("an escaped newline", get(target=b"/livez?a=%0d%0a"), "400!", MAY, "9110 17.5"),
    ("an escaped letter of a path", get(target=b"/%6civez"), "400!", MAY, "9110 4.2.3"),
    ("a climb", get(target=b"/models/../livez"), "404", MAY, "9110 17.3"),
    ("an escaped climb", get(target=b"/models/%2e%2e/livez"), "400!", MAY, "9110 17.3"),
    ("two slashes", get(target=b"//livez"), "404", MAY, "9110 4.2.3"),
    ("a slash behind the path", get(target=b"/livez/"), "404", MAY, "9110 4.2.3"),
    ("a semicolon", get(target=b"/livez;a=b"), "404", MAY, "9110 4.2.3"),
    ("another path", get(target=b"/nothing"), "404", SHOULD, "9110 15.5.5"),
    ("a method in small letters", get(method=b"get"), "501", MUST, "9110 9.1"),
    ("a method that nobody knows", get(method=b"BREW"), "501", SHOULD, "9110 9.1"),
    ("a method of 40 letters", get(method=b"A" * 40), "501!", SHOULD, "9112 3"),
    ("a method of all characters", get(method=b"!#$%&'*+-.^_`|~0"), "501", SHOULD, "9110 9.1"),
    ("a method that a path does not take", get(method=b"PUT"), "405", MUST, "9110 15.5.6", "allow"),
    ("TRACE", get(method=b"TRACE"), "405", SHOULD, "9110 9.1", "allow"),
    ("DELETE", get(method=b"DELETE", target=b"/predict"), "405", SHOULD, "9110 9.1", "allow"),
    ("GET of what takes POST", get(target=b"/predict"), "405", MUST, "9110 15.5.6", "allow"),
    ("a method with a colon", get(method=b"GE:T"), "400!", SHOULD, "9112 3"),
    ("a method with a NUL", get(method=b"GE\0T"), "400!", SHOULD, "9112 3"),
    ("a method above ASCII", get(method=b"G\xc9T"), "400!", SHOULD, "9112 3"),
    ("no method", get(method=b""), "400!", SHOULD, "9112 3"),
    ("a space in front", b" " + get(), "400!", SHOULD, "9112 3"),
    ("a tab in front", b"\t" + get(), "400!", SHOULD, "9112 3"),
    ("a tab behind the method", b"GET\t/livez HTTP/1.1\r\n" + HOST + b"\r\n", "400!", MAY, "9112 3"),
    ("two spaces behind the method", b"GET  /livez HTTP/1.1\r\n" + HOST + b"\r\n", "400!", MAY, "9112 3"),
    ("two spaces behind the target", b"GET /livez  HTTP/1.1\r\n" + HOST + b"\r\n", "400!", MAY, "9112 3"),
    ("a space behind the version", b"GET /livez HTTP/1.1 \r\n" + HOST + b"\r\n", "400!", MAY, "9112 3"),
    ("no target", b"GET HTTP/1.1\r\n" + HOST + b"\r\n", "400!", SHOULD, "9112 3"),
    ("no version", b"GET /livez\r\n" + HOST + b"\r\n", "400!", SHOULD, "9112 3"),
    ("no version, and no more", b"GET /livez\r\n\r\n", "400!", SHOULD, "9112 3"),
    ("a method alone", b"GET\r\n\r\n", "400!", SHOULD, "9112 3"),
    ("a line of one word", b"x\r\n\r\n", "400!", SHOULD, "9112 3"),
    ("HTTP/1.0", b"GET /livez HTTP/1.0\r\n\r\n", "200!", MUST, "9112 9.3"),
    ("HTTP/1.0 kept", b"GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "200|200!", MAY, "9112 9.3"),
    ("HTTP/1.2", b"GET /livez HTTP/1.2\r\n" + HOST + b"\r\n", "200", SHOULD, "9110 2.5"),
    ("HTTP/1.9", b"GET /livez HTTP/1.9\r\n" + HOST + b"\r\n", "200", SHOULD, "9110 2.5"),
    ("HTTP/0.9", b"GET /livez HTTP/0.9\r\n" + HOST + b"\r\n", "505!", SHOULD, "9110 15.6.6"),
    ("HTTP/2.0", b"GET /livez HTTP/2.0\r\n" + HOST + b"\r\n", "505!", SHOULD, "9110 15.6.6"),
    ("HTTP/3.0", b"GET /livez HTTP/3.0\r\n" + HOST + b"\r\n", "505!", SHOULD, "9110 15.6.6"),
    ("HTTP/2", b"GET /livez HTTP/2\r\n" + HOST + b"\r\n", "400!", SHOULD, "9112 2.3"),
    ("HTTP/1", b"GET /livez HTTP/1\r\n" + HOST + b"\r\n", "400!", SHOULD, "9112 2.3"),
    ("HTTP/1.10", b"GET /livez HTTP/1.10\r\n" + HOST + b"\r\n", "400!", SHOULD, "9112 2.3"),
    ("HTTP/01.1", b"GET /livez HTTP/01.1\r\n" + HOST + b"\r\n", "400!", SHOULD, "9112 2.3"),
    ("HTTP/+1.1", b"GET /livez HTTP/+1.1\r\n" + HOST + b"\r\n", "400!", SHOULD, "9112 2.3"),
    ("http/1.1", b"GET /livez http/1.1\r\n" + HOST + b"\r\n", "400!", MUST, "9112 2.3"),
    ("HTTP 1.1", b"GET /livez HTTP 1.1\r\n" + HOST + b"\r\n", "400!", SHOULD, "9112 2.3"),
    ("HTTPS/1.1", b"GET /livez HTTPS/1.1\r\n" + HOST + b"\r\n", "400!", SHOULD, "9112 2.3"),
    ("ICY/1.1", b"GET /livez ICY/1.1\r\n" + HOST + b"\r\n", "400!", SHOULD, "9112 2.3"),
    ("an empty line in front", b"\r\n" + get(), "200|200!", SHOULD, "9112 2.2"),
    ("two empty lines in front", b"\r\n\r\n" + get(), "400!", MAY, "9112 2.2"),
    ("an empty line between two", get() + b"\r\n" + get(), "200 200|200 200!", SHOULD, "9112 2.2"),
    ("a bare line feed in front", b"\n" + get(), "400!", MAY, "9112 2.2"),
    ("a bare carriage return in front", b"\r" + get(), "400!", MUST, "9112 2.2"),
    ("a request line of 8000 bytes", get(target=b"/livez?" + b"a" * 7980), "200", SHOULD, "9112 3"),
    ("a target of 20000 bytes", get(target=b"/livez?" + b"a" * 20000), "414!", MUST, "9112 3"),
    ("a target without end", b"GET /" + b"a" * 70000, "414!", MUST, "9112 3"),
    ("a line that ends with a line feed", b"GET /livez HTTP/1.1\n" + HOST + b"\r\n", "400!", MAY, "9112 2.2"),
    ("a line that ends with a return", b"GET /livez HTTP/1.1\r" + HOST + b"\r\n", "400!", MUST, "9112 2.2"),
    ("a return within the line", b"GET /livez\r HTTP/1.1\r\n" + HOST + b"\r\n", "400!", MUST, "9112 2.2"),
]

# -- fields: RFC 9112, 5; RFC 9110, 5 -----------------------------------------------------------------------------

FIELDS = [
    ("no space behind the colon", get(b"X:y"), "200", MUST, "9112 5"),
    ("many blanks behind the colon", get(b"X: \t  y"), "200|200!", MUST, "9112 5.1"),
    ("blanks behind a value", get(b"X: y \t "), "200|200!", MUST, "9112 5.1"),
    ("blanks around a host", get(host=b"Host: \ta \t\r\n"), "200|200!", MUST, "9112 5.1"),
    ("an empty value", get(b"X:"), "200|200!", MUST, "9112 5"),
    ("a blank value", get(b"X:  "), "200|200!", MUST, "9112 5"),
    ("a name in small letters", get(host=b"host: a\r\n"), "200", MUST, "9110 5.1"),
    ("a name in capitals", get(host=b"HOST: a\r\n"), "200", MUST, "9110 5.1"),
    ("a name of all characters", get(b"!#$%&'*+-.^_`|~09azAZ: y"), "200", MUST, "9110 5.1"),
    ("an unknown name", get(b"X-Nobody-Knows: y"), "200", MUST, "9110 5.1"),
    ("a name twice", get(b"X: y", b"X: z"), "200", MUST, "9110 5.3"),
    ("a value above ASCII", get(b"X: \xc3\xa9\xff"), "200", SHOULD, "9110 5.5"),
    ("a tab within a value", get(b"X: y\tz"), "200", MUST, "9110 5.5"),
    ("a quoted value", get(b'X: "y, \\"z\\""'), "200", MUST, "9110 5.6.4"),
    ("a blank before a colon", get(b"X : y"), "400!", MUST, "9112 5.1"),
    ("a tab before a colon", get(b"X\t: y"), "400!", MUST, "9112 5.1"),
    ("a blank before the colon of a host", get(host=b"Host : a\r\n"), "400!", MUST, "9112 5.1"),
    ("a blank before the colon of a length", post(length=b"Content-Length : 3\r\n"), "400!", MUST, "9112 5.1"),
    ("a tab before the colon of a coding", post(length=b"Transfer-Encoding\t: chunked\r\n"), "400!", MUST, "9112 5.1"),
    ("a folded value", get(b"X: y\r\n z"), "400!", MUST, "9112 5.2"),
    ("a value folded by a tab", get(b"X: y\r\n\tz"), "400!", MUST, "9112 5.2"),
    ("a value that begins behind a fold", get(b"X:\r\n y"), "400!", MUST, "9112 5.2"),
    ("a fold of nothing", get(b"X: y\r\n "), "400!", MUST, "9112 5.2"),
    ("a folded host", get(host=b"Host:\r\n a\r\n"), "400!", MUST, "9112 5.2"),
    ("a folded length", post(length=b"Content-Length:\r\n 3\r\n"), "400!", MUST, "9112 5.2"),
    ("a length folded within", post(length=b"Content-Length: 1\r\n 3\r\n"), "400!", MUST, "9112 5.2"),
    ("a folded coding", post(length=b"Transfer-Encoding:\r\n chunked\r\n"), "400!", MUST, "9112 5.2"),
    ("a blank before the first field", get(host=b" Host: a\r\n"), "400!", MUST, "9112 2.2"),
    ("a blank line of blanks", get(b" "), "400!", MUST, "9112 2.2"),
    ("a name with a blank", get(b"a b: y"), "400!", SHOULD, "9112 5"),
    ("a name with a bracket", get(b"a(b: y"), "400!", SHOULD, "9112 5"),
    ("a name with a slash", get(b"a/b: y"), "400!", SHOULD, "9112 5"),
    ("a name above ASCII", get(b"a\xe9: y"), "400!", SHOULD, "9112 5"),
    ("a name with a NUL", get(b"a\0b: y"), "400!", SHOULD, "9112 5"),
    ("a name with a control character", get(b"a\x01b: y"), "400!", SHOULD, "9112 5"),
    ("an empty name", get(b": y"), "400!", SHOULD, "9112 5"),
    ("a line without a colon", get(b"nothing"), "400!", SHOULD, "9112 5"),
    ("a NUL in a value", get(b"X: y\0z"), "400!", MUST, "9110 5.5"),
    ("a NUL at the end of a value", get(b"X: y\0"), "400!", MUST, "9110 5.5"),
    ("a NUL in a length", post(length=b"Content-Length: 3\0\r\n"), "400!", MUST, "9110 5.5"),
    ("a NUL in a coding", post(length=b"Transfer-Encoding: chunked\0\r\n"), "400!", MUST, "9110 5.5"),
    ("a NUL in a host", get(host=b"Host: a\0b\r\n"), "400!", MUST, "9110 5.5"),
    ("a return in a value", get(b"X: y\rz"), "400!", MUST, "9110 5.5"),
    ("two returns", get(b"X: y\r"), "400!", MUST, "9110 5.5"),
    ("a return in a length", post(length=b"Content-Length: 3\r\r\n"), "400!", MUST, "9112 2.2"),
    ("a control character in a value", get(b"X: y\x01"), "400!", MAY, "9110 5.5"),
    ("an escape in a value", get(b"X: y\x1b[0m"), "400!", MAY, "9110 5.5"),
    ("a vertical tab in a value", get(b"X: y\x0bz"), "400!", MAY, "9110 5.5"),
    ("a delete in a value", get(b"X: y\x7f"), "400!", MAY, "9110 5.5"),
    ("a line feed ends a field", b"GET /livez HTTP/1.1\r\nHost: a\n\r\n", "400!", MAY, "9112 2.2"),
    ("a line feed hides a field", get(b"X: y\nContent-Length: 9"), "400!", MAY, "9112 2.2"),
    ("a line feed ends the head", b"GET /livez HTTP/1.1\r\nHost: a\r\n\n", "400!", MAY, "9112 2.2"),
    ("line feeds alone", b"GET /livez HTTP/1.1\nHost: a\n\n", "400!", MAY, "9112 2.2"),
    ("64 fields", get(*[b"X%d: y" % i for i in range(63)]), "200", MUST, "9110 5.4"),
    ("65 fields", get(*[b"X%d: y" % i for i in range(64)]), "431!", MAY, "9110 5.4"),
    ("1000 fields", get(*[b"X: y"] * 1000), "431!", MAY, "9110 5.4"),
    ("a field of 12 KB", get(b"X: " + b"y" * 12000), "200", MAY, "9110 5.4"),
    ("a field of 20 KB", get(b"X: " + b"y" * 20000), "431!", MUST, "9110 5.4"),
    ("a field without end", get()[:-2] + b"X: " + b"y" * 70000, "431!", MUST, "9110 5.4"),
    ("a name without end", get()[:-2] + b"y" * 70000, "431!", MUST, "9110 5.4"),
    ("names like those of framing", post(b"Content-Length-X: 1", b"Transfer-Encodings: 1"), "200|400!", MAY, "9110 5.1"),
]  # fmt: skip

HOSTS = [
    ("a name", get(host=b"Host: example.org\r\n"), "200", MUST, "9110 7.2"),
    ("a name and a port", get(host=b"Host: example.org:8080\r\n"), "200", MUST, "9110 7.2"),
    ("an empty port", get(host=b"Host: example.org:\r\n"), "200", MUST, "9110 4.2"),
    ("an address", get(host=b"Host: 127.0.0.1:80\r\n"), "200", MUST, "9110 7.2"),
    ("an address of IPv6", get(host=b"Host: [::1]:80\r\n"), "200", MUST, "9110 7.2"),
    ("a name with an escape", get(host=b"Host: a%20b\r\n"), "200", MUST, "9110 4.2"),
    ("none", get(host=b""), "400!", MUST, "9112 3.2"),
    ("none, of the absolute form", get(host=b"", target=b"http://a/livez"), "400!", MUST, "9112 3.2"),
    ("none, of HTTP/1.0", b"GET /livez HTTP/1.0\r\n\r\n", "200!", MUST, "9112 3.2"),
    ("two", get(host=HOST + HOST), "400!", MUST, "9112 3.2"),
    ("two that differ", get(host=HOST + b"Host: b\r\n"), "400!", MUST, "9112 3.2"),
    ("two in other letters", get(host=HOST + b"hOST: b\r\n"), "400!", MUST, "9112 3.2"),
    ("two, of HTTP/1.0", b"GET /livez HTTP/1.0\r\n" + HOST + HOST + b"\r\n", "400!", MUST, "9112 3.2"),
    ("an empty one", get(host=b"Host:\r\n"), "400!", MUST, "9110 4.2.1"),
    ("a blank one", get(host=b"Host: \t\r\n"), "400!", MUST, "9110 4.2.1"),
    ("a port alone", get(host=b"Host: :80\r\n"), "400!", MUST, "9110 4.2.1"),
    ("a list", get(host=b"Host: a, b\r\n"), "400!", MUST, "9112 3.2"),
    ("a list without blanks", get(host=b"Host: a,b\r\n"), "400!", MAY, "9112 3.2"),
    ("two words", get(host=b"Host: a b\r\n"), "400!", MUST, "9112 3.2"),
    ("a tab within", get(host=b"Host: a\tb\r\n"), "400!", MUST, "9112 3.2"),
    ("a path", get(host=b"Host: a/b\r\n"), "400!", MUST, "9112 3.2"),
    ("a query", get(host=b"Host: a?b\r\n"), "400!", MUST, "9112 3.2"),
    ("a fragment", get(host=b"Host: a#b\r\n"), "400!", MUST, "9112 3.2"),
    ("a user", get(host=b"Host: a@b\r\n"), "400!", MUST, "9112 3.2"),
    ("a scheme", get(host=b"Host: http://a\r\n"), "400!", MUST, "9112 3.2"),
    ("quotes", get(host=b'Host: "a"\r\n'), "400!", MUST, "9112 3.2"),
    ("a name above ASCII", get(host=b"Host: \xc3\xa9\r\n"), "400!", MUST, "9112 3.2"),
    ("a port that is a word", get(host=b"Host: a:b\r\n"), "400!", MUST, "9112 3.2"),
    ("a negative port", get(host=b"Host: a:-1\r\n"), "400!", MUST, "9112 3.2"),
    ("a port beyond 65535", get(host=b"Host: a:65536\r\n"), "400!", MAY, "9112 3.2"),
    ("two ports", get(host=b"Host: a:1:2\r\n"), "400!", MUST, "9112 3.2"),
    ("an open bracket", get(host=b"Host: [::1\r\n"), "400!", MUST, "9112 3.2"),
    ("something behind a bracket", get(host=b"Host: [::1]a\r\n"), "400!", MUST, "9112 3.2"),
    ("a broken escape", get(host=b"Host: a%2\r\n"), "400!", MUST, "9112 3.2"),
    ("an absolute form of another host", get(target=b"http://b/livez"), "200", MUST, "9112 3.2.2"),
]

# -- how bodies end: RFC 9112, 6 ----------------------------------------------------------------------------------

MORE = b"{}\n" * 8


def length(value: bytes) -> bytes:
    """A request whose length is told so, with more bytes than any reading of it takes."""
    return post(length=b"Content-Length:" + value + b"\r\n", body=MORE)


def coding(value: bytes) -> bytes:
    """A request in chunks that is told so."""
    return post(length=b"Transfer-Encoding:" + value + b"\r\n", body=OK_CHUNKS)


LENGTHS = [
    ("nothing", post(length=b"Content-Length: 0\r\n", body=b""), "200|400", MUST, "9110 8.6"),
    ("none told", post(length=b"", body=b""), "200|400", MUST, "9112 6.3"),
    ("no blank", post(length=b"Content-Length:3\r\n"), "200", MUST, "9112 5"),
    ("blanks in front", post(length=b"Content-Length: \t  3\r\n"), "200|200!", MUST, "9112 5.1"),
    ("a blank behind", post(length=b"Content-Length: 3 \r\n"), "200|200!", MUST, "9112 5.1"),
    ("a tab behind", post(length=b"Content-Length: 3\t\r\n"), "200|200!", MUST, "9112 5.1"),
    ("two that differ", length(b" 3\r\nContent-Length: 4"), "400!", MUST, "9112 6.3"),
    ("two that are equal", length(b" 3\r\nContent-Length: 3"), "400!", MAY, "9112 6.3"),
    ("a list of equals", length(b" 3, 3"), "400!", MAY, "9112 6.3"),
    ("a list", length(b" 3, 4"), "400!", MUST, "9112 6.3"),
    ("an empty value", length(b""), "400!", MUST, "9112 6.3"),
    ("a comma", length(b" ,3"), "400!", MUST, "9112 6.3"),
    ("a plus", length(b" +3"), "400!", MUST, "9112 6.3"),
    ("a minus", length(b" -3"), "400!", MUST, "9112 6.3"),
    ("a minus zero", length(b" -0"), "400!", MUST, "9112 6.3"),
    ("hexadecimal", length(b" 0x3"), "400!", MUST, "9112 6.3"),
    ("a fraction", length(b" 3.0"), "400!", MUST, "9112 6.3"),
    ("an exponent", length(b" 3e0"), "400!", MUST, "9112 6.3"),
    ("an underscore", length(b" 1_0"), "400!", MUST, "9112 6.3"),
    ("two words", length(b" 3 3"), "400!", MUST, "9112 6.3"),
    ("a word", length(b" three"), "400!", MUST, "9112 6.3"),
    ("quotes", length(b' "3"'), "400!", MUST, "9112 6.3"),
    ("a semicolon", length(b" 3;"), "400!", MUST, "9112 6.3"),
    ("a vertical tab", length(b" \x0b3"), "400!", MUST, "9112 6.3"),
    ("digits of another script", length(b" \xd9\xa3"), "400!", MUST, "9112 6.3"),
    ("a leading zero", length(b" 03"), "400!", MAY, "9110 8.6"),
    ("2^32 + 3", length(b" 4294967299"), "413!", MUST, "9110 8.6"),
    ("16 digits", length(b" 1000000000000000"), "400!|413!", MUST, "9110 8.6"),
    ("2^63", length(b" 9223372036854775808"), "400!|413!", MUST, "9110 8.6"),
    ("2^64 - 1", length(b" 18446744073709551615"), "400!|413!", MUST, "9110 8.6"),
    ("2^64 + 3", length(b" 18446744073709551619"), "400!|413!", MUST, "9110 8.6"),
    ("40 digits", length(b" " + b"9" * 40), "400!|413!", MUST, "9110 8.6"),
    ("a length of GET", get(b"Content-Length: 3") + BODY, "400!", MAY, "9110 9.3.1"),
    ("a length of HEAD", get(b"Content-Length: 3", method=b"HEAD") + BODY, "400!", MAY, "9110 9.3.2", "", True),
    ("a length of 0 of GET", get(b"Content-Length: 0"), "200", MUST, "9110 8.6"),
    ("a length of OPTIONS", get(b"Content-Length: 3", method=b"OPTIONS") + BODY, "204|204!", MAY, "9110 9.3.7"),
    ("a length of 404", get(b"Content-Length: 3", method=b"POST", target=b"/no") + BODY, "404", MAY, "9112 9.3"),
    ("a body that is too short", (post(body=b"{}"), END), "!|400!", MUST, "9112 8"),
    ("a body that never comes", (post(body=b""), END), "!|400!", MUST, "9112 8"),
    ("a body that is too long", post(body=BODY + b"}"), "200 400!", MUST, "9112 6.3"),
    ("a length beyond what is taken", post(length=b"Content-Length: 99999999999\r\n", body=b""), "413!", MUST, "9110 15.5.14"),
]  # fmt: skip

CODINGS = [
    ("chunked", coding(b" chunked"), "200!|200", MUST, "9112 6.1"),
    ("in other letters", coding(b" ChunKED"), "200!|200", MUST, "9112 7"),
    ("blanks in front", coding(b" \t chunked"), "200!|200", MUST, "9112 5.1"),
    ("a blank behind", coding(b" chunked "), "200!|200", MUST, "9112 5.1"),
    ("a tab behind", coding(b" chunked\t"), "200!|200", MUST, "9112 5.1"),
    ("a comma behind", coding(b" chunked,"), "200!|200", MUST, "9110 5.6.1.2"),
    ("a comma in front", coding(b" , chunked"), "200!|200", MUST, "9110 5.6.1.2"),
    ("a length too", coding(b" chunked\r\nContent-Length: 3"), "400!", MAY, "9112 6.1"),
    ("a length before it", post(length=b"Content-Length: 3\r\n" + CHUNKED, body=OK_CHUNKS), "400!", MAY, "9112 6.1"),
    ("a length of 0 too", post(length=b"Content-Length: 0\r\n" + CHUNKED, body=OK_CHUNKS), "400!", MAY, "9112 6.1"),
    ("gzip, chunked", coding(b" gzip, chunked"), "501!", SHOULD, "9112 6.1"),
    ("gzip, chunked in two lines", coding(b" gzip\r\nTransfer-Encoding: chunked"), "400!|501!", SHOULD, "9112 6.1"),
    ("an unknown coding, chunked", coding(b" tea, chunked"), "501!", SHOULD, "9112 6.1"),
    ("chunked, gzip", coding(b" chunked, gzip"), "400!", MUST, "9112 6.3"),
    ("gzip alone", coding(b" gzip"), "400!", MUST, "9112 6.3"),
    ("identity", coding(b" identity"), "400!", MUST, "9112 6.3"),
    ("identity, chunked", coding(b" identity, chunked"), "400!|501!", SHOULD, "9112 6.1"),
    ("chunked, identity", coding(b" chunked, identity"), "400!", MUST, "9112 6.3"),
    ("chunked twice", coding(b" chunked, chunked"), "400!", SHOULD, "9112 6.1"),
    ("chunked in two lines", coding(b" chunked\r\nTransfer-Encoding: chunked"), "400!", SHOULD, "9112 6.1"),
    ("xchunked", coding(b" xchunked"), "400!", MUST, "9112 6.3"),
    ("chunkedx", coding(b" chunkedx"), "400!", MUST, "9112 6.3"),
    ("chunked with a parameter", coding(b" chunked;a=b"), "400!", SHOULD, "9112 7"),
    ("chunked in quotes", coding(b' "chunked"'), "400!", MUST, "9112 6.3"),
    ("chunked behind a vertical tab", coding(b" \x0bchunked"), "400!", MUST, "9112 6.3"),
    ("chunked behind a form feed", coding(b" \x0cchunked"), "400!", MUST, "9112 6.3"),
    ("chunked before a delete", coding(b" chunked\x7f"), "400!", MUST, "9112 6.3"),
    ("chunked with a long s", coding(b" chun\xc5\xbfed"), "400!", MUST, "9112 6.3"),
    ("nothing", coding(b""), "400!", MUST, "9112 6.3"),
    ("chunked of GET", get(CHUNKED[:-2]) + OK_CHUNKS, "400!", MAY, "9110 9.3.1"),
    ("chunked of HEAD", get(CHUNKED[:-2], method=b"HEAD") + OK_CHUNKS, "400!", MAY, "9110 9.3.2", "", True),
    ("chunked of HTTP/1.0", coding(b" chunked").replace(b"HTTP/1.1", b"HTTP/1.0"), "400!|200!", MUST, "9112 6.1"),
    ("a name with an underscore", post(b"Transfer_Encoding: chunked"), "200", MUST, "9110 5.1"),
    ("TE is not Transfer-Encoding", post(b"TE: chunked, trailers"), "200", MUST, "9110 10.1.4"),
]  # fmt: skip

CHUNKS = [
    ("one", coded(OK_CHUNKS), "200!|200", MUST, "9112 7.1"),
    ("three", coded(b"1\r\n{\r\n1\r\n}\r\n1\r\n\n\r\n0\r\n\r\n"), "200!|200", MUST, "9112 7.1"),
    ("none", coded(b"0\r\n\r\n"), "200!|200|400!|400", MUST, "9112 7.1"),
    ("a size in capitals", coded(b"A\r\n{} {} {} \n\r\n0\r\n\r\n"), "200!|200", MUST, "9112 7.1"),
    ("a size in small letters", coded(b"a\r\n{} {} {} \n\r\n0\r\n\r\n"), "200!|200", MUST, "9112 7.1"),
    ("zeros before a size", coded(b"0003\r\n{}\n\r\n0000\r\n\r\n"), "200!|200", MUST, "9112 7.1"),
    ("an extension", coded(b"3;a=b\r\n{}\n\r\n0;c\r\n\r\n"), "200!|200", MUST, "9112 7.1.1"),
    ("an extension in quotes", coded(b'3;a="b c"\r\n{}\n\r\n0\r\n\r\n'), "200!|200", MUST, "9112 7.1.1"),
    ("blanks before an extension", coded(b"3 ; a = b\r\n{}\n\r\n0\r\n\r\n"), "200!|200|400!", MAY, "9112 7.1.1"),
    ("an extension of 200 bytes", coded(b"3;" + b"a" * 200 + b"\r\n{}\n\r\n0\r\n\r\n"), "200!|200", MUST, "9112 7.1.1"),
    ("an extension of 60 KB", coded(b"3;" + b"a" * 60000 + b"\r\n{}\n\r\n0\r\n\r\n"), "400!|413!", MUST, "9112 7.1.1"),
    ("a trailer", coded(b"3\r\n{}\n\r\n0\r\nX: y\r\n\r\n"), "200!|200", MUST, "9112 7.1.2"),
    ("a trailer that tells a length", coded(b"3\r\n{}\n\r\n0\r\nContent-Length: 9\r\n\r\n"), "200!|200|400!", MUST, "9110 6.5.1"),
    ("a trailer that tells a coding", coded(b"3\r\n{}\n\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n"), "200!|200|400!", MUST, "9110 6.5.1"),
    ("a trailer that tells a host", coded(b"3\r\n{}\n\r\n0\r\nHost: b\r\n\r\n"), "200!|200|400!", MUST, "9110 6.5.1"),
    ("trailers that are announced", coded(b"3\r\n{}\n\r\n0\r\nX: y\r\n\r\n", b"Trailer: X"), "200!|200", MUST, "9110 6.6.2"),
    ("trailers of 60 KB", coded(b"3\r\n{}\n\r\n0\r\n" + b"X: yyyyyyyy\r\n" * 5000 + b"\r\n"), "400!|413!|431!", MUST, "9110 5.4"),
    ("a size that is none", coded(b"x\r\n{}\n\r\n0\r\n\r\n"), "400!|!", MUST, "9112 7.1"),
    ("an empty size", coded(b"\r\n{}\n\r\n0\r\n\r\n"), "400!|!", MUST, "9112 7.1"),
    ("a size with a plus", coded(b"+3\r\n{}\n\r\n0\r\n\r\n"), "400!|!", MUST, "9112 7.1"),
    ("a size with a minus", coded(b"-3\r\n{}\n\r\n0\r\n\r\n"), "400!|!", MUST, "9112 7.1"),
    ("a size with 0x", coded(b"0x3\r\n{}\n\r\n0\r\n\r\n"), "400!|!", MUST, "9112 7.1"),
    ("a size with an underscore", coded(b"0_3\r\n{}\n\r\n0\r\n\r\n"), "400!|!", MUST, "9112 7.1"),
    ("a size behind a blank", coded(b" 3\r\n{}\n\r\n0\r\n\r\n"), "400!|!", SHOULD, "9112 7.1"),
    ("a size before a blank", coded(b"3 \r\n{}\n\r\n0\r\n\r\n"), "400!|!|200!", MAY, "9112 7.1.1"),
    ("a size before a comma", coded(b"3,\r\n{}\n\r\n0\r\n\r\n"), "400!|!", SHOULD, "9112 7.1"),
    ("a size of 2^64", coded(b"10000000000000000\r\n{}\n\r\n0\r\n\r\n"), "400!|413!|!", MUST, "9112 7.1"),
    ("a size of 2^64 + 3", coded(b"10000000000000003\r\n{}\n\r\n0\r\n\r\n"), "400!|413!|!", MUST, "9112 7.1"),
    ("a size of 2^64 - 1", coded(b"ffffffffffffffff\r\n{}\n\r\n0\r\n\r\n"), "400!|413!|!", MUST, "9112 7.1"),
    ("a size of 20 digits", coded(b"00000000000000000003\r\n{}\n\r\n0\r\n\r\n"), "200!|200|400!|413!", MAY, "9112 7.1"),
    ("a size of 2^31", (coded(b"80000000\r\n{}\n\r\n0\r\n\r\n"), END), "400!|413!|!", MUST, "9112 7.1"),
    ("no line end behind data", coded(b"3\r\n{}\n0\r\n\r\n"), "400!|!", MUST, "9112 7.1"),
    ("more data than told", coded(b"2\r\n{}\n\r\n0\r\n\r\n"), "400!|!", MUST, "9112 7.1"),
    ("two bytes more than told", coded(b"1\r\n{}\n\r\n0\r\n\r\n"), "400!|!", MUST, "9112 7.1"),
    ("a line feed behind a size", coded(b"3\n{}\n\r\n0\r\n\r\n"), "400!|!|200!", SHOULD, "9112 7.1"),
    ("a line feed behind data", coded(b"3\r\n{}\n\n0\r\n\r\n"), "400!|!|200!", SHOULD, "9112 7.1"),
    ("a line feed behind an extension", coded(b"3;a\n{}\n\r\n0\r\n\r\n"), "400!|!|200!", SHOULD, "9112 7.1.1"),
    ("a line feed within an extension", coded(b"3;a\nb\r\n{}\n\r\n0\r\n\r\n"), "400!|!|200!", SHOULD, "9112 7.1.1"),
    ("a line feed behind the last", coded(b"3\r\n{}\n\r\n0\n\n"), "400!|!|200!", SHOULD, "9112 7.1"),
    ("a return behind a size", coded(b"3\r{}\n\r\n0\r\n\r\n"), "400!|!", MUST, "9112 2.2"),
    ("a return within an extension", coded(b"3;a\rb\r\n{}\n\r\n0\r\n\r\n"), "400!|!|200!", SHOULD, "9112 2.2"),
    ("a NUL in an extension", coded(b"3;a\0b\r\n{}\n\r\n0\r\n\r\n"), "400!|!|200!", SHOULD, "9112 7.1.1"),
    ("a NUL in a size", coded(b"3\0\r\n{}\n\r\n0\r\n\r\n"), "400!|!", MUST, "9112 7.1"),
    ("a NUL in a trailer", coded(b"3\r\n{}\n\r\n0\r\nX: \0\r\n\r\n"), "200!|400!", SHOULD, "9110 5.5"),
    ("a folded trailer", coded(b"3\r\n{}\n\r\n0\r\nX: y\r\n z\r\n\r\n"), "200!|400!", SHOULD, "9112 5.2"),
    ("a blank before the colon of a trailer", coded(b"3\r\n{}\n\r\n0\r\nX : y\r\n\r\n"), "200!|400!", SHOULD, "9112 5.1"),
    ("no last chunk", (coded(b"3\r\n{}\n\r\n"), END), "!|400!", MUST, "9112 8"),
    ("an end within data", (coded(b"3\r\n{"), END), "!|400!", MUST, "9112 8"),
    ("an end within a size", (coded(b"3"), END), "!|400!", MUST, "9112 8"),
    ("an end before the last line", (coded(b"3\r\n{}\n\r\n0\r\n"), END), "!|400!", MUST, "9112 8"),
    ("a million bytes and more", coded(b"100001\r\n" + b" " * 0x100001 + b"\r\n0\r\n\r\n").replace(LINES, b""), "413!", MUST, "9110 15.5.14"),
]  # fmt: skip

# -- connections: RFC 9112, 9; RFC 9110, 10.1.1 -------------------------------------------------------------------

OLD = b"HTTP/1.0"
CONNECTIONS = [
    ("kept by default", get() + get(), "200 200", MUST, "9112 9.3"),
    ("close", get(b"Connection: close") + get(), "200!", MUST, "9112 9.6"),
    ("Close", get(b"Connection: Close") + get(), "200!", MUST, "9110 7.6.1"),
    ("close in a list", get(b"Connection: a, close") + get(), "200!", MUST, "9110 7.6.1"),
    ("close among others", get(b"Connection: keep-alive,CLOSE ,a") + get(), "200!", MUST, "9110 7.6.1"),
    ("close in a second line", get(b"Connection: a", b"Connection: close") + get(), "200!", MUST, "9110 7.6.1"),
    ("keep-alive", get(b"Connection: keep-alive") + get(), "200 200", MUST, "9112 9.3"),
    ("an unknown option", get(b"Connection: closed, x-close") + get(), "200 200", MUST, "9110 7.6.1"),
    ("an empty list", get(b"Connection: ,,") + get(), "200 200", MUST, "9110 5.6.1"),
    ("close of POST", post(b"Connection: close") + get(), "200!", MUST, "9112 9.6"),
    ("close of 404", get(b"Connection: close", target=b"/no") + get(), "404!", MUST, "9112 9.6"),
    ("Proxy-Connection", get(b"Proxy-Connection: close"), "200", MAY, "9110 7.6.1"),
    ("HTTP/1.0 and then more", get().replace(b"HTTP/1.1", OLD) + get(), "200!", MUST, "9112 9.3"),
    ("HTTP/1.0 and close", get(b"Connection: close").replace(b"HTTP/1.1", OLD) + get(), "200!", MUST, "9112 9.3"),
    ("a body of HTTP/1.0", post().replace(b"HTTP/1.1", OLD), "200!", MUST, "9112 9.3"),
    ("HTTP/1.0 after 1.1", get() + get().replace(b"HTTP/1.1", OLD), "200 200!", MUST, "9112 9.3"),
    ("the upgrade to h2c", get(b"Upgrade: h2c", b"Connection: Upgrade, HTTP2-Settings", b"HTTP2-Settings: AAMAAABk"), "200", MUST, "9110 7.8"),
    ("the upgrade to websocket", get(b"Upgrade: websocket", b"Connection: Upgrade"), "200", MUST, "9110 7.8"),
    ("an upgrade with a body", post(b"Upgrade: h2c", b"Connection: Upgrade"), "200", MUST, "9110 7.8"),
    ("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", "505!", SHOULD, "9110 15.6.6"),
    ("a handshake of TLS", b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + b"\x00" * 64, "400!", SHOULD, "9112 3"),
    ("nothing", (END,), "!", MUST, "9112 9.5"),
    ("an empty line and an end", (b"\r\n", END), "!|400!", MAY, "9112 2.2"),
    ("an end within the request line", (b"GET /liv", END), "!|400!", MUST, "9112 8"),
    ("an end within the head", (b"GET /livez HTTP/1.1\r\nHo", END), "!|400!", MUST, "9112 8"),
    ("an end behind the head", (get(), END), "200!", SHOULD, "9112 9.6"),
    ("an end behind the body", (post(), END), "200!", SHOULD, "9112 9.6"),
    ("an end behind two", (get() + post(), END), "200 200!", SHOULD, "9112 9.6"),
    ("kept after 404", get(target=b"/no") + get(), "404 200", MAY, "9112 9.3"),
    ("kept after 405", get(method=b"PUT") + get(), "405 200", MAY, "9112 9.3"),
    ("kept after 415", post(b"Content-Encoding: br") + get(), "415 200", MAY, "9112 9.3"),
    ("kept after a 400 of a body", post(body=b"{}{").replace(LINES, b"") + get(), "400 200", MAY, "9112 9.3"),
]  # fmt: skip

PIPELINES = [
    ("ten of GET", get() * 10, "200 " * 9 + "200", MUST, "9112 9.3.2"),
    ("ten of POST", post() * 10, "200 " * 9 + "200", MUST, "9112 9.3.2"),
    ("GET and POST in turn", (get() + post()) * 5, "200 " * 9 + "200", MUST, "9112 9.3.2"),
    ("errors among them", (get(target=b"/no") + get()) * 5, "404 200 " * 4 + "404 200", MUST, "9112 9.3.2"),
    ("100 of POST", post() * 100, "200 " * 99 + "200", MUST, "9112 9.3.2"),
    ("HEAD and GET", get(method=b"HEAD") + get(), "200 200", MUST, "9110 9.3.2", "", True),
    ("something wrong behind two", get() + post() + b"GET /livez HTTP/1.1\r\n\r\n" + get(), "200 200 400!", MUST, "9112 9.3.2"),
    ("something wrong behind a body", post() + b"}" + get(), "200 400!", MUST, "9112 6.3"),
    ("a request within a body", post(length=b"Content-Length: %d\r\n" % len(get()), body=get()) + get(), "200 200", MUST, "9112 6.3"),
    ("a request within chunks", coded(b"%x\r\n%s\r\n0\r\n\r\n" % (len(get()), get())), "200!|200", MUST, "9112 6.3"),
    ("a request behind chunks", coded(OK_CHUNKS) + get(), "200!|200 200", MUST, "9112 7.1"),
    ("a head in two pieces behind one", (get() + get()[:30], PAUSE, get()[30:]), "200 200", MUST, "9112 9.3.2"),
    ("a body in two pieces behind one", (get() + post()[:-2], PAUSE, post()[-2:]), "200 200", MUST, "9112 9.3.2"),
    ("two, and an end within the third", (get() + get() + get()[:9], END), "200 200!|200 200 400!", MUST, "9112 8"),
    ("a wrong head in two pieces", (get() + b"GET / HTTP/1.1\r\nHost : a", PAUSE, b"\r\n\r\n"), "200 400!", MUST, "9112 5.1"),
    ("a NUL behind one", get() + get(b"X: \0"), "200 400!", MUST, "9110 5.5"),
    ("a fold behind one", (get(), WAIT, get(b"X: y\r\n z")), "200 400!", MUST, "9112 5.2"),
    ("a fold in a later piece", (get(), WAIT, get(b"X: y")[:-2], PAUSE, b" z\r\n\r\n"), "200 400!|200 200", MUST, "9112 5.2"),
    ("a NUL in a later piece", (get(), WAIT, get()[:-2] + b"X: ", PAUSE, b"\0\r\n\r\n"), "200 400!", MUST, "9110 5.5"),
    ("a blank before a colon in a later piece", (get(), WAIT, get()[:-2] + b"X", PAUSE, b" : y\r\n\r\n"), "200 400!", MUST, "9112 5.1"),
    ("an empty host behind one", (get(), WAIT, get(host=b"Host:\r\n")), "200 400!", MUST, "9110 4.2.1"),
    ("an empty host in a later piece", (get(), WAIT, b"GET /livez HTTP/1.1\r\nHo", PAUSE, b"st:\r\n\r\n"), "200 400!", MUST, "9110 4.2.1"),
]  # fmt: skip

BIG = b"Content-Length: 5000000\r\n"
EXPECTS = [
    ("and a body that waits", (post(EXPECT[:-2], body=b""), WAIT, BODY), "100 200", MUST, "9110 10.1.1"),
    ("and chunks that wait", (coded(b"", EXPECT[:-2]), WAIT, OK_CHUNKS), "100 200!|100 200", MUST, "9110 10.1.1"),
    ("and a body that does not wait", post(EXPECT[:-2]), "200|100 200", MAY, "9110 10.1.1"),
    ("in other letters", (post(b"expect: 100-Continue", body=b""), WAIT, BODY), "100 200", MUST, "9110 10.1.1"),
    ("of GET", get(EXPECT[:-2]), "200|200!", MAY, "9110 10.1.1"),
    ("of nothing", post(EXPECT[:-2], length=b"Content-Length: 0\r\n", body=b""), "200|200!|400|400!", MAY, "9110 10.1.1"),
    ("of HTTP/1.0", (post(EXPECT[:-2], body=b"").replace(b"HTTP/1.1", OLD), PAUSE, BODY), "200!", MUST, "9110 10.1.1"),
    ("of something else", post(b"Expect: wonders"), "200|417|417!", MAY, "9110 10.1.1"),
    ("of a body that is too large", post(EXPECT[:-2], length=BIG, body=b"").replace(LINES, b""), "413!", MUST, "9110 10.1.1"),
    ("of another path", post(EXPECT[:-2], body=b"").replace(b"/predict", b"/no"), "404!", MUST, "9110 10.1.1"),
    ("of another type", post(EXPECT[:-2], body=b"").replace(LINES, b"Content-Type: a/b\r\n"), "415!", MUST, "9110 10.1.1"),
    ("of a wrong head", post(EXPECT[:-2], b"X : y", body=b""), "400!", MUST, "9110 10.1.1"),
    ("behind one that does not", (get() + post(EXPECT[:-2], body=b""), WAIT, WAIT, BODY), "200 100 200", MUST, "9110 10.1.1"),
]  # fmt: skip

REPLIES = [
    ("HEAD is GET without a body", get(method=b"HEAD"), "200", MUST, "9110 9.3.2", "like GET", True),
    ("HEAD of an error", get(method=b"HEAD", target=b"/no"), "404", MUST, "9110 9.3.2", "", True),
    ("HEAD of what takes POST", get(method=b"HEAD", target=b"/predict"), "405", MUST, "9110 9.3.2", "allow", True),
    ("HEAD of what is large", get(method=b"HEAD", target=b"/openapi.json"), "200", MUST, "9110 9.3.2", "like GET", True),
    ("OPTIONS of a path", get(method=b"OPTIONS"), "204", SHOULD, "9110 9.3.7", "allow"),
    ("OPTIONS of everything", get(method=b"OPTIONS", target=b"*"), "204", SHOULD, "9110 9.3.7", "allow"),
    ("OPTIONS of nothing", get(method=b"OPTIONS", target=b"/no"), "404", MAY, "9110 9.3.7"),
    ("a type that is not taken", post().replace(LINES, b"Content-Type: text/html\r\n"), "415", SHOULD, "9110 15.5.16", "accept-post"),
    ("an encoding that is not taken", post(b"Content-Encoding: br"), "415", MUST, "9110 8.4"),
    ("a range", get(b"Range: bytes=0-3"), "200", MAY, "9110 14.2"),
    ("a condition", get(b'If-None-Match: "a"'), "200", MUST, "9110 13.1.2"),
    ("a condition on any", get(b'If-Match: "a"'), "200", MAY, "9110 13.1.1"),
    ("Max-Forwards", get(b"Max-Forwards: 0"), "200", MUST, "9110 7.6.2"),
    ("what is not acceptable", get(b"Accept: image/png"), "406", SHOULD, "9110 15.5.7"),
    ("a request id that is none", get(b"X-Request-Id: a b<c>"), "200", MAY, "9110 5.5", "own id"),
    ("a problem says what it is", get(b"X : y"), "400!", MAY, "9457 3", "problem"),
    ("a long target says what it is", get(target=b"/" + b"a" * 20000), "414!", MAY, "9457 3", "problem"),
    ("a large head says what it is", get(b"X: " + b"y" * 20000), "431!", MAY, "9457 3", "problem"),
    ("a version says what it is", get().replace(b"1.1", b"2.0"), "505!", MAY, "9457 3", "problem"),
    ("a coding says what it is", coding(b" gzip, chunked"), "501!", MAY, "9457 3", "problem"),
]  # fmt: skip

CUT = {
    "a GET": (get(),),
    "a POST": (post(),),
    "chunks": (coded(b"2;a=b\r\n{}\r\n1\r\n\n\r\n0\r\nX: y\r\n\r\n"),),
    "two that follow each other": (post() + get(),),
    "a wrong head": (get(b"X: y\0z"), get(b"X: y\r\n z"), get(b"X : y"), get(host=b"Host:\r\n")),
    "a wrong length": (length(b" +3"), length(b" 3\r\nContent-Length: 4")),
    "the absolute form": (get(target=b"http://a:80/livez?b", host=b"\tHost:a\r\n"[1:]),),
}
CUT_WANT = {
    "chunks": "200!|200",
    "two that follow each other": "200 200",
    "a wrong head": "400!",
    "a wrong length": "400!",
}

GROUPS = {
    "request line": LINE,
    "fields": FIELDS,
    "host": HOSTS,
    "content-length": LENGTHS,
    "transfer-encoding": CODINGS,
    "chunks": CHUNKS,
    "connections": CONNECTIONS,
    "pipelining": PIPELINES,
    "expect": EXPECTS,
    "replies": REPLIES,
}

# The rules that are broken knowingly, the cases that show it, and what comes of them instead: spellings that servers are
# known to read differently, and that no client has a use for.
EXCEPTIONS = {
    "an empty element in the list of Transfer-Encoding is refused": (
        {"transfer-encoding: a comma behind", "transfer-encoding: a comma in front"},
        "400!",
    ),
    "a blank behind the value of Content-Length or Transfer-Encoding is refused": (
        {f"{group}: a {blank} behind" for group in ("content-length", "transfer-encoding") for blank in ("blank", "tab")},
        "400!",
    ),
}


def cases() -> Iterator[Case]:
    """All rows."""
    for group, rows in GROUPS.items():
        for row in rows:
            yield Case(group, *row)
    for name, requests in CUT.items():
        want = CUT_WANT.get(name, "200")
        yield Case("cut at every byte", name, b"", want, MUST, "9112 2.2", pieces=requests)


def streams() -> Iterator[bytes]:
    """What the cases send, whole; what is answered comes four times as often as what is refused."""
    for case in cases():
        parts = case.pieces or (case.send if isinstance(case.send, tuple) else (case.send,))
        data = b"".join(p for p in parts if isinstance(p, bytes))
        if 0 < len(data) < 4096:
            yield from [data] * (4 if case.want[0] == "2" else 1)


def main() -> int:
    """Writes the seeds of tests/fuzz/live_fuzz.c."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for i, data in enumerate(sorted(set(streams()))):
        (folder / f"{i:03}").write_bytes(bytes([i % 4]) + data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
