"""fake_s3 itself: boto3 gets from it what it gets from S3, and nothing that is wrongly signed passes."""

from __future__ import annotations

import base64
import gzip
import hashlib
import http.client
import json
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.client import Config
from botocore.credentials import Credentials
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    IncompleteReadError,
    ResponseStreamingError,
    SSLError,
)
from fake_aws.certificates import Authority
from fake_s3 import KEY_ID, SECRET, FakeS3

DATA = bytes(range(256)) * 40
BODY = "/models/m/blocks"


def client(s3: FakeS3, service: str = "s3", **options: Any) -> Any:
    """Return a client that tries once."""
    style = options.pop("style", "path")
    settings = {
        "aws_access_key_id": KEY_ID,
        "aws_secret_access_key": SECRET,
        "region_name": s3.region,
        "endpoint_url": s3.url,
    }
    config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": style}, read_timeout=5)
    return boto3.client(service, config=config, **(settings | options))


@pytest.fixture
def filled(s3: FakeS3) -> FakeS3:
    """A server with one object."""
    s3.store.put("models", "m/blocks", DATA)
    return s3


def refused(call: Callable[[], Any]) -> tuple[str, int]:
    """Return the code and the status that a call is refused with."""
    with pytest.raises(ClientError) as caught:
        call()
    reply = caught.value.response
    return reply["Error"]["Code"], reply["ResponseMetadata"]["HTTPStatusCode"]


def get(s3: FakeS3, key: str = "m/blocks", **arguments: Any) -> bytes:
    """Return an object as boto3 reads it."""
    return client(s3).get_object(Bucket="models", Key=key, **arguments)["Body"].read()


# -- what S3 does


@pytest.mark.parametrize("style", ["path", "virtual"])
def test_what_is_put_is_got_listed_copied_and_deleted(
    s3: FakeS3, style: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *rest: resolve("127.0.0.1", *rest))
    endpoint = s3.url if style == "path" else f"http://s3.test:{s3.port}"
    c = client(s3, style=style, endpoint_url=endpoint)
    c.create_bucket(Bucket="models")
    keys = ["m/bundle.json", "m/a b+c", "m/ü€😀", "m/x=1&y=2?z", "m/~t*(!)'", "m//twice", "n/other"]
    for key in keys:
        assert c.put_object(Bucket="models", Key=key, Body=key.encode())["ETag"]
    for key in keys:
        reply = c.get_object(Bucket="models", Key=key)
        assert reply["Body"].read() == key.encode()
        assert reply["ETag"] == f'"{hashlib.md5(key.encode()).hexdigest()}"'
    listed = c.list_objects_v2(Bucket="models", Prefix="m/", MaxKeys=4)
    rest = c.list_objects_v2(Bucket="models", Prefix="m/", ContinuationToken=listed["NextContinuationToken"])
    assert [o["Key"] for o in listed["Contents"] + rest["Contents"]] == sorted(k for k in keys if k[0] == "m")
    folders = c.list_objects_v2(Bucket="models", Delimiter="/")["CommonPrefixes"]
    assert [f["Prefix"] for f in folders] == ["m/", "n/"]
    c.copy({"Bucket": "models", "Key": keys[1]}, "models", "copied")
    c.delete_object(Bucket="models", Key=keys[1])
    assert c.get_object(Bucket="models", Key="copied")["Body"].read() == keys[1].encode()
    assert refused(lambda: c.get_object(Bucket="models", Key=keys[1])) == ("NoSuchKey", 404)
    assert refused(lambda: c.get_object(Bucket="none", Key="k")) == ("NoSuchBucket", 404)
    assert refused(lambda: c.head_object(Bucket="models", Key=keys[1])) == ("404", 404)


def test_large_files_go_up_in_parts(s3: FakeS3, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(DATA * 2000)
    c = client(s3)
    c.create_bucket(Bucket="models")
    c.upload_file(str(tmp_path / "large"), "models", "large")
    assert c.head_object(Bucket="models", Key="large")["ETag"].endswith('-3"')
    c.download_file("models", "large", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == DATA * 2000


def test_ranges_and_conditions(filled: FakeS3) -> None:
    c, etag = client(filled), f'"{hashlib.md5(DATA).hexdigest()}"'
    reply = c.get_object(Bucket="models", Key="m/blocks", Range="bytes=10-19", IfMatch=etag)
    assert (reply["ContentRange"], reply["Body"].read()) == (f"bytes 10-19/{len(DATA)}", DATA[10:20])
    assert get(filled, Range="bytes=-5") == DATA[-5:]
    assert get(filled, Range=f"bytes={len(DATA) - 3}-{len(DATA) + 9}") == DATA[-3:]
    assert refused(lambda: get(filled, Range=f"bytes={len(DATA)}-")) == ("InvalidRange", 416)
    assert refused(lambda: get(filled, IfNoneMatch=etag)) == ("304", 304)
    assert refused(lambda: get(filled, IfMatch='"other"')) == ("PreconditionFailed", 412)
    again = {"Bucket": "models", "Key": "m/blocks", "Body": b"", "IfNoneMatch": "*"}
    assert refused(lambda: c.put_object(**again)) == ("PreconditionFailed", 412)


def test_checksums(s3: FakeS3) -> None:
    c, digest = client(s3), base64.b64encode(hashlib.sha256(DATA).digest()).decode()
    at = {"Bucket": "models", "Key": "k"}
    c.create_bucket(Bucket="models")
    c.put_object(**at, Body=DATA, ChecksumSHA256=digest)
    assert c.head_object(**at, ChecksumMode="ENABLED")["ChecksumSHA256"] == digest
    assert "ChecksumSHA256" not in c.head_object(**at)
    wrong = base64.b64encode(bytes(32)).decode()
    assert refused(lambda: c.put_object(**at, Body=DATA, ChecksumSHA256=wrong)) == ("BadDigest", 400)


def test_versions(filled: FakeS3) -> None:
    c = client(filled)
    first = c.head_object(Bucket="models", Key="m/blocks")["VersionId"]
    second = c.put_object(Bucket="models", Key="m/blocks", Body=b"two")["VersionId"]
    assert get(filled) == b"two"
    assert get(filled, VersionId=first) == DATA
    assert get(filled, VersionId=second) == b"two"
    assert refused(lambda: get(filled, VersionId="v999999")) == ("NoSuchVersion", 404)


def test_encryption(filled: FakeS3) -> None:
    c, at = client(filled), {"Bucket": "models", "Key": "m/blocks"}
    key, other = "k" * 32, "o" * 32
    assert c.put_object(**at, Body=DATA, ServerSideEncryption="aws:kms")["ServerSideEncryption"] == "aws:kms"
    assert c.get_object(**at)["ETag"] != f'"{hashlib.md5(DATA).hexdigest()}"'

    def locked(key: str) -> dict[str, str]:
        digest = base64.b64encode(hashlib.md5(key.encode()).digest()).decode()
        return {
            "x-amz-server-side-encryption-customer-algorithm": "AES256",
            "x-amz-server-side-encryption-customer-key": base64.b64encode(key.encode()).decode(),
            "x-amz-server-side-encryption-customer-key-md5": digest,
        }

    assert signed(filled, "PUT", BODY, body=DATA, headers=locked(key))[0] == 200
    assert signed(filled, "GET", BODY, headers=locked(key))[::2] == (200, DATA)
    assert signed(filled, "GET", BODY)[0] == 400
    assert signed(filled, "GET", BODY, headers=locked(other))[0] == 403


def test_requester_pays_and_regions(filled: FakeS3) -> None:
    filled.store.bucket("models").requester_pays = True
    assert refused(lambda: get(filled)) == ("AccessDenied", 403)
    assert get(filled, RequestPayer="requester") == DATA
    filled.store.bucket("far", create=True, region="eu-west-1")
    filled.store.put("far", "k", b"far")
    c = client(filled, region_name="eu-west-1")
    assert c.get_object(Bucket="far", Key="k")["Body"].read() == b"far"
    status, headers, _ = signed(filled, "GET", "/far/k")
    assert (status, headers["x-amz-bucket-region"]) == (301, "eu-west-1")
    filled.store.bucket("far").redirects = False
    status, headers, body = signed(filled, "GET", "/far/k")
    assert (status, headers["x-amz-bucket-region"]) == (400, "eu-west-1")
    assert b"AuthorizationHeaderMalformed" in body and b"<Region>eu-west-1</Region>" in body


# -- signatures


def signed(
    s3: FakeS3,
    method: str,
    target: str,
    *,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    key: tuple[str, str, str | None] = (KEY_ID, SECRET, None),
    service: str = "s3",
    region: str = "us-east-1",
    spoil: Callable[[dict[str, str]], None] = lambda headers: None,
    send: tuple[str, str] | None = None,
) -> tuple[int, dict[str, str], bytes]:
    """Send a request signed by botocore, then spoilt; `send`: another method and target than were signed."""
    request = AWSRequest(method, s3.url + target, data=body, headers=headers or {})
    signer = botocore.auth.S3SigV4Auth if service == "s3" else botocore.auth.SigV4Auth
    signer(Credentials(*key), service, region).add_auth(request)
    ready = {name: value for name, value in request.headers.items()}
    spoil(ready)
    connection = http.client.HTTPConnection("127.0.0.1", s3.port, timeout=5)
    try:
        connection.request(*(send or (method, target)), body=body or None, headers=ready)
        reply = connection.getresponse()
        return reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read()
    finally:
        connection.close()


def code_of(reply: tuple[int, dict[str, str], bytes]) -> tuple[int, str]:
    """Return the status and the code of an error."""
    return reply[0], reply[2].partition(b"<Code>")[2].partition(b"</Code>")[0].decode()


def alter(name: str, value: str | None) -> Callable[[dict[str, str]], None]:
    """Return an edit of a header, after signing."""

    def edit(headers: dict[str, str]) -> None:
        for key in [k for k in headers if k.lower() == name]:
            del headers[key]
        if value is not None:
            headers[name] = value

    return edit


def replace_in_authorization(old: str, new: str) -> Callable[[dict[str, str]], None]:
    """Return an edit of the Authorization header."""

    def edit(headers: dict[str, str]) -> None:
        assert old in headers["Authorization"]
        headers["Authorization"] = headers["Authorization"].replace(old, new)

    return edit


def test_a_good_signature_passes(filled: FakeS3) -> None:
    assert signed(filled, "GET", BODY)[::2] == (200, DATA)
    assert signed(filled, "GET", BODY + "?versionId=v000001&a=&b=%2F%20")[::2] == (200, DATA)
    assert signed(filled, "GET", BODY, headers={"Range": "bytes=0-1"}, key=(KEY_ID, SECRET, None))[0] == 206


WRONG: dict[str, tuple[dict[str, Any], tuple[int, str]]] = {
    "none": ({"spoil": alter("authorization", None)}, (403, "AccessDenied")),
    "not_v4": ({"spoil": alter("authorization", "AWS a:b")}, (400, "AuthorizationHeaderMalformed")),
    "secret": ({"key": (KEY_ID, SECRET + "x", None)}, (403, "SignatureDoesNotMatch")),
    "key": ({"key": ("AKIANOBODY", SECRET, None)}, (403, "InvalidAccessKeyId")),
    "token": ({"key": (KEY_ID, SECRET, "token")}, (400, "InvalidToken")),
    "service": ({"service": "sts"}, (400, "AuthorizationHeaderMalformed")),
    "region": ({"region": "eu-west-1"}, (400, "AuthorizationHeaderMalformed")),
    "method": ({"send": ("DELETE", BODY)}, (403, "SignatureDoesNotMatch")),
    "path": ({"send": ("GET", BODY + "2")}, (403, "SignatureDoesNotMatch")),
    "query": ({"send": ("GET", BODY + "?versionId=v000001")}, (403, "SignatureDoesNotMatch")),
    "no_date": ({"spoil": alter("x-amz-date", None)}, (403, "AccessDenied")),
    "date": ({"spoil": alter("x-amz-date", "20200101T000000Z")}, (403, "SignatureDoesNotMatch")),
    "no_hash": ({"spoil": alter("x-amz-content-sha256", None)}, (400, "MissingSecurityHeader")),
    "hash": ({"spoil": alter("x-amz-content-sha256", "0" * 64)}, (400, "XAmzContentSHA256Mismatch")),
    "unsigned": ({"spoil": alter("x-amz-request-payer", "requester")}, (403, "AccessDenied")),
    "host": ({"spoil": replace_in_authorization("host;", "")}, (403, "AccessDenied")),
    "order": (
        {"spoil": replace_in_authorization("host;x-amz-content-sha256", "x-amz-content-sha256;host")},
        (403, "SignatureDoesNotMatch"),
    ),
    "signed_header_altered": (
        {"headers": {"x-amz-meta-a": "1"}, "spoil": alter("x-amz-meta-a", "2")},
        (403, "SignatureDoesNotMatch"),
    ),
    "signature": ({"spoil": lambda h: h.update(Authorization=h["Authorization"][:-1] + "g")},
                  (400, "AuthorizationHeaderMalformed")),
    "signature_bit": (
        {"spoil": lambda h: h.update(
            Authorization=h["Authorization"][:-1] + ("0" if h["Authorization"][-1] != "0" else "1"))},
        (403, "SignatureDoesNotMatch"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_signature_is_refused(filled: FakeS3, name: str) -> None:
    arguments, expected = WRONG[name]
    if name in ("service", "region"):
        filled.store.bucket("models").redirects = False
    assert code_of(signed(filled, "GET", BODY, **arguments)) == expected
    assert filled.log[-1].code == expected[1]


@pytest.mark.parametrize("minutes", [-20, 20])
def test_a_clock_that_is_wrong_is_refused(filled: FakeS3, minutes: int) -> None:
    filled.skew = minutes * 60
    reply = signed(filled, "GET", BODY)
    assert code_of(reply) == (403, "RequestTimeTooSkewed")
    told = time.mktime(time.strptime(reply[1]["date"], "%a, %d %b %Y %H:%M:%S %Z")) - time.timezone
    assert abs(told - time.time() - minutes * 60) < 5
    filled.skew = minutes * 30
    assert signed(filled, "GET", BODY)[0] == 200


# -- where credentials come from


def test_roles(filled: FakeS3) -> None:
    filled.issuer.lifetimes["assume role"] = 2.0
    sts, arn = client(filled, "sts"), "arn:aws:iam::123456789012:role/reader"
    given = sts.assume_role(RoleArn=arn, RoleSessionName="s1")["Credentials"]
    key = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    assert signed(filled, "GET", BODY, key=key)[0] == 200
    assert code_of(signed(filled, "GET", BODY, key=(key[0], key[1], None))) == (400, "InvalidToken")
    time.sleep(2.1)
    assert code_of(signed(filled, "GET", BODY, key=key)) == (400, "ExpiredToken")
    wrong = client(filled, "sts", aws_secret_access_key="wrong")
    outcome = refused(lambda: wrong.assume_role(RoleArn=arn, RoleSessionName="s1"))
    assert outcome == ("SignatureDoesNotMatch", 403)
    assert refused(lambda: sts.assume_role(RoleArn="x" * 20, RoleSessionName="s1"))[0] == "ValidationError"


def test_web_identity(filled: FakeS3) -> None:
    sts, arn = client(filled, "sts"), "arn:aws:iam::123456789012:role/reader"
    ask = {"RoleArn": arn, "RoleSessionName": "pod", "WebIdentityToken": "web-token"}
    given = sts.assume_role_with_web_identity(**ask)["Credentials"]
    key = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    assert signed(filled, "GET", BODY, key=key)[0] == 200
    bad = ask | {"WebIdentityToken": "stolen"}
    assert refused(lambda: sts.assume_role_with_web_identity(**bad)) == ("InvalidIdentityToken", 400)
    filled.expire()
    assert filled.issuer.issued[0][0] == "web identity"
    assert code_of(signed(filled, "GET", BODY, key=key)) == (400, "ExpiredToken")


def fetch(url: str, method: str = "GET", **headers: str) -> tuple[int, bytes]:
    """Fetch by urllib."""
    request = urllib.request.Request(
        url, method=method, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_container_endpoint(filled: FakeS3) -> None:
    url = filled.url + "/credentials"
    assert fetch(url)[0] == 401
    assert fetch(url, Authorization="other")[0] == 401
    given = json.loads(fetch(url, Authorization="container-token")[1])
    key = (given["AccessKeyId"], given["SecretAccessKey"], given["Token"])
    assert signed(filled, "GET", BODY, key=key)[0] == 200


def test_instance_metadata_wants_a_token(filled: FakeS3) -> None:
    listed = filled.url + "/latest/meta-data/iam/security-credentials/"
    assert fetch(listed)[0] == 401
    assert fetch(filled.url + "/latest/api/token", "PUT")[0] == 400
    url = filled.url + "/latest/api/token"
    session = fetch(url, "PUT", X_aws_ec2_metadata_token_ttl_seconds="60")[1].decode()
    assert fetch(listed, X_aws_ec2_metadata_token="other")[0] == 401
    role = fetch(listed, X_aws_ec2_metadata_token=session)[1].decode()
    given = json.loads(fetch(listed + role, X_aws_ec2_metadata_token=session)[1])
    assert given["Code"] == "Success"
    key = (given["AccessKeyId"], given["SecretAccessKey"], given["Token"])
    assert signed(filled, "GET", BODY, key=key)[0] == 200
    region = fetch(filled.url + "/latest/meta-data/placement/region", X_aws_ec2_metadata_token=session)
    assert region == (200, b"us-east-1")


# -- faults


def test_rules_count(filled: FakeS3) -> None:
    filled.rules.set({"action": "status", "status": 503, "code": "SlowDown", "path": "blocks", "nth": [2, 3]})
    statuses = [signed(filled, "GET", BODY)[0] for _ in range(4)]
    assert statuses == [200, 503, 503, 200] == [seen.status for seen in filled.log]
    filled.rules.set({"action": "status", "status": 500, "every": 2, "times": 1, "method": "GET"})
    assert [signed(filled, "GET", BODY)[0] for _ in range(4)] == [200, 500, 200, 200]
    filled.rules.set({"action": "status", "status": 500, "since": 2, "ranged": False})
    assert [signed(filled, "GET", BODY)[0] for _ in range(3)] == [200, 500, 500]
    assert signed(filled, "GET", BODY, headers={"Range": "bytes=0-0"})[0] == 206
    with pytest.raises(ValueError, match="no action 'nothing'"):
        filled.rules.add(action="nothing")


REFUSALS = [
    ({"status": 500, "code": "InternalError"}, ("InternalError", 500)),
    ({"status": 503, "code": "SlowDown"}, ("SlowDown", 503)),
    ({"status": 429, "code": "TooManyRequestsException"}, ("TooManyRequestsException", 429)),
    ({"status": 403, "code": "ExpiredToken"}, ("ExpiredToken", 403)),
    ({"status": 400, "code": "RequestTimeout"}, ("RequestTimeout", 400)),
    ({"status": 304}, ("304", 304)),
]


@pytest.mark.parametrize(("rule", "expected"), REFUSALS)
def test_scripted_refusals(filled: FakeS3, rule: dict[str, Any], expected: tuple[str, int]) -> None:
    filled.rules.add(action="status", **rule)
    assert refused(lambda: get(filled)) == expected


def test_retry_after(filled: FakeS3) -> None:
    filled.rules.add(action="status", status=503, code="SlowDown", retry_after=700)
    assert signed(filled, "GET", BODY)[1]["x-amz-retry-after"] == "700"


BROKEN = [
    ({"action": "close"}, ConnectionClosedError),
    ({"action": "reset"}, ConnectionClosedError),
    ({"action": "garbage"}, ConnectionClosedError),
    ({"action": "cut_body"}, (IncompleteReadError, ResponseStreamingError)),
    ({"action": "cut_body", "at": 0}, (IncompleteReadError, ResponseStreamingError)),
    ({"action": "reset", "body": 100}, (ResponseStreamingError, ConnectionClosedError)),
]


def test_a_head_that_ends_early(filled: FakeS3) -> None:
    filled.rules.add(action="cut_head", at=20)
    with socket.create_connection(("127.0.0.1", filled.port), timeout=5) as plain:
        plain.sendall(b"GET /models/m/blocks HTTP/1.1\r\nHost: x\r\n\r\n")
        assert len(plain.recv(100, socket.MSG_WAITALL)) == 20


@pytest.mark.parametrize(("rule", "error"), BROKEN)
def test_connections_that_break(filled: FakeS3, rule: dict[str, Any], error: Any) -> None:
    filled.rules.add(**rule)
    with pytest.raises(error):
        get(filled)


SPOILT: list[tuple[dict[str, Any], bytes]] = [
    ({"action": "flip", "position": 7}, DATA[:7] + bytes([DATA[7] ^ 1]) + DATA[8:]),
    ({"action": "flip", "position": -1}, DATA[:-1] + bytes([DATA[-1] ^ 1])),
    ({"action": "shorten", "by": 3}, DATA[:-3]),
    ({"action": "lengthen", "by": 3}, DATA + b"\0\0\0"),
    ({"action": "overrun"}, DATA),
    ({"action": "chunked"}, DATA),
    ({"action": "until_close"}, DATA),
]


@pytest.mark.parametrize(("rule", "expected"), SPOILT)
def test_bodies_that_are_another(filled: FakeS3, rule: dict[str, Any], expected: bytes) -> None:
    filled.rules.add(**rule)
    assert get(filled) == expected


def test_heads_that_are_another(filled: FakeS3) -> None:
    part = {"headers": {"Range": "bytes=0-9"}}

    def once(**rule: Any) -> tuple[int, dict[str, str], bytes]:
        filled.rules.set(rule)
        return signed(filled, "GET", BODY, **part)

    assert once(action="whole")[::2] == (200, DATA)
    status, headers, body = once(action="shifted", by=5)
    assert (status, headers["content-range"], body) == (206, f"bytes 5-14/{len(DATA)}", DATA[5:15])
    assert once(action="wrong_range", value="bytes 1-10/11")[1]["content-range"] == "bytes 1-10/11"
    assert "etag" not in once(action="etag")[1]
    assert once(action="etag", value='"new"')[1]["etag"] == '"new"'
    assert once(action="portal")[2].startswith(b"<!DOCTYPE html>")
    assert once(action="header", name="x-odd", value="1")[1]["x-odd"] == "1"
    status, headers, body = once(action="gzipped")
    assert (headers["content-encoding"], gzip.decompress(body)) == ("gzip", DATA[:10])
    with pytest.raises(http.client.HTTPException):
        once(action="huge_head")
    moved = once(action="redirect", to="http://127.0.0.1:1/x", status=302)
    assert (moved[0], moved[1]["location"]) == (302, "http://127.0.0.1:1/x")
    filled.rules.set({"action": "unconditional"})
    assert signed(filled, "GET", BODY, headers={"If-Match": '"no"'})[0] == 200


def test_what_happens_meanwhile(filled: FakeS3) -> None:
    called: list[FakeS3] = []
    filled.rules.set(
        {"action": "overwrite", "key": "m/blocks", "data": "new", "nth": 2},
        {"action": "delete", "key": "m/blocks", "nth": 3},
        {"action": "skew", "seconds": 1200, "nth": 4},
        {"action": "call", "function": called.append, "nth": 1},
    )
    assert [signed(filled, "GET", BODY)[0] for _ in range(4)] == [200, 200, 404, 403]
    assert called == [filled]
    filled.skew = 0
    filled.rules.set({"action": "refuse", "nth": 1})
    assert signed(filled, "GET", BODY)[0] == 404
    with pytest.raises(EndpointConnectionError):
        get(filled)
    filled.start()
    assert signed(filled, "GET", BODY)[0] == 404


@pytest.mark.parametrize(
    "rule",
    [
        {"action": "delay_head", "seconds": 0.4},
        {"action": "delay_body", "seconds": 0.4, "after": 5000},
        {"action": "drip", "rate": 25600},
    ],
)
def test_slowness(filled: FakeS3, rule: dict[str, Any]) -> None:
    filled.rules.add(**rule)
    start = time.monotonic()
    assert get(filled) == DATA
    assert 0.25 < time.monotonic() - start < 2


def test_stopping_ends_what_is_slow(filled: FakeS3) -> None:
    filled.rules.add(action="drip", rate=1)
    ended = threading.Event()

    def read() -> None:
        with pytest.raises((ResponseStreamingError, ConnectionClosedError, IncompleteReadError)):
            get(filled)
        ended.set()

    threading.Thread(target=read, daemon=True).start()
    time.sleep(0.3)
    filled.stop()
    assert ended.wait(3)


# -- TLS


def test_tls(tmp_path: Path) -> None:
    trusted, stranger = Authority(tmp_path / "a"), Authority(tmp_path / "b", "a stranger")
    cases: list[tuple[ssl.SSLContext, str | None]] = [
        (trusted.context(), None),
        (stranger.context(), "unable to get local issuer|self-signed"),
        (trusted.context("DNS:elsewhere.test"), "doesn't match"),
        (trusted.context(expired=True), "expired"),
    ]
    for context, failure in cases:
        with FakeS3(tls=context) as s3:
            s3.store.put("models", "m/blocks", DATA)
            c = client(s3, verify=str(trusted.certificate))
            if failure is None:
                assert c.get_object(Bucket="models", Key="m/blocks")["Body"].read() == DATA
            else:
                with pytest.raises(SSLError, match=failure):
                    c.get_object(Bucket="models", Key="m/blocks")
                assert s3.log == []


# -- the command


def test_the_command(tmp_path: Path) -> None:
    (tmp_path / "data" / "models" / "m").mkdir(parents=True)
    (tmp_path / "data" / "models" / "m" / "blocks").write_bytes(DATA)
    args = [sys.executable, str(Path(__file__).parent / "fake_s3.py"), "--directory", str(tmp_path / "data")]
    with subprocess.Popen(args, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline().removeprefix("export ").strip() for _ in range(10)]
        said = dict(line.split("=", 1) for line in lines)
        url = said["AWS_ENDPOINT_URL_S3"]
        s3 = FakeS3(port=int(url.rpartition(":")[2]))
        assert get(s3) == DATA
        client(s3).put_object(Bucket="models", Key="m/new", Body=b"new")
        assert (tmp_path / "data" / "models" / "m" / "new").read_bytes() == b"new"
        rules = json.dumps([{"action": "status", "status": 503}]).encode()
        urllib.request.urlopen(urllib.request.Request(url + "/_fake/rules", rules, method="PUT"), timeout=5)
        assert signed(s3, "GET", BODY)[0] == 503
        seen = json.loads(fetch(url + "/_fake/log")[1])
        assert [entry["status"] for entry in seen] == [200, 200, 503]
        process.terminate()


def test_it_is_fast_enough(filled: FakeS3) -> None:
    c = client(filled)
    start = time.process_time()
    for _ in range(200):
        c.head_object(Bucket="models", Key="m/blocks")
    assert time.process_time() - start < 1.5  # client and server together


def test_keep_alive(filled: FakeS3) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", filled.port, timeout=5)
    locals_: set[Any] = set()
    for _ in range(3):
        connection.request("GET", "/latest/x")
        connection.getresponse().read()
        assert isinstance(connection.sock, socket.socket)
        locals_.add(connection.sock.getsockname())
    connection.close()
    assert len(locals_) == 1
