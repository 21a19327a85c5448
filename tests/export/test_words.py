# SPDX-License-Identifier: Apache-2.0
"""What the exporter says to who mistypes, forgets the label in the sample, or has a column of another type."""

from __future__ import annotations

import pytest
import scored_export
from scored_export import cli
from scored_export.result import exported
from scored_export.score import quiet
from scored_export.values import TYPES, cast


def usage(capsys, *argv):
    with pytest.raises(SystemExit) as end:
        cli.main(argv)
    assert end.value.code == 2
    return capsys.readouterr().err


def test_a_command_that_is_not_there(capsys):
    assert usage(capsys, "promte", "--at", "x").endswith("no command 'promte'; did you mean promote?\n")
    assert usage(capsys, "verions").endswith("did you mean versions?\n")
    assert usage(capsys, "deploy").endswith("there is no command 'deploy'\n")


def test_its_own_version(capsys):
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"scored-export {scored_export.__version__}\n"
    assert "--sample" in usage(capsys, "--version", "x")  # a bundle's label


def test_the_help_names_the_commands(capsys):
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    above = capsys.readouterr().out.partition("options:")[0]
    assert all(f"scored-export {command}" in above for command in cli.COMMANDS)


def test_versions_of_nothing(tmp_path, capsys):
    for place in (tmp_path, tmp_path / "none"):
        assert cli.main(["versions", "--at", str(place)]) == 0
        assert capsys.readouterr().err == f"nothing is published at {place}\n"


@pytest.mark.parametrize(
    ("accepts", "says"),
    [
        (TYPES, "cast column a to double or string before the first stage"),
        (("int", "double", "boolean", "vector"), "cast column a to double before the first stage"),
        (("string",), "cast column a to string before the first stage"),
        (("vector",), "make column a a column of type vector before this stage"),
    ],
)
def test_a_cure_is_a_type_that_the_stage_takes(accepts, says):
    assert cast("a", accepts) == says


def stage(inputs, outputs, **params):
    return {"inputs": inputs, "outputs": outputs, "params": params}


def result_of(*stages, inputs):
    column = {"type": "double"}
    return exported(
        ("out", "0" * 64, False),
        {
            "name": "m",
            "version": "v",
            "created": "2026-01-31T10:20:30.123Z",
            "input": [{"name": name, **column} for name in inputs],
            "output": [{"name": "prediction", **column}],
            "exactness": {"prediction": {"tier": "exact", "why": "so"}},
            "golden": {"rows": 1, "made": 0, "leaves": [0, 0], "labels": [0, 0]},
            "files": [],
            "stages": list(stages),
        },
        [],
    )


TREE = stage({"featuresCol": ["features"]}, {"predictionCol": ["prediction"]})


def test_an_input_that_no_answer_needs_is_told():
    index = stage({"inputCols": ["kind", "fuel"]}, {"outputCols": ["label", "fuel_i"]}, handleInvalid="error")
    features = stage({"inputCols": ["fuel_i", "km"]}, {"outputCol": ["features"]}, handleInvalid="error")
    told = result_of(index, features, TREE, inputs=("kind", "fuel", "km"))
    assert told.aside == {"kind": ["label"]}
    assert "kind  double    only for label, which nobody is answered by default\n" in str(told)
    assert str(told).count("only for") == 1


def test_an_input_that_drops_rows_is_needed():
    index = stage({"inputCols": ["kind"]}, {"outputCols": ["label"]}, handleInvalid="skip")
    features = stage({"inputCols": ["km"]}, {"outputCol": ["features"]})
    assert result_of(index, features, TREE, inputs=("kind", "km")).aside == {}
    assert "only for" not in str(result_of(features, TREE, inputs=("km",)))


def test_the_log_is_as_before(spark):
    """PySpark's threshold too, which setLogLevel would take away: the caller's job would go on at INFO."""
    log4j = spark._jvm.org.apache.logging.log4j
    logging = getattr(getattr(spark._jvm.org.apache.spark.internal, "Logging$"), "MODULE$")
    set_threshold = getattr(logging, "sparkShellThresholdLevel_$eq")

    def state():
        return str(log4j.LogManager.getRootLogger().getLevel()), str(logging.sparkShellThresholdLevel())

    before = logging.sparkShellThresholdLevel()
    set_threshold(log4j.Level.WARN)
    try:
        here = state()
        with quiet(spark):
            assert state() == ("OFF", "WARN")
        assert state() == here and here[1] == "WARN"
    finally:
        set_threshold(before)
