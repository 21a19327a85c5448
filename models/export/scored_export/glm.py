# SPDX-License-Identifier: Apache-2.0
"""What the parameters of a generalized linear model mean."""

from __future__ import annotations

from scored_export.needs import EXP, POW
from scored_export.saved import SavedStage
from scored_export.values import saved_number

#: Family -> its own link.
LINKS = {"gaussian": "identity", "binomial": "logit", "poisson": "log", "gamma": "inverse"}
#: Powers of the variance and of the link that Spark takes as other families and links.
VARIANCES = {0.0: "gaussian", 1.0: "poisson", 2.0: "gamma"}
POWERS = {0.0: "log", 1.0: "identity", -1.0: "inverse", 0.5: "sqrt"}
LINK_NEEDS = {"log": {EXP}, "logit": {EXP}, "cloglog": {EXP}, "power": {EXP, POW}}


def family_of(saved: SavedStage) -> tuple[str, str, float | None]:
    """Return family, link and the link's power as Spark understands the parameters."""
    given, params = saved.set, saved.params
    family = str(params["family"]).lower()
    if family != "tweedie":
        return family, str(given["link"]).lower() if "link" in given else LINKS[family], None
    variance = saved_number(params["variancePower"])
    family = VARIANCES.get(variance, "tweedie")
    if "linkPower" not in given and family != "tweedie":
        return family, LINKS[family], None
    power = saved_number(given["linkPower"]) if "linkPower" in given else 1.0 - variance
    if "linkPower" in given and power in POWERS:
        return family, POWERS[power], None
    return family, "power" if power != 0.0 else "log", power if power != 0.0 else None
