# SPDX-License-Identifier: Apache-2.0
"""Bearer tokens: who may ask for what, what a refusal says and costs, and files of tokens that change."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import Browser
from daemon import BIN, BUNDLE, Daemon, until
from wire import Connection, Reply, ask, request

HTML = {"Accept": "text/html"}
PREDICT = "scored_" + "5" * 64
ADMIN = "admin-token"
OTHER = "other.token~of+any/kind=="
UNKNOWN = {"type": "urn:scored:unauthorized", "title": "This needs a token that is known", "status": 401}


def digest(token: str) -> str:
    """What a file has of a token."""
    return "sha256:" + hashlib.sha256(token.encode()).hexdigest()


LINES = f"# who may ask\n\n{digest(PREDICT)} predict shop\n{digest(ADMIN).upper().replace('SHA256', 'sha256')}\tadmin  ops-1\r\n"


def bearer(token: str) -> dict[str, str]:
    """The header that has it."""
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon that wants tokens."""
    file = tmp_path_factory.mktemp("tokens") / "tokens"
    file.write_text(LINES)
    d = Daemon("--tokens", str(file), "--probe-listen", "127.0.0.1:0", "--access-log", "all", "--log-level", "debug", headers=bearer(ADMIN))
    yield d
    assert d.stop() == 0
    for token in (PREDICT, ADMIN, OTHER):
        assert token not in d.last_log and hashlib.sha256(token.encode()).hexdigest() not in d.last_log


def probe_port(d: Daemon) -> int:
    """Its third listener."""
    return int(re.search(r"probe=\S*?:(\d+)", d.log())[1])  # type: ignore[index]


GETS = ["/models", "/models/{}", "/models/{}/schema", "/openapi.json", "/metrics", "/version", "/none", "/models/a%20b"]


def tell(d: Daemon, method: str, target: str, headers: dict[str, str], admin: bool = False) -> Reply:
    """What comes of a request."""
    name = json.loads((BUNDLE / "bundle.json").read_text())["name"]
    return ask(d.admin if admin else d.port, method, target.format(name), b"{}" if method == "POST" else None, headers=headers)


def refused(reply: Reply) -> None:
    """Without a word on what was wrong with the token."""
    assert reply.status == 401 and reply.headers["www-authenticate"] == 'Bearer realm="scored"'
    said = reply.json
    assert said.pop("detail") == "send one that is known here: Authorization: Bearer TOKEN"
    assert said == UNKNOWN


@pytest.mark.parametrize("target", GETS)
@pytest.mark.parametrize("admin", [False, True])
def test_without_a_token_nothing_is_read(closed: Daemon, target: str, admin: bool) -> None:
    for method in ("GET", "PUT", "OPTIONS", "ODD"):
        refused(tell(closed, method, target, {}, admin))


@pytest.mark.parametrize("target", ["/predict", "/models/{}/predict", "/models/{}/versions/v/predict", "/models/none/predict"])
def test_without_a_token_nothing_is_predicted(closed: Daemon, target: str) -> None:
    refused(tell(closed, "POST", target, {}))
    assert tell(closed, "POST", target, bearer(PREDICT)).status in (404, 422)


def test_a_token_answers(closed: Daemon, row: dict[str, Any], answer: dict[str, Any]) -> None:
    for token in (PREDICT, ADMIN):
        for scheme in ("Bearer ", "bearer ", "BEARER   "):
            reply = ask(closed.port, "POST", "/predict", json.dumps(row), headers={"Authorization": scheme + token})
            assert (reply.status, reply.json) == (200, answer)
    assert [tell(closed, "GET", t, bearer(PREDICT)).status for t in GETS] == [200, 200, 200, 200, 200, 200, 404, 400]


WRONG = [
    "Bearer " + OTHER,
    "Bearer",
    "Bearer ",
    "Basic " + PREDICT,
    PREDICT,
    "Bearer " + PREDICT[:-1],
    "Bearer " + PREDICT + "5",
    "Bearer " + PREDICT.upper(),
    "Bearer " + hashlib.sha256(PREDICT.encode()).hexdigest(),
    "Bearer x" * 1000,
]


@pytest.mark.parametrize("value", WRONG, ids=range(len(WRONG)))
def test_a_wrong_token_is_told_no_more_than_none(closed: Daemon, value: str) -> None:
    refused(tell(closed, "POST", "/predict", {"Authorization": value}))
    refused(tell(closed, "POST", "/models/{}/reload", {"Authorization": value}, admin=True))


def test_two_tokens_are_none(closed: Daemon) -> None:
    line = f"Authorization: Bearer {PREDICT}\r\n"
    with Connection(closed.port) as c:
        c.send(request("GET", "/models", headers={}).replace(b"\r\n\r\n", b"\r\n" + (line * 2).encode() + b"\r\n"))
        reply = c.read()
        assert reply
        refused(reply)


def test_the_other_scope_is_named(closed: Daemon) -> None:
    for method, target in (("POST", "/models/{}/reload"), ("POST", "/models/{}/rollback"), ("GET", "/metrics"), ("GET", "/none")):
        reply = tell(closed, method, target, bearer(PREDICT), admin=True)
        assert (reply.status, reply.json["type"]) == (403, "urn:scored:wrong-scope")
        assert reply.json["detail"] == 'this needs a token of the scope "admin"'
        assert reply.headers["www-authenticate"] == 'Bearer realm="scored", error="insufficient_scope", scope="admin"'
    assert tell(closed, "POST", "/models/{}/reload", bearer(ADMIN), admin=True).status == 202
    assert tell(closed, "GET", "/metrics", bearer(ADMIN), admin=True).status == 200


def test_an_operators_page_is_refused_with_a_token_too(closed: Daemon) -> None:
    reply = tell(closed, "POST", "/models/{}/reload", bearer(ADMIN) | {"Origin": "http://localhost"}, admin=True)
    assert (reply.status, reply.json["type"]) == (403, "urn:scored:forbidden")


def test_probes_need_none(closed: Daemon) -> None:
    for port in (closed.port, closed.admin, probe_port(closed)):
        for target in ("/livez", "/readyz", "/healthz"):
            assert ask(port, "GET", target).status == 200
    refused(ask(probe_port(closed), "GET", "/metrics"))
    assert ask(probe_port(closed), "GET", "/metrics", headers=bearer(PREDICT)).status == 200


def test_the_page_needs_none(closed: Daemon) -> None:
    assert ask(closed.port, "GET", "/", headers=HTML).status == 200
    refused(ask(closed.port, "GET", "/"))


def test_openapi_says_it(closed: Daemon, daemon: Daemon, manifest: dict[str, Any]) -> None:
    for port, token, scope in ((closed.port, PREDICT, "predict"), (closed.admin, ADMIN, "admin")):
        said = ask(port, "GET", "/openapi.json", headers=bearer(token)).json
        (scheme,) = said["components"]["securitySchemes"].items()
        assert scheme == ("token", {"type": "http", "scheme": "bearer", "description": f"a token of the scope {scope}"})
        for path, item in said["paths"].items():
            for operation in item.values():
                free = path in ("/livez", "/readyz", "/healthz")
                assert operation.get("security") == (None if free else [{"token": []}])
                assert ("401" in operation["responses"]) is not free
    text = ask(daemon.port, "GET", "/openapi.json").body
    assert b'"security' not in text and b'"401":' not in text


def count(d: Daemon, name: str) -> float:
    """The value of a metric without labels."""
    text = ask(d.admin, "GET", "/metrics", headers=bearer(ADMIN)).body.decode()
    return float(re.search(rf"^{name} (\S+)$", text, re.M)[1])  # type: ignore[index]


def test_refusals_are_counted(closed: Daemon) -> None:
    before = count(closed, "scored_requests_unauthorized_total")
    tell(closed, "GET", "/models", {})
    tell(closed, "GET", "/models", bearer(PREDICT), admin=True)
    tell(closed, "GET", "/models", bearer(PREDICT))
    assert count(closed, "scored_requests_unauthorized_total") == before + 2
    text = ask(closed.port, "GET", "/metrics", headers=bearer(PREDICT)).body.decode()
    assert re.search(r'scored_requests_total\{route="/models",status="401"\} [1-9]', text)


def test_the_access_log_has_the_name(closed: Daemon) -> None:
    tell(closed, "GET", "/version", bearer(PREDICT) | {"X-Request-Id": "with-a-token"})
    tell(closed, "GET", "/version", {"X-Request-Id": "with-none"})
    until(lambda: all(f'"{asked}"' in closed.log() for asked in ("with-a-token", "with-none")), "both lines of the access log")
    lines = {r["request"]: r for r in (json.loads(x) for x in closed.log().splitlines() if x.startswith("{"))}
    assert lines["with-a-token"]["token"] == "shop" and "token" not in lines["with-none"]
    tell(closed, "POST", "/models/{}/reload", bearer(ADMIN), admin=True)
    until(lambda: re.search(r'msg="reload asked for".* token=ops-1 ', closed.log()), "the operator's name")


def test_a_refused_body_is_not_kept(closed: Daemon) -> None:
    """Nothing is read of a large one: the reply comes first, and the connection ends."""
    before = count(closed, "process_resident_memory_bytes")
    with Connection(closed.port) as c:
        c.send(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\nContent-Length: 60000000\r\n\r\n")
        reply = c.read()
        assert reply and reply.closes
        refused(reply)
    with Connection(closed.port) as c:
        c.send(b"POST /predict HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n")
        reply = c.read()
        assert reply
        refused(reply)
    assert count(closed, "process_resident_memory_bytes") < before + 8e6


def test_a_small_refusal_keeps_the_connection(closed: Daemon, row: dict[str, Any]) -> None:
    with Connection(closed.port) as c:
        for headers, status in (({}, 401), (bearer(PREDICT), 200), (bearer(OTHER), 401)):
            c.send(request("POST", "/predict", json.dumps(row), headers=headers))
            reply = c.read()
            assert reply and reply.status == status and not reply.closes


# -- files that change


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[tuple[Daemon, Path]]:
    """Tokens as Kubernetes mounts them: a link to a link, of which the second is replaced."""
    first = tmp_path / "..1"
    first.mkdir()
    (first / "tokens").write_text(LINES)
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "tokens").symlink_to("..data/tokens")
    d = Daemon("--tokens", str(tmp_path / "tokens"), headers=bearer(ADMIN))
    yield d, tmp_path
    assert d.stop() == 0


def replace(folder: Path, number: int, text: str) -> None:
    """As the kubelet does; the file's time is that of the one before."""
    (folder / f"..{number}").mkdir()
    made = folder / f"..{number}" / "tokens"
    made.write_text(text)
    if (folder / "tokens").exists():
        told = (folder / "tokens").stat()
        os.utime(made, ns=(told.st_atime_ns, told.st_mtime_ns))
    (folder / "..new").symlink_to(f"..{number}")
    (folder / "..new").rename(folder / "..data")


def test_tokens_rotate(mounted: tuple[Daemon, Path]) -> None:
    d, folder = mounted
    assert tell(d, "GET", "/models", bearer(OTHER)).status == 401
    replace(folder, 2, LINES + f"{digest(OTHER)} predict shop\n")
    until(lambda: tell(d, "GET", "/models", bearer(OTHER)).status == 200, "the new token")
    assert tell(d, "GET", "/models", bearer(PREDICT)).status == 200
    replace(folder, 3, (LINES + f"{digest(OTHER)} predict shop\n").replace(digest(PREDICT), digest("new")))
    until(lambda: tell(d, "GET", "/models", bearer(PREDICT)).status == 401, "the end of the old token")
    assert tell(d, "GET", "/models", bearer(OTHER)).status == 200
    assert count(d, "scored_tokens") == 3 and count(d, "scored_tokens_failures_total") == 0


BROKEN = [
    (f"{digest(OTHER)} predict a\n{OTHER} predict b\n", "line 2: it does not begin with sha256: and 64 hex digits"),
    (f"\n\n{digest(OTHER)[:-1]} predict b\n", "line 3: it does not begin with sha256: and 64 hex digits"),
    (f"{digest(OTHER)}0 predict b\n", "line 1: it does not begin with sha256: and 64 hex digits"),
    (f"{digest(OTHER)[:-1]}g predict b\n", "line 1: it does not begin with sha256: and 64 hex digits"),
    (f"\n{digest(OTHER)} all b\n", "line 2: behind the digest stands neither predict nor admin"),
    (f"{digest(OTHER)} predict\n", "line 1: behind the scope stands no name of 1 to 64 letters"),
    (f"{digest(OTHER)} predict {'n' * 65}\n", "line 1: behind the scope stands no name of 1 to 64 letters"),
    (f"{digest(OTHER)} predict a b\n", "line 1: behind the scope stands no name of 1 to 64 letters"),
    (f"{digest(OTHER)} predict a\n{digest(OTHER)} admin b\n", "line 2: its digest stands on an earlier line too"),
    ("# none\n", "there is no token in it"),
    ("", "there is no token in it"),
    ("\0", "it is not a file of text of less than 1048576 bytes"),
    (" " * 1048576, "it is not a file of text of less than 1048576 bytes"),
]


@pytest.mark.parametrize(("text", "why"), BROKEN, ids=range(len(BROKEN)))
def test_a_daemon_does_not_start_with_a_broken_file(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "tokens"
    file.write_text(text)
    args = [str(BIN), "serve", "--model", str(BUNDLE), "--listen", "127.0.0.1:0", "--admin-listen", "off", "--tokens", str(file)]
    done = subprocess.run(args, capture_output=True, text=True, timeout=60)
    assert done.returncode in (1, 2) and f"--tokens (SCORED_TOKENS): {file}: {why}" in done.stderr
    assert OTHER not in done.stderr


def test_a_daemon_does_not_start_without_its_file(tmp_path: Path) -> None:
    args = [str(BIN), "serve", "--model", str(BUNDLE), "--listen", "127.0.0.1:0", "--admin-listen", "off"]
    for path, why in ((tmp_path / "none", "No such file"), (tmp_path, "it is not a file of text")):
        done = subprocess.run(args, capture_output=True, text=True, timeout=60, env=os.environ | {"SCORED_TOKENS": str(path)})
        assert done.returncode in (1, 2) and f"{path}: " in done.stderr and why in done.stderr


def test_a_broken_file_changes_nothing(mounted: tuple[Daemon, Path]) -> None:
    d, folder = mounted
    for i, (text, why) in enumerate(BROKEN[:3]):
        replace(folder, 2 + i, text)
        until(lambda i=i: count(d, "scored_tokens_failures_total") == i + 1, "a broken file")
        until(lambda why=why: why in d.log(), "the line that is wrong")
        assert OTHER not in d.log()
        assert tell(d, "GET", "/models", bearer(PREDICT)).status == 200
        assert tell(d, "GET", "/models", bearer(OTHER)).status == 401
    (folder / "..data").unlink()
    until(lambda: count(d, "scored_tokens_failures_total") == 4, "a missing file")
    assert tell(d, "GET", "/models", bearer(PREDICT)).status == 200 and count(d, "scored_tokens") == 2
    replace(folder, 9, f"{digest(OTHER)} admin a\n")
    until(lambda: tell(d, "GET", "/models", bearer(OTHER)).status == 200, "a sound file")
    assert tell(d, "GET", "/models", bearer(ADMIN)).status == 401


def test_a_file_written_in_place_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text(LINES)
    d = Daemon("--tokens", str(file), headers=bearer(ADMIN))
    try:
        file.write_text(LINES.replace(digest(PREDICT), digest(OTHER)))  # of the same length
        until(lambda: tell(d, "GET", "/models", bearer(OTHER)).status == 200, "the new token")
    finally:
        assert d.stop() == 0


# -- the command


def make(*args: str) -> subprocess.CompletedProcess[str]:
    """Runs `scored token`."""
    return subprocess.run([str(BIN), "token", *args], capture_output=True, text=True, timeout=60)


def test_a_token_is_made(tmp_path: Path) -> None:
    made = [make("shop"), make("--scope", "admin", "ops"), make("shop")]
    tokens = [m.stderr.splitlines()[-1] for m in made]
    assert all(re.fullmatch(r"scored_[0-9a-f]{64}", t) for t in tokens) and len(set(tokens)) == 3
    ends = ["predict shop", "admin ops", "predict shop"]
    assert [m.stdout for m in made] == [f"{digest(t)} {end}\n" for t, end in zip(tokens, ends, strict=True)]
    file = tmp_path / "tokens"
    file.write_text("".join(m.stdout for m in made))
    d = Daemon(env={"SCORED_TOKENS": str(file)}, headers=bearer(tokens[1]))
    try:
        assert [tell(d, "GET", "/models", bearer(t), admin=True).status for t in tokens] == [403, 200, 403]
        assert [tell(d, "GET", "/models", bearer(t)).status for t in tokens] == [200] * 3
    finally:
        assert d.stop() == 0


@pytest.mark.parametrize("args", [(), ("a", "b"), ("a b",), ("",), ("n" * 65,), ("--scope", "all", "a")])
def test_no_token_is_made_of_what_is_wrong(args: tuple[str, ...]) -> None:
    done = make(*args)
    assert done.returncode == 2 and not done.stdout and "scored token:" in done.stderr


# -- the page


def test_the_page_asks_for_a_token_and_keeps_it_in_its_tab(closed: Daemon, row: dict[str, Any], answer: dict[str, Any]) -> None:
    b = Browser()
    try:
        b.open(f"http://127.0.0.1:{closed.port}/")
        b.until("document.querySelectorAll('#access:not([hidden])').length && $('state').textContent === 'a token is needed'")

        def enter(token: str) -> None:
            b.run(f"$('token').value = {json.dumps(token)}; $('token').dispatchEvent(new Event('change'))")

        enter(OTHER)
        b.until("$('state').textContent === 'this token is not known'")
        enter(PREDICT)
        b.until("$('state').textContent.startsWith('ready')")
        b.run("document.querySelector('button.main').click()")
        b.until("document.querySelectorAll('.answers dd').length")
        command = b.run("$('curl').textContent")
        assert '-H "Authorization: Bearer $TOKEN"' in command and PREDICT not in command
        told = subprocess.run(["bash", "-c", command], capture_output=True, check=True, env=os.environ | {"TOKEN": PREDICT})
        assert json.loads(told.stdout) == answer
        b.open(f"http://127.0.0.1:{closed.port}/")
        b.until("document.querySelectorAll('.field').length && $('state').textContent.startsWith('ready')")
        assert b.run("[localStorage.length, document.cookie, Object.values(sessionStorage).join()]") == [0, "", PREDICT]
    finally:
        b.close()
