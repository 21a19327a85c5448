# SPDX-License-Identifier: Apache-2.0
"""Chooses and makes the golden rows: inputs whose answers a reader must repeat before it serves."""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any, NamedTuple

import numpy as np

from scored_export.errors import Refused
from scored_export.plan import Plan
from scored_export.planned import Row
from scored_export.progress import show
from scored_export.score import Answer, Outcome, Scorer
from scored_export.values import DAY_MICROS, INTEGERS, MOMENTS, base_type, dumps, encode, type_name

MAX_ROWS = 1000
MAX_BYTES = 1 << 20
FROM_SAMPLE = 900
MADE = 100
ERRORS = 25
MADE_SHARE = MAX_BYTES // 4
CANDIDATES = 50_000
LEAVES_LOOKED_UP = 2_000_000
PROBE_SECONDS = 10.0
SCORE_SECONDS = 60.0
UNSEEN = "~unseen~"
FLOAT_MAX = float(np.finfo(np.float32).max)
FLOAT_TINY = float(np.finfo(np.float32).smallest_subnormal)
WIDE = Context(prec=80)
DOUBLE_MAX = float(np.finfo(np.float64).max)
DAYS = (-719_162, 2_932_896, 11_016, -141_428)  # the first and the last, and before and after odd Februaries
SPECIALS = (math.nan, -0.0, math.inf, -math.inf)


class Probe:
    """A copy of the pipeline that also answers which leaves, labels and buckets a row reaches."""

    def __init__(self, plan: Plan) -> None:
        from pyspark.ml import PipelineModel

        self.leaf_columns: list[str] = []
        self.label_columns: list[str] = []
        self.bucket_columns: list[str] = []
        self.leaves = 0
        self.labels = sum(stage.strings for stage in plan.stages)
        self.trees = 1
        copies = []
        for i, stage in enumerate(plan.stages):
            live = stage.live
            if stage.op.drops:  # what is looked at may be dropped at the end
                continue
            if stage.op.projects:  # only what is made behind it is sure to be there at the end
                self.leaf_columns, self.label_columns, self.bucket_columns = [], [], []
                self.leaves, self.trees = 0, 1
                self.labels = sum(later.strings for later in plan.stages[i:])
            kind = next((name for name in stage.blocks if name.endswith(".forest.kind")), None)
            if kind is not None:
                name = (stage.outputs.get("leafCol") or [f"__scored_leaf_{i}__"])[0]
                live = live.copy({live.getParam("leafCol"): name})
                self.leaf_columns.append(name)
                self.leaves += int(np.count_nonzero(stage.blocks[kind] == 0))
                self.trees += len(stage.blocks[kind.replace("kind", "tree_weight")])
            if stage.op.name in ("string_indexer", "bucketizer"):
                into = self.label_columns if stage.op.name == "string_indexer" else self.bucket_columns
                into += stage.outputs["outputCols"]
            copies.append(live)
        self.model = PipelineModel(stages=copies)

    @property
    def columns(self) -> list[str]:
        """Return what the probe asks for."""
        return [*self.leaf_columns, *self.label_columns, *self.bucket_columns]

    def marks(self, answer: Row) -> list[tuple[Any, ...]]:
        """Return what a row reaches, a tuple for each leaf, label or bucket."""
        found: list[tuple[Any, ...]] = []
        values = dict(zip(self.columns, answer))
        for name in self.leaf_columns:
            leaves = values[name]
            leaves = [leaves] if isinstance(leaves, float) else leaves.toArray().tolist()
            found += [("leaf", name, tree, leaf) for tree, leaf in enumerate(leaves)]
        found += [("label", name, values[name]) for name in self.label_columns]
        found += [("bucket", name, values[name]) for name in self.bucket_columns]
        return found


def _branch(value: Any) -> str:
    """Return the branch that a value takes in code that looks at nulls, NaN and signed zeros."""
    if value is None:
        return "null"
    if isinstance(value, float):
        if math.isnan(value) or math.isinf(value):
            return repr(value)
        return "-0" if value == 0.0 and math.copysign(1.0, value) < 0 else ("0" if value == 0.0 else "number")
    return "some" if isinstance(value, bool) or value else "none"


def _codes(rows: Sequence[Row], probe: Probe, answers: Sequence[Answer]) -> list[np.ndarray[Any, Any]]:
    """Return each row's marks as integers."""
    known: dict[tuple[Any, ...], int] = {}
    found = []
    for row, answer in zip(rows, answers):
        marks: list[tuple[Any, ...]] = [("branch", i, _branch(v)) for i, v in enumerate(row)]
        marks += [answer] if isinstance(answer, Outcome) else probe.marks(answer)  # type: ignore[list-item]
        found.append(np.array([known.setdefault(mark, len(known)) for mark in marks], dtype=np.int64))
    return found


def choose(codes: Sequence[np.ndarray[Any, Any]], count: int, seed: int = 0) -> list[int]:
    """Return up to `count` rows: greedily those that reach most that is new, then random ones."""
    reached = np.zeros(1 + max((int(c.max()) for c in codes if c.size), default=0), dtype=bool)
    heap = [(-len(c), i) for i, c in enumerate(codes)]
    heapq.heapify(heap)
    chosen: list[int] = []
    while heap and len(chosen) < count:
        _, i = heapq.heappop(heap)
        gain = int(np.count_nonzero(~reached[codes[i]]))
        if gain == 0:
            continue
        if heap and gain < -heap[0][0]:
            heapq.heappush(heap, (-gain, i))
            continue
        reached[codes[i]] = True
        chosen.append(i)
    taken = set(chosen)
    rest = [i for i in range(len(codes)) if i not in taken]
    random.Random(seed).shuffle(rest)
    return chosen + rest[: count - len(chosen)]


def _vector_variants(value: Any) -> list[Any]:
    from pyspark.ml.linalg import Vectors

    if value is None:
        return []
    dense = [float(v) for v in value.toArray()]
    stored = [(i, v) for i, v in enumerate(dense) if v != 0.0]
    other = Vectors.dense(dense) if hasattr(value, "indices") else Vectors.sparse(len(dense), stored)
    specials = [Vectors.dense([s, *dense[1:]]) for s in SPECIALS] if dense else []
    return [other, Vectors.sparse(len(dense), []), *specials]


def _variants(field: Any, value: Any) -> list[Any]:
    """Return what a field is changed to, the telling ones first."""
    kind = type_name(field.dataType)
    nulls = [None] if field.nullable else []
    if kind in INTEGERS:
        half = 1 << (INTEGERS[kind] - 1)
        return [*nulls, half - 1, -half, 0, -1]
    if base_type(kind) == "decimal":
        most = Decimal(10**field.dataType.precision - 1).scaleb(-field.dataType.scale, WIDE)
        return [*nulls, most, most.copy_negate(), Decimal(0)]
    if kind == "double":
        return [*nulls, *SPECIALS, DOUBLE_MAX, -DOUBLE_MAX, 5e-324]
    if kind == "float":
        return [*nulls, *SPECIALS, FLOAT_MAX, -FLOAT_MAX, FLOAT_TINY]
    if kind in MOMENTS:
        unit = 1 if kind == "date" else DAY_MICROS
        return [*nulls, 0, *(day * unit for day in DAYS), (DAYS[1] + 1) * unit - 1]
    if kind == "boolean":
        return [*nulls, True, False]
    if kind == "vector":
        return nulls + _vector_variants(value)
    if kind in ("array<float>", "array<double>"):
        return [*nulls, [], list(SPECIALS)]
    if kind == "array<int>":
        return [*nulls, [], [(1 << 31) - 1, -(1 << 31), 0]]
    return [*nulls, UNSEEN, ""] if kind == "string" else [*nulls, [], [UNSEEN]]


def make_rows(base: Row, fields: Sequence[Any]) -> list[Row]:
    """Return rows that differ from `base` in one field: at least two an input while there is room."""
    lists = [_variants(field, value) for field, value in zip(fields, base)]
    rows = []
    for turn in range(max(map(len, lists), default=0)):
        for i, variants in enumerate(lists):
            if turn < len(variants):
                rows.append((*base[:i], variants[turn], *base[i + 1 :]))
    return rows[:MADE]


def shuffled(rows: Sequence[Row], seed: int = 0) -> list[Row]:
    """Return rows whose columns were shuffled apart, so that none is a row of the sample."""
    columns = [list(column) for column in zip(*rows)]
    for i, column in enumerate(columns):
        random.Random(seed + i).shuffle(column)
    return list(zip(*columns))


@dataclass
class Golden:
    """The golden rows as written.

    Attributes
    ----------
    text : bytes
        The file.
    summary : dict
        The manifest's `golden`.
    outputs : list
        What else the probe was asked for, of the candidates that Spark answers; for the profile.
    passing : list
        Chosen rows of the sample that Spark answers.
    """

    text: bytes
    summary: dict[str, Any]
    outputs: list[Row]
    passing: list[Row]


class Writer:
    """Formats golden lines."""

    def __init__(self, plan: Plan, output: Sequence[str]) -> None:
        self._inputs = [(f.name, type_name(f.dataType)) for f in plan.inputs]
        self._outputs = [(name, plan.type_of(name)) for name in output]

    def line(self, row: Row, answer: Answer) -> dict[str, Any]:
        """Return a golden line as an object."""
        line: dict[str, Any] = {"in": {n: encode(v, t) for (n, t), v in zip(self._inputs, row)}}
        if isinstance(answer, Outcome):
            line[answer.value] = True
        else:
            line["out"] = {n: encode(v, t) for (n, t), v in zip(self._outputs, answer)}
        return line

    def bytes(self, row: Row, answer: Answer) -> bytes:
        """Return a golden line as it stands in the file."""
        return dumps(self.line(row, answer)).encode() + b"\n"


class _Line(NamedTuple):
    """A golden row, its answer, what it reaches, and how it stands in the file."""

    row: Row
    answer: Answer
    reach: Answer
    text: bytes


def _lines(
    writer: Writer, rows: Sequence[Row], answers: Sequence[Answer], reach: Sequence[Answer]
) -> list[_Line]:
    """Return golden lines of the rows whose answer is known."""
    every = zip(rows, answers, reach)
    return [_Line(r, a, its, writer.bytes(r, a)) for r, a, its in every if a is not Outcome.UNKNOWN]


def _fit(lines: Sequence[_Line], rows: int, size: int) -> list[_Line]:
    """Return the lines that still fit into so many rows and bytes."""
    kept: list[_Line] = []
    for line in lines:
        if len(kept) < rows and len(line.text) <= size:
            kept.append(line)
            size -= len(line.text)
    return kept


def make_golden(
    scorer: Scorer, probe_scorer: Scorer, probe: Probe, writer: Writer, rows: list[Row], fields: Sequence[Any]
) -> Golden:
    """Choose rows from the sample, make others, and let Spark answer them.

    Parameters
    ----------
    scorer, probe_scorer : Scorer
        Of the model for its default outputs, and of the probe for what rows reach.
    rows : list of tuple
        Up to `CANDIDATES` rows of the sample.
    """
    candidates = rows[: max(FROM_SAMPLE, LEAVES_LOOKED_UP // probe.trees)]
    show(f"asking Spark what {len(candidates):,} rows reach")
    reach = probe_scorer.score(candidates, PROBE_SECONDS)
    candidates, reach = _few_errors(candidates, reach)
    picked = choose(_codes(candidates, probe, reach), FROM_SAMPLE)
    chosen = [candidates[i] for i in picked]
    show(f"asking Spark for {len(chosen):,} golden rows")
    answers = scorer.score(chosen, SCORE_SECONDS)
    passing = [row for row, answer in zip(chosen, answers) if not isinstance(answer, Outcome)]
    show("asking Spark for rows that were made")
    made = make_rows(passing[0], fields) if passing else []
    made_answers = scorer.score(made)
    made_lines = _lines(writer, made, made_answers, _reach(probe_scorer, made, made_answers))
    show("asking jobs of Spark's for a row of each kind")
    _confirm(scorer, writer)
    kept_made = _fit(made_lines, MADE, MADE_SHARE)
    left = MAX_BYTES - sum(len(line.text) for line in kept_made)
    lines = _lines(writer, chosen, answers, [reach[i] for i in picked])
    kept = _fit(lines, MAX_ROWS - len(kept_made), left) + kept_made
    summary = {"rows": len(kept), "made": len(kept_made), **_share(probe, _reached(probe_scorer, kept))}
    outputs = [answer[len(probe.columns) :] for answer in reach if not isinstance(answer, Outcome)]
    return Golden(b"".join(line.text for line in kept), summary, outputs, passing)


def _reach(probe_scorer: Scorer, rows: Sequence[Row], answers: Sequence[Answer]) -> list[Answer]:
    """Return what rows reach; those without an answer reach nothing that counts, and are not asked for."""
    answered = [row for row, answer in zip(rows, answers) if not isinstance(answer, Outcome)]
    found = iter(probe_scorer.score(answered))
    return [answer if isinstance(answer, Outcome) else next(found) for answer in answers]


def _reached(probe_scorer: Scorer, lines: Sequence[_Line]) -> list[Answer]:
    """Return what the answered rows reach; the probe is asked again where its time was over."""
    answered = [line for line in lines if not isinstance(line.answer, Outcome)]
    late = [line.row for line in answered if line.reach is Outcome.UNKNOWN]
    return [line.reach for line in answered] + probe_scorer.score(late)


def _confirm(scorer: Scorer, writer: Writer) -> None:
    """Ask jobs of Spark's for a row of each kind of answer: they must answer what the driver did."""
    seen = scorer.witnesses
    told = scorer.in_jobs([row for row, _ in seen.values()])
    for (kind, (row, answer)), its in zip(seen.items(), told):
        if writer.bytes(row, answer) != writer.bytes(row, its):
            what = f"a job of Spark's answers a row otherwise than Spark's driver ({kind})"
            raise Refused(what, "this is a defect of scored_export: report this line and the stages")


def _few_errors(rows: list[Row], answers: list[Answer]) -> tuple[list[Row], list[Answer]]:
    """Return the rows with at most ERRORS of those that throw: each costs a job of its own."""
    errors = [i for i, answer in enumerate(answers) if answer is Outcome.ERROR]
    dropped = set(errors[ERRORS:])
    kept = [i for i in range(len(rows)) if i not in dropped]
    return [rows[i] for i in kept], [answers[i] for i in kept]


def _share(probe: Probe, answers: Sequence[Answer]) -> dict[str, list[int]]:
    """Return how many leaves and labels the answered rows reach, of how many there are."""
    marks = {mark for answer in answers if not isinstance(answer, Outcome) for mark in probe.marks(answer)}
    leaves = sum(mark[0] == "leaf" for mark in marks)
    labels = sum(mark[0] == "label" and mark[2] is not None for mark in marks)
    return {"leaves": [leaves, probe.leaves], "labels": [min(labels, probe.labels), probe.labels]}
