# SPDX-License-Identifier: Apache-2.0
"""However many connections become ready at one moment, each is served at once.

An event loop that takes events by the batch may wait again when a batch came full, before it serves it. So
the numbers of clients here lie at and around multiples of usual batches, all of them in step.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from daemon import BIN, Daemon

from wire import request

OVERLOAD = Path(os.environ.get("SCORED_BUILD", BIN.parent)) / "overload"
SECONDS, GRACE = 0.5, 15
STALL_US = 4_000_000  # above what any machine makes of it, below the time a kept connection may idle


@pytest.fixture(scope="module")
def one_worker() -> Iterator[Daemon]:
    """A daemon with one worker."""
    d = Daemon("--workers", "1")
    yield d
    assert d.stop() == 0


@pytest.mark.parametrize("clients", [100, 127, 128, 129, 256, 384, 512])
def test_no_number_of_ready_connections_stalls_a_worker(one_worker, tmp_path, row, clients):
    file = tmp_path / "request"
    file.write_bytes(request("POST", "/predict", json.dumps(row)))
    stream = f"name=s,port={one_worker.port},request={file},mode=loop,connections={clients}"
    done = subprocess.run(
        [OVERLOAD, "-g", str(GRACE), f"{stream},rates=1000000:{SECONDS}"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    (phase,) = json.loads(done.stdout)["phases"]
    assert phase["accepted"] == phase["due"] >= clients, phase
    assert phase["accepted_us"]["max"] < STALL_US, phase
