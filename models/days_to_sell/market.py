# SPDX-License-Identifier: Apache-2.0
"""The make-believe market behind the generated data: what cars there are and where they are sold.

Makes, models and regions are real names so that the data reads like the trade's; every number is invented.
"""

from __future__ import annotations

from typing import NamedTuple


class Range(NamedTuple):
    """A model range: its price when new (pounds), power, popularity and how fast it sells."""

    make: str
    model: str
    body: str
    fuels: tuple[str, ...]
    new_price: int
    power_bhp: int
    popularity: float
    pace: float  # log of days to sell, against the market


class Area(NamedTuple):
    """A postcode area."""

    code: str
    region: str
    density: float  # people per square kilometre


P, D, H, E = "Petrol", "Diesel", "Hybrid", "Electric"

RANGES = (
    Range("Ford", "Fiesta", "Hatchback", (P, D), 18000, 95, 13.0, -0.18),
    Range("Ford", "Focus", "Hatchback", (P, D), 24000, 125, 7.0, -0.08),
    Range("Ford", "Kuga", "SUV", (P, D, H), 31000, 150, 5.0, -0.05),
    Range("Ford", "Mustang", "Coupe", (P,), 46000, 440, 0.6, 0.30),
    Range("Vauxhall", "Corsa", "Hatchback", (P, D, E), 18500, 90, 8.0, -0.12),
    Range("Vauxhall", "Astra", "Hatchback", (P, D), 24000, 120, 6.0, 0.05),
    Range("Vauxhall", "Insignia", "Saloon", (P, D), 28000, 150, 2.5, 0.28),
    Range("Volkswagen", "Polo", "Hatchback", (P, D), 20000, 95, 5.5, -0.16),
    Range("Volkswagen", "Golf", "Hatchback", (P, D, H), 27000, 140, 7.5, -0.14),
    Range("Volkswagen", "Tiguan", "SUV", (P, D), 34000, 150, 4.5, -0.04),
    Range("Volkswagen", "ID.3", "Hatchback", (E,), 36000, 200, 1.6, 0.22),
    Range("BMW", "1 Series", "Hatchback", (P, D), 30000, 140, 4.0, -0.06),
    Range("BMW", "3 Series", "Saloon", (P, D, H), 40000, 190, 5.0, 0.02),
    Range("BMW", "5 Series", "Saloon", (P, D, H), 50000, 230, 2.6, 0.14),
    Range("BMW", "X5", "SUV", (P, D, H), 68000, 280, 1.8, 0.12),
    Range("BMW", "i3", "Hatchback", (E,), 35000, 170, 0.8, 0.18),
    Range("Audi", "A1", "Hatchback", (P,), 24000, 110, 3.0, -0.10),
    Range("Audi", "A3", "Hatchback", (P, D, H), 30000, 150, 4.8, -0.07),
    Range("Audi", "A6", "Estate", (D, H), 48000, 204, 1.8, 0.20),
    Range("Audi", "Q5", "SUV", (P, D), 48000, 204, 2.4, 0.06),
    Range("Mercedes-Benz", "A-Class", "Hatchback", (P, D), 31000, 150, 4.5, -0.02),
    Range("Mercedes-Benz", "C-Class", "Saloon", (P, D, H), 42000, 190, 3.8, 0.08),
    Range("Mercedes-Benz", "E-Class", "Estate", (D, H), 52000, 220, 1.6, 0.22),
    Range("Nissan", "Micra", "Hatchback", (P,), 17000, 90, 3.0, 0.02),
    Range("Nissan", "Qashqai", "SUV", (P, D), 28000, 140, 6.5, -0.12),
    Range("Nissan", "Leaf", "Hatchback", (E,), 30000, 150, 1.8, 0.20),
    Range("Toyota", "Yaris", "Hatchback", (P, H), 21000, 110, 4.0, -0.24),
    Range("Toyota", "Corolla", "Estate", (H,), 29000, 140, 2.4, -0.20),
    Range("Toyota", "RAV4", "SUV", (H,), 38000, 218, 1.8, -0.15),
    Range("Kia", "Picanto", "Hatchback", (P,), 14000, 67, 3.2, -0.22),
    Range("Kia", "Sportage", "SUV", (P, D, H), 29000, 150, 4.0, -0.12),
    Range("Kia", "e-Niro", "SUV", (E,), 37000, 204, 1.2, 0.10),
    Range("Hyundai", "i10", "Hatchback", (P,), 14500, 67, 2.8, -0.20),
    Range("Hyundai", "Tucson", "SUV", (P, D, H), 31000, 150, 3.4, -0.09),
    Range("Peugeot", "208", "Hatchback", (P, D, E), 19500, 100, 3.6, 0.00),
    Range("Peugeot", "3008", "SUV", (P, D), 30000, 130, 3.0, 0.03),
    Range("Renault", "Clio", "Hatchback", (P, D), 18500, 90, 3.6, 0.00),
    Range("Renault", "Zoe", "Hatchback", (E,), 30000, 135, 0.9, 0.30),
    Range("Skoda", "Fabia", "Hatchback", (P, D), 18000, 95, 2.4, -0.12),
    Range("Skoda", "Octavia", "Estate", (P, D), 26000, 150, 2.8, -0.04),
    Range("SEAT", "Ibiza", "Hatchback", (P,), 18000, 95, 2.8, -0.08),
    Range("SEAT", "Leon", "Estate", (P, D), 24000, 130, 2.0, 0.04),
    Range("MINI", "Hatch", "Hatchback", (P, D, E), 23000, 136, 4.2, -0.15),
    Range("MINI", "Convertible", "Convertible", (P,), 27000, 136, 1.0, 0.05),
    Range("Honda", "Jazz", "Hatchback", (P, H), 20000, 105, 2.6, -0.26),
    Range("Honda", "CR-V", "SUV", (P, D, H), 33000, 173, 1.8, -0.06),
    Range("Volvo", "XC40", "SUV", (P, D, E), 36000, 165, 2.0, -0.03),
    Range("Volvo", "V60", "Estate", (D, H), 40000, 190, 1.0, 0.18),
    Range("Land Rover", "Discovery Sport", "SUV", (D, H), 42000, 180, 2.4, 0.10),
    Range("Land Rover", "Defender", "SUV", (D, P), 60000, 250, 1.0, 0.04),
    Range("Jaguar", "XE", "Saloon", (P, D), 35000, 180, 1.2, 0.26),
    Range("Jaguar", "F-Pace", "SUV", (P, D), 46000, 240, 1.2, 0.16),
    Range("Tesla", "Model 3", "Saloon", (E,), 44000, 283, 1.6, 0.12),
    Range("Mazda", "MX-5", "Convertible", (P,), 27000, 132, 1.2, 0.02),
    Range("Citroen", "C3", "Hatchback", (P, D), 17500, 83, 2.6, 0.06),
    Range("Fiat", "500", "Hatchback", (P, E), 16000, 70, 4.0, -0.06),
)

AREAS = (
    Area("SW", "London", 11200.0),
    Area("E", "London", 13100.0),
    Area("CR", "London", 4900.0),
    Area("GU", "South East", 690.0),
    Area("RG", "South East", 750.0),
    Area("BN", "South East", 1050.0),
    Area("ME", "South East", 880.0),
    Area("OX", "South East", 310.0),
    Area("BS", "South West", 1240.0),
    Area("EX", "South West", 150.0),
    Area("PL", "South West", 220.0),
    Area("BH", "South West", 930.0),
    Area("CB", "East of England", 260.0),
    Area("NR", "East of England", 190.0),
    Area("CM", "East of England", 560.0),
    Area("B", "West Midlands", 3650.0),
    Area("CV", "West Midlands", 840.0),
    Area("ST", "West Midlands", 520.0),
    Area("NG", "East Midlands", 780.0),
    Area("LE", "East Midlands", 640.0),
    Area("DE", "East Midlands", 470.0),
    Area("LS", "Yorkshire", 1480.0),
    Area("S", "Yorkshire", 1390.0),
    Area("YO", "Yorkshire", 110.0),
    Area("M", "North West", 3180.0),
    Area("L", "North West", 2890.0),
    Area("PR", "North West", 610.0),
    Area("NE", "North East", 720.0),
    Area("TS", "North East", 690.0),
    Area("CF", "Wales", 980.0),
    Area("SA", "Wales", 140.0),
    Area("LL", "Wales", 95.0),
    Area("G", "Scotland", 1720.0),
    Area("EH", "Scotland", 860.0),
    Area("AB", "Scotland", 90.0),
    Area("BT", "Northern Ireland", 140.0),
)

COLOURS = {
    "Black": 22.0,
    "White": 18.0,
    "Grey": 20.0,
    "Blue": 15.0,
    "Silver": 11.0,
    "Red": 9.0,
    "Green": 2.0,
    "Orange": 1.2,
    "Yellow": 0.6,
    "Brown": 0.8,
    "Purple": 0.4,
}

SELLERS = {"Independent": 55.0, "Franchise": 30.0, "Private": 15.0}

#: Log of days to sell against the market; dull paint and private sellers are slow.
COLOUR_PACE = {
    "Black": -0.03,
    "White": 0.0,
    "Grey": -0.05,
    "Blue": -0.03,
    "Silver": 0.02,
    "Red": 0.03,
    "Green": 0.10,
    "Orange": 0.12,
    "Yellow": 0.20,
    "Brown": 0.25,
    "Purple": 0.22,
}
SELLER_PACE = {"Independent": 0.0, "Franchise": -0.10, "Private": 0.18}
FUEL_PACE = {P: -0.03, D: 0.10, H: -0.12, E: 0.15}

#: Price against valuation at which the aggregator's badge changes; buyers filter by the badge.
BADGES = (0.90, 0.97, 1.04, 1.12)
BADGE_PACE = (-0.45, -0.20, 0.0, 0.22, 0.50)  # great, good, fair, high, very high
