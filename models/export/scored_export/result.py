# SPDX-License-Identifier: Apache-2.0
"""What an export returns: the bundle's identity, and all that a person wants to know of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

LEFT = "text-align:left"
#: What is put behind the name of a prediction: the column of its label.
LABEL = "_label"
UNREAD = "no stage reads it"
UNITS = ("bytes", "kB", "MB", "GB", "TB")

Table = Sequence[Sequence[str]]


@dataclass(frozen=True)
class Column:
    """An input, or an output with what it promises.

    Attributes
    ----------
    type : str
        Spark's name of it; with its width, a vector's.
    tier : str
        ``exact``, ``exact-on-platform`` or ``ulp``; empty for inputs.
    ulp : int or None
        Greatest distance in units in the last place, where the tier is ``ulp``.
    """

    name: str
    type: str
    nullable: bool = True
    tier: str = ""
    ulp: int | None = None
    why: str = ""

    @property
    def promise(self) -> str:
        """The tier as people read it."""
        return f"within {self.ulp} ulp" if self.ulp is not None else self.tier.replace("-", " ")


@dataclass(frozen=True)
class Golden:
    """The golden rows, and what they reach of how much there is."""

    rows: int
    made: int
    leaves: tuple[int, int]
    labels: tuple[int, int]


@dataclass(frozen=True)
class Pruned:
    """What was left out, and why; `stage` is a uid, empty for a column of the sample."""

    column: str
    why: str
    stage: str = ""


class Exported(str):
    """A published bundle.

    Its value is the SHA-256 of the manifest: compared, sliced, as a key, in an f-string, in JSON and given
    to ``promote`` it is that text of 64 digits, which is all that ``export`` once returned. Where it is shown
    to a person, by ``print``, ``str()``, ``%s`` or a notebook, it tells all of itself; a program that wants
    the plain digest there takes ``sha256``.

    Attributes
    ----------
    uri : str
        Where it is.
    sha256, name, version, created : str
        Its identity and labels.
    inputs, outputs : tuple of Column
        What requests hold, and what is answered by default.
    exactness : dict
        Column -> what it promises, of all columns that the stages add; as in the manifest.
    golden : Golden
        How many golden rows there are, and the share of leaves and labels that they reach.
    pruned : tuple of Pruned
        Columns of the sample and of stages that were left out.
    files : dict
        Name -> size in bytes.
    signed : bool
    labelled : tuple of str
        Predictions whose class can be asked for by its label, as the column ``<prediction>_label``.
    aside : dict
        Input -> what it is read for, of inputs that no answer by default depends on, as the label's.
    """

    uri: str
    sha256: str
    name: str
    version: str
    created: str
    inputs: tuple[Column, ...]
    outputs: tuple[Column, ...]
    exactness: dict[str, Any]
    golden: Golden
    pruned: tuple[Pruned, ...]
    files: dict[str, int]
    signed: bool
    labelled: tuple[str, ...]
    aside: dict[str, list[str]]

    def _input(self, c: Column) -> list[str]:
        row = [c.name, c.type, "" if c.nullable else "not null"]
        makes = self.aside.get(c.name)
        told = f"only for {', '.join(makes)}, which nobody is answered by default" if makes else ""
        return [*row, told] if self.aside else row

    def _lines(self) -> list[tuple[str, Table]]:
        """Return what there is to tell, a table for each subject."""
        golden = self.golden
        reached = (("leaves", golden.leaves), ("labels", golden.labels))
        told = [f"{golden.rows:,} rows, {golden.made:,} of them made"]
        told += [f"{n:,} of {of:,} {what}" for what, (n, of) in reached if of]
        size = f"{len(self.files)} files, {bytes_text(sum(self.files.values()))}"
        return [
            ("at", [[self.uri]]),
            ("sha256", [[self.sha256]]),
            ("inputs", [self._input(c) for c in self.inputs]),
            ("outputs", [[c.name, c.type, c.promise, c.why] for c in self.outputs]),
            ("if asked", [[name + LABEL, "string", f"the class of {name}"] for name in self.labelled]),
            ("golden", [[", ".join(told)]]),
            ("left out", [[p.column, p.why] for p in self.pruned]),
            ("files", [[size + (", signed" if self.signed else "")]]),
        ]

    def __str__(self) -> str:
        return text_of(f"{self.name} {self.version}", self._lines())

    def __format__(self, spec: str) -> str:
        return format(self.sha256, spec)

    def __repr__(self) -> str:
        return f"Exported({self.name!r}, version={self.version!r}, uri={self.uri!r}, sha256={self.sha256!r})"

    def _repr_html_(self) -> str:
        """Return it as a notebook shows it."""
        return html_of(f"{self.name} {self.version}", self._lines())


def exported(
    place: tuple[str, str, bool],
    manifest: Mapping[str, Any],
    pruned: Sequence[Pruned],
    labelled: Sequence[str] = (),
) -> Exported:
    """Return the result of an export.

    Parameters
    ----------
    place : tuple
        Where it was published, the manifest's digest, and whether it was signed.
    manifest : mapping
        The manifest that was published.
    pruned : sequence of Pruned
        What was left out.
    labelled : sequence of str
        Predictions whose label can be asked for.
    """
    uri, sha256, signed = place
    result = Exported(sha256)
    exactness = manifest["exactness"]
    golden = manifest["golden"]
    result.uri, result.sha256, result.pruned = uri, sha256, tuple(pruned)
    result.name, result.version, result.created = (manifest[key] for key in ("name", "version", "created"))
    result.inputs = tuple(column(entry) for entry in manifest["input"])
    result.outputs = tuple(column(entry, exactness[entry["name"]]) for entry in manifest["output"])
    result.exactness = exactness
    result.golden = Golden(golden["rows"], golden["made"], tuple(golden["leaves"]), tuple(golden["labels"]))
    result.files = {entry["name"]: entry["size"] for entry in manifest["files"]}
    result.signed, result.labelled = signed, tuple(labelled)
    result.aside = _aside(manifest)
    return result


def _pairs(stage: Mapping[str, Any]) -> list[tuple[list[str], list[str]]]:
    """Return what a stage makes of what: of each column one, or all of all."""
    inputs, outputs = stage["inputs"], stage["outputs"]
    if list(inputs) == ["inputCols"] and list(outputs) == ["outputCols"]:
        return [([name], [made]) for name, made in zip(inputs["inputCols"], outputs["outputCols"])]
    return [tuple([n for names in columns.values() for n in names] for columns in (inputs, outputs))]


def _aside(manifest: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the inputs that no answer by default depends on, with what is made of them."""
    needed = {entry["name"] for entry in manifest["output"]}
    makes: dict[str, list[str]] = {}
    for stage in reversed(manifest["stages"]):
        drops = stage["params"].get("handleInvalid") == "skip"
        for names, made in _pairs(stage):
            if drops or needed & set(made):
                needed.update(names)
            for name in names:
                makes[name] = [*made, *makes.get(name, [])]
    return {c["name"]: makes.get(c["name"], []) for c in manifest["input"] if c["name"] not in needed}


def lacks(stage: str) -> str:
    """Return why an output is left out whose input the sample has not."""
    return f"the sample lacks what {stage} makes it of"


def column(entry: Mapping[str, Any], promise: Mapping[str, Any] | None = None) -> Column:
    """Return a column from the manifest's entries."""
    kind = entry["type"]
    if entry.get("size") is not None:
        kind = f"{kind} of {entry['size']}"
    promise = promise or {}
    return Column(
        entry["name"],
        kind,
        entry.get("nullable", True),
        promise.get("tier", ""),
        promise.get("n"),
        promise.get("why", ""),
    )


# -- forms


def bytes_text(n: float) -> str:
    """Return a size as people read it."""
    for unit in UNITS:
        if n < 1000 or unit == UNITS[-1]:
            break
        n /= 1000
    return f"{n:.0f} {unit}" if unit == UNITS[0] else f"{n:.1f} {unit}"


def _aligned(table: Table) -> list[str]:
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]) - 1)]
    return ["  ".join([*(c.ljust(w) for c, w in zip(row, widths)), row[-1]]).rstrip() for row in table]


def text_of(title: str, subjects: Iterable[tuple[str, Table]]) -> str:
    """Return subjects with their tables as lines of text."""
    told = [(name, table) for name, table in subjects if table]
    margin = max(len(name) for name, _ in told) + 2
    lines = [title]
    for name, table in told:
        for i, line in enumerate(_aligned(table)):
            lines.append(f"  {(name if i == 0 else ''):{margin}}{line}".rstrip())
    return "\n".join(lines)


def _html_cells(row: Sequence[str], wide: int) -> str:
    span = f' colspan="{wide}"' if len(row) == 1 and wide > 1 else ""
    return "".join(f'<td{span} style="{LEFT}">{escape(cell)}</td>' for cell in row)


def html_of(title: str, subjects: Iterable[tuple[str, Table]]) -> str:
    """Return subjects with their tables as HTML."""
    told = [(name, table) for name, table in subjects if table]
    wide = max(len(row) for _, table in told for row in table)
    body = []
    for name, table in told:
        for i, row in enumerate(table):
            head = f'<th rowspan="{len(table)}" style="{LEFT};vertical-align:top">{escape(name)}</th>'
            body.append(f"<tr>{head if i == 0 else ''}{_html_cells(row, wide)}</tr>")
    return f"<div><b>{escape(title)}</b><table>{''.join(body)}</table></div>"
