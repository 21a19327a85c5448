# SPDX-License-Identifier: Apache-2.0
"""The commands sign, verify and fetch on bundles in folders."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import pty
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

TOP = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("SCORED_BIN", TOP / "build" / "release" / "scored")).resolve()
BUNDLE = TOP / "models" / "days_to_sell" / "bundle"
PAYLOAD_TYPE = "application/vnd.scored.manifest+json"

Done = subprocess.CompletedProcess


def scored(*args: str | Path, code: int = 0) -> Done:
    """Run a command; a failure says why on one line, or on two where it was called wrongly."""
    done = subprocess.run([BIN, *map(str, args)], capture_output=True, text=True, timeout=60)
    assert done.returncode == code, (args, done)
    assert "Sanitizer" not in done.stderr and "runtime error" not in done.stderr, done.stderr
    if code:
        assert done.stdout == "" and done.stderr.startswith(f"scored {args[0]}: "), done
        assert done.stderr.count("\n") == (2 if "--help" in done.stderr else 1), done
    else:
        assert done.stderr == "", done
    return done


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def openssl(*args: str | Path, **more: Any) -> bytes:
    return subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True, **more).stdout


def make_key(folder: Path, name: str) -> tuple[Path, Path]:
    """Return a private and a public key, as the help says to make them."""
    private, public = folder / f"{name}.pem", folder / f"{name}.pub.pem"
    openssl("genpkey", "-algorithm", "ed25519", "-out", private)
    openssl("pkey", "-in", private, "-pubout", "-out", public)
    return private, public


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Path]]:
    """Three pairs of keys."""
    folder = tmp_path_factory.mktemp("keys")
    return {name: make_key(folder, name) for name in ("ann", "bob", "eve")}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A copy of the example's bundle."""
    return Path(shutil.copytree(BUNDLE, tmp_path / "bundle"))


@pytest.fixture
def signed(bundle: Path, keys: dict[str, tuple[Path, Path]]) -> Path:
    """The same, signed by ann."""
    scored("sign", "--no-check", "--key", keys["ann"][0], bundle)
    return bundle


def manifest_bytes(bundle: Path) -> bytes:
    return (bundle / "bundle.json").read_bytes()


def envelope_path(bundle: Path) -> Path:
    return bundle / f"bundle-{sha(manifest_bytes(bundle))[:16]}.dsse"


def publish(bundle: Path, change: Callable[[dict[str, Any]], None]) -> str:
    """Publish a changed manifest beside the files, and return its digest."""
    manifest = json.loads(manifest_bytes(bundle))
    change(manifest)
    text = json.dumps(manifest).encode()
    for name in (f"bundle-{sha(text)[:16]}.json", "bundle.json"):
        (bundle / name).write_bytes(text)
    return sha(text)


def lie(bundle: Path) -> None:
    """Make the golden rows promise another answer, with every digest right."""
    manifest = json.loads(manifest_bytes(bundle))
    entry = next(f for f in manifest["files"] if f["role"] == "golden")
    rows = [json.loads(line) for line in (bundle / entry["name"]).read_text().splitlines()]
    row = next(r for r in rows if "out" in r)
    row["out"] = {name: value + 1.0 for name, value in row["out"].items()}
    text = "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows).encode()
    new = {"name": f"golden-{sha(text)[:16]}.jsonl", "size": len(text), "sha256": sha(text)}
    (bundle / new["name"]).write_bytes(text)
    publish(bundle, lambda m: m["files"][m["files"].index(entry)].update(new))


def make_envelope(manifest: bytes, private: Path, **change: Any) -> str:
    """Write an envelope as FORMAT.md says, by openssl, with blanks and in another order."""
    message = f"DSSEv1 {len(PAYLOAD_TYPE)} {PAYLOAD_TYPE} {len(manifest)} ".encode() + manifest
    file = private.with_name("message")
    file.write_bytes(message)
    sig = openssl("pkeyutl", "-sign", "-inkey", private, "-rawin", "-in", file)
    key = sha(openssl("pkey", "-in", private, "-pubout", "-outform", "DER"))
    envelope = {
        "signatures": [{"sig": base64.b64encode(sig).decode(), "keyid": key}],
        "payloadType": PAYLOAD_TYPE,
        "payload": base64.b64encode(manifest).decode(),
    }
    return json.dumps(envelope | change, indent=2) + "\n"


# -- sign and verify


def test_who_signed_is_told(bundle: Path, keys: dict[str, tuple[Path, Path]]) -> None:
    private, public = keys["ann"]
    assert str(envelope_path(bundle)) in scored("sign", "--key", private, bundle).stdout
    assert envelope_path(bundle).stat().st_mode & 0o777 == 0o644
    said = scored("verify", "--trust", public, bundle).stdout
    key = sha(openssl("pkey", "-pubin", "-in", public, "-outform", "DER"))
    assert "good: days_to_sell version" in said and f"sha256 {sha(manifest_bytes(bundle))}" in said
    assert f"signed by key {key} ({public})" in said
    both = ["--trust", keys["bob"][1], "--trust", public]
    assert f"({public})" in scored("verify", *both, f"file://{bundle}").stdout
    pinned = f"{bundle}#sha256={sha(manifest_bytes(bundle))}"
    assert f"({public})" in scored("verify", "--trust", public, pinned).stdout


def test_the_same_key_signs_the_same_bytes(signed: Path, keys: dict[str, tuple[Path, Path]]) -> None:
    first = envelope_path(signed).read_bytes()
    scored("sign", "--no-check", "--key", keys["ann"][0], signed)
    assert envelope_path(signed).read_bytes() == first
    scored("sign", "--no-check", "--key", keys["bob"][0], signed)
    scored("verify", "--trust", keys["bob"][1], signed)
    scored("verify", "--trust", keys["ann"][1], signed, code=1)
    assert not list(signed.glob("*.part-*"))


def test_another_writers_envelope_is_read(bundle: Path, keys: dict[str, tuple[Path, Path]]) -> None:
    private, public = keys["ann"]
    envelope_path(bundle).write_text(make_envelope(manifest_bytes(bundle), private))
    scored("verify", "--trust", public, bundle)
    envelope_path(bundle).write_text(make_envelope(b"{}", private))
    assert "not this manifest" in scored("verify", "--trust", public, bundle, code=1).stderr
    changed = make_envelope(manifest_bytes(bundle), private, payloadType="text/plain")
    envelope_path(bundle).write_text(changed)
    assert "payloadType" in scored("verify", "--trust", public, bundle, code=1).stderr


def test_wrong_key_and_no_signature(signed: Path, keys: dict[str, tuple[Path, Path]]) -> None:
    others = ["--trust", keys["eve"][1], "--trust", keys["bob"][1]]
    said = scored("verify", *others, signed, code=1).stderr
    key = sha(openssl("pkey", "-pubin", "-in", keys["ann"][1], "-outform", "DER"))
    assert f"signed by key {key[:16]}..., which is not trusted" in said
    envelope_path(signed).unlink()
    said = scored("verify", "--trust", keys["ann"][1], signed, code=1).stderr
    assert "not signed" in said and "scored sign" in said and str(signed) in said


def test_bad_keys_are_named(signed: Path, keys: dict[str, tuple[Path, Path]], tmp_path: Path) -> None:
    private, public = keys["ann"]
    rsa, garbage = tmp_path / "rsa.pem", tmp_path / "garbage.pem"
    openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", rsa)
    garbage.write_bytes(os.urandom(400))
    locked = tmp_path / "locked.pem"
    openssl("pkey", "-in", private, "-aes128", "-passout", "pass:x", "-out", locked)
    wrong = {private: "-pubout", rsa: "private key stands", garbage: "not a PEM", tmp_path / "no": "No such"}
    for file, why in wrong.items():
        said = scored("verify", "--trust", public, "--trust", file, signed, code=2).stderr
        assert str(file) in said and why in said
    wrong = {public: "private one", rsa: "not an Ed25519", locked: "encrypted", tmp_path: "Is a directory"}
    before = envelope_path(signed).read_bytes()
    for file, why in wrong.items():
        said = scored("sign", "--key", file, signed, code=2).stderr
        assert str(file) in said and why in said
    assert envelope_path(signed).read_bytes() == before


def test_a_pipe_may_hold_the_key(bundle: Path, keys: dict[str, tuple[Path, Path]]) -> None:
    private, public = keys["ann"]
    command = f"{BIN} sign --no-check --key <(openssl pkey -in {private}) {bundle}"
    subprocess.run(["bash", "-c", command], check=True, capture_output=True)
    scored("verify", "--trust", public, bundle)


@pytest.mark.parametrize("kind", ["bundle.json", "bundle-*.dsse", "blocks-*", "golden-*", "profile-*"])
def test_a_flipped_bit_is_refused(signed: Path, keys: dict[str, tuple[Path, Path]], kind: str) -> None:
    file = next(signed.glob(kind))
    good = file.read_bytes()
    for at in range(0, len(good), max(1, len(good) // 23)):
        bad = bytearray(good)
        bad[at] ^= 1 << at % 8
        file.write_bytes(bad)
        scored("verify", "--trust", keys["ann"][1], signed, code=1)
    file.write_bytes(good[:-1])
    scored("verify", "--trust", keys["ann"][1], signed, code=1)
    file.unlink()
    scored("verify", "--trust", keys["ann"][1], signed, code=1)


def test_nothing_is_parsed_before_it_is_verified(signed: Path, keys: dict[str, tuple[Path, Path]]) -> None:
    """What the parser would say of a manifest never shows while its signature is wrong."""
    text = b"no manifest at all"
    (signed / "bundle.json").write_bytes(text)
    assert "byte 0" in scored("check", signed, code=1).stderr
    (signed / f"bundle-{sha(text)[:16]}.dsse").write_text(make_envelope(text, keys["eve"][0]))
    said = scored("verify", "--trust", keys["ann"][1], signed, code=1).stderr
    assert "not trusted" in said and "byte 0" not in said
    said = scored("verify", "--trust", keys["eve"][1], signed, code=1).stderr
    assert "byte 0" in said


@pytest.mark.parametrize("more", [1, -1])
def test_a_size_that_lies_is_refused(
    bundle: Path, keys: dict[str, tuple[Path, Path]], tmp_path: Path, more: int
) -> None:
    publish(bundle, lambda m: m["files"][2].update(size=m["files"][2]["size"] + more))
    scored("sign", "--key", keys["ann"][0], bundle, code=1)
    scored("sign", "--no-check", "--key", keys["ann"][0], bundle)
    assert "profile-" in scored("verify", "--trust", keys["ann"][1], bundle, code=1).stderr
    assert "profile-" in scored("fetch", bundle, tmp_path / "out", code=1).stderr


def test_what_check_refuses_is_not_signed(bundle: Path, keys: dict[str, tuple[Path, Path]]) -> None:
    lie(bundle)
    why = scored("check", bundle, code=1).stderr.removeprefix("scored check: ")
    assert "golden" in why
    assert scored("sign", "--key", keys["ann"][0], bundle, code=1).stderr.endswith(why)
    assert not envelope_path(bundle).exists()
    scored("sign", "--no-check", "--key", keys["ann"][0], bundle)
    scored("verify", "--trust", keys["ann"][1], bundle)


def test_an_older_version_is_signed_by_its_digest(bundle: Path, keys: dict[str, tuple[Path, Path]]) -> None:
    old = sha(manifest_bytes(bundle))
    publish(bundle, lambda m: m.update(version="two"))
    scored("sign", "--key", keys["ann"][0], f"{bundle}#sha256={old}")
    assert (bundle / f"bundle-{old[:16]}.dsse").exists() and not envelope_path(bundle).exists()
    scored("verify", "--trust", keys["ann"][1], f"{bundle}#sha256={old}")
    scored("verify", "--trust", keys["ann"][1], bundle, code=1)


# -- fetch


def names(folder: Path) -> set[str]:
    return {p.name for p in folder.iterdir()}


def test_fetch_copies_a_whole_bundle(signed: Path, keys: dict[str, tuple[Path, Path]], tmp_path: Path) -> None:
    out = tmp_path / "out"
    said = scored("fetch", "--trust", keys["ann"][1], signed, out).stdout
    assert "3 of 3 files fetched" in said and "signed by key" in said
    assert names(out) == names(signed)
    assert all((out / name).read_bytes() == (signed / name).read_bytes() for name in names(out))
    assert all(p.stat().st_mode & 0o777 == 0o644 for p in out.iterdir())
    scored("check", out)
    scored("verify", "--trust", keys["ann"][1], out)


def test_fetch_without_signature(bundle: Path, keys: dict[str, tuple[Path, Path]], tmp_path: Path) -> None:
    assert "no signature" in scored("fetch", bundle, tmp_path / "out").stdout
    assert names(tmp_path / "out") == names(bundle)
    envelope_path(bundle).mkdir()  # there, and not to be had
    done = subprocess.run([BIN, "fetch", bundle, tmp_path / "out"], capture_output=True, text=True)
    assert done.returncode == 0 and "without its signature" in done.stderr, done
    scored("verify", "--trust", keys["ann"][1], bundle, code=1)
    envelope_path(bundle).rmdir()
    scored("fetch", "--trust", keys["ann"][1], bundle, tmp_path / "none", code=1)
    scored("fetch", "--trust", tmp_path / "no.pem", bundle, tmp_path / "none", code=2)
    assert not (tmp_path / "none").exists()


def test_fetch_goes_on_where_it_stopped(bundle: Path, tmp_path: Path) -> None:
    out, profile = tmp_path / "out", next(bundle.glob("profile-*"))
    held = profile.read_bytes()
    profile.unlink()
    assert profile.name in scored("fetch", bundle, out, code=1).stderr
    assert not list(out.glob("bundle*")) and len(names(out)) == 2  # no manifest: not a bundle yet
    made = {p.name: p.stat().st_ino for p in out.iterdir()}
    profile.write_bytes(held)
    assert "1 of 3 files fetched" in scored("fetch", bundle, out).stdout
    assert {name: (out / name).stat().st_ino for name in made} == made
    assert "0 of 3 files fetched, 0 bytes" in scored("fetch", bundle, out).stdout
    blocks = next(out.glob("blocks-*"))
    blocks.write_bytes(blocks.read_bytes()[:-1] + b"\1")
    assert "1 of 3 files fetched" in scored("fetch", bundle, out).stdout
    scored("check", out)


def test_fetch_keeps_the_old_version_whole(bundle: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    scored("fetch", bundle, out)
    first = manifest_bytes(out)
    lie(bundle)
    golden = bundle / next(f["name"] for f in json.loads(manifest_bytes(bundle))["files"] if f["role"] == "golden")
    held = golden.read_bytes()
    golden.write_bytes(held[:-2] + b"x\n")
    assert "digest" in scored("fetch", bundle, out, code=1).stderr
    assert manifest_bytes(out) == first and not list(out.glob("*.part-*"))
    scored("check", out)
    golden.write_bytes(held)
    scored("fetch", bundle, out)
    assert manifest_bytes(out) == manifest_bytes(bundle)
    scored("fetch", f"{bundle}#sha256={sha(first)}", out)  # back, by its digest
    assert manifest_bytes(out) == first
    scored("check", out)


def test_fetch_says_what_it_cannot_write(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert str(tmp_path / "file") in scored("fetch", bundle, tmp_path / "file", code=1).stderr
    scored("fetch", bundle, tmp_path / "no" / "folder", code=1)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "bundle.json").mkdir()
    assert "Is a directory" in scored("fetch", bundle, tmp_path / "out", code=1).stderr
    assert not list((tmp_path / "out").glob("*.part-*"))


def test_a_bad_pin(bundle: Path, tmp_path: Path) -> None:
    digest = sha(manifest_bytes(bundle))
    wrong = digest[:16] + "0" * 48
    assert "digest" in scored("fetch", f"{bundle}#sha256={wrong}", tmp_path / "out", code=1).stderr
    assert "64 lower-case hex" in scored("fetch", f"{bundle}#sha256=1", tmp_path / "out", code=2).stderr


def test_progress_is_for_terminals(bundle: Path, tmp_path: Path) -> None:
    leader, follower = pty.openpty()
    subprocess.run([BIN, "fetch", bundle, tmp_path / "out"], check=True, stderr=follower, capture_output=False)
    os.close(follower)
    shown = os.read(leader, 4096).decode()
    os.close(leader)
    assert re.search(r"\d\.\d of 1\.0 MB \(\d+ %\), \d+\.\d MB/s, 0 s left", shown) and shown.endswith("\r\x1b[K")


# -- usage


@pytest.mark.parametrize(
    "args",
    [
        ["sign"],
        ["sign", "--key", "k.pem"],
        ["sign", "--key", "k.pem", "a", "b"],
        ["verify", "a"],
        ["verify", "--trust", "k.pem"],
        ["fetch", "a"],
        ["fetch", "a", "b", "c"],
        ["fetch", "--turst", "x", "a", "b"],
    ],
)
def test_called_wrongly(args: list[str]) -> None:
    scored(*args, code=2)
