"""`libra round`: the rounds that boards stand on."""

from __future__ import annotations

import click

from libra.cli.commands.rounds.audit_trail import list_looks, reveal
from libra.cli.commands.rounds.close import close, get_release
from libra.cli.commands.rounds.contamination import contamination
from libra.cli.commands.rounds.list import list_rounds
from libra.cli.commands.rounds.open import open_round
from libra.cli.commands.rounds.show import commitment, show
from libra.cli.commands.rounds.stability import stability
from libra.cli.commands.rounds.verify import verify


@click.group("round")
def rounds() -> None:
    """Open, close, verify and compare rounds.

    A round draws samples with a secret seed and seals them: while it is open, only models and judges get their text.
    Its commitment is published before its first run. When the round is closed, its samples are published, and anyone
    can check them against the commitment.

    \b
    libra round open 2027Q1 --tasks '*' --samples-per-task 50
    libra run create --round 2027Q1 --model mine --watch
    libra board --round 2027Q1
    libra round close 2027Q1
    libra round verify 2027Q1.release.jsonl 2027Q1.commitment.json
    """  # noqa: D301 - click reads the \b


for command in (
    *(open_round, list_rounds, show, commitment, close, get_release, verify),
    *(contamination, stability, reveal, list_looks),
):
    rounds.add_command(command)
