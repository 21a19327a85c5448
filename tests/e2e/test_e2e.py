"""Models come from S3 and change in place: against every server that is chosen."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from backends import BUCKET, CHOSEN, SERVERS, Backend
from live import Live
from versions import corrupt, version, wrong_golden

from wire import ask

PREFIX = "prices/"
URI = f"s3://{BUCKET}/{PREFIX}"


@pytest.fixture(scope="module", params=CHOSEN)
def backend(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """A server with an empty bucket."""
    with SERVERS[request.param](tmp_path_factory.mktemp(request.param)) as running:
        running.client().create_bucket(Bucket=BUCKET)
        yield running


@pytest.fixture
def live(backend: Backend, tmp_path: Path) -> Iterator[Live]:
    """A daemon that serves version 1, with a cache, and clients that go on all the time."""
    put = backend.putter(PREFIX)
    version(1).publish(put)
    with Live(URI, "--cache", str(tmp_path), env=backend.env) as live:
        live.serves("v1")
        with live.traffic:
            yield live
        assert live.traffic.failed == []


def test_a_version_in_place_rollback_and_a_corrupt_one(backend: Backend, live: Live) -> None:
    put = backend.putter(PREFIX)
    version(2).publish(put)
    status = live.serves("v2")
    assert status["sha256"] == version(2).sha256
    assert [kept["version"] for kept in status["versions"]] == ["v1"]
    assert live.predict("v1").version == "v1"
    assert live.admin("rollback").status == 200
    live.serves("v1")
    before = live.status()["reload"]["attempts"]
    live.wait("some polls", lambda s: s["reload"]["attempts"] > before + 2)
    assert live.status()["version"] == "v1"  # v2 is still what S3 has: it is refused
    live.admin("reload", {"force": True})
    live.serves("v2")
    corrupt(3).publish(put)
    live.fails("fetch", corrupt(3).name("blocks"), refused=False)
    assert live.status()["version"] == "v2"
    version(3).publish(put)
    live.serves("v3")
    assert live.traffic.seen() == ["v1", "v2", "v1", "v2", "v3"]


def test_a_version_that_answers_otherwise_is_refused_once_and_for_all(backend: Backend, live: Live) -> None:
    put = backend.putter(PREFIX)
    wrong_golden(4).publish(put)
    status = live.fails("golden", "expected", refused=True)
    assert [entry["sha256"] for entry in status["refused"]] == [wrong_golden(4).sha256]
    assert status["version"] == "v1"
    attempts = status["reload"]["attempts"]
    live.wait("some polls", lambda s: s["reload"]["attempts"] > attempts + 2)
    version(4).publish(put)
    live.serves("v4")
    assert live.traffic.seen() == ["v1", "v4"]


def test_the_cache_serves_without_s3(backend: Backend, tmp_path: Path) -> None:
    version(5).publish(backend.putter(PREFIX))
    flags = ("--cache", str(tmp_path))
    with Live(URI, *flags, env=backend.env) as live:
        live.serves("v5")
    elsewhere = backend.env | {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1"}
    with Live(URI, *flags, env=elsewhere) as live:
        assert live.serves("v5")["reload"]["from_cache"] is True
        live.fails("poll", refused=False)
        assert live.ready().status == 200


def test_errors_are_counted_by_the_fields_of_a_model_that_came_later(backend: Backend) -> None:
    version(1).publish(backend.putter(PREFIX))
    with Live(URI, env=backend.env) as live:
        live.serves("v1")
        assert ask(live.daemon.port, "POST", "/predict", json.dumps({"make": "Opel", "km": "far"}).encode()).status == 422
        metrics = ask(live.daemon.port, "GET", "/metrics").body.decode()
        assert 'scored_row_errors_total{model="m",field="km",type="urn:scored:wrong-type"} 1' in metrics


def test_wrong_keys_are_told(backend: Backend) -> None:
    version(1).publish(backend.putter(PREFIX))
    with Live(URI, env=backend.env | {"AWS_SECRET_ACCESS_KEY": "wrong"}) as live:
        status = live.fails("poll", "403", refused=False)
        assert status["http"] == 503
        reply = live.ready()
        assert reply.status == 503 and b"SignatureDoesNotMatch" in reply.body
        with contextlib.suppress(KeyError):
            assert backend.env["AWS_SECRET_ACCESS_KEY"] not in live.daemon.log()
