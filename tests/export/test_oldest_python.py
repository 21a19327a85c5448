# SPDX-License-Identifier: Apache-2.0
"""The exporter's source holds nothing newer than the oldest Python that its pyproject.toml names."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

EXPORT = Path(__file__).resolve().parents[2] / "models" / "export"
SOURCES = sorted((EXPORT / "scored_export").rglob("*.py"))
TYPES = re.compile(r"None|str|int|float|bool|bytes|list|dict|set|tuple|type|[A-Z][a-z]\w*")


def oldest():
    project = tomllib.loads((EXPORT / "pyproject.toml").read_text())["project"]
    major, minor = re.fullmatch(r">=(\d+)\.(\d+)", project["requires-python"]).groups()
    return int(major), int(minor)


def unions(source, version):
    """Return the lines where types are joined by `|` as the code runs; in annotations they are but text."""
    tree = ast.parse(source, feature_version=version)
    assert (
        any(isinstance(n, ast.ImportFrom) and n.module == "__future__" for n in tree.body)
        or "|" not in source
    )
    told = {id(n) for a in ast.walk(tree) for n in ast.walk(annotation(a)) if annotation(a) is not a}

    def is_type(node):
        node = node.value if isinstance(node, ast.Subscript) else node
        return bool(TYPES.fullmatch(ast.unparse(node)))

    found = [n for n in ast.walk(tree) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.BitOr)]
    return [n.lineno for n in found if id(n) not in told and (is_type(n.left) or is_type(n.right))]


def annotation(node):
    """Return a node's annotation, or the node itself where it has none."""
    return getattr(node, "annotation", None) or getattr(node, "returns", None) or node


def newer(paths, version):
    """Return what vermin finds newer than a version."""
    target = "-t={}.{}-".format(*version)
    vermin = Path(sys.executable).with_name("vermin")
    command = [vermin, "-q", target, "--no-tips", "--eval-annotations", "--violations"]
    done = subprocess.run([*command, *map(str, paths)], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr if done.returncode else ""


def test_no_syntax_is_newer():
    assert len(SOURCES) > 25
    for path in SOURCES:
        assert unions(path.read_text("utf-8"), oldest()) == [], path


def test_no_library_is_newer():
    assert newer([EXPORT / "scored_export"], oldest()) == ""


NEWER = {
    "match": "match 1:\n    case 1:\n        pass\n",
    "union": "from __future__ import annotations\nKINDS = int | None\n",
    "alias": "from __future__ import annotations\nRows = list[int] | Row\n",
}
NEWER_LIBRARY = {
    "strict": "for a, b in zip([1], [2], strict=True):\n    pass\n",
    "utc": "from datetime import UTC\n",
    "toml": "import tomllib\n",
}


@pytest.mark.parametrize("name", NEWER)
def test_newer_syntax_is_found(name):
    try:
        assert unions(NEWER[name], (3, 9))
    except SyntaxError:
        assert name == "match"


@pytest.mark.parametrize("name", NEWER_LIBRARY)
def test_newer_libraries_are_found(name, tmp_path):
    (tmp_path / "newer.py").write_text(NEWER_LIBRARY[name])
    assert newer([tmp_path], (3, 9)) != ""
