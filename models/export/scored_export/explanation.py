# SPDX-License-Identifier: Apache-2.0
"""What an export would do, before any of it is done: what is refused, what is answered, what is promised."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scored_export.errors import Refused
from scored_export.exactness import exactness
from scored_export.known import check_saved, op_of
from scored_export.live import data_params, java_class, live_stages
from scored_export.ops.base import Columns, Op
from scored_export.plan import default_columns
from scored_export.platform import ask_platform
from scored_export.promises import needs_of
from scored_export.result import UNREAD, Column, Pruned, html_of, lacks, text_of
from scored_export.sample import as_frame, session
from scored_export.saved import SavedStage, read_stages
from scored_export.spark_says import unexpected
from scored_export.values import TYPES, base_type, cast, type_name


@dataclass(frozen=True)
class Stage:
    """A stage, and why it is refused, if it is."""

    name: str
    uid: str
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    refused: str = ""

    def cells(self) -> list[str]:
        """Return it as a row of a table."""
        return [self.name, self.uid, ", ".join(self.inputs), "->", ", ".join(self.outputs)]


@dataclass(frozen=True)
class Explanation:
    """What ``explain`` found.

    Attributes
    ----------
    stages : tuple of Stage
    inputs : tuple of Column
        What requests hold; `type` is empty where no sample tells it.
    outputs : tuple of Column
        What is answered by default, with its promise.
    others : tuple of Column
        What is answered where a request asks for it.
    left_out : tuple of Pruned
        Columns of the sample that no stage reads, and outputs whose input the sample lacks.
    refused : tuple of str
        Every reason that shows without reading the model's data; an export is refused for the first of them.
    """

    stages: tuple[Stage, ...]
    inputs: tuple[Column, ...]
    outputs: tuple[Column, ...]
    others: tuple[Column, ...]
    left_out: tuple[Pruned, ...]
    refused: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is refused so far."""
        return not self.refused

    def _title(self) -> str:
        n = len(self.refused)
        return "can be exported" if self.ok else f"is refused, for {n} reason{'s' if n > 1 else ''}"

    def _tables(self) -> list[tuple[str, list[list[str]]]]:
        def promised(columns: Sequence[Column]) -> list[list[str]]:
            return [[c.name, c.type, c.promise, c.why] for c in columns]

        return [
            ("refused", [[reason] for reason in self.refused]),
            ("stages", [s.cells() for s in self.stages]),
            ("inputs", [[c.name, c.type] for c in self.inputs]),
            ("outputs", promised(self.outputs)),
            ("when asked", promised(self.others)),
            ("left out", [[p.column, p.why] for p in self.left_out]),
        ]

    def __str__(self) -> str:
        return text_of(self._title(), self._tables())

    def _repr_html_(self) -> str:
        """Return it as a notebook shows it."""
        return html_of(self._title(), self._tables())


# -- the walk


class _Walk:
    """What is known of the columns after each stage."""

    def __init__(self, fields: dict[str, Any] | None) -> None:
        self.fields = fields  # of the sample; None: there is none
        self.needs: dict[str, set[str]] = {}  # of the columns that stages add
        self.dropped: set[str] = set()
        self.read: dict[str, None] = {}
        self.lost: list[Pruned] = []
        self.stages: list[Stage] = []
        self.added: list[Columns] = []
        self.refused: list[str] = []

    def refuse(self, error: Refused) -> None:
        self.refused.append(str(error))

    def step(self, saved: SavedStage, op: Op) -> None:
        """Take a stage that a bundle can hold."""
        inputs, outputs = op.columns(saved)
        try:
            outputs = self.checked(saved, op, inputs, outputs)
        except Refused as error:
            self.refuse(error.at(saved.name, saved.uid))
        inherited: set[str] = set()
        for name in _names(inputs):
            inherited |= self.needs.get(name, set())
            if name not in self.needs and (self.fields is None or name in self.fields):
                self.read[name] = None
        own = needs_of(op.name, saved, outputs)
        for param, names in outputs.items():
            self.needs.update((name, inherited | own.get(param, set())) for name in names)
            self.dropped -= set(names)
        if op.drops:
            self.dropped |= set(_names(inputs))
        if _names(outputs):
            self.added.append(outputs)
        self.stages.append(Stage(saved.name, saved.uid, tuple(_names(inputs)), tuple(_names(outputs))))

    def checked(self, saved: SavedStage, op: Op, inputs: Columns, outputs: Columns) -> Columns:
        """Return the outputs that are left; refuse columns that the sample lacks or has of another type."""
        if self.fields is None:
            return outputs
        missing = [name for name in _names(inputs) if name not in self.needs and name not in self.fields]
        droppable = op.present is not None and saved.params.get("handleInvalid") != "skip"
        if missing and not droppable:
            reason = f"input column {missing[0]!r} is neither in the sample nor made by an earlier stage"
            raise Refused(reason, "add it to the sample; names match byte for byte")
        for name in _names(inputs):
            kind = type_name(self.fields[name].dataType) if name in self.fields else ""
            if kind and name not in self.needs and base_type(kind) not in op.accepts:
                cure = cast(name, op.accepts)
                reason = f"column {name} has type {kind}, {op.name} takes {', '.join(op.accepts)}"
                raise Refused(reason, cure)
        pairs = dict(zip(outputs.get("outputCols", []), _names(inputs))) if missing else {}
        lost = [name for name, source in pairs.items() if source in missing]
        self.lost += [Pruned(name, lacks(saved.name), saved.uid) for name in lost]
        return {param: [name for name in names if name not in lost] for param, names in outputs.items()}


def _names(columns: Columns) -> list[str]:
    return [name for names in columns.values() for name in names]


def _live(spark: Any, stage: Any) -> SavedStage:
    """Return a live stage as if it was saved, without its data."""
    set_ = {param.name: value for param, value in getattr(stage, "_paramMap", {}).items()}
    default = {param.name: value for param, value in getattr(stage, "_defaultParamMap", {}).items()}
    params = {**default, **set_, **data_params(stage)}
    models = tuple(_live(spark, model) for model in getattr(stage, "models", []))
    return SavedStage(
        spark, "", java_class(stage), str(getattr(stage, "uid", "")), set_, params, {}, models
    )


def _stages(spark: Any, model: Any) -> list[SavedStage]:
    if isinstance(model, (str, os.PathLike)):
        return read_stages(spark, str(model))
    if hasattr(model, "fit") or not hasattr(model, "transform"):
        raise Refused(f"{type(model).__name__} is not a fitted model", "call fit first")
    return [_live(spark, stage) for stage in live_stages(model)]


def _walked(spark: Any, stages: Sequence[SavedStage], fields: dict[str, Any] | None) -> _Walk:
    walk = _Walk(fields)
    for i, saved in enumerate(stages):
        try:
            if any(saved.uid == other.uid for other in stages[:i]):
                raise Refused("two stages have this uid", "give the copy a uid of its own")
            if saved.path:
                check_saved([saved], spark)
            by = saved.saved_by if saved.path else ""
            op = op_of(saved.java_class, name=saved.name, uid=saved.uid, saved_by=by)
        except Refused as error:
            walk.refuse(error.at(saved.name, saved.uid))
            walk.stages.append(Stage(saved.name, saved.uid, refused=str(error)))
        else:
            walk.step(saved, op)
    return walk


def _promised(walk: _Walk, platform: dict[str, Any], allow_inexact: int | None) -> dict[str, Column]:
    """Return the columns that the stages add, each with what it promises here."""
    found = {}
    for name, needs in walk.needs.items():
        try:
            promise = exactness({name: needs}, platform, allow_inexact)[name]
        except Refused as error:
            walk.refuse(error)
            promise = {"tier": "refused", "why": error.reason}
        found[name] = Column(name, "", tier=promise["tier"], ulp=promise.get("n"), why=promise["why"])
    return found


def _asked(walk: _Walk, output: Sequence[str]) -> list[str]:
    kept = [name for name in walk.needs if name not in walk.dropped]
    unknown = [name for name in output if name not in kept]
    for name in unknown:
        walk.refuse(Refused(f"output {name!r} is not a column of the pipeline", ", ".join(kept)))
    if output:
        return [name for name in output if name not in unknown]
    return default_columns(walk.added, kept)


def _inputs(walk: _Walk) -> tuple[Column, ...]:
    columns = []
    for name in walk.read:
        field = (walk.fields or {}).get(name)
        kind = type_name(field.dataType) if field is not None else ""
        if kind and base_type(kind) not in TYPES:
            walk.refuse(Refused(f"column {name} has type {kind}, which no bundle holds", cast(name)))
        columns.append(Column(name, kind, bool(field.nullable) if field is not None else True))
    return tuple(columns)


def _explain(
    model: Any, sample: Any, schema: Any, output: Sequence[str], allow_inexact: int | None
) -> Explanation:
    frame = None if sample is None else as_frame(sample, schema)
    spark = session() if frame is None else frame.sparkSession
    fields = None if frame is None else {f.name: f for f in frame.schema.fields}
    walk = _walked(spark, _stages(spark, model), fields)
    promised = _promised(walk, ask_platform(spark), allow_inexact)
    answered = _asked(walk, output)
    inputs = _inputs(walk)
    return Explanation(
        tuple(walk.stages),
        inputs,
        tuple(promised[name] for name in answered),
        tuple(c for name, c in promised.items() if name not in (*answered, *walk.dropped)),
        (*(Pruned(name, UNREAD) for name in fields or () if name not in walk.read), *walk.lost),
        tuple(dict.fromkeys(walk.refused)),
    )


def explain(
    model: Any,
    sample: Any = None,
    *,
    schema: Any = None,
    output: Sequence[str] = (),
    allow_inexact: int | None = None,
) -> Explanation:
    """Tell what an export would do, before any of it is done.

    Nothing is fitted, saved, scored or written: the stages' classes and parameters are read, and this Spark
    is asked for its platform. What shows only in the model's data, as a damaged tree, an export finds.

    Parameters
    ----------
    model : pyspark.ml.Model or str
        As ``export`` takes it.
    sample : DataFrame or list, optional
        As ``export`` takes it: then inputs have types, and columns that are missing or cannot be taken show.
    schema, output, allow_inexact
        As ``export`` takes them.

    Returns
    -------
    Explanation
        All reasons to refuse at once, stages, inputs, and the outputs with what each promises. ``print`` and
        notebooks show it.
    """
    try:
        return _explain(model, sample, schema, output, allow_inexact)
    except Exception as error:
        refused = error if isinstance(error, Refused) else unexpected(error)
        return Explanation((), (), (), (), (), (str(refused),))
