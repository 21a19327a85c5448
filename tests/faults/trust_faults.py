# SPDX-License-Identifier: Apache-2.0
"""What may be wrong with a signature, where one is asked for: nothing unsigned is ever served."""

from __future__ import annotations

import functools
import subprocess
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import daemon
from scenario import BUCKET, PREFIX, Fault, Stage
from store_faults import flipped, lasting, on, once, status
from versions import Version, version

ENVELOPE = r"/bundle-[0-9a-f]{16}\.dsse"
LOCK = threading.Lock()


KEYS = tempfile.TemporaryDirectory(prefix="keys-")  # until the process ends


@functools.cache
def _key(name: str) -> Path:
    folder = Path(KEYS.name) / name
    folder.mkdir()
    private, public = folder / "private.pem", folder / "public.pem"
    for args in (
        ["genpkey", "-algorithm", "ed25519", "-out", private],
        ["pkey", "-in", private, "-pubout", "-out", public],
    ):
        subprocess.run(["openssl", *args], check=True, capture_output=True)
    return folder


@functools.cache
def _envelope(n: int, name: str) -> tuple[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        version(n).publish(lambda file, content: (Path(folder) / file).write_bytes(content))
        command = [str(daemon.BIN), "sign", "--key", str(_key(name) / "private.pem"), folder]
        subprocess.run(command, check=True, capture_output=True)
        path = next(Path(folder).glob("*.dsse"))
        return path.name, path.read_bytes()


def key(name: str) -> Path:
    """Return the folder of a pair of keys, made once."""
    with LOCK:
        return _key(name)


def envelope(n: int, name: str = "ours") -> tuple[str, bytes]:
    """Return the signature of version `n` by a key: the file's name and content."""
    with LOCK:
        return _envelope(n, name)


def signed(n: int) -> Version:
    """Return version `n` with our signature, which goes up before ``bundle.json``."""
    good, (name, content) = version(n), envelope(n)
    files = {file: data for file, data in good.files.items() if file != "bundle.json"}
    return Version(n, good.label, files | {name: content, "bundle.json": good.manifest})


def with_signature(change: Callable[[int], bytes | None]) -> Callable[[int], Version]:
    """Return a version whose signature is another, or is missing."""

    def target(n: int) -> Version:
        good, content = signed(n), change(n)
        name = envelope(n)[0]
        files = {file: data for file, data in good.files.items() if file != name}
        manifest = files.pop("bundle.json")
        more = {} if content is None else {name: content}
        return Version(n, good.label, files | more | {"bundle.json": manifest})

    return target


def trusting(stage: Stage) -> None:
    """Trust a key that signed nothing, and ours."""
    for name in ("idle", "ours"):
        stage.flags += ["--trust", str(key(name) / "public.pem")]


def sign_now(stage: Stage) -> None:
    """Put the right signature there."""
    name, content = envelope(stage.target.n)
    stage.s3.store.put(BUCKET, PREFIX + name, content)


def asked(name: str, detail: str, change: Callable[[int], bytes | None], **options: Any) -> Fault:
    """Return a version whose signature is not good enough."""
    target = with_signature(change)
    return lasting(
        f"signature: {name}", "signature", detail, before=trusting, target=target, heal=sign_now,
        first=signed, **options,
    )  # fmt: skip


def lasting_rule(name: str, detail: str, rule: dict[str, Any]) -> Fault:
    """Return a signature that does not come, or not as it is."""
    return lasting(
        f"signature: {name}", "signature", detail, rule, before=trusting, target=signed, first=signed
    )


TRUST = [
    once("signature: by one of two keys", before=trusting, target=signed, first=signed),
    once("signature: 500 twice", status(ENVELOPE, 500, "InternalError", nth=[1, 2]), before=trusting,
         target=signed, first=signed),
    asked("missing", "", lambda n: None),
    asked("by a stranger", "", lambda n: envelope(n, "stranger")[1]),
    asked("of another version", "", lambda n: envelope(n + 50)[1]),
    asked("torn", "", lambda n: envelope(n)[1][:-20]),
    asked("empty", "", lambda n: b""),
    asked("not JSON", "", lambda n: b"\x00\xff" * 50),
    asked("of 4 MiB", "", lambda n: b" " * (4 << 20)),
    lasting_rule("a bit flipped for ever", "", flipped(ENVELOPE, 70)),
    lasting_rule("403", "AccessDenied", status(ENVELOPE, 403, "AccessDenied")),
    lasting_rule("the page of a portal", "", on(ENVELOPE, "portal")),
    lasting_rule("the manifest altered on the way", "", on(r"/bundle\.json", "flip", position=70)),
]  # fmt: skip
