# SPDX-License-Identifier: Apache-2.0
"""A model behind HTTP by one call: it answers as Spark does, ends with who called it, and says what is wrong."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import scored_export
from conftest import ROOT
from scored_export import Refused, daemon, serve

BUNDLE = ROOT / "models" / "days_to_sell" / "bundle"


def alive(pid: int) -> bool:
    """Whether a process is there, and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for_end(pid: int) -> bool:
    end = time.monotonic() + 20
    while alive(pid) and time.monotonic() < end:
        time.sleep(0.02)
    return not alive(pid)


@pytest.fixture(scope="module")
def served():
    with serve(BUNDLE) as server:
        yield server


def test_a_fitted_model_answers_as_spark_does(fitted, cars, sample, tmp_path, monkeypatch):
    from pyspark.ml.regression import LinearRegression

    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    model = fitted(LinearRegression(labelCol="price"))
    rows = sample.filter("NOT isnan(slope)").limit(20)
    with serve(model, sample=sample, name="cars", output=["prediction"]) as server:
        assert server.name == "cars" and re.fullmatch(r"http://127\.0\.0\.1:\d+", server.url)
        answers = server.predict([row.asDict() for row in rows.collect()])
        assert any(p.name.startswith("scored-serve-") for p in tmp_path.iterdir())
    monkeypatch.setattr("tempfile.tempdir", None)
    expected = [row.prediction for row in model.transform(rows).select("prediction").collect()]
    assert [answer["prediction"] for answer in answers] == expected
    assert not any(p.name.startswith("scored-serve-") for p in tmp_path.iterdir())


def test_the_curl_that_it_shows_works(served):
    done = subprocess.run(served.curl, shell=True, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == served.predict(served.example)
    assert served.curl in repr(served) and served.url in repr(served)


def test_what_the_daemon_refuses_is_raised(served):
    with pytest.raises(Refused, match='expected a string, got a number in field "make"'):
        served.predict({"make": 17})


def test_it_ends_when_it_is_closed():
    server = serve(str(BUNDLE))
    pid = server._process.pid
    assert server.running and alive(pid)
    server.close()
    server.close()
    assert not server.running and not alive(pid) and "(closed)" in repr(server)
    with pytest.raises(Refused, match="does not answer"):
        server.predict({})


CALLER = "import sys, time, scored_export as s\nv = s.serve(sys.argv[1]); print(v._process.pid, flush=True)\n"


@pytest.mark.parametrize(("more", "how"), [("", None), ("time.sleep(60)", "SIGKILL"), ("time.sleep(60)", "SIGTERM")])
def test_it_ends_with_its_interpreter(more, how):
    caller = subprocess.Popen([sys.executable, "-c", CALLER + more, str(BUNDLE)], stdout=subprocess.PIPE, text=True)
    pid = int(caller.stdout.readline())
    if how:
        assert alive(pid)
        caller.send_signal(getattr(signal, how))
    caller.wait(30)
    caller.stdout.close()
    assert wait_for_end(pid)


def test_an_interrupted_cell_does_not_end_it(served):
    assert os.getsid(served._process.pid) != os.getsid(0)


def test_why_it_does_not_start_is_raised(tmp_path):
    with pytest.raises(Refused, match="there is no --nope"):
        serve(BUNDLE, flags=["--nope"])
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(Refused, match="Address already in use"):
            serve(BUNDLE, port=taken.getsockname()[1])
    (tmp_path / "bundle.json").write_text("{}")
    with pytest.raises(Refused, match="the daemon ended: .*bundle.json"):
        serve(tmp_path)


def test_a_slow_start_is_given_up(tmp_path, monkeypatch):
    """Whatever stands for the program: this one never says that it serves."""
    monkeypatch.setenv("SCORED_BIN", "/bin/sleep")
    monkeypatch.setattr("scored_export.serving.DIE_TOO", "import time; time.sleep(60)")
    with pytest.raises(scored_export.Unavailable, match=r"does not serve within 0\.2 s"):
        serve(BUNDLE, timeout=0.2)


@pytest.mark.parametrize(
    ("given", "says"),
    [({"sample": []}, "is a bundle already"), ({}, "needs a sample")],
)
def test_model_and_sample_go_together(given, says):
    with pytest.raises(Refused, match=says):
        serve(BUNDLE if given else object(), **given)


def test_without_a_program_it_says_where_one_is(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SCORED_BIN", str(tmp_path / "none"))
    with pytest.raises(Refused, match="SCORED_BIN=.*none is no program"):
        serve(BUNDLE)
    monkeypatch.delenv("SCORED_BIN")
    script = tmp_path / "scored"  # this package's own command
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert daemon.main() == 1
    assert "installed from source; install its wheel" in capsys.readouterr().err
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    with pytest.raises(Refused, match="runs on Linux x86-64"):
        daemon.program()


def test_authorities_are_named_where_the_wheels_curl_finds_none(monkeypatch, tmp_path):
    (tmp_path / "own.pem").touch()
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    monkeypatch.setattr("ssl.get_default_verify_paths", lambda: type("P", (), {"cafile": "own.pem"}))
    monkeypatch.setattr(daemon, "AUTHORITIES", str(tmp_path / "absent"))
    assert daemon.environment()["AWS_CA_BUNDLE"] == "own.pem"
    monkeypatch.setattr(daemon, "AUTHORITIES", str(tmp_path / "own.pem"))
    assert "AWS_CA_BUNDLE" not in daemon.environment()
