# SPDX-License-Identifier: Apache-2.0
"""The manual page, made when the program is linked, says what every --help says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "http"))

from daemon import BIN

PAGE = Path(BIN).parent / "scored.1"


def help_of(*command: str) -> str:
    return subprocess.run([BIN, *command, "--help"], capture_output=True, text=True, check=True).stdout


def words(text: str) -> str:
    """A text without roff's marks and lines, as only its words count."""
    text = re.sub(r"^\.(?:nf|fi|PP|RS|RE|TP|br)$\n", "", text, flags=re.M)
    text = re.sub(r"^\.B ", "", text, flags=re.M)
    return " ".join(text.replace("\\-", "-").replace("\\&", "").replace("\\e", "\\").split())


def test_it_holds_the_help_of_every_command_word_by_word():
    commands = re.findall(r"^  ([a-z]+)  ", help_of().partition("\nscored COMMAND")[0], re.M)
    assert len(commands) > 10
    page = words(PAGE.read_text())
    for command in commands:
        assert words(help_of(command).removeprefix("usage: ")) in page, command
    assert re.findall(r"^\.SH SCORED (.*)$", PAGE.read_text(), re.M) == [c.upper() for c in commands]


def test_every_flag_begins_a_paragraph_of_its_own():
    flags = re.findall(r"^  (--[a-z-]+)", help_of("serve"), re.M)
    assert len(flags) > 40
    for flag in flags:
        assert re.search(rf"^\.TP\n\.B {re.escape(flag.replace('-', chr(92) + '-'))}( |$)", PAGE.read_text(), re.M), flag
