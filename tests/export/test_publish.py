# SPDX-License-Identifier: Apache-2.0
"""Publishing to folders and to S3: the order, what is not sent again, promote, versions, signatures."""

from __future__ import annotations

import base64
import builtins
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import scored_export
from scored_export import Refused, cli, s3
from scored_export.publish import publish, sha
from scored_export.signature import PAYLOAD_TYPE, Signer
from scored_export.store import open_store

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests" / "e2e"))

from fake_s3 import FakeS3  # noqa: E402

MADE = TOP / "models" / "days_to_sell" / "bundle"
TYPES = {
    "blocks": "application/octet-stream",
    "golden": "application/x-ndjson",
    "profile": "application/json",
    "bundle": "application/json",
}


@pytest.fixture
def server(monkeypatch):
    """A running fake_s3 with a bucket, which the environment points at."""
    with FakeS3() as running:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        for name, value in running.env().items():
            monkeypatch.setenv(name, value)
        running.store.bucket("models", create=True)
        yield running


@pytest.fixture(params=["folder", "s3"])
def at(request, tmp_path):
    """Return where to publish to: the same tests for both."""
    if request.param == "folder":
        return str(tmp_path / "published")
    request.getfixturevalue("server")
    return "s3://models/days/to-sell/"


@pytest.fixture
def key(tmp_path):
    """Return a private key and its public half."""
    private, public = tmp_path / "private.pem", tmp_path / "public.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", private], check=True)
    subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True)
    return private, public


def parts(**change):
    """Return a manifest's bytes, with changes, and its files."""
    manifest = json.loads((MADE / "bundle.json").read_bytes()) | change
    return json.dumps(manifest).encode(), {
        entry["name"]: (MADE / entry["name"]).read_bytes() for entry in manifest["files"]
    }


def put_version(at, signer=None, **change):
    text, contents = parts(**change)
    return publish(open_store(at), text, contents, signer)


def writes(server):
    """Return the names written, in order."""
    return [seen.path.rpartition("/")[2] for seen in server.log if seen.method == "PUT"]


# -- both stores


def test_every_file_before_what_names_it(at, monkeypatch):
    store = open_store(at)
    order = []
    monkeypatch.setattr(type(store), "put", lambda self, name, data: order.append(name))
    text, contents = parts()
    digest = publish(store, text, contents, None)
    assert digest == sha(text)
    assert [name.partition("-")[0] for name in order[:3]] == ["blocks", "golden", "profile"]
    assert order[3:] == [f"bundle-{digest[:16]}.json", "bundle.json"]


def test_what_is_published_is_read_back(at):
    digest = put_version(at)
    store = open_store(at)
    text, contents = parts()
    assert store.read("bundle.json") == store.read(f"bundle-{digest[:16]}.json") == text
    assert store.names("") == sorted([*contents, f"bundle-{digest[:16]}.json", "bundle.json"])
    for name, data in contents.items():
        assert store.stat(name) == scored_export.store.Stat(len(data), sha(data))
    assert store.stat("nothing") is None and store.read("nothing") is None


def test_a_label_names_one_bundle(at):
    put_version(at, version="one")
    put_version(at, version="one")  # the same bytes
    with pytest.raises(Refused, match="version one is taken by bundle-[0-9a-f]{16}.json; choose another"):
        put_version(at, version="one", created="2026-01-31T10:20:30.123Z")
    assert len(scored_export.versions(at)) == 1


def test_versions_and_promote(at):
    old = put_version(at, version="old", created="2026-01-31T10:20:30.123Z")
    new = put_version(at, version="new", created="2026-02-28T10:20:30.123Z")
    found = scored_export.versions(at)
    assert [(v.sha256, v.version, v.current) for v in found] == [(old, "old", False), (new, "new", True)]
    for digest in (old[:16], old):
        now = scored_export.promote(digest, at)
        assert (now.sha256, now.version, now.current, now.signed) == (old, "old", True, False)
        assert [v.current for v in scored_export.versions(at)] == [True, False]
        assert hashlib.sha256(open_store(at).read("bundle.json")).hexdigest() == old
        scored_export.promote(new, at)
    assert [v.current for v in scored_export.versions(at)] == [False, True]


@pytest.mark.parametrize("digest", ["", "abc", "0" * 15, "0" * 17, "G" * 16, "../../../bundle"])
def test_promote_wants_a_digest(at, digest):
    with pytest.raises(Refused, match="is not 16 or 64"):
        scored_export.promote(digest, at)


def test_promote_of_what_is_not_there(at):
    digest = put_version(at)
    with pytest.raises(Refused, match=f"no bundle-{'0' * 16}.json at .*scored-export versions"):
        scored_export.promote("0" * 16, at)
    with pytest.raises(Refused, match="there is no version"):
        scored_export.promote(digest[:16] + "0" * 48, at)


@pytest.mark.parametrize("kind", ["blocks", "golden", "profile"])
def test_promote_looks_for_the_files(at, kind):
    """A file of another size, or, where the store knows digests, of other bytes, changes nothing."""
    old = put_version(at, version="old")
    new = put_version(at, version="new")
    store = open_store(at)
    name = next(n for n in store.names(kind))
    good = (MADE / name).read_bytes()
    for bad in (good[:-1], good[:-1] + b"\1"):
        store.put(name, bad)
        with pytest.raises(Refused, match=f"{name} is missing at .*, or damaged"):
            scored_export.promote(old, at)
        assert sha(store.read("bundle.json")) == new
    put_version(at, version="new")  # writes it again
    scored_export.promote(old, at)


def test_a_damaged_manifest_bars_nothing(at, capsys):
    digest = put_version(at, version="one")
    store = open_store(at)
    store.put("bundle-0123456789abcdef.json", b"{}")
    text = b"[1]"
    store.put(f"bundle-{sha(text)[:16]}.json", text)
    damaged = [v for v in scored_export.versions(at) if v.damage]
    assert {v.sha256 for v in damaged} == {"0123456789abcdef", sha(text)[:16]}
    put_version(at, version="two")
    with pytest.raises(Refused, match="is not what was published"):
        scored_export.promote("0123456789abcdef", at)
    with pytest.raises(Refused, match="is no manifest"):
        scored_export.promote(sha(text)[:16], at)
    assert cli.main(["versions", "--at", at]) == 0
    shown = capsys.readouterr().out
    assert "  0123456789abcdef  bundle-0123456789abcdef.json at" in shown and f"  {digest[:16]}  20" in shown


def test_a_huge_manifest_is_not_read(at):
    store = open_store(at)
    store.put("bundle-0123456789abcdef.json", bytes((1 << 20) + 1))
    with pytest.raises(Refused, match="more than 1 MiB"):
        scored_export.promote("0123456789abcdef", at)


def test_commands(at, capsys):
    assert cli.main(["versions", "--at", at]) == 0
    assert capsys.readouterr().err == f"nothing is published at {at}\n"
    old = put_version(at, version="old", created="2026-01-31T10:20:30.123Z")
    put_version(at, version="newer", created="2026-02-28T10:20:30.123Z")
    assert cli.main(["promote", old[:16], "--at", at]) == 0
    said = capsys.readouterr().out
    assert said == f"{at}: current is days_to_sell version old, sha256 {old}\n"
    assert cli.main(["versions", "--at", at]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"* {old[:16]}  2026-01-31T10:20:30.123Z  old"
    assert lines[1].startswith("  ") and lines[1].endswith("newer")
    assert cli.main(["promote", "0" * 16, "--at", at]) == 3
    assert capsys.readouterr().err.startswith("scored-export: refused: there is no bundle-0000")
    for wrong in (["promote", "--at", at], ["promote", old], ["versions"]):
        with pytest.raises(SystemExit) as caught:
            cli.main(wrong)
        assert caught.value.code == 2
        capsys.readouterr()


# -- signatures


def test_a_signed_bundle(at, key):
    private, public = key
    signer = Signer(private)
    digest = put_version(at, signer)
    assert [v.signed for v in scored_export.versions(at)] == [True]
    name = f"bundle-{digest[:16]}.dsse"
    envelope = open_store(at).read(name)
    assert scored_export.promote(digest, at).signed
    content = json.loads(envelope)
    manifest = base64.b64decode(content["payload"], validate=True)
    assert manifest == open_store(at).read("bundle.json") and content["payloadType"] == PAYLOAD_TYPE
    (one,) = content["signatures"]
    der = subprocess.run(
        ["openssl", "pkey", "-pubin", "-in", public, "-outform", "DER"], check=True, capture_output=True
    )
    assert one["keyid"] == signer.id == sha(der.stdout)
    message, sig = private.with_name("message"), private.with_name("sig")
    message.write_bytes(f"DSSEv1 36 {PAYLOAD_TYPE} {len(manifest)} ".encode() + manifest)
    sig.write_bytes(base64.b64decode(one["sig"], validate=True))
    verify = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", public, "-rawin"]
    subprocess.run([*verify, "-in", message, "-sigfile", sig], check=True, capture_output=True)


def test_a_copy_is_the_same_byte_by_byte_its_signature_too(at, key, tmp_path):
    made = tmp_path / "made"
    digest = put_version(made, Signer(key[0]))
    assert scored_export.copy(made, at) == digest
    store = open_store(at)
    assert store.names("") == sorted(p.name for p in made.iterdir())
    for path in made.iterdir():
        assert store.stat(path.name).size == path.stat().st_size
    envelope = f"bundle-{digest[:16]}.dsse"
    assert store.read(envelope) == (made / envelope).read_bytes()


@pytest.mark.parametrize("spoil", ["golden-*", "blocks-*", "bundle.json"])
def test_what_is_not_whole_is_not_copied(at, tmp_path, spoil):
    made = tmp_path / "made"
    put_version(made)
    next(made.glob(spoil)).unlink()
    with pytest.raises(Refused, match="has no whole bundle"):
        scored_export.copy(made, at)
    assert open_store(at).names("") == []


def test_the_signature_stands_before_the_manifest(server, key):
    digest = put_version("s3://models/m", Signer(key[0]))
    names = writes(server)
    assert names[3:] == [f"bundle-{digest[:16]}.json", f"bundle-{digest[:16]}.dsse", "bundle.json"]


def test_scored_verifies_what_the_exporter_signs(tmp_path, key):
    binary = next((p for p in (TOP / "build").glob("*/scored") if os.access(p, os.X_OK)), None)
    if binary is None:
        pytest.skip("scored is not built")
    put_version(tmp_path / "b", Signer(key[0]))
    done = subprocess.run([binary, "verify", "--trust", key[1], tmp_path / "b"], capture_output=True, text=True)
    assert done.returncode == 0 and "signed by key" in done.stdout, done
    again = subprocess.run([binary, "sign", "--no-check", "--key", key[0], tmp_path / "b"], check=True)
    envelope = next((tmp_path / "b").glob("*.dsse")).read_bytes()
    text = (tmp_path / "b" / "bundle.json").read_bytes()
    assert envelope == Signer(key[0]).envelope(text) and again.returncode == 0  # byte for byte the same


def test_bad_keys(tmp_path, key):
    private, public = key
    rsa, locked, garbage = tmp_path / "rsa.pem", tmp_path / "locked.pem", tmp_path / "garbage.pem"
    make = ["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", rsa]
    subprocess.run(make, check=True, capture_output=True)
    lock = ["openssl", "pkey", "-in", private, "-aes128", "-passout", "pass:x", "-out", locked]
    subprocess.run(lock, check=True)
    garbage.write_bytes(os.urandom(300))
    wrong = {rsa: "not an Ed25519 key", locked: "encrypted", garbage: "no private key", public: "no private key"}
    for file, why in wrong.items():
        with pytest.raises(Refused, match=why) as caught:
            Signer(file)
        assert str(file) in str(caught.value)
    with pytest.raises(Refused, match="No such file"):
        Signer(tmp_path / "nowhere.pem")


def without(monkeypatch, name):
    """Make a package look as if it was not installed."""
    for module in [m for m in sys.modules if m == name or m.startswith(f"{name}.")]:
        monkeypatch.delitem(sys.modules, module)
    real = builtins.__import__

    def fake(wanted, *args, **more):
        if wanted.partition(".")[0] == name:
            raise ImportError(wanted)
        return real(wanted, *args, **more)

    monkeypatch.setattr(builtins, "__import__", fake)


def test_extras_that_are_missing(monkeypatch, key):
    without(monkeypatch, "cryptography")
    with pytest.raises(Refused, match=r"pip install 'cryptography>="):
        Signer(key[0])
    without(monkeypatch, "boto3")
    with pytest.raises(Refused, match=r"s3:// needs boto3; pip install 'boto3>="):
        open_store("s3://models/m")


# -- places


@pytest.mark.parametrize("uri", ["s3://", "s3:///m", "s3://A/m", "s3://models/m?x", "s3://models/m#x", "s3://a/m"])
def test_bad_s3_uris(server, uri):
    with pytest.raises(Refused, match="is not s3://BUCKET/PREFIX/"):
        open_store(uri)


def test_bad_places(tmp_path):
    with pytest.raises(Refused, match="not as a Path"):
        open_store(Path("s3://models/m"))
    with pytest.raises(Refused, match="no place to publish to"):
        open_store("gs://models/m")
    (tmp_path / "file").write_text("")
    with pytest.raises(Refused, match="not a directory"):
        open_store(tmp_path / "file").check()
    assert open_store(f"file://{tmp_path}/b").uri == f"{tmp_path}/b"
    assert cli.main(["versions", "--at", str(tmp_path / "file" / "x")]) in (0, 3)


# -- S3


@pytest.mark.parametrize("prefix", ["", "/", "/m", "/m/", "/a/b c/ü/"])
def test_prefixes(server, prefix):
    digest = put_version(f"s3://models{prefix}")
    under = prefix.strip("/")
    assert server.store.buckets["models"].current(f"{under}/bundle.json".lstrip("/")).data is not None
    assert [v.sha256 for v in scored_export.versions(f"s3://models{prefix}/")] == [digest]


def test_what_stands_below_is_not_ours(server):
    put_version("s3://models/m/other")
    digest = put_version("s3://models/m")
    assert [v.sha256 for v in scored_export.versions("s3://models/m")] == [digest]


def test_types_and_digests_are_sent(server):
    put_version("s3://models/m/")
    puts = [seen for seen in server.log if seen.method == "PUT"]
    for seen in puts:
        name = seen.path.rpartition("/")[2]
        headers = {key.lower(): value for key, value in seen.headers.items()}
        data = server.store.buckets["models"].current(f"m/{name}").data
        assert headers["content-type"] == TYPES[name.partition("-")[0].partition(".")[0]]
        assert base64.b64decode(headers["x-amz-checksum-sha256"]) == hashlib.sha256(data).digest()
        assert "aws-chunked" not in headers.get("content-encoding", "")
    assert len(puts) == 5


def test_what_is_there_is_not_sent_again(server):
    put_version("s3://models/m/", version="one")
    begun = len(writes(server))
    digest = put_version("s3://models/m/", version="two")
    assert writes(server)[begun:] == [f"bundle-{digest[:16]}.json", "bundle.json"]


def test_other_bytes_are_sent_again(server):
    """Equal in size only; of another size; and one whose digest the server does not know."""
    text, contents = parts()
    name = next(iter(contents))
    good = contents[name]
    parted = base64.b64encode(hashlib.sha256(b"").digest()).decode() + "-3"
    for there, kept in ((good[:-1] + b"\1", ""), (good[:-1], ""), (good, ""), (good, parted)):
        headers = (("x-amz-checksum-sha256", kept),) if kept else ()
        server.store.put("models", f"m/{name}", there, headers=headers)  # not by us: no digest is kept
        begun = len(writes(server))
        publish(open_store("s3://models/m"), text, contents, None)
        assert name in writes(server)[begun:]
        assert server.store.buckets["models"].current(f"m/{name}").data == good


@pytest.mark.parametrize("rule", [{"action": "status", "status": 503, "code": "SlowDown"}, {"action": "reset"}])
@pytest.mark.parametrize("method", ["PUT", "GET", "HEAD"])
def test_faults_that_pass(server, monkeypatch, rule, method):
    monkeypatch.setattr(s3.time, "sleep", lambda _: None)
    put_version("s3://models/m", version="old")
    server.rules.add(**rule, method=method, nth=[1, 2])
    digest = put_version("s3://models/m", version="new")
    assert sha(server.store.buckets["models"].current("m/bundle.json").data) == digest
    assert any(seen.status == 503 or seen.acts for seen in server.log if seen.method == method)


def test_a_manifest_that_breaks_off_is_read_again(server, monkeypatch):
    monkeypatch.setattr(s3.time, "sleep", lambda _: None)
    digest = put_version("s3://models/m")
    server.rules.add(action="cut_body", at=100, method="GET", path="bundle-", nth=[1, 2])
    assert [v.sha256 for v in scored_export.versions("s3://models/m")] == [digest]


def test_a_fault_that_stays_leaves_the_old_version(server):
    old = put_version("s3://models/m", version="old")
    new_text, contents = parts(version="new")
    server.rules.add(action="status", status=403, code="AccessDenied", method="PUT", path="bundle-")
    with pytest.raises(Refused, match=r"s3://models/m/bundle-.*AccessDenied.*; allow s3:PutObject"):
        publish(open_store("s3://models/m"), new_text, contents, None)
    assert sha(server.store.buckets["models"].current("m/bundle.json").data) == old


def test_refusals_say_what_to_do(server, monkeypatch):
    with pytest.raises(Refused, match=r"NoSuchBucket.*; make the bucket|HeadBucket|404"):
        scored_export.versions("s3://no-such-bucket/m")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong-secret")
    with pytest.raises(Refused, match="SignatureDoesNotMatch.*; check AWS_SECRET_ACCESS_KEY") as caught:
        scored_export.versions("s3://models/m")
    assert "wrong-secret" not in str(caught.value)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(Refused, match=r"credentials; set AWS_PROFILE"):
        scored_export.versions("s3://models/m")
    monkeypatch.setattr(s3, "ATTEMPTS", 1)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "y")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    with pytest.raises(Refused, match="check the network and AWS_ENDPOINT_URL"):
        scored_export.versions("s3://models/m")


def test_export_from_spark_to_s3(server, sample, key, tmp_path):
    from pyspark.ml import feature as f

    stage = f.VectorAssembler(inputCols=["age"], outputCol="v")
    digest = scored_export.export(stage, "s3://models/v", sample=sample, name="v", sign_key=key[0])
    for name in open_store("s3://models/v").names(""):
        (tmp_path / name).write_bytes(server.store.buckets["models"].current(f"v/{name}").data)
    from format_check import Bundle

    assert Bundle(tmp_path).manifest["name"] == "v"
    assert [(v.sha256, v.signed, v.current) for v in scored_export.versions("s3://models/v")] == [
        (digest, True, True)
    ]


def test_export_asks_s3_before_spark_works(server, sample, monkeypatch):
    """A wrong key or bucket shows at once."""
    from pyspark.ml import feature as f

    stage = f.VectorAssembler(inputCols=["age"], outputCol="v")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    monkeypatch.setattr("scored_export.exporter._export", lambda *_: pytest.fail("Spark worked"))
    with pytest.raises(Refused):
        scored_export.export(stage, "s3://models/v", sample=sample, name="v")
