# SPDX-License-Identifier: Apache-2.0
"""Draws fitted models, random and degenerate: whatever Spark can save, also what no good fit would give.

A model is fitted on a few rows, or taken from such a fit, saved, changed where it is saved (NaN and infinite
coefficients, no category, wrong statistics), and loaded again: what Spark loads is a model that Spark can score.
"""

from __future__ import annotations

import random

from draw_features import Features
from draw_models import Models
from draw_predictors import Predictors
from draw_texts import Texts
from drawing import Drawn

OFTEN = ("of_logistic", "of_trees", "of_indexer")


class Draw(Models, Predictors, Features, Texts):
    """Draws a model of any kind."""

    def any(self, seed: str) -> Drawn:
        """Return the model of a seed."""
        r = random.Random(seed)
        kinds = [name for name in sorted(dir(self)) if name.startswith("of_")]
        weights = [2 if name in OFTEN else 1 for name in kinds]
        return getattr(self, r.choices(kinds, weights)[0])(r)
