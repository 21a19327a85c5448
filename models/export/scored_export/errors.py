# SPDX-License-Identifier: Apache-2.0
"""The errors of an export: a pipeline that could not be scored identically is refused."""

from __future__ import annotations


class Refused(Exception):
    """The export is refused.

    Parameters
    ----------
    reason : str
        Why, as one sentence without a full stop.
    cure : str
        What the user can do about it; empty when there is nothing.
    stage, uid : str
        Spark's class name and uid of the stage; empty when no stage is to blame.
    """

    def __init__(self, reason: str, cure: str = "", *, stage: str = "", uid: str = "") -> None:
        self.reason = reason
        self.cure = cure
        self.stage = stage
        self.uid = uid
        super().__init__(self._text())

    def _text(self) -> str:
        where = f"{self.stage} {self.uid}: " if self.stage else ""
        cure = f"; {self.cure}" if self.cure else ""
        return " ".join(f"{where}{self.reason}{cure}".split())

    def at(self, stage: str, uid: str) -> Refused:
        """Return the same refusal with the stage named, if none was."""
        return self if self.stage else type(self)(self.reason, self.cure, stage=stage, uid=uid)


class Unavailable(Refused):
    """The export failed for want of memory, disk or network: the same export can succeed another time."""


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text that says something."""
    return next((line.strip() for line in str(error).split("\n") if line.strip()), type(error).__name__)
