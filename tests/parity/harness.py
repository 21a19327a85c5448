# SPDX-License-Identifier: Apache-2.0
"""A comparison: fit, let Spark answer, export, ask scored, compare; what the first three make is kept."""

from __future__ import annotations

import ast
import functools
import gzip
import json
import random
import shutil
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import compare
import rows
import scored_side
import spark_side
from content import content, digest
from results import Result, line_of
from scored_export import export

TOP = Path(__file__).resolve().parents[2]
EXPORT = TOP / "models" / "export"
FRAME_ROWS = (64, 7, 1)
SAMPLE = 150
FULL_ROWS, FULL_BAD = 2_500, 48
CI_ROWS, CI_BAD = 500, 12
#: Are asked as they are loaded: KMeans forgets its distance there, ALS has its factors in files, of which Spark
#: knows the size, and only what it knows to be small it sends to the rows; FPGrowth has its item sets in other partitions, and so its rules in
#: another order.
LOADED = {"ALSModel", "FPGrowthModel", "KMeansModel"}


def sources(folder: Path) -> str:
    """Return the digest of a folder's Python files, whatever their layout and comments."""
    files = sorted(folder.rglob("*.py"))
    return digest(*(ast.dump(ast.parse(p.read_text(encoding="utf-8"))) for p in files))


@dataclass
class Context:
    """What the command line said, and the session once one is needed."""

    binary: Path
    work: Path
    seed: int
    full: bool
    shard: tuple[int, int] = (1, 1)
    spark: Any = None
    exporter: str = field(default_factory=functools.partial(sources, EXPORT))

    def session(self) -> Any:
        """Return the Spark session, started at first use."""
        if self.spark is None:
            self.spark = spark_side.session()
        return self.spark

    def shared(self, them: Sequence[Any]) -> list[Any]:
        """Return this piece's part of what is to be done."""
        piece, pieces = self.shard
        return list(them[piece - 1 :: pieces])

    @functools.cached_property
    def platform(self) -> str:
        """Return what makes the answers."""
        return spark_side.platform(self.session())

    def counts(self, its_own: int = 0) -> tuple[int, int]:
        """Return how many rows a pipeline gets: good ones, and ones that should fail."""
        good, bad = (FULL_ROWS, FULL_BAD) if self.full else (CI_ROWS, CI_BAD)
        return its_own or good, bad


@dataclass
class Case:
    """A fitted pipeline with its rows and Spark's answers, all in its folder."""

    name: str
    columns: tuple[rows.Column, ...]
    folder: Path
    kinds: dict[str, str]
    lines: list[bytes]
    answers: list[Any]
    ops: list[str]


def stage_names(model: Any) -> list[str]:
    """Return the class of each stage, and of those within a PipelineModel or an RFormulaModel."""
    names = []
    for stage in getattr(model, "stages", [model]):
        names.append(type(stage).__name__)
        if hasattr(stage, "stages"):
            names += stage_names(stage)
        if names[-1] == "RFormulaModel":
            inner = stage._java_obj.pipelineModel().stages()
            names += [str(java.getClass().getSimpleName()) for java in inner]
    return names


def training(pipeline: Any, r: random.Random) -> list[Any]:
    """Return training rows, behind them their labels."""
    train = [tuple(c.clean(r) for c in pipeline.columns) for _ in range(pipeline.train)]
    return [(*row, *label) for row, label in zip(train, rows.Labels().of(pipeline.columns, train, r))]


def fit(context: Context, pipeline: Any, train: list[Any]) -> Any:
    """Return the fitted model of a pipeline."""
    from pyspark.ml import Pipeline

    spark = context.session()
    data = spark_side.frame(spark, spark_side.schema(pipeline.columns, *rows.Labels().names), train).cache()
    try:
        return Pipeline(stages=pipeline.stages()).fit(data)
    finally:
        data.unpersist()


def saved(folder: Path) -> str:
    """Return where the model of a case is saved."""
    return folder.as_uri() + "/model"


def load_model(context: Context, folder: Path) -> Any:
    """Return the saved model of a case."""
    from pyspark.ml import PipelineModel

    context.session()
    return PipelineModel.load(saved(folder))


def _write(path: Path, content: Any) -> None:
    partial = path.with_suffix(".partial")
    with gzip.open(partial, "wt", encoding="utf-8") as file:
        json.dump(content, file)
    partial.rename(path)


def _read(path: Path) -> Any:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return json.load(file)


def ask_spark(
    context: Context, model: Any, columns: Sequence[rows.Column], good: list[Any], bad: list[Any]
) -> Any:
    """Return the added columns' types and Spark's answers, of the good rows and then of the bad ones."""
    spark = context.session()
    schema = spark_side.schema(columns)
    shadowed = [c.name for c in columns if c.shadowed]
    fields = spark_side.added(spark, model, schema, good[0], shadowed)
    names = [f.name for f in fields]
    kinds = {
        f.name: "vector" if type(f.dataType).__name__ == "VectorUDT" else f.dataType.simpleString()
        for f in fields
    }
    scorer = spark_side.Scorer(spark, model, schema, names)
    answers = scorer.many(good)
    lead = next(row for row, answer in zip(good, answers) if not isinstance(answer, str))
    return {"kinds": kinds, "ops": stage_names(model), "answers": answers + list(scorer.alone(bad, lead))}


def generators(context: Context, name: str) -> tuple[random.Random, random.Random]:
    """Return the random numbers of a pipeline's training data, and of its rows."""
    r = random.Random(f"{name} {context.seed}")
    return random.Random(r.random()), random.Random(r.random())


def case_of(
    context: Context,
    name: str,
    columns: tuple[rows.Column, ...],
    folder: Path,
    model: Any = None,
    its_own: int = 0,
) -> Case:
    """Return the case of the model saved in a folder, its rows answered by Spark now or earlier.

    Where the model was just fitted, it need not be loaded.
    """
    count, bads = context.counts(its_own)
    _, r = generators(context, name)
    good, bad = rows.good_rows(columns, count, r), rows.bad_rows(columns, bads, r)
    lines = rows.json_lines(columns, good + bad)
    kept = folder / f"answers-{content(columns, lines)}.json.gz"
    if not kept.exists():
        model = load_model(context, folder) if model is None else model
        _write(kept, ask_spark(context, model, columns, good, bad))
    found = _read(kept)
    return Case(name, columns, folder, found["kinds"], lines, found["answers"], found["ops"])


def solve(context: Context, pipeline: Any) -> Case:
    """Fit a pipeline and let Spark answer its rows, or take both from the work folder."""
    train = training(pipeline, generators(context, pipeline.name)[0])
    folder = context.work / f"{pipeline.name}-{content(context.platform, pipeline.stages, pipeline.columns, train)}"
    for old in context.work.glob(f"{pipeline.name}-*"):
        if old.name != folder.name and len(old.name) == len(folder.name):
            shutil.rmtree(old)
    folder.mkdir(parents=True, exist_ok=True)
    model = None
    if not (folder / "model" / "metadata").exists():
        model = fit(context, pipeline, train)
        model.write().overwrite().save(saved(folder))
    if model is not None and LOADED & set(stage_names(model)):
        model = None
    return case_of(context, pipeline.name, pipeline.columns, folder, model, pipeline.rows)


def bundle_of(context: Context, case: Case, output: Sequence[str] = ()) -> Path:
    """Return the case's bundle, exported anew when the exporter has changed."""
    bundle = case.folder / f"bundle-{context.exporter}"
    if not (bundle / "bundle.json").exists():
        for old in case.folder.glob("bundle-*"):
            shutil.rmtree(old)
        r = random.Random(f"sample {case.name} {context.seed}")
        spark = context.session()
        sample = rows.good_rows(case.columns, SAMPLE, r)
        frame = spark_side.frame(spark, spark_side.schema(case.columns), sample)
        export(saved(case.folder), bundle, sample=frame, name="parity", output=list(output))
    return bundle


def check(context: Context, case: Case, bundle: Path) -> list[compare.Difference]:
    """Return where scored differs from Spark, by whichever way it is asked."""
    want = compare.expected_cells(case.answers, case.kinds)
    answers: dict[str, list[bytes]] = {}
    for frame_rows in FRAME_ROWS:
        answers[f"predict/{frame_rows}"] = scored_side.predict(
            context.binary, bundle, case.lines, "all", frame_rows
        )
    bads = context.counts()[1]
    target = scored_side.target("all")
    with scored_side.daemon(context.binary, bundle, case.folder / "serve.log") as daemon:
        answers["ndjson"] = daemon.ndjson(target, case.lines)
        part = len(case.lines) // 5
        arrays = daemon.array(target, case.lines[-part:])
        single = daemon.single(target, case.lines[-2 * bads :])
    found: list[compare.Difference] = []
    same = answers[f"predict/{FRAME_ROWS[0]}"]
    for what, lines in answers.items():
        if lines is same or lines != same:  # the same bytes need no second look
            found += compare.compare(what, lines, want, case.kinds)
    for what, lines in (("array", arrays), ("single", single)):
        first = len(want) - len(lines)
        found += compare.compare(what, lines, want[first:], case.kinds, first)
    return found


def summary(case: Case) -> str:
    """Return how many rows were answered, refused and dropped."""
    lost = Counter(a for a in case.answers if isinstance(a, str))
    answered = len(case.answers) - sum(lost.values())
    columns = len(case.kinds)
    return f"{answered} answered, {lost['error']} errors, {lost['skipped']} skipped, {columns} columns"


def run_pipeline(context: Context, pipeline: Any, result: Result) -> Case | None:
    """Check one pipeline and print its line."""
    start = time.monotonic()
    case = None
    try:
        case = solve(context, pipeline)
        count, _ = context.counts(pipeline.rows)
        answered = sum(not isinstance(a, str) for a in case.answers[:count])
        few = answered < (count // 2 if pipeline.rows or pipeline.drops else count)
        bundle = bundle_of(context, case, pipeline.output)
        found = check(context, case, bundle)
        result.write(line_of(case, pipeline, bundle, found))
        text = summary(case) + (f"; only {answered} of {count} good rows answered" if few else "")
        text += f"; {len(found)} cells differ" if found else ""
        text += f" ({time.monotonic() - start:.1f} s)"
        print(f"{result.note(not found and not few)} {pipeline.name}: {text}", flush=True)
        for difference in found[: compare.SHOWN]:
            print(f"      {difference}", flush=True)
    except Exception as why:  # the others are still to be run
        print(f"{result.note(False)} {pipeline.name}: {type(why).__name__}: {str(why)[:1500]}", flush=True)
    return case
