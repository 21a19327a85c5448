# SPDX-License-Identifier: Apache-2.0
"""Publishing: the order in which a bundle's files are written, and which version is the current one."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scored_export import progress
from scored_export.errors import Refused
from scored_export.signature import Signer
from scored_export.store import Stat, Store, open_store

CURRENT = "bundle.json"
IMMUTABLE = re.compile(r"bundle-([0-9a-f]{16})\.json")
DIGEST = re.compile(r"[0-9a-f]{16}(?:[0-9a-f]{48})?")
READERS = 8
LISTED = "scored-export versions --at URI lists what there is"


@dataclass(frozen=True)
class Version:
    """A published manifest. Where it is damaged, `damage` says how, and only `sha256` is known, cut."""

    sha256: str
    name: str = ""
    version: str = ""
    created: str = ""
    signed: bool = False
    current: bool = False
    damage: str = ""


def sha(data: bytes) -> str:
    """Return a SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def _manifest(store: Store, sha16: str) -> tuple[bytes, dict[str, Any]]:
    """Return a published manifest as bytes and read; it is what its name says."""
    name = f"bundle-{sha16}.json"
    data = store.read(name)
    if data is None:
        raise Refused(f"there is no {name} at {store.uri}", LISTED)
    if sha(data)[:16] != sha16:
        raise Refused(f"{name} at {store.uri} is not what was published", "export the model again")
    try:
        content = json.loads(data)
        return data, {key: content[key] for key in ("name", "version", "created", "files")}
    except (ValueError, KeyError, TypeError):
        raise Refused(f"{name} at {store.uri} is no manifest", "export the model again") from None


def _version(store: Store, sha16: str, names: Collection[str], current: bytes | None) -> Version:
    try:
        data, manifest = _manifest(store, sha16)
    except Refused as error:
        return Version(sha16, damage=error.reason)
    told = {key: str(manifest[key]) for key in ("name", "version", "created")}
    return Version(sha(data), **told, signed=f"bundle-{sha16}.dsse" in names, current=data == current)


def _versions(store: Store) -> list[Version]:
    names = store.names("bundle")
    digests = [match[1] for match in map(IMMUTABLE.fullmatch, names) if match]
    current = store.read(CURRENT) if CURRENT in names else None
    with ThreadPoolExecutor(READERS) as pool:
        found = list(pool.map(lambda sha16: _version(store, sha16, names, current), digests))
    return sorted(found, key=lambda v: (v.created, v.sha256))


def versions(at: str | os.PathLike[str]) -> list[Version]:
    """Return the versions that were published at a place, oldest first.

    Parameters
    ----------
    at : path or str
        A directory, or ``s3://bucket/prefix/``.

    Returns
    -------
    list of Version
        With `sha256`, `name`, `version`, `created`, `signed`, and whether it is the `current` one.

    Raises
    ------
    Refused
        If the place cannot be read.
    """
    return _versions(open_store(at))


def _whole(store: Store, entry: Mapping[str, Any]) -> bool:
    """Tell whether a file of a manifest is there; its digest counts where the store knows it."""
    there = store.stat(str(entry["name"]))
    return there in (Stat(entry["size"], entry["sha256"]), Stat(entry["size"], None))


def promote(digest: str, at: str | os.PathLike[str]) -> Version:
    """Make a published version the current one: copy ``bundle-<sha16>.json`` over ``bundle.json``.

    So a fleet goes back to an earlier version; every instance takes it at its next poll.

    Parameters
    ----------
    digest : str
        The version's SHA-256, or the first 16 digits of it.
    at : path or str
        A directory, or ``s3://bucket/prefix/``.

    Returns
    -------
    Version
        The version that is current now.

    Raises
    ------
    Refused
        If there is no such version, or one of its files is not there; nothing is changed then.
    """
    if not DIGEST.fullmatch(digest):
        raise Refused(f"{digest!r} is not 16 or 64 lower-case hex digits of a SHA-256", LISTED)
    store = open_store(at)
    data, manifest = _manifest(store, digest[:16])
    if not sha(data).startswith(digest):
        raise Refused(f"there is no version {digest} at {store.uri}", LISTED)
    for entry in manifest["files"]:
        if not _whole(store, entry):
            raise Refused(f"{entry['name']} is missing at {store.uri}, or damaged", "export the model again")
    store.put(CURRENT, data)
    envelope = f"bundle-{digest[:16]}.dsse"
    return _version(store, digest[:16], store.names(envelope), data)


def _check_label(store: Store, label: str, digest: str) -> None:
    """Refuse a version label that stands on another bundle."""
    for found in _versions(store):
        if found.version == label and found.sha256 != digest:  # a damaged one has no label
            raise Refused(
                f"version {label} is taken by bundle-{found.sha256[:16]}.json", "choose another version"
            )


def copy(folder: str | os.PathLike[str], at: str | os.PathLike[str]) -> str:
    """Publish a bundle that was exported to a folder, byte by byte, its signature too.

    So it can be proved, by ``scored check``, before anybody who polls the place sees it.

    Parameters
    ----------
    folder : path or str
        The bundle's directory.
    at : path or str
        A directory, or ``s3://bucket/prefix/``.

    Returns
    -------
    str
        The SHA-256 of its manifest.

    Raises
    ------
    Refused
        If it is not whole, or cannot be written; what is current is not changed then.
    """
    path = Path(folder)
    try:
        text = (path / CURRENT).read_bytes()
        entries = json.loads(text)["files"]
        contents = {entry["name"]: (path / entry["name"]).read_bytes() for entry in entries}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Refused(f"{folder} has no whole bundle: {error}", "export the model again") from None
    for entry in entries:
        if sha(contents[entry["name"]]) != entry["sha256"]:
            raise Refused(f"{entry['name']} in {folder} is not what was exported", "export the model again")
    envelope = path / f"bundle-{sha(text)[:16]}.dsse"
    return _publish(open_store(at), text, contents, envelope.read_bytes() if envelope.exists() else None)


def publish(store: Store, text: bytes, contents: Mapping[str, bytes], signer: Signer | None) -> str:
    """Write a bundle, every file before what names it; return its identity.

    Parameters
    ----------
    store : Store
        Where to.
    text : bytes
        The manifest.
    contents : mapping
        File name -> bytes, of the files that the manifest lists.
    signer : Signer or None
        Who signs it.
    """
    return _publish(store, text, contents, None if signer is None else signer.envelope(text))


def _publish(store: Store, text: bytes, contents: Mapping[str, bytes], envelope: bytes | None) -> str:
    digest = sha(text)
    _check_label(store, json.loads(text)["version"], digest)
    named = {**contents, f"bundle-{digest[:16]}.json": text}
    if envelope is not None:
        named[f"bundle-{digest[:16]}.dsse"] = envelope
    for name, data in named.items():
        progress.show(f"writing {name}")
        if store.stat(name) != Stat(len(data), sha(data)):
            store.put(name, data)
    store.put(CURRENT, text)
    return digest
