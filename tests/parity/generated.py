#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Generated fitted models, random and degenerate: each is scored like Spark, or refused with a reason.

Of every model that Spark can score: the export ends with a bundle or with `Refused` and a reason of its own; no
bundle is refused by `scored check`; `scored predict` gives Spark's bits for all columns, at 64 rows a frame and at 1.
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP / "tests" / "parity"), str(TOP / "models" / "export")]

import compare  # noqa: E402
import rows  # noqa: E402
import scored_side  # noqa: E402
import spark_side  # noqa: E402
from degenerate import Draw, Drawn  # noqa: E402
from scored_export import Refused, export  # noqa: E402

ALL = 200
FEW, FEW_FROM = 8, 11  # a null label, a classifier of special coefficients and a tree are among them
SAMPLE, GOOD, BAD = 16, 24, 4
SCORED, REFUSED, FAILED = "scored", "refused", "FAILED"


def explained(error: Refused) -> str:
    """Return what is wrong with a refusal: it must be a decision of ours or words of Spark's, not a mishap."""
    mishap = error.__cause__
    if mishap is not None and type(mishap).__module__.split(".")[0] not in (
        "py4j",
        "pyspark",
        "scored_export",
    ):
        return f"refused by a mishap: {error}"
    return "" if error.cure else f"refused without a cure: {error}"


def answers_of(
    spark: Any, drawn: Drawn, r: random.Random
) -> tuple[list[Any], dict[str, str], list[Any]] | None:
    """Return rows, the added columns' types and Spark's answers; None where Spark answers no row."""
    columns = drawn.columns
    good, bad = rows.good_rows(columns, GOOD, r), rows.bad_rows(columns, BAD, r)
    its_schema = spark_side.schema(columns)
    fields = spark_side.added(spark, drawn.model, its_schema, good[0])
    kinds = {
        f.name: "vector" if type(f.dataType).__name__ == "VectorUDT" else f.dataType.simpleString()
        for f in fields
    }
    scorer = spark_side.Scorer(spark, drawn.model, its_schema, list(kinds))
    found = scorer.many(good)
    lead = next((row for row, answer in zip(good, found) if not isinstance(answer, str)), None)
    return None if lead is None else (good + bad, kinds, found + list(scorer.alone(bad, lead)))


def check(binary: Path, bundle: Path) -> str:
    """Return what `scored check` says against a bundle, or nothing."""
    done = subprocess.run(
        [binary, "check", bundle],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return "" if done.returncode == 0 else f"scored check: {(done.stdout + done.stderr).strip()[-400:]}"


def differences(binary: Path, bundle: Path, drawn: Drawn, told: tuple[Any, ...]) -> str:
    """Return the first difference between scored and Spark, or nothing."""
    its_rows, kinds, answers = told
    want = compare.expected_cells(answers, kinds)
    lines = rows.json_lines(drawn.columns, its_rows)
    for frame_rows in (64, 1):
        found = scored_side.predict(binary, bundle, lines, "all", frame_rows)
        for difference in compare.compare(f"predict/{frame_rows}", found, want, kinds):
            return str(difference)
    return ""


def judge(binary: Path, spark: Any, drawn: Drawn, bundle: Path, r: random.Random) -> tuple[str, str]:
    """Return what became of a model, and why where it failed."""
    sample = rows.good_rows(drawn.columns, SAMPLE, r)
    data = spark_side.frame(spark, spark_side.schema(drawn.columns), sample)
    try:
        export(drawn.model, bundle, sample=data, name="generated")
    except Refused as error:
        wrong = explained(error)
        return (FAILED, wrong) if wrong else (REFUSED, str(error))
    wrong = check(binary, bundle)
    if not wrong:
        told = answers_of(spark, drawn, r)
        wrong = differences(binary, bundle, drawn, told) if told else ""
    return (FAILED, wrong) if wrong else (SCORED, "")


def one(draw: Draw, binary: Path, seed: str, folder: Path) -> tuple[str, str]:
    """Draw the model of a seed and judge it; any error but a refusal is a failure."""
    what = seed
    try:
        drawn = draw.any(seed)
        what = f"{seed}: {drawn.what}"
        outcome, why = judge(binary, draw.spark, drawn, folder / "bundle", random.Random(f"rows {seed}"))
    except Exception as error:
        outcome, why = FAILED, f"{type(error).__name__}: {str(error)[:600]}"
    shutil.rmtree(folder / "bundle", ignore_errors=True)
    return outcome, f"{what}: {why}" if why else what


def main(argv: Sequence[str] | None = None) -> int:
    """Judge the models."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--full", action="store_true", help=f"{ALL} models rather than {FEW}")
    parser.add_argument("--models", type=int, help="how many")
    parser.add_argument("--first", type=int, help="number of the first")
    parser.add_argument("--seed", default="1", help="of all models (default 1)")
    parser.add_argument("--bin", type=Path, default=TOP / "build/release/scored", help="the binary")
    args = parser.parse_args(argv)
    start = time.monotonic()
    spark = spark_side.session()
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="generated-") as folder:
        draw = Draw(spark, Path(folder))
        first, count = (0, ALL) if args.full else (FEW_FROM, FEW)
        first = first if args.first is None else args.first
        for i in range(first, first + (args.models or count)):
            outcome, text = one(draw, args.bin.resolve(), f"{args.seed}.{i}", Path(folder))
            counts[outcome] += 1
            print(f"{outcome:8} {text}", flush=True)
    print(f"{counts[SCORED]} scored, {counts[REFUSED]} refused, in {time.monotonic() - start:.0f} s")
    print(f"{counts[SCORED] + counts[REFUSED]} passed, {counts[FAILED]} failed")
    return 1 if counts[FAILED] or not counts[SCORED] else 0


if __name__ == "__main__":
    sys.exit(main())
