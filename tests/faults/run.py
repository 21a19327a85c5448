#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plays every fault at start and at reload, and prints a table.

    tests/faults/run.py BIN [--only TEXT] [--every N] [--threads N] [--dns-shim FILE]

BIN is the daemon. A scenario is right when its final state, the reason told and the time are, and no
prediction failed while an old model served.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), *(str(HERE.parent / room) for room in ("e2e", "http", "bundles"))]

LONG = 40.0  # seconds


def main() -> int:
    """Play them; 0 where all came out right."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", type=Path)
    parser.add_argument("--only", default="", help="only scenarios whose name contains this")
    parser.add_argument("--every", type=int, default=1, help="only each N-th, and none that waits long")
    parser.add_argument("--threads", type=int, default=12)
    parser.add_argument("--dns-shim", type=Path, help="dns_shim.so; scenarios with names need it")
    parser.add_argument("--list", action="store_true")
    args = parser.parse_args()
    os.environ["SCORED_BIN"] = str(args.binary.resolve())
    if args.dns_shim:
        os.environ["DNS_SHIM"] = str(args.dns_shim.resolve())

    from disk_faults import DISK
    from process_faults import PROCESS
    from scenario import Result, play
    from store_faults import S3
    from trust_faults import TRUST

    faults = [fault for fault in [*S3, *TRUST, *DISK, *PROCESS] if args.only in fault.name]
    names = [fault.name for fault in faults]
    assert len(set(names)) == len(names), "two scenarios of one name"
    jobs = [(fault, mode) for fault in faults for mode in fault.modes]
    if args.every > 1:
        jobs = [job for job in jobs if job[0].within <= LONG][:: args.every]
    if args.list:
        print("\n".join(f"{fault.name} ({mode})" for fault, mode in jobs))
        return 0
    jobs.sort(key=lambda job: -job[0].within)
    start = time.monotonic()
    results: list[Result] = []
    with ThreadPoolExecutor(args.threads) as pool:
        for done in as_completed([pool.submit(play, *job) for job in jobs]):
            results.append(done.result())
            if results[-1].error:
                print(f"FAIL {results[-1].name} ({results[-1].mode}): {results[-1].error}", flush=True)
    print(f"\n{'scenario':50} {'at':7} {'expected':9} {'s':>6} {'answers':>8} {'failed':>7}  reason")
    for r in sorted(results, key=lambda r: (names.index(r.name), r.mode != "start")):
        state = "FAIL" if r.error else "skipped" if r.skipped else r.expect
        figures = f"{r.seconds:6.1f} {r.predictions:8} {r.failed:7}"
        print(f"{r.name:50} {r.mode:7} {state:9} {figures}  {r.reason[:140]}")
    failed = sum(bool(r.error) for r in results)
    answers, bad = sum(r.predictions for r in results), sum(r.failed for r in results)
    seconds = time.monotonic() - start
    played = len({r.name for r in results})
    print(f"\n{played} scenarios, {answers} predictions, {bad} failed, {seconds:.0f} s")
    skipped = sum(r.skipped for r in results)
    print(f"{len(results) - failed - skipped} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
