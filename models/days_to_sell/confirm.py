# SPDX-License-Identifier: Apache-2.0
"""Job 9: wait until it is served, by daemons that watch the prefix or by pods of a new image, and ask the golden rows."""

from __future__ import annotations

import json
import struct
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any

from days_to_sell import cli
from days_to_sell.exporter import open_store

NAME = "days_to_sell"
EVERY = 1.0  # seconds between two looks


def call(url: str, body: bytes | None = None) -> tuple[bytes, Any]:
    """Ask the daemon and return body and headers."""
    request = urllib.request.Request(url, body, {"Content-Type": "application/x-ndjson"} if body else {})
    with urllib.request.urlopen(request, timeout=60) as reply:
        return reply.read(), reply.headers


def wait(server: str, digest: str, seconds: float, end: float) -> None:
    """Wait until the daemon serves a version; Refused, with what it serves instead and why, if it does not."""
    seen = "no answer"
    while True:
        try:
            about = json.loads(call(f"{server}/models/{NAME}")[0])
            if about["sha256"] == digest:
                return
            seen = f"it serves version {about['version']}, sha256 {about['sha256']}"
            if about.get("last_error"):
                seen += f": {json.dumps(about['last_error'])}"
        except (OSError, ValueError) as error:
            seen = str(error)
        if time.monotonic() >= end:
            raise cli.Refused(f"{server} does not serve sha256 {digest} within {seconds:g} s: {seen}")
        time.sleep(EVERY)


def ask(server: str, rows: str, version: str, end: float) -> list[Any]:
    """Ask until the version answers: behind a load balancer the one before may, as long as a roll-out takes."""
    while True:
        body, headers = call(f"{server}/models/{NAME}/predict", rows.encode())
        if headers["X-Model-Version"] == version:
            return [json.loads(line) for line in body.splitlines()]
        if time.monotonic() >= end:
            raise cli.Refused(f"{server} answers as version {headers['X-Model-Version']}, not {version}")
        time.sleep(EVERY)


def bits(value: Any) -> Any:
    """Return an answer so that equality is that of bits: -0.0 is not 0.0."""
    if isinstance(value, float):
        return struct.pack(">d", value)
    if isinstance(value, list):
        return [bits(v) for v in value]
    return {k: bits(v) for k, v in value.items()} if isinstance(value, dict) else value


def same(golden: dict[str, Any], answer: dict[str, Any]) -> bool:
    """Whether an answer is Spark's; where Spark drops a row or throws, so does scored."""
    for word in ("skipped", "error"):
        if word in golden:
            return word in answer
    return bits(golden["out"]) == bits(answer)


def confirm(folder: cli.Folder, server: str, seconds: float) -> None:
    """Wait for the version that `publish` wrote down, and compare its golden rows."""
    told = json.loads(folder.need(folder.published, "publish").read_text(encoding="utf-8"))
    end = time.monotonic() + seconds
    wait(server, told["sha256"], seconds, end)
    store = open_store(told["uri"])
    manifest = json.loads(store.read(f"bundle-{told['sha256'][:16]}.json") or b"{}")
    (name,) = (file["name"] for file in manifest["files"] if file["role"] == "golden")
    lines = [json.loads(line) for line in (store.read(name) or b"").splitlines()]
    asked = "".join(json.dumps(line["in"], ensure_ascii=False) + "\n" for line in lines)
    answers = ask(server, asked, told["version"], end)
    differ = [i for i, (line, answer) in enumerate(zip(lines, answers, strict=True), 1) if not same(line, answer)]
    if differ:
        raise cli.Refused(f"{server} answers {len(differ)} of {len(lines)} golden rows otherwise, first row {differ[0]}")
    cli.say(f"  {server} serves version {told['version']}; {len(lines)} golden rows are Spark's")


HELP = """Wait until the daemon at URL serves the published version, ask it every golden row, and compare bits.

example:
  python -m days_to_sell.confirm --out build/days_to_sell --server http://days-to-sell.models:8080"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the job."""
    p = cli.parser("confirm", HELP)
    p.add_argument("--server", required=True, metavar="URL", help="the daemon")
    p.add_argument("--wait", type=float, default=120, metavar="SECONDS", help="for the version (default 120)")
    args = p.parse_args(argv)
    return cli.run("confirm", lambda: confirm(cli.Folder(args.out), args.server.rstrip("/"), args.wait))


if __name__ == "__main__":
    sys.exit(main())
