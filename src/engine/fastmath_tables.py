# SPDX-License-Identifier: Apache-2.0
"""Writes fastmath_tables.c: the tables of commons-math's FastMath, by the arithmetic that made them.

    python3 fastmath_tables.py > fastmath_tables.c

An entry is a value in two parts: the first holds its leading bits, the second the rest. They are no correctly
rounded rests: the reference made them by sums and products of such pairs in doubles, whose last bits it has kept.
So the same sums and products are done here.
"""

from __future__ import annotations

import math

Pair = tuple[float, float]

#: How many terms the series of exp, sin and cos have.
TERMS = 20
#: e in two doubles.
E = (math.e, 1.4456468917292502e-16)
#: ln((1 + r)/(1 - r))/r by powers of r^2, as the reference has fitted it.
LOG_SERIES = [
    (2.0, 0.0),
    (0.6666666269302368, 3.9736429850260626e-8),
    (0.3999999761581421, 2.3841857910019882e-8),
    (0.2857142686843872, 1.7029898543501842e-8),
    (0.2222222089767456, 1.3245471311735498e-8),
    (0.1818181574344635, 2.4384203044354907e-8),
    (0.1538461446762085, 9.140260083262505e-9),
    (0.13333332538604736, 9.220590270857665e-9),
    (0.11764700710773468, 1.2393345855018391e-8),
    (0.10526403784751892, 8.251545029714408e-9),
    (0.0952233225107193, 1.2675934823758863e-8),
    (0.08713622391223907, 1.1430250008909141e-8),
    (0.07842259109020233, 2.404307984052299e-9),
    (0.08371849358081818, 1.176342548272881e-8),
    (0.030589580535888672, 1.2958646899018938e-9),
    (0.14982303977012634, 1.225743062930824e-8),
]
#: Beyond it a double times 2^30 may overflow.
FAR = 8e298


def leading(value: float) -> float:
    """Return the value cut to its leading 23 bits."""
    if -FAR < value < FAR:
        far = value * 2.0**30
        return (value + far) - far
    return (value + value * 2.0**-30 - value) * 2.0**30


def split(value: float) -> Pair:
    """Return the value in two parts."""
    high = leading(value)
    return high, value - high


def again(high: float, low: float) -> Pair:
    """Return the parts of a sum of two."""
    total = high + low
    lost = -(total - high - low)
    high = leading(total)
    return high, total - high + lost


def times(a: Pair, b: Pair) -> Pair:
    """Return the product."""
    return again(a[0] * b[0], a[0] * b[1] + a[1] * b[0] + a[1] * b[1])


def plus(a: Pair, b: Pair) -> Pair:
    """Return the sum."""
    return again(a[0] + b[0], a[1] + b[1])


def reciprocal(x: Pair) -> Pair:
    """Return 1/x, corrected twice."""
    small = 2.0**-22
    large = 1.0 - small
    if x[0] == 0.0:
        x = (x[1], 0.0)
    rest = (small * x[0] - large * x[1]) / (x[0] * x[0] + x[0] * x[1])
    high, low = again(large / x[0], 0.0 if math.isnan(rest) else rest)
    for _ in range(2):
        wrong = 1.0 - high * x[0] - high * x[1] - low * x[0] - low * x[1]
        low += wrong * (high + low)
    return high, low


def times_long(a: Pair, b: Pair) -> Pair:
    """Return the product of sums of two whole doubles, each partial product added up in turn."""
    high, low = times(split(a[0]), split(b[0]))
    for x, y in ((a[0], b[1]), (a[1], b[0]), (a[1], b[1])):
        for part in times(split(x), split(y)):
            total = high + part
            low -= total - high - part
            high = total
    return high, low


def exp_of_whole(n: int) -> Pair:
    """Return e^n."""
    if n < 0:
        # Of the least numbers the reference has what it would have if squares in between were within range.
        scale = 2.0**-800 if n < -500 else 1.0
        high, low = exp_of_whole(-n)
        high, low = reciprocal((high * scale, low * scale))
        return high * scale, low * scale
    power, result = E, split(1.0)
    while n > 0:
        if n & 1:
            result = times_long(result, power)
        power = times_long(power, power)
        n >>= 1
    return again(*result)


def series(x: float, signs: tuple[int, int, int, int]) -> Pair:
    """Return the sum of signs[i mod 4] x^i / i!."""
    at, total = split(x), (0.0, 0.0)
    for i in reversed(range(TERMS)):
        total = times(at, total)
        sign = signs[i % 4]
        if sign:
            term = reciprocal(split(float(math.factorial(i))))
            total = plus(total, (sign * term[0], sign * term[1]))
    return total


def log_of(x: float) -> Pair:
    """Return ln x, 1 <= x < 2."""
    high, low = split(x)
    below = again(high + 1.0, low)
    over = reciprocal(below)
    ratio = times(again(below[0] - 2.0, below[1]), over)
    square = times(ratio, ratio)
    total = LOG_SERIES[-1]
    for term in reversed(LOG_SERIES[:-1]):
        total = plus(times(total, square), term)
    return times(total, ratio)


def minus(a: Pair) -> Pair:
    """Return -a."""
    return -a[0], -a[1]


def circle() -> list[tuple[Pair, Pair]]:
    """Return sine and cosine of i/8: of the first by series, of the others from those of halves."""
    out = [(series(i / 8, (0, 1, 0, -1)), series(i / 8, (1, 0, -1, 0))) for i in range(7)]
    for i in range(7, 14):
        (s, c), (t, d) = out[i // 2], out[(i + 1) // 2]
        if i % 2 == 0:
            double = times(s, c)
            out.append(
                (
                    (double[0] * 2.0, double[1] * 2.0),
                    plus(times(c, c), minus(times(s, s))),
                )
            )
        else:
            out.append((plus(times(c, t), times(s, d)), plus(times(c, d), minus(times(s, t)))))
    return out


def write(name: str, pairs: list[Pair]) -> None:
    """Print a table."""
    print(f"\nconst struct fm_pair {name}[{len(pairs)}] = {{")
    for high, low in pairs:
        print(f"    {{{high.hex()}, {low.hex()}}},")
    print("};")


def main() -> None:
    """Print all tables; fastmath_tables.h says what each holds."""
    print("/* SPDX-License-Identifier: Apache-2.0 */")
    print("/* Written by fastmath_tables.py; see there for how every number is made. */")
    print('#include "fastmath_tables.h"\n')
    print("/* clang-format off */")
    write("fm_exp_of_whole", [exp_of_whole(n) for n in range(-709, 710)])
    write("fm_exp_of_part", [series(i / 1024, (1, 1, 1, 1)) for i in range(1025)])
    write("fm_log_of_part", [log_of(1 + i / 1024) for i in range(1024)])
    sines = circle()
    write("fm_sine_of_part", [sine for sine, _ in sines])
    write("fm_cosine_of_part", [cosine for _, cosine in sines])


if __name__ == "__main__":
    main()
