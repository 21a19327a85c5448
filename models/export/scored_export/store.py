# SPDX-License-Identifier: Apache-2.0
"""Where bundles are published: a folder or a prefix of S3, seen through the same few calls."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from scored_export.errors import Refused
from scored_export.paths import scheme_of

MANIFEST_BYTES = 1 << 20
TYPES = {
    ".json": "application/json",
    ".jsonl": "application/x-ndjson",
    ".safetensors": "application/octet-stream",
    ".dsse": "application/vnd.dsse.envelope.v1+json",
}


@dataclass(frozen=True)
class Stat:
    """What a store knows of a file without sending it; `sha256` is None where it does not know."""

    size: int
    sha256: str | None


class Store(Protocol):
    """A folder of files. Names have no slash; nothing is ever deleted."""

    uri: str

    def check(self) -> None:
        """Refuse what could not be written to later, as far as that shows now."""

    def names(self, prefix: str) -> list[str]:
        """Return the names of the files that begin so, sorted."""

    def stat(self, name: str) -> Stat | None:
        """Return size and digest of a file, or None if it is not there."""

    def read(self, name: str) -> bytes | None:
        """Return the bytes of a manifest, or None if it is not there."""

    def put(self, name: str, data: bytes) -> None:
        """Write a file: readers see the old bytes or the new ones, never a part."""


def content_type(name: str) -> str:
    """Return the media type of a bundle's file."""
    return TYPES[Path(name).suffix]


def too_large(what: str) -> Refused:
    """Return the refusal of a file that is no manifest."""
    return Refused(f"{what} has more than 1 MiB, so it is no manifest", "look what was written there")


class Folder:
    """A directory."""

    def __init__(self, path: Path) -> None:
        self.uri = str(path)
        self._path = path

    def check(self) -> None:
        """Refuse a file in the directory's place."""
        if self._path.exists() and not self._path.is_dir():
            raise Refused(f"{self._path} is not a directory", "choose another place")

    def names(self, prefix: str) -> list[str]:
        """Return the names of the files that begin so, sorted."""
        return sorted(p.name for p in self._path.glob(f"{prefix}*")) if self._path.is_dir() else []

    def stat(self, name: str) -> Stat | None:
        """Return size and digest of a file, or None if it is not there."""
        digest, size = hashlib.sha256(), 0
        try:
            with open(self._path / name, "rb") as file:
                while piece := file.read(1 << 20):
                    digest.update(piece)
                    size += len(piece)
        except FileNotFoundError:
            return None
        return Stat(size, digest.hexdigest())

    def read(self, name: str) -> bytes | None:
        """Return the bytes of a manifest, or None if it is not there."""
        try:
            with open(self._path / name, "rb") as file:
                data = file.read(MANIFEST_BYTES + 1)
        except FileNotFoundError:
            return None
        if len(data) > MANIFEST_BYTES:
            raise too_large(f"{self.uri}/{name}")
        return data

    def put(self, name: str, data: bytes) -> None:
        """Write a file under a temporary name, to disk, and rename it."""
        self._path.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{name}.", dir=self._path)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, 0o644)
            os.replace(temporary, self._path / name)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


def open_store(at: str | os.PathLike[str]) -> Store:
    """Return the store of a path, ``file:///path`` or ``s3://bucket/prefix/``.

    Raises
    ------
    Refused
        If the URI is none of these, or boto3 is missing where it is needed.
    """
    uri = os.fspath(at)
    if uri.startswith("s3://"):
        from scored_export.s3 import Prefix

        return Prefix(uri)
    if uri.startswith("s3:"):
        raise Refused(f"{uri!r} is not s3://BUCKET/PREFIX/", "pass the URI as a string, not as a Path")
    if scheme_of(uri) and not uri.startswith("file:///"):
        raise Refused(f"{uri!r} is no place to publish to", "use a path, file:///PATH or s3://BUCKET/PREFIX/")
    return Folder(Path(uri[7:] if uri.startswith("file:///") else uri))
