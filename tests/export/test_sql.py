# SPDX-License-Identifier: Apache-2.0
"""SQLTransformer: which columns a statement reads, makes and drops, and what is refused by its name."""

from __future__ import annotations

import pytest
from format_check import Bundle
from pyspark.ml import PipelineModel
from pyspark.ml import feature as f
from scored_export import Refused, explain, export

ROWS = [(1, 2.5, "a", 7.0, "2026-01-01"), (2, -0.0, None, 8.0, "2026-01-02")]
SCHEMA = "i int, x double, s string, label double, day string"


@pytest.fixture(scope="module")
def few(spark):
    return spark.createDataFrame(ROWS, SCHEMA).cache()


def written(statements, sample, folder):
    stages = [f.SQLTransformer(statement=one) for one in statements]
    export(PipelineModel(stages=stages), folder, sample=sample, name="m")
    return Bundle(folder).manifest


def test_only_columns_that_are_named_are_inputs(few, tmp_path):
    manifest = written(["SELECT *, I + 1 AS j FROM __THIS__ WHERE x < 9"], few, tmp_path / "star")
    assert [c["name"] for c in manifest["input"]] == ["i", "x"]
    assert manifest["stages"][0]["params"]["drops"] == []
    manifest = written(["SELECT s, i + 1 AS j FROM __THIS__", "SELECT s, j * 2 AS k FROM __THIS__"], few, tmp_path / "two")
    assert [c["name"] for c in manifest["input"]] == ["i", "s"]
    first, second = manifest["stages"]
    assert [first["inputs"]["inputCols"][i] for i in first["params"]["drops"]] == ["i"]
    assert second["inputs"] == {"inputCols": ["s", "j"]} and second["params"]["drops"] == [1]
    assert [c["name"] for c in manifest["output"]] == ["k"]


def test_a_renamed_column_is_a_column_of_its_own(few, tmp_path):
    manifest = written(["SELECT x AS y, i AS x FROM (SELECT * FROM __THIS__ WHERE i > 0)"], few, tmp_path / "m")
    stage = manifest["stages"][0]
    assert stage["outputs"] == {"outputCols": ["y", "x"]}
    assert stage["params"]["expressions"] == [[["column", 1]], [["column", 0]]]
    assert stage["params"]["where"] == [[["column", 0], ["literal", "int", "0"], [">", 2]]]


def test_constants_are_what_spark_makes_of_them(few, tmp_path):
    manifest = written(["SELECT *, x * (1.5 + 1) AS a, upper('b') || s AS b FROM __THIS__"], few, tmp_path / "m")
    a, b = manifest["stages"][0]["params"]["expressions"]
    assert a[1] == ["literal", "double", 2.5]
    assert b[0] == ["literal", "string", "B"]


def test_a_pattern_is_read_at_export(few, tmp_path):
    made = "regexp_replace(s, '[a-c]+', '\\\\$') AS a"
    manifest = written([f"SELECT *, {made} FROM __THIS__"], few, tmp_path / "m")
    (program,) = manifest["stages"][0]["params"]["expressions"]
    texts = [one[2] for one in program if one[0] == "literal"]
    assert texts == ["[0]+", "61-63,;", "0", "$"] and program[-1] == ["regexp_replace", 5]


REFUSED = {
    "SELECT sum(i) AS a FROM __THIS__": "Aggregate",
    "SELECT i, count(*) AS n FROM __THIS__ GROUP BY i": "Aggregate",
    "SELECT DISTINCT i + 1 AS a FROM __THIS__": "Distinct",
    "SELECT i + 1 AS a FROM __THIS__ ORDER BY i": "Sort",
    "SELECT i + 1 AS a FROM __THIS__ LIMIT 3": "GlobalLimit",
    "SELECT a.i + 1 AS c FROM __THIS__ a JOIN __THIS__ b ON a.i = b.i": "Join",
    "SELECT row_number() OVER (ORDER BY i) AS a FROM __THIS__": "Window",
    "SELECT explode(array(i, 1)) AS a FROM __THIS__": "Generate",
    "SELECT i, (SELECT max(x) FROM __THIS__) AS a FROM __THIS__": "ScalarSubquery",
    "SELECT *, rand() AS a FROM __THIS__": "Rand",
    "SELECT *, uuid() AS a FROM __THIS__": "Uuid",
    "SELECT *, i + unix_timestamp() AS a FROM __THIS__": "CurrentTimestamp",
    "SELECT *, current_date() AS a FROM __THIS__": "CurrentDate",
    "SELECT *, to_date(day, 'yyyy') AS a FROM __THIS__": "GetTimestamp",
    "SELECT *, CAST(day AS timestamp) AS a FROM __THIS__": "Cast",
    "SELECT *, unix_timestamp(day) AS a FROM __THIS__": "UnixTimestamp",
    "SELECT *, date_format(CAST(day AS date), 'E') AS a FROM __THIS__": "DateFormatClass",
    "SELECT *, next_day(CAST(day AS date), s) AS a FROM __THIS__": "NextDay",
    "SELECT *, trunc(CAST(day AS date), s) AS a FROM __THIS__": "TruncDate",
    "SELECT *, initcap(s) AS a FROM __THIS__": "InitCap",
    "SELECT *, asin(x) AS a FROM __THIS__": "Asin",
    "SELECT *, map('a', i) AS a FROM __THIS__": "CreateMap",
    "SELECT *, struct(i, x) AS a FROM __THIS__": "CreateNamedStruct",
    "SELECT *, s LIKE concat(s, '%') AS a FROM __THIS__": "Like",
    "SELECT *, s RLIKE s AS a FROM __THIS__": "RLike.*no constant",
    "SELECT *, s RLIKE '(a)\\\\1' AS a FROM __THIS__": "back references",
    "SELECT *, regexp_replace(s, '(a)', '$1') AS a FROM __THIS__": "refers to a group",
    "SELECT *, regexp_replace(s, 'a', s) AS a FROM __THIS__": "replacement is no constant",
    "SELECT *, regexp_extract(s, '(a)', 1) AS a FROM __THIS__": "RegExpExtract",
    "SELECT *, lpad(s, i, ' ') AS a FROM __THIS__": "StringLPad.*no constant",
    "SELECT *, repeat(s, i) AS a FROM __THIS__": "StringRepeat.*no constant",
    "SELECT *, translate(s, day, 'x') AS a FROM __THIS__": "StringTranslate.*no constant",
    "SELECT *, xxhash64(i) AS a FROM __THIS__": "XxHash64",
    "SELECT *, i + 1 AS a, i + 2 AS a FROM __THIS__": "'a' twice",
    "SELECT *, 1 AS a FROM __THIS__ WHERE 1 = 2": "WHERE",
}


@pytest.mark.parametrize("statement", REFUSED)
def test_what_is_no_projection_of_a_row_is_refused_by_name(few, tmp_path, statement):
    with pytest.raises(Refused, match=REFUSED[statement]) as caught:
        written([statement], few, tmp_path / "m")
    assert caught.value.stage == "SQLTransformer" and caught.value.cure
    assert not (tmp_path / "m" / "bundle.json").exists()


def test_udfs_are_refused(spark, few, tmp_path):
    spark.udf.register("more", lambda i: i + 1, "int")
    with pytest.raises(Refused, match="PythonUDF"):
        written(["SELECT *, more(i) AS a FROM __THIS__"], few, tmp_path / "m")


def test_a_statement_that_spark_cannot_read_is_refused(few, tmp_path):
    with pytest.raises(Refused, match="cannot parse the statement"):
        written(["SELECT ( FROM __THIS__"], few, tmp_path / "m")
    with pytest.raises(Refused, match="nothing_here"):
        written(["SELECT nothing_here + 1 AS a FROM __THIS__"], few, tmp_path / "m")


def test_the_mode_of_the_session_stays(spark, few, tmp_path):
    spark.conf.set("spark.sql.ansi.enabled", "true")
    try:
        manifest = written(["SELECT *, i + 1 AS a, CAST(s AS int) AS b FROM __THIS__ WHERE i < 2"], few, tmp_path / "m")
    except Refused as refused:  # no row of the sample passes: 'a' is no int
        assert "no row" in str(refused) or "answers no" in str(refused)
        manifest = written(["SELECT *, i + 1 AS a FROM __THIS__"], few, tmp_path / "m")
    finally:
        spark.conf.set("spark.sql.ansi.enabled", "false")
    assert manifest["stages"][0]["params"]["expressions"][0][-1] == ["+", 2, "ansi"]


@pytest.fixture
def settings(spark):
    """Return a function that sets what is as it was after the test."""
    before = {}

    def set_(key, value):
        before.setdefault(key, spark.conf.get(key))
        spark.conf.set(key, value)

    yield set_
    for key, value in before.items():
        spark.conf.set(key, value)


def test_what_stands_twice_is_evaluated_first_under_ansi(few, tmp_path, settings):
    """And not where it is evaluated first anyway, where it is not certain to be, or where nothing throws."""
    settings("spark.sql.ansi.enabled", "true")
    statement = "SELECT *, {} AS a FROM __THIS__"
    for i, (text, first) in enumerate(
        [
            ("x / (1 / label) / i + i / (1 / label)", True),
            ("(1 / label) / x + (1 / label) / i", True),
            ("x / (1 / label) + i / x", False),
            ("IF(i > 0, (1 / label) / x, (1 / label) / i)", False),
            ("length(s) + length(s) * 2", False),
        ]
    ):
        manifest = written([statement.format(text)], few, tmp_path / str(i))
        program = manifest["stages"][0]["params"]["expressions"][0]
        assert (program[-1][0] == "first") == first, (text, program)
    once = ["SELECT *, c / x AS a FROM (SELECT *, 1 / label AS c FROM __THIS__)"]
    assert written(once, few, tmp_path / "once")["stages"][0]["params"]["expressions"][1][-1][0] == "/"


def test_the_time_zone_is_named_and_must_be_the_same_all_year(spark, tmp_path, settings):
    moments = "SELECT TIMESTAMP'2024-02-29 12:00:00Z' AS m, DATE'2024-02-29' AS k"
    for zone, named in (("UTC", "UTC"), ("Etc/GMT-3", "+03:00"), ("GMT+05:30", "+05:30")):
        settings("spark.sql.session.timeZone", zone)
        manifest = written(["SELECT hour(m) AS h FROM __THIS__"], spark.sql(moments), tmp_path / named)
        assert manifest["platform"]["time_zone"] == named
        assert named in manifest["exactness"]["h"]["why"]
        assert manifest["input"] == [{"name": "m", "type": "timestamp", "nullable": False}]
    settings("spark.sql.session.timeZone", "Europe/Berlin")
    with pytest.raises(Refused, match="Hour in .* rules of the time zone Europe/Berlin are not known"):
        written(["SELECT hour(m) AS h FROM __THIS__"], spark.sql(moments), tmp_path / "m")
    manifest = written(["SELECT year(k) AS y FROM __THIS__"], spark.sql(moments), tmp_path / "k")
    assert manifest["platform"]["time_zone"] == "Europe/Berlin"
    assert manifest["example"] == {"in": {"k": "2024-02-29"}, "out": {"y": 2024}}


def test_explain_names_the_columns(few):
    stage = f.SQLTransformer(statement="SELECT *, i * x AS a FROM __THIS__ WHERE s IS NOT NULL")
    told = explain(PipelineModel(stages=[stage]), sample=few)
    assert [str(one) for one in told.refused] == [] and "a" in str(told)
