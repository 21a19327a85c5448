# SPDX-License-Identifier: Apache-2.0
"""One line of progress on a terminal, rewritten; nothing elsewhere."""

from __future__ import annotations

import sys
import time

EVERY = 0.2


def show(text: str) -> None:
    """Show a text in place of the last one; an empty one clears the line."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()


class Upload:
    """How far the upload of one file is."""

    def __init__(self, name: str, total: int) -> None:
        self._name = name
        self._total = total
        self._begun = time.monotonic()
        self._shown = 0.0

    def at(self, done: int) -> None:
        """Show how much is sent, a few times a second."""
        now = time.monotonic()
        if now - self._shown < EVERY:
            return
        self._shown = now
        rate = done / max(now - self._begun, 1e-3)
        left = f", {(self._total - done) / rate:.0f} s left" if rate else ""
        show(f"{self._name}: {done / 1e6:.1f} of {self._total / 1e6:.1f} MB, {rate / 1e6:.1f} MB/s{left}")
