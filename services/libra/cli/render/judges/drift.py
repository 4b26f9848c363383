"""Prints how the verdicts of a judge differ from those of its calibration."""

from __future__ import annotations

from collections.abc import Sequence

import click

from libra.cli.render.format import one_line, utc_time
from libra.cli.render.judges.calibration import TEXT_CHARACTERS, judged_answers
from libra.cli.render.output import print_note, print_pairs
from libra.cli.render.transcript import print_block, verdict_text
from libra.v1.calibration_pb2 import Calibration
from libra.v1.judge_pb2 import CheckDriftResponse, DecisionChange, LabelledAnswer

MAX_CHANGES_SHOWN = 100
UNDECIDED = "-"


def print_drift(reply: CheckDriftResponse, answers: Sequence[LabelledAnswer], shown: int) -> None:
    """Print both calibrations, the test, and the first `shown` answers that changed."""
    before, now = reply.before, reply.now
    print_pairs(
        [
            ("judge", f"{now.judge.name} {now.judge.version} ({now.judge.rubric_hash})"),
            ("labels", f"{before.labels} ({before.labels_hash})"),
            ("calibrated", f"{utc_time(before.create_time, 'day')} with version {before.judge.version}"),
            ("accuracy then", _accuracy(before)),
            ("accuracy now", _accuracy(now)),
            ("changed", f"{reply.changed:,} of {len(answers):,} answers"),
            ("now wrong", f"{reply.newly_wrong:,} that were right"),
            ("now right", f"{reply.newly_right:,} that were wrong"),
            ("p", f"{reply.p_value:.4f} (McNemar, exact)"),
        ]
    )
    for change in reply.changes[:shown]:
        click.echo()
        _print_change(change, answers[change.place])
    if reply.changed > shown:
        available = min(reply.changed, MAX_CHANGES_SHOWN)
        if available > shown:
            print_note(f"\n--show {available} prints {'all' if available == reply.changed else 'more'} changes.")
    click.echo()
    click.secho("The judge has drifted." if reply.drifted else "No drift was found.", bold=reply.drifted)


def _accuracy(calibration: Calibration) -> str:
    rate = calibration.accuracy
    return f"{rate.value:.3f} ({rate.low:.3f} to {rate.high:.3f}) of {judged_answers(calibration):,} answers"


def _print_change(change: DecisionChange, answer: LabelledAnswer) -> None:
    before = "was undecided" if change.before == UNDECIDED else f"said {change.before}"
    heading = f"── answer {change.place + 1}: people say {int(change.positive)}, the judge {before}"
    click.secho(heading, bold=True)
    for message in answer.messages:
        print_block(message.role, one_line(message.content, TEXT_CHARACTERS))
    print_block("answer", one_line(answer.text, TEXT_CHARACTERS) or "(empty answer)")
    print_block("the judge says now", f"{verdict_text(change.verdict)}: {change.verdict.rationale}")
