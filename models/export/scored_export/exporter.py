# SPDX-License-Identifier: Apache-2.0
"""The export: from a fitted model and a sample to a bundle on disk."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from typing import Any

from scored_export import profile
from scored_export.blame import no_row_passes
from scored_export.blocks import Blocks, safetensors
from scored_export.errors import Refused
from scored_export.exactness import exactness
from scored_export.golden import CANDIDATES, Golden, Probe, Writer, make_golden, shuffled
from scored_export.known import check_live, check_saved
from scored_export.labels import class_labels, label_columns
from scored_export.limits import check_plan
from scored_export.live import joins, live_stages, load_stages, rows_in_place, save_stages
from scored_export.needs import ZONE
from scored_export.ops.vectors import vector_width
from scored_export.paths import NAME
from scored_export.plan import Plan, default_output, left_out, make_plan
from scored_export.planned import Row, quoted
from scored_export.platform import ask_platform, time_zone
from scored_export.progress import show
from scored_export.publish import publish, sha
from scored_export.result import Exported, exported
from scored_export.sample import as_frame
from scored_export.saved import SavedStage, read_stages
from scored_export.score import Answer, Outcome, Scorer
from scored_export.signature import Signer
from scored_export.spark_says import refusal, unexpected
from scored_export.store import MANIFEST_BYTES, Store, open_store
from scored_export.values import ARRAYS, MOMENTS, as_numbers, dumps, encode, type_name

CREATED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
SHA16 = 16
EXAMPLE_TRIES = 50
TEXT_LINEAGE = (
    *("spark", "jdk", "git_commit", "training_data_uri", "training_data_sha256"),
    *("mlflow_run_id", "airflow_dag_id", "airflow_run_id", "exporter"),
)


def _check_label(what: str, value: str) -> None:
    if not NAME.fullmatch(value):
        raise Refused(f"{what} {value!r} is not [A-Za-z0-9._-]{{1,64}}", f"choose another {what}")


def _lineage(given: Mapping[str, Any], platform: Mapping[str, Any]) -> dict[str, Any]:
    """Return the manifest's `lineage`; Spark and JDK are filled in."""
    from scored_export import __version__

    lineage: dict[str, Any] = {"spark": platform["spark"], "jdk": platform["jdk"]}
    lineage["exporter"] = f"scored_export {__version__}"
    for key, value in given.items():
        if key in TEXT_LINEAGE or key.startswith("x-"):
            lineage[key] = str(value)
        elif key == "training_data_rows" and str(value).isdecimal():
            lineage[key] = int(value)
        elif key == "metrics" and isinstance(value, Mapping):
            lineage[key] = {str(name): encode(float(v), "double") for name, v in value.items()}
        else:
            raise Refused(f"lineage has no key {key!r}", f"use {', '.join(TEXT_LINEAGE)}, or a key with x-")
    return lineage


def _input(field: Any, descriptions: Mapping[str, str]) -> dict[str, Any]:
    kind = type_name(field.dataType)
    entry: dict[str, Any] = {"name": field.name, "type": kind, "nullable": bool(field.nullable)}
    if kind in ARRAYS:
        entry["containsNull"] = bool(field.dataType.containsNull)
    if kind == "vector":
        entry["size"] = vector_width(field)
    if field.name in descriptions:
        entry["description"] = descriptions[field.name]
    return entry


def _output(plan: Plan, name: str, answered: Any) -> dict[str, Any]:
    """Return an entry of the manifest's `output`.

    A vector's size is that of its metadata; null where an answer has another one, as with a
    LogisticRegressionModel fitted on one class.
    """
    kind = plan.type_of(name)
    entry: dict[str, Any] = {"name": name, "type": kind}
    if kind == "vector":
        size = vector_width(plan.added[name])
        seen = size if answered is None else len(answered) if isinstance(answered, list) else answered["size"]
        entry["size"] = size if seen == size else None
    return entry


def _rows(sample: Any, plan: Plan) -> list[Row]:
    """Return up to CANDIDATES rows of the sample, spread over all of it, as tuples of the plan's inputs."""
    numbers = [as_numbers(quoted(f.name), type_name(f.dataType)) for f in plan.inputs]
    chosen = sample.selectExpr(*[f"{sql} AS {quoted(f.name)}" for sql, f in zip(numbers, plan.inputs)])
    try:
        rows = chosen.limit(CANDIDATES + 1).collect()
        if len(rows) > CANDIDATES:
            share = 1.05 * CANDIDATES / chosen.count()
            rows = chosen.sample(False, min(1.0, share), 0).limit(CANDIDATES).collect()
        return [tuple(row) for row in rows]
    except Exception as error:
        raise refusal(error, "the sample cannot be read", cure="check its schema") from error


def _lead(spark: Any, model: Any, plan: Plan, output: Sequence[str], rows: Sequence[Row]) -> Row | None:
    """Return a row that passes all stages, for models that look at a frame's first row."""
    if not plan.unsized:
        return None
    for row in rows[:EXAMPLE_TRIES]:
        try:
            answer = Scorer(spark, model, plan.inputs, output, row).score([row])[0]
        except Refused:
            continue
        if not isinstance(answer, Outcome):
            return row
    raise Refused("no row of the sample passes all stages", "give a sample that the pipeline accepts")


def _attempts(kinds: Sequence[str], rows: Sequence[Row], passing: Sequence[Row]) -> Iterator[Row]:
    """Yield rows to try as the example: typical of all, typical of those that pass, and each of these.

    Strings of a row that passes are replaced by the most frequent that pass: no row is published.
    """

    def usual(some: Sequence[Row]) -> Row:
        return tuple(profile.typical([row[i] for row in some], kind) for i, kind in enumerate(kinds))

    yield usual(rows)
    good = usual(passing)
    yield good
    for row in passing[:EXAMPLE_TRIES]:
        yield tuple(g if "string" in k else v for g, v, k in zip(good, row, kinds))


def _example(
    scorer: Scorer, writer: Writer, plan: Plan, rows: Sequence[Row], golden: Golden
) -> dict[str, Any]:
    """Return the synthetic example, of the first attempt that Spark answers."""
    kinds = [type_name(f.dataType) for f in plan.inputs]
    for attempt in _attempts(kinds, rows, golden.passing):
        answer: Answer = scorer.score([attempt])[0]
        if not isinstance(answer, Outcome) and not NUL.search(writer.bytes(attempt, answer)):
            return writer.line(attempt, answer)
    raise Refused("no typical row passes all stages", "give a sample that the pipeline accepts")


def _manifest_text(manifest: Mapping[str, Any]) -> bytes:
    """Return the manifest with one top-level key a line."""
    lines = [f"{dumps(key)}:{dumps(value)}" for key, value in manifest.items()]
    try:
        text = ("{\n" + ",\n".join(lines) + "\n}\n").encode()
    except UnicodeEncodeError:
        raise Refused("a name or value holds half a surrogate pair", "mend the text") from None
    if NUL.search(text):
        raise Refused("a column name, uid or parameter value contains U+0000", "take it out")
    if len(text) > MANIFEST_BYTES:
        raise Refused(f"the manifest has {len(text)} bytes, more than 1 MiB", "split the pipeline")
    return text


def _collect_blocks(plan: Plan) -> Blocks:
    return {name: block for stage in plan.stages for name, block in stage.all_blocks().items()}


class _Export:
    """One export; its methods are the steps."""

    def __init__(self, spark: Any, model: Any, saved: list[SavedStage], sample: Any) -> None:
        self.spark = spark
        self.model = model
        self.sample = sample
        self.saved = saved
        self.plan = make_plan(self.saved, live_stages(model), sample, show)
        check_plan(self.plan)
        self.labels = class_labels(self.saved, self.plan)

    def outputs(self, asked: Sequence[str]) -> list[str]:
        """Return the default outputs, checked."""
        for name in asked:
            if name not in self.plan.added:
                raise Refused(f"output {name!r} is not a column of the pipeline", ", ".join(self.plan.added))
        return list(asked) or default_output(self.plan)

    def answers(self, output: list[str], no_sample_rows: bool) -> tuple[Golden, dict[str, Any], list[Row]]:
        """Return the golden rows, the example and the rows of the sample."""
        plan = self.plan
        show("reading the sample")
        rows = _rows(self.sample, plan)
        if not rows:
            raise Refused("the sample has no rows", "give rows as the service will send them")
        given = shuffled(rows) if no_sample_rows else rows
        lead = _lead(self.spark, self.model, plan, output, given)
        scorer = Scorer(self.spark, self.model, plan.inputs, output, lead)
        probe = Probe(plan)
        wanted = [*probe.columns, *self.scalars(output)]
        probe_scorer = Scorer(self.spark, probe.model, plan.inputs, wanted, lead)
        writer = Writer(plan, output)
        golden = make_golden(scorer, probe_scorer, probe, writer, given, plan.inputs)
        if not golden.passing:
            raise no_row_passes(self.spark, plan, given)
        return golden, _example(scorer, writer, plan, rows, golden), rows

    def scalars(self, output: Sequence[str]) -> list[str]:
        """Return the outputs that have statistics: all but vectors."""
        return [name for name in output if self.plan.type_of(name) != "vector"]

    def profile(self, output: list[str], rows: list[Row], golden: Golden) -> bytes:
        """Return the profile's bytes."""
        named = [(f.name, type_name(f.dataType)) for f in self.plan.inputs]
        answered = [(name, self.plan.type_of(name)) for name in self.scalars(output)]
        content = {
            "rows": len(rows),
            "columns": profile.columns(rows, named),
            "outputs": profile.columns(golden.outputs, answered),
        }
        return dumps(content).encode() + b"\n"


def _files(contents: Mapping[str, tuple[str, bytes]]) -> list[dict[str, Any]]:
    """Return the manifest's `files`; each is named by its content."""
    files = []
    for role, (extension, data) in contents.items():
        digest = sha(data)
        name = f"{role}-{digest[:SHA16]}.{extension}"
        files.append({"role": role, "name": name, "size": len(data), "sha256": digest})
    return files


def export(
    model: Any,
    out: str | os.PathLike[str],
    *,
    sample: Any,
    name: str,
    schema: Any = None,
    version: str | None = None,
    lineage: Mapping[str, Any] | None = None,
    output: Sequence[str] = (),
    created: str | None = None,
    no_sample_rows: bool = False,
    allow_inexact: int | None = None,
    descriptions: Mapping[str, str] | None = None,
    sign_key: str | os.PathLike[str] | None = None,
) -> Exported:
    """Write a bundle of a fitted model.

    Parameters
    ----------
    model : pyspark.ml.Model or str
        A fitted pipeline, a single fitted stage, a tuned model, or the directory one was saved in.
    out : path or str
        Directory of the bundle, made if needed, or ``s3://bucket/prefix/``; nothing in it is deleted.
    sample : DataFrame of Spark or pandas, or list of Rows or dicts
        Rows as the service will send them: their schema becomes the inputs, without the label.
    name : str
        Name of the model, ``[A-Za-z0-9._-]{1,64}``.
    schema : StructType or str, optional
        Names and types of a sample that is no DataFrame of Spark's, as ``"make string, age int"``. A list
        needs it; without it a pandas DataFrame gets the types that Spark infers, which are printed.
    version : str, optional
        Label; by default the UTC time and a hash.
    lineage : mapping, optional
        What produced the model: ``git_commit``, ``training_data_uri``, ``metrics`` and so on.
    output : sequence of str, optional
        Columns answered by default; by default the predictors' own.
    created : str, optional
        RFC 3339 UTC with milliseconds, for repeatable bundles.
    no_sample_rows : bool
        Make golden rows from column-wise shuffled values, so that no row of the sample is published.
    allow_inexact : int, optional
        Publish columns that cannot be reproduced, and declare this distance in units in the last place.
    descriptions : mapping, optional
        Input column -> a sentence for people.
    sign_key : path, optional
        PEM file of an Ed25519 private key, to sign the bundle with.

    Returns
    -------
    Exported
        The SHA-256 of the bundle's manifest as text, and with it all that a person wants to know of the
        bundle, which ``print`` and notebooks show.

    Raises
    ------
    Refused
        If a stage, type, name or the platform cannot be scored identically, or something cannot be read; the
        only error that leaves this function.
    Unavailable
        The Refused after which the same export can succeed another time: network, memory, disk.
    """
    _check_label("name", name)
    if version is not None:
        _check_label("version", version)
    if created is not None and not CREATED.fullmatch(created):
        raise Refused(f"created {created!r} is not UTC with milliseconds", "write 2026-01-31T10:20:30.123Z")
    scratch = tempfile.mkdtemp(prefix="scored-export-")
    try:
        signer = None if sign_key is None else Signer(sign_key)
        store = open_store(out)
        store.check()
        return _export(
            model,
            (store, signer),
            scratch,
            as_frame(sample, schema),
            {"name": name, "version": version, "created": created, "lineage": lineage or {}},
            list(output),
            (no_sample_rows, allow_inexact, descriptions or {}),
        )
    except Refused:
        raise
    except Exception as error:
        raise unexpected(error) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        show("")


def _saved(model: Any, spark: Any, scratch: str) -> tuple[Any, list[SavedStage]]:
    """Return the live model and its saved stages; one or the other is made."""
    from pyspark.ml import PipelineModel

    if isinstance(model, (str, os.PathLike)):
        saved = read_stages(spark, str(model))
        check_saved(saved, spark)
        show(f"loading {len(saved)} stages")
        return PipelineModel(stages=load_stages(saved)), saved
    if hasattr(model, "fit") or not hasattr(model, "transform"):
        raise Refused(f"{type(model).__name__} is not a fitted model", "call fit first")
    target = getattr(model, "bestModel", model)
    check_live(target)
    stages = live_stages(target)
    show(f"saving {len(stages)} stages")
    saved = save_stages(spark, stages, f"{scratch}/model")
    if any(joins(stage) for stage in saved):
        target = PipelineModel(stages=[load_stages([s])[0] if joins(s) else x for s, x in zip(saved, stages)])
    return target, saved


def _tells_time(plan: Plan) -> bool:
    """Tell whether a stage reads a date or timestamp, or computes with local time."""
    read = any(type_name(f.dataType) in MOMENTS for f in plan.inputs)
    return read or any(ZONE in needs for needs in plan.needs.values())


def _export(
    model: Any,
    place: tuple[Store, Signer | None],
    scratch: str,
    sample: Any,
    label: dict[str, Any],
    asked: list[str],
    options: tuple[bool, int | None, Mapping[str, str]],
) -> Exported:
    no_sample_rows, allow_inexact, descriptions = options
    spark = sample.sparkSession
    if "connect" in type(spark).__module__:
        raise Refused("Spark Connect has no JVM to ask for single rows", "export from a classic session")
    with ThreadPoolExecutor(1) as beside:
        asked_platform = beside.submit(ask_platform, spark)
        live, saved = _saved(model, spark, scratch)
        work = _Export(spark, live, saved, sample)
        platform = asked_platform.result()
    plan = work.plan
    output = work.outputs(asked)
    if _tells_time(plan):
        platform["time_zone"] = time_zone(spark)
    exact = exactness(plan.needs, platform, allow_inexact)
    with rows_in_place(spark, saved):
        golden, example, rows = work.answers(output, no_sample_rows)
    show("writing the bundle")
    contents = {
        "blocks": ("safetensors", safetensors(_collect_blocks(plan))),
        "golden": ("jsonl", golden.text),
        "profile": ("json", work.profile(output, rows, golden)),
    }
    files = _files(contents)
    now = datetime.now(timezone.utc)
    stamp = f"{now:%Y%m%dT%H%M%SZ}-{sha(dumps(files).encode())[:8]}"
    manifest = {
        "format": "scored-bundle",
        "format_version": 1,
        "name": label["name"],
        "version": label["version"] or stamp,
        "created": label["created"] or f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z",
        "lineage": _lineage(label["lineage"], platform),
        "platform": platform,
        "input": [_input(f, descriptions) for f in plan.inputs],
        "output": [_output(plan, column, example["out"][column]) for column in output],
        **({"labels": work.labels} if work.labels else {}),
        "example": example,
        "stages": [stage.entry() for stage in plan.stages],
        "exactness": exact,
        "golden": golden.summary,
        "files": files,
    }
    store, signer = place
    named = {entry["name"]: data for entry, (_, data) in zip(files, contents.values())}
    digest = publish(store, _manifest_text(manifest), named, signer)
    labelled, unlabelled = label_columns(work.labels, plan)
    pruned = [*left_out(plan, work.saved, sample), *unlabelled]
    return exported((store.uri, digest, signer is not None), manifest, pruned, labelled)
