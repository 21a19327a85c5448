# SPDX-License-Identifier: Apache-2.0
"""Spoils a run's bundle just before `prove` looks at it: SABOTAGE=golden changes an answer of a golden row."""

import os
import sys
from pathlib import Path

if os.environ.get("SABOTAGE") == "golden" and "days_to_sell.prove" in sys.orig_argv:
    from spoil import spoil

    spoil(Path(sys.orig_argv[sys.orig_argv.index("--out") + 1]) / "bundle")
