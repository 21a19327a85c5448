# SPDX-License-Identifier: Apache-2.0
"""What Spark answers: many rows in one job, cut in halves where it throws; suspects in jobs of their own."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from rows import Column, Row

ID = "__id__"
SKIPPED, ERROR = "skipped", "error"

#: "skipped", "error", or the added columns as Spark's own JSON has them.
Answer = Any

#: Pipelines side by side; each job has but one partition at a time.
THREADS = 2

SETTINGS = {
    "spark.driver.memory": "2g",
    # hundreds of small plans: the optimising compiler never pays
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.autoBroadcastJoinThreshold": str(1 << 30),  # joins leave rows in their partitions
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.jsonGenerator.ignoreNullFields": "false",
    "spark.default.parallelism": "1",
}


def session() -> Any:
    """Return the one session, small and quiet."""
    os.environ.setdefault("PYSPARK_PIN_THREAD", "true")
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master(f"local[{THREADS}]").appName("parity")
    for key, value in SETTINGS.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("OFF")  # jobs that throw are expected
    return spark


def platform(spark: Any) -> str:
    """Return which Spark, JDK, BLAS and CPU make the answers."""
    jvm = spark.sparkContext._jvm
    java = jvm.java.lang.System.getProperty
    blas = jvm.dev.ludovic.netlib.blas.BLAS.getInstance().getClass().getSimpleName()
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as lines:
        cpu = next(
            (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown CPU"
        )
    vm = f"{java('java.vm.name')} {java('java.version')}"
    return f"Spark {spark.version}, {vm}, {java('os.arch')}, {blas}, {cpu}"


def has_class(spark: Any, name: str) -> bool:
    """Tell whether this Spark has the class; some came with later releases."""
    from py4j.protocol import Py4JJavaError

    try:
        spark.sparkContext._jvm.java.lang.Class.forName(name)
    except Py4JJavaError:
        return False
    return True


def schema(columns: Sequence[Column], *more: str) -> Any:
    """Return Spark's schema of the columns, behind further `more` of doubles."""
    from pyspark.ml.linalg import VectorUDT
    from pyspark.sql.types import (
        ArrayType,
        BooleanType,
        ByteType,
        DateType,
        DecimalType,
        DoubleType,
        FloatType,
        IntegerType,
        LongType,
        ShortType,
        StringType,
        StructField,
        StructType,
        TimestampType,
    )

    types = {
        "boolean": BooleanType,
        "tinyint": ByteType,
        "smallint": ShortType,
        "int": IntegerType,
        "bigint": LongType,
        "float": FloatType,
        "double": DoubleType,
        "string": StringType,
        "date": DateType,
        "timestamp": TimestampType,
        "vector": VectorUDT,
        "array<string>": lambda: ArrayType(StringType()),
        "array<int>": lambda: ArrayType(IntegerType()),
        "array<float>": lambda: ArrayType(FloatType()),
        "array<double>": lambda: ArrayType(DoubleType()),
    }

    def of(kind: str) -> Any:
        if not kind.startswith("decimal"):
            return types[kind]()
        return DecimalType(*map(int, kind[len("decimal(") : -1].split(",")))

    fields = [StructField(c.name, of(c.kind), True, c.metadata()) for c in columns]
    return StructType(fields + [StructField(name, DoubleType(), False) for name in more])


def _as_numbers(its_schema: Any) -> Any:
    """Return a schema whose dates and timestamps are the numbers that they are in the JVM."""
    from pyspark.sql.types import IntegerType, LongType, StructField, StructType

    numbers = {"date": IntegerType(), "timestamp": LongType()}
    return StructType([StructField(f.name, numbers.get(f.dataType.typeName(), f.dataType)) for f in its_schema.fields])


def frame(spark: Any, its_schema: Any, rows: Sequence[Row], parts: int = 1) -> Any:
    """Return rows as a DataFrame of so many partitions, made without Python workers."""
    from pyspark.sql import DataFrame

    context = spark.sparkContext
    jvm = context._jvm
    passed = _as_numbers(its_schema)
    rdd = context.parallelize([passed.toInternal(row) for row in rows], parts)
    java = jvm.SerDeUtil.toJavaArray(jvm.SerDeUtil.pythonToJava(rdd._jrdd, True))
    return DataFrame(spark._jsparkSession.applySchemaToPythonRDD(java.rdd(), its_schema.json()), spark)


def _with_id(its_schema: Any) -> Any:
    from pyspark.sql.types import LongType, StructField, StructType

    return StructType([StructField(ID, LongType(), False), *its_schema.fields])


class Scorer:
    """Scores rows by a fitted model for some columns, which are selected before the job is planned."""

    def __init__(self, spark: Any, model: Any, its_schema: Any, columns: Sequence[str]) -> None:
        self._spark = spark
        self._model = model
        self._schema = _with_id(its_schema)
        self.columns = [ID, *columns]
        self._decimals: list[str] = []

    def transformed(self, rows: Sequence[Row], parts: int) -> Any:
        """Return the model's DataFrame of the numbered rows."""
        numbered = [(i, *row) for i, row in enumerate(rows)]
        return self._model.transform(frame(self._spark, self._schema, numbered, parts))

    def _plan(self, rows: Sequence[Row], parts: int) -> Any:
        made = self.transformed(rows, parts)
        kinds = {field.name: field.dataType.simpleString() for field in made.schema.fields}
        self._decimals = [name for name in self.columns if kinds[name].startswith("decimal")]
        texts = [made[name].cast("string").alias(name) if name in self._decimals else made[name] for name in self.columns]
        return made.select(*texts)._jdf.toJSON().toDF().javaToPython()

    def _answers(self, found: Sequence[Any]) -> dict[int, Answer]:
        answers = [json.loads(line[0]) for line in found]
        for answer in answers:  # the digits of decimals, which no double has
            answer.update({name: f"{Decimal(answer[name]):f}" for name in self._decimals if answer.get(name) is not None})
        return {answer.pop(ID): answer for answer in answers}

    def _run(self, planned: Any, partitions: Sequence[int]) -> dict[int, Answer] | None:
        """Return the answers of some partitions by id, None where the job throws."""
        from py4j.protocol import Py4JJavaError
        from pyspark.errors import PySparkException
        from pyspark.rdd import _load_from_socket
        from pyspark.serializers import BatchedSerializer, CPickleSerializer

        context = self._spark.sparkContext
        try:
            sock = context._jvm.PythonRDD.runJob(context._jsc.sc(), planned, list(partitions))
            found = list(_load_from_socket(sock, BatchedSerializer(CPickleSerializer())))
        except (Py4JJavaError, PySparkException):
            if context._jsc.sc().isStopped():
                raise
            return None
        return self._answers(found)

    def many(self, rows: Sequence[Row]) -> list[Answer]:
        """Return the answers of rows scored together; where that throws, of each half."""
        found = self._run(self._plan(rows, 1), [0])
        if found is not None:
            return [found.get(i, SKIPPED) for i in range(len(rows))]
        if len(rows) == 1:
            return [ERROR]
        middle = len(rows) // 2
        return self.many(rows[:middle]) + self.many(rows[middle:])

    def alone(self, rows: Sequence[Row], lead: Row) -> Iterator[Answer]:
        """Yield the answer of each row in a job of its own.

        The frame is planned once, a row a partition; its first row is a good one, for stages that look at the
        frame's first row when they are planned.
        """
        planned = self._plan([lead, *rows], 1 + len(rows))
        if self._run(planned, [0]) is None:
            raise RuntimeError("Spark does not answer a row any more that it answered a moment ago")
        yield from self.one_by_one(planned, len(rows))

    def one_by_one(self, planned: Any, count: int) -> Iterator[Answer]:
        """Yield the answers of partitions 1 to `count` of a planned frame, a row each, in a job each."""
        for i in range(1, 1 + count):
            found = self._run(planned, [i])
            yield ERROR if found is None else found.get(i, SKIPPED)


def added(spark: Any, model: Any, its_schema: Any, row: Row, shadowed: Sequence[str] = ()) -> list[Any]:
    """Return the fields that a model adds, also in the place of others; it may look at a row."""
    before = set(its_schema.fieldNames()) - set(shadowed)
    return [f for f in model.transform(frame(spark, its_schema, [row])).schema.fields if f.name not in before]
