# SPDX-License-Identifier: Apache-2.0
"""Asks Spark for the answer to each row as if the row were alone.

One job scores many rows; a row that Spark drops is found by the id that travels along. When a job throws,
smaller partitions are tried, and in the end one row each: the plan is made once a level, and jobs run on
subsets of its partitions.
"""

from __future__ import annotations

import enum
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Union

from scored_export.errors import Refused, first_line

ID = "__scored_row__"
LEAD = -1
PADDING = -2
MAX_PARTITION = 1024
COARSE = 64
FIRST_PARTS = 16
FIRST_GROUP = 8


class Outcome(enum.Enum):
    """What came of a row that has no answer."""

    SKIPPED = "skipped"
    ERROR = "error"
    UNKNOWN = "unknown"


Row = tuple[Any, ...]
Answer = Union[Row, Outcome]


@contextmanager
def quiet(spark: Any) -> Iterator[None]:
    """Silence Spark's log: rows that throw are expected."""
    context = spark.sparkContext
    root = context._jvm.org.apache.logging.log4j.LogManager.getRootLogger()
    before = str(root.getLevel().toString())
    context.setLogLevel("OFF")
    try:
        yield
    finally:
        context.setLogLevel(before)


def quoted(name: str) -> str:
    """Return a column name as Spark's SQL takes it."""
    return "`" + name.replace("`", "``") + "`"


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
        A row that passes all stages, put first in every frame; for models that look at a frame's first row.
    """

    def __init__(
        self, spark: Any, model: Any, fields: Sequence[Any], columns: Sequence[str], lead: Row | None = None
    ) -> None:
        from pyspark.sql.types import LongType, StructField, StructType

        self._spark = spark
        self._model = model
        self._schema = StructType([StructField(ID, LongType(), False), *fields])
        self._columns = [quoted(name) for name in (ID, *columns)]
        self._lead = lead

    def frame(self, rows: Sequence[Row], parts: int) -> Any:
        """Return rows as a DataFrame of so many partitions, made without Python workers.

        Spark cuts pickled batches, not rows, into partitions; they are the same only if all are of one size.
        """
        context = self._spark.sparkContext
        jvm = context._jvm
        data = [self._schema.toInternal(row) for row in rows]
        rdd = context.parallelize(data, parts)
        java = jvm.SerDeUtil.toJavaArray(jvm.SerDeUtil.pythonToJava(rdd._jrdd, True))
        made = self._spark._jsparkSession.applySchemaToPythonRDD(java.rdd(), self._schema.json())
        return _dataframe(made, self._spark)

    def score(self, rows: Sequence[Row], seconds: float | None = None) -> list[Answer]:
        """Return the answer to each row; rows not reached within the time limit are UNKNOWN."""
        answers: list[Answer] = [Outcome.UNKNOWN] * len(rows)
        pending = list(range(len(rows)))
        end = None if seconds is None else time.monotonic() + seconds
        first = min(MAX_PARTITION, max(COARSE, -(-len(rows) // FIRST_PARTS)))
        with quiet(self._spark):
            for size in (first, COARSE, 1) if first > COARSE else (COARSE, 1):
                if pending:
                    pending = self._level(rows, pending, size, answers, end)
            for i in pending:
                answers[i] = Outcome.ERROR
        return answers

    def _level(
        self, rows: Sequence[Row], pending: list[int], size: int, answers: list[Answer], end: float | None
    ) -> list[int]:
        """Score the pending rows, `size` a partition, and return those of the partitions that throw."""
        ids = pending if self._lead is None else [LEAD, *pending]
        partitions = [ids[i : i + size] for i in range(0, len(ids), size)]
        failed: list[int] = []
        for group in self._groups(rows, partitions, all_at_once=size > 1):
            for ok, indices, found in self._solve(group):
                if not found.keys() <= set(indices):
                    raise RuntimeError("Spark put a row into another partition than expected")
                if not ok:
                    failed += indices
                for i in indices if ok else ():
                    answers[i] = found.get(i, Outcome.SKIPPED)
                if end is not None and time.monotonic() > end:
                    return []
        return failed

    def _groups(
        self, rows: Sequence[Row], partitions: list[list[int]], all_at_once: bool
    ) -> Iterator[_Group]:
        """Yield what to try in one job: everything on a coarse level, a few rows on the last."""
        lead = self._lead or ()
        data = [(i, *(lead if i == LEAD else rows[i])) for part in partitions for i in part]
        data += [(PADDING, *data[-1][1:])] * (len(partitions) * len(partitions[0]) - len(data))
        java = self._plan(self.frame(data, len(partitions)))
        step = len(partitions) if all_at_once else FIRST_GROUP
        for begin in range(0, len(partitions), step):
            chosen = list(range(begin, min(begin + step, len(partitions))))
            yield _Group(self._spark, java, chosen, [partitions[c] for c in chosen])

    def _plan(self, frame: Any) -> Any:
        """Return the planned answer as a JVM RDD of pickled rows."""
        try:
            return self._model.transform(frame).select(*self._columns)._jdf.javaToPython()
        except Exception as error:
            raise Refused(f"Spark cannot plan the pipeline: {first_line(error)}") from error

    def _solve(self, group: _Group) -> Iterator[tuple[bool, list[int], dict[int, Row]]]:
        """Yield (passed, row indices, answers), halving what throws down to single partitions."""
        found = group.run()
        if found is not None:
            yield True, group.indices, found
        elif len(group.partitions) == 1:
            yield False, group.indices, {}
        else:
            for half in group.halves():
                yield from self._solve(half)


class _Group:
    """Some partitions of a planned frame."""

    def __init__(self, spark: Any, java: Any, partitions: list[int], rows: list[list[int]]) -> None:
        self._spark = spark
        self._java = java
        self.partitions = partitions
        self._rows = rows

    @property
    def indices(self) -> list[int]:
        """Return the rows of the group, without the leading one."""
        return [i for part in self._rows for i in part if i != LEAD]

    def halves(self) -> Iterator[_Group]:
        """Yield the group in two parts."""
        middle = len(self.partitions) // 2
        for cut in (slice(None, middle), slice(middle, None)):
            yield _Group(self._spark, self._java, self.partitions[cut], self._rows[cut])

    def run(self) -> dict[int, Row] | None:
        """Return the answers by row index, None if the job throws."""
        from py4j.protocol import Py4JJavaError
        from pyspark.rdd import _load_from_socket
        from pyspark.serializers import BatchedSerializer, CPickleSerializer

        context = self._spark.sparkContext
        try:
            sock = context._jvm.PythonRDD.runJob(context._jsc.sc(), self._java, self.partitions)
            rows = list(_load_from_socket(sock, BatchedSerializer(CPickleSerializer())))
        except Exception as error:
            if not isinstance(error, Py4JJavaError) and not type(error).__module__.startswith("pyspark"):
                raise
            if context._jsc.sc().isStopped():
                raise Refused("Spark stopped while it scored the golden rows", "export again") from error
            return None
        return {int(row[0]): tuple(row[1:]) for row in rows if row[0] >= 0}


def _dataframe(java: Any, spark: Any) -> Any:
    from pyspark.sql import DataFrame

    return DataFrame(java, spark)
