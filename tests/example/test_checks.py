# SPDX-License-Identifier: Apache-2.0
"""Every check passes on sound data and fails on the fault it is there for."""

from __future__ import annotations

import pytest
from days_to_sell import check, checks, cli
from days_to_sell.columns import CATEGORIES, FEATURES, NUMBERS, OUTCOMES

SOURCE_NULLS = {
    "adverts": (
        "listed_on",
        "registered_on",
        "asking_price",
        "seller_type",
        "mileage",
        "colour",
        "previous_owners",
        "postcode_area",
    ),
    "taxonomy": ("power_bhp",),
}
KEYS = {"adverts": "advert_id", "taxonomy": "derivative_id", "geography": "postcode_area"}

#: check -> the columns that a fault replaces, in the view that the check reads.
FAULTS: dict[str, dict[str, str]] = {
    **{
        f"{of}.{c}.nulls": {c: f"CASE WHEN rand(1) < 0.25 THEN NULL ELSE {c} END"}
        for of, columns in SOURCE_NULLS.items()
        for c in columns
    },
    **{f"{of}.unique": {key: f"first_value({key}) OVER ()"} for of, key in KEYS.items()},
    "valuations.unique": {"valid_from": "DATE'2025-01-01'"},
    "adverts.mileage.range": {"mileage": "mileage * 1000"},
    "adverts.asking_price.range": {"asking_price": "asking_price * 100"},
    "adverts.photos.range": {"photos": "-1"},
    "adverts.previous_owners.range": {"previous_owners": "previous_owners + 2000"},
    "taxonomy.power_bhp.range": {"power_bhp": "power_bhp * 100"},
    "valuations.retail_value.range": {"retail_value": "retail_value * 100"},
    "geography.population_density.range": {"population_density": "population_density / 1e6"},
    "adverts.dates": {"sold_on": "date_sub(listed_on, 3)"},
    "adverts.ended": {"sold_on": "CAST(NULL AS DATE)"},
    "joined.multiplied": {"joined": "joined + 1"},
    "joined.taxonomy.lost": {"known_derivative": "nullif(known_derivative, 1002)"},
    "joined.geography.lost": {"region": "nullif(region, 'London')"},
    "joined.valuations.lost": {"retail_value": "CASE WHEN rand(1) < 0.9 THEN retail_value END"},
    "training.kept": {"training": "training div 4"},
    "training.span": {"listed_on": "DATE'2025-01-01'"},
    "training.price_ratio.range": {"price_ratio": "price_ratio * 3"},
    "training.price_ratio.middle": {"price_ratio": "price_ratio * 1.2"},
    "training.age_months.range": {"age_months": "-age_months"},
    "training.days_to_sell.nulls": {"days_to_sell": "nullif(days_to_sell, 7)"},
    "training.days_to_sell.range": {"days_to_sell": "days_to_sell - 30"},
    "training.days_to_sell.middle": {"days_to_sell": "days_to_sell * 24"},
    "training.days_to_sell.unsold": {"days_to_sell": "120D"},
    "leak.valuation_from_the_future": {"valued_on": "date_add(listed_on, 5)"},
    "leak.window": {"listed_on": "date_add(listed_on, 60)"},
    **{f"leak.{n}": {n: "days_to_sell * 2 + 1"} for n in NUMBERS},
    "drift.rows": {"adverts": "adverts * 2"},
    **{f"drift.{c}": {"moved": f"CASE WHEN feature = '{c}' THEN 0.3 ELSE moved END"} for c in CATEGORIES},
}

BY_NAME = {c.name: c for c in checks.table(with_last_run=True)}


def broken(spark, c: checks.Check, change: dict[str, str]) -> checks.Result:
    """Measure the check on its view with the fault in it."""
    sound = spark.table(c.of)
    columns = [f"{change[name]} AS {name}" if name in change else name for name in sound.columns]
    sound.selectExpr(*columns).createOrReplaceTempView("broken")
    return next(checks.measure(spark, [c._replace(of="broken")]))


def test_names_are_unique():
    assert len(BY_NAME) == len(checks.table(with_last_run=True))


def test_every_check_has_a_fault():
    assert {n for n in BY_NAME if not n.endswith(".rows") or n == "drift.rows"} == set(FAULTS)


def test_sound_data_passes(views):
    check.halt(list(checks.measure(views, BY_NAME.values())))


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_found(views, name):
    result = broken(views, BY_NAME[name], FAULTS[name])
    assert not result.passed
    assert name in str(result) and BY_NAME[name].why in str(result)


@pytest.mark.parametrize("of", ["adverts", "taxonomy", "valuations", "geography"])
def test_truncated_source_is_found(views, of):
    views.table(of).limit(5).createOrReplaceTempView("broken")
    assert not next(checks.measure(views, [BY_NAME[f"{of}.rows"]._replace(of="broken")])).passed


def test_no_value_fails():
    assert not checks.Result(BY_NAME["adverts.rows"], None).passed
    assert not checks.Result(BY_NAME["adverts.rows"], float("nan")).passed


def test_halt_gives_every_reason():
    results = [checks.Result(BY_NAME[n], -1.0) for n in ("adverts.rows", "drift.make")]
    with pytest.raises(cli.Refused) as refused:
        check.halt(results)
    assert "2 of 2" in str(refused.value) and "drift.make" in str(refused.value)


def test_features_hold_no_outcome():
    assert not set(FEATURES) & set(OUTCOMES)


def test_job_halts_on_a_broken_feed(spark, market, tmp_path, capfd):
    """A feed that lost its mileages: exit 1, the reason on stderr, no training set."""
    folder = cli.Folder(tmp_path)
    folder.sources.mkdir()
    for source in market.sources.iterdir():
        lines = source.read_text().splitlines()
        if source.name == "adverts.csv":
            rows = [line.split(",") for line in lines]
            lines = [",".join(r if i == 0 else [*r[:8], "", *r[9:]]) for i, r in enumerate(rows)]
        (folder.sources / source.name).write_text("\n".join(lines) + "\n")
    assert check.main(["--out", str(tmp_path), "--master", "local[1]"]) == cli.REFUSED
    assert "adverts.mileage.nulls" in capfd.readouterr().err
    assert not folder.training.exists()
