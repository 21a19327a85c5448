#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes inputs to begin with from bundles: ``seeds.py OUT BUNDLE...`` fills OUT/manifest and OUT/bundle.

Without bundles those of tests/bundles/good and tests/ops/bundles are taken.
"""

from __future__ import annotations

import json
import struct
import sys
from pathlib import Path

GOLDEN_LINES = 6
TESTS = Path(__file__).resolve().parent.parent
OWN = [TESTS / "bundles" / "good", TESTS / "ops" / "bundles"]


def container(bundle: Path) -> bytes:
    """Return a bundle as bundle_fuzz reads it: five parts between lines of "%%"."""
    manifest = json.loads((bundle / "bundle.json").read_bytes())
    names = {entry["role"]: entry["name"] for entry in manifest.pop("files")}
    for stage in manifest["stages"]:
        stage.pop("x-fit", None)
    blocks = (bundle / names["blocks"]).read_bytes()
    (length,) = struct.unpack_from("<Q", blocks)
    lines = (bundle / names["golden"]).read_bytes().splitlines(keepends=True)[:GOLDEN_LINES]
    manifest["golden"] |= {"rows": len(lines), "made": 0}
    row = json.dumps(json.loads(lines[0])["in"]).encode()
    text = json.dumps(manifest, separators=(",", ":")).encode()
    header = blocks[8 : 8 + length].rstrip()
    return b"\n%%\n".join([text, header, blocks[8 + length :], b"".join(lines), row])


def main() -> int:
    """Write a seed a bundle for each of the two targets."""
    if len(sys.argv) < 2:
        print("usage: seeds.py OUT BUNDLE...", file=sys.stderr)
        return 2
    out = Path(sys.argv[1])
    for kind in ("manifest", "bundle"):
        (out / kind).mkdir(parents=True, exist_ok=True)
    own = [path.parent for folder in OWN for path in sorted(folder.glob("*/bundle.json"))]
    for bundle in [Path(arg) for arg in sys.argv[2:]] or own:
        (out / "manifest" / bundle.name).write_bytes((bundle / "bundle.json").read_bytes())
        (out / "bundle" / bundle.name).write_bytes(container(bundle))
    return 0


if __name__ == "__main__":
    sys.exit(main())
