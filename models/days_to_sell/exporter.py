# SPDX-License-Identifier: Apache-2.0
"""Where `scored_export` is: installed, or in a checkout beside this package."""

from __future__ import annotations

import sys
from pathlib import Path

try:
    import scored_export
except ImportError:
    sys.path.append(str(Path(__file__).parents[1] / "export"))
    import scored_export

from scored_export.daemon import environment, program
from scored_export.store import open_store

__all__ = ["environment", "open_store", "program", "scored_export"]
