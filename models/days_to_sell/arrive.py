# SPDX-License-Identifier: Apache-2.0
"""Before the first job: are the sources of a run there, whole, and of its day?"""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from days_to_sell import cli
from days_to_sell.sources import SCHEMAS

DATED = ("adverts", "listed_on")  # the source that moves every day, and its day


def columns(name: str) -> list[str]:
    """Return the columns that a source is promised to have."""
    return [part.split()[0] for part in SCHEMAS[name].split(", ")]


def newest(path: Path, column: str) -> tuple[int, str]:
    """Return how many rows a source has, and the greatest value of a column (ISO dates sort as text)."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        values = [row[column] or "" for row in rows]
    return len(values), max(values, default="")


def arrived(feed: Path, day: date, max_age: int) -> None:
    """Raise `Wait`, with the reason, while a source is missing, empty, or older than it may be."""
    for name in SCHEMAS:
        path = feed / f"{name}.csv"
        if not path.is_file():
            raise cli.Wait(f"missing: {path} has not arrived")
        with open(path, newline="", encoding="utf-8") as file:
            lines = csv.reader(file)
            head, first = next(lines, []), next(lines, None)
        if first is None:
            raise cli.Wait(f"empty: {path} has no rows")
        if head != columns(name):
            raise cli.Refused(f"{path} has the columns {', '.join(head)}, not {', '.join(columns(name))}")
    source, column = DATED
    _, last = newest(feed / f"{source}.csv", column)
    age = (day - date.fromisoformat(last)).days
    if age > max_age:
        raise cli.Wait(f"late: the newest of {source} is of {last}, {age} days before {day}, more than {max_age}")


HELP = """Look whether the four sources have arrived in FEED: none missing or empty, adverts of the run's day.
Exits 3, with the reason, while they have not; who waits asks again.

example:
  python -m days_to_sell.arrive --out build/days_to_sell --feed build/days_to_sell/sources --day 2026-06-30"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the job."""
    p = cli.parser("arrive", HELP)
    p.add_argument("--feed", type=Path, required=True, metavar="DIR", help="where the sources arrive")
    p.add_argument(
        "--day", type=date.fromisoformat, required=True, metavar="YYYY-MM-DD", help="the run's day"
    )
    p.add_argument(
        "--max-age", type=int, default=2, metavar="DAYS", help="that the newest advert may be old (default 2)"
    )
    args = p.parse_args(argv)
    return cli.run("arrive", lambda: arrived(args.feed, args.day, args.max_age))


if __name__ == "__main__":
    sys.exit(main())
