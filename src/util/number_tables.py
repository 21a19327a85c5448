# SPDX-License-Identifier: Apache-2.0
"""Writes number_tables.c, the powers of ten that reading and printing of numbers share.

python3 number_tables.py > number_tables.c
"""

POW10_MIN = -342
POW10_MAX = 324


def floor_log2_pow10(q: int) -> int:
    """The largest e with 2^e <= 10^q."""
    if q >= 0:
        return (10**q).bit_length() - 1
    return -((10**-q - 1).bit_length())


def entry(q: int) -> int:
    """10^q scaled to 128 bits, rounded up."""
    shift = 127 - floor_log2_pow10(q)
    numerator = 10 ** max(q, 0) << max(shift, 0)
    denominator = 10 ** max(-q, 0) << max(-shift, 0)
    return -(-numerator // denominator)


def main() -> None:
    """Check the short formula of the header against the definition, then print the table."""
    print("/* SPDX-License-Identifier: Apache-2.0 */")
    print("/* Written by number_tables.py. */")
    print('#include "number_tables.h"\n')
    print("/* clang-format off */")
    print("const struct pow10 number_pow10[POW10_MAX - POW10_MIN + 1] = {")
    for q in range(POW10_MIN, POW10_MAX + 1):
        assert floor_log2_pow10(q) == (q * 1741647) >> 19
        value = entry(q)
        assert value >> 127 == 1
        print(f"    {{0x{value >> 64:016x}, 0x{value & (1 << 64) - 1:016x}}}, /* {q} */")
    print("};")


if __name__ == "__main__":
    main()
