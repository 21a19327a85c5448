# SPDX-License-Identifier: Apache-2.0
"""Writes upper_tables.c: what the JVM's String.toUpperCase makes of every code point.

    python3 upper_tables.py > upper_tables.c        (needs pyspark and JDK 17; half a minute)

Upper case looks at no neighbours, but for the dots of Turkish, Azeri and Lithuanian, which are not here.
"""

from __future__ import annotations

from collections.abc import Sequence

from lower_tables import CHUNK, NEWLINE, PAGE, array
from pyspark.java_gateway import launch_gateway


def upper(points: Sequence[int]) -> dict[int, str]:
    """Return the upper case of each code point."""
    jvm = launch_gateway().jvm
    found: list[str] = []
    for i in range(0, len(points), CHUNK):
        part = [chr(point) for point in points[i : i + CHUNK]]
        found += jvm.org.apache.commons.lang3.StringUtils.upperCase("\n".join(part), jvm.java.util.Locale("")).split("\n")
    return dict(zip(points, found, strict=True))


def main() -> None:
    """Print the tables."""
    points = [p for p in range(0x110000) if not 0xD800 <= p < 0xE000 and p != NEWLINE]
    found = upper(points)
    long = [(p, text) for p, text in found.items() if len(text) > 1]
    delta = {p: ord(text) - p for p, text in found.items() if len(text) == 1}
    differences = [0, *sorted({d for d in delta.values() if d})]
    pages: dict[tuple[int, ...], int] = {}
    index = []
    for first in range(0, max(p for p, d in delta.items() if d) + 1, PAGE):
        page = tuple(differences.index(delta.get(p, 0)) for p in range(first, first + PAGE))
        index.append(pages.setdefault(page, len(pages)))
    print("/* SPDX-License-Identifier: Apache-2.0 */")
    print("/* Written by upper_tables.py; see there for where it is from. */")
    print('#include "upper_tables.h"\n\n/* clang-format off */\n')
    print(f"const uint32_t upper_end = 0x{len(index) * PAGE:X};\n")
    print(array("const int32_t upper_differences[]", differences) + "\n")
    print(array("const uint8_t upper_page_of[]", index, 24) + "\n")
    print(array("const uint8_t upper_pages[]", [i for page in pages for i in page], 24) + "\n")
    rows = [f"{{0x{p:X}, {{{', '.join(f'0x{ord(c):X}' for c in text)}}}}}" for p, text in long]
    print(array("const struct upper_long upper_longs[]", rows, 3) + "\n")
    print(f"const uint32_t upper_long_count = {len(long)};")


if __name__ == "__main__":
    main()
