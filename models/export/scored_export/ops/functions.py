# SPDX-License-Identifier: Apache-2.0
"""Which of Spark's expressions a program can hold: the engine's name of each, and the types that it takes."""

from __future__ import annotations

from scored_export.needs import DIGITS, LOCALE, LOWER, TRIGONOMETRY, UPPER, ZONE
from scored_export.values import MOMENTS

INTEGERS = ("tinyint", "smallint", "int", "bigint")
REALS = ("float", "double")
#: Types of arguments, by what they are called in CALLS.
TYPES_OF: dict[str, tuple[str, ...]] = {
    "scalar": ("boolean", *INTEGERS, *REALS, "string", "decimal", *MOMENTS),
    "integer": INTEGERS,
    "number": (*INTEGERS, *REALS),
    "numeric": (*INTEGERS, *REALS, "decimal"),
    "inexact": (*REALS, "decimal"),
    "whole": ("double", "decimal"),
    "real": REALS,
    "double": ("double",),
    "bigint": ("bigint",),
    "long": ("int", "bigint"),
    "boolean": ("boolean",),
    "int": ("int",),
    "string": ("string",),
    "date": ("date",),
    "timestamp": ("timestamp",),
    "short": ("tinyint", "smallint", "int"),
}

#: Spark's class -> the engine's function, and what its arguments may be, the last for all that follow.
CALLS: dict[str, tuple[str, tuple[str, ...]]] = {
    "Add": ("+", ("numeric",)),
    "Subtract": ("-", ("numeric",)),
    "Multiply": ("*", ("numeric",)),
    "Divide": ("/", ("inexact",)),
    "IntegralDivide": ("div", ("bigint",)),
    "Remainder": ("%", ("numeric",)),
    "Pmod": ("pmod", ("numeric",)),
    "UnaryMinus": ("negative", ("numeric",)),
    "Abs": ("abs", ("numeric",)),
    "BitwiseAnd": ("&", ("integer",)),
    "BitwiseOr": ("|", ("integer",)),
    "BitwiseXor": ("^", ("integer",)),
    "BitwiseNot": ("~", ("integer",)),
    "ShiftLeft": ("shift_left", ("long", "int")),
    "ShiftRight": ("shift_right", ("long", "int")),
    "ShiftRightUnsigned": ("shift_right_unsigned", ("long", "int")),
    "EqualTo": ("=", ("scalar",)),
    "EqualNullSafe": ("<=>", ("scalar",)),
    "LessThan": ("<", ("scalar",)),
    "LessThanOrEqual": ("<=", ("scalar",)),
    "GreaterThan": (">", ("scalar",)),
    "GreaterThanOrEqual": (">=", ("scalar",)),
    "In": ("in", ("scalar",)),
    "Greatest": ("greatest", ("scalar",)),
    "Least": ("least", ("scalar",)),
    "And": ("and", ("boolean",)),
    "Or": ("or", ("boolean",)),
    "Not": ("not", ("boolean",)),
    "IsNull": ("is_null", ("any",)),
    "IsNaN": ("is_nan", ("real",)),
    "If": ("case", ("scalar",)),
    "CaseWhen": ("case", ("scalar",)),
    "Coalesce": ("coalesce", ("scalar",)),
    "NaNvl": ("nanvl", ("real",)),
    "Sqrt": ("sqrt", ("double",)),
    "Exp": ("exp", ("double",)),
    "Expm1": ("expm1", ("double",)),
    "Log": ("ln", ("double",)),
    "Log2": ("log2", ("double",)),
    "Log10": ("log10", ("double",)),
    "Log1p": ("log1p", ("double",)),
    "Logarithm": ("log", ("double",)),
    "Pow": ("pow", ("double",)),
    "Rint": ("rint", ("double",)),
    "Signum": ("sign", ("double",)),
    "ToDegrees": ("degrees", ("double",)),
    "ToRadians": ("radians", ("double",)),
    "Sin": ("sin", ("double",)),
    "Cos": ("cos", ("double",)),
    "Tan": ("tan", ("double",)),
    "Cot": ("cot", ("double",)),
    "Csc": ("csc", ("double",)),
    "Sec": ("sec", ("double",)),
    "Tanh": ("tanh", ("double",)),
    "Cbrt": ("cbrt", ("double",)),
    "Floor": ("floor", ("whole",)),
    "Ceil": ("ceil", ("whole",)),
    "Round": ("round", ("numeric", "int")),
    "BRound": ("bround", ("numeric", "int")),
    "Length": ("length", ("string",)),
    "Lower": ("lower", ("string",)),
    "Upper": ("upper", ("string",)),
    "Reverse": ("reverse", ("string",)),
    "Substring": ("substring", ("string", "int", "int")),
    "StringTrim": ("trim", ("string",)),
    "StringTrimLeft": ("ltrim", ("string",)),
    "StringTrimRight": ("rtrim", ("string",)),
    "StartsWith": ("startswith", ("string",)),
    "EndsWith": ("endswith", ("string",)),
    "Contains": ("contains", ("string",)),
    "StringInstr": ("instr", ("string",)),
    "StringReplace": ("replace", ("string",)),
    "Like": ("like", ("string",)),
    "Concat": ("concat", ("string",)),
    "ConcatWs": ("concat_ws", ("string",)),
    "StringLPad": ("lpad", ("string", "int", "string")),
    "StringRPad": ("rpad", ("string", "int", "string")),
    "StringRepeat": ("repeat", ("string", "int")),
    "StringTranslate": ("translate", ("string",)),
    "SubstringIndex": ("substring_index", ("string", "string", "int")),
    "StringLocate": ("locate", ("string", "string", "int")),
    "Ascii": ("ascii", ("string",)),
    "OctetLength": ("octet_length", ("string",)),
    "BitLength": ("bit_length", ("string",)),
    "Murmur3Hash": ("hash", ("scalar",)),
    "Year": ("year", ("date",)),
    "Quarter": ("quarter", ("date",)),
    "Month": ("month", ("date",)),
    "WeekOfYear": ("week_of_year", ("date",)),
    "DayOfYear": ("day_of_year", ("date",)),
    "DayOfMonth": ("day_of_month", ("date",)),
    "DayOfWeek": ("day_of_week", ("date",)),
    "WeekDay": ("week_day", ("date",)),
    "Hour": ("hour", ("timestamp",)),
    "Minute": ("minute", ("timestamp",)),
    "Second": ("second", ("timestamp",)),
    "DateAdd": ("date_add", ("date", "short")),
    "DateSub": ("date_sub", ("date", "short")),
    "DateDiff": ("date_diff", ("date",)),
    "AddMonths": ("add_months", ("date", "int")),
    "MonthsBetween": ("months_between", ("timestamp", "timestamp", "boolean")),
    "LastDay": ("last_day", ("date",)),
    "UnixDate": ("unix_date", ("date",)),
    "UnixSeconds": ("unix_seconds", ("timestamp",)),
    "UnixMillis": ("unix_millis", ("timestamp",)),
    "UnixMicros": ("unix_micros", ("timestamp",)),
    "DateFromUnixDate": ("date_from_unix_date", ("int",)),
}

#: Classes that change nothing where the types before and after are the same.
SAME = ("UnaryPositive", "Floor", "Ceil", "KnownNotNull", "KnownFloatingPointNormalized")

#: Classes that search by a regular expression -> the engine's function.
BY_REGEX = {"RLike": "rlike", "RegExpReplace": "regexp_replace"}

#: Functions whose arguments behind the first are constants: else a row could ask for any size, or for work
#: that grows as the square of its texts.
OF_CONSTANTS = ("lpad", "rpad", "repeat", "translate", "substring_index")

#: Functions that, where they make a decimal, say which.
TYPED = ("+", "-", "*", "/", "%", "pmod", "round", "bround", "floor", "ceil", "to_decimal")

#: Functions whose answer depends on the mode: legacy, ansi, try.
MODES = ("+", "-", "*", "/", "div", "%", "pmod", "negative", "abs", "round", "bround")

_NUMBERS = (*INTEGERS, *REALS)
#: Casts, from one type to another.
CASTS = {
    *((a, b) for a in ("boolean", "string", *_NUMBERS) for b in ("boolean", "string", *_NUMBERS)),
    *(("decimal", b) for b in ("boolean", "string", "decimal", *_NUMBERS)),
    *(("date", "string"), ("date", "timestamp"), ("string", "date")),
    *(("timestamp", b) for b in ("date", "string", "bigint", "double")),
    *((a, "decimal") for a in ("boolean", *_NUMBERS)),
}

#: Units that a date or timestamp is cut to, by their names in capitals.
DATE_UNITS = {
    "week": ("WEEK",),
    "month": ("MON", "MONTH", "MM"),
    "quarter": ("QUARTER",),
    "year": ("YEAR", "YYYY", "YY"),
}
TIME_UNITS = {
    "microsecond": ("MICROSECOND",),
    "millisecond": ("MILLISECOND",),
    "second": ("SECOND",),
    "minute": ("MINUTE",),
    "hour": ("HOUR",),
    "day": ("DAY", "DD"),
    **DATE_UNITS,
}
#: Days of the week from Monday on, by their names in capitals.
WEEK = tuple(
    (day[:2], day[:3], day)
    for day in ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
)

_LOCAL = (
    *("hour", "minute", "second", "months_between", "to_date", "to_string"),
    *(f"trunc_{unit}" for unit in ("hour", "day", *DATE_UNITS)),
)
_OF_MATH = ("sin", "cos", "tan", "cot", "csc", "sec", "tanh", "cbrt")
#: Functions, with a type they are of where it matters, -> what of the platform they depend on.
NEEDS: dict[tuple[str, str], set[str]] = {
    ("lower", "string"): {LOWER, LOCALE},
    ("upper", "string"): {UPPER},
    **{(name, "double"): {TRIGONOMETRY} for name in _OF_MATH},
    **{(name, "timestamp"): {ZONE} for name in _LOCAL},
    **{(name, "date"): {ZONE} for name in ("to_timestamp", "unix_timestamp")},
    **{
        (name, kind): {DIGITS}
        for name in ("round", "bround", "to_string", "to_decimal")
        for kind in REALS
    },
}
