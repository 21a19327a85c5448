"""What only an operator gets to see and to do, and what the probes leave in the log."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from daemon import Daemon
from wire import Connection, ask, request

RELOAD = "/models/{}/reload"
SECRET = "nobody-may-read-this"


class Empty(BaseHTTPRequestHandler):
    """A store that has no bucket."""

    def do_GET(self) -> None:
        """S3's own 404, whatever is asked for."""
        body = b"<Error><Code>NoSuchBucket</Code><Message>" + SECRET.encode() + b"</Message></Error>"
        self.send_response(404)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def unloaded() -> Iterator[Daemon]:
    """A daemon whose model cannot be had; where it should have come from is a secret."""
    store = HTTPServer(("127.0.0.1", 0), Empty)
    threading.Thread(target=store.serve_forever, daemon=True).start()
    uri = f"m=s3://{SECRET}/a/?endpoint=http://127.0.0.1:{store.server_port}&region=x"
    d = Daemon(models=(uri,), env={"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"})
    end = time.monotonic() + 30
    while SECRET not in d.log():
        assert time.monotonic() < end
        time.sleep(0.02)
    yield d
    assert d.stop() == 0
    store.shutdown()


PUBLIC = [
    ("GET", "/readyz"),
    ("GET", "/healthz"),
    ("POST", "/predict"),
    ("POST", "/models/m/predict"),
    ("GET", "/models/m"),
    ("GET", "/models/m/schema"),
    ("GET", "/models"),
    ("POST", "/models/m/versions/v1/predict"),
]


@pytest.mark.parametrize(("method", "target"), PUBLIC)
def test_the_public_listener_names_no_place(unloaded, method, target):
    reply = ask(unloaded.port, method, target, b"{}" if method == "POST" else None)
    assert reply.status in (200, 404, 503)
    text = reply.body.decode()
    assert SECRET not in text and "127.0.0.1" not in text and "s3" not in text.lower()


def test_the_public_listener_says_what_failed(unloaded):
    assert ask(unloaded.port, "GET", "/readyz").json["models"]["m"] == "not loaded: poll failed"
    error = ask(unloaded.port, "POST", "/predict", b"{}").json["reload"]["last_error"]
    assert error["phase"] == "poll" and not error["refused"]


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8081", "localhost.", "127.0.0.1:8081", "[::1]:8081"])
def test_an_operator_is_told_why(unloaded, host):
    assert SECRET in ask(unloaded.admin, "GET", "/readyz", host=host).body.decode()
    assert SECRET in ask(unloaded.admin, "GET", "/models/m", host=host).json["reload"]["last_error"]["detail"]


@pytest.mark.parametrize("headers", [{"Origin": "http://localhost:8081"}, {"Origin": "null"}])
def test_a_page_of_a_browser_is_no_operator(unloaded, headers):
    assert SECRET not in ask(unloaded.admin, "GET", "/models/m", headers=headers).body.decode()
    refused = ask(unloaded.admin, "POST", "/models/m/reload", b"{}", headers=headers)
    assert (refused.status, refused.json["type"]) == (403, "urn:scored:forbidden")


@pytest.mark.parametrize(
    "host", ["rebound.example", "localhost.evil.example", "127.0.0.1.evil.example", "localhostx", "1.2.3", "ops"]
)
def test_a_foreign_name_is_no_operator(unloaded, host):
    assert SECRET not in ask(unloaded.admin, "GET", "/readyz", host=host).body.decode()
    for what in ("reload", "rollback"):
        refused = ask(unloaded.admin, "POST", f"/models/m/{what}", b"{}", host=host)
        assert (refused.status, refused.json["type"]) == (403, "urn:scored:forbidden")
        assert "--admin-hosts" in refused.json["detail"]
    assert ask(unloaded.admin, "GET", "/livez", host=host).status == 200


def test_names_of_the_admin_listener_are_a_setting(manifest):
    d = Daemon("--admin-hosts", "scored-admin.models.svc,ops")
    target = RELOAD.format(manifest["name"])
    try:
        for host in ("ops", "OPS:8081", "scored-admin.models.svc:8081", "localhost"):
            assert ask(d.admin, "POST", target, b"{}", host=host).status == 202
        assert ask(d.admin, "POST", target, b"{}", host="scored-admin").status == 403
        text = ask(d.admin, "GET", "/metrics").body.decode()
        assert f'scored_requests_total{{route="{RELOAD.format("{name}")}",status="403"}} 1' in text
        of_model = f'route="{RELOAD.format("{name}")}",model="{manifest["name"]}"'
        assert f'scored_requests_total{{{of_model},status="202"}} 4' in text
    finally:
        assert d.stop() == 0


def test_openapi_lists_what_its_listener_serves(daemon, manifest):
    name = manifest["name"]
    for port, has, has_not in (
        (daemon.port, f"/models/{name}/predict", f"/models/{name}/reload"),
        (daemon.admin, f"/models/{name}/reload", f"/models/{name}/predict"),
    ):
        paths = ask(port, "GET", "/openapi.json").json["paths"]
        assert has in paths and has_not not in paths and "/livez" in paths
        for path, operations in paths.items():
            path = path.replace("{version}", manifest["version"])
            for method in operations.keys() - {"parameters"}:
                reply = ask(port, method.upper(), path, b"{" if method == "post" else None)
                assert reply.status not in (404, 405), path


def test_probes_while_it_stops_log_no_error(row):
    d = Daemon("--lame-duck", "1")
    with Connection(d.port) as c:
        data = request("POST", "/predict", json.dumps(row))
        c.send(data[:-10])
        time.sleep(0.2)
        d.terminate()
        end = time.monotonic() + 20
        while ask(d.port, "GET", "/readyz").status != 503:
            assert time.monotonic() < end
        for port in (d.port, d.admin):
            for target in ("/readyz", "/healthz", "/livez"):
                ask(port, "GET", target)
        c.send(data[-10:])
        assert c.read() is not None
    assert d.stop() == 0
    # the log is closed by now; its last text was kept
    assert "not-ready" not in d.last_log and "error" not in d.last_log
