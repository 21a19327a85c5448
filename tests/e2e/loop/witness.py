# SPDX-License-Identifier: Apache-2.0
"""A client that never stops: what it is answered, by which version, and whether the answer is that version's."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections import Counter
from dataclasses import dataclass
from typing import Any

from days_to_sell.confirm import bits

import wire

EVERY = 0.04  # seconds between two requests


@dataclass(frozen=True)
class Page:
    """What was seen in a time: answers by version, and all that went wrong."""

    versions: dict[str, int]
    wrong: list[str]

    @property
    def text(self) -> str:
        """In a few words."""
        seen = ", ".join(f"{n:,} of {version}" for version, n in sorted(self.versions.items()))
        return f"{seen or 'no'} answers, {len(self.wrong)} failed" + (f": {self.wrong[:2]}" if self.wrong else "")


class Witness(threading.Thread):
    """From the beginning of the block to its end. Who knows the versions says where their bundles are: `uris`."""

    def __init__(self, port: int, rows: list[dict[str, Any]], s3_env: dict[str, str]) -> None:
        super().__init__(daemon=True)
        self.port, self.s3_env = port, s3_env
        self.rows = [json.dumps(row) for row in rows]
        self.uris: dict[str, str] = {}
        self.known: dict[str, list[Any]] = {}
        self.lock = threading.Lock()
        self.seen: Counter[tuple[str, int, bytes]] = Counter()
        self.failed: list[str] = []
        self.ends = threading.Event()

    def run(self) -> None:
        """Ask a row at a time, on a connection of its own."""
        asked = 0
        while not self.ends.wait(EVERY):
            which = asked % len(self.rows)
            asked += 1
            try:
                reply = wire.ask(self.port, "POST", "/predict", self.rows[which])
                fine, found = reply.status == 200, (reply.headers.get("x-model-version", ""), which, reply.body)
                error = f"{reply.status} {reply.body[:100]!r}"
            except (OSError, AssertionError, ValueError) as broke:
                fine, error = False, repr(broke)
            with self.lock:
                if fine:
                    self.seen[found] += 1
                else:
                    self.failed.append(error)

    def answers(self, version: str) -> list[Any]:
        """What a version must answer, by a program that has nothing to do with its pods."""
        if version not in self.known:
            command = [os.environ["SCORED_BIN"], "predict", "--model", self.uris[version]]
            rows = "\n".join(self.rows) + "\n"
            done = subprocess.run(command, input=rows, capture_output=True, text=True, env=self.s3_env, check=True)
            self.known[version] = [bits(json.loads(line)) for line in done.stdout.splitlines()]
        return self.known[version]

    def page(self) -> Page:
        """Return what was seen since the page before."""
        with self.lock:
            seen, self.seen = self.seen, Counter()
            wrong, self.failed = self.failed, []
        versions: Counter[str] = Counter()
        for (version, which, body), n in seen.items():
            versions[version] += n
            if version not in self.uris or bits(json.loads(body)) != self.answers(version)[which]:
                wrong.append(f"{n} x {body[:100]!r} of {version}")
        return Page(dict(versions), wrong)

    def __enter__(self) -> Witness:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ends.set()
        self.join(30)
