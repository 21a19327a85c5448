# SPDX-License-Identifier: Apache-2.0
"""Instructions a row, and a request, stay what they are: a change that costs more is seen here, not in production.

Counted by callgrind, which has no AVX-512: this is the portable path. The difference between two and one more passes
over a bundle's golden rows is what a pass costs, without the load; that between two numbers of requests on one
connection what a request costs, libmicrohttpd with it. `test_instructions.py --write` records new figures,
where they are meant; they depend on the compiler, so they say which one made them.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
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
MORE_A_REQUEST = 0.01  # most of it is the library's, which does not change
REQUESTS = (200, 1200)
# Whether a byte that is cleared is an instruction would be for the processor to say.
NO_STRINGS = {"GLIBC_TUNABLES": "glibc.cpu.x86_rep_stosb_threshold=1000000000"}
LISTENS = re.compile(r"listen=127\.0\.0\.1:(\d+)")
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


def ask(port: int, requests: int) -> None:
    """Send the bundle's example so often, on one connection."""
    example = json.loads((BUNDLES["days_to_sell"] / "bundle.json").read_text())["example"]["in"]
    body = json.dumps(example).encode()
    head = f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(requests):
            s.sendall(head.encode() + body)
            assert s.recv(65536).startswith(b"HTTP/1.1 200 "), "no answer"


def count_served(requests: int, folder: Path) -> int:
    """Return the instructions of a daemon that answers so many requests of one row."""
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", str(BUILD / "scored"), "serve",
               "--model", str(BUNDLES["days_to_sell"]), "--listen", "127.0.0.1:0", "--admin-listen", "off",
               "--workers", "1", "--lame-duck", "0", "--kernel", "walk"]  # fmt: skip
    daemon = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ | NO_STRINGS)
    assert daemon.stderr
    told = ""
    for line in daemon.stderr:
        told += line
        if listens := LISTENS.search(line):
            ask(int(listens[1]), requests)
            daemon.send_signal(signal.SIGTERM)
            break
    told += daemon.communicate(timeout=60)[1]
    found = REFS.search(told)
    assert found, told
    return int(found[1])


def a_request(folder: Path) -> float:
    """Return the instructions of a request."""
    few, many = (count_served(n, folder) for n in REQUESTS)
    return (many - few) / (REQUESTS[1] - REQUESTS[0])


def compare(found: float, recorded: int, more: float) -> None:
    """Hold a count to the recorded one."""
    assert found <= recorded * (1 + more), f"{found:.0f} instructions, {recorded} were recorded"
    assert found >= recorded * (1 - more), f"{found:.0f}, fewer than {recorded}: record them with --write"


def test_a_request_costs_what_it_did(tmp_path: Path) -> None:
    compare(a_request(tmp_path), json.loads(RECORDED.read_text())["request"], MORE_A_REQUEST)


@pytest.mark.parametrize("name", BUNDLES)
@pytest.mark.parametrize("what", PASSES)
def test_a_row_costs_what_it_did(name, what, tmp_path):
    recorded = json.loads(RECORDED.read_text())["instructions"][name][what]
    compare(a_row(BUNDLES[name], what, tmp_path), recorded, MORE)


if __name__ == "__main__":
    assert sys.argv[1:] == ["--write"], __doc__
    compiler = subprocess.run(["cc", "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    rows = {n: {w: round(a_row(b, w, Path("/tmp"))) for w in PASSES} for n, b in BUNDLES.items()}
    figures = {"compiler": compiler, "instructions": rows, "request": round(a_request(Path("/tmp")))}
    RECORDED.write_text(json.dumps(figures, indent=2) + "\n")
