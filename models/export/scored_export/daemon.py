# SPDX-License-Identifier: Apache-2.0
"""The daemon's program: of this package's wheel for Linux x86-64, or another that is named or found."""

from __future__ import annotations

import os
import platform
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path

from scored_export.errors import Refused

#: In the wheel; a checkout has none.
PACKED = Path(__file__).with_name("bin") / "scored"
VARIABLE = "SCORED_BIN"
ELF = b"\x7fELF"
#: Where the wheel's own copy of curl looks for authorities: Debian's place.
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"


def _candidates() -> Iterator[Path]:
    if os.environ.get(VARIABLE):
        yield Path(os.environ[VARIABLE])
        return
    yield PACKED
    for folder in os.get_exec_path():
        yield Path(folder) / "scored"


def _is_program(path: Path) -> bool:
    """Tell the program from this package's own command, which has the same name and is a script."""
    try:
        with open(path, "rb") as file:
            return file.read(len(ELF)) == ELF and os.access(path, os.X_OK)
    except OSError:
        return False


def program() -> Path:
    """Return the daemon's program.

    Raises
    ------
    Refused
        If there is none for this machine.
    """
    for path in _candidates():
        if _is_program(path):
            return path
    if os.environ.get(VARIABLE):
        raise Refused(f"{VARIABLE}={os.environ[VARIABLE]} is no program", f"unset {VARIABLE} or mend it")
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise Refused(
            f"the daemon runs on Linux x86-64, and this is {sys.platform} {platform.machine()}",
            "serve the bundle on such a machine or in its container",
        )
    raise Refused(
        "the daemon's program is not there: this package was installed from source",
        f"install its wheel, or name a program that cmake has built: {VARIABLE}=build/release/scored",
    )


def environment() -> dict[str, str]:
    """Return this process's environment as the daemon shall have it."""
    env = {name: value for name, value in os.environ.items() if name != VARIABLE}
    own = ssl.get_default_verify_paths().cafile
    if own and not os.path.exists(AUTHORITIES):
        env.setdefault("AWS_CA_BUNDLE", own)
    return env


def main() -> int:
    """Become the daemon's program; the command ``scored`` of a wheel."""
    try:
        path = program()
    except Refused as why:
        print(f"scored: {why}", file=sys.stderr)
        return 1
    os.execve(path, ["scored", *sys.argv[1:]], environment())
