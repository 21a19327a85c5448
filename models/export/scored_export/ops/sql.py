# SPDX-License-Identifier: Apache-2.0
"""SQLTransformer: Spark analyzes the statement, and its typed expressions become programs.

A program is postfix: each instruction takes its arguments from those before it. What no program can say is
refused by its name in Spark.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from itertools import zip_longest
from typing import Any

import numpy as np

from scored_export.errors import Refused
from scored_export.java_regex import translate
from scored_export.needs import ZONE
from scored_export.ops.base import Built, Columns, Reading
from scored_export.ops.functions import (
    BY_REGEX,
    CALLS,
    CASTS,
    DATE_UNITS,
    INTEGERS,
    MODES,
    NEEDS,
    OF_CONSTANTS,
    SAME,
    TIME_UNITS,
    TYPED,
    TYPES_OF,
    WEEK,
)
from scored_export.platform import is_fixed, time_zone
from scored_export.saved import SavedStage
from scored_export.spark_says import refusal
from scored_export.values import MOMENTS, base_type, number

DEPTH = 200
LONG_DIGITS = 18
DIVISIONS = ("Divide", "IntegralDivide", "Remainder", "Pmod")  # whose divisor is evaluated first
CONSTANTS = ("Literal", "EulerNumber", "Pi")
CURE = "leave it out of the statement, or compute it before the pipeline"
Instruction = list[Any]


@dataclass(frozen=True)
class Program:
    """Instructions with what they leave; columns stand by name in them."""

    instructions: list[Instruction]
    kind: str
    depth: int = 1
    needs: set[str] = field(default_factory=set)

    @property
    def column(self) -> str | None:
        """Return the column that this is, if it is no more than one."""
        first = self.instructions[0]
        return first[1] if len(self.instructions) == 1 and first[0] == "column" else None

    def reads(self) -> set[str]:
        """Return the columns that it reads."""
        return {one[1] for one in self.instructions if one[0] == "column"}

    def throws(self) -> bool:
        """Tell whether a row can be an error."""
        return any("ansi" in one[2:3] for one in self.instructions if one[0] not in ("column", "literal"))

    def numbered(self, columns: list[str]) -> list[Instruction]:
        """Return the instructions with columns by their number."""
        return [
            [one[0], columns.index(one[1])] if one[0] == "column" else one for one in self.instructions
        ]


@dataclass(frozen=True)
class Projection:
    """What a statement makes of the columns before it.

    Attributes
    ----------
    reads : list of str
        Columns that it names or computes with.
    keeps : list of str
        Columns that it passes on.
    makes : dict
        Name of each other column -> its program.
    conditions : list of Program
        What must be true of a row.
    """

    reads: list[str]
    keeps: list[str]
    makes: dict[str, Program]
    conditions: list[Program]


def _seq(scala: Any) -> Iterator[Any]:
    return (scala.apply(i) for i in range(scala.size()))


def _name(java: Any) -> str:
    return str(java.getClass().getSimpleName()).rstrip("$")


def _refused(expression: Any, why: str = "") -> Refused:
    what = f"{_name(expression)} in `{expression.sql()}` cannot be scored"
    return Refused(f"{what}: {why}" if why else what, CURE)


# -- names, by the parser alone --


def _walk(plan: Any) -> Iterator[Any]:
    """Yield all expressions of a parsed plan."""
    waiting = [*_seq(plan.expressions())]
    while waiting:
        expression = waiting.pop()
        yield expression
        waiting += _seq(expression.children())
    for child in _seq(plan.children()):
        yield from _walk(child)


def _under(expression: Any) -> Iterator[Any]:
    """Yield an expression and all that it is made of."""
    yield expression
    for child in _seq(expression.children()):
        yield from _under(child)


def _surely(expression: Any) -> Iterator[Any]:
    """Yield what is evaluated for every row, before a null or a condition can leave anything out."""
    yield expression
    children = list(_seq(expression.children()))
    if children:
        yield from _surely(children[1 if _name(expression) in DIVISIONS else 0])


def _parsed(saved: SavedStage) -> Any:
    parser = saved.spark._jsparkSession.sessionState().sqlParser()
    try:
        return parser.parsePlan(saved.params["statement"])
    except Exception as error:
        refused = refusal(error, "Spark cannot parse the statement", cure="mend the statement")
        raise refused.at(saved.name, saved.uid) from error


def _mentioned(plan: Any) -> list[str]:
    """Return the names of columns that a parsed plan mentions."""
    found = [e for e in _walk(plan) if _name(e) == "UnresolvedAttribute"]
    return list(dict.fromkeys(str(list(_seq(e.nameParts()))[-1]) for e in found))


def sql_columns(saved: SavedStage) -> tuple[Columns, Columns]:
    """Return the columns that a statement mentions, and the names that it gives; its input is not known."""
    plan = _parsed(saved)
    given = [str(e.name()) for e in _seq(plan.expressions()) if _name(e) == "Alias"]
    return {"inputCols": _mentioned(plan)}, {"outputCols": list(dict.fromkeys(given))}


# -- the analyzed plan --


def _is_replaced(spark: Any, expression: Any) -> bool:
    from py4j.java_gateway import is_instance_of

    owner = "org.apache.spark.sql.catalyst.expressions.RuntimeReplaceable"
    return bool(is_instance_of(spark.sparkContext._gateway, expression, owner))


def _of_literals(expression: Any) -> bool:
    """Tell whether all that an expression is made of are literals, so that it is one."""
    if _name(expression) in CONSTANTS:
        return True
    children = list(_seq(expression.children()))
    return bool(children) and all(_of_literals(child) for child in children)


def _mode(expression: Any) -> str:
    for ask in ("evalMode", "failOnError", "ansiEnabled"):
        try:
            found = getattr(expression, ask)()
        except Exception:  # of another class, or of another Spark
            continue
        return ("ansi" if found else "legacy") if isinstance(found, bool) else str(found.toString()).lower()
    raise _refused(expression, "whether it is ANSI's is not known")


def _digits(kind: str) -> tuple[int, int]:
    """Return the precision and the scale of a decimal type."""
    precision, scale = kind[len("decimal(") : -1].split(",")
    return int(precision), int(scale)


def _unscaled(value: Decimal, kind: str) -> int:
    """Return a decimal as an integer of units of its type's scale."""
    sign, digits, exponent = value.as_tuple()
    shift = int(exponent) + _digits(kind)[1]
    return (-1 if sign else 1) * int("".join(map(str, digits))) * 10**shift


def _literal(kind: str, value: Any) -> Program:
    if value is None or kind == "boolean" or kind == "string":
        given = value if value is None else str(value) if kind == "string" else str(int(value))
    elif kind in ("float", "double"):
        given = number(float(np.float32(value)) if kind == "float" else float(value))
    elif kind.startswith("decimal"):
        given = str(_unscaled(value.toJavaBigDecimal(), kind))
    else:
        given = str(int(value))
    return Program([["literal", kind, given]], kind)


def _literal_of(program: Program) -> str | None:
    """Return the text of the value that a program always is, if it is no more than one, and no null."""
    first, *others = program.instructions
    return str(first[2]) if not others and first[0] == "literal" and first[2] is not None else None


def _replacement(expression: Any, text: Program, position: Program) -> str:
    """Return what a match becomes, a backslash before a character being that character."""
    found = _literal_of(text)
    if found is None or position.instructions != [["literal", "int", "1"]]:
        raise _refused(expression, "its replacement is no constant, or it begins behind the first character")
    if not re.fullmatch(r"(?:[^\\$]|\\.)*", found, re.DOTALL):
        raise _refused(expression, "its replacement refers to a group")
    return re.sub(r"\\(.)", r"\1", found, flags=re.DOTALL)


def _like(expression: Any, pattern: Program) -> Program:
    """Return the escape of a LIKE whose pattern Java's regular expressions read as SQL means it."""
    escape = str(expression.escapeChar())
    kind, _, text = pattern.instructions[0] if len(pattern.instructions) == 1 else ("", "", None)
    if kind != "literal" or text is None:
        raise _refused(expression, "its pattern is no constant")
    if max(text + escape, default="") > "\uffff":
        raise _refused(expression, "its pattern has characters beyond U+FFFF")
    if not re.fullmatch("(?:[^E]|E[E%_])*".replace("E", re.escape(escape)), text, re.DOTALL):
        raise _refused(expression, "its pattern has an escape before what needs none")
    if escape > "\x7f":
        raise _refused(expression, "its escape is not ASCII")
    return Program([["literal", "string", escape]], "string")


class _Reader:
    """Reads the plan of one statement."""

    def __init__(self, spark: Any) -> None:
        self._spark = spark
        self._known: dict[int, Program] = {}
        self.conditions: list[Program] = []

    @cached_property
    def zone(self) -> str:
        """Return the session's time zone."""
        return time_zone(self._spark)

    def plan(self, plan: Any) -> list[Program]:
        """Return the columns of a plan."""
        name = _name(plan)
        children = list(_seq(plan.children()))
        if name == "LogicalRDD":
            for attribute in _seq(plan.output()):
                column = [["column", str(attribute.name())]]
                self._known[attribute.exprId().id()] = Program(column, self.kind(attribute))
        elif name in ("SubqueryAlias", "View", "Filter"):
            self.plan(children[0])
            if name == "Filter":
                self._condition(plan.condition())
        elif name == "Project":
            self.plan(children[0])
            made = [(one.exprId().id(), self._column(one)) for one in _seq(plan.projectList())]
            self._known.update(made)
        else:
            raise Refused(f"the statement has a {name}, which is no projection of one row", CURE)
        return [self._known[one.exprId().id()] for one in _seq(plan.output())]

    def _column(self, expression: Any) -> Program:
        """Return a column of a projection: what can throw and stands in it twice, Spark evaluates first."""
        program = self.read(expression)
        first = [one for one in self._shared(expression) if one.throws()] if program.throws() else []
        return self._made(expression, "first", [*first, program], program.kind) if first else program

    def _shared(self, expression: Any) -> Iterator[Program]:
        """Yield what Spark computes once for an expression, what is needed for others before them."""
        spark = self._spark
        if _is_set(spark, "spark.sql.subexpressionElimination.enabled"):
            catalyst = spark.sparkContext._jvm.org.apache.spark.sql.catalyst
            skip = _is_set(spark, "spark.sql.subexpressionElimination.skipForShortcutExpr")
            found = catalyst.expressions.EquivalentExpressions(skip)
            found.addExprTree(expression, getattr(found, "addExprTree$default$2")())
            sure = list(_surely(expression))
            for one in _seq(found.getCommonSubexpressions()):
                if not any(one.semanticEquals(other) for other in sure):
                    yield self.read(one)
        # what a projection below makes, and this one reads twice
        read = [one for one in _under(expression) if _name(one) == "AttributeReference"]
        times = Counter(one.exprId().id() for one in read)
        yield from (self._known[i] for i, count in times.items() if count > 1)

    def _condition(self, condition: Any) -> None:
        if _name(condition) == "And":
            for child in _seq(condition.children()):
                self._condition(child)
            return
        program = self.read(condition)
        if program.reads():
            self.conditions.append(program)
        elif program.instructions != [["literal", "boolean", "1"]]:
            raise Refused("the statement's WHERE does not depend on a row", CURE)

    def kind(self, expression: Any) -> str:
        """Return the type of an expression."""
        found = expression.dataType()
        return "vector" if _name(found) == "VectorUDT" else str(found.simpleString())

    def read(self, expression: Any) -> Program:
        """Return an expression as a program."""
        name = _name(expression)
        if name == "Alias":
            return self.read(expression.child())
        if name == "AttributeReference":
            return self._known[expression.exprId().id()]
        if name == "Literal":
            return self._constant(expression, expression.value())
        if _is_replaced(self._spark, expression):
            return self.read(expression.replacement())
        if not expression.deterministic():
            raise _refused(expression, "its value is another each time")
        return self._folded(expression) or self._call(expression, name)

    def _constant(self, expression: Any, value: Any) -> Program:
        kind = self.kind(expression)
        if base_type(kind) not in TYPES_OF["scalar"]:
            raise _refused(expression, f"there are no constants of type {kind}")
        if kind == "string" and value is not None and "\0" in str(value):
            raise _refused(expression, "it holds U+0000")
        return _literal(kind, value)

    def _folded(self, expression: Any) -> Program | None:
        """Return what Spark makes of an expression of literals; where it throws, rows will."""
        if not _of_literals(expression):
            return None
        try:
            value = expression.eval(None)
        except Exception:
            return None
        return self._constant(expression, value)

    def _call(self, expression: Any, name: str) -> Program:
        args = [self.read(child) for child in _seq(expression.children())]
        kind = self.kind(expression)
        if name == "InSet":
            args += [self._constant(expression.child(), value) for value in _seq(expression.hset().toSeq())]
            return self._made(expression, "in", args, kind)
        if name == "Cast":
            return self._cast(expression, args[0], kind)
        if name in SAME and args[0].kind == kind:
            return args[0]
        if name == "IsNotNull":
            return self._made(expression, "not", [self._made(expression, "is_null", args, "boolean")], kind)
        if name in ("If", "CaseWhen") and len(args) % 2 == 0:
            args.append(_literal(kind, None))
        if name in ("TruncDate", "TruncTimestamp", "NextDay", "UnixTimestamp", "ToUnixTimestamp"):
            return self._moment(expression, name, args, kind)
        if name in BY_REGEX:
            return self._made(expression, BY_REGEX[name], self._searched(expression, args), kind)
        if name not in CALLS:
            raise _refused(expression)
        function, takes = CALLS[name]
        for arg, among in zip_longest(args, takes[: len(args)], fillvalue=takes[-1]):
            if among != "any" and base_type(arg.kind) not in TYPES_OF[among]:
                raise _refused(expression, f"not of {arg.kind}")
        rounded = name in ("Round", "BRound") and base_type(kind) == "decimal"
        if rounded and args[1].instructions[0][2][0] == "-":
            raise _refused(expression, "a decimal is rounded to no negative scale")
        if function in OF_CONSTANTS and any(_literal_of(arg) is None for arg in args[1:]):
            raise _refused(expression, "what stands behind its text is no constant")
        if name == "Like":
            args.append(_like(expression, args[1]))
        return self._made(expression, function, args, kind)

    def _searched(self, expression: Any, args: list[Program]) -> list[Program]:
        """Return the arguments of a function of a regular expression: it, its sets, and how Java searches."""
        text, pattern, *others = args
        constant = _literal_of(pattern)
        if constant is None:
            raise _refused(expression, "its pattern is no constant")
        found = translate(self._spark, constant)
        sets = "".join("".join(f"{a:x}-{b:x}," for a, b in ranges) + ";" for ranges in found.sets)
        how = int(found.units) + 2 * int(found.aligned)
        more = [_literal("string", _replacement(expression, *others))] if others else []
        return [text, _literal("string", found.text), _literal("string", sets), _literal("int", how), *more]

    def _moment(self, expression: Any, name: str, args: list[Program], kind: str) -> Program:
        """Return a call of a function that has a unit, a day or a pattern among its arguments."""
        moment, word = reversed(args) if name == "TruncTimestamp" else args
        if name in ("UnixTimestamp", "ToUnixTimestamp"):
            if moment.kind not in MOMENTS:
                raise _refused(expression, f"a {moment.kind} is read by a pattern")
            return self._made(expression, "unix_timestamp", [moment], kind)
        if len(word.instructions) > 1 or word.instructions[0][0] != "literal":
            raise _refused(expression, "its unit is no constant")
        text = str(word.instructions[0][2]).upper()
        if name == "NextDay":
            day = next((i for i, names in enumerate(WEEK) if text in names), None)
            if day is None:
                raise _refused(expression, f"{text!r} is no day of the week")
            return self._made(expression, "next_day", [moment, _literal("int", day)], kind)
        units = DATE_UNITS if name == "TruncDate" else TIME_UNITS
        unit = next((unit for unit, names in units.items() if text in names), None)
        if unit is None:  # Spark does not look at the moment
            return _literal(kind, None)
        return moment if unit == "microsecond" else self._made(expression, f"trunc_{unit}", [moment], kind)

    def _cast(self, expression: Any, arg: Program, kind: str) -> Program:
        if arg.kind == kind:
            return arg
        if (base_type(arg.kind), base_type(kind)) not in CASTS:
            raise _refused(expression, f"no cast from {arg.kind} to {kind}")
        wide = arg.kind.startswith("decimal") and _digits(arg.kind)[0] > LONG_DIGITS
        if wide and base_type(kind) in INTEGERS and _mode(expression) != "legacy":
            raise _refused(expression, f"under ANSI Spark rounds a {arg.kind} to a double first")
        return self._made(expression, f"to_{base_type(kind)}", [arg], kind)

    def _made(self, expression: Any, function: str, args: list[Program], kind: str) -> Program:
        depth = 1 + max((arg.depth for arg in args), default=0)
        if depth > DEPTH:
            raise Refused(f"the statement is nested deeper than {DEPTH}", "use several SQLTransformers")
        more = NEEDS.get((function, base_type(args[0].kind)), set())
        needs = set().union(*(arg.needs for arg in args), more)
        if ZONE in more and not is_fixed(self.zone):
            raise _refused(expression, f"rules of the time zone {self.zone} are not known")
        call: Instruction = [function, len(args)]
        typed = function in TYPED and base_type(kind) == "decimal"
        if function in MODES or function.startswith("to_"):
            call.append(_mode(expression))
        elif typed:
            call.append("legacy")
        if typed:
            call.append(kind)
        return Program([one for arg in args for one in arg.instructions] + [call], kind, depth, needs)


def _is_set(spark: Any, key: str) -> bool:
    return str(spark.conf.get(key)).lower() == "true"


def _same_name(spark: Any, name: str, other: str) -> bool:
    if _is_set(spark, "spark.sql.caseSensitive"):
        return name == other
    return name.lower() == other.lower()


def project(saved: SavedStage, live: Any, schema: Any) -> Projection:
    """Return what a statement makes of rows of a schema."""
    spark = saved.spark
    mentioned = _mentioned(_parsed(saved))
    reader = _Reader(spark)
    try:
        execution = live.transform(spark.createDataFrame([], schema))._jdf.queryExecution()
        analyzed = execution.analyzed()
        # what the optimiser leaves out throws nothing, and only under ANSI expressions throw
        plan = execution.optimizedPlan() if _is_set(spark, "spark.sql.ansi.enabled") else analyzed
    except Exception as error:
        raise refusal(error, "Spark cannot plan the statement", cure="mend the statement") from error
    names = [str(one.name()) for one in _seq(analyzed.output())]
    columns = list(zip(names, reader.plan(plan)))
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise Refused(f"the statement makes column {twice!r} twice", "give one of them another name")
    keeps = [name for name, program in columns if program.column == name]
    makes = {name: program for name, program in columns if program.column != name}
    read = {name for program in [*makes.values(), *reader.conditions] for name in program.reads()}
    here = [f.name for f in schema.fields]
    read |= {name for name in here if any(_same_name(spark, name, other) for other in mentioned)}
    return Projection([name for name in here if name in read], keeps, makes, reader.conditions)


def _projection(r: Reading) -> tuple[Projection, list[str], list[str]]:
    """Return the projection, the columns of the stage's inputs, and those that are dropped."""
    from pyspark.sql.types import StructType

    schema = StructType(list(r.fields.values()))
    found = r.saved.once(f"projection of {schema.json()}", lambda: project(r.saved, r.live, schema))
    drops = [name for name in r.fields if name not in found.keeps and name not in found.makes]
    return found, [name for name in r.fields if name in found.reads or name in drops], drops


def present_projection(r: Reading) -> tuple[Columns, Columns]:
    """Return the columns that a SQLTransformer reads or drops, and those that it makes."""
    found, inputs, _ = _projection(r)
    return {"inputCols": inputs}, {"outputCols": list(found.makes)}


def _check_kind(name: str, kind: str, known: Iterable[str]) -> None:
    if base_type(kind) not in known:
        raise Refused(f"column {name} would have type {kind}, which no bundle holds", CURE)


def sql_transformer(r: Reading) -> Built:
    """SQLTransformer: a program for each output and each condition."""
    found, inputs, drops = _projection(r)
    for name, program in found.makes.items():
        if program.column is None:
            _check_kind(name, program.kind, TYPES_OF["scalar"])
    needs = set().union(*(program.needs for program in [*found.makes.values(), *found.conditions]))
    return Built(
        {
            "expressions": [program.numbered(inputs) for program in found.makes.values()],
            "where": [program.numbered(inputs) for program in found.conditions],
            "drops": [inputs.index(name) for name in drops],
        },
        needs={"outputCols": needs},
    )
