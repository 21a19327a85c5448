# SPDX-License-Identifier: Apache-2.0
"""A table of a million labels: it loads, answers, and is counted before memory is taken for it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from itertools import accumulate
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("SCORED_BIN", TOP / "build" / "release" / "scored")).resolve()
sys.path.insert(0, str(TOP / "tests" / "bundles"))

from make_good import Block, draft  # noqa: E402

LABELS = 1_000_000
SOME = (0, 1, 65_535, 65_536, 499_999, LABELS - 1)
MIB = 1 << 20


def label(i: int) -> str:
    return f"user-{i:07d}"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A string indexer of many labels that keeps unseen ones."""
    texts = [label(i).encode() for i in range(LABELS)]
    offsets = list(accumulate(map(len, texts), initial=0))
    golden = [{"in": {"x": label(i)}, "out": {"i": float(i)}} for i in SOME]
    golden.append({"in": {"x": "nobody"}, "out": {"i": float(LABELS)}})
    indexer = {
        "op": "string_indexer",
        "uid": "indexer",
        "class": "org.apache.spark.ml.feature.StringIndexerModel",
        "inputs": {"inputCols": ["x"]},
        "outputs": {"outputCols": ["i"]},
        "params": {"handleInvalid": "keep", "labels": [None]},
    }
    blocks = {
        "s000.labels.0.bytes": Block("U8", b"".join(texts)),
        "s000.labels.0.offsets": Block("U32", offsets),
    }
    made = draft(
        "labels",
        [{"name": "x", "type": "string", "nullable": True}],
        [{"name": "i", "type": "double"}],
        [indexer],
        ["i"],
        blocks,
        golden,
    )
    folder = tmp_path_factory.mktemp("labels") / "bundle"
    made.write(folder)
    return folder


def test_a_million_labels_load_and_answer(bundle: Path) -> None:
    done = subprocess.run([BIN, "check", bundle], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and f"golden rows: {len(SOME) + 1} equal" in done.stdout, done
    rows = "".join(f'{{"x":"{label(i)}"}}\n' for i in SOME)
    done = subprocess.run(
        [BIN, "predict", "--model", bundle], input=rows, capture_output=True, text=True, timeout=60
    )
    assert re.findall(r'"i":([\d.]+)', done.stdout) == [f"{i}.0" for i in SOME], done


def refusal(bundle: Path, limit: int) -> str:
    """Return why a daemon that may take so many bytes does not start."""
    listen = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]
    done = subprocess.run(
        [BIN, "serve", "--model", bundle, "--memory", str(limit), *listen],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1, done
    return done.stderr


def held_at_start(bundle: Path) -> int:
    """Return what the daemon holds before it loads a model: by what it says is left of too little."""
    for limit in range(16 * MIB, 512 * MIB, 16 * MIB):
        left = re.search(r"needs about \d+ MiB more, (\d+) MiB are left", refusal(bundle, limit))
        if left and int(left[1]):
            return limit - int(left[1]) * MIB
    raise AssertionError("it never had a MiB left")


def test_the_table_is_counted_before_it_is_made(bundle: Path) -> None:
    """What is allowed holds the blocks and a fifth more, but not the table made of them."""
    assert "tables of its labels: needs about" in refusal(bundle, held_at_start(bundle) + 40 * MIB)
