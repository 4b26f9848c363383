"""Types and parsers of arguments and options that several commands use, and the data folder."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from libra.cli.settings import load
from libra.core.errors import Invalid

EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@dataclass(frozen=True)
class BoundedInteger(click.ParamType[int]):
    """An integer between two bounds that are too far apart to be useful in the help text."""

    minimum: int
    maximum: int
    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number, or end the command with an error."""
        try:
            number = int(value)
        except ValueError:
            self.fail(f"{value!r} is not a whole number", param, ctx)
        if not self.minimum <= number <= self.maximum:
            self.fail(f"{value} is not between {self.minimum} and {self.maximum}", param, ctx)
        return number


INT32 = BoundedInteger(-(2**31), 2**31 - 1)
INT64 = BoundedInteger(-(2**63), 2**63 - 1)
COUNT = BoundedInteger(0, 2**31 - 1)
ORDINAL = BoundedInteger(1, 2**63 - 1)


@dataclass(frozen=True, slots=True)
class CapabilityScale:
    """A scale of scores, with the scores that count as a capability of 0 and of 1."""

    name: str
    zero: float
    one: float


class CapabilityScaleType(click.ParamType[CapabilityScale]):
    """A CapabilityScale in the form NAME:ZERO:ONE."""

    name = "scale"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> CapabilityScale:
        """Return the scale, or end the command with an error."""
        name, *ends = str(value).rsplit(":", 2)
        try:
            zero, one = map(float, ends)
        except ValueError:
            self.fail(f"{value!r} is not NAME:ZERO:ONE, for instance elo:800:1500", param, ctx)
        if not name or not math.isfinite(zero) or not math.isfinite(one) or zero == one:
            self.fail(f"{value!r} needs a name and two different numbers, for instance elo:800:1500", param, ctx)
        return CapabilityScale(name, zero, one)


def data_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the option `--data` to the command."""
    return click.option(
        "--data",
        type=click.Path(file_okay=False, path_type=Path),
        help="The data folder of the system on this machine.  [default: LIBRA_DATA, or .libra]",
    )(command)


def data_folder(option: Path | None = None) -> Path:
    """Return the data folder: from the command's own option, else from `libra --data`, else from LIBRA_DATA."""
    return option or click.get_current_context().find_object(Path) or load().data


def parse_judge_options(values: Sequence[str]) -> dict[str, str]:
    """Return the judge options that `--option NAME=VALUE` gives, by name; raise Invalid."""
    return parse_pairs(values, option="--option", example="want=refused")


def parse_pairs(values: Sequence[str], *, option: str, example: str) -> dict[str, str]:
    """Return what a repeatable option NAME=VALUE gives, by name; raise Invalid, without the value: it may be a key."""
    for value in values:
        name, equals, _ = value.partition("=")
        if not name or not equals:
            shown = f"{value!r} must be" if option == "--option" else "it must be"
            raise Invalid(f"{shown} NAME=VALUE, for instance {example}", field=option)
    return dict(value.partition("=")[::2] for value in values)
