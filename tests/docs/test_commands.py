# SPDX-License-Identifier: Apache-2.0
"""Every command that a document or a --help shows is run as it stands, or is marked in the document with why not."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "http"), str(HERE.parent / "e2e")]

import blocks  # noqa: E402
from blocks import Block, Unclear  # noqa: E402
from fake_s3 import FakeS3  # noqa: E402
from world import HASTE, World  # noqa: E402

from daemon import BIN, BUNDLE, TOP  # noqa: E402

PAGES = subprocess.run(["git", "ls-files", "*.md"], cwd=TOP, capture_output=True, text=True, check=True).stdout.split()
COMMANDS = ("serve", "predict", "check", "inspect", "fetch", "doctor", "sign", "verify", "health", "token", "ops")
JOBS = ("generate", "check", "train", "export")
BUCKET = "models"
RIGHT_PATH, WRONG_PATH = "curl -s localhost:8080/models", "curl -s localhost:8080/model"
SOME_VERSION = "9cb6aab898b465bf"  # in documents: the one that is published

EXPORTER = os.environ | {"PYTHONPATH": f"{TOP}/models/export:{TOP}/models"}
# Of other programs.
FOREIGN = {
    *("--build", "--driver-memory", "--install", "--image", "--target", "--build-arg", "--data-binary", "--from-file"),
    *("--server-side", "--dry-run"),
    *("--tool", "--toggle-collect", "--now", "--format", "--grep"),
}

# What a page takes for granted: files of TRAINED, and "served", models/run.sh in another terminal.
GRANTED = {"README.md": ("served", "saved", "rows.parquet")}

# What the training job of a reader has: a table, a fitted pipeline, and the same in a reader's other forms.
TRAIN = """
from pyspark.sql import SparkSession
from pyspark.ml import Pipeline, feature, regression
spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
table = [(make, age, 90.0 - age - len(make)) for age in range(40) for make in ("BMW", "Opel")]
df = spark.createDataFrame(table, "make string, age int, label double")
stages = [
    feature.StringIndexer(inputCol="make", outputCol="make_i", handleInvalid="keep"),
    feature.VectorAssembler(inputCols=["make_i", "age"], outputCol="features"),
    regression.LinearRegression(),
]
model = Pipeline(stages=stages).fit(df)
"""
SAVE = """
model.save("saved")
df.drop("label").coalesce(1).write.parquet("rows.parquet")
"""
PRELUDE = """
from pyspark.sql import SparkSession
from pyspark.ml import PipelineModel
spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
model = PipelineModel.load("{trained}/saved")
sample = spark.read.parquet("{trained}/rows.parquet")
df = sample.selectExpr("*", "1.0 as label")
rows = sample.collect()
pdf = sample.toPandas()
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `saved`, a fitted pipeline, and its sample, `rows.parquet`."""
    folder = tmp_path_factory.mktemp("trained")
    env = os.environ | {"PYSPARK_SUBMIT_ARGS": HASTE, "SPARK_LOCAL_IP": "127.0.0.1"}
    subprocess.run([sys.executable, "-c", TRAIN + SAVE], cwd=folder, env=env, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def s3() -> Iterator[FakeS3]:
    """What stands behind s3://models/: the example, published twice."""
    with FakeS3() as server:
        for file in BUNDLE.iterdir():
            for prefix in ("days_to_sell", "prices"):
                server.store.put(BUCKET, f"{prefix}/{file.name}", file.read_bytes())
        yield server


Enter = Callable[..., World]


@pytest.fixture
def enter(tmp_path: Path, trained: Path, s3: FakeS3) -> Iterator[Enter]:
    """Makes a world with what is granted; left at the end."""
    made: list[World] = []

    def make(*granted: str) -> World:
        digest = hashlib.sha256((BUNDLE / "bundle.json").read_bytes()).hexdigest()
        means = {SOME_VERSION: digest[:16]}
        world = World(tmp_path, s3.env(), PRELUDE.format(trained=trained), means)
        made.append(world)
        for name in granted:
            if name == "served":
                world.run(Block("before", "sh", "scored serve --model models/days_to_sell/bundle --port 8080\n"))
            else:
                (tmp_path / name).symlink_to(trained / name)
        return world

    yield make
    for world in made:
        world.leave()
        for name in world.written():
            ignored = subprocess.run(["git", "check-ignore", "-q", name], cwd=TOP, check=False).returncode == 0
            assert ignored, f"who pastes this into a clone has {name} in git status: it belongs into .gitignore"


def help_of(*command: str) -> str:
    """What `command --help` prints."""
    return subprocess.run([*command, "--help"], capture_output=True, text=True, check=True, env=EXPORTER).stdout


def values(text: str) -> Iterator[object]:
    """The JSON values of a text, one after the other."""
    while text := text.lstrip():
        value, end = json.JSONDecoder().raw_decode(text)
        text = text[end:]
        yield value


@pytest.mark.parametrize("page", PAGES)
def test_a_page_works(page: str, enter: Enter) -> None:
    """Every block is run, in order, in one place; JSON is JSON; what is not run says why."""
    found = list(blocks.of_document(TOP / page))
    for block in found:
        if block.language == "json":
            json.loads(block.text)
    to_run = [block for block in found if block.language in ("sh", "python") and not block.not_run]
    world = enter(*GRANTED.get(page, ())) if to_run else None
    for _, group in groupby(to_run, key=lambda block: block.language):
        first, *more = group
        world.run(replace(first, text=first.text + "".join(block.text for block in more)))


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_the_help_of_a_command_works(command: str, enter: Enter) -> None:
    found = blocks.of_help(f"scored {command}", help_of(str(BIN), *filter(None, [command])))
    world = enter()
    assert found, "no example"
    for block in found:
        world.run(block)
    if command == "predict":
        rows = [json.loads(line) for line in (world.folder / "answers.jsonl").read_text().splitlines()]
        assert len(rows) > 500 and sum("prediction" in row for row in rows) == len(rows), rows[:3]


def test_the_help_of_the_exporter_works(enter: Enter) -> None:
    found = blocks.of_help("scored-export", help_of(sys.executable, "-m", "scored_export.cli"))
    assert [block.language for block in found] == ["python", "sh", "sh"]
    world = enter()
    for block in found:
        world.run(block)


def test_every_command_has_an_example() -> None:
    told = subprocess.run([BIN, "--help"], capture_output=True, text=True, check=True).stdout
    assert tuple(re.findall(r"^  (\w+)  ", told.partition("OPTIONS]\n")[2].partition("\nscored")[0], re.M)) == COMMANDS


def test_the_readme_asks(enter: Enter) -> None:
    (block,) = (b for b in blocks.of_document(TOP / "README.md") if "row.json" in b.text)
    one, array, *rest = values(enter("served").run(block))
    assert one["prediction"] and array == [one, one] and rest[:2] == [one, one]
    assert len(rest[2]) > 1
    assert rest[3]["make"] and rest[3]["prediction"] == one["prediction"] and rest[4]["status"] == 422
    assert len(rest) == 5


def test_the_specification_verifies(enter: Enter) -> None:
    """By OpenSSL alone, and only what was signed."""
    sign, verify = (b for b in blocks.of_document(TOP / "models/FORMAT.md") if b.language == "sh")
    world = enter()
    assert world.run(sign).splitlines()[0].partition(" ")[0] in next((world.folder / "signed").glob("*.dsse")).read_text()
    assert "Verified Successfully" in world.run(verify)
    manifest = world.folder / "signed/bundle.json"
    manifest.write_bytes(manifest.read_bytes().replace(b"days", b"dayz", 1))
    with pytest.raises(AssertionError, match="openssl"):
        world.run(verify)


def test_flags_that_pages_name_exist() -> None:
    """In the text too, not only in what is run."""
    helps = [help_of(str(BIN), command) for command in COMMANDS]
    helps += [help_of(sys.executable, "-m", module) for module in ("scored_export.cli", *(f"days_to_sell.{j}" for j in JOBS))]
    helps += [help_of(str(TOP / script)) for script in ("models/run.sh", "tests/run.sh", "docker/build.sh")]
    helps += [help_of(sys.executable, str(HERE.parent / s)) for s in ("docs/generated.py", "parity/run.py", "parity/matrix.py")]
    known = set(re.findall(r"--[a-z][a-z0-9-]*", " ".join(helps))) | FOREIGN
    for page in PAGES:
        named = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", (TOP / page).read_text()))
        assert named <= known, f"{page}: {sorted(named - known)}"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Text.\n\n    scored serve\n", "not fenced"),
        ("```\nscored serve\n```\n", "a block of what"),
        ("```bash\nscored serve\n```\n", "a block of bash"),
    ],
)
def test_code_must_say_what_it_is(text: str, why: str, tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(text)
    with pytest.raises(Unclear, match=why):
        list(blocks.of_document(tmp_path / "page.md"))


def test_a_mark_says_why(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("<!-- not run: a cluster -->\n```sh\nkubectl\n```\n\n```sh\necho\n```\n")
    assert [b.not_run for b in blocks.of_document(tmp_path / "page.md")] == ["a cluster", ""]


def test_a_block_that_fails_is_seen(enter: Enter) -> None:
    world = enter("served")
    world.run(Block("here", "sh", f"{RIGHT_PATH}\n{WRONG_PATH}  # 404, as it says"))
    for text in ("false; true", "jq . bundle.json", "cat nothing | wc -l", WRONG_PATH, RIGHT_PATH + "  # 404"):
        with pytest.raises(AssertionError, match="here"):
            world.run(Block("here", "sh", f"{text}\necho\n"))
    with pytest.raises(AssertionError, match="nowhere"):
        world.run(Block("here", "sh", "scored serve --model nowhere\n"))
