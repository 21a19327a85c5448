#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows that scored gives Spark's bits: fits pipelines with Spark, exports them, and compares every cell.

Each pipeline is answered by Spark for thousands of generated rows, and for rows that should fail, each in a
job of its own; `scored predict` at 1, 7 and 64 rows a frame and the daemon must answer the same. Then mixes
of stages under error, skip and keep, with selected and unselected outputs. Fits and Spark's answers are kept
in the work folder: after a change of the engine only scored is asked again. Two threads share one Spark.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP / "tests" / "parity"), str(TOP / "models" / "export"), str(TOP / "models")]

import example  # noqa: E402
import mixes  # noqa: E402
import spark_side  # noqa: E402
from harness import Context, Result, run_pipeline  # noqa: E402

TIMES_IN_FULL = 8  # pipelines that each op must stand in


def run_pipelines(context: Context, only: Sequence[str], result: Result, pool: Executor) -> None:
    """Check the chosen pipelines, and that each op stands in enough of them."""
    from scored_export.ops import OPS

    from pipelines import PIPELINES

    def wanted(p: Any) -> bool:
        return any(fnmatch(p.name, name) for name in only) if only else context.full or p.ci

    chosen = [p for p in PIPELINES if wanted(p)]
    cases = list(pool.map(lambda p: run_pipeline(context, p, result), chosen))
    if only:
        return
    times = Counter(op for case in cases if case for op in set(case.ops))
    least = TIMES_IN_FULL if context.full else 1
    table = {name.rsplit(".", 1)[-1]: times[name.rsplit(".", 1)[-1]] for name in OPS}
    rare = [name for name, n in table.items() if n < least]
    print(
        f"{result.note(not rare)} ops: " + ", ".join(f"{name} {n}" for name, n in table.items()), flush=True
    )


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the flags."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--full", action="store_true", help="all pipelines and mixes, 10,000 rows each")
    parser.add_argument("--seed", type=int, default=1, help="of rows and training data (default 1)")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="NAME",
        help="a pipeline or pattern of them, `example` or `mixes`; may repeat",
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


def main(argv: Sequence[str] | None = None) -> int:
    """Run the comparison."""
    args = parse(argv)
    start = time.monotonic()
    args.work.mkdir(parents=True, exist_ok=True)
    context = Context(args.bin.resolve(), args.work.resolve(), args.seed, args.full)
    result = Result()
    print(spark_side.platform(context.session()), flush=True)
    names = [name for name in args.only if name not in ("mixes", "example")]
    with ThreadPoolExecutor(spark_side.THREADS) as pool:
        begun = [
            pool.submit(run, context, result)
            for name, run in (("mixes", mixes.run), ("example", example.run))
            if not args.only or name in args.only
        ]
        if not args.only or names:
            run_pipelines(context, names, result, pool)
        for task in begun:
            task.result()
    print(f"{time.monotonic() - start:.0f} s")
    print(f"{result.passed} passed, {result.failed} failed")
    return 1 if result.failed or not result.passed else 0


if __name__ == "__main__":
    sys.exit(main())
