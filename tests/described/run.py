#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Requests that schemathesis makes from /openapi.json, of the schemas and against them: replies are as it says.

``run.py SCORED`` asks a daemon of the example, and one that wants tokens, on both listeners; ``--full`` for longer. The
seed is fixed, so that a failure comes again. Closes with "N passed, N failed, N skipped", of operations and phases.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parents[1]
SEED = 1
ADMIN = "the-token"
COUNTS = re.compile(r"[✅❌] +(\d+) (passed|failed)")


@contextmanager
def serving(*flags: str) -> Iterator[tuple[int, int]]:
    """Gives the ports of a daemon of the example."""
    from daemon import Daemon

    d = Daemon(*flags)
    try:
        yield d.port, d.admin
    finally:
        assert d.stop() == 0


def ask(tools: Path, port: int, examples: int, headers: list[str]) -> tuple[int, int]:
    """Return how many passed and failed; what failed is printed."""
    command = [str(tools / "bin" / "st"), "--config-file", str(HERE / "schemathesis.toml"), "run"]
    command += [f"http://127.0.0.1:{port}/openapi.json", "--seed", str(SEED), "--max-examples", str(examples)]
    command += ["--checks", "all", "--no-color", "--generation-database", "none", *headers]
    env = os.environ | {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(HERE), "PYTHONDONTWRITEBYTECODE": "1"}
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(command, capture_output=True, text=True, env=env, cwd=folder, check=False)
    found = {"passed": 0, "failed": 0}
    for number, what in COUNTS.findall(done.stdout):
        found[what] += int(number)
    if done.returncode or not found["passed"]:
        print(done.stdout[-6000:], done.stderr[-2000:])
        return found["passed"], max(1, found["failed"])
    return found["passed"], 0


def main() -> int:
    """Ask both daemons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scored", type=Path)
    parser.add_argument("--tools", type=Path, default=TOP / "build" / "described")
    parser.add_argument("--full", action="store_true")
    args = parser.parse_args()
    os.environ["SCORED_BIN"] = str(args.scored.resolve())
    sys.path.insert(0, str(TOP / "tests" / "http"))
    examples = 1000 if args.full else 40
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        tokens = Path(folder) / "tokens"
        tokens.write_text(f"sha256:{hashlib.sha256(ADMIN.encode()).hexdigest()} admin test\n")
        for flags in ([], ["--tokens", str(tokens)]):
            headers = ["-H", f"Authorization: Bearer {ADMIN}"] if flags else []
            with serving(*flags) as ports:
                for port in ports:
                    ok, wrong = ask(args.tools, port, examples, headers)
                    passed, failed = passed + ok, failed + wrong
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
