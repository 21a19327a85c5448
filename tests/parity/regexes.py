#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random patterns of Java over texts that are at the edge of something: RegexTokenizer here and in Spark.

Patterns come from the grammar that the exporter translates, and a little beyond. Each group is one pipeline of many
RegexTokenizers over one column of texts; every token must be the same.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP / "tests" / "parity"), str(TOP / "models" / "export")]

from rows import Column  # noqa: E402

LETTERS = [
    *"aabbcAB1_2 ,.-",
    "é",
    "ß",
    "Σ",
    "ſ",
    "\n",
    "\r",
    "\u2028",
    "\u0085",
    "\u00a0",
    "\u0301",
    "\u200d",
]
BEYOND = [
    "\U0001d400",
    "\U0001f600",
    "\U0001f1e9",
    "\U00020000",
    "\U00010400",
    "\U0010ffff",
]
WORDS = [
    "ab",
    "aab",
    "a,b",
    "AB",
    "foo",
    "\r\n",
    "a\U0001f600",
    "\U0001d400\U0001f600",
    "  ",
    "a1_",
]
SETS = [
    *(
        "\\s",
        "\\S",
        "\\w",
        "\\W",
        "\\d",
        "\\D",
        "\\h",
        "\\H",
        "\\v",
        "\\V",
        ".",
        ".",
        "[ab]",
        "[^ab]",
        "[a-c]",
    ),
    *(
        "[^a-zA-Z]",
        "[\\w&&[^a]]",
        "[a-z&&[^b-y]]",
        "[\\s,.]",
        "[^\\s]",
        "\\p{L}",
        "\\P{L}",
        "[^\\p{L}\\p{N}]",
        "\\pL",
    ),
    *(
        "\\p{Punct}",
        "\\p{Lu}",
        "\\p{IsAlphabetic}",
        "\\p{Lower}",
        "\\p{IsLatin}",
        "\\P{So}",
        "[^\\p{So}a]",
        "\\p{M}",
    ),
    *(
        "[\\u0080-\\uffff]",
        "[^\\x00-\\x7f]",
        "[\\x{10000}-\\x{10ffff}]",
        "[^\\x{1f600}]",
        "\\x{1f600}",
        "[a\\-\\]]",
    ),
    *(
        "\\p{javaLowerCase}",
        "[[:alpha:]a]",
        "\\p{InGreek}",
        "\\p{sc=Greek}",
        "[^]a]",
        "[a&&b]",
        "\\P{Cn}",
        "\\p{C}",
    ),
]
QUANTIFIERS = ["*", "+", "+", "?", "{2}", "{1,3}", "{0,2}", "{2,}", "{1}"]


def text(r: random.Random) -> str:
    """Return a text, mostly short."""
    if r.random() < 0.04:
        return ""
    pool = LETTERS if r.random() < 0.5 else [*LETTERS, *BEYOND * 3]
    return "".join(r.choice(WORDS) if r.random() < 0.15 else r.choice(pool) for _ in range(r.randint(1, 22)))


def _atom(r: random.Random) -> str:
    kind = r.random()
    if kind < 0.55:
        return r.choice(SETS)
    c = r.choice(BEYOND if kind < 0.6 else LETTERS)
    if c in ".-,":
        return "\\" + c
    if not c.isascii() and r.random() < 0.3:
        return f"\\x{{{ord(c):x}}}"
    return r.choice(("\\n", "\\x0a", "\\u000a", "\\cJ")) if c == "\n" else c


def _repeated(r: random.Random, item: str, single: bool) -> str:
    if r.random() < 0.55:
        return item
    more = r.choice(("", "", "", "?", "+")) if single else r.choice(("", "", "?"))
    return item + r.choice(QUANTIFIERS) + more


def _group(r: random.Random, depth: int) -> str:
    opened = r.choice(
        (
            "(",
            "(?:",
            "(?:",
            "(?>",
            "(?<n>" if depth == 2 else "(",
            "(?i:",
            "(?s:",
            "(?U:",
        )
    )
    return _repeated(r, f"{opened}{_choices(r, depth - 1)})", False)


def _zero_width(r: random.Random, depth: int) -> str:
    kind = r.random()
    if kind < 0.5:
        return r.choice(("^", "$", "\\A", "\\z", "\\Z"))
    if kind < 0.75:
        return f"({r.choice(('?=', '?!'))}{_choices(r, depth - 1)})"
    n = r.choice((1, 1, 2))
    body = "|".join("".join(_atom(r) for _ in range(n)) for _ in range(r.choice((1, 1, 2))))
    return f"({r.choice(('?<=', '?<!'))}{body})"


def _sequence(r: random.Random, depth: int) -> str:
    out = []
    for _ in range(r.choice((1, 1, 2, 2, 3) if depth else (1, 1, 2))):
        kind = r.random()
        if depth and kind < 0.2:
            out.append(_group(r, depth))
        elif depth and kind < 0.35:
            out.append(_zero_width(r, depth))
        else:
            out.append(_repeated(r, _atom(r), True))
    return "".join(out)


def _choices(r: random.Random, depth: int) -> str:
    choices = [_sequence(r, depth) for _ in range(r.choice((1, 1, 1, 2, 3)))]
    if r.random() < 0.04:
        choices.append("")
    return "|".join(choices)


def pattern(r: random.Random) -> str:
    """Return a pattern; few of them Java does not take."""
    flags = r.choice(("", "", "", "", "(?i)", "(?s)", "(?U)", "(?i)(?-i:a)"))
    quoted = r.choice(("", "", "", "", "", "\\Qa.b\\E", "\\Q(\\E+"))
    return flags + quoted + _choices(r, 2)


@dataclass(frozen=True)
class Odd(Column):
    """A text of letters, line ends, marks and characters beyond U+FFFF."""

    kind: str = "string"

    def clean(self, r: random.Random) -> Any:
        return text(r)

    def special(self, r: random.Random) -> Any:
        return text(r) * r.choice((1, 1, 1, 9))

    def signal(self, value: Any) -> float:
        return len(value) * 0.5


# -- the test ----------------------------------------------------------------------------------------


def _tokenizers(spark: Any, r: random.Random, count: int, told: Counter[str]) -> list[Any]:
    """Return tokenizers whose patterns the exporter takes."""
    from pyspark.ml.feature import RegexTokenizer
    from scored_export.errors import Refused
    from scored_export.java_regex import translate

    found: list[Any] = []
    while len(found) < count:
        one = pattern(r)
        try:
            told["of units"] += translate(spark, one).units
        except Refused as error:
            told["not Java's" if "Java does not" in str(error) else "refused"] += 1
            continue
        gaps, least = r.random() < 0.5, r.choice((0, 0, 1, 2))
        found.append(
            RegexTokenizer(
                inputCol="s",
                outputCol=f"t{len(found)}",
                pattern=one,
                gaps=gaps,
                minTokenLength=least,
                toLowercase=r.random() < 0.2,
            )
        )
    return found


def group(spark: Any, binary: Path, seed: str, count: int, texts: int) -> Counter[str]:
    """Return what became of the pairs of a group; differences are printed."""
    import scored_side
    from pyspark.ml import PipelineModel
    from scored_export import export

    r = random.Random(seed)
    told: Counter[str] = Counter()
    stages = _tokenizers(spark, r, count, told)
    data = spark.createDataFrame([(text(r),) for _ in range(texts)], "s string").coalesce(1).cache()
    model = PipelineModel(stages=stages)
    names = [stage.getOutputCol() for stage in stages]
    answers = model.transform(data).collect()
    with tempfile.TemporaryDirectory(prefix="regexes-") as folder:
        export(model, folder, sample=data.limit(8), name="regexes", output=names[:1])
        lines = [json.dumps({"s": row["s"]}).encode() for row in answers]
        found = scored_side.predict(binary, Path(folder), lines, "all", 64)
    for row, line in zip(answers, found, strict=True):
        for stage, name in zip(stages, names):
            _judge(told, stage, row["s"], row[name], line)
    return told


def _judge(told: Counter[str], stage: Any, given: str, want: list[str], line: Any) -> None:
    answer = json.loads(line) if isinstance(line, (str, bytes)) else line
    if "error" in answer:
        told["limit"] += 1
        return
    have = answer[stage.getOutputCol()]
    told["pairs"] += 1
    if have == want:
        return
    told["DIFFERENT"] += 1
    if told["DIFFERENT"] <= 5:
        print(
            f"pattern {stage.getPattern()!r} gaps {stage.getGaps()} text {given!r}:",
            want,
            have,
            sep="\n  ",
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Run groups."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--groups", type=int, default=1)
    parser.add_argument("--patterns", type=int, default=40, help="a group")
    parser.add_argument("--texts", type=int, default=300, help="a group")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--bin", type=Path, default=TOP / "build/release/scored", help="the binary")
    args = parser.parse_args(argv)
    import spark_side

    spark = spark_side.session()
    whole: Counter[str] = Counter()
    for i in range(args.groups):
        whole += group(spark, args.bin, f"{args.seed}/{i}", args.patterns, args.texts)
        print(i, dict(whole), flush=True)
    print(f"seed {args.seed}: {dict(whole)}")
    return 1 if whole["DIFFERENT"] or not whole["pairs"] else 0


if __name__ == "__main__":
    sys.exit(main())
