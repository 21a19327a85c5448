# SPDX-License-Identifier: Apache-2.0
"""Job 4: write the bundle that scored serves."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame, SparkSession

from days_to_sell import cli, session
from days_to_sell.columns import DESCRIPTIONS, FEATURES, request_schema
from days_to_sell.exporter import scored_export
from days_to_sell.lineage import label, lineage


def requests(spark: SparkSession, training: Path) -> DataFrame:
    """Return the training set as the service would have sent it, nulls only where requests have them."""
    rows = spark.read.parquet(str(training)).select(*FEATURES).collect()
    return spark.createDataFrame(rows, request_schema())


def export(folder: cli.Folder, args: argparse.Namespace) -> None:
    """Export the model that `train` saved, with what `check` and `train` know of it."""
    bundle = args.bundle or str(folder.bundle)
    model = folder.need(folder.model, "train")
    training = folder.need(folder.training, "check")
    profile, report = (json.loads(p.read_text(encoding="utf-8")) for p in (folder.profile, folder.metrics))
    if not args.bundle:  # of an earlier try of this run: its version is this one's too
        shutil.rmtree(folder.bundle, ignore_errors=True)
    made = lineage(profile, report, args.training_data_uri)
    spark = session.spark(args.master)
    try:
        digest = scored_export.export(
            PipelineModel.load(str(model)),
            bundle,
            sample=requests(spark, training),
            name="days_to_sell",
            version=args.version or (args.created and label(args.created, made)),
            created=args.created,
            lineage=made,
            descriptions=DESCRIPTIONS,
            sign_key=args.sign_key,
        )
    except scored_export.Unavailable:
        raise
    except scored_export.Refused as why:
        raise cli.Refused(str(why)) from why
    cli.say(f"  {bundle}: sha256 {digest}")


HELP = """Write the bundle of DIR/model: manifest, blocks, golden rows with Spark's answers, profile, lineage.

example:
  python -m days_to_sell.export --out build/days_to_sell --bundle models/days_to_sell/bundle
  python -m days_to_sell.export --out build/days_to_sell --bundle s3://models/days_to_sell/ --sign-key private.pem"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the job."""
    p = cli.parser("export", HELP)
    p.add_argument(
        "--bundle", metavar="URI", help="where to write it: a directory or s3://BUCKET/PREFIX/ (default DIR/bundle)"
    )
    p.add_argument("--sign-key", metavar="PEM", help="sign it with this Ed25519 private key")
    p.add_argument("--version", help="label of this version (default: UTC time and a hash)")
    p.add_argument(
        "--created",
        metavar="TIME",
        help="what it is of, 2026-06-30T00:00:00.000Z (default now): the same run again gives the same version",
    )
    p.add_argument("--training-data-uri", metavar="URI", help="where the training data is kept, for lineage")
    p.add_argument("--master", default="local[2]", help="Spark master (default local[2])")
    args = p.parse_args(argv)
    return cli.run("export", lambda: export(cli.Folder(args.out), args))


if __name__ == "__main__":
    sys.exit(main())
