# SPDX-License-Identifier: Apache-2.0
"""Spoils a run's bundle just before `prove` looks at it: SABOTAGE=golden changes an answer of a golden row.

All digests are made to fit again, so that nothing but replaying the row can tell.
"""

import hashlib
import json
import os
import sys
from pathlib import Path

if os.environ.get("SABOTAGE") == "golden" and "days_to_sell.prove" in sys.orig_argv:
    bundle = Path(sys.orig_argv[sys.orig_argv.index("--out") + 1]) / "bundle"
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
    for name in ("bundle.json", f"bundle-{hashlib.sha256(text).hexdigest()[:16]}.json"):
        (bundle / name).write_bytes(text)
