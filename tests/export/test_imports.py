# SPDX-License-Identifier: Apache-2.0
"""Whichever module of the exporter somebody imports first, it comes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EXPORT = Path(__file__).resolve().parents[2] / "models" / "export"
MODULES = sorted(
    ".".join(path.relative_to(EXPORT).with_suffix("").parts).removesuffix(".__init__")
    for path in (EXPORT / "scored_export").rglob("*.py")
)
EACH_FIRST = """
import importlib, sys
for name in sys.argv[1:]:
    for known in [m for m in sys.modules if m.split(".")[0] == "scored_export"]:
        del sys.modules[known]
    try:
        importlib.import_module(name)
    except ImportError as error:
        print(name, error)
"""


def test_any_module_may_be_the_first():
    done = subprocess.run(
        [sys.executable, "-c", EACH_FIRST, *MODULES], capture_output=True, text=True, cwd=EXPORT, check=True
    )
    assert len(MODULES) > 30 and done.stdout == ""
