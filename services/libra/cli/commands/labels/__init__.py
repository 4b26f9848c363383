"""`libra labels`: labels that people give to the answers of a run."""

from __future__ import annotations

import click

from libra.cli.commands.labels.annotations import write_annotations
from libra.cli.commands.labels.import_labels import import_labels
from libra.cli.commands.labels.list import list_labels
from libra.cli.commands.labels.random_sample import draw


@click.group()
def labels() -> None:
    """Draw answers for people to label, and import labels.

    `libra board --labels` corrects scores by them, however often a judge errs and on whichever model.
    """


for command in (draw, import_labels, list_labels, write_annotations):
    labels.add_command(command)
