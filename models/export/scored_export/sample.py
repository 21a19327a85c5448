# SPDX-License-Identifier: Apache-2.0
"""Samples as people hold them: Spark and pandas DataFrames, lists of Rows or dicts."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from scored_export.errors import Refused, first_line
from scored_export.values import INTEGERS

TAKEN = "give a Spark or pandas DataFrame, or a list of Rows or dicts with schema="
SCHEMAS = "give a StructType, its json(), or text as 'make string, age int'"
LISTED = 12

Values = list[Any]


def _module(value: Any) -> str:
    return type(value).__module__


def _is_of(value: Any, package: str) -> bool:
    """Tell if a value is of a package: pandas 3 says `pandas` where pandas 2 says `pandas.core.frame`."""
    return f"{_module(value)}.".startswith(f"{package}.")


def is_spark_frame(sample: Any) -> bool:
    """Tell whether a sample is a DataFrame of Spark's already."""
    return _is_of(sample, "pyspark.sql") and hasattr(sample, "sparkSession")


def session() -> Any:
    """Return the active Spark session, or a new one."""
    from pyspark.sql import SparkSession

    active = SparkSession.getActiveSession()
    return active or SparkSession.builder.appName("scored-export").getOrCreate()


def as_frame(sample: Any, schema: Any = None) -> Any:
    """Return a sample as a DataFrame of Spark's.

    Parameters
    ----------
    sample : DataFrame of Spark or pandas, or list
        Rows as the service will send them. Of a pandas DataFrame the index is left out; None, NaT and NA are
        nulls, and so is NaN outside of columns of floats, where Spark and the service tell it from null.
    schema : StructType or str, optional
        Names and types, as ``"make string, age int"``. Without it a pandas DataFrame gets the types that
        Spark infers, which are printed; a list needs it.
    """
    if is_spark_frame(sample):
        if schema is not None:
            raise Refused("a DataFrame of Spark's has its schema", "leave schema= out, or cast columns")
        return sample
    if _is_of(sample, "pyspark.pandas") and hasattr(sample, "to_spark"):
        return as_frame(sample.to_spark(), schema)
    if _is_of(sample, "pandas") and hasattr(sample, "columns"):
        names, columns = _pandas(sample)
    elif isinstance(sample, Sequence) and not isinstance(sample, (str, bytes)):
        names, columns = _listed(sample, schema)
    else:
        raise Refused(f"a sample of type {_module(sample)}.{type(sample).__qualname__} is not taken", TAKEN)
    given = _struct(schema)
    if given is not None:
        return _make(*_ordered(names, columns, given))
    frame = _inferred(names, columns)
    print(f"inferred schema: {ddl(frame.schema)}; choose others by schema=", file=sys.stderr)
    nans = [name for name, values in zip(names, columns) if any(map(_is_nan, values))]
    if nans:
        print(f"NaN is no null: it stays NaN in {', '.join(nans)}", file=sys.stderr)
    return frame


def ddl(schema: Any) -> str:
    """Return a schema as ``schema=`` takes it."""
    return ", ".join(f"{_quoted(f.name)} {f.dataType.simpleString()}" for f in schema.fields)


def _quoted(name: str) -> str:
    plain = name.isascii() and name.replace("_", "a").isalnum() and not name[:1].isdigit()
    return name if plain else "`" + name.replace("`", "``") + "`"


# -- what Python holds


def _plain(value: Any) -> Any:
    """Return a cell as Spark takes it: NumPy's scalars and arrays as Python's, what is missing as None."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return None
    if _is_of(value, "numpy"):
        return value.tolist()
    if hasattr(value, "to_pydatetime"):
        return value.to_pydatetime()
    return [_plain(part) for part in value] if type(value) in (list, tuple) else value


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _pandas(frame: Any) -> tuple[list[str], list[Values]]:
    """Return names and values of a pandas DataFrame's columns."""
    labels = list(frame.columns)
    odd = next((label for label in labels if isinstance(label, tuple)), None)
    if odd is not None:
        raise Refused(f"the sample's column {odd!r} has a name of several levels", "give columns plain names")
    names = [str(label) for label in labels]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise Refused(f"two columns of the sample are called {twice!r}", "rename one of them")
    return names, [_series(frame.iloc[:, i]) for i in range(len(names))]


def _series(series: Any) -> Values:
    floats = series.dtype.kind == "f" and _is_of(series.dtype, "numpy")
    values = [_plain(value) for value in series.astype(object).tolist()]
    return values if floats else [None if _is_nan(value) else value for value in values]


def _named(row: Any, place: int) -> Mapping[str, Any]:
    """Return a dict or a Row with names as a mapping."""
    if isinstance(row, Mapping):
        return row
    if hasattr(row, "asDict") and hasattr(row, "__fields__"):
        return dict(zip(row.__fields__, row))
    raise Refused(f"row {place} of the sample is a {type(row).__name__} without names", "give Rows or dicts")


def _listed(rows: Sequence[Any], schema: Any) -> tuple[list[str], list[Values]]:
    """Return names and values of the columns of a list; a name that a row has not is null there."""
    found = [_named(row, i) for i, row in enumerate(rows)]
    names = list(dict.fromkeys(name for row in found for name in row))
    odd = next((name for name in names if not isinstance(name, str)), None)
    if odd is not None:
        raise Refused(f"{odd!r} is no name of a column", "give names that are strings")
    columns = [[_plain(row.get(name)) for row in found] for name in names]
    if schema is None:
        guess = _guess(names, columns)
        raise Refused("a list says no types", f"give schema={guess!r}" if guess else "give schema=")
    return names, columns


# -- types


def _guess(names: Sequence[str], columns: Sequence[Values]) -> str:
    try:
        return ddl(_inferred(names, columns).schema)
    except Refused:
        return ""


def _inferred(names: Sequence[str], columns: Sequence[Values]) -> Any:
    """Return a DataFrame with the types that Spark infers."""
    if not names or not columns[0]:
        raise Refused("the sample has no rows" if names else "the sample has no columns", TAKEN)
    for name, values in zip(names, columns):
        if all(value is None for value in values):
            cure = "choose it by schema=, or leave the column out"
            raise Refused(f"column {name} of the sample holds no value, so its type is not known", cure)
    spark = session()
    try:
        return spark.createDataFrame(list(zip(*columns)), list(names))
    except Exception as error:
        raise Refused(*_uninferred(spark, names, columns, error)) from None


def _uninferred(
    spark: Any, names: Sequence[str], columns: Sequence[Values], error: Exception
) -> tuple[str, str]:
    """Return why no type is inferred, of the column to blame, and what to do."""
    for name, values in zip(names, columns):
        try:
            spark.createDataFrame([(value,) for value in values], [name])
        except Exception as its_own:
            error, what = its_own, f"type of column {name}"
            break
    else:
        what = "schema of the sample"
    return f"the {what} cannot be inferred: {first_line(error)}", "choose it by schema="


def _struct(schema: Any) -> Any:
    """Return a schema as a StructType."""
    from pyspark.sql.types import StructType, _parse_datatype_string

    if schema is None or isinstance(schema, StructType):
        return schema
    if not isinstance(schema, str):
        raise Refused(f"schema= is a {type(schema).__name__}", SCHEMAS)
    session()  # which parses it
    try:
        text = schema.strip()
        parsed = StructType.fromJson(json.loads(text)) if text[:1] == "{" else _parse_datatype_string(text)
    except Exception as error:
        raise Refused(f"schema={schema!r} is not understood: {first_line(error)}", SCHEMAS) from None
    if not isinstance(parsed, StructType):
        raise Refused(f"schema={schema!r} names no column", SCHEMAS)
    return parsed


def _ordered(names: Sequence[str], columns: Sequence[Values], schema: Any) -> tuple[list[Values], Any]:
    """Return the columns that a schema names, in its order and as its types hold them."""
    strange = [name for name in names if name not in schema.names]
    if strange:
        raise Refused(
            f"the sample has {', '.join(map(repr, strange[:LISTED]))}, which schema= has not",
            "names match byte for byte; take out of the sample what the service will not send",
        )
    rows = len(columns[0]) if columns else 0
    have = dict(zip(names, columns))
    return [_typed(f, have.get(f.name, [None] * rows)) for f in schema.fields], schema


def _typed(field: Any, values: Values) -> Values:
    """Return a column's values as its type holds them: pandas keeps integers among nulls as floats."""
    kind = field.dataType.simpleString()
    convert: Callable[[Any], Any] | None = None
    if kind in INTEGERS:
        convert = _integer
    elif kind in ("double", "float"):
        convert = _float
    elif type(field.dataType).__name__ == "VectorUDT":
        convert = _vector
    if convert is None:
        return values
    return [None if value is None else convert(value) for value in values]


def _integer(value: Any) -> Any:
    if _is_nan(value):
        return None
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _float(value: Any) -> Any:
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _vector(value: Any) -> Any:
    from pyspark.ml.linalg import Vectors

    return Vectors.dense(value) if isinstance(value, (list, tuple)) else value


# -- Spark


def _make(columns: Sequence[Values], schema: Any) -> Any:
    """Return a DataFrame of these columns; a value that does not fit is named."""
    try:
        return session().createDataFrame(list(zip(*columns)), schema, verifySchema=True)
    except Exception as error:
        where = next(_misfits(columns, schema), first_line(error))
        raise Refused(f"the sample does not fit its schema: {where}", "mend the value, or the type") from None


def _misfits(columns: Iterable[Values], schema: Any) -> Iterator[str]:
    from pyspark.sql.types import _make_type_verifier

    for field, values in zip(schema.fields, columns):
        verify = _make_type_verifier(field.dataType, field.nullable)
        for i, value in enumerate(values):
            try:
                verify(value)
            except Exception:
                kind = field.dataType.simpleString() + ("" if field.nullable else ", which takes no null")
                yield f"row {i}, column {field.name}: {value!r} is no {kind}"
