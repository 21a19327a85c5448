# SPDX-License-Identifier: Apache-2.0
"""A pipeline that Spark plans once, for rows that come later.

A partition of a local collection holds its rows itself, and each step of a plan hands it on to the plan's
source. So partitions of other rows go through a plan that Spark has made before, in the driver's own thread:
the model is sent nowhere, and no job is scheduled. What is thrown there is either a row's own error, or what
would keep any row from its answer.
"""

from __future__ import annotations

import re
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from scored_export.errors import Refused
from scored_export.live import in_driver, java_class, live_stages
from scored_export.spark_says import causes, java_of, refusal, said
from scored_export.values import as_numbers

ID = "__scored_row__"
SQL = "org.apache.spark.ml.feature.SQLTransformer"
#: A list of columns that does not begin with a star; and what is no SQL, but a text or a name.
SELECT = re.compile(r"\bSELECT\b(?!\s*(?:\w+\s*\.\s*)?\*)", re.IGNORECASE)
QUOTED = re.compile(r"""('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`[^`]*`)""", re.DOTALL)
ONE_TASK = threading.Lock()
#: No row's fault: memory, the stack, classes that are missing or do not fit.
NO_ROWS = re.compile(r"java\.lang\.(?!AssertionError)\w*Error\b|\bjava\.lang\.ThreadDeath\b")

Row = tuple[Any, ...]


class Thrown(Exception):
    """What Spark threw over some rows; `kind` tells the places that throw apart."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(said(error))
        self._error = error

    @property
    def kind(self) -> str:
        """Return the class of the innermost cause, and where it was thrown."""
        java = java_of(self._error)
        while java.getCause() is not None:
            java = java.getCause()
        trace = java.getStackTrace()
        return f"{java.getClass().getName()} at {trace[0].toString() if len(trace) else '?'}"


def quoted(name: str) -> str:
    """Return a column name as Spark's SQL takes it."""
    return "`" + name.replace("`", "``") + "`"


def _blocks(spark: Any) -> Any:
    """Return the driver's block manager."""
    return spark.sparkContext._jvm.org.apache.spark.SparkEnv.get().blockManager()


@contextmanager
def _task(spark: Any) -> Iterator[Any]:
    """Make this thread of the driver a task: what was broadcast is read under locks that tasks hold.

    Such tasks all have one number, so that there is one at a time.
    """
    tasks = getattr(getattr(spark.sparkContext._jvm.org.apache.spark, "TaskContext$"), "MODULE$")
    blocks = _blocks(spark)
    task = tasks.empty()
    with ONE_TASK:
        blocks.registerTask(task.taskAttemptId())
        tasks.setTaskContext(task)
        try:
            yield task
        finally:
            tasks.unset()
            blocks.releaseAllLocksForTask(task.taskAttemptId())


def _carrying(model: Any) -> Any:
    """Return a model whose statements of SQL pass the number of a row on, where they do not by a star."""
    from pyspark.ml import PipelineModel

    stages = live_stages(model)
    if not any(java_class(stage) == SQL for stage in stages):
        return model

    def carries(stage: Any) -> Any:
        if java_class(stage) != SQL:
            return stage
        parts = QUOTED.split(stage.getStatement())
        parts[::2] = [SELECT.sub(f"SELECT {ID}, ", part) for part in parts[::2]]
        return stage.copy({stage.statement: "".join(parts)})

    return PipelineModel(stages=[carries(stage) for stage in stages])


class Planned:
    """A model and the columns to answer.

    Parameters
    ----------
    model : object
        Anything with ``transform``.
    fields : list of StructField
        The input columns.
    columns : list of str
        The columns to answer.
    first : tuple
        The row that the frame holds when Spark plans it.
    """

    def __init__(
        self, spark: Any, model: Any, fields: Sequence[Any], columns: Sequence[str], first: Row
    ) -> None:
        from pyspark.serializers import CPickleSerializer
        from pyspark.sql.types import IntegerType, LongType, StructField, StructType

        self._spark = spark
        self._model = model
        self._schema = StructType([StructField(ID, LongType(), False), *fields])
        numbers = {"date": IntegerType(), "timestamp": LongType()}
        self._passed = StructType(
            [StructField(f.name, numbers.get(f.dataType.typeName(), f.dataType)) for f in self._schema.fields]
        )
        self._columns = columns
        self._pickle = CPickleSerializer()
        self._first = first
        self._rdd = self._plan(in_driver(spark, model), [[(0, first)]]).rdd()

    def here(self, rows: Sequence[tuple[int, Row]]) -> dict[int, Row]:
        """Return the answers to numbered rows, computed in this thread; those that Spark drops have none.

        Raises
        ------
        Thrown
            If a row has no answer.
        Refused
            If no row could have one.
        """
        partition = self._source([rows]).rdd().partitions()[0]
        with tempfile.NamedTemporaryFile(prefix="scored-export-") as file:
            with _task(self._spark) as task:
                try:
                    self._write(self._rdd.iterator(partition, task), file.name)
                except Exception as error:
                    raise _thrown(error) from error
            return self._answers(file)

    def in_jobs(self, rows: Sequence[Row]) -> list[dict[int, Row] | Thrown]:
        """Return the answers to each row, number 0, by a job of its own, and what a job threw."""
        planned = self._plan(self._model, [[(0, self._first)], *([(0, row)] for row in rows)])
        # one after the other: a job that fails takes all jobs of the same RDD with it
        return [self._job(planned, 1 + i) for i in range(len(rows))]

    def _write(self, found: Any, path: str) -> None:
        """Let the JVM run through an iterator of pickled rows: bytes are slow through py4j."""
        jvm = self._spark.sparkContext._jvm
        out = jvm.java.io.DataOutputStream(jvm.java.io.FileOutputStream(path))
        try:
            jvm.PythonRDD.writeIteratorToStream(found, out)
        finally:
            out.close()

    def _answers(self, stream: Any) -> dict[int, Row]:
        """Return the answers by the numbers of their rows."""
        from pyspark.serializers import BatchedSerializer

        rows = BatchedSerializer(self._pickle).load_stream(stream)
        return {int(row[0]): tuple(row[1:]) for row in rows}

    def _source(self, parts: Sequence[Sequence[tuple[int, Row]]]) -> Any:
        """Return numbered rows as an RDD of pickled rows, one batch a partition."""
        batches = [
            bytearray(self._pickle.dumps([self._passed.toInternal((i, *row)) for i, row in part]))
            for part in parts
        ]
        return self._spark.sparkContext._jsc.parallelize(batches, len(batches))

    def _plan(self, model: Any, parts: Sequence[Sequence[tuple[int, Row]]]) -> Any:
        """Return the planned answer as an RDD of pickled rows, without the attributes of their columns."""
        from pyspark.sql import DataFrame
        from pyspark.sql import functions as F

        jvm = self._spark.sparkContext._jvm
        java = jvm.SerDeUtil.toJavaArray(jvm.SerDeUtil.pythonToJava(self._source(parts), True))
        made = self._spark._jsparkSession.applySchemaToPythonRDD(java.rdd(), self._schema.json())
        bare = {"answer": True}  # without any, a column keeps its attributes
        try:
            answered = _carrying(model).transform(DataFrame(made, self._spark))
            kinds = {f.name: f.dataType.typeName() for f in answered.schema.fields}
            answers = [
                F.expr(as_numbers(quoted(name), kinds[name])).alias(name, metadata=bare)
                for name in (ID, *self._columns)
            ]
            return answered.select(*answers)._jdf.javaToPython()
        except Exception as error:
            raise refusal(error, "Spark cannot plan the pipeline") from error

    def _job(self, planned: Any, partition: int) -> dict[int, Row] | Thrown:
        try:
            from pyspark.util import _create_local_socket  # from Spark 4.0 on
        except ImportError:
            from pyspark.rdd import _create_local_socket

        context = self._spark.sparkContext
        try:
            sock = context._jvm.PythonRDD.runJob(context._jsc.sc(), planned, [partition])
            return self._answers(_create_local_socket(sock))
        except Exception as error:
            thrown = _thrown(error)
            if isinstance(thrown, Refused):
                raise thrown from error
            return thrown


def _thrown(error: Exception) -> Thrown | Refused:
    """Return what was thrown as a row's own error, or else as a refusal."""
    if java_of(error) is None or NO_ROWS.search("\n".join(causes(error))):
        return refusal(error, "Spark cannot score the golden rows")
    return Thrown(error)
