# SPDX-License-Identifier: Apache-2.0
"""Pages of other origins: what their browsers are told, and that others are told nothing."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import Browser
from daemon import BIN, BUNDLE, Daemon
from wire import Reply, ask

SHOP, OTHER = "https://shop.example", "http://other.example:8000"
PAGES = ["/models", "/models/{}", "/models/{}/schema", "/openapi.json", "/version"]
NOT_FOR_PAGES = ["/livez", "/readyz", "/healthz", "/metrics", "/none", "/"]
NAME = json.loads((BUNDLE / "bundle.json").read_text())["name"]


@pytest.fixture(scope="module")
def shared() -> Iterator[Daemon]:
    """A daemon that two origins may ask."""
    d = Daemon("--cors-origins", f"{SHOP},{OTHER}")
    yield d
    assert d.stop() == 0


def cors(reply: Reply) -> dict[str, str]:
    """What is said of it."""
    return {k.removeprefix("access-control-"): v for k, v in reply.headers.items() if k.startswith("access-control-")}


def get(port: int, target: str, origin: str | None = SHOP, method: str = "GET", **headers: str) -> Reply:
    """A page's request, as a browser sends it."""
    sent = ({"Origin": origin} if origin else {}) | {k.replace("_", "-"): v for k, v in headers.items()}
    return ask(port, method, target.format(NAME), headers=sent)


def preflight(port: int, target: str, origin: str = SHOP, method: str = "POST") -> Reply:
    """What a browser asks before it asks."""
    return get(port, target, origin, "OPTIONS", Access_Control_Request_Method=method, Access_Control_Request_Headers="content-type")


@pytest.mark.parametrize("target", [*PAGES, *NOT_FOR_PAGES, "/predict"])
def test_nothing_is_said_by_default(daemon: Daemon, target: str) -> None:
    for port in (daemon.port, daemon.admin):
        for reply in (get(port, target), preflight(port, target)):
            assert cors(reply) == {} and "Origin" not in reply.headers.get("vary", "")


@pytest.mark.parametrize("target", PAGES)
def test_an_origin_of_the_list_may_read(shared: Daemon, target: str) -> None:
    for origin in (SHOP, OTHER):
        said = cors(get(shared.port, target, origin))
        exposed = said.pop("expose-headers").split(", ")
        assert said == {"allow-origin": origin}
        assert {"X-Scored-Unknown-Fields", "X-Request-Id", "X-Model-Version", "Retry-After", "WWW-Authenticate"} <= set(exposed)


def test_each_reply_of_the_list_varies(shared: Daemon) -> None:
    for origin in (SHOP, None, "https://evil.example"):
        assert get(shared.port, "/models", origin).headers["vary"] == "Origin"
        assert get(shared.port, "/openapi.json", origin, Accept_Encoding="gzip").headers["vary"] == "Accept-Encoding, Origin"
    assert "Origin" not in get(shared.port, "/metrics").headers.get("vary", "")


NOT_LISTED = [
    "https://evil.example", "null", "https://shop.example.evil.example", "https://shop.exampl", "http://shop.example",
    "https://shop.example:443", "https://SHOP.example", f"{SHOP},{OTHER}", "", "https://shop.example/",
]  # fmt: skip


@pytest.mark.parametrize("origin", NOT_LISTED)
def test_another_origin_is_told_nothing(shared: Daemon, origin: str) -> None:
    for reply in (get(shared.port, "/models", origin), preflight(shared.port, "/predict", origin)):
        assert reply.status in (200, 204) and cors(reply) == {}


@pytest.mark.parametrize("target", NOT_FOR_PAGES)
def test_probes_metrics_and_the_page_are_for_no_other_origin(shared: Daemon, target: str) -> None:
    assert cors(get(shared.port, target, Accept="text/html,*/*")) == {} and cors(preflight(shared.port, target)) == {}


@pytest.mark.parametrize("target", [*PAGES, "/models/{}/reload"])
def test_the_admin_listener_is_for_no_other_origin(shared: Daemon, target: str) -> None:
    assert cors(get(shared.admin, target)) == {} and cors(preflight(shared.admin, target)) == {}


def test_a_browser_is_told_what_it_may_send(shared: Daemon) -> None:
    for target, method in (("/predict", "POST"), ("/models/{}/predict", "POST"), ("/models", "GET")):
        reply = preflight(shared.port, target, method=method)
        said = cors(reply)
        assert (reply.status, reply.body, reply.headers["vary"]) == (204, b"", "Origin")
        assert {"Content-Type", "Authorization", "X-Request-Id", "traceparent"} <= set(said.pop("allow-headers").split(", "))
        assert said == {"allow-origin": SHOP, "allow-methods": "GET, HEAD, POST, OPTIONS", "max-age": "600"}


def test_cookies_are_for_nobody(shared: Daemon) -> None:
    for reply in (get(shared.port, "/models"), preflight(shared.port, "/predict")):
        assert "allow-credentials" not in cors(reply)


def test_a_problem_can_be_read(shared: Daemon) -> None:
    reply = ask(shared.port, "POST", "/predict", "{", headers={"Origin": SHOP})
    assert reply.status == 400 and cors(reply)["allow-origin"] == SHOP


def test_options_without_a_question_are_as_ever(shared: Daemon) -> None:
    reply = get(shared.port, "/predict", method="OPTIONS")
    assert (reply.status, reply.headers["allow"]) == (204, "POST, OPTIONS") and set(cors(reply)) == {"allow-origin", "expose-headers"}


def test_all_origins(row: dict[str, Any]) -> None:
    d = Daemon("--cors-origins", "*")
    try:
        for origin in (SHOP, None, "null"):
            reply = get(d.port, "/models", origin)
            assert cors(reply)["allow-origin"] == "*" and "vary" not in reply.headers
        assert cors(preflight(d.port, "/predict"))["allow-origin"] == "*"
        assert cors(get(d.admin, "/models")) == {} and cors(get(d.port, "/metrics")) == {}
    finally:
        assert d.stop() == 0


def test_a_token_is_needed_but_not_to_ask_whether(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text(f"sha256:{hashlib.sha256(b't').hexdigest()} admin t\n")
    d = Daemon("--cors-origins", SHOP, "--tokens", str(file), headers={"Authorization": "Bearer t"})
    try:
        assert preflight(d.port, "/predict").status == 204
        assert preflight(d.port, "/predict", OTHER).status == 401
        assert preflight(d.port, "/metrics").status == 401
        assert preflight(d.admin, "/models/{}/reload").status == 401
        refused = get(d.port, "/models")
        assert refused.status == 401 and cors(refused)["allow-origin"] == SHOP
        assert get(d.port, "/models", Authorization="Bearer t").status == 200
    finally:
        assert d.stop() == 0


@pytest.mark.parametrize(
    "value", ["shop.example", "https://shop.example/", "https://Shop.example", "https://a,*", "https://a, https://b", ",", "null", "https://", "https://a/b"]
)
def test_what_is_no_origin_is_refused(value: str) -> None:
    args = [str(BIN), "serve", "--model", str(BUNDLE), "--listen", "127.0.0.1:0", "--admin-listen", "off", "--cors-origins", value]
    done = subprocess.run(args, capture_output=True, text=True, timeout=20)
    assert done.returncode == 2 and "--cors-origins (SCORED_CORS_ORIGINS) takes" in done.stderr


def test_a_browser_reads_what_it_may(shared: Daemon, daemon: Daemon, row: dict[str, Any], answer: dict[str, Any]) -> None:
    """From a page of another port, which is another origin."""
    d = Daemon("--cors-origins", f"http://127.0.0.1:{daemon.port}")
    b = Browser()
    try:
        b.open(f"http://127.0.0.1:{daemon.port}/livez")
        b.until("document.body && document.body.textContent.includes('live')")

        def fetch(port: int) -> Any:
            options = {"method": "POST", "headers": {"Content-Type": "application/json"}, "body": json.dumps(row)}
            return b.run(f"fetch('http://127.0.0.1:{port}/predict', {json.dumps(options)}).then(async r => [await r.json(), r.headers.get('X-Model-Name')], e => e.name)")

        assert fetch(d.port) == [answer, NAME]
        assert fetch(shared.port) == "TypeError"
    finally:
        b.close()
        assert d.stop() == 0
