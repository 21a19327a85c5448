# SPDX-License-Identifier: Apache-2.0
"""Job 2: join the sources into the training set and refuse it, with the reasons, if a check fails."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from pyspark.sql import SparkSession

from days_to_sell import checks, cli, session, sources


def join(spark: SparkSession) -> None:
    """Make the views `joined`, `training`, `counts` and `shares` from the sources."""
    session.query(spark, "joined").cache().createOrReplaceTempView("joined")
    training = session.query(spark, "training", window=checks.WINDOW)
    training.cache().createOrReplaceTempView("training")
    for name in ("counts", "shares"):
        session.query(spark, name).cache().createOrReplaceTempView(name)


def compare(spark: SparkSession, last: dict) -> None:
    """Make the views `drift` and `growth` against the profile of the last run that passed."""
    cells = [(f, v, s) for f, values in last["shares"].items() for v, s in values.items()]
    spark.createDataFrame(cells, "feature STRING, value STRING, share DOUBLE").createOrReplaceTempView(
        "last_shares"
    )
    session.query(spark, "drift").createOrReplaceTempView("drift")
    growth = spark.table("counts").selectExpr("adverts", f"{int(last['counts']['adverts'])} AS last_adverts")
    growth.createOrReplaceTempView("growth")


def profile(spark: SparkSession, digest: str) -> dict:
    """Return what the next run compares itself with, and what lineage says of the data."""
    shares: dict[str, dict[str, float]] = {}
    for row in spark.table("shares").collect():
        shares.setdefault(row.feature, {})[row.value] = row.share
    return {"training_data_sha256": digest, "counts": spark.table("counts").head().asDict(), "shares": shares}


def halt(results: Sequence[checks.Result]) -> None:
    """Raise, with every reason, if a check failed."""
    failed = [str(r) for r in results if not r.passed]
    if failed:
        raise cli.Refused(f"{len(failed)} of {len(results)} checks failed\n  " + "\n  ".join(failed))


def check(folder: cli.Folder, last: Path | None, master: str) -> None:
    """Join, measure, report; write the training set only if every check passed."""
    folder.need(folder.sources / "adverts.csv", "generate")
    previous = last or (folder.profile if folder.profile.exists() else None)
    spark = session.spark(master)
    sources.register(spark, folder.sources)
    join(spark)
    if previous:
        compare(spark, json.loads(previous.read_text(encoding="utf-8")))
    results = list(checks.measure(spark, checks.table(previous is not None)))
    report = [{"name": r.check.name, "value": r.value, "passed": r.passed, "says": str(r)} for r in results]
    folder.report.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    halt(results)
    spark.table("training").coalesce(1).write.mode("overwrite").parquet(str(folder.training))
    made = profile(spark, sources.digest(folder.sources))
    folder.profile.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    cli.say(
        f"  {len(results)} checks passed, {made['counts']['training']:,} rows to train on"
        + ("" if previous else " (no last run: drift not checked)")
    )


HELP = """Join adverts, taxonomy, valuations and geography; run every check; write DIR/training.parquet.
If a check fails the job halts with every reason on stderr, exits 1, and writes no training set.
DIR/checks.json holds all measures. Drift is measured against the last run that passed.

example:
  python -m days_to_sell.check --out build/days_to_sell"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the job."""
    p = cli.parser("check", HELP)
    p.add_argument(
        "--last",
        type=Path,
        metavar="PROFILE",
        help="profile.json of the run to compare with (default: the one in DIR, if any)",
    )
    p.add_argument("--master", default="local[2]", help="Spark master (default local[2])")
    args = p.parse_args(argv)
    if args.last and not args.last.exists():
        p.error(f"--last {args.last}: no such file")
    return cli.run("check", lambda: check(cli.Folder(args.out), args.last, args.master))


if __name__ == "__main__":
    sys.exit(main())
