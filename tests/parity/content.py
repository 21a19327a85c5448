# SPDX-License-Identifier: Apache-2.0
"""Digests of what is loaded and asked, never of files: who edits a pipeline while a run goes on keeps no stale fit."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import fields, is_dataclass
from types import CodeType, FunctionType
from typing import Any

#: Functions of these modules count with their code, others by name.
OURS = ("pipelines", "rows", "tokens", "example", "mixes", "composing", "days_to_sell")


def digest(*parts: str) -> str:
    """Return twelve hex digits of texts."""
    return hashlib.sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()[:12]


def _code(code: CodeType, known: dict[str, Any], seen: set[int]) -> str:
    """Return what code does: its bytes, its constants, and the globals that it names."""
    consts = [_code(c, known, seen) if isinstance(c, CodeType) else _text(c, seen) for c in code.co_consts]
    named = [f"{name}={_text(known[name], seen) if name in known else ''}" for name in code.co_names]
    return f"{code.co_code.hex()} {consts} {named} {code.co_varnames}"


def _function(function: FunctionType, seen: set[int]) -> str:
    name = f"{function.__module__}.{function.__qualname__}"
    if function.__module__.split(".")[0] not in OURS or id(function) in seen:
        return name
    seen.add(id(function))
    bound = [_text(cell.cell_contents, seen) for cell in function.__closure__ or ()]
    given = _text([function.__defaults__, function.__kwdefaults__], seen)
    return f"{name} {_code(function.__code__, function.__globals__, seen)} {bound} {given}"


def _array(value: Any) -> str:
    """Return a vector or matrix of Spark: all its attributes, arrays as bytes."""
    parts = {name: getattr(value, name) for name in value.__slots__} if hasattr(value, "__slots__") else vars(value)
    return " ".join(f"{k}={v.tobytes().hex() if hasattr(v, 'tobytes') else v!r}" for k, v in sorted(parts.items()))


def _text(value: Any, seen: set[int]) -> str:
    """Return a value as a text that is equal exactly when the value is."""
    if isinstance(value, FunctionType):
        return _function(value, seen)
    if isinstance(value, functools.partial):
        return _text([value.func, value.args, value.keywords], seen)
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_text(v, seen) for v in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_text(k, seen)}: {_text(v, seen)}' for k, v in value.items())}}}"
    if isinstance(value, (set, frozenset)):
        return f"{{{', '.join(sorted(_text(v, seen) for v in value))}}}"
    if type(value).__module__ == "pyspark.ml.linalg":
        return f"{type(value).__name__} {_array(value)}"
    if is_dataclass(value) and not isinstance(value, type):
        return f"{type(value).__name__} {[(f.name, _text(getattr(value, f.name), seen)) for f in fields(value)]}"
    if value is None or isinstance(value, (bool, int, float, str, bytes)):
        return repr(value)
    return str(getattr(value, "__name__", type(value).__name__))


def content(*values: Any) -> str:
    """Return twelve hex digits of values: functions with all that they name, rows, columns, texts."""
    return digest(_text(values, set()))
