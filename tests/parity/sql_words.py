# SPDX-License-Identifier: Apache-2.0
"""Draws expressions of SQL, each of a type, over columns of every type."""

from __future__ import annotations

import random

from rows import Column, Flag, Moment, Number, Text

WHOLE = ("tinyint", "smallint", "int", "bigint")
REAL = ("float", "double")
NUMBERS = (*WHOLE, *REAL)
MOMENTS = ("date", "timestamp")
KINDS = (*NUMBERS, "boolean", "string", "decimal", *MOMENTS)
DEPTH = 4

COLUMNS = {
    "tinyint": ("t1", "t2"),
    "smallint": ("s1", "s2"),
    "int": ("i1", "i2"),
    "bigint": ("l1", "l2"),
    "float": ("f1", "f2"),
    "double": ("d1", "d2", "d3"),
    "boolean": ("b1", "b2"),
    "string": ("w1", "w2", "n1", "n2"),
    "date": ("k1", "k2"),
    "timestamp": ("m1", "m2"),
    "decimal": (),
}
LITERALS = {
    "tinyint": ("1Y", "-128Y", "127Y", "0Y", "-1Y"),
    "smallint": ("3S", "-32768S", "0S"),
    "int": ("0", "1", "-1", "7", "2147483647", "-2147483648", "10"),
    "bigint": ("0L", "1L", "-1L", "9223372036854775807L", "-9223372036854775808L", "3000000000"),
    "float": ("float(0.1)", "float('NaN')", "1.5F", "-0.0F", "3.4e38F"),
    "double": ("0.1D", "-0.0D", "0D", "1e308D", "double('NaN')", "double('Infinity')", "2D", "1e-310D", "0.5D"),
    "boolean": ("true", "false"),
    "string": (),
    "date": ("DATE'2024-02-29'", "DATE'1970-01-01'", "DATE'0001-01-01'", "DATE'9999-12-31'", "DATE'1999-12-31'"),
    "timestamp": (
        *("TIMESTAMP'2024-02-29 12:34:56.789'", "TIMESTAMP'1969-12-31 23:59:59.999999Z'"),
        *("TIMESTAMP'2000-01-01 00:00:00'", "TIMESTAMP'1582-10-10 01:00:00'"),
    ),
    "decimal": (
        *("1.5", "-0.25", "0.0", "99999.99999", "12345678901234567890.123456789", "0.000001", "CAST(0 AS decimal(38,38))"),
        *("CAST(i1 AS decimal(10,0))", "CAST(d1 AS decimal(20,6))", "CAST(l1 AS decimal(38,18))"),
        *("CAST(f1 AS decimal(9,3))", "CAST(d2 AS decimal(38,0))", "CAST(t1 AS decimal(3,0))", "CAST(d3 AS decimal(38,37))"),
    ),
}
#: Texts that are numbers or words to some cast.
NUMERALS = (
    *("1", "-1", "1.5", " 12 ", "1e3", "NaN", "inf", "-Infinity", "0x1p3", "1d", "2147483648", "127", "-128"),
    *("9223372036854775808", "-9223372036854775808", ".5", "5.", "+7", "abc", "", ".", "+", "true", "y", "No"),
    *("1_000", "1e400", "1e-400", "0.1f", "\t3\n", "\uff13", "-0", "0x1.8p-1074", "4.9e-324", "1e", "TRUE "),
    *("123456789012345678901234567890", "0.1e-1D", "1.7976931348623159e308", "3.4028236e38", "\x7f4\x01", "-nan"),
    *("2.4703282292062328e-324", "16777217", "0x.8p1f", "0x1p", "-.0e+5", "00012", "\u00a05", "9007199254740993"),
)
#: Texts that are dates to a cast, or nearly.
DAYS = (
    *("2024-02-29", "2023-2-9", " 2020-01-01\t", "2020-01-01T12:00", "2020-01-01 x", "20200101", "0000-01-01"),
    *("-0001-03-04", "+12345-01-01", "1234567-01-01", "9999999-01-01", "12345678-01-01", "2021-02-29", "2021-13-01"),
    *("2021-00-10", "2021-10-00", "2021-1-1-1", "2021-", "2021-1-", "T2021", "2021", "2021T", "2021-3", "2021-3 ", "202-1-1"),
    *("-2021-01-01", "+2021-01-01", "--2021-01-01", "2021-01-001", "2021-1-1T", "2021-1-1 ", "\x7f2021-01-01", "02021-1-1"),
)
TEXTS = (
    *("'a'", "''", "' '", "'alpha'", "'e\u0301'", "'\U0001d4b3'", "'%'", "'null'", "'A'", "'\u0130\u03a3'", "'1.5'"),
    *("'line'", "' lead'", "'xyz'", "'NaN'"),
)
PATTERNS = ("%", "a%", "%a", "%p%", "_lpha", "%a%a%", "", "_", "__%", "%\u00e9%", "al\\\\_%", "%\\\\%%", "alpha", "%_%a")
REGEXES = ("a", "^al", "[^a-z]", "", "a*", "(?i)N[AU]", ".$", "\\\\d+", "(?<!a)p|\\\\s", "x*?", "[\\\\x{1d4b3}e]", "(?:l|p)+h?")
UNARY = (
    *("sqrt", "exp", "expm1", "ln", "log2", "log10", "log1p", "rint", "sign", "degrees", "radians", "abs"),
    *("sin", "cos", "tan", "cot", "csc", "sec", "tanh", "cbrt", "signum", "negative", "positive", "log"),
)
MANY = "'bcdefghijklmnopqrstuvwxyz 0123456789\U0001d4b3\u0301'"
SHIFTS = ("shiftleft", "shiftright", "shiftrightunsigned")
LETTERS = ("'aeiou'", "'AEIOUY'", "'aab'", "''", "' '", "'𝒳́p'", "'p𝒳'")
SEARCHES = ("startswith", "endswith", "contains")
UNITS = (
    *("YEAR", "YYYY", "YY", "QUARTER", "MONTH", "MON", "MM", "WEEK", "DAY", "DD", "HOUR", "MINUTE", "SECOND"),
    *("MILLISECOND", "MICROSECOND", "DECADE"),
)
WEEK = ("MO", "tue", "Wednesday", "TH", "FRI", "sat", "SUNDAY")
PARTS = (
    *("year", "quarter", "month", "weekofyear", "dayofyear", "dayofmonth", "day", "dayofweek", "weekday"),
    *("extract(YEAR FROM ", "extract(DOW FROM "),
)
TIMES = ("hour", "minute", "second")
SECONDS = ("unix_seconds", "unix_millis", "unix_micros", "to_unix_timestamp")
COMPARISONS = ("=", "<=>", "<", "<=", ">", ">=", "!=", "<>")


class Words:
    """Draws from one generator."""

    def __init__(self, r: random.Random, ansi: bool) -> None:
        self._r = r
        self._ansi = ansi

    @staticmethod
    def columns() -> list[Column]:
        """Return the columns that expressions read."""
        found: list[Column] = []
        for kind, names in COLUMNS.items():
            for name in names:
                if kind == "boolean":
                    found.append(Flag(name, null=True))
                elif kind == "string":
                    labels = {"n1": {"labels": NUMERALS}, "n2": {"labels": DAYS}}.get(name, {})
                    found.append(Text(name, null=True, unseen=True, **labels))
                elif kind in MOMENTS:
                    found.append(Moment(name, kind, null=True))
                else:
                    found.append(Number(name, kind, null=True, nan=kind in REAL))
        return found

    def any(self) -> str:
        """Return an expression of any type."""
        return self.of(self._r.choice(KINDS), self._r.randint(1, DEPTH))

    def condition(self) -> str:
        """Return a condition that many rows meet."""
        return f"({self.of('boolean', 2)}) OR {self._r.choice(COLUMNS['double'])} > -2"

    def of(self, kind: str, depth: int) -> str:
        """Return an expression of a type, so deep at most."""
        if depth <= 0 or self._r.random() < 0.1:
            return self._leaf(kind)
        if self._r.random() < 0.25:
            return self._choice(kind, depth - 1)
        if kind == "boolean":
            return self._boolean(depth - 1)
        if kind == "string":
            return self._text(depth - 1)
        if kind == "decimal":
            return self._decimal(depth - 1)
        if kind in MOMENTS:
            return self._moment(kind, depth - 1)
        return self._number(kind, depth - 1)

    def _leaf(self, kind: str) -> str:
        if self._r.random() < 0.05:
            return f"CAST(NULL AS {kind})"
        columns = COLUMNS[kind] if self._r.random() < 0.75 else ()
        return self._r.choice(columns or LITERALS[kind] or TEXTS)

    def _choice(self, kind: str, depth: int) -> str:
        def one() -> str:
            return self.of(kind, depth)

        def when() -> str:
            return self.of("boolean", depth)

        more = "" if self._r.random() < 0.3 else f" ELSE {one()}"
        forms = [
            lambda: f"CASE WHEN {when()} THEN {one()} WHEN {when()} THEN {one()}{more} END",
            lambda: f"CASE {one()} WHEN {one()} THEN {one()}{more} END",
            lambda: f"IF({when()}, {one()}, {one()})",
            lambda: f"coalesce({one()}, {one()}, {one()})",
            lambda: f"{self._r.choice(['nvl', 'ifnull', 'nullif'])}({one()}, {one()})",
            lambda: f"nvl2({one()}, {one()}, {one()})",
            lambda: f"{self._r.choice(['greatest', 'least'])}({one()}, {one()}, {one()})",
        ]
        return self._r.choice(forms)()

    def _boolean(self, depth: int) -> str:
        def one() -> str:
            return self.of("boolean", depth)

        kind = self._r.choice(KINDS)
        forms = [
            lambda: f"({one()} AND {one()})",
            lambda: f"({one()} OR {one()})",
            lambda: f"(NOT {one()})",
            lambda: f"({self.of(kind, depth)} IS {self._r.choice(['', 'NOT '])}NULL)",
            lambda: f"isnan({self.of(self._r.choice(REAL), depth)})",
            lambda: f"({self.of('double', depth)} {self._r.choice(COMPARISONS)} {self.of('decimal', depth)})",
            lambda: f"({self.of(kind, depth)} IN ({self.of(kind, 0)}, {self.of(kind, 0)}, {self.of(kind, depth)}))",
            lambda: f"({self.of(kind, depth)} BETWEEN {self.of(kind, depth)} AND {self.of(kind, depth)})",
            lambda: self._cast("boolean", depth),
            *[lambda: self._comparison(depth)] * 5,
            lambda: f"{self._r.choice(SEARCHES)}({self.of('string', depth)}, {self.of('string', depth)})",
            lambda: f"({self.of('string', depth)} {self._r.choice(['', 'NOT '])}LIKE '{self._r.choice(PATTERNS)}')",
            lambda: f"({self.of('string', depth)} RLIKE '{self._r.choice(REGEXES)}')",
        ]
        return self._r.choice(forms)()

    def _comparison(self, depth: int) -> str:
        kind = self._r.choice(KINDS)
        alike = next((some for some in (NUMBERS, MOMENTS) if kind in some), (kind,))
        other = self._r.choice(alike) if self._r.random() < 0.4 else kind
        return f"({self.of(kind, depth)} {self._r.choice(COMPARISONS)} {self.of(other, depth)})"

    def _cast(self, kind: str, depth: int) -> str:
        more = MOMENTS if kind == "string" else ("timestamp",) if kind in ("bigint", "double") else ()
        source = self._r.choice([*(one for one in KINDS if one not in MOMENTS), *more])
        return f"CAST({self.of(source, depth)} AS {kind})"

    def _moment(self, kind: str, depth: int) -> str:
        """Return an expression of a date or timestamp."""

        def day() -> str:
            return self.of(self._r.choice(("date", "date", "timestamp")), depth)

        def time() -> str:
            return self.of("timestamp", depth)

        def few() -> str:
            return self._r.choice((self.of("int", 0), str(self._r.randint(-500, 500)), self.of("tinyint", depth)))

        def few_months() -> str:
            return self._r.choice((str(self._r.randint(-30, 30)), self.of("smallint", 0)))

        unit = self._r.choice(UNITS)
        if self._r.random() < 0.2:
            unit = unit.lower()
        if kind == "timestamp":
            forms = [
                lambda: f"date_trunc('{unit}', {time()})",
                lambda: f"CAST({self.of('date', depth)} AS timestamp)",
                lambda: self._r.choice(COLUMNS[kind]),
            ]
        else:
            forms = [
                lambda: f"{self._r.choice(['date_add', 'date_sub'])}({day()}, {few()})",
                lambda: f"add_months({day()}, {few_months()})",
                lambda: f"last_day({day()})",
                lambda: f"next_day({day()}, '{self._r.choice(WEEK)}')",
                lambda: f"trunc({day()}, '{unit}')",
                lambda: f"to_date({self._r.choice(['n2', self.of('string', depth)])})",
                lambda: f"CAST({self._r.choice(['n2', time(), time()])} AS date)",
                lambda: f"date_from_unix_date({self.of('smallint', depth)})",
            ]
        return self._r.choice(forms)()

    def _number(self, kind: str, depth: int) -> str:
        def one() -> str:
            return self.of(kind, depth)

        forms = [
            *[lambda: f"({one()} {self._r.choice('+-*')} {one()})"] * 4,
            lambda: f"(- {one()})",
            lambda: f"abs({one()})",
            lambda: f"({one()} % {one()})",
            lambda: f"pmod({one()}, {one()})",
            *[lambda: self._cast(kind, depth)] * 2,
        ]
        if kind in NUMBERS:
            forms.append(lambda: f"{self._r.choice(['round', 'bround'])}({one()}, {self._r.randint(-4, 6)})")
        if kind == "int":
            day = self.of(self._r.choice(MOMENTS), depth)
            forms += [lambda: f"{self._r.choice(PARTS)}({day})".replace(" (", " ")] * 2
            forms.append(lambda: f"{self._r.choice(TIMES)}({self.of('timestamp', depth)})")
            forms.append(lambda: f"datediff({day}, {self.of(self._r.choice(MOMENTS), depth)})")
            forms.append(lambda: f"unix_date({self.of('date', depth)})")
            forms.append(lambda: f"length({self.of('string', depth)})")
            forms.append(lambda: f"instr({self.of('string', depth)}, {self.of('string', depth)})")
            part, text = self.of("string", depth), self.of("string", depth)
            forms.append(lambda: f"locate({part}, {text}, {self._r.choice(['1', '3', '0', 't1', 'i1'])})")
            forms.append(lambda: f"{self._r.choice(['ascii', 'octet_length', 'bit_length'])}({text})")
            forms += [lambda: f"hash({', '.join(self.of(self._r.choice(KINDS), depth) for _ in 'abc')})"] * 2
        if kind in REAL:
            forms.append(lambda: f"nanvl({one()}, {one()})")
        if kind in ("int", "bigint"):
            forms.append(lambda: f"{self._r.choice(SHIFTS)}({one()}, {self.of('int', depth)})")
        if kind in WHOLE:
            forms.append(lambda: f"({one()} {self._r.choice('&|^')} (~{one()}))")
        if kind == "double":
            forms += [lambda: f"({self._any_number(depth)} / {self._any_number(depth)})"] * 2
            forms += [lambda: f"{self._r.choice(UNARY)}({one()})"] * 3
            forms.append(lambda: f"{self._r.choice(['pow', 'power', 'log'])}({one()}, {one()})")
        if kind == "double":
            rounded = self._r.choice(["", ", true", ", false", ", b1"])
            one_day = self.of(self._r.choice(MOMENTS), depth)
            forms.append(lambda: f"months_between({one_day}, {self.of(self._r.choice(MOMENTS), depth)}{rounded})")
        if kind == "bigint":
            forms.append(lambda: f"{self._r.choice(SECONDS)}({self.of('timestamp', depth)})")
            forms.append(lambda: f"unix_timestamp({self.of(self._r.choice(MOMENTS), depth)})")
            forms += [lambda: f"{self._r.choice(['floor', 'ceil'])}({self.of('double', depth)})"] * 2
            forms.append(lambda: f"({one()} div {one()})")
        return self._r.choice(forms)()

    def _decimal(self, depth: int) -> str:
        def one() -> str:
            return self.of("decimal", depth)

        precision = self._r.choice([3, 10, 18, 19, 25, 38])
        to = f"decimal({precision},{self._r.randint(0, precision)})"
        forms = [
            *[lambda: f"({one()} {self._r.choice('+-*/')} {one()})"] * 5,
            lambda: f"({one()} {self._r.choice('+-*/')} {self.of(self._r.choice(WHOLE), depth)})",
            lambda: f"CAST({self.of(self._r.choice((*NUMBERS, 'boolean', 'decimal')), depth)} AS {to})",
            lambda: f"({one()} % {one()})",
            lambda: f"pmod({one()}, {one()})",
            lambda: f"abs({one()})",
            lambda: f"(- {one()})",
            lambda: f"{self._r.choice(['round', 'bround'])}({one()}, {self._r.randint(0, 6)})",
            lambda: f"{self._r.choice(['floor', 'ceil'])}({one()})",
        ]
        return self._r.choice(forms)()

    def _text(self, depth: int) -> str:
        def one() -> str:
            return self.of("string", depth)

        def few() -> str:
            return self._r.choice(["0", "1", "2", "-1", "-3", "5", "100", "i1", "i2", "2147483647"])

        def some() -> str:
            return self._r.choice(["0", "1", "2", "-1", "-2", "9", "40"])

        forms = [
            lambda: f"CAST({self.of(self._r.choice(KINDS), depth)} AS string)",
            lambda: f"{self._r.choice(['lower', 'upper'])}({one()})",
            lambda: f"{self._r.choice(['trim', 'ltrim', 'rtrim', 'reverse', 'btrim'])}({one()})",
            lambda: f"trim({self._r.choice(['BOTH', 'LEADING', 'TRAILING'])} {one()} FROM {one()})",
            lambda: f"trim({self._r.choice(['BOTH', 'LEADING', 'TRAILING'])} {one()} || {MANY} FROM {one()})",
            lambda: f"substring({one()}, {few()}, {few()})",
            lambda: f"substr({one()}, {few()})",
            lambda: f"{self._r.choice(['left', 'right'])}({one()}, {few()})",
            lambda: f"concat({one()}, {one()}, {one()})",
            lambda: f"({one()} || {one()})",
            lambda: f"concat_ws({one()}, {one()}, {one()}, {one()})",
            lambda: f"replace({one()}, {one()}, {one()})",
            lambda: f"{self._r.choice(['lpad', 'rpad'])}({one()}, {some()}, {self._r.choice(LETTERS)})",
            lambda: f"repeat({one()}, {some()})",
            lambda: f"translate({one()}, {self._r.choice(LETTERS)}, {self._r.choice(LETTERS)})",
            lambda: f"regexp_replace({one()}, '{self._r.choice(REGEXES)}', {self._r.choice(TEXTS)})",
            lambda: f"substring_index({one()}, {self._r.choice(TEXTS)}, {some()})",
        ]
        return self._r.choice(forms)()

    def _any_number(self, depth: int) -> str:
        return self.of(self._r.choice(NUMBERS), depth)
