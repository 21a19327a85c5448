# SPDX-License-Identifier: Apache-2.0
"""The commands verify and fetch on bundles that the exporter published to S3."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP / "tests" / "e2e"), str(TOP / "tests" / "cli"), str(TOP / "models" / "export")]

from fake_s3 import FakeS3  # noqa: E402
from scored_export.publish import publish, sha  # noqa: E402
from scored_export.signature import Signer  # noqa: E402
from scored_export.store import open_store  # noqa: E402
from test_trust import BIN, BUNDLE, make_key, scored  # noqa: E402

URI = "s3://models/days/"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeS3]:
    """A running fake_s3 with a bucket; the exporter and the commands find it by the environment."""
    with FakeS3() as server:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        for name, value in server.env().items():
            monkeypatch.setenv(name, value)
        server.store.bucket("models", create=True)
        yield server


@pytest.fixture
def key(tmp_path: Path) -> tuple[Path, Path]:
    """A private and a public key."""
    return make_key(tmp_path, "key")


def put(private: Path | None, version: str = "one", uri: str = URI) -> str:
    """Publish the example as a version; return its digest."""
    manifest = json.loads((BUNDLE / "bundle.json").read_bytes()) | {"version": version}
    files = {f["name"]: (BUNDLE / f["name"]).read_bytes() for f in manifest["files"]}
    text = json.dumps(manifest).encode()
    return publish(open_store(uri), text, files, None if private is None else Signer(private))


def test_verify(s3: FakeS3, key: tuple[Path, Path]) -> None:
    digest = put(key[0])
    said = scored("verify", "--trust", key[1], URI).stdout
    assert f"sha256 {digest}" in said and str(key[1]) in said
    put(None, "two")
    said = scored("verify", "--trust", key[1], URI, code=1).stderr
    assert "not signed" in said and URI in said
    scored("verify", "--trust", key[1], f"{URI}#sha256={digest}")


def test_fetch(s3: FakeS3, key: tuple[Path, Path], tmp_path: Path) -> None:
    digest, out = put(key[0]), tmp_path / "out"
    scored("fetch", "--trust", key[1], URI, out)
    names = sorted(open_store(URI).names(""))
    assert sorted(p.name for p in out.iterdir()) == names and len(names) == 6
    for name in names:
        assert (out / name).read_bytes() == s3.store.buckets["models"].current(f"days/{name}").data
    scored("check", out)
    put(key[0], "two")
    begun = len(s3.log)
    assert "0 of 3 files fetched" in scored("fetch", "--trust", key[1], URI, out).stdout
    assert not s3.requests("blocks-", begun) and not s3.requests("golden-", begun)
    assert json.loads((out / "bundle.json").read_bytes())["version"] == "two"
    scored("fetch", "--trust", key[1], f"{URI}#sha256={digest}", out)
    assert sha((out / "bundle.json").read_bytes()) == digest


def test_fetch_survives_what_passes(s3: FakeS3, key: tuple[Path, Path], tmp_path: Path) -> None:
    put(key[0])
    s3.rules.add(action="status", status=503, code="SlowDown", nth=[1, 3, 5])
    s3.rules.add(action="reset", path="golden-", nth=1)
    scored("fetch", "--trust", key[1], URI, tmp_path / "out")
    scored("verify", "--trust", key[1], tmp_path / "out")


def test_what_is_not_what_was_published(s3: FakeS3, key: tuple[Path, Path], tmp_path: Path) -> None:
    put(key[0])
    name = next(iter(open_store(URI).names("golden-")))
    good = s3.store.buckets["models"].current(f"days/{name}").data
    s3.store.put("models", f"days/{name}", good[:-2] + b"x\n")
    assert name in scored("verify", "--trust", key[1], URI, code=1).stderr
    assert name in scored("fetch", URI, tmp_path / "out", code=1).stderr
    assert not list((tmp_path / "out").glob("bundle*"))


def test_refusals(s3: FakeS3, key: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(key[0])
    assert "only a folder can be signed" in scored("sign", "--key", key[0], URI, code=2).stderr
    assert "bundle.json" in scored("fetch", "s3://models/none/", tmp_path / "out", code=1).stderr
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong-secret")
    said = scored("verify", "--trust", key[1], URI, code=1).stderr
    assert "SignatureDoesNotMatch" in said and "wrong-secret" not in said
    assert not (tmp_path / "out").exists()


def test_progress(s3: FakeS3, tmp_path: Path) -> None:
    put(None)
    leader, follower = pty.openpty()
    subprocess.run([BIN, "fetch", URI, tmp_path / "out"], check=True, stderr=follower, stdout=subprocess.DEVNULL)
    os.close(follower)
    shown = ""
    with contextlib.suppress(OSError):  # EIO: all was read
        while piece := os.read(leader, 65536):
            shown += piece.decode()
    os.close(leader)
    assert re.search(r"\d\.\d of 1\.\d MB", shown) and shown.endswith("\r\x1b[K")
