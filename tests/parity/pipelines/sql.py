# SPDX-License-Identifier: Apache-2.0
"""SQLTransformer before, between and behind other stages: projections, conditions, columns that go and come."""

from __future__ import annotations

from pyspark.ml.feature import Bucketizer, SQLTransformer, Tokenizer

from pipelines.table import S_KNOWN, Stages, lin, nums, pipeline, si, va
from rows import Number, Text, Vec

I = Number("i", "int", null=True)  # noqa: E741
L = Number("l", "bigint", null=True)
X = Number("x", null=True, nan=True)
W = Text("w", null=True, unseen=True)


def sql(statement: str) -> SQLTransformer:
    """SQLTransformer."""
    return SQLTransformer(statement=statement)


@pipeline(I, L, X, ci=True, drops=True)
def arithmetic_in_sql() -> Stages:
    return [
        sql(
            "SELECT *, i + 1 AS i1, l * i AS li, x / i AS xi, l % i AS m, pmod(i, 5) AS p, -l AS nl, abs(i) AS ai, "
            "i div 3 AS d3, x * 1.5 AS h, CAST(x AS int) AS xn, CAST(l AS double) AS ld FROM __THIS__"
        ),
        va("i1 li xi m p nl ai d3 h xn ld", mode="skip"),
        lin(),
    ]


@pipeline(X, Number("y", null=True), ci=True)
def logarithms_in_sql() -> Stages:
    return [
        sql(
            "SELECT *, ln(x) AS a, log10(x) AS b, log2(abs(x)) AS c, log1p(x) AS d, exp(x) AS e, expm1(y) AS f, "
            "pow(x, y) AS g, sqrt(x) AS h, log(abs(y), abs(x)) AS k, round(x, 2) AS r, bround(y, 1) AS br, "
            "floor(x) AS fl, ceil(y) AS ce, sign(x) AS s, x > y AS gt, greatest(x, y) AS gr FROM __THIS__"
        )
    ]


@pipeline(I, X, S_KNOWN, drops=True)
def choices_in_sql() -> Stages:
    return [
        sql(
            "SELECT *, CASE WHEN s = 'alpha' THEN 0 WHEN s IN ('beta', 'Alpha') THEN 1 ELSE 2 END AS k, "
            "coalesce(CAST(i AS double), x, 0D) AS c, IF(isnan(x), 0, x) AS z, nvl(i, -1) AS n, "
            "x BETWEEN -1 AND 1 AS near, i IS NULL OR x < 0 AS odd FROM __THIS__"
        ),
        va("k c z n", mode="skip"),
        lin(),
    ]


@pipeline(W, Text("u", null=True, unseen=True))
def texts_in_sql() -> Stages:
    return [
        sql(
            "SELECT *, lower(w) AS lw, length(w) AS n, concat(w, '-', u) AS wu, concat_ws('/', w, u, 'z') AS ws, "
            "substring(w, 2, 3) AS sub, trim(w) AS t, replace(w, 'a', 'bb') AS r, w LIKE '%a%' AS has, "
            "startswith(w, u) AS st, instr(w, 'a') AS at, CAST(w AS double) AS d, CAST(length(w) AS string) AS ns, "
            "coalesce(w, '') AS cw FROM __THIS__"
        ),
        Tokenizer(inputCol="cw", outputCol="words"),
    ]


@pipeline(I, X, S_KNOWN, ci=True, drops=True)
def conditions_in_sql() -> Stages:
    return [
        si("s", "skip"),
        sql("SELECT *, x * i AS xi FROM __THIS__ WHERE x > -4 AND (i IS NULL OR i <> 3)"),
        Bucketizer(inputCol="x", outputCol="x_b", splits=[-1e9, 0.0, 2.0, 1e9], handleInvalid="keep"),
        sql("SELECT *, x_b + 1 AS x_c FROM __THIS__ WHERE s_i < 4"),
        va("x_b x_c s_i xi", mode="skip"),
        lin(),
    ]


@pipeline(Number("x"), Number("i", "int"), Vec("v", size=3), drops=True)
def scopes_in_sql() -> Stages:
    """Names from one statement to the next; all keep `*`, which holds the rows' numbers here (tests/ops: sql_transformer.scope)."""
    return [
        sql("SELECT *, v AS u, x + i AS xi FROM __THIS__"),
        sql("SELECT *, xi * 2 AS x2, CAST(x AS bigint) AS j FROM __THIS__ WHERE u IS NOT NULL"),
        sql("SELECT *, j2 + 0.5D AS half FROM (SELECT *, j * j AS j2 FROM __THIS__) WHERE j2 >= 0"),
    ]


@pipeline(nums("x", 3, null=True, nan=True), Number("f", "float", null=True, nan=True))
def floats_in_sql() -> Stages:
    return [
        sql(
            "SELECT *, f + 1 AS f1, CAST(f * f AS float) AS ff, f > x0 AS g, CAST(f AS int) AS fi, "
            "CAST(x1 AS float) AS xf, CAST(f AS string) AS fs, CAST(x2 AS string) AS xs, nanvl(x0, x1) AS nv, "
            "round(f, 1) AS fr, f % 3 AS fm FROM __THIS__"
        )
    ]


@pipeline(Text("n", labels=("1", "2.5", "-3", "abc", " 7 ", "1e3", "true"), unseen=True, null=True), X)
def numerals_in_sql() -> Stages:
    kinds = ("tinyint", "smallint", "int", "bigint", "float", "double", "boolean")
    casts = ", ".join(f"CAST(n AS {kind}) AS n_{kind}" for kind in kinds)
    return [
        sql(f"SELECT *, {casts}, n > x AS above, n = 1 AS one FROM __THIS__"),
        sql("SELECT *, coalesce(n_double, 0D) * x AS nx FROM __THIS__"),
    ]


@pipeline(I, Number("b", "tinyint", null=True), Number("h", "smallint", null=True))
def bits_in_sql() -> Stages:
    return [
        sql(
            "SELECT *, b + b AS bb, h * h AS hh, b * h AS bh, i & 6 AS ia, i | b AS ib, ~i AS ni, -b AS nb, abs(h) AS ah, "
            "CAST(i AS tinyint) AS it, CAST(h AS boolean) AS hb, b = h AS e, least(b, h, i) AS le FROM __THIS__"
        )
    ]
