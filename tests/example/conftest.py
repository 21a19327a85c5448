# SPDX-License-Identifier: Apache-2.0
"""One session, one small market and one trained model for all tests of the worked example."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

MODELS = Path(__file__).resolve().parents[2] / "models"
sys.path.insert(0, str(MODELS))

from days_to_sell import check, cli, generate, session, sources, train  # noqa: E402

ROWS = 6_000


@pytest.fixture(scope="session")
def spark():
    """The session that the jobs find and share; its compiler hurries, for no plan runs long."""
    os.environ["PYSPARK_SUBMIT_ARGS"] = (
        '--driver-java-options "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC" pyspark-shell'
    )
    return session.spark("local[1]")


@pytest.fixture(scope="session")
def market(tmp_path_factory):
    """A folder with generated sources."""
    folder = cli.Folder(tmp_path_factory.mktemp("days_to_sell"))
    assert generate.main(["--out", str(folder.root), "--rows", str(ROWS)]) == cli.OK
    return folder


@pytest.fixture(scope="session")
def checked(spark, market):
    """The folder after the check passed twice: the second run has a last run to compare with."""
    for _ in range(2):
        assert check.main(["--out", str(market.root), "--master", "local[1]"]) == cli.OK
    return market


@pytest.fixture(scope="session")
def trained(checked):
    """The folder with a model in it."""
    assert train.main(["--out", str(checked.root), "--only", "forest", "--master", "local[1]"]) == cli.OK
    return checked


@pytest.fixture(scope="session")
def views(spark, checked):
    """The views that the checks measure, sound."""
    sources.register(spark, checked.sources)
    check.join(spark)
    import json

    check.compare(spark, json.loads(checked.profile.read_text(encoding="utf-8")))
    return spark
