"""The command line of `scored serve`."""

from __future__ import annotations

import itertools
import os
import subprocess

import pytest
from daemon import BIN, BUNDLE, Daemon

from wire import ask


def serve(*args, env=None):
    """Runs the command, which is expected to end by itself."""
    return subprocess.run(
        [str(BIN), "serve", *args], capture_output=True, text=True, timeout=30, env=os.environ | (env or {})
    )


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--prot", "1"], "did you mean --port?"),
        (["--max-bdy=1"], "did you mean --max-body?"),
        (["--modle", "x"], "did you mean --model?"),
        (["--port"], "--port needs a value"),
        (["--port", "70000", "--model", "x"], "from 0 to 65535"),
        (["--workers", "-1", "--model", "x"], "from 0 to 256"),
        (["--workers", "two", "--model", "x"], '"two"'),
        (["--print-config=yes"], "takes no value"),
        (["--unknown-fields", "keep", "--model", "x"], "ignore, reject"),
        (["--log-level", "loud", "--model", "x"], "error, warn, info, debug"),
        (["--port", "1", "--listen", "127.0.0.1:1", "--model", "x"], "exclude"),
        (["surprise"], "did you mean --model surprise?"),
        (["-x"], "two dashes"),
        ([], "--model"),
        (["--model", f"a={BUNDLE}", "--model", f"a={BUNDLE}"], "a"),
        (["--model", str(BUNDLE), "--listen", "nonsense"], "nonsense"),
    ],
)
def test_usage_errors_exit_2(args, says):
    r = serve(*args)
    assert r.returncode == 2 and says in r.stderr and not r.stdout


def test_help_teaches():
    r = serve("--help")
    assert r.returncode == 0 and "example:" in r.stdout and "--max-body" in r.stdout and not r.stderr


def test_print_config_tells_the_source():
    r = serve("--print-config", "--port", "99", "--workers=3", env={"SCORED_MAX_BODY": "2048"})
    rows = {line.split()[0]: line.split()[1:] for line in r.stdout.splitlines()}
    assert r.returncode == 0
    assert rows["listen"] == ["0.0.0.0:99", "flag"] and rows["workers"] == ["3", "flag"]
    assert rows["max-body"] == ["2048", "SCORED_MAX_BODY"] and rows["idle-timeout"] == ["75.000", "default"]


def test_flags_win_over_the_environment():
    r = serve("--print-config", "--workers=3", env={"SCORED_WORKERS": "5"})
    assert "flag" in next(line for line in r.stdout.splitlines() if line.startswith("workers"))


def test_a_bad_environment_exits_2():
    r = serve("--model", str(BUNDLE), env={"SCORED_MAX_BODY": "much"})
    assert r.returncode == 2 and "SCORED_MAX_BODY" in r.stderr


def test_a_model_that_cannot_be_loaded_exits_1(tmp_path):
    r = serve("--model", str(tmp_path), "--port", "0", "--admin-listen", "off")
    assert r.returncode == 1 and str(tmp_path) in r.stderr


@pytest.mark.parametrize("flag", ["--listen", "--admin-listen", "--probe-listen"])
def test_an_address_in_use_exits_1(flag):
    d = Daemon()
    listen = {"--listen": "127.0.0.1:0", "--admin-listen": "off"} | {flag: f"127.0.0.1:{d.port}"}
    try:
        r = serve("--model", str(BUNDLE), *itertools.chain(*listen.items()))
        assert r.returncode == 1 and f'msg="{flag}' in r.stderr and "in use" in r.stderr
    finally:
        assert d.stop() == 0


@pytest.mark.parametrize("workers", ["1", "4"])
def test_any_number_of_workers(workers, row, answer):
    import json

    d = Daemon("--workers", workers)
    try:
        for _ in range(20):
            assert ask(d.port, "POST", "/predict", json.dumps(row)).json == answer
    finally:
        assert d.stop() == 0
