# SPDX-License-Identifier: Apache-2.0
"""Job 3: fit the candidates, choose one, measure it on the newest adverts, save it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from pyspark.sql import DataFrame

from days_to_sell import cli, evaluate, session, track
from days_to_sell.columns import FEATURES, LABEL
from days_to_sell.lineage import commit
from days_to_sell.pipeline import NAMES, candidates
from days_to_sell.publish import current

#: A model must beat the baseline's mean absolute error by this share, or it is not worth serving.
GAIN = 0.10
#: And may be worse than the last accepted model by this share; each is measured on its own newest adverts.
MARGIN = 0.10

Metrics = dict[str, float]


def show(name: str, m: Metrics) -> None:
    """Print one line of the comparison."""
    cli.say(f"  {name:<18} mae {m['mae']:6.2f}  rmse {m['rmse']:6.2f}  r2 {m['r2']:6.3f}")


def compare(parts: evaluate.Split, only: str | None) -> dict[str, Metrics]:
    """Fit each candidate on the oldest adverts and measure it on the next ones."""
    found = {}
    for name, pipeline in candidates().items():
        if only in (None, name):
            found[name] = evaluate.of(pipeline.fit(parts.train), parts.choose)
            show(name, found[name])
    return found


def flat(groups: dict[str, Metrics]) -> Metrics:
    """Return `{"group_mae": ...}`: the form that lineage takes, to six decimals."""
    return {f"{group}_{k}": round(v, 6) for group, m in groups.items() for k, v in m.items()}


def read(folder: cli.Folder, master: str) -> DataFrame:
    """Return the training set in one partition: sums have one order, so the fit has one outcome."""
    path = folder.need(folder.training, "check")
    return (
        session.spark(master)
        .read.parquet(str(path))
        .select("listed_on", *FEATURES, LABEL)
        .coalesce(1)
        .cache()
    )


def not_worse(winner: str, mae: float, accepted: str, margin: float) -> None:
    """Refuse a model that errs more than the one that is published, by more than the margin."""
    there = current(accepted)
    last = there[1]["lineage"].get("metrics", {}).get("holdout_mae") if there else None
    if there and last and mae > (1 + margin) * last:
        raise cli.Refused(
            f"{winner} errs by {mae:.2f} days, the accepted version {there[1]['version']} by {last:.2f}: "
            f"more than {margin:.0%} worse"
        )


def train(folder: cli.Folder, args: argparse.Namespace) -> None:
    """Choose by the middle part, refit the winner on all but the newest adverts, report on those."""
    parts = evaluate.split(read(folder, args.master))
    cli.say("  to choose by:")
    found = compare(parts, args.only)
    winner = min(found, key=lambda name: found[name]["mae"])
    seen = parts.train.unionByName(parts.choose).coalesce(1)
    model = candidates()[winner].fit(seen)
    held = {"baseline": evaluate.baseline(seen, parts.report), "holdout": evaluate.of(model, parts.report)}
    cli.say(f"  {winner} wins; on the newest adverts, which nothing was fitted on or chosen by:")
    for name, m in held.items():
        show(name, m)
    if not held["holdout"]["mae"] <= (1 - GAIN) * held["baseline"]["mae"]:
        raise cli.Refused(
            f"{winner} errs by {held['holdout']['mae']:.2f} days, the median by "
            f"{held['baseline']['mae']:.2f}: less than {GAIN:.0%} better is not worth serving"
        )
    if args.accepted:
        not_worse(winner, held["holdout"]["mae"], args.accepted, args.margin)
    model.write().overwrite().save(str(folder.model))
    report = {
        "winner": winner,
        "fitted_rows": seen.count(),
        "holdout_rows": parts.report.count(),
        "metrics": flat({f"choose_{n}": m for n, m in found.items()} | held),
    }
    mlflow = track.client()
    if mlflow:
        profile = json.loads(folder.need(folder.profile, "check").read_text(encoding="utf-8"))
        report["mlflow_run_id"] = track.log_run(mlflow, profile["training_data_sha256"], commit(), report)
    folder.metrics.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


HELP = """Fit LinearRegression, RandomForestRegressor and GBTRegressor on the oldest 70 % of the adverts,
choose by mean absolute error on the next 15 %, refit the winner on both, and report on the newest 15 %.
Writes DIR/model and DIR/metrics.json; exits 1 if the winner is hardly better than the median,
or worse than the accepted model by more than the margin.
The same data and seeds give the same model.

example:
  python -m days_to_sell.train --out build/days_to_sell"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the job."""
    p = cli.parser("train", HELP)
    p.add_argument("--only", choices=NAMES, help="fit this candidate alone")
    p.add_argument("--master", default="local[2]", help="Spark master (default local[2])")
    p.add_argument(
        "--accepted", metavar="URI", help="where the last accepted model is published, which this one may not fall behind"
    )
    p.add_argument(
        "--margin", type=float, default=MARGIN, help=f"share that it may be worse (default {MARGIN})"
    )
    args = p.parse_args(argv)
    return cli.run("train", lambda: train(cli.Folder(args.out), args))


if __name__ == "__main__":
    sys.exit(main())
