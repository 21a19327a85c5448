# SPDX-License-Identifier: Apache-2.0
"""Puts this folder in reach of its tests."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
