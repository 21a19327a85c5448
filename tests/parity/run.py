#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows that scored gives Spark's bits: fits pipelines with Spark, exports them, and compares every cell.

Each pipeline is answered by Spark for thousands of generated rows, and for rows that should fail, each in a
job of its own; `scored predict` at 1, 7 and 64 rows a frame and the daemon must answer the same. Then mixes
of stages under error, skip and keep, with selected and unselected outputs. Without `--full` a sample is drawn by the
day, in which each op stands. Fits and Spark's answers are kept in the work folder by what was loaded when the
run began: after a change of the engine only scored is asked again, and a run that was cut short goes on. Results
are written as JSON lines, of which matrix.py makes models/STAGES.md. Two threads share one Spark.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP / "tests" / "parity"), str(TOP / "models" / "export"), str(TOP / "models")]

import composing  # noqa: E402
import example  # noqa: E402
import mixes  # noqa: E402
import refusals  # noqa: E402
import sample  # noqa: E402
import spark_side  # noqa: E402
from harness import FULL_ROWS, Context, run_pipeline  # noqa: E402
from results import Result, commit  # noqa: E402

RANDOM_IN_FULL, RANDOM_IN_CI = 20, 2
TIMES_IN_FULL = 8  # pipelines that each op must stand in


def run_pipelines(context: Context, chosen: Sequence[Any], result: Result, pool: Executor) -> Counter[str]:
    """Check the chosen pipelines; return in how many each stage stands."""
    cases = list(pool.map(lambda p: run_pipeline(context, p, result), chosen))
    return Counter(op for case in cases if case for op in set(case.ops))


def count_ops(context: Context, times: Counter[str], least: int, result: Result) -> None:
    """Check that each op that this Spark has stands in enough pipelines."""
    from scored_export.ops import OPS

    there = [name for name in OPS if spark_side.has_class(context.session(), name)]
    table = {name.rsplit(".", 1)[-1]: times[name.rsplit(".", 1)[-1]] for name in there}
    rare = [name for name, n in table.items() if n < least]
    text = ", ".join(f"{name} {n}" for name, n in table.items())
    print(f"{result.note(not rare)} ops: {text}", flush=True)


def chosen_pipelines(args: argparse.Namespace) -> list[Any]:
    """Return the named pipelines, else all or a sample of them."""
    from pipelines import PIPELINES
    from scored_export.ops import OPS

    every = [*PIPELINES, *example.its_pipelines(args.full)]
    if args.only:
        return [p for p in every if any(fnmatch(p.name, name) for name in args.only)]
    if args.full:
        return every
    print(f"sample {args.sample}", flush=True)
    known = {name.rsplit(".", 1)[-1] for name in OPS}
    return sample.draw([p for p in every if p.ci], known, args.sample)


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the flags."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--full", action="store_true", help=f"all pipelines and mixes, {FULL_ROWS:,} rows each")
    parser.add_argument(
        "--shard", default="1/1", metavar="I/N", help="the i-th of n pieces, each to be run again where it was cut short"
    )
    parser.add_argument("--results", type=Path, help="JSON lines of what was compared (--full: in the work folder)")
    parser.add_argument("--random", type=int, help="how many random pipelines")
    parser.add_argument(
        "--random-seed", default=time.strftime("%m%d%H%M%S"), help="of random pipelines (default: the time)"
    )
    parser.add_argument(
        "--sample", default=time.strftime("%Y-%m-%d"), help="seed of which pipelines are taken without --full (default: the day)"
    )
    parser.add_argument("--seed", type=int, default=1, help="of rows and training data (default 1)")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="NAME",
        help="a pipeline or pattern of them, `mixes`, `random`, `example` or `refusals`; may repeat",
    )
    parser.add_argument(
        "--bin",
        type=Path,
        default=TOP / "build/release/scored",
        help="the binary (default build/release/scored)",
    )
    parser.add_argument(
        "--work", type=Path, default=TOP / "build/parity-work", help="where fits and answers are kept"
    )
    return parser.parse_args(argv)


def run(context: Context, args: argparse.Namespace) -> Result:
    """Compare what the command line asks for; return the tally."""
    piece, pieces = context.shard
    kept = context.work / f"results-{piece}of{pieces}.jsonl" if args.full and not args.only else None
    result = Result()
    result.begin(args.results or kept, {"platform": context.platform, "commit": commit(), "seed": context.seed})
    print(context.platform, flush=True)
    chosen = context.shared(chosen_pipelines(args))
    some = len(context.shared(range(args.random or (RANDOM_IN_FULL if args.full else RANDOM_IN_CI))))
    others = {
        "mixes": lambda: mixes.run(context, result, args.sample),
        "random": lambda: composing.run(context, result, args.random_seed, some),
    }
    once = {"example": lambda: example.run(context, result), "refusals": lambda: refusals.run(context, result)}
    if args.full or args.only:  # each in one piece
        others.update(context.shared(list(once.items())))
    with ThreadPoolExecutor(spark_side.THREADS) as pool:
        begun = [pool.submit(other) for name, other in others.items() if not args.only or name in args.only]
        times = run_pipelines(context, chosen, result, pool)
        for task in begun:
            task.result()
    if not args.only and pieces == 1:
        count_ops(context, times, TIMES_IN_FULL if args.full else 1, result)
    return result


def main(argv: Sequence[str] | None = None) -> int:
    """Run the comparison."""
    args = parse(argv)
    start = time.monotonic()
    args.work.mkdir(parents=True, exist_ok=True)
    piece, pieces = map(int, args.shard.split("/"))
    with tempfile.TemporaryDirectory(prefix="parity-") as folder:
        binary = shutil.copy2(args.bin, folder)  # what is built meanwhile is for the next run
        context = Context(Path(binary), args.work.resolve(), args.seed, args.full, (piece, pieces))
        result = run(context, args)
    print(f"{time.monotonic() - start:.0f} s")
    print(f"{result.passed} passed, {result.failed} failed")
    return 1 if result.failed or not result.passed else 0


if __name__ == "__main__":
    sys.exit(main())
