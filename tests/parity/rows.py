# SPDX-License-Identifier: Apache-2.0
"""Rows that look for trouble: for each kind of input, values that Spark answers and values that it refuses.

A column makes three kinds of value: `clean` ones, as in training; `special` ones, at the edges of the type,
which the pipeline answers; and `bad` ones, which it should refuse or drop. Spark has the last word.
"""

from __future__ import annotations

import json
import math
import random
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any

import numpy as np
from scored_export.values import DAY_MICROS, encode

INF, NAN = math.inf, math.nan
WIDE = Context(prec=80)
BITS = {"tinyint": 8, "smallint": 16, "int": 32, "bigint": 64}

#: Labels of which some differ only by case, normal form, width or blanks.
WORDS = (
    *(
        "alpha",
        "beta",
        "Alpha",
        "e\u0301clair",
        "\u00e9clair",
        "\U0001d4b3 astral",
        "line\u2028end",
        "trail ",
        " lead",
    ),
    *(
        "tab\t",
        '"quoted\\',
        "NaN",
        "1.0",
        "stra\u00dfe",
        "\ufeffbom",
        "\u05e9\u05dc\u05d5\u05dd",
        "a\u0000b",
        "__unknown",
    ),
)
STRANGERS = (
    *("unseen", "ALPHA", "alpha ", "alpha\u0300", "\U0001d4b4", "\u2028", "\u0085", "", " ", "0", "null"),
    *("x" * 300, "\U0010ffff", "\ue000", "e\u0301", "\u212b", "\x7f\x01"),
)
DOUBLES = (
    *(
        0.0,
        -0.0,
        INF,
        -INF,
        5e-324,
        -5e-324,
        2.225073858507201e-308,
        2.2250738585072014e-308,
        1e-300,
        1e300,
        -1e300,
    ),
    *(1.7976931348623157e308, -1.7976931348623157e308, 1e16, 9007199254740993.0, 0.1, 1 / 3, -1.0, 1e-17),
)
FLOATS = (
    0.0,
    -0.0,
    INF,
    -INF,
    1e-45,
    1.17549435e-38,
    3.4028234663852886e38,
    -3.4028234663852886e38,
    16777217.0,
    0.1,
)


def float32(value: float) -> float:
    """Return the float nearest to a double."""
    with np.errstate(over="ignore"):
        return float(np.float32(value))


@dataclass(frozen=True)
class Column:
    """An input column; `null`, `nan` and `unseen` say which troubles the pipeline answers.

    A `shadowed` one is answered too: a stage adds a column of its name.
    """

    name: str
    kind: str = "double"
    null: bool = False
    nan: bool = False
    shadowed: bool = False

    def clean(self, r: random.Random) -> Any:
        """Return a value as in training."""
        raise NotImplementedError

    def specials(self) -> list[Any]:
        """Return edge values that Spark answers."""
        return ([None] if self.null else []) + ([NAN] if self.nan else [])

    def bads(self) -> list[Any]:
        """Return values that Spark refuses or drops."""
        real = self.kind in ("float", "double")
        return ([] if self.null else [None]) + ([NAN] if real and not self.nan else [])

    def special(self, r: random.Random) -> Any:
        """Return one of the edge values."""
        values = self.specials()
        return r.choice(values) if values else self.clean(r)

    def bad(self, r: random.Random) -> Any:
        """Return a value that is expected to fail."""
        values = self.bads()
        return r.choice(values) if values else self.special(r)

    def signal(self, value: Any) -> float:
        """Return what the value adds to a training row's label."""
        number = float(value)
        return max(-100.0, min(100.0, number)) if number == number else 3.0

    def metadata(self) -> dict[str, Any]:
        """Return the column's metadata in Spark."""
        return {}


@dataclass(frozen=True)
class Text(Column):
    """A string from a list of labels."""

    kind: str = "string"
    labels: tuple[str, ...] = WORDS[:6]
    unseen: bool = False

    def clean(self, r: random.Random) -> Any:
        return self.labels[min(int(r.expovariate(2.0 / len(self.labels))), len(self.labels) - 1)]

    def specials(self) -> list[Any]:
        return super().specials() + (self._strangers() if self.unseen else [])

    def bads(self) -> list[Any]:
        return super().bads() + ([] if self.unseen else self._strangers())

    def _strangers(self) -> list[str]:
        return [word for word in (*STRANGERS, *WORDS) if word not in self.labels]

    def signal(self, value: Any) -> float:
        return (sum(value.encode()) * 7 % 11) / 2.0


@dataclass(frozen=True)
class Number(Column):
    """A number of any numeric type; with `bounded`, what lies outside of low..high is bad."""

    low: float = -8.0
    high: float = 8.0
    bounded: bool = False

    def clean(self, r: random.Random) -> Any:
        if self.kind in BITS:
            return r.randint(int(self.low), int(self.high))
        if r.random() < 0.5:  # a grid, so that values meet the thresholds of trees and buckets
            return self.low + 0.125 * r.randint(0, int((self.high - self.low) * 8))
        value = r.uniform(self.low, self.high)
        return float32(value) if self.kind == "float" else value

    def _edges(self) -> list[Any]:
        if self.kind in BITS:
            half = 1 << (BITS[self.kind] - 1)
            far = [(1 << 53) + 1, -(1 << 53) - 1] if half > 1 << 53 else []
            return [half - 1, -half, 0, -1, *far]
        return [float32(v) for v in FLOATS] if self.kind == "float" else list(DOUBLES)

    def _inside(self, value: Any) -> bool:
        return not self.bounded or self.low <= value < self.high

    def specials(self) -> list[Any]:
        edges = [self.low, self.high] if self.kind not in BITS else [int(self.low), int(self.high)]
        zero = [] if not self.bounded or self.low < 0.0 else [-0.0]
        return (
            super().specials()
            + edges
            + [v for v in self._edges() if self._inside(v) and str(v) not in map(str, zero)]
        )

    def special(self, r: random.Random) -> Any:
        if self.kind == "double" and not self.bounded and r.random() < 0.3:
            value = struct.unpack("<d", r.randbytes(8))[0]
            return self.high if math.isnan(value) else value
        return super().special(r)

    def bads(self) -> list[Any]:
        return super().bads() + [v for v in self._edges() if not self._inside(v)]


@dataclass(frozen=True)
class Money(Column):
    """A decimal."""

    kind: str = "decimal(10,2)"

    def clean(self, r: random.Random) -> Any:
        return self._units(r.randint(-8 * 10**self.digits[1], 8 * 10**self.digits[1]))

    @property
    def digits(self) -> tuple[int, int]:
        """Return precision and scale."""
        precision, scale = self.kind[len("decimal(") : -1].split(",")
        return int(precision), int(scale)

    def _units(self, unscaled: int) -> Decimal:
        return Decimal(unscaled).scaleb(-self.digits[1], WIDE)

    def specials(self) -> list[Any]:
        most = 10 ** self.digits[0] - 1
        units = (0, 1, -1, most, -most, (1 << 53) + 1, (1 << 64) + 1, 123456789012345678901234567890)
        return super().specials() + [self._units(n) for n in units if abs(n) <= most]

    def special(self, r: random.Random) -> Any:
        if r.random() < 0.5:
            return self._units(r.choice((-1, 1)) * r.randrange(10 ** r.randint(1, self.digits[0])))
        return super().special(r)


@dataclass(frozen=True)
class Moment(Column):
    """A date, as days since 1970, or a timestamp, as microseconds."""

    kind: str = "date"

    @property
    def unit(self) -> int:
        """Return how many of the type's units are a day."""
        return 1 if self.kind == "date" else DAY_MICROS

    def clean(self, r: random.Random) -> Any:
        return r.randint(18_000 * self.unit, 21_000 * self.unit)

    def specials(self) -> list[Any]:
        first, last = -719_162 * self.unit, 2_932_897 * self.unit - 1
        days = (0, 1, 11_015, 11_016, -141_428, -141_427, 19_782, 19_783, 20_088, 47_540)  # ends of February and years
        more = () if self.kind == "date" else (1, -1, 999_999, -999_999, 59_999_999, 1_234_567_890_123_456)
        return super().specials() + [first, last, *(day * self.unit for day in days), *more]

    def special(self, r: random.Random) -> Any:
        return r.randint(-719_162, 2_932_896) * self.unit if r.random() < 0.4 else super().special(r)

    def signal(self, value: Any) -> float:
        return float(value // self.unit % 7)


@dataclass(frozen=True)
class Code(Column):
    """A number that names a category."""

    values: tuple[Any, ...] = (0.0, 1.0, 2.0, 3.0)
    fractions: tuple[Any, ...] = ()
    unseen: bool = False

    def clean(self, r: random.Random) -> Any:
        return r.choice(self.values)

    def specials(self) -> list[Any]:
        return super().specials() + list(self.fractions) + (self._strangers() if self.unseen else [])

    def bads(self) -> list[Any]:
        return super().bads() + ([] if self.unseen else self._strangers())

    def _strangers(self) -> list[Any]:
        if self.kind in BITS:
            half = 1 << (BITS[self.kind] - 1)
            return [v for v in (99, -1, half - 1, -half) if v not in self.values]
        if self.kind.startswith("decimal"):
            return [Decimal(v) for v in (99, -1, 99999, -99999)]
        edges = [float32(v) for v in FLOATS] if self.kind == "float" else list(DOUBLES)
        known = {repr(v) for v in (*self.values, *self.fractions)}
        return [v for v in (*edges, 99.0, 1.5) if repr(v) not in known]


@dataclass(frozen=True)
class Flag(Column):
    """A boolean."""

    kind: str = "boolean"

    def clean(self, r: random.Random) -> Any:
        return r.random() < 0.5


@dataclass(frozen=True)
class Vec(Column):
    """A vector, dense or sparse, stored zeros included; `sized` puts its size into the metadata."""

    kind: str = "vector"
    size: int = 4
    sized: bool = True
    dense: bool = False
    plain: bool = False  # finite entries only

    def clean(self, r: random.Random) -> Any:
        return self._make([r.uniform(-4, 4) if r.random() < 0.8 else 0.0 for _ in range(self.size)], r)

    def _make(self, values: list[float], r: random.Random) -> Any:
        from pyspark.ml.linalg import Vectors

        if self.dense or r.random() < 0.5:
            return Vectors.dense(values)
        kept = [i for i, v in enumerate(values) if v != 0.0 or r.random() < 0.3]
        return Vectors.sparse(self.size, kept, [values[i] for i in kept])

    def special(self, r: random.Random) -> Any:
        if self.null and r.random() < 0.1:
            return None
        odd = [v for v in (*DOUBLES, NAN) if not self.plain or (math.isfinite(v) and abs(v) < 1e150)]
        return self._make(
            [r.choice(odd) if r.random() < 0.4 else r.uniform(-4, 4) for _ in range(self.size)], r
        )

    def bad(self, r: random.Random) -> Any:
        from pyspark.ml.linalg import Vectors

        wrong = r.choice([0, max(0, self.size - 1), self.size - 2, self.size + 1, self.size + 3])
        values = [r.uniform(-4, 4) for _ in range(max(0, wrong))]
        made = (
            Vectors.dense(values)
            if r.random() < 0.6
            else Vectors.sparse(len(values), list(range(len(values))), values)
        )
        return r.choice([None, made]) if not self.null else made

    def signal(self, value: Any) -> float:
        return float(sum(value.toArray()[:2]))

    def metadata(self) -> dict[str, Any]:
        return {"ml_attr": {"num_attrs": self.size}} if self.sized else {}


Row = tuple[Any, ...]


@dataclass(frozen=True)
class Labels:
    """What the estimators of a pipeline learn: y a number, b of two classes, k of three."""

    names: tuple[str, ...] = ("target_y", "target_b", "target_k")

    def of(self, columns: Sequence[Column], rows: Sequence[Row], r: random.Random) -> list[Row]:
        """Return the labels of training rows."""
        sums = [
            sum(c.signal(v) * (1 + i % 3) for i, (c, v) in enumerate(zip(columns, row))) + r.gauss(0, 1)
            for row in rows
        ]
        order = sorted(sums)
        low, middle, high = (order[len(order) * q // 6] for q in (2, 3, 4))
        return [(s, float(s > middle), float(s > low) + float(s > high)) for s in sums]


def good_rows(columns: Sequence[Column], count: int, r: random.Random) -> list[Row]:
    """Return rows that Spark is expected to answer: clean, with one special value, or with many."""
    rows = []
    for i in range(count):
        row = [c.clean(r) for c in columns]
        if i % 10 in (4, 5, 6):
            at = r.randrange(len(columns))
            row[at] = columns[at].special(r)
        elif i % 10 > 6:
            row = [c.special(r) if r.random() < 0.35 else v for c, v in zip(columns, row)]
        rows.append(tuple(row))
    return rows


def bad_rows(columns: Sequence[Column], count: int, r: random.Random) -> list[Row]:
    """Return rows with one bad value, every column in turn, and some with two."""
    rows = []
    for i in range(count):
        row = [c.clean(r) for c in columns]
        for at in {i % len(columns), r.randrange(len(columns)) if i % 4 == 3 else i % len(columns)}:
            row[at] = columns[at].bad(r)
        rows.append(tuple(row))
    return rows


def _real(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")


def json_value(value: Any, kind: str) -> Any:
    """Return a value as a request holds it."""
    if kind in ("date", "timestamp"):
        return encode(value, kind)
    if value is None or kind in BITS or kind in ("boolean", "string"):
        return value
    if kind.startswith("decimal"):
        return f"{value:f}"
    if kind == "vector":
        if hasattr(value, "indices"):
            reals = [_real(float(v)) for v in value.values]
            return {"size": int(value.size), "indices": [int(i) for i in value.indices], "values": reals}
        return [_real(float(v)) for v in value.values]
    if kind in ("array<string>", "array<int>"):
        return value
    if kind in ("array<float>", "array<double>"):
        element = kind[len("array<") : -1]
        return [None if v is None else json_value(v, element) for v in value]
    if kind == "float" and math.isfinite(value):
        return float(str(np.float32(value)))  # the shortest digits of the float
    return _real(value)


def json_lines(columns: Sequence[Column], rows: Sequence[Row]) -> list[bytes]:
    """Return each row as a line of JSON, every second one in ASCII only."""
    lines = []
    for i, row in enumerate(rows):
        line = {c.name: json_value(v, c.kind) for c, v in zip(columns, row)}
        lines.append(json.dumps(line, ensure_ascii=i % 2 == 0, allow_nan=False).encode())
    return lines
