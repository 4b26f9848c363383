"""Numbers on the command line, within what the contracts can carry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import click


@dataclass(frozen=True)
class Whole(click.ParamType[int]):
    """A whole number between two bounds, which are too far out to be worth a word in the help."""

    least: int
    most: int
    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number, or end with what is wrong with it."""
        try:
            number = int(value)
        except ValueError:
            self.fail(f"{value!r} is not a whole number", param, ctx)
        if not self.least <= number <= self.most:
            self.fail(f"{value} is not between {self.least} and {self.most}", param, ctx)
        return number


INT32 = Whole(-(2**31), 2**31 - 1)
INT64 = Whole(-(2**63), 2**63 - 1)
COUNT = Whole(0, 2**31 - 1)
ORDINAL = Whole(1, 2**63 - 1)
