# SPDX-License-Identifier: Apache-2.0
"""The faults that halt the DAG: what is done, and what is then said. Behind a run that was green."""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from flow import TASKS, TOP, Ran, World, run

KEY = "days_to_sell/bundle.json"
TRAINED, PUBLISHED = TASKS[:4], TASKS[:8]


class Bench(Protocol):
    """What a fault is played on."""

    world: World

    def client(self) -> Any:
        """A client of the bucket."""


How = dict[str, Any]  # `day`, `skip` and the environment of the run; `restore` is what the bucket must have afterwards


def alter(feed: Path, to: Path, name: str, change: Callable[[list[dict[str, str]]], Any]) -> None:
    """Copy a feed and change the rows of a source."""
    shutil.copytree(feed, to)
    with open(to / f"{name}.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    head = list(rows[0])
    with open(to / f"{name}.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, head, lineterminator="\n")
        writer.writeheader()
        writer.writerows(change(rows))


def leaky(rows: list[dict[str, str]]) -> Iterator[dict[str, str]]:
    """As many photos as days that it took to sell."""
    for row in rows:
        end = row["sold_on"] or row["withdrawn_on"]
        days = (date.fromisoformat(end) - date.fromisoformat(row["listed_on"])).days if end else 100
        yield row | {"photos": str(max(0, min(100, days)))}


def missing(bench: Bench, to: Path) -> How:
    shutil.copytree(bench.world.feed, to)
    (to / "valuations.csv").unlink()
    return {"day": bench.world.later(1), "DAYS_TO_SELL_FEED": str(to)}


def empty(bench: Bench, to: Path) -> How:
    alter(bench.world.feed, to, "adverts", lambda rows: [])
    return {"day": bench.world.later(1), "DAYS_TO_SELL_FEED": str(to)}


def late(bench: Bench, to: Path) -> How:
    return {"day": bench.world.later(9)}


def leak(bench: Bench, to: Path) -> How:
    alter(bench.world.feed, to, "adverts", leaky)
    return {"day": bench.world.later(1), "DAYS_TO_SELL_FEED": str(to)}


def worse(bench: Bench, to: Path) -> How:
    client = bench.client()
    there = client.get_object(Bucket="models", Key=KEY)["Body"].read()
    client.put_object(Bucket="models", Key=KEY, Body=re.sub(rb'"holdout_mae":[\d.]+', b'"holdout_mae":1.5', there))
    return {"restore": there}


def golden(bench: Bench, to: Path) -> How:
    return {"skip": TRAINED, "DAYS_TO_SELL_TRUST": "", "SABOTAGE": "golden", "PYTHONPATH": str(TOP / "tests/airflow/sabotage")}


def keys(to: Path) -> tuple[Path, Path]:
    """Make a private and a public key."""
    to.mkdir()
    private, public = to / "private.pem", to / "public.pem"
    run("openssl", "genpkey", "-algorithm", "ed25519", "-out", private)
    run("openssl", "pkey", "-in", private, "-pubout", "-out", public)
    return private, public


def signature(bench: Bench, to: Path) -> How:
    return {"skip": TRAINED, "DAYS_TO_SELL_TRUST": str(keys(to)[1])}


def repository(bench: Bench, to: Path) -> How:
    return {"skip": PUBLISHED, "DAYS_TO_SELL_REPOSITORY": str(to / "none.git")}


def server(bench: Bench, to: Path) -> How:
    """A daemon that serves another bundle under this name: whoever plays it says where it is."""
    return {"skip": (*PUBLISHED, "commit"), "DAYS_TO_SELL_CONFIRM": "2"}


class Fault(NamedTuple):
    """How it is made, and the task that halts, with what."""

    make: Callable[[Bench, Path], How]
    task: str
    says: str


FAULTS = {
    "a source is missing": Fault(missing, "arrive", r"missing: .*valuations\.csv has not arrived"),
    "a source is empty": Fault(empty, "arrive", r"empty: .*adverts\.csv has no rows"),
    "the sources are late": Fault(late, "arrive", r"late: the newest of adverts is of \S+, \d+ days before 2026-07-\d\d, more than 2"),
    "a feature knows the label": Fault(leak, "check", r"HALT: .*leak\.photos: 0\.\d+, must be within \[0, 0\.8\]: follows the label"),
    "the model is worse than the accepted one": Fault(
        worse, "train", r"HALT: forest errs by [\d.]+ days, the accepted version \S+ by 1\.50"
    ),
    "another key has signed": Fault(signature, "prove", r"HALT: .*(sign|key)"),
    "an answer differs from its golden row": Fault(golden, "prove", r"HALT: .*golden"),
    "git refuses": Fault(repository, "commit", r"HALT: git clone: .*none\.git"),
    "the daemon serves something else": Fault(
        server, "confirm", r"HALT: \S+ does not serve sha256 [0-9a-f]{64} within 2 s: it serves version"
    ),
}


def play(bench: Bench, fault: str, to: Path, **env: str) -> Ran:
    """Run the DAG with a fault."""
    how = FAULTS[fault].make(bench, to)
    restore = how.pop("restore", None)
    try:
        return bench.world.run(**how, **env)
    finally:
        if restore:
            bench.client().put_object(Bucket="models", Key=KEY, Body=restore)


def halted(fault: str, ran: Ran) -> bool:
    """Whether it halted where it must, with its reason, and nothing behind that was done."""
    _, task, says = FAULTS[fault]
    before = list(TASKS[: TASKS.index(task)])
    return ran.states[task] == "failed" and ran.done == before and bool(re.search(f"^{task}: {task}: .*{says}", ran.why, re.S))
