# SPDX-License-Identifier: Apache-2.0
"""What a generator of requests cannot know of /openapi.json; schemathesis loads this."""

from __future__ import annotations

import schemathesis
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode, HookContext
from schemathesis.core import NOT_SET


@schemathesis.hook
def before_call(context: HookContext, case: Case, kwargs: dict[str, object]) -> None:
    """Send no body with GET and HEAD: such a request is never HTTP here, which tests/conformance has."""
    if case.method in ("GET", "HEAD"):
        case.body = NOT_SET


@schemathesis.hook
def filter_case(context: HookContext, case: Case) -> bool:
    """Leave out what is wrong in bodies that are answered row by row, with an error in its place; and a number, where a text
    is sent anyway.
    """
    wrong = case.meta and case.meta.generation.mode == GenerationMode.NEGATIVE
    by_row = isinstance(case.body, list) or case.media_type in ("text/csv", "application/x-ndjson")
    return not (wrong and by_row)


# RFC 4180, which no schema says: a line of names, and lines of as many fields.
_field = st.text(st.characters(codec="utf-8", exclude_characters='",\r\n\0'), max_size=8) | st.text(
    st.characters(codec="utf-8", exclude_characters='"\0'), max_size=8
).map(lambda text: f'"{text}"')


def _table(columns: int) -> st.SearchStrategy[bytes]:
    names = st.lists(st.from_regex(r"[a-z_]{1,12}", fullmatch=True), min_size=columns, max_size=columns, unique=True)
    rows = st.lists(st.lists(_field, min_size=columns, max_size=columns), max_size=5)
    return st.builds(lambda head, body: "".join(",".join(r) + "\n" for r in [head, *body]).encode(), names, rows)


schemathesis.openapi.media_type("text/csv", st.integers(1, 12).flatmap(_table))
