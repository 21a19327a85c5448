# SPDX-License-Identifier: Apache-2.0
"""Compare scored/number.h with Python's own conversions, over seeded values.

    python3 tests/unit/number_differential.py [COUNT [SEED]]

Doubles are read as float() and written as repr() do; floats are judged by exact fractions and by numpy;
integers by fractions. Needs a C compiler and numpy. COUNT (default 200,000) is for each kind of check.
"""

from __future__ import annotations

import ctypes
import math
import os
import random
import re
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
GRAMMAR = re.compile(r"-?(?:0(?![0-9])|[1-9][0-9]*+)(?:\.[0-9]++|(?!\.))(?:[eE][+-]?[0-9]+|(?![eE]))")


class Number(ctypes.Structure):
    """``struct number``."""

    _fields_ = [
        ("start", ctypes.c_char_p),
        ("len", ctypes.c_size_t),
        ("significand", ctypes.c_uint64),
        ("exponent", ctypes.c_int64),
        ("negative", ctypes.c_bool),
        ("truncated", ctypes.c_bool),
    ]


def build(folder: str) -> ctypes.CDLL:
    """Compile the library and declare its functions."""
    out = os.path.join(folder, "number.so")
    sources = [str(ROOT / "src/util" / name) for name in ("number.c", "number_put.c", "number_tables.c")]
    flags = ["-std=c17", "-O2", "-ffp-contract=off", "-fPIC", "-shared", f"-I{ROOT / 'include'}"]
    subprocess.run([os.environ.get("CC", "cc"), *flags, "-o", out, *sources], check=True)
    library = ctypes.CDLL(out)
    library.number_scan.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.POINTER(Number)]
    library.number_scan.restype = ctypes.c_void_p
    library.number_to_double.restype = ctypes.c_double
    library.number_to_float.restype = ctypes.c_float
    library.number_to_int64.restype = ctypes.c_bool
    library.number_put_double.argtypes = [ctypes.c_char_p, ctypes.c_double]
    library.number_put_float.argtypes = [ctypes.c_char_p, ctypes.c_float]
    library.number_put_int64.argtypes = [ctypes.c_char_p, ctypes.c_int64]
    return library


class Checker:
    """Calls the library, counts and shows what differs."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self.library = library
        self.out = ctypes.create_string_buffer(32)
        self.wrong = 0

    def scan(self, text: str) -> tuple[Number, ctypes.Array[ctypes.c_char]] | None:
        """The number of a text, which must be all of it, with the memory that it borrows."""
        memory = ctypes.create_string_buffer(text.encode())
        start, n = ctypes.addressof(memory), Number()
        after = self.library.number_scan(start, start + len(text), ctypes.byref(n))
        return (n, memory) if after == start + len(text) else None

    def expect(self, what: object, got: object, want: object) -> None:
        """Count a difference."""
        if got != want:
            self.wrong += 1
            if self.wrong <= 20:
                print(f"  {what!r}: got {got!r}, want {want!r}")

    def read_double(self, text: str) -> None:
        """Against float()."""
        number = self.scan(text)
        assert number, text
        got = self.library.number_to_double(ctypes.byref(number[0]))
        self.expect(text, struct.pack("<d", got), struct.pack("<d", float(text)))

    def read_float(self, text: str) -> None:
        """Against one rounding of the exact fraction."""
        number = self.scan(text)
        assert number, text
        got = self.library.number_to_float(ctypes.byref(number[0]))
        self.expect(text, struct.pack("<f", got), struct.pack("<I", float32_bits(text)))

    def read_integer(self, text: str) -> None:
        """Against the exact fraction."""
        number, out = self.scan(text), ctypes.c_int64()
        assert number, text
        fits = self.library.number_to_int64(ctypes.byref(number[0]), ctypes.byref(out))
        value = Fraction(text)
        want = int(value) if value.denominator == 1 and -(1 << 63) <= value < 1 << 63 else None
        self.expect(text, out.value if fits else None, want)

    def write_double(self, x: float) -> None:
        """Against repr()."""
        n = self.library.number_put_double(self.out, x)
        self.expect(x, self.out.raw[:n].decode(), layout(repr(x)))

    def write_float(self, x: np.float32) -> None:
        """Against numpy's shortest digits."""
        n = self.library.number_put_float(self.out, float(x))
        self.expect(x, self.out.raw[:n].decode(), layout(np.format_float_scientific(x)))

    def write_integer(self, x: int) -> None:
        """Against str()."""
        n = self.library.number_put_int64(self.out, x)
        self.expect(x, self.out.raw[:n].decode(), str(x))

    def grammar(self, text: str) -> None:
        """Against RFC 8259: where the number ends; cut short in fraction or exponent it is none."""
        memory = ctypes.create_string_buffer(text.encode())
        start, n = ctypes.addressof(memory), Number()
        after = self.library.number_scan(start, start + len(text), ctypes.byref(n))
        match = GRAMMAR.match(text)
        self.expect(text, after - start if after else None, match.end() if match else None)


def float32_bits(text: str) -> int:
    """The float nearest to a decimal text, ties to even, by integer arithmetic only."""
    sign, value = int(text[0] == "-") << 31, abs(Fraction(text))
    if value == 0:
        return sign
    exponent = max(value.numerator.bit_length() - value.denominator.bit_length() - 25, -149)
    while True:
        scaled = value / Fraction(2) ** exponent
        if scaled < 1 << 24:
            break
        exponent += 1
    rounded = round(scaled)
    bits = ((exponent + 149) << 23) + rounded
    return sign | min(bits, 0x7F800000)


def layout(shortest: str) -> str:
    """The shortest digits of any notation in the notation of number.h."""
    sign = "-" if shortest.startswith("-") else ""
    if shortest.strip("-") in ("nan", "inf"):
        return '"NaN"' if "nan" in shortest else f'"{sign}Infinity"'
    mantissa, _, power = shortest.strip("-").partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    exponent = int(power or 0) - len(fraction)
    exponent += len(digits) - len(digits.rstrip("0"))
    digits = digits.rstrip("0")
    if not digits:
        return sign + "0.0"
    first = len(digits) + exponent - 1
    if not -5 <= first <= 16:
        return f"{sign}{digits[0]}.{digits[1:] or '0'}e{first}"
    if exponent >= 0:
        return sign + digits + "0" * exponent + ".0"
    padded = digits.rjust(1 - exponent, "0")
    return f"{sign}{padded[:exponent]}.{padded[exponent:]}"


def doubles(r: random.Random) -> Iterator[float]:
    """Any bits, subnormals, powers and their neighbours, integers, short decimals."""
    while True:
        yield struct.unpack("<d", r.randbytes(8))[0]
        yield struct.unpack("<d", struct.pack("<Q", r.getrandbits(r.randint(1, 52))))[0]
        power = math.ldexp(1.0, r.randint(-1074, 1023))
        yield power
        yield math.nextafter(power, r.choice((0.0, math.inf)))
        yield float(r.randint(-(1 << 55), 1 << 55))
        yield float(r.randint(-(10**6), 10**6)) / 10 ** r.randint(0, 9)
        yield float((1 << 53) + r.randint(-1000, 1000))
        yield float(f"{r.randint(1, 99)}e{r.randint(-324, 308)}")
        yield r.choice((1, -1)) * r.random()
        yield r.gauss(0, 1000)


def floats(r: random.Random) -> Iterator[np.float32]:
    """As doubles(), for floats."""
    for x in doubles(r):
        yield np.frombuffer(r.randbytes(4), dtype="<f4")[0]
        yield np.frombuffer(struct.pack("<I", r.getrandbits(r.randint(1, 23))), dtype="<f4")[0]
        edge = r.randint(0, 255) << 23 | r.choice((0, 1, 0x7FFFFF))
        yield np.frombuffer(struct.pack("<I", edge), dtype="<f4")[0]
        if abs(x) < 3e38:
            yield np.float32(x)


def exact_text(value: Fraction) -> str:
    """All decimal digits of a fraction whose denominator is a power of two."""
    places = value.denominator.bit_length() - 1
    digits = str(value.numerator * 5**places).rjust(places + 1, "0")
    return f"{digits[: len(digits) - places]}.{digits[len(digits) - places :]}" if places else digits


def middles(bits: int, fraction_bits: int, least: int) -> Iterator[str]:
    """The exact middle above a magnitude given by its bits, then a hair below and above it, and cut short."""
    biased, fraction = bits >> fraction_bits, bits & ((1 << fraction_bits) - 1)
    significand = fraction | (1 << fraction_bits if biased else 0)
    text = exact_text(Fraction(2 * significand + 1) * Fraction(2) ** (least + max(biased, 1) - 2))
    yield text
    tail = "" if "." in text else "."
    yield text + tail + "0" * 30 + "1"
    yield text + tail + "0" * 900 + "1"
    if text[-1] != "0":
        yield text[:-1] + chr(ord(text[-1]) - 1) + tail + "9" * 40
    yield text[: max(text.find("."), 0) + 25].rstrip(".")


def double_texts(r: random.Random) -> Iterator[str]:
    """Texts of every shape."""
    for x in doubles(r):
        if math.isfinite(x):
            yield repr(x)
            yield f"{x:.{r.randint(0, 40)}e}"
        digits = str(r.getrandbits(r.randint(1, 90)))
        yield f"{r.choice(('', '-'))}{digits}.{r.getrandbits(60)}e{r.randint(-360, 330)}"
        yield f"{digits}e{r.randint(-30, 30)}"
        yield f"0.{'0' * r.randint(0, 400)}{digits}E+{r.randint(0, 400)}"
        if r.random() < 0.2:
            bits = r.choice((r.getrandbits(63) % (2047 << 52), r.getrandbits(r.randint(1, 53))))
            yield from middles(bits, 52, -1074)


def float_texts(r: random.Random) -> Iterator[str]:
    """As double_texts(), with middles between floats and what a detour over doubles would round twice."""
    for x in floats(r):
        if np.isfinite(x):
            yield np.format_float_scientific(x)
            yield f"{float(x):.{r.randint(0, 30)}e}"
        yield f"{r.choice(('', '-'))}{r.getrandbits(r.randint(1, 80))}e{r.randint(-70, 40)}"
        yield f"0.{'0' * r.randint(0, 60)}{r.getrandbits(70)}"
        if r.random() < 0.2:
            bits = r.choice((r.getrandbits(31) % (255 << 23), r.getrandbits(r.randint(1, 24))))
            yield from middles(bits, 23, -149)


def clean(texts: Iterator[str]) -> Iterator[str]:
    """Python writes `1.e+00` and exponents with zeros: the first is no JSON."""
    return (t.replace(".e", ".0e") for t in texts)


def integer_texts(r: random.Random) -> Iterator[str]:
    """Integers and near ones, shifted by powers of ten in every notation."""
    edges = (0, 1, 1 << 53, (1 << 63) - 1, 1 << 63, 1 << 64, 10**18, 10**19)
    while True:
        near_edge = r.choice(edges) + r.randint(-3, 3)
        value = r.choice((near_edge, r.getrandbits(r.randint(1, 70)), 10 ** r.randint(0, 20)))
        digits, shift = str(abs(value)), r.randint(0, 25) if value else 0
        sign = r.choice(("", "-"))
        yield f"{sign}{digits}"
        yield f"{sign}{digits}.{'0' * r.randint(1, 30)}"
        yield f"{sign}{digits}{'0' * shift}e-{shift + r.choice((0, 0, 1))}"
        yield f"{sign}{digits[0]}.{digits[1:] or '0'}e{len(digits) - 1}"
        yield f"{sign}0.{'0' * shift}{digits}E+{shift + len(digits) - r.choice((0, 0, 1))}"
        yield f"{sign}{digits}.{'0' * shift}{r.choice('0001')}"


def grammar_texts(r: random.Random) -> Iterator[str]:
    """Strings over the alphabet of numbers."""
    while True:
        yield "".join(r.choice("00123456789--+..eE ,") for _ in range(r.randint(0, 9)))


def run(checker: Checker, check: Callable[..., None], values: Iterator[object], count: int) -> None:
    """Check `count` values and print the result."""
    before = checker.wrong
    for _ in range(count):
        check(next(values))
    name = check.__name__.replace("_", " ")
    print(f"{name}: {count} values, {checker.wrong - before} mismatches", flush=True)


def main() -> int:
    """Run every check."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    with tempfile.TemporaryDirectory() as folder:
        c = Checker(build(folder))
    r = random.Random(seed)
    integers = (r.randint(-(1 << 63), (1 << 63) - 1) >> r.randint(0, 63) for _ in range(count))
    run(c, c.write_double, doubles(r), count)
    run(c, c.write_float, floats(r), count)
    run(c, c.write_integer, integers, count)
    run(c, c.read_double, clean(double_texts(r)), count)
    run(c, c.read_float, clean(float_texts(r)), count)
    run(c, c.read_integer, integer_texts(r), count)
    run(c, c.grammar, grammar_texts(r), count)
    return 1 if c.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
