# SPDX-License-Identifier: Apache-2.0
"""The code that documents show: fenced blocks of Markdown, and the examples of every --help."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LANGUAGES = {"sh", "python", "json", "text"}
FENCE = re.compile(r"^```(.*)$")
INDENTED = re.compile(r"^ {4,}\S")
NOT_RUN = re.compile(r"^<!-- not run: (.+) -->$")
EXAMPLE = re.compile(r"^example( in Python)?\b[^:]*:\n\n?((?:  .*\n|\n(?=  ))+)", re.M)


class Unclear(Exception):
    """A block of which nobody can tell what it is."""


@dataclass(frozen=True)
class Block:
    """Some lines of code; `where` is for messages, `not_run` says why they are only to be read."""

    where: str
    language: str
    text: str
    not_run: str = ""


def of_document(path: Path) -> Iterator[Block]:
    """The blocks of a page, in order; code that is indented instead of fenced is an error, and a fence that does
    not say its language."""
    lines = path.read_text("utf-8").splitlines()
    at = 0
    while at < len(lines):
        where, fence = f"{path}:{at + 1}", FENCE.match(lines[at])
        if not fence:
            if INDENTED.match(lines[at]) and not lines[at - 1].strip():
                raise Unclear(f"{where}: code that is not fenced")
            at += 1
            continue
        if fence[1] not in LANGUAGES:
            raise Unclear(f"{where}: a block of {fence[1] or 'what?'}; say one of {sorted(LANGUAGES)}")
        end = lines.index("```", at + 1)
        mark = NOT_RUN.match(lines[at - 1])
        yield Block(where, fence[1], "\n".join(lines[at + 1 : end]) + "\n", mark[1] if mark else "")
        at = end + 1


def of_help(command: str, text: str) -> list[Block]:
    """The examples that `command --help` shows."""
    return [
        Block(f"{command} --help", "python" if python else "sh", "".join(line[2:] or "\n" for line in lines.splitlines(True)))
        for python, lines in EXAMPLE.findall(text if text.endswith("\n") else text + "\n")
    ]
