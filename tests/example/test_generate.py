# SPDX-License-Identifier: Apache-2.0
"""The generated market: the same for the same seed, and no other."""

from __future__ import annotations

from days_to_sell import cli, generate, sources


def digest(root, *arguments: str) -> str:
    assert generate.main(["--out", str(root), "--rows", "50", *arguments]) == cli.OK
    return sources.digest(cli.Folder(root).sources)


def test_same_seed_same_bytes(tmp_path):
    assert digest(tmp_path / "a") == digest(tmp_path / "b")


def test_other_seed_other_bytes(tmp_path):
    assert digest(tmp_path / "a") != digest(tmp_path / "b", "--seed", "8")


def test_rows_are_what_was_asked_for(tmp_path):
    digest(tmp_path)
    assert len((tmp_path / "sources" / "adverts.csv").read_text().splitlines()) == 1 + 50
