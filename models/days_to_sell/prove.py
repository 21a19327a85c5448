# SPDX-License-Identifier: Apache-2.0
"""Job 5: have scored itself prove the bundle, before anybody else sees it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from days_to_sell import cli
from days_to_sell.exporter import environment, program, scored_export


def ask(*command: str) -> str:
    """Run a command of scored and return what it prints; Refused with its reason if the bundle is bad."""
    try:
        path = program()
    except scored_export.Refused as why:
        raise cli.Usage(str(why)) from why
    done = subprocess.run([path, *command], capture_output=True, text=True, env=environment(), check=False)
    if done.returncode:
        said = done.stderr.strip() or done.stdout.strip()
        raise cli.Refused(said.removeprefix(f"scored {command[0]}: "))
    return done.stdout.splitlines()[0]


def prove(folder: cli.Folder, trust: Path | None) -> None:
    """Verify the signature, if there is to be one; then digests, form, and every golden row."""
    bundle = str(folder.need(folder.bundle, "export"))
    if trust:
        cli.say("  " + ask("verify", "--trust", str(trust), bundle))
    cli.say("  " + ask("check", bundle))


HELP = """Prove DIR/bundle by the program that will serve it: scored verify, scored check. The program is
that of the wheel, the one that SCORED_BIN names, or `scored` in PATH.

example:
  python -m days_to_sell.prove --out build/days_to_sell --trust public.pem"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the job."""
    p = cli.parser("prove", HELP)
    p.add_argument("--trust", type=Path, metavar="PEM", help="the public key that must have signed it")
    args = p.parse_args(argv)
    return cli.run("prove", lambda: prove(cli.Folder(args.out), args.trust))


if __name__ == "__main__":
    sys.exit(main())
