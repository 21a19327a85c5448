# SPDX-License-Identifier: Apache-2.0
"""Instructions a row stay what they are: a change that costs more than 5 % is seen here, not in production.

Counted by callgrind, which has no AVX-512: this is the portable path. The difference between two and one more passes
over a bundle's golden rows is what a pass costs, without the load. `test_instructions.py --write` records new figures,
where they are meant; they depend on the compiler, so they say which one made them.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("SCORED_BUILD", TOP / "build" / "release"))
RECORDED = Path(__file__).with_name("instructions.json")
BUNDLES = {
    "days_to_sell": TOP / "models" / "days_to_sell" / "bundle",
    "multinomial": TOP / "tests" / "ops" / "bundles" / "logistic_regression.multinomial",
}
PASSES = ("decode", "score", "all")
MORE = 0.05
REFS = re.compile(r"Collected\s*:\s*(\d+)")


def count(bundle: Path, what: str, passes: int, folder: Path) -> tuple[int, int]:
    """Return the instructions of a run, and how many rows a pass has."""
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", str(BUILD / "rows_bench")]
    done = subprocess.run([*command, "--only", what, str(passes), str(bundle)], capture_output=True, text=True, check=True)
    found = REFS.search(done.stderr)
    assert found, done.stderr
    return int(found[1]), int(done.stdout.split()[0])


def a_row(bundle: Path, what: str, folder: Path) -> float:
    """Return the instructions of a row."""
    (one, rows), (three, _) = (count(bundle, what, passes, folder) for passes in (1, 3))
    return (three - one) / 2 / rows


@pytest.mark.parametrize("name", BUNDLES)
@pytest.mark.parametrize("what", PASSES)
def test_a_row_costs_what_it_did(name, what, tmp_path):
    recorded = json.loads(RECORDED.read_text())["instructions"][name][what]
    found = a_row(BUNDLES[name], what, tmp_path)
    assert found <= recorded * (1 + MORE), f"{found:.0f} instructions a row, {recorded} were recorded"
    assert found >= recorded * (1 - MORE), f"{found:.0f} a row, fewer than {recorded}: record them with --write"


if __name__ == "__main__":
    assert sys.argv[1:] == ["--write"], __doc__
    compiler = subprocess.run(["cc", "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    figures = {n: {w: round(a_row(b, w, Path("/tmp"))) for w in PASSES} for n, b in BUNDLES.items()}
    RECORDED.write_text(json.dumps({"compiler": compiler, "instructions": figures}, indent=2) + "\n")
