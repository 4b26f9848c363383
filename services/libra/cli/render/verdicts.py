"""Prints verdicts as tables, one for each model and task."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import click

from libra.cli.render.format import one_line
from libra.cli.render.output import add_row, new_table, print_table
from libra.cli.render.sanitize import sanitize
from libra.cli.render.transcript import OUTCOMES_WITH_SCORE
from libra.core.attack_names import task_label
from libra.core.outcome_names import outcome_name
from libra.v1.verdict_pb2 import Verdict

COLUMNS = ("sample", "outcome", "score", "label", "reason")
REASON_CHARACTERS = 120
SCORE_CHARACTERS, LABEL_CHARACTERS = 5, 24


def print_verdicts(verdicts: Sequence[Verdict]) -> None:
    """Print one line for each verdict, below the names of its model, task and attack, which may be very long."""
    if not verdicts:
        click.echo("no verdict matches")
    widths = _min_widths(verdicts)
    for index, (title, group) in enumerate(groupby(verdicts, _title)):
        click.echo(("\n" if index else "") + sanitize(title))
        table = new_table(*COLUMNS, right=("sample", "score"), min_widths=widths)
        for verdict in group:
            score = f"{verdict.score:.3g}" if verdict.outcome in OUTCOMES_WITH_SCORE else ""
            reason = one_line(verdict.rationale, REASON_CHARACTERS)
            add_row(table, _sample(verdict), outcome_name(verdict.outcome), score, verdict.label, reason)
        print_table(table)


def _min_widths(verdicts: Sequence[Verdict]) -> dict[str, int]:
    """Return widths that align the columns of all tables."""
    return {
        "sample": max((len(_sample(verdict)) for verdict in verdicts), default=0),
        "outcome": max((len(outcome_name(verdict.outcome)) for verdict in verdicts), default=0),
        "score": SCORE_CHARACTERS,
        "label": min(LABEL_CHARACTERS, max((len(verdict.label) for verdict in verdicts), default=0)),
    }


def _title(verdict: Verdict) -> str:
    """Return the model, and the task with its attack."""
    return f"{verdict.model}  {task_label(verdict.task.partition('@')[0], verdict.attack)}"


def _sample(verdict: Verdict) -> str:
    """Return the sample's ordinal, with the epoch if it is not the first."""
    return f"{verdict.sample}.{verdict.epoch}" if verdict.epoch else str(verdict.sample)
