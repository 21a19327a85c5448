# SPDX-License-Identifier: Apache-2.0
"""A comparison: fit, let Spark answer, export, ask scored, compare; what the first three make is kept."""

from __future__ import annotations

import ast
import gzip
import hashlib
import json
import random
import shutil
import textwrap
import threading
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

TOP = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
EXPORT = TOP / "models" / "export"
FRAME_ROWS = (64, 7, 1)
SAMPLE = 150
FULL_ROWS, FULL_BAD = 10_000, 48
CI_ROWS, CI_BAD = 1_000, 12
#: Are asked as they are loaded: KMeans forgets its distance there, ALS has its factors in files, of which Spark
#: knows the size, and only what it knows to be small it sends to the rows.
LOADED = {"ALSModel", "KMeansModel"}
PARSING = threading.Lock()  # Python 3.11 may fail where two threads parse at the same time


def digest(*parts: str) -> str:
    """Return twelve hex digits of texts."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def code(source: Path | str) -> str:
    """Return the digest of Python code, whatever its layout and comments."""
    text = source.read_text(encoding="utf-8") if isinstance(source, Path) else textwrap.dedent(source)
    with PARSING:
        return digest(ast.dump(ast.parse(text)))


def sources(folder: Path) -> str:
    """Return the digest of a folder's Python files."""
    return digest(*(code(p) for p in sorted(folder.rglob("*.py"))))


@dataclass
class Context:
    """What the command line said, and the session once one is needed."""

    binary: Path
    work: Path
    seed: int
    full: bool
    spark: Any = None

    def session(self) -> Any:
        """Return the Spark session, started at first use."""
        if self.spark is None:
            self.spark = spark_side.session()
        return self.spark

    @property
    def counts(self) -> tuple[int, int]:
        """Return how many rows a pipeline gets: good ones, and ones that should fail."""
        return (FULL_ROWS, FULL_BAD) if self.full else (CI_ROWS, CI_BAD)


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
    """Return the class of each stage, and of those within an RFormulaModel."""
    names = []
    for stage in getattr(model, "stages", [model]):
        names.append(type(stage).__name__)
        if names[-1] == "RFormulaModel":
            inner = stage._java_obj.pipelineModel().stages()
            names += [str(java.getClass().getSimpleName()) for java in inner]
    return names


def fit(context: Context, pipeline: Any, r: random.Random) -> Any:
    """Return the fitted model of a pipeline."""
    from pyspark.ml import Pipeline

    train = [tuple(c.clean(r) for c in pipeline.columns) for _ in range(pipeline.train)]
    labels = rows.Labels()
    both = [(*row, *label) for row, label in zip(train, labels.of(pipeline.columns, train, r))]
    spark = context.session()
    data = spark_side.frame(spark, spark_side.schema(pipeline.columns, *labels.names), both).cache()
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
    mark: str = "",
    model: Any = None,
) -> Case:
    """Return the case of the model saved in a folder, its rows answered by Spark now or earlier.

    Where the model was just fitted, it need not be loaded.
    """
    count, bads = context.counts
    _, r = generators(context, name)
    good, bad = rows.good_rows(columns, count, r), rows.bad_rows(columns, bads, r)
    kept = folder / f"answers{mark}-{count}.json.gz"
    if not kept.exists():
        model = load_model(context, folder) if model is None else model
        _write(kept, ask_spark(context, model, columns, good, bad))
    found = _read(kept)
    lines = rows.json_lines(columns, good + bad)
    return Case(name, columns, folder, found["kinds"], lines, found["answers"], found["ops"])


def solve(context: Context, pipeline: Any) -> Case:
    """Fit a pipeline and let Spark answer its rows, or take both from the work folder."""
    key = digest(code(pipeline.source()), str(context.seed), code(HERE / "rows.py"))
    folder = context.work / f"{pipeline.name}-{key}"
    for old in context.work.glob(f"{pipeline.name}-*"):
        if old.name != folder.name and len(old.name) == len(folder.name):
            shutil.rmtree(old)
    folder.mkdir(parents=True, exist_ok=True)
    model = None
    if not (folder / "model" / "metadata").exists():
        r, _ = generators(context, pipeline.name)
        model = fit(context, pipeline, r)
        model.write().overwrite().save(saved(folder))
    if model is not None and LOADED & set(stage_names(model)):
        model = None
    return case_of(context, pipeline.name, pipeline.columns, folder, model=model)


def bundle_of(context: Context, case: Case, output: Sequence[str] = ()) -> Path:
    """Return the case's bundle, exported anew when the exporter has changed."""
    from scored_export import export

    bundle = case.folder / f"bundle-{sources(EXPORT)}"
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
    bads = context.counts[1]
    target = scored_side.target("all")
    with scored_side.daemon(context.binary, bundle, case.folder / "serve.log") as daemon:
        answers["ndjson"] = daemon.ndjson(target, case.lines)
        part = len(case.lines) // 5
        arrays = daemon.array(target, case.lines[-part:])
        single = daemon.single(target, case.lines[-2 * bads :])
    found: list[compare.Difference] = []
    first = answers[f"predict/{FRAME_ROWS[0]}"]
    for what, lines in answers.items():
        if lines is first or lines != first:  # the same bytes need no second look
            found += compare.compare(what, lines, want, case.kinds)
    found += compare.compare("array", arrays, want[-part:], case.kinds)
    return found + compare.compare("single", single, want[-2 * bads :], case.kinds)


@dataclass
class Result:
    """The tally of a run; threads share it."""

    passed: int = 0
    failed: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, ok: bool) -> str:
        """Count a test and return its mark."""
        with self.lock:
            self.passed += ok
            self.failed += not ok
        return "ok   " if ok else "FAIL "


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
        count, _ = context.counts
        few = sum(not isinstance(a, str) for a in case.answers[:count]) < count
        found = check(context, case, bundle_of(context, case, pipeline.output))
        text = summary(case) + (f"; fewer than {count} good rows answered" if few else "")
        text += f"; {len(found)} cells differ" if found else ""
        text += f" ({time.monotonic() - start:.1f} s)"
        print(f"{result.note(not found and not few)} {pipeline.name}: {text}", flush=True)
        for difference in found[: compare.SHOWN]:
            print(f"      {difference}", flush=True)
    except Exception as why:  # the others are still to be run
        print(f"{result.note(False)} {pipeline.name}: {type(why).__name__}: {str(why)[:1500]}", flush=True)
    return case
