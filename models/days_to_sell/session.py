# SPDX-License-Identifier: Apache-2.0
"""The Spark session of the jobs, and their SQL files."""

from __future__ import annotations

from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

SQL = Path(__file__).parent / "sql"


def spark(master: str = "local[2]") -> SparkSession:
    """Return a session that is small, quiet, bound to loopback and reckons in UTC."""
    settings = {
        "spark.driver.memory": "2g",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "4",
    }
    builder = SparkSession.builder.master(master).appName("days_to_sell")
    for key, value in settings.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session


def query(session: SparkSession, name: str, **values: object) -> DataFrame:
    """Run `sql/<name>.sql` with its named parameters."""
    return session.sql((SQL / f"{name}.sql").read_text(encoding="utf-8"), args=values or None)
