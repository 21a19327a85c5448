# SPDX-License-Identifier: Apache-2.0
"""Cases of SQLTransformer: all functions of each kind of value, in legacy mode and under ANSI."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from fixture_tools import EDGES, NAN, Case, Row, Tools, dense, sparse
from pyspark.ml import feature

WHOLE: list[int | None] = [0, 1, -1, 7, -8, 10, 127, -128, 32767, -32768, 2147483647, -2147483648, None]
LONG: list[int | None] = [*WHOLE, 9223372036854775807, -9223372036854775808, 9007199254740993]
#: Texts that some cast reads, and texts that none does.
NUMERALS = (
    *("1", "-1", "+7", " 12 ", "1.5", ".5", "5.", ".", "+", "", "1e3", "1e", "00012", "-0", "-.0e+5", "1d", "0.1f"),
    *("NaN", "-NaN", "nan", "-nan", "inf", "+Inf", "-Infinity", "INFINITY", "0x1p3", "0X.8P1f", "0x1.8p-1074", "0x1p"),
    *("127", "-129", "2147483648", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "1_0"),
    *("1e400", "1e-400", "4.9e-324", "2.4703282292062328e-324", "16777217", "3.4028236e38", "1" * 60, "0." + "3" * 60),
    *("true", "TRUE ", "y", "No", "t", "abc", "\t3\n", "\x7f4\x01", "\uff13", "\u00a05", "1e99999999999"),
)
TEXTS: list[str | None] = [
    *("", " ", "a", "A", "abc", "  lead", "trail  ", "alpha", "alphaalpha", "\u00e9clair", "e\u0301", "\U0001d4b3x"),
    *("\u0130\u03a3", "\u039f\u03a3", "a%b", "a_b", "a\\b", "line\nend", "null", "x" * 300, "aXbXc", None),
]
DAYS = (
    *("0001-01-01", "1582-10-04", "1582-10-15", "1899-12-31", "1900-02-28", "1900-03-01", "1969-12-31", "1970-01-01"),
    *("1999-12-31", "2000-02-29", "2000-12-31", "2004-12-27", "2005-01-01", "2005-01-03", "2020-12-31", "2021-01-03"),
    *("2023-01-31", "2023-02-28", "2024-01-31", "2024-02-29", "2024-03-31", "2024-11-30", "2026-11-30", "9999-12-31"),
)
CLOCKS = ("00:00:00", "00:29:59.999999", "12:34:56.7", "18:30:00", "23:59:59.000001")
#: Texts that are dates to a cast, or nearly.
DATES = (
    *("2024-02-29", "2023-2-9", " 2020-01-01\t", "2020-01-01T12:00", "2020-01-01 x", "20200101", "0000-01-01", ""),
    *("-0001-03-04", "+12345-01-01", "1234567-01-01", "9999999-01-01", "12345678-01-01", "2021-02-29", "2021-13-01"),
    *("2021-00-10", "2021-10-00", "2021-1-1-1", "2021-", "2021-1-", "T2021", "2021", "2021T", "2021-3", "2021-3 ", "202-1-1"),
    *("-2021-01-01", "+2021-01-01", "--2021-01-01", "2021-01-001", "2021-1-1T", "2021-1-1 ", "\x7f2021-01-01", "02021-1-1"),
)
UNARY = ("sqrt", "exp", "expm1", "ln", "log2", "log10", "log1p", "rint", "sign", "degrees", "radians", "abs")

UNITS = ("week", "MON", "month", "MM", "QUARTER", "YEAR", "yyyy", "YY")
SHORT = ("MICROSECOND", "MILLISECOND", "SECOND", "MINUTE", "HOUR", "DAY", "DD")
PARTS = ("year", "quarter", "month", "weekofyear", "dayofyear", "day", "dayofweek", "weekday")
SECONDS = ("unix_seconds", "unix_millis", "unix_micros", "unix_timestamp", "to_unix_timestamp")


class Sql(Tools):
    """One op."""

    def _case(self, name: str, columns: dict[str, str], rows: list[Row], made: list[str], rest: str = "") -> Case:
        """Return a case of one statement."""
        given = ", ".join(f"{one} AS c{i}" for i, one in enumerate(made))
        stage = feature.SQLTransformer(statement=f"SELECT *, {given} FROM __THIS__{rest}")
        return "sql_transformer", name, [stage], self.frame(columns, rows)

    def _reals(self) -> Case:
        rows: list[Row] = [(a, b) for a in EDGES for b in EDGES]
        rows += [(x, y) for x, y in zip(self.numbers(40, 30.0), self.numbers(40))]
        rows += [(2.5, 0.0), (-2.5, 1.0), (1.005, 2.0), (1e22, 0.3), (123456.789, -0.7), (0.05, 9.0), (9.995, 3.0)]
        made = [f"{name}(x)" for name in UNARY]
        made += ["x + y", "x - y", "x * y", "x / y", "x % y", "pmod(x, y)", "-x", "pow(x, y)", "log(x, y)"]
        made += ["x = y", "x <=> y", "x < y", "x <= y", "x > y", "x >= y", "x IN (y, 0.5D, NULL)", "isnan(x)"]
        made += ["greatest(x, y)", "least(x, y)", "nanvl(x, y)", "coalesce(x, y, 1D)", "nullif(x, y)"]
        made += ["floor(x)", "ceil(x)", *(f"round(x, {i})" for i in (-2, 0, 2)), "bround(x, 1)", "x * 1.5"]
        made += [f"CAST(x AS {kind})" for kind in ("tinyint", "smallint", "int", "bigint", "float", "boolean", "string")]
        return self._case("reals", {"x": "double", "y": "double"}, rows, made)

    def _floats(self) -> Case:
        rows: list[Row] = [(a, b) for a in EDGES for b in (0.0, -0.0, 2.0, NAN, None, 1e-45)]
        rows += [(x, y) for x, y in zip(self.numbers(20, 30.0), self.numbers(20))]
        made = ["f + g", "f - g", "f * g", "f / g", "f % g", "pmod(f, g)", "-f", "abs(f)", "f < g", "f = g", "isnan(f)"]
        made += ["greatest(f, g)", "round(f, 1)", "bround(f, 0)", "nanvl(f, g)", "f <=> g"]
        made += [f"CAST(f AS {kind})" for kind in ("tinyint", "int", "bigint", "double", "boolean", "string")]
        return self._case("floats", {"f": "float", "g": "float"}, rows, made)

    def _integers(self, name: str) -> Case:
        rows: list[Row] = [(i, j, i and max(-128, min(127, i))) for i in WHOLE for j in LONG]
        made = ["i + j", "i - i * 3", "i * i", "j * j", "-i", "-j", "abs(i)", "abs(j)", "j div i", "j % i", "pmod(i, 7)"]
        made += ["pmod(t, t)", "t + t", "t * t", "-t", "abs(t)", "pmod(j, -3)", "i & 5 | 8 ^ j", "~i", "i / j", "i < j"]
        made += ["i = j", "i <=> j", "round(i, -1)", "round(j, -2)", "bround(t, -1)", "round(j, -19)", "i > 0.5D"]
        made += [f"CAST(j AS {kind})" for kind in ("tinyint", "int", "float", "double", "boolean", "string")]
        return self._case(name, {"i": "int", "j": "bigint", "t": "tinyint"}, rows, made)

    def _logic(self) -> Case:
        three = [True, False, None]
        rows: list[Row] = [(p, q, i) for p in three for q in three for i in (0, 1, None)]
        made = ["p AND q", "p OR q", "NOT p", "p = q", "p <=> q", "p < q", "p IS NULL", "p IS NOT NULL", "CAST(p AS int)"]
        made += ["CASE WHEN p THEN 1 WHEN q THEN 2 END", "CASE i WHEN 0 THEN 'zero' WHEN 1 THEN 'one' ELSE 'none' END"]
        made += ["IF(p, i, -1)", "nvl(i, 5)", "nvl2(i, p, q)", "i BETWEEN 0 AND 1", "i IN (0, NULL)", "i NOT IN (0, 2)"]
        made += ["CAST(p AS string)", "1 + 1", "pi()", "CAST(NULL AS double)", "coalesce(p, q)"]
        return self._case("logic", {"p": "boolean", "q": "boolean", "i": "int"}, rows, made)

    def _texts(self) -> Case:
        rows: list[Row] = [(a, b) for a in TEXTS for b in ("a", "", " ", "alpha", "\u00e9", None)]
        made = ["lower(s)", "upper(s)", "length(s)", "reverse(s)", "trim(s)", "ltrim(s)", "rtrim(s)", "trim(BOTH t FROM s)"]
        made += ["concat(s, t, s)", "concat_ws(t, s, t, CAST(NULL AS string), s)", "replace(s, t, '<>')", "replace(s, 'X', '')"]
        made += ["startswith(s, t)", "endswith(s, t)", "contains(s, t)", "instr(s, t)", "s = t", "s < t", "s <=> t"]
        made += [f"substring(s, {i}, {n})" for i in (-3, -1, 0, 1, 2, 2147483647) for n in (-1, 0, 2, 2147483647)]
        made += ["left(s, 2)", "right(s, 2)", "s IN ('a', t)", "greatest(s, t)", "coalesce(s, t)", "IF(s > t, s, t)"]
        made += [f"s LIKE '{one}'" for one in ("%", "a%", "%a", "_", "%a%b%", "", "a\\\\%b", "a\\\\_b", "%_%", "__")]
        return self._case("texts", {"s": "string", "t": "string"}, rows, made)

    def _searches(self) -> Case:
        """Return a case of texts that are padded, cut, searched and hashed, and of shifts."""
        rows: list[Row] = [(a, b, i) for a in TEXTS for b, i in zip(("a", "", "\U0001d4b3", None), (3, -1, 40, None))]
        made = ["lpad(s, 7, 'x\U0001d4b3')", "rpad(s, 40, 'xyz')", "lpad(s, 2, '')", "rpad(s, -1, 'a')", "repeat(s, 3)", "translate(s, 'aelX', 'AE')"]
        made += ["translate(s, 'aab\U0001d4b3', 'x\U0001d4b3yz')", "locate(t, s)", "locate('a', s, i)", "position('l' IN s)"]
        made += [f"substring_index(s, '{part}', {n})" for part in ("a", "al", "") for n in (-2, -1, 0, 1, 2)]
        made += ["trim(BOTH 'bcdefghijklmnopqrstuvwxyz 0123456789\U0001d4b3' || t FROM s)"]
        made += ["substring_index('aaaa' || s, 'aa', 2)", "hash(CAST(i AS decimal(18,3)))", "ascii(s)", "octet_length(s)", "bit_length(s)", "hash(s, t, i)", "hash(i, CAST(i AS bigint), i / 7, i > 0)"]
        made += ["hash(CAST(i AS float), CAST(i AS decimal(9,2)), CAST(i AS decimal(38,9)), DATE'2024-02-29')"]
        made += [f"{shift}({one}, i)" for shift in ("shiftleft", "shiftright", "shiftrightunsigned") for one in ("i", "-i * 3L")]
        made += [f"s RLIKE '{one}'" for one in ("a", "^al|d$", "", "[^a-z]", "(?i)ALPHA", "(?<!a)l", "\\\\s|\\\\p{Lu}")]
        made += [f"regexp_replace(s, '{one}', '<>')" for one in ("a", "", "a*", ".", "[^a-z ]", "$", "l(?=p)|x*?")]
        made += ["regexp_replace(s, '\\\\W', '\\\\\\\\')", "regexp_replace(s, '[aeiou]', '')"]
        return self._case("searches", {"s": "string", "t": "string", "i": "int"}, rows, made)

    def _casts(self, name: str) -> Case:
        kinds = ("tinyint", "smallint", "int", "bigint", "float", "double", "boolean")
        rows: list[Row] = [(text,) for text in (*NUMERALS, None)]
        return self._case(name, {"s": "string"}, rows, [f"CAST(s AS {kind})" for kind in kinds])

    def _moments(self, name: str) -> Case:
        """Return a case of dates and timestamps: parts, sums, units, casts."""
        days = [*map(date.fromisoformat, DAYS), None]
        times = [datetime.fromisoformat(f"{day}T{clock}+00:00") for day in DAYS[1:-1] for clock in CLOCKS]
        many = [*times, None]
        rows: list[Row] = [
            (days[i % len(days)], days[i * 7 % len(days)], time, many[i * 11 % len(many)], DATES[i % len(DATES)], i * 37 % 800 - 400)
            for i, time in enumerate(many)
        ]
        made = [f"{part}({one})" for one in ("k", "m") for part in PARTS]
        made += [f"{part}(m)" for part in ("hour", "minute", "second", *SECONDS)]
        made += ["unix_timestamp(k)", "unix_date(k)", "date_from_unix_date(i)", "datediff(k, g)", "datediff(m, k)"]
        made += ["date_add(k, i)", "date_sub(k, CAST(i AS smallint))", "add_months(k, i)", "last_day(k)", "last_day(m)"]
        made += [f"next_day(k, '{day}')" for day in ("MO", "tue", "Wednesday", "TH", "FRI", "sat", "SUNDAY")]
        made += [f"trunc(k, '{unit}')" for unit in (*UNITS, "DAY", "none")]
        made += [f"date_trunc('{unit}', m)" for unit in (*UNITS, *SHORT, "none")]
        made += ["months_between(m, t)", "months_between(k, g, false)", "months_between(m, k)", "k < g", "m > k", "m = t"]
        made += ["greatest(k, g)", "least(m, t)", "coalesce(k, DATE'2024-02-29')", "k BETWEEN DATE'1900-01-01' AND g"]
        made += ["m IN (t, TIMESTAMP'2000-02-29 12:34:56.7Z')", "CAST(k AS string)", "CAST(m AS string)", "CAST(m AS date)"]
        made += ["CAST(k AS timestamp)", "CAST(m AS bigint)", "CAST(m AS double)", "to_date(s)", "IF(k > g, m, t)"]
        columns = {"k": "date", "g": "date", "m": "timestamp", "t": "timestamp", "s": "string", "i": "int"}
        return self._case(name, columns, rows, made)

    def _scope(self) -> Iterator[Case]:
        vectors: list[Any] = [dense([1.0, NAN]), sparse(2, [1], [0.0]), None]
        columns = {"a": "int", "b": "double", "v": "vector", "w": "array<string>"}
        rows: list[Row] = [(i, x, v, w) for i in (1, -2, None) for x in (0.5, NAN) for v in vectors for w in ([], None)]
        statements = [
            "SELECT a + 1 AS c, v AS u, w, b FROM __THIS__ WHERE a > 0 OR a IS NULL",
            "SELECT c, u, w, x.b AS b, b * c AS d, v2 IS NULL AS e FROM (SELECT *, u AS v2 FROM __THIS__ WHERE NOT isnan(b)) x",
            "SELECT D + c AS c, u, w, e FROM __THIS__ WHERE u IS NOT NULL AND coalesce(c, 0) <> 99",
        ]
        stages = [feature.SQLTransformer(statement=one) for one in statements]
        yield "sql_transformer", "scope", stages, self.frame(columns, rows)

    def sql_transformer(self) -> Iterator[Case]:
        """Return cases of SQLTransformer."""
        yield from [self._reals(), self._floats(), self._integers("integers"), self._logic(), self._texts()]
        yield self._searches()
        yield self._casts("casts")
        yield from self._scope()
        for name, zone in (("east", "+05:30"), ("west", "Etc/GMT+8")):
            self.spark.conf.set("spark.sql.session.timeZone", zone)
            yield self._moments(f"moments_{name}")
        self.spark.conf.set("spark.sql.session.timeZone", "UTC")
        self.spark.conf.set("spark.sql.ansi.enabled", "true")
        yield self._integers("ansi_integers")
        yield self._casts("ansi_casts")
        yield self._moments("ansi_moments")
        self.spark.conf.set("spark.sql.ansi.enabled", "false")
