# SPDX-License-Identifier: Apache-2.0
"""Small bundles whose answers are known: version N answers ROW with ANSWER(N), and the ways to spoil one."""

from __future__ import annotations

import hashlib
import json
import random
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from make_good import Block, Draft, draft, string_table

ROW = {"make": "Opel", "km": 2.0}
ALL_MAKES = ["BMW", "Opel"]
KM = [2.0, 0.5, -1.0, 4096.0]
PAD_ENTRY = 1 << 20


def answer(n: int) -> float:
    """Return what version `n` says to ROW; exact in binary, so that no rounding is in question."""
    return value(n, 1.0, 2.0)


def value(n: int, make: float, km: float) -> float:
    """Return the linear model of version `n`: it differs in a coefficient, and so in its blocks."""
    return 0.5 * make + n * km + 0.25


@dataclass(frozen=True)
class Version:
    """A bundle as it is published: files by name, in the order in which they go up."""

    n: int
    label: str
    files: dict[str, bytes]

    @property
    def manifest(self) -> bytes:
        """The manifest's bytes."""
        return self.files["bundle.json"]

    @property
    def sha256(self) -> str:
        """Its digest, which identifies the version."""
        return hashlib.sha256(self.manifest).hexdigest()

    def name(self, role: str) -> str:
        """Return the name of a file by its role."""
        return next(name for name in self.files if name.startswith(role + "-"))

    def publish(self, put: Callable[[str, bytes], Any]) -> Version:
        """Hand all files over in order; ``bundle.json`` is the last."""
        for name, content in self.files.items():
            put(name, content)
        return self

    def spoilt(self, role: str, change: Callable[[bytes], bytes]) -> Version:
        """Return the version with a file whose digest is not the manifest's."""
        name = self.name(role)
        return replace(self, files=self.files | {name: change(self.files[name])})


def padding(n: int, size: int) -> list[str]:
    """Return labels of `size` bytes altogether that nobody asks for; they differ from place to place."""
    source = random.Random(n)
    return [source.randbytes(PAD_ENTRY // 2).hex() for _ in range(size // PAD_ENTRY)]


def stages(labels: int) -> list[dict[str, Any]]:
    """Return an indexer of `make`, an assembler, and a linear regression."""
    indexer = {
        "op": "string_indexer",
        "uid": "indexer",
        "class": "org.apache.spark.ml.feature.StringIndexerModel",
        "inputs": {"inputCols": ["make"]},
        "outputs": {"outputCols": ["make_i"]},
        "params": {"handleInvalid": "keep", "labels": [None if labels > len(ALL_MAKES) else ALL_MAKES]},
    }
    assembler = {
        "op": "vector_assembler",
        "uid": "assembler",
        "class": "org.apache.spark.ml.feature.VectorAssembler",
        "inputs": {"inputCols": ["make_i", "km"]},
        "outputs": {"outputCol": ["features"]},
        "params": {"handleInvalid": "error", "lengths": [1, 1]},
    }
    linear = {
        "op": "linear_regression",
        "uid": "linear",
        "class": "org.apache.spark.ml.regression.LinearRegressionModel",
        "inputs": {"featuresCol": ["features"]},
        "outputs": {"predictionCol": ["prediction"]},
        "params": {"intercept": 0.25, "coefficients": {"kind": "dense", "size": 2}},
    }
    return [indexer, assembler, linear]


def sketch(n: int, pad: int = 0) -> Draft:
    """Return version `n` before it is written; `pad` bytes of labels make its blocks large."""
    labels = ALL_MAKES + padding(n, pad)
    blocks = {"s002.coefficients": Block("F64", [0.5, float(n)])}
    if pad:
        blocks |= string_table("s000.labels.0", labels)
    golden: list[dict[str, Any]] = []
    for make, index in [("BMW", 0.0), ("Opel", 1.0), ("Fiat", float(len(labels)))]:
        for km in KM:
            golden.append({"in": {"make": make, "km": km}, "out": {"prediction": value(n, index, km)}})
    golden.append({"in": {"make": "BMW", "km": None}, "error": True})
    made = draft(
        "cars",
        [
            {"name": "make", "type": "string", "nullable": True},
            {"name": "km", "type": "double", "nullable": True},
        ],
        [{"name": "prediction", "type": "double"}],
        stages(len(labels)),
        ["make_i", "features", "prediction"],
        blocks,
        golden,
    )
    made.manifest["version"] = f"v{n}"
    made.manifest["created"] = f"2026-11-21T10:{n // 60:02d}:{n % 60:02d}.000Z"
    return made


def written(n: int, made: Draft) -> Version:
    """Return the files of a bundle, in the order of publishing."""
    with tempfile.TemporaryDirectory() as folder:
        made.write(Path(folder))
        found = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
    roles = ["blocks-", "golden-", "profile-", "bundle-", "bundle.json"]
    ordered = {name: found[name] for role in roles for name in sorted(found) if name.startswith(role)}
    return Version(n, json.loads(found["bundle.json"])["version"], ordered)


@cache
def version(n: int, pad: int = 0) -> Version:
    """Return a good version."""
    return written(n, sketch(n, pad))


# -- versions that must never answer


def corrupt(n: int, position: int = -3) -> Version:
    """Return a version with one bit of its blocks changed after they were hashed."""

    def change(content: bytes) -> bytes:
        changed = bytearray(content)
        changed[position] ^= 1
        return bytes(changed)

    return version(n).spoilt("blocks", change)


def wrong_golden(n: int) -> Version:
    """Return a version that does not answer as its golden rows say; all digests are right."""
    made = sketch(n)
    made.golden[0]["out"]["prediction"] += 1.0
    return written(n, made)


def edited(n: int, edit: Callable[[Draft], None], pad: int = 0) -> Version:
    """Return a version changed before it was hashed."""
    made = sketch(n, pad)
    edit(made)
    return written(n, made)


def manifest_with(n: int, **values: Any) -> Version:
    """Return a version with other values in its manifest."""
    return edited(n, lambda made: made.edit_manifest.append(lambda manifest: manifest.update(values)))


def higher_format(n: int) -> Version:
    """Return a version of a format to come."""
    return manifest_with(n, format_version=2)


def unknown_op(n: int) -> Version:
    """Return a version with a stage that this release does not know."""
    return edited(n, lambda made: made.manifest["stages"][1].update(op="teleporter"))


def schema_change(n: int) -> Version:
    """Return a version that asks for one more input; it is right in itself."""

    def edit(made: Draft) -> None:
        made.manifest["input"].append({"name": "seats", "type": "double", "nullable": True})
        made.manifest["stages"][1]["inputs"]["inputCols"] = ["make_i", "seats"]
        for line in made.golden:
            line["in"]["seats"] = line["in"]["km"]
        made.manifest["example"] = made.golden[0]

    return edited(n, edit)


def renamed_output(n: int) -> Version:
    """Return a version whose default output has another name."""

    def edit(made: Draft) -> None:
        made.manifest["stages"][2]["outputs"]["predictionCol"] = ["price"]
        made.manifest["output"][0]["name"] = "price"
        made.manifest["exactness"]["price"] = made.manifest["exactness"].pop("prediction")
        for line in made.golden:
            if "out" in line:
                line["out"]["price"] = line["out"].pop("prediction")
        made.manifest["example"] = made.golden[0]

    return edited(n, edit)


def same_label(n: int, label: str) -> Version:
    """Return version `n` under the label of another."""
    return edited(n, lambda made: made.manifest.update(version=label))
