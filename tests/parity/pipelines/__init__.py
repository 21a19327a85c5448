# SPDX-License-Identifier: Apache-2.0
"""The pipelines that Spark and scored are compared on."""

from pipelines import (
    chains,
    composed,
    documented,
    encoding,
    features,
    learned,
    learners,
    mleap,
    models,
    numeric,
    patterns,
    predictors,
    prepared,
    sql,
    texts,
    vectors,
)
from pipelines.table import MANY, PIPELINES, Pipeline

__all__ = [
    "MANY",
    "PIPELINES",
    "Pipeline",
    "chains",
    "composed",
    "documented",
    "encoding",
    "features",
    "learned",
    "learners",
    "mleap",
    "models",
    "numeric",
    "patterns",
    "predictors",
    "prepared",
    "sql",
    "texts",
    "vectors",
]
