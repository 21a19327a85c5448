#!/usr/bin/env python3
"""What a request costs the daemon, beside a server that does nothing; and how long its answers take.

    serve_bench.py BUILD_DIR [--bundle DIR] [--requests N] [--pairs N] [--seconds N]

CPU: user and system time of the whole process over N requests of one row on 32 kept connections; scored
and both kinds of noop_server in turn, the server alone on processor 0, the load on processor 1; the median of the pairs'
ratios, and their range. Beside it, where valgrind is, the instructions a request, which do not depend on
what else the machine does. Latency: an open loop at 1,000 and 5,000 requests a second, counted from when
each request was due. Start: from before the daemon's process is made to its first right answer, 100 times, and what it
holds in memory then and after the requests. Every reply is compared, byte for byte, with an answer that equals the one Spark gave
to the bundle's example.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from whose_port import listens, until_it_listens

TOP = Path(__file__).resolve().parents[2]
CONNECTIONS = 32
WARM_UP = 2000
NOOPS = {"plain": 1.0, "same": 1.15}  # as the library comes, and with scored's settings: how many times it at most
RATES = (1000, 5000)
SERVER_CPU, LOAD_CPU = ("taskset", "-c", "0"), ("taskset", "-c", "1")
CALLGRIND = ("valgrind", "--quiet", "--tool=callgrind")
STARTS = 100
TRACED = (300, 1300)  # requests of the two runs whose difference is taken
ENOUGH_REQUESTS = 200_000


Wait = Callable[[subprocess.Popen[bytes], int], None]


@dataclass
class Server:
    """A running server: its process id and its port on loopback."""

    pid: int
    port: int

    def cpu_us(self) -> float:
        """User and system time of all its threads, in microseconds."""
        tasks = Path(f"/proc/{self.pid}/task").iterdir()
        return sum(int((t / "schedstat").read_text().split()[0]) for t in tasks) / 1e3

    def resident(self) -> float:
        """What it holds in memory, in MiB."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS:")).split()[1]) / 1024

    def ask(
        self, method: str, path: str, body: bytes | None = None
    ) -> tuple[http.client.HTTPResponse, bytes]:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
        reply = connection.getresponse()
        return reply, reply.read()


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def knock_until_it_listens(process: subprocess.Popen[bytes], port: int) -> None:
    """Returns at the moment that something listens; whose port it is must be looked at behind that."""
    while process.poll() is None:
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.0002)
    raise SystemExit("serve_bench: the server did not start")


class Bench:
    """The binaries, and the files of one row and its answer."""

    def __init__(self, build: Path, bundle: Path, folder: Path) -> None:
        self.build, self.bundle = build, bundle
        self.row, self.trace = folder / "row.json", folder / "callgrind.out"
        self.answer = ""
        self.example = json.loads((bundle / "bundle.json").read_text())["example"]
        self.row.write_text(json.dumps(self.example["in"]))

    @contextlib.contextmanager
    def scored(self, tool: tuple[str, ...] = SERVER_CPU, wait: Wait = until_it_listens) -> Iterator[Server]:
        """The daemon, started by `tool`, until the block ends."""
        port = free_port()
        process = subprocess.Popen(
            [
                *tool,
                str(self.build / "scored"),
                "serve",
                f"--model={self.bundle}",
                f"--listen=127.0.0.1:{port}",
                "--admin-listen=off",
                "--lame-duck=0",
                "--log-level=error",
            ]
        )
        try:
            wait(process, port)
            yield Server(process.pid, port)
        finally:
            process.terminate()
            process.wait(30)

    @contextlib.contextmanager
    def noop(self, kind: str, length: int, tool: tuple[str, ...] = SERVER_CPU) -> Iterator[Server]:
        """A server that does nothing, of NOOPS, its answer of that length; it ends with its stdin."""
        process = subprocess.Popen(
            [*tool, str(self.build / "noop_server"), "1", str(length), kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdin and process.stdout
        with process:
            yield Server(process.pid, int(process.stdout.readline()))
            process.stdin.close()

    def learn_answer(self, server: Server) -> None:
        """Keeps the server's answer, which all others must equal."""
        self.answer = server.ask("POST", "/predict", self.row.read_bytes())[1].decode()

    def check_answer(self, server: Server) -> int:
        """The length of the daemon's answer; ends the program where that is not Spark's."""
        reply, body = server.ask("POST", "/predict", self.row.read_bytes())
        if reply.status != 200 or json.loads(body) != self.example["out"]:
            raise SystemExit(f"serve_bench: {reply.status} {body!r}, the bundle says {self.example['out']}")
        return len(body)

    def load(
        self, server: Server, requests: int, rate: int, connections: int = CONNECTIONS
    ) -> dict[str, Any]:
        """Figures of open_loop on processor 1; a wrong reply ends the program."""
        command = [
            *LOAD_CPU,
            str(self.build / "open_loop"),
            str(server.port),
            str(connections),
            str(requests),
            str(rate),
            str(self.row),
        ]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"serve_bench: open_loop: {done.stderr}")
        figures = json.loads(done.stdout)
        if [(r["count"], r["status"], r["body"]) for r in figures["replies"]] != [
            (requests, 200, self.answer)
        ]:
            raise SystemExit(f"serve_bench: not all replies are right: {done.stdout}")
        return figures

    def cpu_a_request(self, server: Server, requests: int) -> tuple[float, float]:
        """Microseconds of CPU a request, and requests a second."""
        self.learn_answer(server)
        self.load(server, WARM_UP, 0)
        before = server.cpu_us()
        figures = self.load(server, requests, 0)
        return (server.cpu_us() - before) / requests, requests / figures["seconds"]

    def instructions(
        self, start: Callable[[tuple[str, ...]], contextlib.AbstractContextManager[Server]]
    ) -> float:
        """User-space instructions a request: what more requests add, so that starting does not count."""
        counts = []
        for requests in TRACED:
            with start((*CALLGRIND, f"--callgrind-out-file={self.trace}")) as server:
                self.learn_answer(server)
                self.load(server, requests, 0, connections=1)
            summary = next(
                line for line in self.trace.read_text().splitlines() if line.startswith("summary:")
            )
            counts.append(int(summary.split()[1]))
        return (counts[1] - counts[0]) / (TRACED[1] - TRACED[0])


def spread(values: list[float]) -> str:
    """Median and range."""
    return f"{statistics.median(values):7.2f}  ({min(values):.2f} .. {max(values):.2f})"


def bench_cpu(bench: Bench, requests: int, pairs: int) -> None:
    """Prints CPU a request of all servers, in turn, and the ratios."""
    ours: list[float] = []
    rates: list[float] = []
    theirs: dict[str, list[float]] = {kind: [] for kind in NOOPS}
    with contextlib.ExitStack() as stack:
        scored = stack.enter_context(bench.scored())
        length = bench.check_answer(scored)
        noops = {kind: stack.enter_context(bench.noop(kind, length)) for kind in NOOPS}
        for _ in range(pairs):
            cpu, rate = bench.cpu_a_request(scored, requests)
            ours.append(cpu)
            rates.append(rate)
            for kind, noop in noops.items():
                theirs[kind].append(bench.cpu_a_request(noop, requests)[0])
    print(
        f"CPU a request of one row, {pairs} rounds of {requests:,} requests, {CONNECTIONS} connections"
        f"{'' if requests >= ENOUGH_REQUESTS else ' (shortened)'}; all replies equal"
    )
    print(f"  scored        {spread(ours)} us")
    for kind, target in NOOPS.items():
        ratios = [a / b for a, b in zip(ours, theirs[kind], strict=True)]
        print(f"  no-op, {kind:6} {spread(theirs[kind])} us; ratio {spread(ratios)} (target: {target})")
    print(
        f"  requests a second of one processor: {statistics.median(rates):,.0f}, "
        f"of a second of its CPU: {1e6 / statistics.median(ours):,.0f}\n"
    )


def bench_instructions(bench: Bench) -> None:
    """Prints instructions a request of all servers, and the ratios."""
    with bench.scored() as scored:
        length = bench.check_answer(scored)
    ours = bench.instructions(bench.scored)
    print(f"instructions a request, by callgrind: scored {ours:,.0f}")
    for kind in NOOPS:
        theirs = bench.instructions(lambda tool, kind=kind: bench.noop(kind, length, tool))
        print(f"  no-op, {kind:6} {theirs:,.0f}, ratio {ours / theirs:.2f}")
    print()


def bench_latency(bench: Bench, seconds: int) -> None:
    """Prints latencies of the daemon in an open loop."""
    print(f"latency of one row, open loop, {seconds} s each, {CONNECTIONS} connections; all replies equal")
    print("  requests/s       p50       p99     p99.9       max   over 30 ms")
    with bench.scored() as scored:
        bench.check_answer(scored)
        bench.learn_answer(scored)
        bench.load(scored, WARM_UP, 0)
        for rate in RATES:
            f = bench.load(scored, rate * seconds, rate)
            print(
                f"  {rate:10,} {f['p50_us']:6} us {f['p99_us']:6} us {f['p999_us']:6} us {f['max_us']:6} us"
                f"   {f['over_30_ms']} of {f['requests']:,}"
            )


def bench_start(bench: Bench, requests: int) -> None:
    """Prints how long the daemon takes from nothing to its first right answer, and what it holds in memory."""
    took: list[float] = []
    for _ in range(STARTS):
        before = time.monotonic()
        with bench.scored((), knock_until_it_listens) as scored:
            bench.check_answer(scored)
            took.append((time.monotonic() - before) * 1e3)
            if not listens(scored.pid, scored.port):
                raise SystemExit("serve_bench: another server has the port")
    with bench.scored() as scored:
        bench.learn_answer(scored)
        first = scored.resident()
        bench.load(scored, requests, 0)
        print(f"start to the first right answer, {STARTS} times: {spread(took)} ms")
        print(f"resident then: {first:.1f} MiB, after {requests:,} requests {scored.resident():.1f} MiB")


def main() -> int:
    """Runs the benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=Path)
    parser.add_argument("--bundle", type=Path, default=TOP / "models/days_to_sell/bundle")
    parser.add_argument("--requests", type=int, default=ENOUGH_REQUESTS)
    parser.add_argument("--pairs", type=int, default=11)
    parser.add_argument("--seconds", type=int, default=10)
    args = parser.parse_args()
    if len(os.sched_getaffinity(0)) < 2:
        raise SystemExit("serve_bench: two processors are needed, one for the server and one for the load")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(args.build, args.bundle, Path(folder))
        bench_cpu(bench, args.requests, args.pairs)
        if shutil.which("valgrind"):
            bench_instructions(bench)
        bench_latency(bench, args.seconds)
        bench_start(bench, args.requests)
    return 0


if __name__ == "__main__":
    sys.exit(main())
