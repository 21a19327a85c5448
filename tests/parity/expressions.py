#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random expressions of SQL over rows at the edges of their types: scored answers Spark's bits and errors.

Each statement has some expressions and is exported once, in legacy mode or under ANSI; each column is asked of
Spark and of scored by itself, so that an error in one hides nothing of the others. What the exporter refuses is
drawn again, and counted by its reason.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP / "tests" / "parity"), str(TOP / "models" / "export")]

import compare  # noqa: E402
import rows  # noqa: E402
import scored_side  # noqa: E402
import spark_side  # noqa: E402
from generated import explained  # noqa: E402
from sql_words import Words  # noqa: E402

from scored_export import Refused, export  # noqa: E402
from scored_export.score import Outcome, Scorer  # noqa: E402
from scored_export.values import encode  # noqa: E402

FEW, ALL = (2, 20), (12, 60)  # statements, and expressions in each
ROWS, ROWS_IN_FULL = 400, 2000
ANSI, ZONE = "spark.sql.ansi.enabled", "spark.sql.session.timeZone"
ZONES = ("UTC", "+05:30", "-08:00", "Etc/GMT-14")


def answers(spark: Any, model: Any, schema: Any, column: str, kind: str, data: Sequence[Any]) -> list[Any]:
    """Return what Spark answers in a column, as cells."""
    found = Scorer(spark, model, list(schema.fields), [column]).score(data)
    names = {Outcome.ERROR: spark_side.ERROR, Outcome.SKIPPED: spark_side.SKIPPED}
    return [
        names[a] if isinstance(a, Outcome) else {column: compare.cell(encode(a[0], kind), kind)}
        for a in found
    ]


class Check:
    """Compares statements; keeps count."""

    def __init__(self, binary: Path, folder: Path, seed: str, count: int) -> None:
        self.spark = spark_side.session()
        self.columns = Words.columns()
        self.schema = spark_side.schema(self.columns)
        self.rows = rows.good_rows(self.columns, count, random.Random(f"rows {seed}"))
        self.lines = rows.json_lines(self.columns, self.rows)
        self.sample = spark_side.frame(self.spark, self.schema, self.rows[:60]).cache()
        self._binary, self._bundle = binary, folder / "bundle"
        self.refused: Counter[str] = Counter()
        self.asked = self.cells = self.failed = self.errors = 0

    def _export(self, expressions: list[str], where: str) -> tuple[Any, list[str]]:
        """Return the model of the expressions that can be exported, and these."""
        from pyspark.ml import PipelineModel
        from pyspark.ml.feature import SQLTransformer

        while expressions:
            made = ", ".join(f"{one} AS c{i}" for i, one in enumerate(expressions))
            statement = f"SELECT *, {made} FROM __THIS__{where}"
            model = PipelineModel(stages=[SQLTransformer(statement=statement)])
            shutil.rmtree(self._bundle, ignore_errors=True)
            try:
                outputs = [f"c{i}" for i in range(len(expressions))]
                export(model, self._bundle, sample=self.sample, name="sql", output=outputs[:1])
                return model, expressions
            except Refused as error:
                mishap = explained(error)
                if mishap:
                    raise RuntimeError(f"{statement}: {mishap}") from error
                half = len(expressions) // 2
                if not half:
                    self.refused[str(error).split(":", 1)[-1].split("`")[0].strip()] += 1
                    print(f"refused  {expressions[0]}: {error}", flush=True)
                    return None, []
            good = [one for part in (expressions[:half], expressions[half:]) for one in self._export(part, where)[1]]
            if len(good) == len(expressions):
                raise RuntimeError(f"refused together, not one by one: {statement}")
            expressions = good
        return None, []

    def statement(self, expressions: list[str], where: str) -> None:
        """Compare the columns of one statement."""
        model, kept = self._export(expressions, where)
        if model is None:
            return
        made = model.transform(self.sample.limit(0)).schema
        for i, expression in enumerate(kept):
            kind = made[f"c{i}"].dataType.simpleString()
            want = answers(self.spark, model, self.schema, f"c{i}", kind, self.rows)
            self.errors += sum(one == spark_side.ERROR for one in want)
            self.asked += 1
            self.cells += len(want)
            for size in (64, 1):
                lines = scored_side.predict(self._binary, self._bundle, self.lines, f"c{i}", size)
                wrong = compare.compare(f"/{size}", lines, want, {f"c{i}": kind})
                if wrong:
                    self.failed += 1
                    row = self.lines[wrong[0].row].decode()
                    print(f"FAILED   {len(wrong)} of {expression}{where}: {wrong[0]}\n         {row}", flush=True)
                    break


def main(argv: Sequence[str] | None = None) -> int:
    """Compare the expressions."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--full", action="store_true", help="more of them, over more rows")
    parser.add_argument("--statements", type=int, help="how many")
    parser.add_argument("--each", type=int, help="expressions in each")
    parser.add_argument("--rows", type=int, help="how many")
    parser.add_argument("--seed", default="1", help="of expressions and rows (default 1)")
    parser.add_argument("--mode", choices=("legacy", "ansi"), help="only in this one")
    parser.add_argument("--ask", action="append", default=[], help="ask of this expression, and no others")
    parser.add_argument("--bin", type=Path, default=TOP / "build/release/scored", help="the binary")
    args = parser.parse_args(argv)
    start = time.monotonic()
    count, each = ALL if args.full else FEW
    count, each = args.statements or count, args.each or each
    with tempfile.TemporaryDirectory(prefix="expressions-") as folder:
        data = args.rows or (ROWS_IN_FULL if args.full else ROWS)
        check = Check(args.bin.resolve(), Path(folder), args.seed, data)
        for ansi in {"legacy": (False,), "ansi": (True,)}.get(args.mode, (False, True)):
            check.spark.conf.set(ANSI, str(ansi).lower())
            for i in range(1 if args.ask else count):
                check.spark.conf.set(ZONE, ZONES[i % len(ZONES)])
                words = Words(random.Random(f"{args.seed} {i} {ansi}"), ansi)
                texts = args.ask or [words.any() for _ in range(each)]
                where = "" if args.ask or i % 2 == 0 else f" WHERE {words.condition()}"
                check.statement(texts, where)
            print(
                f"{'ANSI' if ansi else 'legacy'}: {check.cells} cells, {check.errors} errors of rows, "
                f"{sum(check.refused.values())} expressions refused, in {time.monotonic() - start:.0f} s",
                flush=True,
            )
    for reason, number in check.refused.most_common():
        print(f"refused {number}: {reason}")
    print(f"{check.asked - check.failed} passed, {check.failed} failed")
    return 1 if check.failed or not check.cells else 0


if __name__ == "__main__":
    sys.exit(main())
