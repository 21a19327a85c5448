#!/usr/bin/env python3
"""Many mixed requests over several connections, for builds and tools that watch the daemon (TSan, ASan, valgrind).

    mixed.py SCORED_BIN [--requests N] [--connections N] [--valgrind] [--bundle DIR]

Starts the daemon on a free loopback port, sends good, bad, small, large and strange requests from keep-alive
connections at once, checks each status, stops the daemon by SIGTERM, and counts the reports on its stderr. Closes with
"N passed, N failed".
"""

from __future__ import annotations

import argparse
import http.client
import json
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
REPORT = re.compile(r"WARNING: ThreadSanitizer|ERROR: AddressSanitizer|ERROR: LeakSanitizer|runtime error:")


class Request:
    """One kind of request: method, target, headers, body, and the status it must get."""

    def __init__(self, method: str, target: str, status: int, body: str | None = None,
                 kind: str = "application/json") -> None:
        self.method, self.target, self.status, self.body = method, target, status, body
        self.headers = {} if body is None else {"Content-Type": kind}


def requests_of(bundle: Path) -> list[Request]:
    """The mixture, made from the bundle's own example row."""
    manifest = json.loads((bundle / "bundle.json").read_text())
    row = manifest["example"]["in"]
    text = json.dumps(row)
    name = manifest["name"]
    field = next(f["name"] for f in manifest["input"] if f["type"] == "string")
    wrong = json.dumps(row | {field: 17})
    lines = "\n".join([text] * 70 + ["{", "", wrong])
    nd = "application/x-ndjson"
    return [
        Request("POST", "/predict", 200, text),
        Request("POST", f"/models/{name}/predict", 200, text),
        Request("POST", "/predict", 200, f"[{','.join([text] * 100)}]"),
        Request("POST", "/predict?columns=all&vectors=spark", 200, text),
        Request("POST", "/predict", 200, lines, nd),
        Request("POST", "/predict", 200, "[]"),
        Request("POST", "/predict", 422, wrong),
        Request("POST", "/predict", 400, text[:-1]),
        Request("POST", "/predict", 400, '{"a":"\udc80"}'.encode("utf-8", "surrogatepass").decode("latin-1")),
        Request("POST", "/predict?columns=nothing", 400, text),
        Request("POST", "/predict", 415, text, "text/yaml"),
        Request("POST", "/models/none/predict", 404, text),
        Request("GET", "/predict", 405),
        Request("GET", "/nothing", 404),
        Request("GET", "/livez", 200),
        Request("GET", "/readyz", 200),
        Request("GET", "/metrics", 200),
        Request("GET", "/models", 200),
        Request("GET", f"/models/{name}/schema", 200),
        Request("GET", "/openapi.json", 200),
        Request("GET", "/version", 200),
    ]


class Worker(threading.Thread):
    """Sends its share of the mixture over one connection, reconnecting where the daemon closes."""

    def __init__(self, port: int, mixture: list[Request], count: int, start: int) -> None:
        super().__init__()
        self.port, self.mixture, self.count, self.first = port, mixture, count, start
        self.wrong: list[str] = []

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        for i in range(self.count):
            r = self.mixture[(self.first + i) % len(self.mixture)]
            try:
                body = None if r.body is None else r.body.encode("latin-1" if "\xed" in r.body else "utf-8")
                connection.request(r.method, r.target, body, r.headers)
                answer = connection.getresponse()
                answer.read()
                if answer.status != r.status:
                    self.wrong.append(f"{r.method} {r.target}: {answer.status}, not {r.status}")
            except (OSError, http.client.HTTPException) as e:
                self.wrong.append(f"{r.method} {r.target}: {e!r}")
                connection.close()
        connection.close()


def start(args: argparse.Namespace) -> tuple[subprocess.Popen, int, list[str]]:
    """The daemon, its port, and the list that its stderr goes to."""
    watch = ["valgrind", "-q", "--error-exitcode=9", "--leak-check=full",
             "--errors-for-leak-kinds=definite,indirect"] if args.valgrind else []
    command = [*watch, args.bin, "serve", "--model", str(args.bundle), "--listen", "127.0.0.1:0",
               "--admin-listen", "off", "--workers", "4"]
    for limit in ("idle", "head", "body", "write"):
        command += [f"--{limit}-timeout", "120"]
    daemon = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, errors="replace")
    lines: list[str] = []
    assert daemon.stderr is not None
    for line in daemon.stderr:
        lines.append(line)
        found = re.search(r"listen(?:ing)?=127\.0\.0\.1:(\d+)", line)
        if found:
            threading.Thread(target=lambda: lines.extend(daemon.stderr), daemon=True).start()
            return daemon, int(found[1]), lines
    sys.exit("the daemon did not start:\n" + "".join(lines))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("bin")
    parser.add_argument("--requests", type=int, default=10000)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--valgrind", action="store_true")
    parser.add_argument("--bundle", type=Path, default=TOP / "models/days_to_sell/bundle")
    args = parser.parse_args()
    mixture = requests_of(args.bundle)
    daemon, port, lines = start(args)
    share = -(-args.requests // args.connections)
    workers = [Worker(port, mixture, share, 5 * i) for i in range(args.connections)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    daemon.send_signal(signal.SIGTERM)
    status = daemon.wait(120)
    wrong = [line for w in workers for line in w.wrong]
    reports = [line for line in lines if REPORT.search(line) or (args.valgrind and line.startswith("=="))]
    for line in (wrong + reports)[:20]:
        print(line.rstrip())
    if status != 0:
        print(f"the daemon's exit status is {status}")
    bad = len(wrong) + len(reports) + (status != 0)
    print(f"{share * args.connections - len(wrong)} requests answered as they should be, {len(reports)} reports")
    print(f"{int(bad == 0)} passed, {bad} failed")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
