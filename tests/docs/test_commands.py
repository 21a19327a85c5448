"""Commands that the documents show, run with what a bare Debian and curl have: neither python3 nor jq."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "http"))

from daemon import BIN, TOP, Daemon

TOOLS = "sh cat curl echo sed env sleep kill".split()


@pytest.fixture(scope="module")
def daemon() -> Iterator[Daemon]:
    """What the examples ask."""
    d = Daemon()
    yield d
    assert d.stop() == 0


def run(script: str, folder: Path, port: int) -> subprocess.CompletedProcess[str]:
    """A block of a document, against a daemon's own port."""
    tools = folder / "bin"
    tools.mkdir()
    for tool in TOOLS:
        (tools / tool).symlink_to(str(shutil.which(tool)))
    (tools / "scored").symlink_to(BIN)
    (folder / "models").symlink_to(TOP / "models")
    script = script.replace("localhost:8080", f"127.0.0.1:{port}")
    return subprocess.run(
        ["/bin/sh", "-eu", "-c", script], cwd=folder, env={"PATH": str(tools)}, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip


def values(text: str) -> Iterator[object]:
    """The JSON values of a text, one after the other."""
    while text := text.lstrip():
        value, end = json.JSONDecoder().raw_decode(text)
        text = text[end:]
        yield value


def test_the_readme_asks(daemon: Daemon, tmp_path: Path) -> None:
    text = (TOP / "README.md").read_text()
    block = re.search(r"## Ask it.*?```sh\n(.*?)```", text, re.S)
    done = run(block[1], tmp_path, daemon.port)
    assert done.returncode == 0, done
    one, array, *rest = values(done.stdout)
    assert one["prediction"] and array == [one, one] and rest[:2] == [one, one]
    assert "features" in rest[2] or len(rest[2]) > 1
    assert rest[3]["make"] and rest[3]["prediction"] == one["prediction"] and rest[4]["status"] == 422
    assert len(rest) == 5


def test_the_help_of_serve_asks(daemon: Daemon, tmp_path: Path) -> None:
    text = subprocess.run([BIN, "serve", "--help"], capture_output=True, text=True, check=True).stdout
    example = text.partition("example:\n")[2]
    first, _, rest = example.partition("\n")
    assert first.strip().startswith("scored serve") and first.endswith("&")  # this daemon stands for it
    done = run(rest, tmp_path, daemon.port)
    assert done.returncode == 0 and next(values(done.stdout))["prediction"], done


@pytest.mark.parametrize("command", ["predict", "check", "inspect", "fetch", "ops"])
def test_the_help_of_a_command_works(command: str, tmp_path: Path) -> None:
    text = subprocess.run([BIN, command, "--help"], capture_output=True, text=True, check=True).stdout
    done = run(text.partition("example:\n")[2], tmp_path, 0)
    assert done.returncode == 0 and not done.stderr.startswith("scored:"), done
    if command == "predict":
        rows = [json.loads(line) for line in (tmp_path / "answers.jsonl").read_text().splitlines()]
        assert len(rows) > 500 and sum("prediction" in row for row in rows) == len(rows), rows[:3]
