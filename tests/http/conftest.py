"""Fixtures: one daemon for all tests that leave it as it was, and what its model is like."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import described
from daemon import BUNDLE, Daemon

described.watch()


@pytest.fixture(scope="session")
def daemon() -> Iterator[Daemon]:
    """A daemon with the defaults."""
    d = Daemon()
    yield d
    assert d.stop() == 0


@pytest.fixture(scope="session")
def port(daemon: Daemon) -> int:
    """The public port."""
    return daemon.port


@pytest.fixture(scope="session")
def manifest() -> dict[str, Any]:
    """The manifest of the model served."""
    return json.loads((BUNDLE / "bundle.json").read_text())


@pytest.fixture(scope="session")
def row(manifest: dict[str, Any]) -> dict[str, Any]:
    """A row that has an answer."""
    return manifest["example"]["in"]


@pytest.fixture(scope="session")
def answer(manifest: dict[str, Any]) -> dict[str, Any]:
    """Its answer, as Spark gave it."""
    return manifest["example"]["out"]


@pytest.fixture(scope="session")
def text_field(manifest: dict[str, Any]) -> str:
    """The name of an input of strings."""
    return next(f["name"] for f in manifest["input"] if f["type"] == "string")
