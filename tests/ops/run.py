#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs ``scored check`` on the ops' fixtures: ``run.py SCORED [PATTERN]``. Every golden row must be equal.

Then their rows are answered with each stage by itself and with stages fused: every byte must be the same.
"""

from __future__ import annotations

import fnmatch
import subprocess
import sys
from pathlib import Path

FIXTURES = Path(__file__).resolve().parent / "bundles"
LEAST = 8 * 3  # a directory of fixtures that is nearly empty is no success
WAYS = ((), ("--no-fuse", "--kernel", "walk"), ("--kernel", "avx2"), ("--kernel", "avx512"))  # which never change an answer
SECONDS = 60


def run(scored: str, *args: str, rows: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command over rows."""
    return subprocess.run(
        [scored, *args], input=rows, capture_output=True, text=True, timeout=SECONDS, check=False
    )


def rows_of(directory: Path) -> str:
    """Return the golden rows as lines to predict."""
    (golden,) = directory.glob("golden-*.jsonl")
    lines = [line.decode() for line in golden.read_bytes().splitlines()]  # as bytes: texts hold other ends of lines
    ends = (max(line.rfind(end) for end in (',"out":{', ',"skipped":true', ',"error":true')) for line in lines)
    return "".join(line[len('{"in":') : end] + "\n" for line, end in zip(lines, ends))


def check(scored: str, directory: Path) -> str:
    """Return what is wrong, or nothing."""
    try:
        done = run(scored, "check", str(directory))
        if done.returncode:
            return f"exit status {done.returncode}: {done.stderr.strip()}"
        predict, rows = ("predict", "--model", str(directory)), rows_of(directory)
        answers = [run(scored, *predict, *more, rows=rows) for more in WAYS]
    except subprocess.TimeoutExpired:
        return f"no answer within {SECONDS} s"
    usual = answers[0]
    if usual.returncode or not usual.stdout:
        return f"predict: exit status {usual.returncode}: {usual.stderr.strip()}"
    others = [" ".join(way) for way, got in zip(WAYS, answers) if got.stdout != usual.stdout]
    return f"the answers are others with {', '.join(others)}" if others else ""


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
