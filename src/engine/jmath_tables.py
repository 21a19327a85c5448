# SPDX-License-Identifier: Apache-2.0
"""Writes jmath_tables.c: every table of jmath, computed from its definition with 1600-bit arithmetic.

    python3 jmath_tables.py > jmath_tables.c        (needs mpmath)

What no definition gives is listed here: the few last bits in which the reference misses the correctly rounded
value, and AMD's reciprocal estimates, which were measured.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

from mpmath import bernoulli, cos, cot, factorial, floor, log, mp, mpf, nint, pi, sin, tan

mp.prec = 1600

Pair = tuple[float, float]

# Last bits of low parts that the correctly rounded value does not give: table index -> adjustment in ulps.
EXP64_LOW_FIX = {1: -1, 4: -1, 10: -1, 15: -1, 19: -1, 21: -1, 22: 1, 33: -1, 34: -1, 46: -1, 60: -1}
EXP256_LOW_FIX = {7: -1, 20: -1, 159: -1, 173: -1, 205: 1, 217: -1}
# The low parts of tan(j pi/32), j = 1..7, which the reference has to about 83 bits only.
TAN_LOW = [
    "0x1.87d054e88f7a5p-58",
    "0x1.ef5d3593fe814p-61",
    "-0x1.d704d1dce993dp-57",
    "0x1.08b2fb68c1467p-56",
    "-0x1.e564bcdb625eap-55",
    "0x1.7a8c5209c7df1p-55",
    "-0x1.a6db8118e20e6p-56",
]
# (j, power of r) -> adjustment in ulps; the row of -j has the same. j > 0: of a tangent, j < 0: of a cotangent.
TAN_FIX = {(4, 15): 1, (-1, 13): -1, (-1, 14): 14, (-1, 15): -304}

# rcpps of AMD family 25 model 1, in units of 2^-13, as measured for all 2^23 mantissas. Its 4096 values are
# differences of two tables: by fraction bits 1 to 8 this one, ...
AMD_COARSE = """
    8190, 8158, 8127, 8095, 8065, 8034, 8003, 7973, 7943, 7913, 7883, 7854, 7825, 7796, 7767, 7738,
    7708, 7680, 7652, 7625, 7597, 7570, 7543, 7516, 7489, 7462, 7436, 7410, 7384, 7358, 7332, 7307,
    7280, 7255, 7230, 7205, 7181, 7156, 7132, 7108, 7084, 7060, 7037, 7013, 6990, 6967, 6944, 6921,
    6897, 6875, 6852, 6830, 6808, 6786, 6764, 6742, 6721, 6699, 6678, 6657, 6636, 6615, 6594, 6574,
    6552, 6532, 6512, 6492, 6472, 6452, 6432, 6413, 6393, 6374, 6354, 6335, 6316, 6297, 6278, 6260,
    6241, 6223, 6204, 6186, 6168, 6150, 6132, 6114, 6096, 6079, 6061, 6044, 6026, 6009, 5992, 5975,
    5957, 5940, 5924, 5907, 5890, 5874, 5858, 5841, 5825, 5809, 5793, 5777, 5761, 5746, 5730, 5714,
    5698, 5683, 5667, 5652, 5637, 5622, 5607, 5592, 5577, 5562, 5548, 5533, 5519, 5504, 5490, 5475,
    5461, 5447, 5432, 5418, 5405, 5391, 5377, 5363, 5350, 5336, 5322, 5309, 5296, 5282, 5269, 5256,
    5242, 5229, 5216, 5203, 5191, 5178, 5165, 5152, 5140, 5127, 5115, 5102, 5090, 5078, 5065, 5053,
    5041, 5029, 5017, 5005, 4993, 4981, 4969, 4958, 4946, 4934, 4923, 4911, 4900, 4888, 4877, 4866,
    4854, 4843, 4832, 4821, 4810, 4799, 4788, 4777, 4766, 4755, 4744, 4734, 4723, 4713, 4702, 4691,
    4680, 4670, 4660, 4649, 4639, 4629, 4619, 4609, 4598, 4588, 4578, 4568, 4559, 4549, 4539, 4529,
    4519, 4510, 4500, 4490, 4481, 4471, 4462, 4452, 4443, 4433, 4424, 4415, 4406, 4396, 4387, 4378,
    4368, 4359, 4350, 4341, 4332, 4323, 4315, 4306, 4297, 4288, 4279, 4271, 4262, 4253, 4245, 4236,
    4228, 4219, 4211, 4202, 4194, 4186, 4177, 4169, 4161, 4153, 4144, 4136, 4128, 4120, 4112, 4104,
"""
# ... less, by bits 1 to 4 (a row each) and 9 to 12, this one.
AMD_FINE = """
    0, 2, 3, 5, 7, 9, 11, 13, 15, 17, 18, 20, 22, 24, 26, 28,
    0, 1, 3, 5, 6, 8, 10, 11, 13, 15, 16, 18, 20, 21, 23, 25,
    0, 1, 3, 4, 5, 7, 8, 10, 11, 13, 14, 16, 17, 19, 20, 22,
    0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 16, 17, 18, 20,
    0, 1, 2, 3, 4, 6, 7, 8, 9, 11, 12, 13, 14, 15, 17, 18,
    0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 16, 17,
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
    0, 1, 2, 3, 4, 5, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
    0, 1, 2, 2, 3, 4, 5, 6, 7, 8, 8, 9, 10, 11, 12, 13,
    0, 1, 1, 2, 3, 4, 5, 5, 6, 7, 8, 9, 9, 10, 11, 12,
    0, 1, 2, 2, 3, 4, 4, 5, 6, 7, 7, 8, 9, 10, 10, 11,
    0, 1, 1, 2, 3, 3, 4, 5, 5, 6, 7, 7, 8, 9, 9, 10,
    0, 0, 1, 2, 2, 3, 3, 4, 5, 5, 6, 7, 7, 8, 8, 9,
    0, 0, 1, 2, 2, 3, 3, 4, 5, 5, 6, 6, 7, 8, 8, 9,
    0, 0, 1, 1, 2, 2, 3, 3, 4, 5, 5, 6, 6, 7, 7, 8,
    0, 0, 1, 1, 2, 2, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8,
"""


def numbers(text: str) -> list[int]:
    """The integers of a table in text form."""
    return [int(word) for word in text.replace(",", " ").split()]


def nudge(value: float, ulps: int) -> float:
    """The double that lies `ulps` steps further from zero than value."""
    (bits,) = struct.unpack("<q", struct.pack("<d", value))
    (nudged,) = struct.unpack("<d", struct.pack("<q", bits + ulps))
    return nudged


def split(value: mpf, fraction_bits: int) -> Pair:
    """The nearest multiple of 2^-fraction_bits, and the rest."""
    high = nint(value * mpf(2) ** fraction_bits) / mpf(2) ** fraction_bits
    return float(high), float(value - high)


def intel_reciprocals() -> list[int]:
    """1/m in units of 2^-13, rounded to nearest, m being the middle of each of 2048 equal slices of [1,2)."""
    out = []
    for i in range(2048):
        d = 4096 + 2 * i + 1  # m = d / 4096
        out.append(((1 << 26) + d) // (2 * d))  # round(2^13 * 4096 / d)
    return out


def amd_reciprocals() -> list[int]:
    """The same for 4096 slices, from the two measured tables."""
    coarse, fine = numbers(AMD_COARSE), numbers(AMD_FINE)
    return [coarse[i >> 4] - fine[i >> 8 << 4 | i & 15] for i in range(4096)]


def exp64() -> list[Pair]:
    """2^(j/64): the high part cut (not rounded) to 53 bits, the low part relative to the high one."""
    out = []
    for j in range(64):
        exact = mpf(2) ** (mpf(j) / 64)
        high = floor(exact * mpf(2) ** 52) / mpf(2) ** 52
        out.append((float(high), nudge(float(exact / high - 1), EXP64_LOW_FIX.get(j, 0))))
    return out


def exp256() -> list[Pair]:
    """2^(j/256): rounded high part, absolute low part.

    The first low part is a tiny number instead of zero so that an exponent may be added to it.
    """
    out = []
    for j in range(256):
        exact = mpf(2) ** (mpf(j) / 256)
        high = float(exact)
        out.append((high, nudge(float(exact - mpf(high)), EXP256_LOW_FIX.get(j, 0))))
    out[0] = (1.0, 2.0**-72)
    return out


def grid(first: int, count: int, mantissa_bits: int, exponent: int) -> Iterator[mpf]:
    """The values a rounded reciprocal can take, the index running on over a binade."""
    size = 1 << mantissa_bits
    for index in range(first, first + count):
        yield (1 + mpf(index % size) / size) * mpf(2) ** (exponent + index // size)


def minus_log(values: Iterable[mpf], base: int | None, fraction_bits: int) -> list[Pair]:
    """-log_base(b) for every b of values, in two parts."""
    scale = log(mpf(base)) if base else mpf(1)
    return [split(-log(b) / scale, fraction_bits) for b in values]


def negative_zero_at_end(pairs: list[Pair]) -> list[Pair]:
    """-log 1 as the reference has it."""
    return [*pairs[:-1], (0.0, -0.0)]


def angle_row(j: int) -> list[float]:
    """For b = j pi/32: cos b less sigma, sin b in two parts, and sigma, the power of two nearest to cos b."""
    c, s = cos(pi * j / 32), sin(pi * j / 32)
    if j % 32 == 16:
        c = mpf(0)
    if j % 32 == 0:
        s = mpf(0)
    powers = [mpf(2) ** -e for e in range(4)]
    sigma = min(powers, key=lambda p: abs(abs(c) - p)) * (1 if c > 0 else -1) if c else mpf(0)
    (single,) = struct.unpack("<f", struct.pack("<f", float(s - mpf(float(s)))))
    return [float(c - sigma), float(s), single, float(sigma)]


def grow(c0: mpf) -> list[mpf]:
    """The Taylor coefficients of a solution of y' = 1 + y^2 with y(0) = c0: the tangent and minus the cotangent."""
    c = [c0]
    for n in range(15):
        c.append((sum(c[i] * c[n - i] for i in range(n + 1)) + (1 if n == 0 else 0)) / (n + 1))
    return c


def tan_series(j: int) -> list[mpf]:
    """j = -8..8: tan(b + r), b = j pi/32, as a series in r."""
    return grow(tan(pi * j / 32)) if j else [mpf(0), *grow(mpf(0))[1:]]


def cot_series(j: int) -> list[mpf]:
    """j = -7..7: 1/(b + r) - cot(b + r) as a series in r."""
    if j == 0:
        c = [mpf(0)] * 16
        for n in range(1, 9):
            c[2 * n - 1] = abs(bernoulli(2 * n)) * mpf(4) ** n / factorial(2 * n)
        return c
    b = pi * j / 32
    return [c + (-1) ** n / b ** (n + 1) for n, c in enumerate(grow(-cot(b)))]


def short(value: mpf, dropped_bits: int) -> float:
    """The double nearest to value with the last bits of its fraction zero."""
    (bits,) = struct.unpack("<Q", struct.pack("<d", float(value)))
    bits = (bits + (1 << dropped_bits - 1)) >> dropped_bits << dropped_bits
    return struct.unpack("<d", struct.pack("<Q", bits))[0]


def tan_constant(j: int, by_tangent: bool, exact: mpf) -> Pair:
    """The first coefficient in two parts."""
    if by_tangent:
        low = 0.0 if j in (0, 8, -8) else float.fromhex(TAN_LOW[abs(j) - 1]) * (1 if j > 0 else -1)
        return float(exact), low
    high = short(exact, 13) if j else 0.0
    return high, float(exact - mpf(high))


def tan_row(i: int) -> list[float]:
    """Row i of 32: the constant in two parts, sigma and the rest of the slope, tau, the coefficients of r^2 .. r^15."""
    by_tangent = i <= 8 or i >= 24
    j = (i if i <= 8 else i - 32) if by_tangent else i - 16
    c = tan_series(j) if by_tangent else cot_series(j)
    sigma = (2.0 if abs(j) >= 7 else 1.0) if by_tangent else 0.0
    high, low = tan_constant(j, by_tangent, c[0])
    rest = [float(v) if abs(v) > mpf(2) ** -200 else 0.0 for v in c[2:16]]
    for (row, power), ulps in TAN_FIX.items():
        if (row > 0) == by_tangent and abs(row) == abs(j):
            rest[power - 2] = nudge(rest[power - 2], ulps)
    return [high, low, sigma, float(c[1] - mpf(sigma)), 0.0 if by_tangent else 1.0, *rest]


def two_over_pi() -> list[int]:
    """Two words of zeros, then the fraction of 2/pi in words of 32 bits."""
    digits = int(floor(2 / pi * mpf(2) ** (32 * 37)))
    return [0, 0] + [digits >> 32 * (36 - i) & 0xFFFFFFFF for i in range(37)]


def write_rows(name: str, kind: str, rows: list[list[float]], head: int) -> None:
    """Print a table of structs; what is behind the first `head` numbers of each is an array."""
    print(f"\nconst struct {kind} {name}[{len(rows)}] = {{")
    for row in rows:
        print("    {" + ", ".join(value.hex() for value in row[:head]), end="")
        print(",\n     {" + ", ".join(v.hex() for v in row[head:]) + "}}," if row[head:] else "},")
    print("};")


def write_estimates(name: str, values: list[int]) -> None:
    """Print a table of small integers."""
    print(f"\nconst uint16_t {name}[{len(values)}] = {{")
    for i in range(0, len(values), 16):
        print("    " + ", ".join(str(v) for v in values[i : i + 16]) + ",")
    print("};")


def write_words(name: str, values: list[int]) -> None:
    """Print a table of words of 32 bits."""
    print(f"\nconst uint32_t {name}[{len(values)}] = {{")
    for i in range(0, len(values), 6):
        print("    " + ", ".join(f"0x{v:08x}" for v in values[i : i + 6]) + ",")
    print("};")


def write_pairs(name: str, pairs: list[Pair]) -> None:
    """Print a table of doubles in two parts."""
    print(f"\nconst struct jm_pair {name}[{len(pairs)}] = {{")
    for high, low in pairs:
        print(f"    {{{high.hex()}, {low.hex()}}},")
    print("};")


def main() -> None:
    """Print all tables; jmath_tables.h says what each holds."""
    print("/* SPDX-License-Identifier: Apache-2.0 */")
    print("/* Written by jmath_tables.py; see there for how every number is defined. */")
    print('#include "jmath_tables.h"\n')
    print("/* clang-format off */")
    write_estimates("jm_intel_reciprocal", intel_reciprocals())
    write_estimates("jm_amd_reciprocal", amd_reciprocals())
    write_pairs("jm_exp64", exp64())
    write_pairs("jm_exp256", exp256())
    write_pairs("jm_log_table", negative_zero_at_end(minus_log(grid(0, 129, 7, -1), None, 43)))
    short10 = mpf(111) / 256
    write_pairs("jm_log10_table", minus_log((b / short10 for b in grid(94, 129, 7, -3)), 10, 44))
    short2 = mpf(185) / 128
    log2 = minus_log((b / short2 for b in grid(228, 513, 9, -1)), 2, 24)
    write_pairs("jm_log2_table", negative_zero_at_end(log2))
    write_rows("jm_angles", "jm_angle", [angle_row(j) for j in range(64)], 4)
    write_rows("jm_tangents", "jm_tangent", [tan_row(i) for i in range(32)], 5)
    write_words("jm_two_over_pi", two_over_pi())


if __name__ == "__main__":
    main()
