"""The command where there is no PySpark."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EXPORT = Path(__file__).resolve().parents[2] / "models" / "export"


def run(*args: str) -> subprocess.CompletedProcess[str]:
    """Runs scored-export with a Python that finds no pyspark."""
    code = "import sys; sys.modules['pyspark'] = None; from scored_export.cli import main; sys.exit(main())"
    environment = {"PYTHONPATH": str(EXPORT), "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, "-c", code, *args], capture_output=True, text=True, env=environment, check=False
    )


def test_it_says_so_in_a_sentence() -> None:
    done = run("--pipeline", "p", "--sample", "rows.parquet", "--out", "o", "--name", "n")
    assert done.returncode == 3 and "PySpark is not installed" in done.stderr and "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_help_and_versions_need_no_spark(tmp_path: Path) -> None:
    assert run("--help").returncode == 0
    assert "Traceback" not in run("versions", "--at", str(tmp_path)).stderr
