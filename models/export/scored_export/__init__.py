# SPDX-License-Identifier: Apache-2.0
"""Exports a fitted Spark ML pipeline to a bundle that `scored` serves with Spark's numbers bit for bit."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from scored_export.errors import Refused, Unavailable
from scored_export.publish import Version, copy, promote, versions
from scored_export.result import Exported

if TYPE_CHECKING:
    from scored_export.explanation import Explanation, explain
    from scored_export.exporter import export
    from scored_export.serving import Server, serve

__version__ = "1.0.0"
__all__ = [
    "Explanation",
    "Exported",
    "Refused",
    "Server",
    "Unavailable",
    "Version",
    "__version__",
    "copy",
    "explain",
    "export",
    "promote",
    "serve",
    "versions",
]


LAZY = {
    **{"export": "exporter", "explain": "explanation", "Explanation": "explanation"},
    **{"serve": "serving", "Server": "serving"},
}


def __getattr__(name: str) -> Any:
    """Return what needs PySpark, or more of Python, when it is first asked for: the rest does without."""
    if name not in LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"scored_export.{LAZY[name]}"), name)
