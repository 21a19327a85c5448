# SPDX-License-Identifier: Apache-2.0
"""The four sources, with the types they are promised to have."""

from __future__ import annotations

import hashlib
from pathlib import Path

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SCHEMAS = {
    "adverts": "advert_id BIGINT, derivative_id INT, postcode_area STRING, seller_type STRING, "
    "listed_on DATE, sold_on DATE, withdrawn_on DATE, registered_on DATE, mileage INT, colour STRING, "
    "previous_owners INT, photos INT, asking_price INT, final_price INT, views INT",
    "taxonomy": "derivative_id INT, make STRING, model STRING, body STRING, fuel STRING, "
    "transmission STRING, power_bhp INT",
    "valuations": "derivative_id INT, age_years INT, valid_from DATE, valid_to DATE, retail_value INT, "
    "typical_mileage INT",
    "geography": "postcode_area STRING, region STRING, population_density DOUBLE",
}


def register(session: SparkSession, folder: Path) -> None:
    """Make each source a view of its name; a row that does not fit its schema fails when it is read."""
    for name, schema in SCHEMAS.items():
        table = session.read.csv(
            str(folder / f"{name}.csv"), schema=schema, header=True, mode="FAILFAST", enforceSchema=False
        )
        table.cache().createOrReplaceTempView(name)


def digest(folder: Path) -> str:
    """Return one SHA-256 over the digests of the four files: which data it was."""
    lines = [
        f"{hashlib.sha256((folder / f'{n}.csv').read_bytes()).hexdigest()}  {n}.csv\n"
        for n in sorted(SCHEMAS)
    ]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
