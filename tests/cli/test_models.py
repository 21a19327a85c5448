"""What --model takes: URI, NAME=URI, and several of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "http"))

from daemon import BIN, BUNDLE, Daemon
from wire import ask


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder to work in, with copies of the bundle."""
    for name in ("b", "models/d", "odd=name"):
        shutil.copytree(BUNDLE, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(daemon):
    """The names served."""
    return [m["name"] for m in ask(daemon.port, "GET", "/models").json["models"]]


@pytest.mark.parametrize(
    ("models", "served"),
    [
        (("iris=b", "dts=models/d"), ["iris", "dts"]),
        (("a=./b", "b=models/d"), ["a", "b"]),
        (("x=odd=name", "y=b"), ["x", "y"]),
        (("iris=../{here}/b", "dts=file://{path}/b"), ["iris", "dts"]),
        (("odd=name",), ["days_to_sell"]),
        (("b",), ["days_to_sell"]),
    ],
)
def test_models_by_relative_path(here, models, served):
    given = tuple(m.replace("{here}", here.name).replace("{path}", str(here)) for m in models)
    d = Daemon(models=given)
    try:
        assert names(d) == served
    finally:
        assert d.stop() == 0


@pytest.mark.parametrize("second", ["b", "models/d", "=b", "x=", "a b=b", "b/=b"])
def test_several_models_need_names(here, second):
    args = [BIN, "serve", "--model", "one=b", "--model", second, "--listen", "127.0.0.1:0", "--admin-listen", "off"]
    done = subprocess.run(args, capture_output=True, text=True, timeout=60, env=os.environ, check=False)
    assert done.returncode == 2 and "NAME=URI" in done.stderr, done


def test_a_command_that_is_not_there():
    done = subprocess.run([BIN, "sevre"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2 and "did you mean serve?" in done.stderr and not done.stdout


def test_help_states_the_rule():
    text = subprocess.run([BIN, "serve", "--help"], capture_output=True, text=True, check=True).stdout
    assert "what follows the first '=' is then" in " ".join(text.split())
