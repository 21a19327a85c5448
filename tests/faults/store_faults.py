# SPDX-License-Identifier: Apache-2.0
"""What may go wrong between the daemon and S3."""

from __future__ import annotations

import os
import threading
from functools import partial
from typing import Any

from fake_aws.certificates import Authority
from fake_s3 import FakeS3
from scenario import BUCKET, PREFIX, Fault, Skip, Stage
from versions import (
    Version,
    corrupt,
    edited,
    higher_format,
    manifest_with,
    renamed_output,
    same_label,
    schema_change,
    unknown_op,
    version,
    wrong_golden,
)

MANIFEST, BLOCKS, GOLDEN, PROFILE = r"/bundle\.json", "/blocks-", "/golden-", "/profile-"
MIB = 1 << 20


def large(n: int) -> Version:
    """Return a version whose blocks come in several parts."""
    return version(n, 20 * MIB)


def on(path: str, action: str, **arguments: Any) -> dict[str, Any]:
    """Return a rule."""
    return {"path": path, "action": action, **arguments}


def status(path: str, number: int, code: str = "", **arguments: Any) -> dict[str, Any]:
    """Return a rule that answers with a status."""
    return on(path, "status", status=number, code=code, **arguments)


def once(name: str, *rules: dict[str, Any], **options: Any) -> Fault:
    """Return a fault that passes by itself."""
    return Fault(name, "passes", rules, **options)


def lasting(name: str, phase: str, detail: str, *rules: dict[str, Any], **options: Any) -> Fault:
    """Return a fault that stays until it is healed."""
    return Fault(name, "holds", rules, phase=phase, detail=detail, **options)


def bad(name: str, phase: str, detail: str, target: Any, **options: Any) -> Fault:
    """Return a version that is bad in itself."""
    return Fault(name, "refuses", phase=phase, detail=detail, target=target, **options)


# -- what replies with errors

ERRORS = [
    once("manifest: 500 twice", status(MANIFEST, 500, "InternalError", nth=[1, 2])),
    once("blocks: 500 twice", status(BLOCKS, 500, "InternalError", nth=[1, 2])),
    once("golden rows: 502 without a body", status(GOLDEN, 502, nth=1)),
    once("blocks: 504 without a body", status(BLOCKS, 504, nth=1)),
    once("blocks: 503 SlowDown, a burst", status(BLOCKS, 503, "SlowDown", nth=[1, 2])),
    once("all: 503 SlowDown, every third", status("", 503, "SlowDown", every=3), within=30),
    once("blocks: 429", status(BLOCKS, 429, "TooManyRequestsException", nth=1)),
    once("blocks: 400 RequestTimeout", status(BLOCKS, 400, "RequestTimeout", nth=1)),
    once("blocks: 403 ExpiredToken once", status(BLOCKS, 403, "ExpiredToken", nth=1)),
    lasting("manifest: 500 for ever", "poll", "InternalError|500", status(MANIFEST, 500, "InternalError")),
    lasting("blocks: 500 for ever", "fetch", "InternalError|500", status(BLOCKS, 500, "InternalError")),
    lasting("blocks: 503 SlowDown for ever", "fetch", "SlowDown", status(BLOCKS, 503, "SlowDown"), within=25),
    lasting("manifest: 403 AccessDenied", "poll", "AccessDenied", status(MANIFEST, 403, "AccessDenied")),
    lasting("blocks: 403 AccessDenied", "fetch", "AccessDenied", status(BLOCKS, 403, "AccessDenied")),
    lasting(
        "manifest: 403 ExpiredToken for ever", "poll", "ExpiredToken", status(MANIFEST, 403, "ExpiredToken")
    ),
    lasting("manifest: 401", "poll", "401", status(MANIFEST, 401)),
    lasting("manifest: 418", "poll", "418", status(MANIFEST, 418)),
    lasting("blocks: 416", "fetch", "416|InvalidRange", status(BLOCKS, 416, "InvalidRange")),
    lasting(
        "blocks: 412 for ever", "fetch", "412|Precondition|changed", status(BLOCKS, 412, "PreconditionFailed")
    ),
    lasting("blocks: an error of a MiB", "fetch", "500|large", status(BLOCKS, 500, body="x" * MIB)),
    lasting("manifest: an error that is no XML", "poll", "500", status(MANIFEST, 500, body="<Error><Code>")),
]


# -- what breaks on the way


def at_once(action: str, **arguments: Any) -> Fault:
    """Return a fault of every file's first transfer."""
    rules = [on(path, action, nth=1, **arguments) for path in (MANIFEST, BLOCKS, GOLDEN)]
    return once(f"each file once: {action}" + "".join(f" {k} {v}" for k, v in arguments.items()), *rules)


def resumed(stage: Stage) -> None:
    """Hold that a broken transfer was taken up where it broke."""
    asked = [seen for seen in stage.s3.requests("/blocks-") if stage.target.name("blocks") in seen.path]
    total = sum(map(len, stage.target.files.values()))
    assert len({seen.headers.get("range") for seen in asked}) == len(asked), "a range was asked for twice"
    assert total > 20 * MIB


BROKEN = [
    at_once("close"),
    at_once("cut_head", at=20),
    at_once("cut_body"),
    at_once("reset"),
    at_once("reset", body=10),
    at_once("garbage"),
    once("a part: the connection ends inside it, twice", on(BLOCKS, "cut_body", nth=[2, 3]), target=large),
    once("a part: reset inside it", on(BLOCKS, "reset", body=3 * MIB, nth=2), target=large),
    lasting("blocks: closed for ever", "fetch", "", on(BLOCKS, "close")),
    lasting("manifest: reset for ever", "poll", "", on(MANIFEST, "reset")),
    lasting("manifest: not HTTP", "poll", "", on(MANIFEST, "garbage")),
    lasting("blocks: end inside the body for ever", "fetch", "", on(BLOCKS, "cut_body")),
]


# -- what is slow

SLOW = [
    once("all: 0.3 s before the head", on("", "delay_head", seconds=0.3), within=25),
    once("blocks: 2 s inside the body", on(BLOCKS, "delay_body", seconds=2, after=1000, nth=1)),
    once("a part: 4 MiB a second", on(BLOCKS, "drip", rate=4 * MIB), target=large, within=30),
    lasting("manifest: no reply", "poll", "", on(MANIFEST, "delay_head", seconds=600), within=80),
    lasting("blocks: no reply", "fetch", "", on(BLOCKS, "delay_head", seconds=600), within=80),
    lasting("blocks: a byte a second", "fetch", "", on(BLOCKS, "drip", rate=1), within=80),
    lasting(
        "a part: stalls",
        "fetch",
        "",
        on(BLOCKS, "delay_body", seconds=600, after=MIB),
        target=large,
        within=80,
    ),
]


# -- what is not what was asked for


def rewritten(stage: Stage) -> None:
    """Publish another version between the manifest and its blocks."""
    stage.target = version(8)

    def other(server: FakeS3) -> None:
        version(8).publish(stage.put)

    stage.rules.append(stage.s3.rules.add(action="call", function=other, path=BLOCKS, nth=1))


def other_etag(stage: Stage) -> None:
    """Store the blocks anew between two parts: the same bytes, as an upload in parts leaves them."""
    name = stage.target.name("blocks")

    def again(server: FakeS3) -> None:
        content = stage.target.files[name]
        server.store.put(BUCKET, PREFIX + name, content, etag="0123456789abcdef0123456789abcdef-3")

    stage.rules.append(stage.s3.rules.add(action="call", function=again, path=BLOCKS, nth=2))


def vanishes(stage: Stage) -> None:
    """Delete the blocks once the manifest was read."""
    key = PREFIX + stage.target.name("blocks")
    stage.rules.append(stage.s3.rules.add(action="delete", key=key, path=BLOCKS))


def republish(stage: Stage) -> None:
    """Publish the target again."""
    stage.target.publish(stage.put)


def repair(stage: Stage) -> None:
    """Publish what the target would be if it were whole."""
    stage.target = version(stage.target.n)
    stage.target.publish(stage.put)


def no_manifest(stage: Stage) -> None:
    """Take the manifest away, now and when it comes back."""
    key = PREFIX + "bundle.json"
    stage.rules.append(stage.s3.rules.add(action="delete", key=key, path=MANIFEST))


def no_bucket(stage: Stage) -> None:
    """Take the bucket away."""
    stage.notes["bucket"] = stage.s3.store.buckets[BUCKET]
    rule = status("", 404, "NoSuchBucket")
    stage.rules.append(stage.s3.rules.add(**rule))


def flipped(path: str, position: int, times: int | None = None) -> dict[str, Any]:
    """Return a rule that changes a bit."""
    return on(path, "flip", position=position, times=times)


OTHER = [
    once("blocks: a bit flipped once", flipped(BLOCKS, 100, 1)),
    once("blocks: a bit flipped once, the last byte", flipped(BLOCKS, -1, 1)),
    once("golden rows: a bit flipped once", flipped(GOLDEN, 5, 1)),
    once("profile: a bit flipped once", flipped(PROFILE, 5, 1)),
    once("a part: a bit flipped once", on(BLOCKS, "flip", position=MIB, nth=2), target=large),
    lasting("blocks: a bit flipped for ever", "fetch", "digest", flipped(BLOCKS, 100)),
    lasting("golden rows: a bit flipped for ever", "fetch", "digest", flipped(GOLDEN, 5)),
    lasting("profile: a bit flipped for ever", "fetch", "digest", flipped(PROFILE, 5)),
    lasting(
        "a part: a bit flipped for ever", "fetch", "digest", flipped(BLOCKS, MIB), target=large, within=30
    ),
    lasting("blocks: stored corrupt", "fetch", "digest", target=corrupt, heal=repair),
    once("blocks: shorter once", on(BLOCKS, "shorten", by=3, nth=1)),
    lasting("blocks: shorter", "fetch", "", on(BLOCKS, "shorten", by=3)),
    lasting("blocks: longer", "fetch", "", on(BLOCKS, "lengthen", by=3)),
    lasting("blocks: empty", "fetch", "", on(BLOCKS, "status", status=200)),
    once("blocks: more than the length told", on(BLOCKS, "overrun")),
    once("blocks: compressed once", on(BLOCKS, "gzipped", nth=1)),
    lasting("blocks: compressed", "fetch", "encod|digest|length|bytes", on(BLOCKS, "gzipped")),
    lasting("manifest: compressed", "poll", "encod", on(MANIFEST, "gzipped")),
    once("a part: 200 with all of it, once", on(BLOCKS, "whole", nth=2), target=large),
    lasting(
        "a part: another Content-Range",
        "fetch",
        "range",
        on(BLOCKS, "wrong_range", value="bytes 0-9/10", ranged=True),
        target=large,
    ),  # noqa: E501
    lasting(
        "a part: no Content-Range", "fetch", "range", on(BLOCKS, "wrong_range", ranged=True), target=large
    ),
    lasting(
        "a part: another range, told rightly",
        "fetch",
        "range",
        on(BLOCKS, "shifted", by=1, ranged=True),
        target=large,
    ),  # noqa: E501
    once("a part: another ETag once", on(BLOCKS, "etag", value='"other"', nth=2), target=large),
    once("a part: stored anew meanwhile", inject=other_etag, target=large),
    lasting("manifest: no ETag", "poll", "ETag", on(MANIFEST, "etag")),
    lasting("a part: no ETag", "fetch", "ETag", on(BLOCKS, "etag"), target=large),
    lasting("manifest: an ETag of 300 bytes", "poll", "ETag", on("", "etag", value=f'"{"e" * 300}"')),
    once("all: an ETag without quotes", on("", "etag", value="plain")),
    once("all: in chunks", on("", "chunked")),
    lasting("blocks: no length, ended by the connection", "fetch", "length", on(BLOCKS, "until_close")),
    Fault("another version published between manifest and blocks", "passes", inject=rewritten),
    lasting("blocks: deleted after the manifest", "fetch", "NoSuchKey|404", inject=vanishes, heal=republish),
    lasting("manifest: missing", "poll", "NoSuchKey|404", inject=no_manifest, heal=republish),
    lasting("bucket: missing", "poll", "NoSuchBucket|404", inject=no_bucket),
    lasting("blocks: the page of a portal", "fetch", "", on(BLOCKS, "portal")),
    lasting("all: 1 MiB of headers", "poll", "head .* larger", on("", "huge_head")),
    lasting("all: 5,000 headers", "poll", "head .* larger", on("", "huge_head", size=200_000, count=5000)),
]


# -- who answers


def watch(stage: Stage) -> None:
    """Send the daemon to another host, which must never hear of it."""
    other = FakeS3().start()
    stage.notes["other"] = other
    rule = on("", "redirect", to=f"{other.url}/{BUCKET}/{PREFIX}bundle.json", status=stage.notes["status"])
    stage.rules.append(stage.s3.rules.add(**rule))


def unheard(stage: Stage) -> None:
    """Hold that the other host heard nothing."""
    stage.notes["other"].stop()
    assert stage.notes["other"].log == []


def elsewhere(number: int) -> Fault:
    """Return a redirect to another host."""

    def inject(stage: Stage) -> None:
        stage.notes["status"] = number
        watch(stage)

    return lasting(f"all: {number} to another host", "poll", str(number), inject=inject, after=unheard)


def region(redirects: bool) -> Fault:
    """Return a bucket in a region that the daemon does not know of."""

    def move(stage: Stage) -> None:
        bucket = stage.s3.store.bucket(BUCKET)
        bucket.region, bucket.redirects = "eu-central-1", redirects

    return once(f"bucket: in another region, told by {301 if redirects else 400}", inject=move)


def skewed(minutes: int) -> Fault:
    """Return a clock that is wrong."""

    def skew(stage: Stage) -> None:
        stage.s3.skew = minutes * 60

    return once(f"clock: {minutes:+} min", inject=skew)


def payer(stage: Stage) -> None:
    """Let requesters pay."""
    stage.s3.store.bucket(BUCKET).requester_pays = True


def free(stage: Stage) -> None:
    """Let the owner pay again."""
    stage.s3.store.bucket(BUCKET).requester_pays = False


def forget_key(stage: Stage) -> None:
    """Revoke the key."""
    stage.notes["keys"] = dict(stage.s3.keys)
    stage.s3.keys.clear()


def know_key(stage: Stage) -> None:
    """Take the revocation back."""
    stage.s3.keys.update(stage.notes["keys"])


def other_secret(stage: Stage) -> None:
    """Change the secret, not the key."""
    from fake_aws.sigv4 import KeyPair

    stage.notes["keys"] = dict(stage.s3.keys)
    for key_id in stage.s3.keys:
        stage.s3.keys[key_id] = KeyPair("another")


def down(stage: Stage) -> None:
    """Stop the server."""
    stage.s3.stop()


def up(stage: Stage) -> None:
    """Start it again."""
    stage.s3.start()


def down_for(seconds: float) -> Any:
    """Return what stops the server for a while."""

    def step(stage: Stage) -> None:
        stage.s3.stop()
        threading.Timer(seconds, stage.s3.start).start()

    return step


def named(stage: Stage) -> None:
    """Give the server a name instead of an address, which a resolver of the test's knows."""
    shim = os.environ.get("DNS_SHIM")
    if not shim:
        raise Skip("no --dns-shim")
    stage.notes["names down"] = stage.folder / "names-down"
    stage.env = {
        name: text.replace("//127.0.0.1:", "//s3.test:") if "ENDPOINT" in name else text
        for name, text in stage.env.items()
    } | {
        "LD_PRELOAD": shim,
        "DNS_DOWN": str(stage.notes["names down"]),
        "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0",
    }


def no_names(stage: Stage) -> None:
    """Let the resolver answer nothing more."""
    stage.notes["names down"].touch()


def names(stage: Stage) -> None:
    """Let it answer again."""
    stage.notes["names down"].unlink()


WHO = [
    lasting("name: cannot be looked up", "poll", "s3.test", before=named, inject=no_names, heal=names,
            modes=("start",)),
    Fault("name: cannot be looked up any more", "passes", before=named, inject=no_names, modes=("reload",)),
    lasting("manifest: the page of a portal", "poll", "portal", on(MANIFEST, "portal")),
    lasting("manifest: 304 though nothing is there", "poll", "304", status(MANIFEST, 304), modes=("start",)),
    Fault("manifest: 304 for ever", "waits", [status(MANIFEST, 304)], modes=("reload",)),
    *(elsewhere(number) for number in (301, 302, 307)),
    region(True),
    region(False),
    skewed(20),
    skewed(-20),
    lasting("bucket: the requester has to pay", "poll", "AccessDenied", inject=payer, heal=free),
    lasting("key: revoked", "poll", "InvalidAccessKeyId", inject=forget_key, heal=know_key),
    lasting("key: another secret", "poll", "SignatureDoesNotMatch", inject=other_secret, heal=know_key),
    lasting("server: refuses connections", "poll", "connect|refused", inject=down, heal=up),
    Fault("server: away for 2 s", "passes", inject=down_for(2.0)),
]  # fmt: skip


# -- TLS


def with_tls(stage: Stage) -> None:
    """Serve by TLS, with a certificate that the daemon trusts."""
    stage.notes["trusted"] = trusted = Authority(stage.folder / "trusted")
    stage.notes["good"] = trusted.context()
    stage.s3.stop()
    stage.s3.tls = stage.notes["good"]
    stage.s3.start()
    stage.env = stage.s3.env() | {"AWS_CA_BUNDLE": str(trusted.certificate)}


def shown(stage: Stage, which: str) -> None:
    """Restart the server with another certificate, or none."""
    trusted = stage.notes["trusted"]
    contexts = {
        "good": lambda: stage.notes["good"],
        "stranger": lambda: Authority(stage.folder / "stranger", "a stranger").context(),
        "name": lambda: trusted.context("DNS:elsewhere.test"),
        "expired": lambda: trusted.context(expired=True),
        "plain": lambda: None,
    }
    stage.s3.stop()
    stage.s3.tls = contexts[which]()
    stage.s3.start()


def tls(name: str, which: str, detail: str) -> Fault:
    """Return a server whose certificate is wrong."""
    inject, heal = partial(shown, which=which), partial(shown, which="good")
    return lasting(name, "poll", detail, before=with_tls, inject=inject, heal=heal)


TLS = [
    once("TLS: an authority of our own", before=with_tls),
    tls("TLS: an unknown authority", "stranger", "certificate|trust"),
    tls("TLS: another host's certificate", "name", "certificate|name|trust"),
    tls("TLS: an expired certificate", "expired", "certificate|expired|trust"),
    tls("TLS: the server speaks plain HTTP", "plain", "TLS|SSL|handshake"),
]


# -- versions that are bad in themselves


def text(content: bytes) -> Any:
    """Return a version whose manifest is this."""

    def target(n: int) -> Version:
        good = version(n)
        return Version(n, good.label, good.files | {"bundle.json": content + b" " * n})

    return target


RELOAD = ("reload",)
BAD = [
    bad("version: answers otherwise than its golden rows", "golden", "expected", wrong_golden),
    bad("version: of a format to come", "manifest", "format", higher_format),
    bad("version: a stage that nobody knows", "compile", "teleporter", unknown_op),
    bad("version: a new input", "schema", "seats", schema_change, modes=RELOAD),
    bad("version: its output renamed", "schema", "prediction", renamed_output, modes=RELOAD),
    bad("version: the label of another", "label", "digest", partial(same_label, label="v1"), modes=RELOAD),
    bad("version: older, with --no-older", "age", "no-older",
        partial(manifest_with, created="2020-01-01T00:00:00.000Z"), flags=("--no-older",), modes=RELOAD),
    bad("version: of another model", "schema", "name", partial(manifest_with, name="vans"), modes=RELOAD),
    bad("manifest: empty", "manifest", "", text(b"")),
    bad("manifest: not JSON", "manifest", "", text(b"<html>")),
    bad("manifest: torn", "manifest", "", text(version(1).manifest[:500])),
    bad("manifest: too deep", "manifest", "", text(b"[" * 100_000)),
    bad("manifest: another file's", "manifest", "", text(b'{"format":"other"}')),
    lasting("manifest: of 2 MiB", "poll", "large|bytes", target=text(b" " * (2 * MIB)), heal=repair),
    bad("blocks: too few coefficients", "compile", "coefficients", lambda n: edited(n, fewer)),
]  # fmt: skip


def fewer(made: Any) -> None:
    """Leave a coefficient out."""
    from make_good import Block

    made.blocks["s002.coefficients"] = Block("F64", [0.5])


S3 = [*ERRORS, *BROKEN, *SLOW, *OTHER, *WHO, *TLS, *BAD]
