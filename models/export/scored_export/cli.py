# SPDX-License-Identifier: Apache-2.0
"""The command ``scored-export``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from scored_export import __version__
from scored_export.errors import Refused, Unavailable
from scored_export.paths import NAME, qualified
from scored_export.publish import promote, versions
from scored_export.spark_says import spark_says, unexpected

AGAIN, REFUSED = 1, 3
#: The command's JVM makes many small plans once each: its optimising compiler costs more than it gives.
HURRIED = "-XX:TieredStopAtLevel=1"
PACKED = {".gz", ".bz2", ".deflate", ".zst", ".snappy", ".lz4"}
EPILOG = """\
example in Python, in the training job:
  model.save("saved")
  df.drop("label").limit(5000).write.json("rows.jsonl")
  open("schema.json", "w").write(df.drop("label").schema.json())

example, afterwards, on any machine with PySpark:
  scored-export --pipeline saved --sample rows.jsonl --schema schema.json \\
                --out bundle --name prices --lineage metrics.rmse=1.25
  scored check bundle

example of publishing to S3 (needs boto3; credentials and endpoint as for every AWS tool), signed
(needs cryptography), and of going back to an earlier version:
  openssl genpkey -algorithm ed25519 -out private.pem
  scored-export --pipeline saved --sample rows.jsonl --schema schema.json \\
                --out s3://models/prices/ --name prices --sign-key private.pem
  scored-export versions --at s3://models/prices/
  scored-export promote 9cb6aab898b465bf --at s3://models/prices/

exit status, with the reason on the last line of stderr: 0 written, 2 wrong usage, 3 refused,
1 not now: the network, memory or disk failed, and the same export can succeed another time
"""


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return key, value


def _label(text: str) -> str:
    if not NAME.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not [A-Za-z0-9._-]{{1,64}}")
    return text


def _lineage(pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return the lineage; ``metrics.rmse=1.2`` is a metric."""
    lineage: dict[str, Any] = {}
    for key, value in pairs:
        group, _, metric = key.partition(".")
        if group == "metrics" and metric:
            lineage.setdefault("metrics", {})[metric] = value
        else:
            lineage[key] = value
    return lineage


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scored-export",
        description="Write a bundle of a fitted Spark ML pipeline, for scored to serve.\n"
        "scored-export versions lists what is published, scored-export promote goes back to it (--help).",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--pipeline", required=True, metavar="DIR", help="what model.save() wrote, from Scala or Python")
    add(
        "--sample",
        required=True,
        metavar="FILE",
        help="rows as the service will send them (.jsonl .csv .parquet)",
    )
    add("--schema", metavar="FILE", help="what df.schema.json() writes; needed for .jsonl and .csv")
    add("--infer-schema", action="store_true", help="let Spark guess the schema, and print it")
    add(
        "--out",
        required=True,
        metavar="URI",
        help="directory of the bundle, or s3://BUCKET/PREFIX/; nothing in it is deleted",
    )
    add("--name", required=True, type=_label, help="name of the model: letters, digits, . - _")
    add(
        "--version",
        type=_label,
        metavar="LABEL",
        help="label of this version; default: UTC time and a hash; alone: print the exporter's own version",
    )
    add("--output", action="append", default=[], metavar="COL", help="column answered by default; repeatable")
    add(
        "--lineage",
        action="append",
        default=[],
        type=_pair,
        metavar="KEY=VALUE",
        help="what produced the model, as git_commit=... or metrics.rmse=...; repeatable",
    )
    add("--description", action="append", default=[], type=_pair, metavar="COL=TEXT", help="of an input")
    add("--no-sample-rows", action="store_true", help="publish no row of the sample: shuffle columns apart")
    add("--sign-key", metavar="PEM", help="sign the bundle with this Ed25519 private key")
    add("--allow-inexact", type=int, metavar="N", help="publish what is not reproduced, as N ulp apart")
    return parser


def _format(path: str) -> str:
    kinds = {".jsonl": "json", ".ndjson": "json", ".json": "json", ".csv": "csv"}
    suffixes = [s.lower() for s in Path(path.rstrip("/")).suffixes if s.lower() not in PACKED]
    return kinds.get(suffixes[-1] if suffixes else "", "parquet")


def _session() -> Any:
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise Refused(f"PySpark is not installed: {error}", "pip install 'pyspark==3.5.*'") from None
    if os.environ.get("LC_ALL") in ("C", "POSIX"):  # the JVM could not open a file whose name is not ASCII
        os.environ["LC_ALL"] = "C.UTF-8"
    # what the user sets for the driver's JVM comes after it and wins
    os.environ["SPARK_SUBMIT_OPTS"] = f"{HURRIED} {os.environ.get('SPARK_SUBMIT_OPTS', '')}".rstrip()
    with spark_says("Spark does not start", cure="install Java 17, or set JAVA_HOME to it"):
        return (
            SparkSession.builder.appName("scored-export")
            .config("spark.ui.enabled", "false")
            .config("spark.ui.showConsoleProgress", "false")
            .config("spark.sql.shuffle.partitions", "1")
            .getOrCreate()
        )


def _read_schema(path: str) -> Any:
    import json

    from pyspark.sql.types import StructType

    try:
        return StructType.fromJson(json.loads(Path(path).read_text("utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Refused(f"{path} is no schema: {error}", "write it with df.schema.json()") from None


def _sample(spark: Any, args: argparse.Namespace, kind: str) -> Any:
    """Return the sample as a DataFrame."""
    reader = spark.read.format(kind)
    if args.schema:
        schema = _read_schema(args.schema)
        reader = reader.schema(schema)
    if kind != "parquet":
        reader = reader.option("mode", "FAILFAST")
    if kind == "csv":
        reader = reader.option("header", "true").option("inferSchema", str(args.infer_schema).lower())
    with spark_says(f"Spark cannot read {args.sample}", spark=spark):
        frame = reader.load(qualified(args.sample))
    if args.infer_schema and not args.schema:
        print(f"inferred schema: {frame.schema.json()}", file=sys.stderr)
    return _as_declared(spark, frame, schema) if args.schema else frame


def _as_declared(spark: Any, frame: Any, schema: Any) -> Any:
    """Give a file's columns the declared flags and metadata back; Spark reads all columns as nullable."""
    return spark.createDataFrame(frame.rdd, schema, verifySchema=True) if frame.schema != schema else frame


def _run(args: argparse.Namespace, kind: str) -> str:
    spark = _session()
    from scored_export.exporter import export  # needs PySpark, of which the session has told

    return export(
        args.pipeline,
        args.out,
        sample=_sample(spark, args, kind),
        name=args.name,
        version=args.version,
        lineage=_lineage(args.lineage),
        output=args.output,
        no_sample_rows=args.no_sample_rows,
        allow_inexact=args.allow_inexact,
        descriptions=dict(args.description),
        sign_key=args.sign_key,
    )


def _at(command: str, text: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"scored-export {command}", description=text)
    parser.add_argument("--at", required=True, metavar="URI", help="a directory, or s3://BUCKET/PREFIX/")
    return parser


def _promote(argv: Sequence[str]) -> None:
    """``scored-export promote SHA16 --at URI``."""
    parser = _at(
        "promote",
        "Make a published version the current one: copy bundle-<sha16>.json over bundle.json. "
        "Every scored that polls the place takes it, golden rows first.",
    )
    parser.add_argument("digest", metavar="SHA16", help="the version's digest, or its first 16 digits")
    args = parser.parse_args(argv)
    now = promote(args.digest, args.at)
    print(f"{args.at}: current is {now.name} version {now.version}, sha256 {now.sha256}")


def _versions(argv: Sequence[str]) -> None:
    """``scored-export versions --at URI``."""
    parser = _at("versions", "List the published versions, oldest first; * is the current one.")
    at = parser.parse_args(argv).at
    found = versions(at)
    width = max((len(v.version) for v in found), default=0)
    for v in found:
        label = v.damage or f"{v.created}  {v.version:{width}}  {'signed' if v.signed else '      '}"
        print(f"{'*' if v.current else ' '} {v.sha256[:16]}  {label}".rstrip())
    if not found:
        print(f"nothing is published at {at}", file=sys.stderr)
    elif not any(v.current for v in found):
        print("none of them is current: bundle.json is missing, or not one of these", file=sys.stderr)


def _no_command(name: str) -> None:
    near = get_close_matches(name, list(COMMANDS), n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    _parser().error(f"there is no command {name!r}{hint}")


COMMANDS = {"promote": _promote, "versions": _versions}


def _export(argv: Sequence[str]) -> None:
    parser = _parser()
    args = parser.parse_args(argv)
    kind = _format(args.sample)
    if kind != "parquet" and not (args.schema or args.infer_schema):
        parser.error(f"{args.sample} needs --schema FILE (or --infer-schema)")
    if args.allow_inexact is not None and args.allow_inexact < 1:
        parser.error("--allow-inexact takes a positive number of units in the last place")
    print(f"{args.out}: sha256 {_run(args, kind)}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    argv = sys.argv[1:] if argv is None else argv
    try:
        if argv and argv[0] in COMMANDS:
            COMMANDS[argv[0]](argv[1:])
        elif argv and not argv[0].startswith("-"):
            _no_command(argv[0])
        elif list(argv) == ["--version"]:
            print(f"scored-export {__version__}")
        else:
            _export(argv)
    except Exception as error:
        refused = error if isinstance(error, Refused) else unexpected(error)
        again = isinstance(refused, Unavailable)
        print(f"scored-export: {'not now' if again else 'refused'}: {refused}", file=sys.stderr)
        return AGAIN if again else REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main())
