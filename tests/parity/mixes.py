# SPDX-License-Identifier: Apache-2.0
"""Mixes of two and three stages under error, skip and keep: which throws, which drops, what pruning leaves.

Every stage of every mix stands once in one long pipeline, which the exporter reads in one go; a mix takes its
stages from there. Spark selects the asked-for columns before it plans, so that its optimiser prunes as
it does for a user, and scores every row in a job of its own.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import math
import pickle
import random
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import compare
import rows
import scored_side
import spark_side
from content import content
from harness import Context
from results import Result

GOOD: dict[str, Any] = {"s": "a", "x": 1.5, "w": 2.0, "c": 1.0, "d": 1.0}
BAD: dict[str, Any] = {"s": "zz", "x": math.nan, "w": math.nan, "c": 9.0, "d": 9.0}
WORSE: dict[str, Any] = {"s": None, "x": -5.0, "w": None, "c": None, "d": None}
POSITIONS = (1, 2, 3)
COLUMNS = (
    *(rows.Text(f"s{i}") for i in POSITIONS),
    *(rows.Number(f"{kind}{i}") for kind in "xwcd" for i in POSITIONS),
    rows.Number("z"),
)
UNRELATED = "zb"
#: Each kind: the column that it reads, and its rules for what is invalid.
KINDS = {"SI": ("s", "esk"), "BK": ("x", "esk"), "VA": ("w", "esk"), "OH": ("c", "ek"), "IS": ("d", "e")}
MODES = {"e": "error", "s": "skip", "k": "keep"}
#: What may read a kind's output.
READERS = {
    "SI": ("VA", "OH", "BK", "IS"),
    "BK": ("VA", "OH", "SI", "IS"),
    "VA": ("VA", "NO"),
    "OH": ("VA", "NO"),
}
EVERY_IN_CI = 33  # as the sample's seed has it, another one each day


@dataclass(frozen=True)
class Stage:
    """A stage of the long pipeline; its name is its output column's."""

    kind: str
    mode: str
    column: str
    name: str


@dataclass(frozen=True)
class Mix:
    """Stages, and the positions of the columns they read."""

    stages: tuple[Stage, ...]
    positions: tuple[int, ...]

    @property
    def name(self) -> str:
        return " ".join(s.name for s in self.stages)

    def asked(self) -> list[list[str]]:
        """Return what to ask for: all, each column alone, the first with the last, an unrelated one."""
        names = [s.name for s in self.stages]
        ends = [[names[0], names[-1]]] if len(names) > 2 else []
        return [[*names, UNRELATED], *([n] for n in names), *ends, [UNRELATED]]

    def states(self) -> list[rows.Row]:
        """Return the rows: good, bad in each column and in several at once."""
        n = len(self.positions)
        choices = [*itertools.product((GOOD, BAD), repeat=n), (WORSE,) * n]
        for i in range(n):
            choices.append((GOOD,) * i + (WORSE,) + (GOOD,) * (n - i - 1))
        found = []
        for choice in choices:
            at = dict(zip(self.positions, choice))
            found.append((*(at.get(int(c.name[1:]), GOOD)[c.name[0]] for c in COLUMNS[:-1]), 0.5))
        return found


def _stage(kind: str, mode: str, column: str, mark: str) -> Stage:
    return Stage(kind, mode, column, f"{kind}{mode}{mark}")


def own(position: int) -> list[Stage]:
    """Return every stage on the columns of a position."""
    return [
        _stage(kind, m, f"{c}{position}", str(position)) for kind, (c, modes) in KINDS.items() for m in modes
    ]


def again() -> list[Stage]:
    """Return every stage a second time on the columns of position 1."""
    return [_stage(s.kind, s.mode, s.column, "same") for s in own(1)]


def readers() -> list[tuple[Stage, Stage]]:
    """Return each stage of position 1 with each that reads its output, where the encoder's size fits."""
    return [
        (first, _stage(kind, mode, first.name, f"of{first.name}"))
        for first in own(1)
        for kind in READERS.get(first.kind, ())
        for mode in KINDS.get(kind, ("", "e"))[1]
        if (first.kind, first.mode, kind) != ("SI", "k", "OH")
    ]


def mixes() -> list[Mix]:
    """Return all mixes."""
    found = [Mix(pair, (1, 2)) for pair in itertools.product(own(1), own(2))]
    found += [Mix(pair, (1,)) for pair in itertools.product(own(1), again()) if pair[0].kind == pair[1].kind]
    found += [Mix(pair, (1,)) for pair in readers()]
    errors = [[s for s in own(i) if s.mode == "e"] for i in POSITIONS]
    skips = [[s for s in own(i) if s.mode == "s"] for i in POSITIONS]
    found += [Mix(triple, (1, 2, 3)) for triple in itertools.product(errors[0], errors[1], skips[2])]
    others = [
        *itertools.product(errors[0], skips[1], errors[2]),
        *itertools.product(skips[0], errors[1], skips[2]),
    ]
    chained = [
        (a, s, b)
        for a, b in readers()
        for s in own(2)
        if "e" in a.mode + s.mode + b.mode and "s" in s.mode + b.mode
    ]
    r = random.Random(1)
    found += [Mix(triple, (1, 2, 3)) for triple in r.sample(others, 40)]
    return found + [Mix(triple, (1, 2)) for triple in r.sample(chained, 60)]


def build(stage: Stage, three: Any) -> Any:
    """Return Spark's stage; an encoder is fitted on `three` categories."""
    from pyspark.ml.feature import (
        Bucketizer,
        IndexToString,
        Normalizer,
        OneHotEncoder,
        StringIndexerModel,
        VectorAssembler,
    )

    names = {"inputCol": stage.column, "outputCol": stage.name}
    invalid = {"handleInvalid": MODES[stage.mode]}
    if stage.kind == "SI":
        return StringIndexerModel.from_labels(["a", "b", "1.0"], **names, **invalid)
    if stage.kind == "BK":
        return Bucketizer(splits=[0.0, 1.0, 2.0, 3.0], **names, **invalid)
    if stage.kind == "VA":
        return VectorAssembler(inputCols=[stage.column], outputCol=stage.name, **invalid)
    if stage.kind == "OH":
        hot = OneHotEncoder(inputCols=["c"], outputCols=["h"]).fit(three)
        return (
            hot.setInputCols([stage.column]).setOutputCols([stage.name]).setHandleInvalid(MODES[stage.mode])
        )
    if stage.kind == "IS":
        return IndexToString(labels=["p", "q"], **names)
    return Normalizer(**names)


class Factory:
    """Makes models and bundles of mixes from the long pipeline."""

    def __init__(self, spark: Any, work: Path) -> None:
        from pyspark.ml import PipelineModel
        from pyspark.ml.feature import Binarizer

        self._work = work
        three = spark_side.frame(spark, spark_side.schema([rows.Number("c")]), [(0.0,), (1.0,), (2.0,)])
        stages = {s.name: s for m in mixes() for s in m.stages}
        self._live = {name: build(stage, three) for name, stage in stages.items()}
        self._live[UNRELATED] = Binarizer(inputCol="z", outputCol=UNRELATED)
        order = [s for s in stages if "of" not in s] + [s for s in stages if "of" in s] + [UNRELATED]
        self._long = PipelineModel([self._live[name] for name in order])
        self._order = order
        self._spark = spark
        self._exported: dict[str, Any] = {}

    def model(self, mix: Mix) -> Any:
        """Return Spark's pipeline of a mix."""
        from pyspark.ml import PipelineModel

        return PipelineModel([*(self._live[s.name] for s in mix.stages), self._live[UNRELATED]])

    def _export(self) -> dict[str, Any]:
        """Return name -> (manifest's entry, blocks without prefix, type, size), and the platform."""
        from scored_export.ops.vectors import vector_width
        from scored_export.plan import make_plan
        from scored_export.platform import ask_platform
        from scored_export.saved import read_stages

        path = f"{self._work}/mixes-model"
        self._long.write().overwrite().save(Path(path).as_uri())
        sample = spark_side.frame(self._spark, spark_side.schema(COLUMNS), mixes()[0].states()[:1])
        live = self._long.stages
        plan = make_plan(read_stages(self._spark, path), live, sample, lambda _: None)
        found: dict[str, Any] = {"platform": ask_platform(self._spark)}
        for name, stage in zip(self._order, plan.stages):
            blocks = {key.partition(".")[2]: value for key, value in stage.blocks.items()}
            size = vector_width(plan.added[name]) if plan.type_of(name) == "vector" else None
            found[name] = (stage.entry(), blocks, plan.type_of(name), size)
        return found

    def exported(self, key: str) -> dict[str, Any]:
        """Return what the exporter made of the long pipeline, kept in the work folder."""
        kept = self._work / f"mixes-stages-{key}.pickle"
        if not self._exported and kept.exists():
            self._exported = pickle.loads(kept.read_bytes())
        if not self._exported:
            self._exported = self._export()
            kept.write_bytes(pickle.dumps(self._exported))
        return self._exported

    def kinds(self, key: str) -> dict[str, str]:
        """Return the type of every output."""
        return {name: found[2] for name, found in self.exported(key).items() if name != "platform"}


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def write_bundle(folder: Path, mix: Mix, made: dict[str, Any], good: rows.Row, answer: Any) -> Path:
    """Write a mix's bundle, with one golden row."""
    from scored_export.blocks import safetensors

    names = [*(s.name for s in mix.stages), UNRELATED]
    entries, blocks = [], {}
    for i, name in enumerate(names):
        entry, mine, *_ = made[name]
        prefixed = {f"s{i:03d}.{key}": np.asarray(value) for key, value in mine.items()}
        entries.append({**entry, "uid": name, "blocks": sorted(prefixed)})
        blocks.update(prefixed)
    read = {c for entry in entries for group in entry["inputs"].values() for c in group}
    inputs = [c for c in COLUMNS if c.name in read]
    golden = {
        "in": {c.name: rows.json_value(v, c.kind) for c, v in zip(COLUMNS, good) if c in inputs},
        "out": answer,
    }
    contents = {
        "blocks": ("safetensors", safetensors(blocks)),
        "golden": ("jsonl", json.dumps(golden).encode() + b"\n"),
        "profile": ("json", b"{}\n"),
    }
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    files = []
    for role, (extension, data) in contents.items():
        file = f"{role}-{_sha(data)[:16]}.{extension}"
        (folder / file).write_bytes(data)
        files.append({"role": role, "name": file, "size": len(data), "sha256": _sha(data)})
    types = {
        name: {"type": made[name][2]} | ({"size": made[name][3]} if made[name][2] == "vector" else {})
        for name in names
    }
    manifest = {
        "format": "scored-bundle", "format_version": 1, "name": "mix", "version": "1",
        "created": "2026-01-01T00:00:00.000Z", "lineage": {}, "platform": made["platform"],
        "input": [{"name": c.name, "type": c.kind, "nullable": True} for c in inputs],
        "output": [{"name": name, **types[name]} for name in names], "example": golden, "stages": entries,
        "exactness": {name: {"tier": "exact", "why": "a mix"} for name in names},
        "golden": {"rows": 1, "made": 0, "leaves": [0, 0], "labels": [0, 0]}, "files": files,
    }  # fmt: skip
    text = json.dumps(manifest, ensure_ascii=False).encode()
    (folder / f"bundle-{_sha(text)[:16]}.json").write_bytes(text)
    (folder / "bundle.json").write_bytes(text)
    return folder


def _scored_form(value: Any) -> Any:
    """Return a value of Spark's JSON as golden rows hold it."""
    if isinstance(value, dict):
        return value["values"] if value["type"] == 1 else {k: value[k] for k in ("size", "indices", "values")}
    return value


def _json(value: Any) -> Any:
    """Return a value as Spark's JSON has it."""
    if hasattr(value, "indices"):
        return {
            "type": 0,
            "size": int(value.size),
            "indices": value.indices.tolist(),
            "values": _json(value.values.tolist()),
        }
    if hasattr(value, "values"):
        return {"type": 1, "values": _json(value.values.tolist())}
    if isinstance(value, list):
        return [_json(v) for v in value]
    return rows.json_value(value, "double") if isinstance(value, float) else value


class PlainScorer(spark_side.Scorer):
    """Transforms the rows once; for each list of columns nothing but these is planned and compiled."""

    def __init__(self, spark: Any, model: Any, states: Sequence[rows.Row]) -> None:
        super().__init__(spark, model, spark_side.schema(COLUMNS), [])
        self._count = len(states)
        self._frame = self.transformed([states[0], *states], 1 + len(states))

    def _answers(self, found: Sequence[Any]) -> dict[int, Any]:
        names = self.columns[1:]
        return {row[0]: {name: _json(value) for name, value in zip(names, row[1:])} for row in found}

    def asked(self, columns: Sequence[str]) -> list[Any]:
        """Return the answers of each row alone."""
        self.columns = [spark_side.ID, *columns]
        return list(self.one_by_one(self._frame.select(*self.columns)._jdf.javaToPython(), self._count))


def ask_spark(spark: Any, model: Any, mix: Mix) -> list[list[Any]]:
    """Return, for each list of columns asked for, Spark's answer to each row alone."""
    scorer = PlainScorer(spark, model, mix.states())
    return [scorer.asked(columns) for columns in mix.asked()]


def check(binary: Path, folder: Path, mix: Mix, made: dict[str, Any], answers: list[list[Any]]) -> list[Any]:
    """Return where scored differs from Spark."""
    states = mix.states()
    out = {name: _scored_form(value) for name, value in answers[0][0].items()}
    bundle = write_bundle(folder, mix, made, states[0], out)
    lines = rows.json_lines(COLUMNS, states)
    found = []
    for asked, spark_said in zip(mix.asked(), answers):
        kinds = {name: made[name][2] for name in asked}
        want = compare.expected_cells(spark_said, kinds)
        for frame_rows in (64, 1):
            got = scored_side.predict(binary, bundle, lines, ",".join(asked), frame_rows)
            found += compare.compare(
                f"[{mix.name}] columns={','.join(asked)} frame={frame_rows}", got, want, kinds
            )
    return found


def _http(binary: Path, folder: Path, mix: Mix, made: dict[str, Any], answers: list[list[Any]]) -> list[Any]:
    """Return where the daemon differs from Spark."""
    lines = rows.json_lines(COLUMNS, mix.states())
    found = []
    with scored_side.daemon(binary, folder, folder.with_suffix(".log")) as daemon:
        for asked, spark_said in zip(mix.asked(), answers):
            kinds = {name: made[name][2] for name in asked}
            got = daemon.array(scored_side.target(",".join(asked)), lines)
            want = compare.expected_cells(spark_said, kinds)
            found += compare.compare(f"[{mix.name}] HTTP columns={','.join(asked)}", got, want, kinds)
    return found


def _kept(path: Path) -> dict[str, list[list[Any]]]:
    """Return kept answers: a mix a line; one that was cut short is as none."""
    found = {}
    for line in path.read_text("utf-8").splitlines() if path.exists() else []:
        with contextlib.suppress(ValueError):
            found.update(json.loads(line))
    return found


def answers_of(context: Context, factory: Factory, chosen: Sequence[Mix]) -> dict[str, list[list[Any]]]:
    """Return Spark's answers to all chosen mixes, kept in the work folder by what the mixes are."""
    path = context.work / f"mixes-{content(context.platform, build, COLUMNS, [m.states() for m in chosen[:1]])}.jsonl"
    found = _kept(path)
    for mix in chosen:
        key = f"{mix.name} {content(mix, mix.states(), mix.asked())}"
        if key not in found:
            found[key] = ask_spark(context.session(), factory.model(mix), mix)
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({key: found[key]}) + "\n")
        found[mix.name] = found[key]
    return found


def run(context: Context, result: Result, drawn: str) -> None:
    """Check all mixes, or in CI some of each sort, by a seed."""
    start = time.monotonic()
    first = random.Random(drawn).randrange(EVERY_IN_CI)
    chosen = context.shared(mixes() if context.full else mixes()[first::EVERY_IN_CI])
    work = context.work / f"mixes-{'of'.join(map(str, context.shard))}"
    work.mkdir(exist_ok=True)
    factory = Factory(context.session(), work)
    made = factory.exported(content(context.exporter, context.platform, build, mixes))
    answers = answers_of(context, factory, chosen)
    rows_asked, wrong = 0, 0
    for i, mix in enumerate(chosen):
        folder = work / "mix"
        try:
            found = check(context.binary, folder, mix, made, answers[mix.name])
            if i % 10 == 0:
                found += _http(context.binary, folder, mix, made, answers[mix.name])
        except scored_side.Failed as why:
            found = [why]
        rows_asked += sum(map(len, answers[mix.name]))
        wrong += bool(found)
        result.note(not found)
        ops = sorted({made[stage.name][0]["op"] for stage in mix.stages})
        count = sum(map(len, answers[mix.name]))
        result.write({"pipeline": f"mix {mix.name}", "ops": ops, "rows": count, "differing": len(found)})
        for difference in found[: compare.SHOWN]:
            print(f"FAIL  {difference}", flush=True)
    two = sum(len(m.stages) == 2 for m in chosen)
    kinds = f"{two} of two stages, {len(chosen) - two} of three"
    text = f"{rows_asked} rows, {wrong} mixes differ ({time.monotonic() - start:.1f} s)"
    mark = "FAIL " if wrong else "ok   "
    print(f"{mark} {len(chosen)} mixes, {kinds}: {text}", flush=True)
