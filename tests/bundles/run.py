#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs ``scored check`` on hand-made bundles: good ones must pass, hostile ones be refused for their reason.

``run.py SCORED [--keep DIR] [PATTERN]``. A refusal is exit status 1 and one line on stderr that matches the
case's message; nothing else, so that a sanitizer's report is a failure too.
"""

from __future__ import annotations

import argparse
import filecmp
import fnmatch
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from make_bad import CASES, COMMITTED, Case, write
from make_good import GOOD
from make_versions import write as write_versions

HERE = Path(__file__).resolve().parent
SECONDS = 30


def check(scored: str, directory: Path) -> tuple[int, str]:
    """Return the exit status and stderr of ``scored check``; -1 where it does not end."""
    try:
        done = subprocess.run(
            [scored, "check", str(directory)], capture_output=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return -1, f"no answer within {SECONDS} s"
    return done.returncode, done.stderr.decode("utf-8", "replace")


def refused(status: int, stderr: str, message: str) -> str:
    """Return what is wrong with a refusal, or nothing."""
    lines = stderr.splitlines()
    if status != 1:
        return f"exit status {status}, 1 is expected: {stderr}"
    if len(lines) != 1 or not stderr.endswith("\n"):
        return f"{len(lines)} lines on stderr: {stderr}"
    if not lines[0].isprintable():
        return f"a control character on stderr: {lines[0]!r}"
    if not re.search(message, lines[0]):
        return f"{lines[0]}\n    does not match {message}"
    return ""


def same_tree(one: Path, two: Path) -> bool:
    """Return whether two directories hold the same files with the same bytes."""
    if not two.is_dir():
        return False
    names = sorted(path.name for path in one.iterdir())
    if names != sorted(path.name for path in two.iterdir()):
        return False
    return filecmp.cmpfiles(one, two, names, shallow=False)[1:] == ([], [])


def run_good(scored: str, work: Path, pattern: str) -> list[tuple[str, str]]:
    """Return (name, complaint) of the good bundles: accepted, and committed as the writer makes them."""
    results = []
    for name, make in GOOD.items():
        if not fnmatch.fnmatch(name, pattern):
            continue
        make().write(work / name)
        status, stderr = check(scored, work / name)
        complaint = "" if status == 0 and not stderr else f"exit status {status}: {stderr}"
        if not complaint and not same_tree(work / name, HERE / "good" / name):
            complaint = f"good/{name} is not what make_good.py writes"
        results.append((f"good/{name}", complaint))
    return results


def run_bad(scored: str, work: Path, pattern: str) -> list[tuple[str, str]]:
    """Return (name, complaint) of the hostile bundles."""
    results = []
    for case in CASES:
        if not fnmatch.fnmatch(case.name, pattern):
            continue
        write(case, work)
        complaint = refused(*check(scored, work / case.name), case.message)
        results.append((f"bad/{case.name}", complaint or stale(case, work)))
    return results


def run_versions(work: Path) -> list[tuple[str, str]]:
    """Return (name, complaint) of the versions, which the unit tests load: committed as they are made."""
    write_versions(work)
    return [("versions", "" if same_tree(work, HERE / "versions") else "versions is not what make_versions.py writes")]


def stale(case: Case, work: Path) -> str:
    """Return a complaint where the committed copy is not what was written."""
    if case not in COMMITTED or same_tree(work / case.name, HERE / "bad" / case.name):
        return ""
    return f"bad/{case.name} is not what make_bad.py writes"


def main() -> int:
    """Run all cases whose name matches the pattern; print the failures and a count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scored", help="the program to test")
    parser.add_argument("pattern", nargs="?", default="*", help="names of cases, as a shell pattern")
    parser.add_argument("--keep", type=Path, help="write the bundles here and keep them")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = options.keep or Path(temporary)
        results = run_good(options.scored, work / "good", options.pattern)
        results += run_bad(options.scored, work / "bad", options.pattern)
        results += run_versions(work / "versions")
    failures = [(name, complaint) for name, complaint in results if complaint]
    for name, complaint in failures:
        print(f"FAIL {name}: {complaint}")
    print(f"{len(results) - len(failures)} passed, {len(failures)} failed, 0 skipped")
    return 1 if failures or not results else 0


if __name__ == "__main__":
    sys.exit(main())
