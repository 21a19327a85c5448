# SPDX-License-Identifier: Apache-2.0
"""Walks the fitted stages once: resolves columns, types and attributes, and builds every stage's entry."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from scored_export.blocks import Blocks
from scored_export.errors import Refused
from scored_export.known import op_of
from scored_export.ops.base import Built, Columns, Op, Reading
from scored_export.ops.composed import model_outputs
from scored_export.ops.sql import Projection, project
from scored_export.ops.vectors import vector_width
from scored_export.promises import needs_of
from scored_export.result import UNREAD, Pruned, lacks
from scored_export.saved import SavedStage
from scored_export.spark_says import refusal
from scored_export.values import TYPES, base_type, cast, param, type_name

NAME_BYTES = 256
SCALARS = (bool, int, float, str)
PREDICTORS = ("predictionCol", "probabilityCol", "rawPredictionCol")
COLUMN_PARAMS = {
    *("inputCol", "inputCols", "outputCol", "outputCols", "featuresCol", "labelCol", "weightCol"),
    *("predictionCol", "probabilityCol", "rawPredictionCol", "leafCol", "varianceCol"),
    *("linkPredictionCol", "offsetCol", "quantilesCol", "userCol", "itemCol", "itemsCol"),
}


@dataclass(frozen=True)
class Stage:
    """One entry of the manifest's `stages` with its blocks and what its outputs depend on."""

    op: Op
    saved: SavedStage
    live: Any
    inputs: Columns
    outputs: Columns
    params: dict[str, Any]
    blocks: Blocks
    strings: int
    own_needs: dict[str, set[str]]
    models: tuple[Stage, ...] = ()

    def all_blocks(self) -> Blocks:
        """Return its blocks, and those of the models it holds."""
        return {name: block for part in (self, *self.models) for name, block in part.blocks.items()}

    def dropped(self) -> list[str]:
        """Return the columns that later stages do not have."""
        names = [name for group in self.inputs.values() for name in group]
        if self.op.projects:
            return [names[i] for i in self.params["drops"]]
        return names if self.op.drops else []

    def entry(self) -> dict[str, Any]:
        """Return the stage as the manifest holds it; the fit of models it holds stays with Spark."""
        entry: dict[str, Any] = {
            "op": self.op.name,
            "uid": self.saved.uid,
            "class": self.saved.java_class,
            "inputs": self.inputs,
            "outputs": self.outputs,
            "params": self.params,
            "blocks": sorted(self.blocks),
        }
        fit = {
            name: param(value)
            for name, value in sorted(self.saved.params.items())
            if name not in self.params and name not in COLUMN_PARAMS and isinstance(value, SCALARS)
        }
        if self.models:
            entry["models"] = [{k: v for k, v in m.entry().items() if k != "x-fit"} for m in self.models]
        if fit:
            entry["x-fit"] = fit
        return entry


@dataclass
class Plan:
    """All stages, and the columns they read and add.

    Attributes
    ----------
    inputs : list of StructField
        Columns of the sample that a stage reads, in the sample's order.
    added : dict
        Name -> StructField of the columns that the stages add and keep.
    needs : dict
        Name -> switches of the platform that columns of that name depend on, those of their inputs included;
        of names that were dropped, too.
    unsized : bool
        Whether a VectorAssembler reads a vector of unknown width: Spark then looks at the frame's first row.
    """

    stages: list[Stage]
    inputs: list[Any]
    added: dict[str, Any] = field(default_factory=dict)
    needs: dict[str, set[str]] = field(default_factory=dict)
    unsized: bool = False
    latest: dict[str, set[str]] = field(default_factory=dict)

    def type_of(self, name: str) -> str:
        """Return the bundle's type of an added column."""
        return type_name(self.added[name].dataType)


def _check_name(name: str, what: str) -> None:
    bad = next((c for c in name if c == "." or unicodedata.category(c) == "Cc"), None)
    if bad is not None:
        raise Refused(f"{what} {name!r} holds {bad!r}", "rename the column: no dots, no control characters")
    if not 1 <= len(name.encode()) <= NAME_BYTES:
        raise Refused(f"{what} {name!r} is not 1 to {NAME_BYTES} bytes long", "rename the column")


def _check_cases(names: list[str]) -> None:
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(name.lower(), name)
        if other != name:
            raise Refused(f"columns {other!r} and {name!r} differ only in case", "rename one of them")


def _check_input(data_field: Any) -> None:
    kind = type_name(data_field.dataType)
    if base_type(kind) not in TYPES:
        raise Refused(
            f"column {data_field.name} has type {kind}, which no bundle holds",
            cast(data_field.name),
        )


def _static(saved: SavedStage) -> tuple[Op, Columns, Columns]:
    op = op_of(saved.java_class, name=saved.name, uid=saved.uid, saved_by=saved.saved_by)
    inputs, outputs = op.columns(saved)
    return op, inputs, outputs


def _projections(
    stages: list[tuple[SavedStage, Op, Columns, Columns]], live: list[Any], sample: Any
) -> dict[int, Projection]:
    """Return what each SQLTransformer does to all columns of the sample."""
    found: dict[int, Projection] = {}
    last = max((i for i, (_, op, *_) in enumerate(stages) if op.projects), default=-1)
    walk = _Walk(sample)
    for i, (saved, op, *_) in enumerate(stages[: last + 1]):
        if op.projects:
            try:
                found[i] = project(saved, live[i], walk.frame.schema)
            except Exception as error:
                raise saved.refusal(error) from error
        walk.add(saved, live[i])
    return found


def _sources(
    stages: list[tuple[SavedStage, Op, Columns, Columns]], projections: dict[int, Projection], sample: Any
) -> list[Any]:
    """Return the sample's columns that a stage reads before any stage makes one of that name."""
    have = {f.name for f in sample.schema.fields}
    made: set[str] = set()
    read: set[str] = set()
    for i, (saved, op, inputs, outputs) in enumerate(stages):
        if i in projections:
            projection = projections[i]
            read |= {name for name in projection.reads if name not in made}
            made = made.intersection(projection.keeps).union(projection.makes)
            have.intersection_update(projection.keeps)
            continue
        wanted = [name for names in inputs.values() for name in names]
        for name in wanted:
            if name not in made and name in have:
                read.add(name)
            elif name not in made and op.present is None:
                raise Refused(
                    f"input column {name!r} is neither in the sample nor made by an earlier stage",
                    "add it to the sample; names match byte for byte",
                ).at(saved.name, saved.uid)
        pairs = outputs.get("outputCols", []) if op.present is not None else []
        gone = {o for name, o in zip(wanted, pairs) if name not in made and name not in have}
        made.update(o for names in outputs.values() for o in names if o not in gone)
        if op.drops:
            made -= set(wanted)
            have -= set(wanted)
    return [f for f in sample.schema.fields if f.name in read]


class _Walk:
    """An empty frame with the sample's columns on its way through the stages."""

    def __init__(self, sample: Any) -> None:
        self.frame = sample.limit(0)
        self._sample = sample
        self._done: list[Any] = []

    def add(self, saved: SavedStage, live: Any) -> None:
        """Transform the frame; from a stage on that must see a row, it is the sample."""
        self._done.append(live)
        try:
            self.frame = live.transform(self.frame)
        except Exception:
            self.frame = self._of_sample(saved)

    def _of_sample(self, saved: SavedStage) -> Any:
        frame = self._sample
        try:
            for live in self._done:
                frame = live.transform(frame)
        except Exception as error:
            cure = "compare the sample with the training data"
            refused = refusal(error, "Spark refuses the sample's schema", cure=cure)
            raise refused.at(saved.name, saved.uid) from error
        return frame


def _check_types(op: Op, reading: Reading) -> None:
    for names in reading.inputs.values():
        for name in names:
            if base_type(reading.types[name]) not in op.accepts:
                raise Refused(
                    f"column {name} has type {reading.types[name]}, {op.name} takes {', '.join(op.accepts)}",
                    cast(name, op.accepts),
                )


def _stage(
    op: Op, saved: SavedStage, live: Any, columns: tuple[Columns, Columns], schema: Any, index: int
) -> Stage | None:
    """Build one stage; None if nothing of it is left."""
    fields = {f.name: f for f in schema.fields}
    types = {name: type_name(f.dataType) for name, f in fields.items()}
    reading = Reading(saved, *columns, fields, types, f"s{index:03d}", live)
    inputs, outputs = op.present(reading) if op.present else columns
    if op.present and not any([*inputs.values(), *outputs.values()]):
        return None
    if not outputs and not op.drops:
        raise Refused("no output column has a name", "set predictionCol")
    reading = replace(reading, inputs=inputs, outputs=outputs)
    _check_types(op, reading)
    built = op.build(reading)
    models = tuple(_model(reading, model, k) for k, model in enumerate(saved.models))
    needs = built.needs or needs_of(op.name, saved, outputs)
    if models:
        built = _holding(built, outputs, models)
        needs = built.needs
    return Stage(op, saved, live, inputs, outputs, built.params, built.blocks, built.strings, needs, models)


def _model(holder: Reading, saved: SavedStage, number: int) -> Stage:
    """Build a model that a stage holds."""
    op, inputs, outputs = _static(saved)
    if inputs != holder.inputs:
        raise Refused(
            f"{saved.name} {saved.uid} reads another column: {', '.join(inputs['featuresCol'])}",
            "set featuresCol before fit",
        )
    outputs = model_outputs(holder.saved, saved, outputs)
    prefix = f"{holder.prefix}.models.{number}"
    built = op.build(Reading(saved, inputs, outputs, holder.fields, holder.types, prefix))
    needs = built.needs or needs_of(op.name, saved, outputs)
    return Stage(op, saved, None, inputs, outputs, built.params, built.blocks, built.strings, needs)


def _holding(built: Built, outputs: Columns, models: Sequence[Stage]) -> Built:
    """Return what a stage needs that answers by its models."""
    needs = {need for model in models for need in model.own_needs.get("rawPredictionCol", set())}
    return Built(built.params, built.blocks, dict.fromkeys(outputs, needs), built.strings)


def make_plan(saved: list[SavedStage], live: list[Any], sample: Any, say: Any) -> Plan:
    """Resolve every stage against the sample's schema.

    Parameters
    ----------
    saved, live : list
        The same stages, as saved and as PySpark's objects.
    sample : DataFrame
        What the service will send.
    """
    static = [(s, *_static(s)) for s in saved]
    for i, one in enumerate(saved):
        if any(one.uid == other.uid for other in saved[:i]):
            refused = Refused("two stages have this uid", "give the copy a uid of its own")
            raise refused.at(one.name, one.uid)
    plan = Plan([], _sources(static, _projections(static, live, sample), sample))
    for f in plan.inputs:
        _check_name(f.name, "input column")
        _check_input(f)
    chosen = sample.select(*[_quoted(f.name) for f in plan.inputs])
    walk = _Walk(chosen)
    for (stage_saved, op, inputs, outputs), stage_live in zip(static, live):
        say(f"reading {stage_saved.name} {stage_saved.uid}")
        schema = walk.frame.schema
        try:
            stage = _stage(op, stage_saved, stage_live, (inputs, outputs), schema, len(plan.stages))
        except Exception as error:
            raise stage_saved.refusal(error) from error
        walk.add(stage_saved, stage_live)
        if stage is not None:
            _add(plan, stage, schema, walk.frame.schema)
    if not plan.stages:
        raise Refused("no stage is left to export", "the sample lacks every column that the pipeline reads")
    _check_cases([f.name for f in plan.inputs] + list(plan.added))
    return plan


def _add(plan: Plan, stage: Stage, before: Any, after: Any) -> None:
    known = {f.name: f for f in before.fields}
    inherited: set[str] = set()
    for names in stage.inputs.values():
        for name in names:
            inherited |= plan.latest.get(name, set())
            if stage.op.name == "vector_assembler" and type_name(known[name].dataType) == "vector":
                plan.unsized |= vector_width(known[name]) is None
    plan.stages.append(stage)
    for name in stage.dropped():
        plan.added.pop(name, None)
    fields = {f.name: f for f in after.fields}
    for param_name, names in stage.outputs.items():
        for name in names:
            _check_name(name, "output column")
            if name in known and not stage.op.shadows:
                raise Refused(f"output column {name} replaces a column", "give it a name of its own").at(
                    stage.saved.name, stage.saved.uid
                )
            plan.added[name] = fields[name]
            plan.latest[name] = inherited | stage.own_needs.get(param_name, set())
            plan.needs[name] = plan.needs.get(name, set()) | plan.latest[name]


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def left_out(plan: Plan, saved: Sequence[SavedStage], sample: Any) -> list[Pruned]:
    """Return the sample's columns that no stage reads, and the outputs whose input the sample lacks."""
    read = {f.name for f in plan.inputs}
    out = [Pruned(f.name, UNREAD) for f in sample.schema.fields if f.name not in read]
    for stage in saved:
        op, _, outputs = _static(stage)
        names = [] if op.projects else [name for group in outputs.values() for name in group]
        out += [Pruned(name, lacks(stage.name), stage.uid) for name in names if name not in plan.needs]
    return out


def default_columns(every: Sequence[Columns], kept: Collection[str]) -> list[str]:
    """Return the columns answered by default, given the outputs of every stage and what is kept of them."""
    outputs = [found for columns in every if (found := _kept(columns, kept))]
    last = -1
    names: list[str] = []
    for i, found in enumerate(outputs):
        if not any(p in found for p in PREDICTORS):
            continue
        last = i
        second = "probabilityCol" if "probabilityCol" in found else "rawPredictionCol"
        names += [*found.get("predictionCol", []), *found.get(second, [])]
    rest = outputs[last + 1 :] if last >= 0 else outputs[-1:]
    names += [name for found in rest for group in found.values() for name in group]
    return list(dict.fromkeys(names))


def _kept(columns: Columns, kept: Collection[str]) -> Columns:
    left = {param: [name for name in names if name in kept] for param, names in columns.items()}
    return {param: names for param, names in left.items() if names}


def default_output(plan: Plan) -> list[str]:
    """Return the columns answered by default."""
    return default_columns([stage.outputs for stage in plan.stages], plan.added)
