#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How much one worker answers at 64 to 512 kept connections: ``steps.py [--seconds N]``; the daemon is $SCORED_BIN.

A closed loop: each connection asks again as soon as it was answered, so that all are ready at one moment again and again.
libmicrohttpd's own loop waits where exactly 128 of its connections, or a multiple, are ready; ours must not. No step
may answer less than half of what 100 connections do. Prints a line a step, then a verdict a line.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from rig import BUNDLE, Stream, Verdicts, example, load, serving, wire

CONNECTIONS = (64, 96, 100, 126, 127, 128, 129, 130, 192, 255, 256, 257, 320, 383, 384, 385, 448, 511, 512)
BASE = 100


def answers(folder: Path, port: int, request: bytes, connections: int, seconds: float) -> float:
    """Return answers a second of a closed loop; all that was asked must be answered."""
    stream = Stream("loop", port, request, f"1000000:{seconds}", "loop", connections)
    (phase,) = load(folder, [stream])["loop"]["phases"]
    lost = sum(phase[what] for what in ("busy", "gave_up", "reset", "refused", "waiting", "late", "other"))
    assert not lost, f"{connections} connections: {phase}"
    return phase["accepted"] / seconds


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=2.0, help="of each step")
    args = parser.parse_args()
    request = wire.request("POST", "/predict", json.dumps(example(BUNDLE), separators=(",", ":")))
    rates = {}
    with tempfile.TemporaryDirectory() as folder, serving("--workers", "1") as daemon:
        library = wire.ask(daemon.port, "GET", "/version").json["libmicrohttpd"]
        for n in CONNECTIONS:
            rates[n] = answers(Path(folder), daemon.port, request, n, args.seconds)
            print(f"{n:4} connections: {rates[n]:8.0f} answers a second", flush=True)
    verdicts = Verdicts()
    least = min(rates, key=lambda n: rates[n])
    share = rates[least] / rates[BASE]
    verdicts.add(share >= 0.5, f"libmicrohttpd {library}: never less than half ({share:.2f} at {least} connections)")
    return verdicts.close()


if __name__ == "__main__":
    sys.exit(main())
