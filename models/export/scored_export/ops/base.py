# SPDX-License-Identifier: Apache-2.0
"""What an op is to the exporter: Spark's class, its column parameters, and a function that reads it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from scored_export.blocks import Blocks
from scored_export.errors import Refused
from scored_export.saved import SavedStage

Columns = dict[str, list[str]]


@dataclass(frozen=True)
class Reading:
    """All that an op's function may look at.

    Attributes
    ----------
    fields : dict
        Spark's StructField of every column that exists before the stage.
    prefix : str
        Start of the stage's block names, ``s003``.
    live : Any
        The stage as PySpark's object, for what its files do not say.
    """

    saved: SavedStage
    inputs: Columns
    outputs: Columns
    fields: dict[str, Any]
    types: dict[str, str]
    prefix: str
    live: Any = None

    @property
    def input_names(self) -> list[str]:
        """Return the `inputCols`."""
        return self.inputs["inputCols"]

    def choice(self, name: str, *allowed: str) -> str:
        """Return a parameter that must be one of `allowed`."""
        value = str(self.saved.params[name])
        if value not in allowed:
            raise Refused(f"{name}={value!r} is not supported", f"use one of {', '.join(allowed)}")
        return value


@dataclass
class Built:
    """What an op's function returns; `needs` tells which switches of the platform each output depends on,
    where promises.py does not."""

    params: dict[str, Any]
    blocks: Blocks = field(default_factory=dict)
    needs: dict[str, set[str]] = field(default_factory=dict)
    strings: int = 0


Present = Callable[[Reading], tuple[Columns, Columns]]


@dataclass(frozen=True)
class Op:
    """A row of the table of ops.

    Attributes
    ----------
    ins, outs : tuple of str
        Column parameters as the bundle names them; all but the first of `ins` may be unset.
    accepts : tuple of str
        Types the input columns may have.
    ensemble : bool
        Whether it is saved as many trees.
    read : function
        Reads its data, which it keeps; None where it has no data.
    shadows : bool
        Whether Spark lets its outputs replace columns.
    in_place : bool
        Whether its output is its input, and has no parameter.
    drops : bool
        Whether it drops its inputs instead of making columns.
    projects : bool
        Whether its columns depend on all columns before it.
    names : callable, optional
        Returns its columns where no parameters name them.
    present : callable, optional
        Returns the inputs that are there, and their outputs, where Spark passes over those that are not.
    package : str
        What `java_class` stands behind.
    """

    name: str
    java_class: str
    ins: tuple[str, ...]
    outs: tuple[str, ...]
    accepts: tuple[str, ...]
    build: Callable[[Reading], Built]
    ensemble: bool = False
    read: Callable[[SavedStage], Any] | None = None
    shadows: bool = False
    in_place: bool = False
    drops: bool = False
    projects: bool = False
    names: Callable[[SavedStage], tuple[Columns, Columns]] | None = None
    present: Present | None = None
    package: str = "org.apache.spark.ml."

    def columns(self, saved: SavedStage) -> tuple[Columns, Columns]:
        """Return the stage's input and output columns."""
        if self.names is not None:
            return self.names(saved)
        found = {name: _names(saved, name, self.name) for name in self.ins}
        ins = {name: names for name, names in found.items() if names or name == self.ins[0]}
        if self.in_place:
            return ins, dict(zip(self.outs, ins.values()))
        return ins, {name: names for name in self.outs if (names := _names(saved, name, self.name))}


def _names(saved: SavedStage, name: str, op: str) -> list[str]:
    """Return the columns a parameter names; `inputCols` and `outputCols` stand for the single form too."""
    if name not in ("inputCols", "outputCols"):
        named = saved.params.get(name) or []
        return [named] if isinstance(named, str) else list(named)
    single = name[:-1]
    several = bool(saved.set.get("inputCols")) or not saved.params.get("inputCol")
    if op == "vector_assembler" or several:
        return saved.strings(name)
    return [saved.params[single]] if saved.params.get(single) else []
