#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs ``scored check`` on the ops' fixtures: ``run.py SCORED [PATTERN]``. Every golden row must be equal."""

from __future__ import annotations

import fnmatch
import subprocess
import sys
from pathlib import Path

FIXTURES = Path(__file__).resolve().parent / "bundles"
LEAST = 8 * 3  # a directory of fixtures that is nearly empty is no success
SECONDS = 60


def check(scored: str, directory: Path) -> str:
    """Return what is wrong, or nothing."""
    try:
        done = subprocess.run(
            [scored, "check", str(directory)], capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return f"no answer within {SECONDS} s"
    return "" if done.returncode == 0 else f"exit status {done.returncode}: {done.stderr.strip()}"


def main() -> int:
    """Check the fixtures whose name matches; return the exit status."""
    scored = sys.argv[1]
    pattern = sys.argv[2] if len(sys.argv) > 2 else "*"
    found = [path for path in sorted(FIXTURES.iterdir()) if fnmatch.fnmatch(path.name, pattern)]
    wrong = {path.name: text for path in found if (text := check(scored, path))}
    for name, text in wrong.items():
        print(f"FAILED {name}: {text}")
    print(f"{len(found) - len(wrong)} passed, {len(wrong)} failed, 0 skipped")
    return 1 if wrong or (pattern == "*" and len(found) < LEAST) else 0


if __name__ == "__main__":
    sys.exit(main())
