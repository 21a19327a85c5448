# SPDX-License-Identifier: Apache-2.0
"""Writes lower_tables.c: what the JVM's String.toLowerCase knows of every code point.

    python3 lower_tables.py > lower_tables.c        (needs pyspark and JDK 17; a minute)

Lower case itself is asked a code point at a time. Whether a capital sigma ends a word depends on where the JVM's
word iterator sees words, so the classes of that iterator are found by what they do to a sigma behind a letter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pyspark.java_gateway import launch_gateway

PAGE = 64
CHUNK = 1 << 15
NEWLINE = ord("\n")  # stands between probes: no word goes over it

# Probes: `?` is the code point; which of them end in a final sigma tells the class.
PROBES = ("A?Σ", "A.?Σ", "A1?1Σ", "A?1Σ", "A.?.Σ", "A?।1Σ", "1?Σ")
CLASSES = {
    ".......": "OTHER",
    "xxxxxx.": "LETTER",
    "xxxxxxx": "LETTER | WORD_CASED",
    "x.xx...": "DIGIT",
    "xxxx..x": "DIGIT | WORD_CASED",
    "x.xx.x.": "MARK",
    "x.xx.xx": "MARK | WORD_CASED",
    "xxxx.x.": "FORMAT",
    "x......": "IN_WORD",
    "..x....": "IN_NUMBER",
    "x.x....": "IN_BOTH",
    "...x...": "DANDA",
}
# Behind a code point of two code units the JVM always sees an end, so of those less can be told, and less matters:
# whether the one mark that has case goes with it.
# What stands between a Lithuanian I and an accent tells the combining class: 230 is above, 0 is no mark.
ABOVE, MARK = "I?", "I?\u0300"
WIDE_PROBES = ("AΣ?", "?\u0345Σ", "A?\u0345Σ")
WIDE_CLASSES = {"x..": "OTHER", ".xx": "LETTER | WORD_CASED", "xxx": "LETTER", "x.x": "FORMAT"}


class Java:
    """String.toLowerCase."""

    def __init__(self) -> None:
        jvm = launch_gateway().jvm
        self._locale = jvm.java.util.Locale
        self._lower = jvm.org.apache.commons.lang3.StringUtils.lowerCase

    def lower(self, probe: str, points: Sequence[int], language: str = "") -> Iterator[str]:
        """Yield the lower case of a probe for each code point; none begins the text."""
        for i in range(0, len(points), CHUNK):
            part = [probe.replace("?", chr(point)) for point in points[i : i + CHUNK]]
            found = self._lower("\n".join(["", *part]), self._locale(language)).split("\n")[1:]
            assert len(found) == len(part)
            yield from found

    def classes(
        self, probes: Sequence[str], names: dict[str, str], points: Sequence[int]
    ) -> Iterator[tuple[int, str]]:
        """Yield each code point's class, by which probes hold a final sigma."""
        found = [["x" if "ς" in text else "." for text in self.lower(probe, points)] for probe in probes]
        for point, *signs in zip(points, *found):
            yield point, "WORD_" + names["".join(signs)]


def rows(values: Sequence[object], width: int) -> Iterator[str]:
    """Yield lines of a C array."""
    for i in range(0, len(values), width):
        yield "    " + ", ".join(str(v) for v in values[i : i + width]) + ","


def array(declaration: str, values: Sequence[object], width: int = 16) -> str:
    """Return a C array."""
    return "\n".join([f"{declaration} = {{", *rows(values, width), "};"])


def lower_pages(java: Java, points: Sequence[int]) -> tuple[list[int], list[int], list[int]]:
    """Return differences, their indexes by pages, and the page of each 64 code points."""
    delta = {p: ord(text[0]) - p for p, text in zip(points, java.lower("?", points))}
    differences = [0, *sorted({d for d in delta.values() if d})]
    last = max(p for p, d in delta.items() if d)
    pages: dict[tuple[int, ...], int] = {}
    index = []
    for first in range(0, last + 1, PAGE):
        page = tuple(differences.index(delta.get(p, 0)) for p in range(first, first + PAGE))
        index.append(pages.setdefault(page, len(pages)))
    return differences, [i for page in pages for i in page], index


def dotted(java: Java, probe: str, points: Sequence[int]) -> set[int]:
    """Return the code points with which a Lithuanian I has its dot."""
    texts = java.lower(probe, points, "lt")
    return {point for point, text in zip(points, texts) if text.startswith("i\u0307")}


def runs(java: Java, points: Sequence[int]) -> list[str]:
    """Return runs of code points of a class: the first of each, and the class."""
    narrow, wide = ([p for p in points if (p < 0x10000) is small] for small in (True, False))
    found = [*java.classes(PROBES, CLASSES, narrow), *java.classes(WIDE_PROBES, WIDE_CLASSES, wide)]
    above, mark = (dotted(java, probe, points) for probe in (ABOVE, MARK))
    found = [(p, c + " | MARK_ABOVE" * (p in above) + " | MARK_BESIDE" * (p in mark - above)) for p, c in found]
    pairs = zip([(-1, ""), *found], found)
    return [f"{{0x{point:X}, {mine}}}" for (_, before), (point, mine) in pairs if mine != before]


def main() -> None:
    """Print the tables."""
    java = Java()
    points = [p for p in range(0x110000) if not 0xD800 <= p < 0xE000 and p != NEWLINE]
    differences, pages, index = lower_pages(java, points)
    words = runs(java, points)
    print("/* SPDX-License-Identifier: Apache-2.0 */")
    print("/* Written by lower_tables.py; see there for where it is from. */")
    print('#include "lower_tables.h"\n\n/* clang-format off */\n')
    print(f"const uint32_t lower_end = 0x{len(index) * PAGE:X};\n")
    print(array("const int32_t lower_differences[]", differences) + "\n")
    print(array("const uint8_t lower_page_of[]", index, 24) + "\n")
    print(array("const uint8_t lower_pages[]", pages, 24) + "\n")
    print(array("const struct word_run word_runs[]", words, 3) + "\n")
    print(f"const uint32_t word_run_count = {len(words)};")


if __name__ == "__main__":
    main()
