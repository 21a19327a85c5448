# SPDX-License-Identifier: Apache-2.0
"""Both packages, built once of build/release, and where they are installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
BUILD = TOP / "build" / "release"
BUNDLE = TOP / "models" / "days_to_sell" / "bundle"
OUT = TOP / "build" / "packages"
PLAIN = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}


def run(*command: str | Path, **more) -> str:
    """Run a command that must end well, and return what it prints."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **more)
    assert done.returncode == 0, f"{command}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


@pytest.fixture(scope="session")
def wheel() -> Path:
    """The wheel for Linux x86-64."""
    made = run(TOP / "build/wheel/bin/python", TOP / "models/export/wheel.py", BUILD / "scored", OUT, env=PLAIN)
    return Path(made.strip())


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh virtual environment with the wheel; PySpark and what it needs are those of build/venv."""
    venv = tmp_path_factory.mktemp("fresh") / "venv"
    run(sys.executable, "-m", "venv", venv)
    run(venv / "bin/pip", "install", "-q", "--no-deps", wheel)
    own = Path(run(venv / "bin/python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    other = run(sys.executable, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    (own / "others.pth").write_text(other)
    return venv


@pytest.fixture(scope="session")
def deb() -> Path:
    """The package of Debian."""
    run("cpack", "-B", OUT, cwd=BUILD)
    return max(OUT.glob("scored_*.deb"), key=lambda path: path.stat().st_mtime)


@pytest.fixture(scope="session")
def debian(deb: Path) -> Path:
    """The root of a bare Debian 12 in which apt has installed the package with what it depends on."""
    root = Path(tempfile.mkdtemp(prefix="scored-debian-"))
    as_root = [] if os.getuid() == 0 else ["sudo"]
    hooks = "--hook-dir=/usr/share/mmdebstrap/hooks/file-mirror-automount"
    run(*as_root, "mmdebstrap", "--quiet", "--variant=minbase", "--mode=root", hooks, f"--include={deb}", "bookworm", root)
    run(*as_root, "mount", "-t", "proc", "proc", root / "proc")
    shutil.copytree(BUNDLE, root / "srv" / "model")
    yield root
    run(*as_root, "umount", root / "proc")
    run(*as_root, "rm", "-rf", "--one-file-system", root)
