# SPDX-License-Identifier: Apache-2.0
"""The discovery notebook runs from top to bottom, and finds what the jobs find: the same training data, the same predictions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
MODELS = TOP / "models"
NOTEBOOK = MODELS / "days_to_sell" / "discovery.ipynb"
PYTHON = TOP / "build" / "notebook" / "bin" / "python"
ROWS = 4_000

# What the notebook holds at its end, as the test wants to see it; and who runs it.
TELL = """
import json
data = [row.asDict() for row in rows.collect()]
told = [row.prediction for row in model.transform(rows).select("prediction").collect()]
Path(os.environ["TOLD"]).write_text(json.dumps({"rows": data, "predictions": told}, default=str))
"""
EXECUTE = """
import sys, nbformat
from nbclient import NotebookClient
book = nbformat.read(sys.argv[1], as_version=4)
book.cells.append(nbformat.v4.new_code_cell(sys.stdin.read()))
NotebookClient(book, timeout=900, kernel_name="python3").execute()
nbformat.write(book, sys.argv[2])
"""
# The jobs' model, asked in a process of its own.
ASK = """
import json, sys
from pyspark.ml import PipelineModel
from days_to_sell import cli, session, train
from pathlib import Path
folder = cli.Folder(Path(sys.argv[1]))
spark = session.spark("local[2]")
rows = train.read(folder, "local[2]")
told = [row.prediction for row in PipelineModel.load(str(folder.model)).transform(rows).select("prediction").collect()]
data = [row.asDict() for row in rows.collect()]
print(json.dumps({"rows": data, "predictions": told}, default=str))
"""


def run(*command: str | Path, **more) -> str:
    """Run a command that must end well, and return what it prints."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **more)
    assert done.returncode == 0, f"{command[:3]}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Sources in a folder, and a Python that has PySpark from build/venv beside its own kernel."""
    root = tmp_path_factory.mktemp("discovery")
    others = run(sys.executable, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    env = os.environ | {"DAYS_TO_SELL_OUT": str(root), "TOLD": str(root / "told.json"), "SPARK_LOCAL_IP": "127.0.0.1",
                        "PYTHONPATH": f"{MODELS}:{MODELS}/export:{others}", "PYSPARK_PYTHON": sys.executable,
                        "IPYTHONDIR": str(root / "ipython")}  # fmt: skip
    run(sys.executable, "-m", "days_to_sell.generate", "--out", root, "--rows", str(ROWS), env=env, cwd=MODELS)
    return env


@pytest.fixture(scope="module")
def book(environment: dict[str, str]) -> dict:
    """The notebook as it was executed; what it told besides stands in TOLD."""
    out = Path(environment["DAYS_TO_SELL_OUT"]) / "executed.ipynb"
    run(PYTHON, "-c", EXECUTE, NOTEBOOK, out, input=TELL, env=environment, cwd=NOTEBOOK.parent)
    return json.loads(out.read_text())


def test_every_cell_ran_and_the_service_answered_as_spark(book: dict) -> None:
    cells = [cell for cell in book["cells"] if cell["cell_type"] == "code"]
    assert all(cell["execution_count"] for cell in cells)
    text = "".join("".join(out.get("text", "")) for cell in cells for out in cell["outputs"])
    assert "200 answers are Spark's, to the bit" in text and "checks passed" in text


def test_the_jobs_learn_of_the_same_rows_and_predict_the_same(book: dict, environment: dict[str, str]) -> None:
    root = environment["DAYS_TO_SELL_OUT"]
    for job, *more in (("check",), ("train", "--only", "forest")):
        run(sys.executable, "-m", f"days_to_sell.{job}", "--out", root, *more, env=environment, cwd=MODELS)
    jobs = json.loads(run(sys.executable, "-c", ASK, root, env=environment, cwd=MODELS).splitlines()[-1])
    found = json.loads(Path(environment["TOLD"]).read_text())
    assert len(jobs["rows"]) > ROWS / 2

    def keyed(told: dict) -> list[str]:
        return sorted(json.dumps([row, p], sort_keys=True) for row, p in zip(told["rows"], told["predictions"], strict=True))

    assert keyed(found) == keyed(jobs)


def test_what_is_committed_holds_no_output() -> None:
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)
