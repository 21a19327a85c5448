#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Short requests beside long ones: ``beside.py [--seconds N] [--table FILE]``; the daemon is $SCORED_BIN.

Requests of one row come at a fixed rate, alone and beside 1 to 4 clients that ask for something long again
and again. Prints a table of their latencies, from when each was due, in Markdown.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from rig import BUNDLE, Daemon, Generator, Stream, Verdicts, example, serving, wire

ROW = json.dumps(example(BUNDLE), separators=(",", ":"))
RATE = 500
MIB = 1 << 20
SHARE_OF_ITS_OWN = 3.0  # times what a row takes alone, and what a turn of a long one takes


def ndjson(size: int) -> bytes:
    """Return lines of that many bytes."""
    return (ROW.encode() + b"\n") * (size // (len(ROW) + 1))


def array(rows: int) -> bytes:
    """Return an array of that many rows."""
    return ("[" + ",".join([ROW] * rows) + "]").encode()


LONG = {
    "arrays of 10,000 rows": (wire.request("POST", "/predict", array(10_000)), ("--max-body=67108864",)),
    "arrays of 1 MiB": (wire.request("POST", "/predict", array((MIB - 2) // (len(ROW) + 1))), ()),
    "60 MiB of NDJSON": (wire.request("POST", "/predict", ndjson(60 * MIB), "application/x-ndjson"), ()),
}


def step(daemon: Daemon, folder: Path, long: bytes | None, clients: int, seconds: float) -> tuple[Any, Any]:
    """Return the phases of the short ones and of the long ones."""
    short = wire.request("POST", "/predict", ROW)
    streams = [Stream("short", daemon.port, short, f"{RATE}:{seconds}", connections=32)]
    if long:
        streams.append(Stream("long", daemon.port, long, f"100000:{seconds}", "loop", clients))
    seen = Generator(folder, streams, grace=20).figures()
    return seen["short"]["phases"][0], seen["long"]["phases"][0] if long else None


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--workers", default="1,2")
    parser.add_argument("--table", type=Path)
    args = parser.parse_args()
    v = Verdicts()
    head = "| workers | beside | clients | one row p50, p99, max ms | not answered | long ones: answered/s, 503, p50 ms |"
    table = [head, "|" + "---|" * (head.count("|") - 1)]
    print("\n".join(table), flush=True)
    with tempfile.TemporaryDirectory(prefix="beside-") as name:
        folder = Path(name)
        for workers in args.workers.split(","):
            for what, (long, flags) in {"nothing": (None, ()), **LONG}.items():
                for clients in (1, 2, 4) if long else (0,):
                    with serving("--workers", workers, *flags, pinned=workers == "1") as daemon:
                        short, other = step(daemon, folder, long, clients, args.seconds)
                    us = short["accepted_us"]
                    lost = short["due"] - short["accepted"]
                    times = ", ".join(f"{us[k] / 1e3:.2f}" for k in ("p50", "p99", "max"))
                    rest = "-"
                    if other:
                        rest = f"{other['accepted'] / args.seconds:.1f}, {other['busy']}, "
                        rest += f"{other['accepted_us']['p50'] / 1e3:.0f}"
                    table.append(f"| {workers} | {what} | {clients or '-'} | {times} | {lost} | {rest} |")
                    print(table[-1], flush=True)
                    v.add(lost == 0, f"all short ones answered beside {what}")
    if args.table:
        args.table.write_text("\n".join(table) + "\n")
    return v.close()


if __name__ == "__main__":
    sys.exit(main())
