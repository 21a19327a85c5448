# SPDX-License-Identifier: Apache-2.0
"""What the jobs' command lines share: the folder they work in, and their exit codes."""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

OK, REFUSED, USAGE, WAITING, BROKEN = 0, 1, 2, 3, 4


class Refused(Exception):
    """The data or the model is not good enough; the message says why. Exit code 1."""


class Usage(Exception):
    """The job was called wrongly, or before the job it needs. Exit code 2."""


class Wait(Exception):
    """What the job needs is not there yet, and may come; the message says what. Exit code 3."""


class Folder:
    """The files that one run of the jobs hands on, all under one directory."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.sources = root / "sources"  # generate -> check
        self.training = root / "training.parquet"  # check -> train, export
        self.report = root / "checks.json"  # every measure of the last check
        self.profile = root / "profile.json"  # the last run that passed: what drift is measured against
        self.model = root / "model"  # train -> export
        self.metrics = root / "metrics.json"
        self.bundle = root / "bundle"  # export -> prove, publish
        self.published = root / "published.json"  # publish -> commit, confirm

    def need(self, path: Path, job: str) -> Path:
        """Return `path`, or tell the user which job makes it."""
        if not path.exists():
            raise Usage(f"{path} is missing; run `python -m days_to_sell.{job} --out {self.root}` first")
        return path


def parser(job: str, text: str) -> argparse.ArgumentParser:
    """Return a parser with the arguments that every job has; `text` ends with an example."""
    made = argparse.ArgumentParser(
        prog=f"python -m days_to_sell.{job}",
        description=text,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder that the jobs share"
    )
    return made


def say(text: str) -> None:
    """Print a line of progress."""
    print(text, flush=True)


def run(job: str, work: Callable[[], None]) -> int:
    """Run a job and return its exit code: 0 fine, 1 refused, 2 called wrongly, 3 not yet, 4 broken; the reason on stderr."""
    begun = time.monotonic()
    try:
        work()
    except Refused as why:
        print(f"{job}: HALT: {why}", file=sys.stderr)
        return REFUSED
    except Usage as why:
        print(f"{job}: {why}", file=sys.stderr)
        return USAGE
    except Wait as why:
        print(f"{job}: {why}", file=sys.stderr)
        return WAITING
    except Exception as error:  # what another time may go well: a network, a disk, a JVM
        traceback.print_exc()
        print(f"{job}: broke: {error}", file=sys.stderr)
        return BROKEN
    say(f"{job}: done in {time.monotonic() - begun:.1f} s")
    return OK
