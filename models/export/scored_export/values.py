# SPDX-License-Identifier: Apache-2.0
"""Spark types and values as the bundle writes them."""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

INTEGERS = {"tinyint": 8, "smallint": 16, "int": 32, "bigint": 64}
FLOATS = ("float", "double")
NUMERIC = (*INTEGERS, *FLOATS)
REAL = (*NUMERIC, "decimal")  # what Spark casts to double
ARRAYS = ("array<string>", "array<int>", "array<float>", "array<double>")
MOMENTS = ("date", "timestamp")
TYPES = ("boolean", *NUMERIC, "decimal", "string", *MOMENTS, *ARRAYS, "vector")
SAFE_INTEGER = 1 << 53


def cast(name: str, accepts: Sequence[str] = TYPES) -> str:
    """Return what to do about a column whose type is none of those that a stage, or a bundle, takes."""
    to = [kind for kind in ("double", "string") if kind in accepts]
    if to:
        return f"cast column {name} to {' or '.join(to)} before the first stage"
    return f"make column {name} a column of type {' or '.join(accepts)} before this stage"


def type_name(data_type: Any) -> str:
    """Return the bundle's name of a Spark type; Spark's own for those no bundle holds."""
    name = str(data_type.simpleString())
    return "vector" if type(data_type).__name__ == "VectorUDT" else name


def base_type(kind: str) -> str:
    """Return a type without the digits of a decimal: what stages go by."""
    return kind.partition("(")[0]


def number(value: float) -> float | str:
    """Return a double as JSON can hold it."""
    if math.isfinite(value):
        return float(value)
    return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")


def saved_number(value: Any) -> float:
    """Return a double of Spark's metadata, where non-finite ones are strings."""
    return float(value)


def saved_vector(value: Any) -> Any:
    """Return a vector of Spark's metadata, an object whose `type` 0 is sparse."""
    from pyspark.ml.linalg import Vectors

    entries = [saved_number(entry) for entry in value["values"]]
    if value["type"] == 0:
        return Vectors.sparse(int(value["size"]), [int(i) for i in value["indices"]], entries)
    return Vectors.dense(entries)


def param(value: Any) -> Any:
    """Return a parameter value under the manifest's rules for numbers."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if abs(value) <= SAFE_INTEGER else str(value)
    return number(value) if isinstance(value, float) else value


def _float32(value: float) -> float | str:
    """Return the double whose shortest digits are the float's own shortest digits."""
    return float(str(np.float32(value))) if math.isfinite(value) else number(value)


def _vector(value: Any) -> Any:
    if hasattr(value, "indices"):
        return {
            "size": int(value.size),
            "indices": [int(i) for i in value.indices],
            "values": [number(float(v)) for v in value.values],
        }
    return [number(float(v)) for v in value.values]


ERA, BEFORE_1970 = 146_097, 719_162  # days of 400 years; days from 0001-01-01 on
MICROS, DAY_MICROS = 1_000_000, 86_400_000_000


def _date(days: int) -> str:
    """Return days since 1970 as a date; Python knows the years 1 to 9999 alone."""
    eras, day = divmod(days + BEFORE_1970, ERA)
    of_first = datetime.date.fromordinal(day + 1)
    year = of_first.year + 400 * eras
    sign = "+" if year > 9999 else "-" if year < 0 else ""
    return f"{sign}{abs(year):04}{of_first.isoformat()[4:]}"


def _timestamp(micros: int) -> str:
    """Return microseconds since 1970 as a timestamp of UTC."""
    days, micros = divmod(micros, DAY_MICROS)
    seconds, fraction = divmod(micros, MICROS)
    digits = f".{fraction:06}".rstrip("0") if fraction else ""
    return f"{_date(days)}T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{digits}Z"


def as_numbers(name: str, kind: str) -> str:
    """Return SQL of a column, by which a date or timestamp is a number: Python's are in its own time zone."""
    return {"date": f"unix_date({name})", "timestamp": f"unix_micros({name})"}.get(kind, name)


_ENCODERS: dict[str, Callable[[Any], Any]] = {
    "float": _float32,
    "double": number,
    "date": _date,
    "timestamp": _timestamp,
    "vector": _vector,
    "array<float>": lambda values: [None if v is None else _float32(v) for v in values],
    "array<double>": lambda values: [None if v is None else number(v) for v in values],
    "array<string>": list,
    "array<int>": list,
    "array<vector>": lambda values: [_vector(v) for v in values],
}


def encode(value: Any, kind: str) -> Any:
    """Return a Spark value of type `kind` as a golden row holds it."""
    if value is None:
        return None
    if kind.startswith("decimal"):
        return f"{value:f}"
    encoder = _ENCODERS.get(kind)
    return encoder(value) if encoder else value


def dumps(value: Any) -> str:
    """Return compact JSON; a NaN or an infinity that reached it is a bug."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
