# SPDX-License-Identifier: Apache-2.0
"""Reads a regular expression of Java and says what is left of it: sets of code points in a small grammar.

Whatever matches one character, a literal or a class, is a set, and which characters it has is asked of
the JVM: so nothing depends on tables of Unicode, flags or the rules of Java's classes. Groups, quantifiers
and anchors stay, where their meaning is certain; everything else is refused by name.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from scored_export.errors import Refused
from scored_export.spark_says import spark_says

Ranges = list[tuple[int, int]]

HALVES = (0xD800, 0xDFFF)
LOW = (0xDC00, 0xDFFF)
BMP_MAX, CODE_MAX = 0xFFFF, 0x10FFFF
REPEATS, ITEM = 1000, -1
#: What a compiled pattern may take, and about what its parts take: PCRE2 has offsets of 16 bits.
BYTES, ITEM_BYTES, SET_BYTES, RANGE_BYTES, PAIR_BYTES = 50_000, 20, 44, 10, 30
CONTROLS = {"t": 9, "n": 10, "r": 13, "f": 12, "a": 7, "e": 27}
CLASSES = "dDwWsShHvV"
REFUSED = {
    "b": (
        "\\b counts letters and marks by the JDK's tables",
        "use look-ahead and look-behind, (?<!\\w) or (?!\\w)",
    ),
    "B": ("\\B counts letters and marks by the JDK's tables", "use look-ahead and look-behind"),
    "G": ("\\G depends on the search before", "leave it out"),
    "R": ("\\R is more than one character", "write (?:\\r\\n|[\\n\\x0B\\f\\r\\x85\\u2028\\u2029])"),
    "X": ("\\X depends on the JDK's rules of graphemes", "write a class"),
    "k": ("\\k refers to a group", "write the pattern without back references"),
    "N": ("\\N{...} depends on the JDK's names", "write \\x{...}"),
    "0": ("octal escapes are not translated", "write \\xhh"),
}
FLAGS = {
    "m": "(?m) changes what ^ and $ match",
    "x": "(?x) skips blanks and comments",
    "d": "(?d) changes what ends a line",
    "u": "(?u) folds case by the JDK's tables",
}


@dataclass
class Node:
    """A part of an expression.

    Attributes
    ----------
    width : bool
        Whether it can match a character.
    single : bool
        Whether it is one atom.
    uses, uses_of_units : Counter
        How often the compiled pattern has each atom, and ITEM.
    """

    text: str
    empty: bool = True
    width: bool = True
    single: bool = False
    uses: Counter[int] = field(default_factory=Counter)
    uses_of_units: Counter[int] = field(default_factory=Counter)


def _uses(node: Node, times: int = 1, times_of_units: int = 1) -> dict[str, Any]:
    """Return what a node takes that repeats another."""
    return {
        "uses": Counter({atom: n * times for atom, n in node.uses.items()}) + Counter({ITEM: 1}),
        "uses_of_units": Counter({atom: n * times_of_units for atom, n in node.uses_of_units.items()})
        + Counter({ITEM: 1}),
    }


def _refuse(why: str, cure: str) -> Refused:
    return Refused(f"the pattern cannot be translated: {why}", cure)


@dataclass
class Expression:
    """What is left of a pattern.

    Attributes
    ----------
    text : str
        The grammar of FORMAT.md.
    sets : list of Ranges
        What ``[0]``, ``[1]`` and so on stand for.
    units : bool
        Whether Java's halves of characters can make a difference.
    aligned : bool
        Whether Java's search goes by whole characters.
    """

    text: str
    sets: list[Ranges]
    units: bool
    aligned: bool


class Parser:
    """A pattern on its way; `atoms` are what stands for sets: ranges, or a text to ask Java."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.atoms: list[Ranges | str] = []
        self.ids: dict[str, int] = {}
        self.quoted = False
        if any(HALVES[0] <= ord(c) <= HALVES[1] for c in pattern):
            raise _refuse("half a surrogate pair stands in it", "write the whole character")

    # -- characters ----------------------------------------------------------------------------------

    def _is(self, text: str) -> bool:
        if not self.pattern.startswith(text, self.at):
            return False
        self.at += len(text)
        return True

    def _peek(self) -> str:
        return self.pattern[self.at : self.at + 1]

    def _next(self) -> str:
        c = self._peek()
        if not c:
            raise _refuse("it ends too early", "mend it")
        self.at += 1
        return c

    def _code(self, code: int) -> int:
        if HALVES[0] <= code <= HALVES[1]:
            raise _refuse("half a surrogate pair stands in it", "write \\x{...} for the whole character")
        return code

    def _hexadecimal(self, digits: str) -> int:
        found = re.compile(digits).match(self.pattern, self.at)
        if not found:
            raise _refuse(f"an escape at character {self.at} is none of Java's", "mend it")
        self.at = found.end()
        return self._code(int(found[found.lastindex or 0], 16))

    def _escaped(self, c: str) -> int | None:
        """Return the code point that a backslash and `c` stand for; None: it is no such escape."""
        if c in CONTROLS:
            return CONTROLS[c]
        if c == "x":
            return self._hexadecimal(r"\{([0-9a-fA-F]{1,6})\}|([0-9a-fA-F]{2})")
        if c == "u":
            return self._hexadecimal(r"([0-9a-fA-F]{4})")
        if c == "c":
            return self._code(ord(self._next()) ^ 64)
        return None if c.isascii() and c.isalnum() else self._code(ord(c))

    def _property(self) -> None:
        """Pass over what stands behind \\p."""
        if not self._is("{"):
            self._next()
            return
        end = self.pattern.find("}", self.at)
        name = self.pattern[self.at : end]
        if end < 0 or not re.fullmatch(r"[A-Za-z0-9_= -]+", name):
            raise _refuse("\\p is not closed", "mend it")
        if "surrogate" in name.lower() or name in ("Cs", "IsCs"):
            raise _refuse(f"\\p{{{name}}} is of halves of surrogate pairs", "leave it out")
        self.at = end + 1

    # -- sets ----------------------------------------------------------------------------------------

    def _atom(self, what: Ranges | str) -> Node:
        key = repr(what)
        if key not in self.ids:
            self.ids[key] = len(self.atoms)
            self.atoms.append(what)
        number = self.ids[key]
        one = Counter({number: 1})
        return Node(f"[{number}]", False, single=True, uses=one, uses_of_units=one)

    def _literal(self, code: int, flags: str) -> Node:
        self._code(code)
        letter = chr(code)
        if "i" in flags and letter.isascii() and letter.isalpha():
            return self._atom([(c, c) for c in (ord(letter.upper()), ord(letter.lower()))])
        return self._atom([(code, code)])

    def _asked(self, text: str, flags: str) -> Node:
        return self._atom(f"(?{flags}:{text})")

    def _class(self, flags: str) -> Node:
        """Pass over a class, its first bracket already read."""
        begin, depth = self.at - 1, 1
        self._opened()
        while depth:
            c = self._next()
            if c == "[":
                depth += 1
                self._opened()
            elif c == "]":
                depth -= 1
            elif c == "&" and self._is("&"):
                self._opened()
            elif c == "\\":
                self._escape_in_class(self._next())
            else:
                self._code(ord(c))
        return self._asked(self.pattern[begin : self.at], flags)

    def _opened(self) -> None:
        self._is("^")
        if self._peek() == "]":
            raise _refuse("']' stands first in a class", "write \\] for it")

    def _escape_in_class(self, c: str) -> None:
        if c in "pP":
            self._property()
        elif c not in CLASSES and self._escaped(c) is None:
            raise _refuse(f"\\{c} stands in a class", "write the characters one by one")

    # -- the grammar ---------------------------------------------------------------------------------

    def parse(self) -> Node:
        """Return the whole."""
        node = self._choice("")
        if self.at < len(self.pattern) or self.quoted:
            raise _refuse("')' closes nothing, or \\Q stands without \\E", "mend it")
        return node

    def _choice(self, flags: str) -> Node:
        scope = [flags]
        choices = [self._sequence(scope)]
        while self._is("|"):
            choices.append(self._sequence(scope))
        if len(choices) == 1:
            return choices[0]
        whole = Node("|".join(c.text for c in choices), width=any(c.width for c in choices))
        whole.empty = any(c.empty for c in choices)
        for choice in choices:
            whole.uses += choice.uses + Counter({ITEM: 1})
            whole.uses_of_units += choice.uses_of_units + Counter({ITEM: 1})
        return whole

    def _sequence(self, scope: list[str]) -> Node:
        whole = Node("", width=False)
        while (self.quoted or self._peek() not in ("", "|", ")")) and self.at < len(self.pattern):
            item = self._item(scope)
            if item is None:
                continue
            whole.text += item.text
            whole.empty &= item.empty
            whole.width |= item.width
            whole.uses += item.uses
            whole.uses_of_units += item.uses_of_units
        return whole

    def _item(self, scope: list[str]) -> Node | None:
        """Return the next item with its quantifier; None: it was flags, or the end of a quotation."""
        flags, begin = scope[0], self.at
        if self.quoted:
            if self._is("\\E"):
                self.quoted = False
                return None
            node: Node | None = self._literal(ord(self._next()), flags)
            if self._is("\\E"):
                self.quoted = False
            return self._quantified(node) if not self.quoted else node  # type: ignore[arg-type]
        c = self._next()
        if c == "(":
            node = self._group(scope)
        elif c == "[":
            node = self._class(flags)
        elif c == "\\":
            node = self._escape(flags)
        elif c == ".":
            node = self._asked(".", flags)
        elif c in "^$":
            node = self._anchor(c)
        elif c in "*+?{":
            raise _refuse(f"{c!r} at character {begin} quantifies nothing", f"write \\{c} for the character")
        else:
            node = self._literal(ord(c), flags)
        return None if node is None else self._quantified(node)

    def _anchor(self, token: str) -> Node:
        return Node(token, width=False)

    def _escape(self, flags: str) -> Node | None:
        c = self._next()
        if c == "Q":
            self.quoted = True
            return None
        if c == "E":
            return None
        if c in CLASSES:
            return self._asked("\\" + c, flags)
        if c in "pP":
            begin = self.at - 2
            self._property()
            return self._asked(self.pattern[begin : self.at], flags)
        if c in "AZz":
            return self._anchor({"A": "^", "Z": "$", "z": "\\z"}[c])
        if c in REFUSED:
            raise _refuse(*REFUSED[c])
        if c.isdigit():
            raise _refuse(f"\\{c} refers to a group", "write the pattern without back references")
        code = self._escaped(c)
        if code is None:
            raise _refuse(f"\\{c} is none of the escapes that are translated", "write the character itself")
        return self._literal(code, flags)

    def _flags(self, flags: str, given: str) -> str:
        on, _, off = given.partition("-")
        for c in given:
            if c in FLAGS:
                raise _refuse(FLAGS[c], "write the pattern without it")
        found = "".join(sorted((set(flags) | set(on)) - set(off)))
        if "i" in found and "U" in found:
            raise _refuse("(?i) with (?U) folds case by the JDK's tables", "write both cases in a class")
        return found

    def _group(self, scope: list[str]) -> Node | None:
        flags = scope[0]
        look = next((o for o in ("?=", "?!", "?<=", "?<!") if self._is(o)), "")
        given = re.compile(r"\?([ismxduU]*(?:-[ismxduU]*)?)([:)])").match(self.pattern, self.at)
        if look:
            return self._look(look, flags)
        if given:
            self.at = given.end()
            flags = self._flags(flags, given[1])
            if given[2] == ")":
                scope[0] = flags
                return None
            opened = "(?:"
        else:
            opened = "(?>" if self._is("?>") else "(?:"
            name = re.compile(r"\?<[A-Za-z][A-Za-z0-9]*>").match(self.pattern, self.at)
            self.at = name.end() if name else self.at
            if self._peek() == "?":
                raise _refuse(
                    f"the group at character {self.at - 1} is of no kind that is translated", "mend it"
                )
        node = self._closed(flags)
        return Node(f"{opened}{node.text})", node.empty, node.width, **_uses(node))

    def _closed(self, flags: str) -> Node:
        node = self._choice(flags)
        if not self._is(")"):
            raise _refuse("a group is not closed", "mend it")
        return node

    def _look(self, look: str, flags: str) -> Node:
        node = self._closed(flags)
        if "<" in look:
            lengths = {part.count("[") for part in node.text.split("|")}
            if not re.fullmatch(r"(?:\[\d+\]|\|)*", node.text) or len(lengths) > 1 or 0 in lengths:
                raise _refuse(
                    "a look-behind holds more than characters, or choices of different lengths",
                    "write one look-behind for each length",
                )
            if any(ord(c) > BMP_MAX for c in self.pattern):
                raise _refuse(
                    "it has a look-behind, and a character beyond U+FFFF", "write \\x{...} for the character"
                )
        return Node(f"({look}{node.text})", width=False, **_uses(node))

    def _quantified(self, node: Node) -> Node:
        found = re.compile(r"([*+?]|\{(\d+)(,(\d*))?\})([?+]?)").match(self.pattern, self.at)
        if not found:
            return node
        self.at = found.end()
        sign, low, more, high, kind = found.groups()
        most = int(high or low or 1) if more != "," else max(1, int(low))
        if max(most, int(low or 0)) > REPEATS or most == 0:
            raise _refuse(f"{sign} repeats too often, or never", f"repeat at most {REPEATS} times")
        if not node.width:
            raise _refuse(f"{found[0]} stands behind what matches no character", "leave it out")
        if node.empty and sign != "?":
            raise _refuse(f"{found[0]} repeats a group that can match the empty text", "write it without")
        if kind == "+" and not node.single:
            raise _refuse(f"{found[0]} is possessive, and a group's", "write (?>...) around it")
        empty = node.empty or sign in "*?" or low == "0"
        return Node(node.text + found[0], empty, **_uses(node, 1 if node.single else most, most))


# -- what Java says of atoms -------------------------------------------------------------------------


def _ranges(codes: Iterable[int]) -> Ranges:
    """Return ascending code points as ranges."""
    found: list[list[int]] = []
    for code in codes:
        if found and code == found[-1][1] + 1:
            found[-1][1] = code
        else:
            found.append([code, code])
    return [(a, b) for a, b in found]


#: A character of two halves, and what Java has said, by session: classes stand in many patterns.
FACE = "\U0001f600"
_SAID: dict[tuple[int, str], Ranges] = {}


def _ask(spark: Any, pattern: str, asked: list[str]) -> bool:
    """Ask Java of atoms, and return whether its search for the pattern goes by whole characters.

    Its `.` passes over the characters that an atom does not match, a whole one each. After an empty match
    the next search begins between the halves of a character, whatever the pattern; one that goes by halves
    begins there by itself.
    """
    from pyspark.sql import functions as f

    every = "".join(map(chr, (*range(HALVES[0]), *range(HALVES[1] + 1, CODE_MAX + 1)))) if asked else ""
    frame = spark.createDataFrame([(every, FACE)], "every string, face string")
    columns = [f.regexp_replace("face", f"(?!\\A)(?:|{pattern})", "-")]
    for atom in asked:
        columns.append(f.regexp_replace("every", f"({atom})|(?s:.)", "$1"))
        columns.append(f.regexp_replace("face", f"\\A|{atom}", "-"))
    cure = "mend the pattern: Spark cannot use it either"
    with spark_says("Java does not take the pattern", spark=spark, cure=cure):
        search, *found = frame.select(*columns).collect()[0]
    for atom, text, half in zip(asked, found[::2], found[1::2]):
        ranges = _ranges(map(ord, text))
        _SAID[id(spark), atom] = sorted([*ranges, LOW] if half != f"-{FACE}" else ranges)
    return bool(search == f"{FACE}-")


def ask_sets(spark: Any, pattern: str, asked: list[str]) -> tuple[list[Ranges], bool]:
    """Return the code points that each atom matches, low halves where it does, and as `_ask`."""
    aligned = _ask(spark, pattern, [atom for atom in asked if (id(spark), atom) not in _SAID])
    return [_SAID[id(spark), atom] for atom in asked], aligned


# -- the whole ---------------------------------------------------------------------------------------


def translate(spark: Any, pattern: str) -> Expression:
    """Return what a pattern of Java says.

    Raises
    ------
    Refused
        If a part of it has another meaning elsewhere, or none.
    """
    parser = Parser(pattern)
    whole = parser.parse()
    answers, aligned = ask_sets(spark, pattern, [atom for atom in parser.atoms if isinstance(atom, str)])
    found = iter(answers)
    sets = [next(found) if isinstance(atom, str) else atom for atom in parser.atoms]
    units = whole.empty
    if _bytes(whole.uses_of_units if units else whole.uses, sets, units) > BYTES:
        raise _refuse("it is too large", "write fewer repeats of groups, and fewer classes")
    return Expression(whole.text, sets, units, aligned)


def _bytes(uses: Mapping[int, int], sets: list[Ranges], units: bool) -> int:
    """Return about how many bytes the compiled pattern takes, rather more than less."""

    def size(ranges: Ranges) -> int:
        pairs = sum(1 if a >> 10 == b >> 10 else 3 for a, b in ranges if b > BMP_MAX) if units else 0
        return SET_BYTES + RANGE_BYTES * len(ranges) + PAIR_BYTES * pairs

    return sum(n * (ITEM_BYTES if atom == ITEM else size(sets[atom])) for atom, n in uses.items())
