"""`libra capability`: figures of capability that were measured elsewhere."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from libra.cli.client import Client, speaks
from libra.cli.errors import in_words
from libra.cli.files.capability_csv import read
from libra.cli.render import output
from libra.v1.ranking_pb2 import (
    Capability,
    ImportCapabilitiesRequest,
    ListCapabilitiesRequest,
)
from libra.v1.ranking_pb2_grpc import RankingServiceStub

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True)
class Scale:
    """A scale with fixed ends."""

    name: str
    zero: float
    one: float


class ScaleType(click.ParamType[Scale]):
    """A scale as it is written: NAME:ZERO:ONE."""

    name = "scale"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Scale:
        """Return the scale, or end with what is wrong with it."""
        name, *ends = str(value).rsplit(":", 2)
        try:
            zero, one = map(float, ends)
        except ValueError:
            self.fail(f"{value!r} is not NAME:ZERO:ONE, such as elo:800:1500", param, ctx)
        if not name or not math.isfinite(zero) or not math.isfinite(one) or zero == one:
            self.fail(f"{value!r} needs a name and two different numbers, such as elo:800:1500", param, ctx)
        return Scale(name, zero, one)


@click.group()
def capability() -> None:
    """Capability figures from elsewhere, for models that no capability task has measured."""


@capability.command("import")
@click.argument("file", type=FILE)
@click.option(
    "--scale",
    type=ScaleType(),
    required=True,
    metavar="NAME:ZERO:ONE",
    help="What the figures are called, and which of them count as 0 and as 1, e.g. elo:800:1500.",
)
@output.json_option
@speaks
async def import_figures(client: Client, file: Path, scale: Scale, *, as_json: bool) -> None:
    """Import capability figures from FILE, a CSV with the columns model, score and, if you have it, standard_error.

    \b
    libra capability import scores.csv --scale elo:800:1500

    A figure counts as (score - ZERO) / (ONE - ZERO), cut off at 0 and 1. The ends are yours and stay fixed, so that no model's
    score depends on which others are listed. All are imported or none; a model's figure takes the place of the one it had.
    """  # noqa: D301 - click reads the \b
    figures = read(file)
    capabilities = [
        Capability(
            model=figure.model,
            published=figure.score,
            standard_error=figure.standard_error,
            scale=scale.name,
            zero=scale.zero,
            one=scale.one,
            source=file.name,
        )
        for figure in figures.rows
    ]
    with in_words(figures.place):
        request = ImportCapabilitiesRequest(capabilities=capabilities)
        answer = await client.call(RankingServiceStub, "ImportCapabilities", request)
    if as_json:
        return output.emit_json(answer)
    count = len(answer.capabilities)
    click.echo(f"{count:,} figure{'s were' if count > 1 else ' was'} imported; `libra capability list` shows them")
    for sentence in answer.notes:
        output.note(f"note: {sentence}")
    return None


@capability.command("list")
@output.json_option
@speaks
async def list_figures(client: Client, *, as_json: bool) -> None:
    """List the imported figures, in order of model: as published, and in percent of the scale, ± one standard error."""
    answer = await client.call(RankingServiceStub, "ListCapabilities", ListCapabilitiesRequest())
    if as_json:
        return output.emit_json(answer)
    table = output.columns(
        *("model", "published", "counts as", "scale", "from", "imported"),
        right=("published", "counts as"),
        whole=("imported",),
    )
    for figure in answer.capabilities:
        sure = f"±{figure.standard_error * 100:.1f}" if figure.HasField("standard_error") else ""
        output.add(
            table,
            figure.model,
            f"{figure.published:g}",
            f"{figure.value * 100:.1f}{sure}",
            f"{figure.scale}, {figure.zero:g} to {figure.one:g}",
            figure.source,
            figure.create_time.ToDatetime().strftime("%Y-%m-%d"),
        )
    return output.show(table, empty="no figure was imported: `libra capability import` brings some in")
