"""Small things that a person meets first: what refusals, help and answers say."""

from __future__ import annotations

import json
import os
import re
import subprocess

import pytest
from daemon import BIN, BUNDLE, Daemon

from wire import ask


def serve(*args, env=None):
    """Runs the command, which is expected to end by itself."""
    return subprocess.run(
        [str(BIN), "serve", *args], capture_output=True, text=True, timeout=60, env=os.environ | (env or {})
    )


@pytest.mark.parametrize("target", ["/livez", "/readyz", "/models", "/openapi.json", "/metrics", "/version", "/none"])
def test_answers_end_with_a_newline(port, target):
    assert ask(port, "GET", target).body.endswith(b"\n")


def test_predictions_end_with_one_newline(port, row):
    for body in (json.dumps(row), json.dumps([row]), "{"):
        answer = ask(port, "POST", "/predict", body).body
        assert answer.endswith(b"}\n") or answer.endswith(b"]\n")
    assert ask(port, "POST", "/predict", json.dumps(row) + "\n", "application/x-ndjson").body.count(b"\n") == 1


def test_an_unsupported_type_is_told_what_came_and_what_to_send(port):
    detail = ask(port, "POST", "/predict", "a=b", "application/x-www-form-urlencoded").json["detail"]
    assert "application/x-www-form-urlencoded" in detail and "(curl: -H 'Content-Type: application/json')" in detail
    detail = ask(port, "POST", "/predict", "{}", headers={"Content-Encoding": "br"}).json["detail"]
    assert "br" in detail and "gzip" in detail


def test_what_is_too_large_names_the_flag(row):
    d = Daemon("--max-rows", "3", "--max-reply", "2000", "--max-ndjson", "200000", "--max-body", "4000")
    text = json.dumps(row)
    try:
        for body, kind, flag in (
            (f"[{','.join([text] * 4)}]", "application/json", "--max-rows"),
            (f"[{','.join([text] * 4)}]", "application/json", "NDJSON"),
            ("\n".join([text] * 300), "application/x-ndjson", "--max-reply"),
            ("[" * 200001, "application/x-ndjson", "--max-ndjson"),
            (" " * 4001, "application/json", "--max-body"),
            (" " * 4001, "application/json", "as NDJSON (application/x-ndjson), a row a line, it may have 200000"),
            ("[" * 200001, "application/x-ndjson", "in parts"),
        ):
            r = ask(d.port, "POST", "/predict", body, kind)
            assert r.status == 413 and flag in r.json["detail"], r
    finally:
        assert d.stop() == 0


def test_a_route_of_the_other_listener_is_told(daemon, manifest):
    reload = f"/models/{manifest['name']}/reload"
    for method in ("POST", "GET"):
        r = ask(daemon.port, method, reload, b"" if method == "POST" else None)
        assert r.status == 404 and "admin listener" in r.json["detail"]
    assert "public listener" in ask(daemon.admin, "POST", "/predict", "{}").json["detail"]
    assert "listener" not in ask(daemon.port, "GET", "/nothing").json["detail"]


def test_version_lists_the_libraries(port):
    v = ask(port, "GET", "/version").json
    for library in ("libmicrohttpd", "libcurl", "openssl", "cjson", "zlib", "libc"):
        assert re.match(r"\d+\.\d+", v[library]), v


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n", "\n\r\n\r\n\n", "\n" * 50000], ids=lambda text: f"{len(text)} bytes")
def test_blank_lines_at_the_end_are_ignored(port, row, answer, end):
    r = ask(port, "POST", "/predict", json.dumps(row) + end, "application/x-ndjson")
    assert r.status == 200 and [json.loads(line) for line in r.body.splitlines()] == [answer]


@pytest.mark.parametrize("blank", ["\n", "\r\n", "\n" * 4000], ids=lambda text: f"{len(text)} bytes")
def test_blank_lines_in_between_are_errors_in_their_place(port, row, answer, blank):
    text = json.dumps(row)
    r = ask(port, "POST", "/predict", f"{text}\n{blank}{text}\n\n", "application/x-ndjson")
    lines = [json.loads(line) for line in r.body.splitlines()]
    assert lines[0] == lines[-1] == answer and len(lines) == 2 + blank.count("\n")
    assert all("error" in line for line in lines[1:-1])


def test_help_shows_defaults_and_environment():
    text = serve("--help").stdout
    assert "(default: 1048576; SCORED_MAX_BODY)" in text and "(default: 127.0.0.1:8081; SCORED_ADMIN_LISTEN)" in text
    flags = set(re.findall(r"^  --([\w-]+)", text, re.M)) - {"help", "port", "print-config"}
    printed = {line.split()[0] for line in serve("--print-config", "--model", "x").stdout.splitlines()}
    assert flags == printed


def test_an_unknown_variable_is_told():
    d = Daemon(env={"SCORED_MAX_BDY": "1", "SCORED_SERVICE_HOST": "10.0.0.1", "SCORED_PORT_80_TCP": "tcp://x"})
    assert d.stop() == 0
    warned = [line for line in d.last_log.splitlines() if "level=warn" in line]
    assert len(warned) == 1 and "SCORED_MAX_BDY" in warned[0] and "SCORED_MAX_BODY" in warned[0]


def test_a_second_instance_is_told_the_flag():
    d = Daemon()
    try:
        taken = serve(f"--model={BUNDLE}", "--listen=127.0.0.1:0", f"--admin-listen=127.0.0.1:{d.admin}")
        assert taken.returncode == 1 and "--admin-listen" in taken.stderr and "or off" in taken.stderr
    finally:
        assert d.stop() == 0
