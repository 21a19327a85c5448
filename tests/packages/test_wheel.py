# SPDX-License-Identifier: Apache-2.0
"""The wheel: its tag is honest, it carries all it needs, and a fitted model is served from it."""

from __future__ import annotations

import re
import subprocess
import zipfile
from pathlib import Path

import pytest
from conftest import PLAIN, TOP, run

import scored_export


def test_there_is_one_version(wheel, deb):
    cmake = re.search(r"project\(scored VERSION (\S+)", (TOP / "CMakeLists.txt").read_text())[1]
    assert wheel.name.split("-")[:2] == ["scored", cmake] and deb.name.split("_")[:2] == ["scored", cmake]
    assert scored_export.__version__ == cmake


def needed(file: Path) -> tuple[int, ...]:
    """The newest glibc that a file needs a symbol of."""
    found = re.findall(r"\(?GLIBC_(\d+)\.(\d+)", run("objdump", "-T", file))
    return max(((int(a), int(b)) for a, b in found), default=(0, 0))


def test_the_tag_names_the_glibc_that_it_needs(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path)
    files = [p for p in tmp_path.rglob("*") if p.is_file() and p.read_bytes()[:4] == b"\x7fELF"]
    assert len(files) > 10
    tag = re.fullmatch(r"scored-[\d.]+-py3-none-manylinux_(\d+)_(\d+)_x86_64\.whl", wheel.name)
    assert max(map(needed, files)) == tuple(map(int, tag.groups()))
    assert "GNU_STACK" in run("readelf", "-lW", tmp_path / "scored_export/bin/scored")


def test_it_carries_every_library_but_those_of_the_c_library(installed):
    (program,) = installed.glob("lib/python3*/site-packages/scored_export/bin/scored")
    links = re.findall(r"(\S+) => (\S+)", run("ldd", program))
    foreign = [name for name, path in links if not path.startswith(str(installed))]
    assert len(links) > 20
    # what every Linux of that tag has; see PEP 600
    assert {re.sub(r"\.so.*", "", name) for name in foreign} <= {"libc", "libm", "libresolv", "libz", "libpthread", "libdl"}


def test_it_carries_the_terms_of_what_it_carries(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    libraries = {Path(n).name.partition("-")[0] for n in names if n.startswith("scored.libs/") and ".so" in n}
    terms = {Path(n).name for n in names if "/bin/licenses/" in n and not n.endswith("/")}
    for library, package in {"libcurl": "libcurl4", "libmicrohttpd": "libmicrohttpd12", "libssl": "libssl3"}.items():
        assert library in libraries and package in terms
    assert len(terms) >= len(libraries) * 0.6 and "scored" in terms


def test_its_commands_work(installed):
    told = run(installed / "bin/scored", "--version", env=PLAIN)
    assert told == run(TOP / "build/release/scored", "--version")
    assert "exit status" in run(installed / "bin/scored-export", "--help", env=PLAIN)
    assert "golden rows: 965 equal Spark" in run(installed / "bin/scored", "check", TOP / "models/days_to_sell/bundle", env=PLAIN)
    done = subprocess.run([installed / "bin/scored", "nonsense"], capture_output=True, env=PLAIN, check=False)
    assert done.returncode == 2


NOTEBOOK = """
import json, subprocess
from pyspark.ml import Pipeline, feature, regression
from pyspark.sql import SparkSession
import scored_export
assert "/fresh" in scored_export.__file__, scored_export.__file__
spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
rows = [(make, age, 90.0 - age * age / 7 - len(make)) for age in range(40) for make in ("BMW", "Opel")]
df = spark.createDataFrame(rows, "make string, age int, label double")
model = Pipeline(stages=[
    feature.StringIndexer(inputCol="make", outputCol="make_i", handleInvalid="keep"),
    feature.VectorAssembler(inputCols=["make_i", "age"], outputCol="features"),
    regression.LinearRegression(),
]).fit(df)
said = [row.prediction for row in model.transform(df).collect()]
with scored_export.serve(model, sample=df.drop("label")) as server:
    answers = server.predict([{"make": make, "age": age} for make, age, _ in rows])
    asked = json.loads(subprocess.run(server.curl, shell=True, capture_output=True, check=True).stdout)
print(json.dumps({"same": [a["prediction"] for a in answers] == said, "rows": len(said), "asked": asked}))
"""


def test_a_notebook_serves_what_it_has_fitted(installed, tmp_path):
    import os

    env = PLAIN | {k: v for k, v in os.environ.items() if k in ("JAVA_HOME",)} | {"SPARK_LOCAL_IP": "127.0.0.1"}
    python = str(installed / "bin/python")
    told = run(python, "-c", NOTEBOOK, env=env | {"PYSPARK_PYTHON": python}, cwd=tmp_path)
    assert '"same": true, "rows": 80' in told and '"prediction"' in told
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", ["scored", "scored-export"])
def test_nothing_is_left_when_it_is_removed(installed, command):
    """The last test here: it takes the wheel away."""
    if (installed / "bin" / command).exists():
        run(installed / "bin/pip", "uninstall", "-q", "-y", "scored")
    assert not list(installed.glob("lib/python3*/site-packages/scored*")) and not (installed / "bin" / command).exists()
