# SPDX-License-Identifier: Apache-2.0
"""Bodies that come compressed, and answers that go so."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import re
import struct
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import zstandard
from daemon import Daemon
from wire import Connection, Reply, ask, chunked, request

JSON, NDJSON, CSV = "application/json", "application/x-ndjson", "text/csv"
MIB = 1 << 20
LIMIT = 2 * MIB
SLACK = 6 * MIB  # of a process that a request passes through
CODINGS = os.environ.get("SCORED_CODINGS", "gzip, zstd")  # of the build


def zstd(text: bytes, level: int = 3, window: int = 20, sized: bool = False) -> bytes:
    """A frame of RFC 8878 with a sum, of a window of 2^window bytes unless it tells its size."""
    how = zstandard.ZstdCompressionParameters.from_level(
        level, window_log=window, write_content_size=sized, write_checksum=True
    )
    packer = zstandard.ZstdCompressor(compression_params=how).compressobj(
        size=len(text) if sized else -1
    )
    return packer.compress(text) + packer.flush()


PACK = {"gzip": gzip.compress, "zstd": zstd}


@pytest.fixture(params=sorted(PACK))
def coding(request: pytest.FixtureRequest) -> str:
    """Each coding in turn."""
    return request.param


def post(
    port: int,
    body: bytes,
    kind: str = JSON,
    target: str = "/predict",
    coding: str = "gzip",
    **more: str,
) -> Reply:
    """A compressed body, on a connection of its own."""
    headers = {"Content-Encoding": coding} | {
        name.replace("_", "-"): value for name, value in more.items()
    }
    head, _, rest = request("POST", target, body, kind, headers).partition(b"\r\n\r\n")
    with Connection(port) as c:
        c.send(head + b"\r\n\r\n")
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            c.socket.sendall(rest)  # no heads are looked for in it
        reply = c.read()
        assert reply is not None, "no reply"
        return reply


def body_of(kind: str, row: dict[str, Any], rows: int) -> bytes:
    """So many rows in a dialect."""
    if kind == JSON:
        return json.dumps([row] * rows).encode()
    if kind == NDJSON:
        return (json.dumps(row) + "\n").encode() * rows
    cells = [
        "" if v is None else str(v).lower() if isinstance(v, bool) else str(v)
        for v in row.values()
    ]
    return "\n".join([",".join(row)] + [",".join(cells)] * rows).encode() + b"\n"


@pytest.mark.parametrize("kind", [JSON, NDJSON, CSV])
@pytest.mark.parametrize("rows", [1, 1200])
def test_the_answer_is_that_of_the_plain_body(
    port: int, row: dict[str, Any], kind: str, rows: int, coding: str
) -> None:
    body = body_of(kind, row, rows)
    plain = ask(port, "POST", "/predict", body, kind)
    assert plain.status == 200 and "vary" not in plain.headers or rows > 1
    for level in (0, 1, 9):
        packed = post(port, PACK[coding](body, level), kind, coding=coding)
        assert (packed.status, packed.body) == (200, plain.body)


def test_one_row_cut_at_every_byte(
    port: int, row: dict[str, Any], answer: dict[str, Any], coding: str
) -> None:
    packed = PACK[coding](json.dumps(row).encode())
    for cut in range(1, len(packed)):
        text = chunked("POST", "/predict", [packed[:cut], packed[cut:]])
        with Connection(port) as c:  # chunks end it
            end = f"\r\nContent-Encoding: {coding}\r\n\r\n".encode()
            c.send(text.replace(b"\r\n\r\n", end, 1))
            reply = c.read()
            assert reply is not None and reply.json == answer


def test_a_byte_at_a_time(
    port: int, row: dict[str, Any], answer: dict[str, Any], coding: str
) -> None:
    head, _, body = request(
        "POST",
        "/predict",
        PACK[coding](body_of(NDJSON, row, 40)),
        NDJSON,
        {"Content-Encoding": coding},
    ).partition(b"\r\n\r\n")
    with Connection(port) as c:
        c.send(head + b"\r\n\r\n")
        for i in range(len(body)):
            c.send(body[i : i + 1])
        reply = c.read()
        assert (
            reply is not None
            and [json.loads(line) for line in reply.body.splitlines()] == [answer] * 40
        )


def member(text: bytes, flags: int = 0, extra: bytes = b"") -> bytes:
    """A member with a header of RFC 1952, 2.3, of all optional parts."""
    head = b"\x1f\x8b\x08" + bytes([flags]) + bytes(6) + extra
    if flags & 2:
        head += struct.pack("<H", zlib.crc32(head) & 0xFFFF)
    packer = zlib.compressobj(wbits=-15)
    return (
        head
        + packer.compress(text)
        + packer.flush()
        + struct.pack("<II", zlib.crc32(text), len(text))
    )


def test_members_as_the_rfc_has_them(
    port: int, row: dict[str, Any], answer: dict[str, Any]
) -> None:
    text = json.dumps(row).encode()
    whole = {
        "all parts": member(text, 0x1F, b"\x03\x00abc" + b"name\x00" + b"comment\x00"),
        "two members": member(text[:9]) + member(text[9:]),
        "empty members": member(b"") * 5000 + member(text) + member(b"") * 5000,
        "a member a byte": b"".join(member(text[i : i + 1]) for i in range(len(text))),
    }
    for name, body in whole.items():
        reply = post(port, body)
        assert reply.status == 200 and reply.json == answer, name
    assert post(port, whole["all parts"], coding="X-GZIP").json == answer


def test_what_is_no_gzip(port: int, row: dict[str, Any]) -> None:
    text = json.dumps(row).encode()
    good = member(text)
    wrong = {
        "nothing": b"",
        "plain": text,
        "zlib": zlib.compress(text),
        "reserved flag": member(text, 0x20),
        "another method": good[:2] + b"\x07" + good[3:],
        "a wrong head": member(text, 2)[:10] + b"xx" + member(text, 2)[12:],
        "a wrong sum": good[:-8] + b"\0\0\0\0" + good[-4:],
        "a wrong length": good[:-4] + b"\0\0\0\0",
        "something behind it": good + b"\n",
        "zeros behind it": good + bytes(512),
        "half a member behind it": good + good[:-1],
    }
    for name, body in wrong.items():
        for kind in (JSON, NDJSON):
            reply = post(port, body, kind)
            assert reply.status == 400, (name, reply)
            assert (
                reply.json["type"] == "urn:scored:malformed-gzip"
                and reply.json["detail"]
            ), name


def test_torn_at_every_byte(
    port: int, row: dict[str, Any], answer: dict[str, Any], coding: str
) -> None:
    packed = PACK[coding](body_of(NDJSON, row, 3))
    headers = {"Content-Encoding": coding}
    with Connection(port) as c:
        for n in range(len(packed)):
            c.send(request("POST", "/predict", packed[:n], NDJSON, headers))
            reply = c.read()
            assert reply is not None and (reply.status, reply.json["type"]) == (
                400,
                f"urn:scored:malformed-{coding}",
            ), n
        c.send(request("POST", "/predict", json.dumps(row)))
        reply = c.read()
        assert reply is not None and reply.json == answer  # the connection goes on


def test_a_stream_that_goes_wrong_late_has_no_answers(
    port: int, row: dict[str, Any], coding: str
) -> None:
    packed = PACK[coding](body_of(NDJSON, row, 20000))
    for wrong in (packed[:-1], packed + b"x", packed[:-8] + bytes(4) + packed[-4:]):
        reply = post(port, wrong, NDJSON, coding=coding)
        assert (reply.status, reply.json["type"]) == (400, f"urn:scored:malformed-{coding}")


@pytest.mark.parametrize("sized", [False, True])
def test_frames_as_the_rfc_has_them(
    port: int, row: dict[str, Any], answer: dict[str, Any], sized: bool
) -> None:
    text = json.dumps(row).encode()
    skipped = b"\x5f\x2a\x4d\x18\x03\x00\x00\x00abc"
    empty = zstd(b"", sized=sized)
    whole = {
        "two frames": zstd(text[:9], sized=sized) + zstd(text[9:], sized=sized),
        "empty frames": empty * 5000 + zstd(text) + empty * 5000,
        "a frame a byte": b"".join(zstd(text[i : i + 1], sized=sized) for i in range(len(text))),
        "skippable frames": skipped + zstd(text, sized=sized) + skipped,
        "no sum": zstandard.ZstdCompressor(write_checksum=False).compress(text),
        "no sum, and long": zstandard.ZstdCompressor().compress(text + b" " * 100_000),
        "a window of 8 MiB": zstd(text, 19, 23, sized),
    }
    for name, body in whole.items():
        reply = post(port, body, coding="zstd")
        assert reply.status == 200 and reply.json == answer, name
    assert post(port, whole["two frames"], coding="ZSTD").json == answer


def test_what_is_no_zstd(port: int, row: dict[str, Any]) -> None:
    text = json.dumps(row).encode()
    good = zstd(text)
    wrong = {
        "nothing": (b"", "ends within"),
        "plain": (text, "frame descriptor"),
        "gzip": (gzip.compress(text), "frame descriptor"),
        "a reserved bit": (good[:4] + bytes([good[4] | 8]) + good[5:], "parameter"),
        "a wrong sum": (good[:-4] + bytes(4), "checksum"),
        "a reserved kind of block": (good[:6] + bytes([good[6] | 6]) + good[7:], ""),
        "something behind it": (good + b"\n", "frame descriptor"),
        "half a frame behind it": (good + good[:-1], "ends within"),
        "a dictionary": (zstandard_with_dictionary(text), "ictionary"),
        "a window of 16 MiB": (zstd(text, 3, 24), "8 MiB"),
        "a window of 2 GiB": (good[:5] + b"\xa8" + good[6:], "8 MiB"),
    }
    for name, (body, why) in wrong.items():
        for kind in (JSON, NDJSON):
            reply = post(port, body, kind, coding="zstd")
            assert reply.status == 400, (name, reply)
            assert reply.json["type"] == "urn:scored:malformed-zstd", name
            assert why in reply.json["detail"], (name, reply.json["detail"])


def zstandard_with_dictionary(text: bytes) -> bytes:
    """A frame that names a dictionary, which nobody has agreed on."""
    known = zstandard.train_dictionary(4096, [text + str(i).encode() * 40 for i in range(400)])
    return zstandard.ZstdCompressor(dict_data=known).compress(text)


@cache
def bomb(coding: str, byte: bytes, mib: int) -> bytes:
    """So many MiB of one byte."""
    if coding == "zstd":
        return zstd(byte * MIB * mib, window=23)
    packer = zlib.compressobj(6, wbits=31)
    return b"".join(packer.compress(byte * MIB) for _ in range(mib)) + packer.flush()


@pytest.fixture(scope="module")
def small() -> Iterator[Daemon]:
    """A daemon whose limits are the same for all dialects."""
    d = Daemon("--max-body", str(LIMIT), "--max-ndjson", str(LIMIT))
    yield d
    assert d.stop() == 0


def peak(d: Daemon) -> int:
    """Bytes that the process has held at most since the last call."""
    proc = Path(f"/proc/{d.process.pid}")
    found = re.search(r"VmHWM:\s+(\d+) kB", (proc / "status").read_text())
    (proc / "clear_refs").write_text("5")
    assert found
    return int(found[1]) * 1024


@pytest.mark.parametrize("kind", [JSON, NDJSON, CSV])
@pytest.mark.parametrize("byte", [b" ", b"[", b"x", b'"'])
def test_a_bomb_costs_no_more_than_the_limit(
    small: Daemon, kind: str, byte: bytes, coding: str
) -> None:
    body = bomb(coding, byte, 256)
    assert len(body) < LIMIT
    if "libasan" in Path(f"/proc/{small.process.pid}/maps").read_text():
        pytest.skip("a sanitizer keeps what is freed: tests/run.sh runs this on the release too")
    post(small.port, bomb(coding, byte, 1), kind, coding=coding)
    before = peak(small)
    reply = post(small.port, body, kind, coding=coding)
    assert (reply.status, reply.json["type"]) == (413, "urn:scored:too-large")
    assert peak(small) < before + LIMIT + SLACK


def test_the_limit_is_of_the_inflated_bytes(
    small: Daemon, row: dict[str, Any], answer: dict[str, Any], coding: str
) -> None:
    text = json.dumps(row).encode()
    for n, status in ((LIMIT, 200), (LIMIT + 1, 413)):
        body = PACK[coding](text + b" " * (n - len(text)))
        reply = post(small.port, body, coding=coding)
        assert reply.status == status
        assert (
            reply.json == answer
            if status == 200
            else "--max-body" in reply.json["detail"]
        )


def test_other_codings_are_refused(daemon: Daemon, manifest: dict[str, Any]) -> None:
    for coding in (
        "br",
        "zstd" if "zstd" not in CODINGS else "zstd, gzip",
        "deflate",
        "gzip, gzip",
        "gzip,identity",
        "gzip;q=1",
        "",
    ):
        reply = post(daemon.port, b"{}", coding=coding)
        assert (reply.status, reply.headers["accept-encoding"]) == (415, CODINGS), coding
    twice = request(
        "POST",
        "/predict",
        b"{}",
        JSON,
        {"Content-Encoding": "gzip", "content-encoding": "identity"},
    )
    with Connection(daemon.port) as c:
        c.send(twice)
        reply = c.read()
        assert reply is not None and reply.status == 415
    reload = f"/models/{manifest['name']}/reload"
    reply = post(daemon.admin, gzip.compress(b"{}"), target=reload)
    assert (reply.status, reply.headers["accept-encoding"]) == (415, "identity")


def test_what_curl_calls_a_form_may_be_compressed(
    port: int, row: dict[str, Any], answer: dict[str, Any], coding: str
) -> None:
    packed = PACK[coding](json.dumps(row).encode())
    form = "application/x-www-form-urlencoded"
    assert post(port, packed, form, coding=coding).json == answer


# -- answers


@pytest.mark.parametrize(
    ("accept", "packs"),
    [
        ("gzip", True),
        ("x-gzip", True),
        ("GZIP", True),
        ("gzip, deflate, br, zstd", True),
        ("br;q=1.0, gzip;q=0.8, *;q=0.1", True),
        ("*", True),
        ("gzip;q=0.001", True),
        ("gzip ; q=1.000", True),
        ("gzip;q=0.5, identity;q=0.5", True),
        ("identity;q=0, gzip;q=0.1", True),
        ("*;q=0, gzip", True),
        ("", False),
        ("identity", False),
        ("br, zstd", False),
        ("gzip;q=0", False),
        ("gzip;q=0.000", False),
        ("gzip;q=0, *", False),
        ("*;q=0", False),
        ("identity, gzip;q=0.5", False),
        ("gzip;q=0.5, *;q=0.8", False),
        ("gzip;q=2", False),
        ("gzip;q=1.001", False),
        ("gzip;q=0.5000", False),
        ("gzip;q=1e0", False),
        ("gzip;q=.5", False),
        ("gzip;q=-1", False),
        ("gzip;q=", False),
        ("xgzip", False),
        ("gzipped", False),
    ],
)
def test_answers_go_as_their_reader_takes_them(
    port: int, row: dict[str, Any], accept: str, packs: bool
) -> None:
    body = body_of(NDJSON, row, 150)
    plain = ask(port, "POST", "/predict", body, NDJSON)
    reply = ask(port, "POST", "/predict", body, NDJSON, {"Accept-Encoding": accept})
    assert plain.headers["vary"] == reply.headers["vary"] == "Accept-Encoding"
    assert reply.headers.get("content-encoding") == ("gzip" if packs else None)
    assert (gzip.decompress(reply.body) if packs else reply.body) == plain.body


@pytest.mark.parametrize("kind", [JSON, NDJSON, CSV])
def test_long_answers_are_whole(port: int, row: dict[str, Any], kind: str) -> None:
    body = body_of(kind, row, 1500 if kind == JSON else 6000)
    plain = ask(port, "POST", "/predict", body, kind)
    reply = post(port, gzip.compress(body), kind, Accept_Encoding="gzip")
    assert (
        reply.headers["content-encoding"] == "gzip"
        and len(reply.body) < len(plain.body) / 3
    )
    assert gzip.decompress(reply.body) == plain.body and plain.body.endswith(b"\n")


def test_small_answers_and_single_rows_go_as_they_are(port: int, row: dict[str, Any]) -> None:
    texts = [name for name, value in row.items() if isinstance(value, str)][:3]
    long = row | dict.fromkeys(texts, "x" * 4000)
    for target, body in (
        ("/predict", row),
        ("/predict", [row] * 3),
        ("/predict?" + "&".join(f"echo={name}" for name in texts), long),
    ):
        reply = ask(port, "POST", target, json.dumps(body), headers={"Accept-Encoding": "gzip"})
        assert reply.status == 200 and not {"content-encoding", "vary"} & set(reply.headers)
    assert len(reply.body) > 3 * 4000


def test_documents_go_so_on_all_listeners(daemon: Daemon) -> None:
    for port in (daemon.port, daemon.admin):
        for path in ("/openapi.json", "/metrics"):
            with Connection(port) as c:
                c.send(
                    request("GET", path)
                    + request("GET", path, headers={"Accept-Encoding": "gzip"})
                )
                plain, packed = c.read(), c.read()
                assert plain and packed and packed.headers["content-encoding"] == "gzip"
                assert packed.headers["content-type"] == plain.headers["content-type"]
                text = gzip.decompress(packed.body)
                assert (
                    text == plain.body
                    or path == "/metrics"
                    and text.startswith(plain.body[:200])
                )
                c.send(request("HEAD", path, headers={"Accept-Encoding": "gzip"}))
                head = c.read(head=True)
                assert head and head.headers["content-encoding"] == "gzip"


def test_problems_go_so_too(small: Daemon) -> None:
    bad = json.dumps([{"nothing": 1}] * 200)
    reply = ask(
        small.port, "POST", "/predict", bad, headers={"Accept-Encoding": "gzip"}
    )
    assert reply.headers["content-encoding"] == "gzip"
    assert all("error" in line for line in json.loads(gzip.decompress(reply.body)))


def test_connections_are_kept(
    port: int, row: dict[str, Any], answer: dict[str, Any]
) -> None:
    many = gzip.compress(body_of(NDJSON, row, 1500))
    both = {"Content-Encoding": "gzip", "Accept-Encoding": "gzip"}
    with Connection(port) as c:
        for _ in range(5):
            c.send(
                request("POST", "/predict", many, NDJSON, both)
                + request("POST", "/predict", json.dumps(row))
            )
            packed, plain = c.read(), c.read()
            assert (
                packed
                and plain
                and plain.json == answer
                and "content-encoding" not in plain.headers
            )
            assert gzip.decompress(packed.body).count(b"\n") == 1500
