"""Puts this folder and the HTTP tests' helpers in reach, and gives every test a server of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "http"), str(HERE.parent / "bundles"), str(HERE.parent)]

from fake_s3 import FakeS3  # noqa: E402


@pytest.fixture
def s3() -> Iterator[FakeS3]:
    """A running fake_s3."""
    with FakeS3() as server:
        yield server
