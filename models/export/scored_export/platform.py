# SPDX-License-Identifier: Apache-2.0
"""The platform: the numeric switches of the Spark session whose answers a bundle promises.

Everything of the JVM is asked by SQL's ``java_method``, which runs in an executor: the place that counts. The
driver, where golden rows are scored, is asked the same through py4j; a difference makes the BLAS ``mixed``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

NETLIB = "dev.ludovic.netlib.blas"
BLAS_NAMES = {"Java8BLAS": "java8", "Java11BLAS": "java11", "JNIBLAS": "native"}
ARCHITECTURES = {"amd64": "x86_64", "x86_64": "x86_64", "aarch64": "aarch64"}
HOTSPOT = ("HotSpot", "OpenJDK")

Call = tuple[str, str, tuple[Any, ...]]

PROPERTIES = {"arch": "os.arch", "jdk": "java.version", "vm": "java.vm.name"}
CALLS: dict[str, Call] = {
    **{name: ("java.lang.System", "getProperty", (key,)) for name, key in PROPERTIES.items()},
    "blas": (NETLIB + ".BLAS", "getInstance", ()),
    "scala": ("scala.util.Properties", "versionNumberString", ()),
    "locale": ("java.util.Locale", "getDefault", ()),
    "huge": ("java.lang.Double", "toString", (2e23,)),
}
Ask = Callable[[Any, dict[str, Call]], dict[str, str]]
LANES: Call = ("jdk.incubator.vector.VectorShape", "preferredShape", ())


def _executor(spark: Any, calls: dict[str, Call]) -> dict[str, str]:
    """Ask an executor, all in one job."""

    def sql(call: Call) -> str:
        owner, method, args = call
        given = [repr(a) if isinstance(a, str) else f"{a!r}D" for a in args]
        return f"java_method({', '.join([repr(owner), repr(method), *given])})"

    wanted = [f"{sql(call)} AS `{name}`" for name, call in calls.items()]
    row = spark.range(1).selectExpr(*wanted).collect()[0]
    return {name: str(row[name]) for name in calls}


def _driver(spark: Any, calls: dict[str, Call]) -> dict[str, str]:
    """Ask the driver the same."""
    found = {}
    for name, (owner, method, args) in calls.items():
        target = spark.sparkContext._jvm
        for part in owner.split("."):
            target = getattr(target, part)
        answer = getattr(target, method)(*args)
        found[name] = str(answer.toString() if hasattr(answer, "toString") else answer)
    return found


def java_log(spark: Any, x: float) -> float:
    """Return Math.log(x) as the session's JVM computes it."""
    if math.isnan(x) or x <= 0.0 or math.isinf(x):
        return math.nan if math.isnan(x) or x < 0.0 else (-math.inf if x == 0.0 else math.inf)
    return float(_executor(spark, {"log": ("java.lang.Math", "log", (float(x),))})["log"])


def _blas(spark: Any, ask: Ask, instance: str) -> str:
    """Return the bundle's name of a BLAS: JNIBLAS if it loads, else the one in Java."""
    name = instance.split("@")[0].rsplit(".", 1)[-1]
    if name != "VectorBLAS":
        return BLAS_NAMES.get(name, "native")
    shape = ask(spark, {"lanes": LANES})["lanes"]
    return f"vector{int(shape.split('_')[1]) // 64}"


def _cpu_vendor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as lines:
            return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("vendor_id"))
    except (OSError, StopIteration):
        return "unknown"


def _executor_vendor(spark: Any) -> str:
    """Return the CPU vendor of an executor; a nested function, so that Spark ships it by value."""
    if spark.sparkContext.master.startswith("local"):
        return _cpu_vendor()

    def vendor(_: Any) -> str:
        try:
            with open("/proc/cpuinfo", encoding="ascii", errors="replace") as lines:
                return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("vendor_id"))
        except (OSError, StopIteration):
            return "unknown"

    return str(spark.sparkContext.parallelize([0], 1).map(vendor).collect()[0])


def _compressed(spark: Any) -> str:
    """Return the rule by which Spark compresses vectors: two zeros are sparse under the old one only."""
    from pyspark.ml.feature import VectorAssembler

    frame = spark.range(1).selectExpr("0D AS a", "0D AS b")
    row = VectorAssembler(inputCols=["a", "b"], outputCol="v").transform(frame).select("v").collect()[0]
    return "old" if hasattr(row.v, "indices") else "4.1"


def _major(jdk: str) -> int:
    first, *rest = jdk.split("-")[0].split("+")[0].split(".")
    return int(rest[0] if first == "1" and rest else first)


def time_zone(spark: Any) -> str:
    """Return the session's time zone: one that is always as far from UTC by that distance, others by name."""
    name = str(spark.conf.get("spark.sql.session.timeZone"))
    jvm = spark.sparkContext._jvm
    rules = jvm.org.apache.spark.sql.catalyst.util.DateTimeUtils.getZoneId(name).getRules()
    if not rules.isFixedOffset():
        return name
    offset = str(rules.getOffset(jvm.java.time.Instant.EPOCH).getId())
    return "UTC" if offset == "Z" else offset if len(offset) == len("+00:00") else name


def is_fixed(zone: str) -> bool:
    """Tell whether a bundle's time zone is always as far from UTC."""
    return zone == "UTC" or zone[:1] in ("+", "-")


def ask_platform(spark: Any) -> dict[str, Any]:
    """Return the bundle's `platform` object for a session."""
    facts = _executor(spark, CALLS)
    driver = _driver(spark, {name: CALLS[name] for name in ("blas", *PROPERTIES)})
    blas, arch, jdk = _blas(spark, _executor, facts["blas"]), facts["arch"], facts["jdk"]
    same = _blas(spark, _driver, driver["blas"]) == blas and all(driver[p] == facts[p] for p in PROPERTIES)
    hotspot = arch in ("amd64", "x86_64") and any(name in facts["vm"] for name in HOTSPOT)
    vendor = _executor_vendor(spark)
    return {
        "spark": spark.version,
        "scala": facts["scala"],
        "jdk": jdk,
        "arch": ARCHITECTURES.get(arch, arch),
        "cpu_vendor": vendor if vendor == _cpu_vendor() else "unknown",
        "blas": blas if same else "mixed",
        "reduce": "unordered" if blas.startswith("vector") and _major(jdk) > 17 else "sequential",
        "libm": "hotspot-x86" if hotspot else "other",
        "ansi": spark.conf.get("spark.sql.ansi.enabled").lower() == "true",
        "locale": facts["locale"],
        "compressed": _compressed(spark),
        "double_to_string": "jdk19" if facts["huge"] == "2.0E23" else "jdk17",
        "case_sensitive": spark.conf.get("spark.sql.caseSensitive").lower() == "true",
    }
