# SPDX-License-Identifier: Apache-2.0
"""Where the commands of a document are run: a folder with the tools of a bare Debian (neither python3 nor jq), curl, and
openssl; `scored`, `scored-export`, and pip, which installs into site/; models/ as it stands; an S3 of its own behind s3://."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from blocks import Block

from daemon import BIN, TOP

TOOLS = """base64 bash cat cmp cp curl cut echo env grep head kill ls mkdir openssl printf rm sed seq sh sha256sum sleep sort
tail tee tr wc""".split()
HASTE = '--driver-java-options "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC" pyspark-shell'
SECONDS = 300
REFUSED = re.compile(r"^(.*\S)(?= +# 4\d\d\b)", re.M)  # a command that is to be refused says so

# A server stands in a terminal of its own: this returns when it serves. Ctrl-C comes with the next one.
TERMINAL = """#!/bin/bash
PATH=/usr/bin:/bin
[ "$1" = serve ] && [[ " $* " != *" --print-config "* ]] || exec {bin} "$@"
{here}/bin/ctrl-c
: >{here}/serve.log # else the one before it would be read
{bin} "$@" >>{here}/serve.log 2>&1 &
echo $! >{here}/serve.pid
until grep -q ' listen=' {here}/serve.log; do
    kill -0 $! 2>/dev/null || {{ rm {here}/serve.pid; cat {here}/serve.log >&2; exit 1; }}
    sleep 0.1
done
"""
CTRL_C = """#!/bin/bash
PATH=/usr/bin:/bin
pid=$(cat {here}/serve.pid 2>/dev/null) || exit 0
kill -INT $pid && tail -f --pid=$pid /dev/null
rm {here}/serve.pid
grep -q 'stopped' {here}/serve.log || {{ cat {here}/serve.log >&2; exit 1; }}
"""
EXPORT = """#!/bin/bash
export PATH={path} PYTHONPATH={here}/site:{top}/models/export
exec {python} -m scored_export.cli "$@"
"""
PIP = """#!/bin/bash
export PATH={path}
[ "$1" = install ]
exec {python} -m pip install --quiet --disable-pip-version-check --target {here}/site --no-deps "${{@:2}}"
"""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


class World:
    """From construction to leave(). `prelude` is what a reader's Python has already; what a block imports is there for
    later ones. `means` is what stands in the place of a document's own words."""

    def __init__(self, folder: Path, env: Mapping[str, str], prelude: str = "", means: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.prelude = prelude
        self.means = {"8080": str(free_port())} | dict(means or {})
        self.env = {"PATH": f"{folder}/bin", "HOME": str(folder / "home"), "LANG": "C.UTF-8", "SCORED_LAME_DUCK": "0",
                    "SCORED_LISTEN": f"127.0.0.1:{self.means['8080']}", "SCORED_ADMIN_LISTEN": "127.0.0.1:0",
                    "SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_SUBMIT_ARGS": HASTE, **env}  # fmt: skip
        self.env |= {k: v for k, v in os.environ.items() if k in ("JAVA_HOME", "PYSPARK_PYTHON", "PYSPARK_DRIVER_PYTHON")}
        shutil.copytree(TOP / "models", folder / "models", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        (folder / "home").mkdir()
        (folder / "home" / ".curlrc").write_text("fail-with-body\nshow-error\n")
        self._tools(folder / "bin")
        self.own = {entry.name for entry in folder.iterdir()} | {"site", "serve.log", "serve.pid"}

    def _tools(self, where: Path) -> None:
        where.mkdir()
        for tool in TOOLS:
            (where / tool).symlink_to(str(shutil.which(tool)))
        words = {"bin": BIN, "here": self.folder, "path": os.environ["PATH"], "python": sys.executable, "top": TOP}
        for name, text in (("scored", TERMINAL), ("ctrl-c", CTRL_C), ("scored-export", EXPORT), ("pip", PIP)):
            (where / name).write_text(text.format(**words))
            (where / name).chmod(0o755)

    def run(self, block: Block) -> str:
        """Run a block and give what it prints; it must end well."""
        text = block.text
        for word, meaning in self.means.items():
            text = text.replace(word, meaning)
        if block.language == "python":
            command = [sys.executable, "-c", self.prelude + text]
            env = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{self.folder}/site:{TOP}/models/export", "SCORED_BIN": str(BIN)}
            self.prelude += "".join(line for line in text.splitlines(True) if line.startswith(("import ", "from ")))
        else:
            command, env = ["/bin/bash", "-eu", "-o", "pipefail", "-c", REFUSED.sub(r"\1 && false || [ $? = 22 ]", text)], {}
        done = subprocess.run(
            command, cwd=self.folder, env=self.env | env, capture_output=True, text=True, timeout=SECONDS, check=False
        )
        assert done.returncode == 0 and "scored:" not in done.stderr, f"{block.where}:\n{text}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def written(self) -> list[str]:
        """What blocks left behind in the folder where they were pasted; of folders with a slash."""
        left = [entry for entry in self.folder.iterdir() if entry.name not in self.own and not entry.is_symlink()]
        return [f"{entry.name}/" if entry.is_dir() else entry.name for entry in left]

    def leave(self) -> None:
        """End the server that still runs; it must end well."""
        done = subprocess.run([f"{self.folder}/bin/ctrl-c"], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done
