# SPDX-License-Identifier: Apache-2.0
"""Samples as people hold them: what becomes of pandas DataFrames and of lists, and what is refused."""

from __future__ import annotations

import datetime
import math

import numpy as np
import pytest
from pyspark.ml import feature as f
from pyspark.sql import Row
from pyspark.sql.types import DoubleType, IntegerType, StringType, StructField, StructType
from scored_export import Refused, export
from scored_export.sample import as_frame

PINNED = {"name": "m", "version": "1", "created": "2026-01-31T10:20:30.123Z"}


@pytest.fixture
def pd(spark):
    return pytest.importorskip("pandas")


def values(frame):
    return [tuple(row) for row in frame.collect()]


# -- pandas


def test_pandas_gets_the_types_that_spark_infers(spark, pd, capsys):
    frame = as_frame(
        pd.DataFrame(
            {
                "make": ["audi", None, "bmw"],
                "age": np.array([1, 2, 3], dtype="int32"),
                "km": np.array([0.1, 2.5, -0.0], dtype="float32"),
                "leased": [True, False, True],
                "tags": [["a"], [], ["b", "c"]],
                "at": [np.array([1.5]), np.array([2.0, 3.0]), None],
            },
            index=[7, 8, 9],
        )
    )
    kinds = dict(make="string", age="bigint", km="double", leased="boolean", tags="array<string>")
    assert dict(frame.dtypes) == {**kinds, "at": "array<double>"}
    assert all(field.nullable for field in frame.schema.fields)
    assert values(frame) == [
        ("audi", 1, float(np.float32(0.1)), True, ["a"], [1.5]),
        (None, 2, 2.5, False, [], [2.0, 3.0]),
        ("bmw", 3, -0.0, True, ["b", "c"], None),
    ]
    assert math.copysign(1.0, values(frame)[2][2]) == -1.0
    told = capsys.readouterr().err
    assert "inferred schema: make string, age bigint, km double, leased boolean, tags array<string>" in told
    assert "NaN" not in told


def test_pandas_says_missing_in_many_ways(spark, pd, capsys):
    nan = float("nan")
    frame = as_frame(
        pd.DataFrame(
            {
                "object": ["a", nan, None],
                "integer": pd.array([1, None, 3], dtype="Int16"),
                "flag": pd.array([True, None, False], dtype="boolean"),
                "text": pd.array(["a", None, "b"], dtype="string"),
                "kind": pd.Categorical(["x", None, "y"]),
                "when": pd.to_datetime(["2026-11-27", None, "2026-11-28"]),
                "double": [1.0, nan, 3.0],
            }
        )
    )
    first, second, _ = values(frame)
    assert first == ("a", 1, True, "a", "x", datetime.datetime(2026, 11, 27), 1.0)
    assert second[:-1] == (None,) * 6 and math.isnan(second[-1])
    assert "NaN is no null: it stays NaN in double\n" in capsys.readouterr().err


def test_pandas_by_a_schema(spark, pd, capsys):
    """By name; integers that pandas keeps as floats, for the nulls among them, are integers again."""
    pdf = pd.DataFrame({"km": [1, 2], "age": [41.0, None], "v": [[1.0, 2.0], np.array([3.0, 4.0])]})
    from pyspark.ml.linalg import Vectors, VectorUDT

    schema = StructType([StructField("age", IntegerType()), StructField("km", DoubleType())])
    frame = as_frame(pdf, StructType([*schema.fields, StructField("v", VectorUDT())]))
    assert values(frame) == [(41, 1.0, Vectors.dense(1, 2)), (None, 2.0, Vectors.dense(3, 4))]
    assert frame.schema.fields[:2] == schema.fields
    assert capsys.readouterr().err == ""


def test_pandas_by_either_name(spark, pd):
    """pandas 3 calls its class pandas.DataFrame, pandas 2 pandas.core.frame.DataFrame."""
    for module in ("pandas", "pandas.core.frame"):
        other = type("DataFrame", (pd.DataFrame,), {"__module__": module})
        assert values(as_frame(other({"age": [1, 2]}))) == [(1,), (2,)]
    stranger = type("DataFrame", (pd.DataFrame,), {"__module__": "pandasql"})
    with pytest.raises(Refused, match="a sample of type pandasql.DataFrame is not taken"):
        as_frame(stranger({"age": [1, 2]}))


def test_pandas_on_spark(spark, pd):
    pytest.importorskip("pyarrow")
    import pyspark.pandas as ps

    assert values(as_frame(ps.DataFrame({"age": [1, 2]}))) == [(1,), (2,)]


def test_pandas_that_is_refused(spark, pd):
    for columns, says in (
        ([("a", "b")], r"column \('a', 'b'\) has a name of several levels"),
        (["a", "a"], "two columns of the sample are called 'a'"),
        ([], "the sample has no columns"),
    ):
        pdf = pd.DataFrame([[1.0] * len(columns)], columns=columns)
        if columns and isinstance(columns[0], tuple):
            pdf.columns = pd.MultiIndex.from_tuples(columns)
        with pytest.raises(Refused, match=says):
            as_frame(pdf)
    for cells, says in (
        (
            [None, None],
            "column x of the sample holds no value, so its type is not known; choose it by schema=",
        ),
        ([1, [2]], "the type of column x cannot be inferred"),
        ([], "the sample has no rows"),
    ):
        with pytest.raises(Refused, match=says):
            as_frame(pd.DataFrame({"y": ["a"] * len(cells), "x": pd.Series(cells, dtype=object)}))


# -- lists


def test_lists_are_taken_by_name(spark):
    """A Row's order is its own; what a row has not is null."""
    schema = "make string, age int, km double"
    rows = [
        Row(km=1.5, age=41, make="audi"),
        {"make": "bmw", "km": 2},
        {"age": np.int64(3), "km": np.float64(0.1), "make": None},
    ]
    want = [("audi", 41, 1.5), ("bmw", None, 2.0), (None, 3, 0.1)]
    assert values(as_frame(rows, schema)) == want
    given = as_frame(tuple(rows), as_frame(rows, schema).schema.json())
    assert values(given) == want and given.dtypes == [("make", "string"), ("age", "int"), ("km", "double")]


def test_a_list_needs_a_schema(spark):
    with pytest.raises(Refused, match="a list says no types; give schema='age bigint, `a b` double'"):
        as_frame([{"age": 41, "a b": 1.5}, {"age": None}])


PAIR = StructType([StructField("make", StringType()), StructField("age", IntegerType(), False)])

UNFIT = [
    ([{"make": "a", "age": 1, "agee": 2}], PAIR, "the sample has 'agee', which schema= has not"),
    ([{"age": 1}, {"age": "7"}], PAIR, "row 1, column age: '7' is no int"),
    ([{"age": 1}, {"make": "a"}], PAIR, "row 1, column age: None is no int, which takes no null;"),
    ([{"age": 2.5}], PAIR, "row 0, column age: 2.5 is no int, which takes no null;"),
    ([{"age": 1 << 40}], PAIR, "row 0, column age: 1099511627776 is no int"),
    ([("a", 1)], PAIR, "row 0 of the sample is a tuple without names; give Rows or dicts"),
    ([{7: 1}], PAIR, "7 is no name of a column"),
    ([{"a": 1}], "a integr", "schema='a integr' is not understood"),
    ([{"a": 1}], "int", "schema='int' names no column"),
    ([{"a": 1}], '{"type":', "is not understood"),
    ([{"a": 1}], ["a"], "schema= is a list; give a StructType"),
    ({"a": [1]}, "a int", "a sample of type builtins.dict is not taken; give a Spark or pandas DataFrame"),
    ("rows.jsonl", "a int", "a sample of type builtins.str is not taken"),
    (iter([]), "a int", "a sample of type builtins.list_iterator is not taken"),
]


@pytest.mark.parametrize(("sample", "schema", "says"), UNFIT, ids=[says[:30] for *_, says in UNFIT])
def test_what_does_not_fit_is_named(spark, sample, schema, says):
    with pytest.raises(Refused) as refused:
        as_frame(sample, schema)
    assert says in str(refused.value)


def test_a_frame_of_spark_stays_as_it_is(spark, sample):
    assert as_frame(sample) is sample
    with pytest.raises(Refused, match="a DataFrame of Spark's has its schema"):
        as_frame(sample, "age int")


def test_no_rows_are_told_by_the_export(spark, tmp_path):
    stage = f.VectorAssembler(inputCols=["age"], outputCol="v")
    with pytest.raises(Refused, match="the sample has no rows"):
        export(stage, tmp_path, sample=[], schema="age int", name="m")


# -- the bundle


@pytest.fixture(scope="module")
def stage(spark):
    return f.VectorAssembler(inputCols=["age", "km", "slope"], outputCol="v", handleInvalid="keep")


@pytest.fixture(scope="module")
def digest(stage, sample, tmp_path_factory):
    """That of the bundle from a DataFrame of Spark's."""
    return export(stage, tmp_path_factory.mktemp("spark"), sample=sample, **PINNED).sha256


def test_a_list_makes_the_same_bundle(stage, digest, sample, tmp_path):
    assert export(stage, tmp_path, sample=sample.collect(), schema=sample.schema, **PINNED) == digest


def test_pandas_makes_the_same_bundle(stage, digest, sample, pd, tmp_path):
    pdf = pd.DataFrame([row.asDict() for row in sample.collect()])
    assert export(stage, tmp_path / "given", sample=pdf, schema=sample.schema, **PINNED) == digest
    inferred = export(stage, tmp_path / "inferred", sample=pdf, **PINNED)
    kinds = [(column.name, column.type) for column in inferred.inputs]
    assert kinds == [("age", "bigint"), ("km", "bigint"), ("slope", "double")]
