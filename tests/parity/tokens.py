# SPDX-License-Identifier: Apache-2.0
"""Columns of texts with several words, and of arrays of tokens."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from rows import NAN, STRANGERS, Column

COMMON = ("the", "cat", "sat", "on", "a", "mat", "and", "I", "was", "not", "Spark", "fast", "price", "EUR")
#: Tokens whose lower case, bytes or words are at the edge of something.
ODD = (
    *(
        "İstanbul",
        "ISTANBUL",
        "ΟΔΟΣ",
        "ΣΑΣ",
        "Σ",
        "ΑΣ'Α",
        "ΑΣ.",
        "ΑΣ1",
        "1Σ",
        "ΑΣ\u0301",
        "Α\u0301Σ",
        "ΑΣ\u00adΒ",
    ),
    *("\u0345Σ", "Ⅳ", "ⒶⓏ", "Ǆ", "ǅ", "ẞ", "STRASSE", "Ⱥ", "Ⱦ", "K", "Å", "É", "E\u0301", "ꟊ", "Ა", "Ꭰ"),
    *("\U00010400", "\U00010400Σ", "ΑΣ\U00010400", "ΑΣ\U0001d7ce", "\U0001f600", "\U0001e900", "日本語", "ﬀ"),
    *(
        "a\u0000B",
        "\u0000",
        "\u200bX",
        "\ufeffThe",
        "x\u00a0Y",
        "\u2028",
        "\u0085",
        "null",
        "1.5",
        "Ĳ",
        "THE",
        "And",
    ),
)
SPACES = (
    " ",
    " ",
    " ",
    " ",
    " ",
    "  ",
    "\t",
    "\n",
    "\r\n",
    "\u000b",
    "\f",
    "\u00a0",
    "\u2003",
    "\u001c",
    "\u3000",
)
LONG = 1500


def word(r: random.Random) -> str:
    """Return a token: a usual one, an odd one, or letters from everywhere."""
    kind = r.random()
    if kind < 0.6:
        return r.choice(COMMON)
    if kind < 0.85:
        return r.choice(ODD)
    limit = r.choice((0x80, 0x250, 0x600, 0x3000, 0x20000))
    points = [r.randrange(0x21, limit) for _ in range(r.randint(1, 6))]
    return "".join(chr(p) for p in points if not 0xD800 <= p < 0xE000)


@dataclass(frozen=True)
class Sentence(Column):
    """A text of words with white space of all kinds between."""

    kind: str = "string"

    def clean(self, r: random.Random) -> Any:
        return " ".join(r.choice(COMMON) for _ in range(r.randint(1, 9)))

    def special(self, r: random.Random) -> Any:
        kind = r.random()
        if kind < 0.1:
            return r.choice(("", " ", "\t\n", "a ", " a", "  a  b  ", "\u00a0", *STRANGERS))
        count = LONG if kind < 0.11 else r.randint(1, 12)
        return "".join(word(r) + r.choice(SPACES) for _ in range(count))

    def signal(self, value: Any) -> float:
        return (sum(value.encode()) * 7 % 11) / 2.0


@dataclass(frozen=True)
class Tokens(Column):
    """An array of tokens, null ones too."""

    kind: str = "array<string>"

    def clean(self, r: random.Random) -> Any:
        return [r.choice(COMMON) for _ in range(r.randint(1, 9))]

    def special(self, r: random.Random) -> Any:
        kind = r.random()
        if kind < 0.1:
            return r.choice(([], [None], [""], ["", None, ""], ["null"], ["a"] * 70))
        count = LONG if kind < 0.11 else r.randint(0, 40)
        return [None if r.random() < 0.05 else word(r) for _ in range(count)]

    def signal(self, value: Any) -> float:
        return len(value) * 0.5


@dataclass(frozen=True)
class Floats(Column):
    """An array of floats, null ones too."""

    kind: str = "array<float>"

    def clean(self, r: random.Random) -> Any:
        return [r.choice((0.0, 1.0, 2.5)) for _ in range(r.randint(1, 5))]

    def special(self, r: random.Random) -> Any:
        some = (0.0, -0.0, NAN, 3.4028234663852886e38, 1e-45, None, 0.1, r.uniform(-9, 9))
        return [r.choice(some) for _ in range(r.randint(0, 9))]

    def signal(self, value: Any) -> float:
        return float(len(value))


@dataclass(frozen=True)
class Doubles(Column):
    """An array of doubles, null ones too."""

    kind: str = "array<double>"

    def clean(self, r: random.Random) -> Any:
        return [r.choice((0.0, 1.0, 2.5)) for _ in range(r.randint(1, 5))]

    def special(self, r: random.Random) -> Any:
        some = (0.0, -0.0, NAN, 1e300, 5e-324, None, 1.0, r.uniform(-9, 9))
        return [r.choice(some) for _ in range(r.randint(0, 9))]

    def signal(self, value: Any) -> float:
        return float(len(value))


@dataclass(frozen=True)
class Basket(Column):
    """A set of items; as a special one an array of any items, null ones and unseen ones too."""

    kind: str = "array<string>"
    items: tuple[Any, ...] = COMMON
    others: tuple[Any, ...] = ("unseen", "", "THE")
    most: int = 6

    def clean(self, r: random.Random) -> Any:
        some = [item for i, item in enumerate(self.items) if r.random() < 2.5 / (i + 2.0)][: self.most]
        r.shuffle(some)
        return some or [self.items[-1]]

    def special(self, r: random.Random) -> Any:
        if r.random() < 0.15:
            return r.choice((None, [], [None], [self.items[0]] * 70, list(self.items), list(self.others)))
        some = (*self.items, *self.items, *self.others, None)
        return [r.choice(some) for _ in range(r.randint(0, 12))]

    def bad(self, r: random.Random) -> Any:
        return self.special(r)

    def signal(self, value: Any) -> float:
        return len(value) * 0.5
