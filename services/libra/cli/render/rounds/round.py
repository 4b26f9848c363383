"""Prints a round, and a table of rounds."""

from __future__ import annotations

from collections.abc import Iterable

import click
from rich.table import Table

from libra.cli.render.format import enum_name, utc_time
from libra.cli.render.output import add_row, new_table, print_pairs, print_table
from libra.v1.round_pb2 import Round, RoundState


def state_name(shown: Round) -> str:
    """Return the round's state, for instance "open"."""
    return enum_name(RoundState, shown.state, "ROUND_STATE_")


def print_round(shown: Round) -> None:
    """Print a round and what it drew from each task."""
    anchors = f", {shown.anchors:,} of them anchors from {shown.follows}" if shown.follows else ""
    print_pairs(
        [
            ("round", shown.name),
            ("state", state_name(shown)),
            ("opened", utc_time(shown.open_time, "second")),
            ("closed", utc_time(shown.close_time, "second") if shown.HasField("close_time") else ""),
            ("samples", f"{shown.samples:,}{anchors}"),
            ("sealed", f"{shown.sealed:,}"),
            ("Merkle root", shown.merkle_root),
            ("public key", shown.public_key),
            ("canary", shown.canary),
        ]
    )
    click.echo()
    table = new_table("task", "drawn from", "samples", "anchors", right=("samples", "anchors"))
    for task in shown.tasks:
        add_row(table, task.name, task.source, f"{task.samples:,}", f"{task.anchors:,}")
    print_table(table)


def rounds_table(rounds: Iterable[Round]) -> Table:
    """Return a table with one line for each round."""
    numbers = ("tasks", "samples", "anchors", "sealed")
    table = new_table("round", "state", "opened", "closed", *numbers, right=numbers, no_wrap=("opened", "closed"))
    for each in rounds:
        closed = utc_time(each.close_time, "day") if each.HasField("close_time") else ""
        opened = utc_time(each.open_time, "day")
        counts = (len(each.tasks), each.samples, each.anchors, each.sealed)
        add_row(table, each.name, state_name(each), opened, closed, *(f"{count:,}" for count in counts))
    return table
