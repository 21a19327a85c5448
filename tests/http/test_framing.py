"""Raw requests: what a server must refuse so that two parties never disagree where a request ends."""

from __future__ import annotations

import json
import socket
import time

import pytest

from daemon import Daemon
from wire import Connection, ask, chunked, request

BODY = b"{}"
HOST = b"Host: test\r\n"
POST = b"POST /predict HTTP/1.1\r\n"
JSON = b"Content-Type: application/json\r\n"
LENGTH = b"Content-Length: 2\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
SMUGGLED = b"GET /livez HTTP/1.1\r\nHost: test\r\n\r\n"

REFUSED = {
    "length and chunked": POST + HOST + JSON + LENGTH + CHUNKED + b"\r\n0\r\n\r\n",
    "chunked and length": POST + HOST + JSON + CHUNKED + LENGTH + b"\r\n0\r\n\r\n",
    "two lengths that differ": POST + HOST + JSON + LENGTH + b"Content-Length: 3\r\n\r\n{}x",
    "two lengths that are equal": POST + HOST + JSON + LENGTH + LENGTH + b"\r\n{}",
    "a list of lengths": POST + HOST + JSON + b"Content-Length: 2, 2\r\n\r\n{}",
    "a signed length": POST + HOST + JSON + b"Content-Length: +2\r\n\r\n{}",
    "a negative length": POST + HOST + JSON + b"Content-Length: -2\r\n\r\n{}",
    "a hexadecimal length": POST + HOST + JSON + b"Content-Length: 0x2\r\n\r\n{}",
    "a length with a leading zero": POST + HOST + JSON + b"Content-Length: 02\r\n\r\n{}",
    "an empty length": POST + HOST + JSON + b"Content-Length:\r\n\r\n{}",
    "a length with a fraction": POST + HOST + JSON + b"Content-Length: 2.0\r\n\r\n{}",
    "a length in two words": POST + HOST + JSON + b"Content-Length: 2 2\r\n\r\n{}",
    "the largest length": POST + HOST + JSON + b"Content-Length: 18446744073709551615\r\n\r\n{}",
    "a length beyond 64 bits": POST + HOST + JSON + b"Content-Length: 99999999999999999999\r\n\r\n{}",
    "a length of 16 digits": POST + HOST + JSON + b"Content-Length: 1000000000000000\r\n\r\n{}",
    "two transfer encodings": POST + HOST + JSON + CHUNKED + CHUNKED + b"\r\n0\r\n\r\n",
    "gzip, chunked": POST + HOST + JSON + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked, identity": POST + HOST + JSON + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "identity": POST + HOST + JSON + b"Transfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "chunked and a comma": POST + HOST + JSON + b"Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n",
    "xchunked": POST + HOST + JSON + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked in quotes": POST + HOST + JSON + b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n',
    "an empty transfer encoding": POST + HOST + JSON + b"Transfer-Encoding:\r\n\r\n0\r\n\r\n",
    "chunked in HTTP/1.0": b"POST /predict HTTP/1.0\r\n" + HOST + JSON + CHUNKED + b"\r\n0\r\n\r\n",
    "chunked on GET": b"GET /livez HTTP/1.1\r\n" + HOST + CHUNKED + b"\r\n0\r\n\r\n",
    "chunked on HEAD": b"HEAD /livez HTTP/1.1\r\n" + HOST + CHUNKED + b"\r\n0\r\n\r\n",
    "a body on GET": b"GET /livez HTTP/1.1\r\n" + HOST + LENGTH + b"\r\n{}",
    "a folded length": POST + HOST + JSON + b"Content-Length:\r\n 2\r\n\r\n{}",
    "a length folded after a digit": POST + HOST + JSON + b"Content-Length: 1\r\n 2\r\n\r\n{}",
    "a folded transfer encoding": POST + HOST + JSON + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "a space before a colon": POST + HOST + JSON + b"Content-Length : 2\r\n\r\n{}",
    "a tab before a colon": POST + HOST + JSON + b"Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n",
    "a name with a space": POST + HOST + JSON + LENGTH + b"a b: c\r\n\r\n{}",
    "a name with a parenthesis": POST + HOST + JSON + LENGTH + b"a(b: c\r\n\r\n{}",
    "a name with a byte above ASCII": POST + HOST + JSON + LENGTH + b"a\xe9: c\r\n\r\n{}",
    "an empty name": POST + HOST + JSON + LENGTH + b": c\r\n\r\n{}",
    "a value with a control character": POST + HOST + JSON + LENGTH + b"a: b\x01c\r\n\r\n{}",
    "a value with an escape": POST + HOST + JSON + LENGTH + b"a: b\x1bc\r\n\r\n{}",
    "a value with a delete": POST + HOST + JSON + LENGTH + b"a: b\x7fc\r\n\r\n{}",
    "no host": b"GET /livez HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /livez HTTP/1.1\r\n" + HOST + HOST + b"\r\n",
    "a host with a path": b"GET /livez HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "a host with a user": b"GET /livez HTTP/1.1\r\nHost: a@b\r\n\r\n",
    "a list of hosts": b"GET /livez HTTP/1.1\r\nHost: a, b\r\n\r\n",
    "a host with a query": b"GET /livez HTTP/1.1\r\nHost: a?b\r\n\r\n",
    "HTTP/2.0": b"GET /livez HTTP/2.0\r\n" + HOST + b"\r\n",
    "HTTP/0.9": b"GET /livez HTTP/0.9\r\n" + HOST + b"\r\n",
    "http in small letters": b"GET /livez http/1.1\r\n" + HOST + b"\r\n",
    "a version of two digits": b"GET /livez HTTP/1.10\r\n" + HOST + b"\r\n",
    "a target with a space": b"GET /live z HTTP/1.1\r\n" + HOST + b"\r\n",
    "a target without a slash": b"GET livez HTTP/1.1\r\n" + HOST + b"\r\n",
    "a target with a fragment": b"GET /livez#x HTTP/1.1\r\n" + HOST + b"\r\n",
    "a target with a backslash": b"GET /\\livez HTTP/1.1\r\n" + HOST + b"\r\n",
    "a target above ASCII": b"GET /liv\xc3\xa9 HTTP/1.1\r\n" + HOST + b"\r\n",
    "a target with a control character": b"GET /liv\x01ez HTTP/1.1\r\n" + HOST + b"\r\n",
    "a target with a tab": b"GET /liv\tez HTTP/1.1\r\n" + HOST + b"\r\n",
    "an encoded NUL": b"GET /livez%00 HTTP/1.1\r\n" + HOST + b"\r\n",
    "an encoded newline in a query": b"GET /livez?a=%0a HTTP/1.1\r\n" + HOST + b"\r\n",
    "an encoded delete": b"GET /livez?a=%7F HTTP/1.1\r\n" + HOST + b"\r\n",
    "half an escape": b"GET /livez?a=%4 HTTP/1.1\r\n" + HOST + b"\r\n",
    "an escape that is none": b"GET /livez?a=%zz HTTP/1.1\r\n" + HOST + b"\r\n",
    "any escape in a path": b"GET /%6civez HTTP/1.1\r\n" + HOST + b"\r\n",
    "an encoded climb": b"GET /models/%2e%2e/livez HTTP/1.1\r\n" + HOST + b"\r\n",
    "the authority form": b"CONNECT test:80 HTTP/1.1\r\n" + HOST + b"\r\n",
    "an asterisk on GET": b"GET * HTTP/1.1\r\n" + HOST + b"\r\n",
    "an absolute target with a user": b"GET http://a@b/livez HTTP/1.1\r\n" + HOST + b"\r\n",
    "an absolute target without a host": b"GET http:///livez HTTP/1.1\r\n" + HOST + b"\r\n",
    "another scheme": b"GET ftp://test/livez HTTP/1.1\r\n" + HOST + b"\r\n",
    "65 headers": b"GET /livez HTTP/1.1\r\n"
    + HOST
    + b"".join(b"h%d: x\r\n" % i for i in range(64))
    + b"\r\n",
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(port, name):
    """Refused, closed, and what came behind it is never taken for a request."""
    with Connection(port) as c:
        c.send(REFUSED[name] + SMUGGLED)
        first = c.read(head=REFUSED[name].startswith(b"HEAD"))
        assert first is None or 400 <= first.status < 500 or first.status in (501, 505)
        if first is not None and first.body and "x-request-id" in first.headers:
            wanted = {
                "gzip, chunked": "not-implemented",
                "HTTP/2.0": "http-version",
                "HTTP/0.9": "http-version",
                "65 headers": "headers-too-large",
            }.get(name, "bad-request")
            assert first.json["type"] == f"urn:scored:{wanted}" and first.closes
        assert c.closed() or is_doubled(name, first, c.pending), "a second reply"


def is_doubled(name, first, rest):
    """libmicrohttpd 0.9.75 answers a length that is no number itself, and writes the head of that reply twice."""
    ours = first is None or "x-request-id" in first.headers
    return not ours and "length" in name and b"HTTP/1." not in rest and rest.endswith(b"</html>")


@pytest.mark.parametrize("name", [n for n in REFUSED if "space before" not in n and "folded after" not in n])
def test_refusals_are_told(port, name):
    """All but what the library closes upon without a word get a reply."""
    silent = {
        "a target with a tab",
        "a target with a control character",
        "the authority form",
        "an asterisk on GET",
    }
    with Connection(port) as c:
        c.send(REFUSED[name])
        r = c.read(head=True)
    assert r is not None or name in silent


def test_bare_line_feeds_end_the_connection_or_are_refused(port):
    with Connection(port) as c:
        c.send(POST + HOST + JSON + CHUNKED + b"\r\n2\n{}\r\n0\r\n\r\n" + SMUGGLED)
        first = c.read()
        assert first is None or first.closes or first.status >= 400
        assert c.closed()


@pytest.mark.parametrize(
    "head",
    [
        b"GET /livez HTTP/1.1\nHost: test\n\n",
        b"GET /livez HTTP/1.1\r\nHost: test\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: test\r\n: x\r\n",
    ],
)
def test_a_head_that_is_not_plain_is_the_last(port, head):
    """Where the library may have read another head than was sent, what follows is never taken for a request."""
    with Connection(port) as c:
        c.send(head + SMUGGLED)
        r = c.read()
        assert r is None or r.closes or r.status >= 400
        assert c.closed()


@pytest.mark.parametrize("field", [b"X:  y", b"X:y", b"X: y\t ", b"Host: test "])
def test_other_spacing_closes_nothing(port, field):
    """It is valid, and the daemon saw the bytes before the library took them apart."""
    head = b"GET /livez HTTP/1.1\r\n" + (b"" if field.startswith(b"Host") else HOST) + field + b"\r\n\r\n"
    with Connection(port) as c:
        for _ in range(3):
            c.send(head)
            r = c.read()
            assert r is not None and r.status == 200 and not r.closes


def test_a_chunked_request_is_answered_and_closed(port, row, answer):
    body = json.dumps(row).encode()
    with Connection(port) as c:
        c.send(chunked("POST", "/predict", [body[:5], body[5:]]) + SMUGGLED)
        r = c.read()
        assert r is not None and r.json == answer and r.closes
        assert c.closed()


def test_trailers_are_ignored(port, row, answer):
    body = json.dumps(row).encode()
    with Connection(port) as c:
        c.send(
            POST
            + HOST
            + JSON
            + CHUNKED
            + b"\r\n%x;x=y\r\n%s\r\n0\r\nContent-Length: 5\r\n\r\n" % (len(body), body)
        )
        r = c.read()
        assert r is not None and r.status in (200, 400)
        assert r.status != 200 or r.json == answer


def test_an_overflowing_chunk(port):
    with Connection(port) as c:
        c.send(POST + HOST + JSON + CHUNKED + b"\r\nfffffffffffffffff\r\n{}")
        r = c.read()
        assert r is None or r.status in (400, 413)
        assert c.closed()


def test_an_endless_line_between_chunks():
    """It fills the library's buffer, which then waits for what can never come."""
    d = Daemon()
    with Connection(d.port) as c, Connection(d.port) as stuck:
        stuck.send(POST + HOST + JSON + CHUNKED + b"\r\n3;" + b"a" * 60000)
        r = stuck.read()
        assert r is not None and (r.status, r.json["type"], r.closes) == (413, "urn:scored:too-large", True)
        c.send(request("GET", "/livez"))
        r = c.read()
        assert r is not None and r.status == 200
    assert d.stop() == 0


def test_a_client_that_leaves_before_the_library_lets_go():
    """Two descriptors of one socket are open then; what comes on it belongs to neither any more."""
    d = Daemon()
    for _ in range(40):
        with Connection(d.port) as stuck:
            stuck.send(POST + HOST + JSON + CHUNKED + b"\r\n3;" + b"a" * 60000)
            assert stuck.socket.recv(1, socket.MSG_PEEK)  # is refused
            stuck.socket.shutdown(socket.SHUT_WR)
            time.sleep(0.02)  # and the refused end is closed; what is unread makes the next line a reset
    with Connection(d.port) as c:
        c.send(request("GET", "/livez"))
        assert c.read().status == 200
    assert d.stop() == 0


def test_an_end_that_comes_with_a_part_of_a_later_head():
    """The library hears once of both; nobody waits for the time of a head, in which the worker would not rest."""
    d = Daemon("--head-timeout", "3600", "--idle-timeout", "3600")
    for _ in range(100):
        with Connection(d.port) as c:
            c.send(request("GET", "/livez"))
            r = c.read()
            assert r is not None and r.status == 200
            c.send(b"GET /livez HTTP/1.1\r\nHo")
            c.socket.shutdown(socket.SHUT_WR)
            r = c.read()
            assert r is not None and r.status == 400 and r.closes
    assert d.stop() == 0


def test_a_refusal_knows_its_own_request():
    """Whether it has a body is not told by what others have sent meanwhile."""
    d = Daemon("--workers", "1", "--head-timeout", "1")
    for first, other, body in ((b"GET /li", b"HEAD", True), (b"HEAD /li", b"GET", False)):
        for kept in (b"", request("GET", "/livez")):
            with Connection(d.port) as c, Connection(d.port) as stranger:
                if kept:
                    c.send(kept)
                    assert c.read().status == 200
                c.send(first)
                time.sleep(0.3)
                stranger.send(other + b" /livez HTTP/1.1\r\n" + HOST + b"\r\n")
                stranger.socket.recv(1)
                told = b"".join(iter(lambda: c.socket.recv(65536), b""))  # noqa: B023
            assert told.startswith(b"HTTP/1.1 408 ") and told.endswith(b"\r\n\r\n") != body
    assert d.stop() == 0


def test_an_empty_line_behind_a_request_is_nothing():
    """RFC 9112, 2.2: some clients send one; it begins no head, whose time would run."""
    d = Daemon("--head-timeout", "0.5", "--idle-timeout", "2")
    with Connection(d.port) as c, Connection(d.port) as idle:
        for client in (c, idle):
            client.send(request("GET", "/livez") + b"\r\n")
            assert client.read().status == 200
        time.sleep(1)
        c.send(request("GET", "/livez") + b"\r\n")
        assert c.read().status == 200
        c.socket.shutdown(socket.SHUT_WR)
        assert c.closed()
        assert idle.socket.recv(100) == b""
    assert d.stop() == 0


def test_a_body_that_ends_too_early_in_pieces():
    """Ends at once, and not when its time is over."""
    data = POST + HOST + JSON + CHUNKED + b"\r\n3\r\n{}\n\r\n"
    size = len(data) // 4 + 1
    d = Daemon("--body-timeout", "3600")
    for _ in range(100):
        with Connection(d.port) as c:
            for at in range(0, len(data), size):
                c.send(data[at : at + size])
            c.socket.shutdown(socket.SHUT_WR)
            assert c.closed()
    assert d.stop() == 0


def test_an_expectation_without_a_body(port):
    """What comes behind it is no reason to drop the answer."""
    with Connection(port) as c:
        c.send(b"GET /livez HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\n\r\n" + SMUGGLED)
        r = c.read()
        assert r is not None and r.status == 200


def test_a_request_in_single_bytes(port, row, answer):
    with Connection(port) as c:
        for byte in request("POST", "/predict", json.dumps(row)):
            c.send(bytes([byte]))
        r = c.read()
    assert r is not None and r.json == answer


def test_a_request_cut_at_each_byte(port, row, answer):
    data = request("POST", "/predict", json.dumps(row))
    with Connection(port) as c:
        for cut in range(1, len(data), 3):
            c.send(data[:cut])
            c.send(data[cut:])
            r = c.read()
            assert r is not None and r.json == answer


def test_pipelined_requests_are_answered_in_order(port, row, answer):
    ids = [f"p{i}" for i in range(200)]
    with Connection(port) as c:
        c.send(
            b"".join(request("POST", "/predict", json.dumps(row), headers={"X-Request-Id": i}) for i in ids)
        )
        for i in ids:
            r = c.read()
            assert r is not None and r.json == answer and r.headers["x-request-id"] == i


def test_a_connection_is_kept(port, row, answer):
    with Connection(port) as c:
        for body in (json.dumps(row), "[" + ",".join([json.dumps(row)] * 400) + "]", json.dumps(row)):
            c.send(request("POST", "/predict", body))
            r = c.read()
            assert r is not None and r.status == 200 and not r.closes
        assert r.json == answer
        for target in ("/livez", "/metrics", "/openapi.json", "/livez"):
            c.send(request("GET", target))
            r = c.read()
            assert r is not None and r.status == 200 and not r.closes


def test_connection_close_is_obeyed(port):
    with Connection(port) as c:
        c.send(request("GET", "/livez", headers={"Connection": "close"}) + SMUGGLED)
        r = c.read()
        assert r is not None and r.status == 200
        assert c.closed()


def test_http_1_0(port):
    with Connection(port) as c:
        c.send(b"GET /livez HTTP/1.0\r\n\r\n")
        r = c.read()
        assert r is not None and r.status == 200
        assert c.closed()


def test_http_1_0_keep_alive(port):
    with Connection(port) as c:
        for _ in range(2):
            c.send(b"GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            r = c.read()
            assert r is not None and r.status == 200


def test_the_absolute_form(port):
    assert ask(port, "GET", "http://elsewhere:80/livez?x").status == 200
    assert ask(port, "GET", "http://elsewhere").status == 404  # of the path "/"


def test_a_higher_minor_version_is_taken_for_1_1(port):
    with Connection(port) as c:
        for _ in range(2):
            c.send(b"GET /livez HTTP/1.2\r\n" + HOST + b"\r\n")
            r = c.read()
            assert r is not None and r.status == 200 and not r.closes


def test_expect_continue(port, row, answer):
    body = json.dumps(row)
    with Connection(port) as c:
        data = request("POST", "/predict", body, headers={"Expect": "100-continue"})
        head, _, rest = data.partition(b"\r\n\r\n")
        c.send(head + b"\r\n\r\n")
        first = c.read()
        assert first is not None and first.status == 100
        c.send(rest)
        r = c.read()
        assert r is not None and r.json == answer


def test_expect_continue_is_refused_before_the_body(port):
    with Connection(port) as c:
        c.send(POST + HOST + JSON + b"Content-Length: 5000000\r\nExpect: 100-continue\r\n\r\n")
        r = c.read()
        assert r is not None and r.status == 413 and r.closes
        assert c.closed()
