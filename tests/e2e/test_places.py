"""What a URI and the environment say about where a bundle is, held against what the server sees."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from backends import BUCKET
from fake_aws.certificates import Authority
from fake_s3 import FakeS3
from live import Live
from versions import version

URI = f"s3://{BUCKET}/cars/"


def put(s3: FakeS3, prefix: str = "cars/", bucket: str = BUCKET) -> Callable[[str, bytes], object]:
    """Return what puts a file of the bundle."""
    return lambda name, content: s3.store.put(bucket, prefix + name, content)


def serves(s3: FakeS3, uri: str, label: str = "v1", **env: str) -> None:
    """Hold that a daemon serves a version from a URI."""
    with Live(uri, env=s3.env() | env) as live:
        live.serves(label)


def test_path_and_virtual_host(s3: FakeS3) -> None:
    version(1).publish(put(s3))
    serves(s3, URI)
    assert {seen.host for seen in s3.log} == {f"127.0.0.1:{s3.port}"}
    since = len(s3.log)
    serves(s3, f"{URI}?endpoint=http://localhost:{s3.port}&path_style=false")
    assert {seen.host for seen in s3.requests(since=since)} == {f"{BUCKET}.localhost:{s3.port}"}
    assert all(seen.status < 400 for seen in s3.log)


@pytest.mark.parametrize("prefix", ["", "a/b/c/", "odd (1)+ü~*'!/", "x=y&z/", "a//b/", "%41/", "€/😀/"])
def test_prefixes_are_taken_as_they_are(s3: FakeS3, prefix: str) -> None:
    version(1).publish(put(s3, prefix))
    serves(s3, f"s3://{BUCKET}/{prefix}")
    assert all(seen.status < 400 for seen in s3.log)


def test_regions(s3: FakeS3) -> None:
    s3.store.bucket(BUCKET, create=True).region = "eu-west-3"
    version(1).publish(put(s3))
    serves(s3, URI + "?region=eu-west-3")
    assert all(seen.status == 200 for seen in s3.log[:4])
    s3.log.clear()
    serves(s3, URI)
    assert [seen.status for seen in s3.log].count(301) == 1  # once told, it is known


def test_requester_pays(s3: FakeS3) -> None:
    version(1).publish(put(s3))
    s3.store.bucket(BUCKET).requester_pays = True
    serves(s3, URI + "?requester_pays=true")
    assert all(seen.headers["x-amz-request-payer"] == "requester" for seen in s3.log)


def test_a_version_of_the_manifest(s3: FakeS3) -> None:
    version(1).publish(put(s3))
    held = s3.store.bucket(BUCKET).current("cars/bundle.json")
    version(2).publish(put(s3))
    assert held is not None
    serves(s3, f"{URI}?version_id={held.id}", "v1")
    serves(s3, URI, "v2")


def test_a_pin_is_kept_to(s3: FakeS3) -> None:
    version(1).publish(put(s3))
    version(2).publish(put(s3))
    with Live(f"{URI}#sha256={version(1).sha256}", env=s3.env()) as live:
        live.serves("v1")
        asked = len(s3.log)
        live.wait("nothing more is asked", lambda s: s["reload"]["next"] is None)
        assert len(s3.log) == asked
    assert not s3.requests("/bundle.json")


def test_polls_cost_nothing(s3: FakeS3) -> None:
    version(1).publish(put(s3))
    with Live(URI, env=s3.env()) as live:
        live.serves("v1")
        live.wait("some polls", lambda s: s["reload"]["attempts"] >= 5)
    polls = s3.requests("/bundle.json")[1:]
    assert len(polls) >= 4 and {seen.status for seen in polls} == {304}


def test_what_versions_share_is_fetched_once(s3: FakeS3, tmp_path: Path) -> None:
    version(1).publish(put(s3))
    with Live(URI, "--cache", str(tmp_path), env=s3.env()) as live:
        live.serves("v1")
        version(2).publish(put(s3))
        live.serves("v2")
    shared = set(version(1).files) & set(version(2).files) - {"bundle.json"}
    assert shared  # the profile
    for name in shared:
        assert len(s3.requests(name)) == 1


def test_large_blocks_come_in_parts(s3: FakeS3) -> None:
    large = version(1, 20 << 20).publish(put(s3))
    serves(s3, URI)
    parts = s3.requests(large.name("blocks"))
    assert len(parts) >= 3 and all(seen.status == 206 for seen in parts)
    assert all("if-match" in seen.headers for seen in parts[1:])


def test_a_proxy(s3: FakeS3) -> None:
    version(1).publish(put(s3))
    serves(
        s3,
        URI,
        AWS_ENDPOINT_URL_S3="http://storage.test:1234",
        http_proxy=s3.url,
        NO_PROXY="",
        no_proxy="",
    )
    assert {seen.host for seen in s3.log} == {"storage.test:1234"}


def test_tls(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    with FakeS3(tls=authority.context()) as s3:
        version(1).publish(put(s3))
        serves(s3, URI, AWS_CA_BUNDLE=str(authority.certificate))


def test_a_key_of_the_customer(tmp_path: Path) -> None:
    key = bytes(range(32))
    md5 = base64.b64encode(hashlib.md5(key).digest()).decode()
    (tmp_path / "key").write_bytes(key)
    authority = Authority(tmp_path / "ca")
    with FakeS3(tls=authority.context()) as s3:

        def locked(name: str, content: bytes) -> None:
            s3.store.put(BUCKET, "cars/" + name, content, locked_by=md5)

        version(1).publish(locked)
        env = s3.env() | {"AWS_CA_BUNDLE": str(authority.certificate)}
        with Live(URI, env=env | {"SCORED_S3_SSE_C_KEY_FILE": str(tmp_path / "key")}) as live:
            live.serves("v1")
            assert base64.b64encode(key).decode() not in live.daemon.log()
        with Live(URI, env=env) as live:
            live.fails("poll", "400|encrypt|SSE", refused=False)
