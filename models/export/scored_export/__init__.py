# SPDX-License-Identifier: Apache-2.0
"""Exports a fitted Spark ML pipeline to a bundle that `scored` serves with Spark's numbers bit for bit."""

from scored_export.errors import Refused, Unavailable
from scored_export.explanation import Explanation, explain
from scored_export.exporter import export
from scored_export.publish import Version, promote, versions
from scored_export.result import Exported

__version__ = "1.0.0"
__all__ = [
    "Explanation",
    "Exported",
    "Refused",
    "Unavailable",
    "Version",
    "__version__",
    "explain",
    "export",
    "promote",
    "versions",
]
