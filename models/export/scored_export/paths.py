# SPDX-License-Identifier: Apache-2.0
"""Paths as people write them, and as Spark takes them: literally, nothing is percent-encoded."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote

from scored_export.errors import Refused

NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")

SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/")
PATTERN = re.compile(r"[*?{}\[\]\\,]")


def scheme_of(path: str) -> str:
    """Return the scheme of a URI, in small letters; empty for a path."""
    match = SCHEME.match(path)
    return match[1].lower() if match else ""


def local_path(path: str) -> Path | None:
    """Return the path on this machine that a path or ``file:`` URI names, else None.

    A URI is taken as it stands, as Hadoop does; percent signs are decoded only where nothing has that name.
    """
    scheme = scheme_of(path)
    if scheme != "file":
        return None if scheme else Path(path)
    plain = re.sub(r"^file:(?://(?:localhost)?(?=/))?", "", path, flags=re.IGNORECASE)
    decoded = unquote(plain)
    return Path(decoded if os.path.exists(decoded) and not os.path.exists(plain) else plain)


def qualified(path: str) -> str:
    """Return a path as Spark must be given it, whatever its default file system."""
    local = local_path(path)
    if local is None:
        return path.rstrip("/")
    full = os.path.abspath(local)
    match = PATTERN.search(full)
    if match:
        raise Refused(f"Spark takes the {match[0]} in {full} for a pattern", "give the folder another name")
    return f"file://{full}"
