# SPDX-License-Identifier: Apache-2.0
"""A bundle with a wrong golden row: all digests are made to fit again, so that nothing but replaying the row can tell."""

import hashlib
import json
from pathlib import Path


def spoil(bundle: Path) -> str:
    """Change an answer of a golden row; return the manifest's new digest."""
    manifest = json.loads((bundle / "bundle.json").read_text())
    (entry,) = (f for f in manifest["files"] if f["role"] == "golden")
    lines = (bundle / entry["name"]).read_text().splitlines(keepends=True)
    first = next(i for i, line in enumerate(lines) if '"prediction":' in line)
    row = json.loads(lines[first])
    row["out"]["prediction"] += 1.0
    lines[first] = json.dumps(row, separators=(",", ":")) + "\n"
    data = "".join(lines).encode()
    sha = hashlib.sha256(data).hexdigest()
    entry.update(name=f"golden-{sha[:16]}.jsonl", size=len(data), sha256=sha)
    (bundle / entry["name"]).write_bytes(data)
    text = json.dumps(manifest).encode()
    digest = hashlib.sha256(text).hexdigest()
    for name in ("bundle.json", f"bundle-{digest[:16]}.json"):
        (bundle / name).write_bytes(text)
    return digest
