# SPDX-License-Identifier: Apache-2.0
"""Asks Spark for the answer to each row as if the row were alone.

Many rows are scored at once, and a row that Spark drops is found by the number that travels along. Where
something throws, fewer rows are tried, in the end each alone.
"""

from __future__ import annotations

import enum
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Union

from scored_export.planned import Planned, Row, Thrown

SIZES = (512, 64, 8, 1)
ANSWERED = "answered"


class Outcome(enum.Enum):
    """What came of a row that has no answer."""

    SKIPPED = "skipped"
    ERROR = "error"
    UNKNOWN = "unknown"


Answer = Union[Row, Outcome]


@contextmanager
def quiet(spark: Any) -> Iterator[None]:
    """Silence Spark's log: rows that throw are expected.

    Not by ``setLogLevel``: PySpark's own threshold of WARN, which stands beside the root's level, would be
    lost by it, and all that follows in the caller's job be told at INFO.
    """
    log4j = spark.sparkContext._jvm.org.apache.logging.log4j
    set_level = log4j.core.config.Configurator.setRootLevel
    before = log4j.LogManager.getRootLogger().getLevel()
    set_level(log4j.Level.OFF)
    try:
        yield
    finally:
        set_level(before)


class Scorer:
    """Scores rows by a fitted model.

    Parameters
    ----------
    model : object
        Anything with ``transform``.
    fields : list of StructField
        The input columns.
    columns : list of str
        The columns to answer.
    lead : tuple, optional
        A row that passes all stages, for models that look at a row of the frame when Spark plans it.

    Attributes
    ----------
    witnesses : dict
        What becomes of rows (answered, dropped, thrown at a certain place) -> the first one and its answer.
    """

    def __init__(
        self, spark: Any, model: Any, fields: Sequence[Any], columns: Sequence[str], lead: Row | None = None
    ) -> None:
        self._spark = spark
        self._make = lambda first: Planned(spark, model, fields, columns, first if lead is None else lead)
        self._planned: Planned | None = None
        self.witnesses: dict[str, tuple[Row, Answer]] = {}

    def score(self, rows: Sequence[Row], seconds: float | None = None) -> list[Answer]:
        """Return the answer to each row; those not reached in so many seconds after planning are UNKNOWN."""
        answers: list[Answer] = [Outcome.UNKNOWN] * len(rows)
        if not rows:
            return answers
        with quiet(self._spark):
            self._made(rows)
            end = math.inf if seconds is None else time.monotonic() + seconds
            for numbers, found in self._parts(rows, range(len(rows)), SIZES):
                for i in numbers:
                    answers[i] = self._seen(rows[i], found if isinstance(found, Thrown) else found.get(i))
                if time.monotonic() > end:
                    break
        return answers

    def in_jobs(self, rows: Sequence[Row]) -> list[Answer]:
        """Return the answer to each row, of a job of Spark's that scores it alone."""
        with quiet(self._spark):
            found = self._made(rows).in_jobs(rows)
        return [Outcome.ERROR if isinstance(f, Thrown) else f.get(0, Outcome.SKIPPED) for f in found]

    def _made(self, rows: Sequence[Row]) -> Planned:
        if self._planned is None:
            self._planned = self._make(rows[0])
        return self._planned

    def _parts(
        self, rows: Sequence[Row], numbers: Sequence[int], sizes: Sequence[int]
    ) -> Iterator[tuple[Sequence[int], dict[int, Row] | Thrown]]:
        """Yield numbers of rows with their answers, or a single one with what was thrown."""
        for begin in range(0, len(numbers), sizes[0]):
            part = numbers[begin : begin + sizes[0]]
            try:
                yield part, self._made(rows).here([(i, rows[i]) for i in part])
            except Thrown as thrown:
                if len(part) == 1:
                    yield part, thrown
                else:
                    yield from self._parts(rows, part, [size for size in sizes if size < len(part)])

    def _seen(self, row: Row, found: Row | Thrown | None) -> Answer:
        """Return a row's answer, the first of its kind kept as a witness."""
        answer: Answer
        if isinstance(found, Thrown):
            kind, answer = found.kind, Outcome.ERROR
        elif found is None:
            kind, answer = Outcome.SKIPPED.value, Outcome.SKIPPED
        else:
            kind, answer = ANSWERED, found
        self.witnesses.setdefault(kind, (row, answer))
        return answer
