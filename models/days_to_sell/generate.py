# SPDX-License-Identifier: Apache-2.0
"""Job 1: make the four sources that a used-car aggregator has. Generated, not real: see `market.py`."""

from __future__ import annotations

import csv
import shutil
import sys
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np

from days_to_sell import cli, market
from days_to_sell.sources import SCHEMAS

MONTHS = 24  # of adverts and of valuations
OLDEST = 14  # years
CENSUS = 120  # days after which an unsold advert is taken down

Row = Sequence[object]


class Derivative(NamedTuple):
    """A row of the taxonomy: a range with one fuel and one gearbox."""

    ident: int
    range: market.Range
    fuel: str
    transmission: str
    new_price: int
    power: int | None


class Drawn(NamedTuple):
    """One array a property, each of the length of the adverts."""

    derivative: np.ndarray  # index into the taxonomy
    area: np.ndarray  # index into market.AREAS
    colour: np.ndarray
    seller: np.ndarray
    listed: np.ndarray  # datetime64[D]
    age: np.ndarray  # months
    mileage: np.ndarray  # miles
    photos: np.ndarray
    ratio: np.ndarray  # asking price / true value


def taxonomy() -> list[Derivative]:
    """Return every derivative on sale; a few have no power figure, as in every taxonomy."""
    made: list[Derivative] = []
    for r in market.RANGES:
        for fuel in r.fuels:
            for box in ("Automatic",) if fuel in (market.E, market.H) else ("Manual", "Automatic"):
                price = (
                    r.new_price
                    * {"Diesel": 1.06, "Hybrid": 1.12}.get(fuel, 1.0)
                    * (1.05 if box == "Automatic" else 1)
                )
                power = None if len(made) % 29 == 28 else r.power_bhp + (10 if fuel == market.H else 0)
                made.append(Derivative(1000 + len(made), r, fuel, box, int(price), power))
    return made


def true_value(new_price: np.ndarray, age: np.ndarray, mileage: np.ndarray) -> np.ndarray:
    """Return the worth in pounds of cars of `age` months with `mileage` miles."""
    kept = 0.86 * np.exp(-0.0115 * age) + 0.04
    return new_price * kept * (1 - 0.004 * (mileage - typical_mileage(age)) / 1000)


def typical_mileage(age: np.ndarray) -> np.ndarray:
    """Return the miles that a car of `age` months usually has."""
    return 800.0 * age + 1500.0


def draw(rng: np.random.Generator, cars: Sequence[Derivative], rows: int, end: np.datetime64) -> Drawn:
    """Draw who sells what, where and when."""
    shares = np.array([d.range.popularity * (0.6 if d.transmission == "Automatic" else 1) for d in cars])
    age = np.clip(rng.gamma(2.2, 26.0, rows), 3, OLDEST * 12 - 1).astype(int)
    mileage = np.clip(typical_mileage(age) * rng.lognormal(0, 0.38, rows), 100, 230_000).astype(int)
    return Drawn(
        derivative=rng.choice(len(cars), rows, p=shares / shares.sum()),
        area=rng.choice(len(market.AREAS), rows, p=_weights([a.density**0.4 for a in market.AREAS])),
        colour=_pick(rng, market.COLOURS, rows),
        seller=_pick(rng, market.SELLERS, rows),
        listed=end - rng.integers(1, MONTHS * 30, rows).astype("timedelta64[D]"),
        age=age,
        mileage=mileage,
        photos=np.clip(rng.normal(22, 11, rows), 0, 60).astype(int),
        ratio=np.clip(rng.normal(1.0, 0.085, rows), 0.72, 1.45),
    )


def _weights(values: Iterable[float]) -> np.ndarray:
    made = np.array(list(values))
    return made / made.sum()


def _pick(rng: np.random.Generator, shares: dict[str, float], rows: int) -> np.ndarray:
    return rng.choice(np.array(list(shares)), rows, p=_weights(shares.values()))


def days_to_sell(rng: np.random.Generator, cars: Sequence[Derivative], d: Drawn) -> np.ndarray:
    """Return the days until each advert finds its buyer: what the model has to find, times noise."""
    pace = np.array([c.range.pace + market.FUEL_PACE[c.fuel] for c in cars])[d.derivative]
    pace = pace + np.array(market.BADGE_PACE)[np.searchsorted(market.BADGES, d.ratio, side="right")]
    pace += 1.6 * (d.ratio - 1)
    pace += np.vectorize(market.COLOUR_PACE.get)(d.colour) + np.vectorize(market.SELLER_PACE.get)(d.seller)
    pace += 0.0022 * (d.age - 50) + 0.12 * np.log(d.mileage / typical_mileage(d.age))
    pace -= 0.35 * (1 - np.exp(-d.photos / 9.0)) - 0.25
    pace -= 0.035 * np.log(np.array([a.density for a in market.AREAS])[d.area] / 800)
    month = d.listed.astype("datetime64[M]").astype(int) % 12
    pace += 0.14 * np.cos(2 * np.pi * (month - 11) / 12)  # slow before Christmas
    pace += interplay(cars, d, month)
    return np.ceil(28 * np.exp(pace) * rng.gamma(8.0, 1 / 8.0, len(pace)))


def interplay(cars: Sequence[Derivative], d: Drawn, month: np.ndarray) -> np.ndarray:
    """Return what no sum over single properties can say: where one property changes what another means."""
    fuel = np.array([c.fuel for c in cars])[d.derivative]
    body = np.array([c.range.body for c in cars])[d.derivative]
    london = np.array([a.region == "London" for a in market.AREAS])[d.area]
    private = d.seller == "Private"
    pace = np.where(
        body == "Convertible", 0.40 * np.cos(2 * np.pi * month / 12), 0
    )  # nobody wants one in January
    pace += np.where((fuel == market.D) & london & (d.age > 84), 0.75, 0)  # older diesels pay to enter
    pace += np.where((fuel == market.E) & (d.age > 60), 0.45, 0)  # fear for the battery
    pace += np.where((d.age >= 34) & (d.age <= 40) & ~private, -0.25, 0)  # back from a three-year lease
    pace += np.where(d.mileage > 100_000, 0.40, 0)
    pace += np.where(private & (d.ratio > 1.0), 4.0 * (d.ratio - 1), 0)  # no warranty: only a low price helps
    return pace + np.where(private & (d.photos < 10), 0.35, 0)


def adverts(rng: np.random.Generator, cars: Sequence[Derivative], rows: int, end: np.datetime64) -> list[Row]:
    """Return the historic adverts, with the gaps and slips that such tables have."""
    d = draw(rng, cars, rows, end)
    days = days_to_sell(rng, cars, d)
    price = d.ratio * true_value(np.array([c.new_price for c in cars])[d.derivative], d.age, d.mileage)
    price = np.maximum(np.round(price / 5) * 5 - 5, 300).astype(int)
    sold = d.listed + days.astype("timedelta64[D]")
    withdrawn = d.listed + np.ceil(days * rng.uniform(0.1, 0.9, rows)).astype("timedelta64[D]")
    gives_up = rng.random(rows) < 0.04
    ended = (sold < end) & (days <= CENSUS) & ~gives_up
    registered = d.listed - (d.age * 30.44).astype("timedelta64[D]")
    haggle = np.round(price * rng.uniform(0.95, 1.0, rows)).astype(int)
    missing = {
        name: rng.random(rows) < share
        for name, share in {
            "mileage": 0.02,
            "colour": 0.03,
            "owners": 0.08,
            "area": 0.004,
            "derivative": 0.001,
        }.items()
    }
    owners = np.clip(rng.poisson(d.age / 45.0), 0, 8)
    views = (days * rng.lognormal(3.2, 0.4, rows)).astype(int)
    return [
        (
            10_000_000 + i,
            999 if missing["derivative"][i] else cars[d.derivative[i]].ident,  # 999: not in the taxonomy
            None if missing["area"][i] else market.AREAS[d.area[i]].code,
            d.seller[i],
            d.listed[i],
            sold[i] if ended[i] else None,
            withdrawn[i] if gives_up[i] and withdrawn[i] < end else None,
            registered[i],
            None if missing["mileage"][i] else d.mileage[i],
            None if missing["colour"][i] else d.colour[i],
            None if missing["owners"][i] else owners[i],
            d.photos[i],
            price[i],
            haggle[i] if ended[i] else None,
            views[i],
        )
        for i in range(rows)
    ]


def valuations(rng: np.random.Generator, cars: Sequence[Derivative], end: np.datetime64) -> Iterable[Row]:
    """Yield the guide's monthly valuations of each derivative by age in years; one in 100 was never made."""
    newest = end.astype("datetime64[M]")
    years = np.arange(OLDEST)
    for month in (newest - k for k in range(MONTHS + 1)):
        for car in cars:
            age = years * 12 + 6
            value = true_value(np.full(OLDEST, car.new_price), age, typical_mileage(age)) * rng.normal(
                1, 0.012, OLDEST
            )
            for y in years[rng.random(OLDEST) >= 0.01]:
                yield (
                    car.ident,
                    y,
                    month.astype("datetime64[D]"),
                    (month + 1).astype("datetime64[D]"),
                    int(value[y]),
                    int(typical_mileage(age)[y]),
                )


def write(path: Path, header: str, rows: Iterable[Row]) -> int:
    """Write a CSV file and return how many rows it has; a null is an empty field."""
    count = 0
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(header.split())
        for row in rows:
            writer.writerow(["" if v is None else v for v in row])
            count += 1
    return count


def generate(folder: cli.Folder, rows: int, seed: int, end: date) -> None:
    """Write the four sources of a market whose last day is `end`."""
    folder.sources.mkdir(parents=True, exist_ok=True)
    rng, last, cars = np.random.default_rng(seed), np.datetime64(end), taxonomy()
    tables = {
        "taxonomy": (
            "derivative_id make model body fuel transmission power_bhp",
            [
                (c.ident, c.range.make, c.range.model, c.range.body, c.fuel, c.transmission, c.power)
                for c in cars
            ],
        ),
        "geography": ("postcode_area region population_density", market.AREAS),
        "valuations": (
            "derivative_id age_years valid_from valid_to retail_value typical_mileage",
            valuations(rng, cars, last),
        ),
        "adverts": (
            "advert_id derivative_id postcode_area seller_type listed_on sold_on withdrawn_on registered_on "
            "mileage colour previous_owners photos asking_price final_price views",
            adverts(rng, cars, rows, last),
        ),
    }
    for name, (header, lines) in tables.items():
        cli.say(f"  {name}: {write(folder.sources / f'{name}.csv', header, lines):,} rows")


def take(folder: cli.Folder, feed: Path) -> None:
    """Copy what arrived, so that this run and its reruns read the same whatever arrives meanwhile."""
    folder.sources.mkdir(parents=True, exist_ok=True)
    for name in SCHEMAS:
        if not (folder.sources / f"{name}.csv").exists():
            shutil.copy(folder.need(feed / f"{name}.csv", "arrive"), folder.sources)
    cli.say(f"  {folder.sources}: as they arrived at {feed}")


HELP = """Make the four sources: adverts, taxonomy, valuations, geography, as CSV under DIR/sources.
The data is GENERATED: real names, invented numbers, the same for the same --seed. With --feed they are
copied from where real ones arrive; those that DIR has already stay.

example:
  python -m days_to_sell.generate --out build/days_to_sell --rows 20000"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the job."""
    p = cli.parser("generate", HELP)
    p.add_argument("--rows", type=int, default=20_000, help="adverts to make (default 20000)")
    p.add_argument("--seed", type=int, default=7, help="of the random numbers (default 7)")
    p.add_argument(
        "--end",
        type=date.fromisoformat,
        default=date(2026, 6, 30),
        metavar="YYYY-MM-DD",
        help="last day of the data (default 2026-06-30)",
    )
    p.add_argument("--feed", type=Path, metavar="FEED", help="copy the sources from here, invent nothing")
    args = p.parse_args(argv)
    if args.feed:
        return cli.run("generate", lambda: take(cli.Folder(args.out), args.feed))
    if args.rows < 1:
        p.error("--rows must be at least 1")
    return cli.run("generate", lambda: generate(cli.Folder(args.out), args.rows, args.seed, args.end))


if __name__ == "__main__":
    sys.exit(main())
