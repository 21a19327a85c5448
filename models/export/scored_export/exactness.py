# SPDX-License-Identifier: Apache-2.0
"""How exactly each column can be promised, and what the engine cannot reproduce."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scored_export.errors import Refused
from scored_export.needs import (
    BLAS,
    DIGITS,
    EXP,
    LOCALE,
    LOG,
    LOWER,
    POW,
    REGEX,
    RULES,
    THAI,
    TRIGONOMETRY,
    UPPER,
    ZONE,
)

VENDORS = ("GenuineIntel", "AuthenticAMD")
DOTTED = ("tr", "az", "lt", THAI)  # languages with upper case of their own, and one that no text is known of
REPRODUCED_BLAS = ("java11",)
CURE = "run the export step on x86-64 with JDK 11 or 17, without libblas.so.3, or allow an inexact bundle"
WHY = {
    BLAS: "sums in the order of Spark's BLAS {blas}",
    EXP: "Math.exp of HotSpot on x86-64",
    LOG: "Math.log of HotSpot on x86-64, whose last bit depends on the maker of the CPU ({cpu_vendor})",
    LOWER: "String.toLowerCase of JDK 17",
    LOCALE: "lower case in the JVM's locale ({locale})",
    UPPER: "String.toUpperCase of JDK 17, in the JVM's locale ({locale})",
    DIGITS: "Double.toString of JDK 17",
    TRIGONOMETRY: "Math.sin, cos, tan, tanh and cbrt of HotSpot on x86-64",
    REGEX: "java.util.regex of JDK 17",
    RULES: "consequents in the order in which the exporting session collected the rules",
    ZONE: "local time in the session's time zone ({time_zone})",
    POW: "Math.pow of HotSpot on x86-64, whose last bit depends on the maker of the CPU ({cpu_vendor})",
}


def _is_jdk(platform: Mapping[str, Any], feature: str) -> bool:
    return str(platform["jdk"]).split(".")[0].split("+")[0].split("-")[0] == feature


def _obstacle(need: str, platform: Mapping[str, Any]) -> str:
    """Return why a need is not reproduced on this platform, empty if it is."""
    if need == BLAS:
        blas = platform["blas"]
        return "" if blas in REPRODUCED_BLAS else f"Spark's BLAS is {blas}, and only java11 is reproduced"
    if need == LOWER:
        return "" if _is_jdk(platform, "17") else f"toLowerCase of JDK {platform['jdk']} is not reproduced"
    if need == UPPER and platform["locale"].split("_")[0] in DOTTED:
        return f"upper case in locale {platform['locale']} is not reproduced"
    if need == UPPER:
        return "" if _is_jdk(platform, "17") else f"toUpperCase of JDK {platform['jdk']} is not reproduced"
    if need == DIGITS:
        same = platform["double_to_string"] == "jdk17"
        return "" if same else f"Double.toString of JDK {platform['jdk']} is not reproduced"
    if need == REGEX:
        jdk = platform["jdk"]
        return "" if _is_jdk(platform, "17") else f"java.util.regex of JDK {jdk} is not reproduced"
    if need in (RULES, ZONE):
        return ""
    if need == LOCALE:
        thai = platform["locale"].split("_")[0] == THAI
        return f"locale {platform['locale']} finds words by a dictionary" if thai else ""
    if platform["libm"] != "hotspot-x86":
        return "the functions of java.lang.Math of this JVM are not those of HotSpot on x86-64"
    if need in (LOG, POW) and platform["cpu_vendor"] not in VENDORS:
        return f"Math.{need} on a CPU of {platform['cpu_vendor']} is not reproduced"
    return ""


def exactness(
    needs: Mapping[str, set[str]], platform: Mapping[str, Any], allow_inexact: int | None
) -> dict[str, Any]:
    """Return the manifest's `exactness`, refusing columns that the engine cannot reproduce.

    Parameters
    ----------
    needs : mapping
        Column -> switches of the platform it depends on.
    allow_inexact : int, optional
        Distance in units in the last place to declare for columns that are not reproduced.
    """
    result: dict[str, Any] = {}
    for column, wanted in needs.items():
        obstacle = next(filter(None, (_obstacle(need, platform) for need in sorted(wanted))), "")
        if obstacle and allow_inexact is None:
            raise Refused(f"column {column} cannot be reproduced: {obstacle}", CURE)
        if obstacle:
            result[column] = {"tier": "ulp", "n": allow_inexact, "why": obstacle}
        elif wanted:
            why = "; ".join(WHY[need].format(**platform) for need in sorted(wanted))
            result[column] = {"tier": "exact-on-platform", "why": why}
        else:
            result[column] = {"tier": "exact", "why": "no arithmetic that depends on the platform"}
    return result
