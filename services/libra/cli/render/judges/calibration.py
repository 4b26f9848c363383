"""Prints how far a judge agrees with human labels: counts, rates, and the answers on which they disagree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import click

from libra.cli.render.format import one_line, utc_time
from libra.cli.render.output import add_row, new_table, print_note, print_pairs, print_table
from libra.cli.render.transcript import print_block, verdict_text
from libra.v1.calibration_pb2 import Calibration, GroupCalibration, Rate, SelfAgreement
from libra.v1.judge_pb2 import CalibrateResponse, Disagreement, LabelledAnswer

RateName = Literal["accuracy", "precision", "recall", "specificity", "f1", "kappa"]

GroupRateName = Literal["accuracy", "recall", "specificity"]

NAME_CHARACTERS = 24
FEW_MARK = " *"

MAX_DISAGREEMENTS_SHOWN = 100
TEXT_CHARACTERS = 600
RATES: dict[RateName, str] = {
    "accuracy": "the judge and people agree",
    "precision": "where the judge says 1, people do",
    "recall": "where people say 1, the judge does",
    "specificity": "where people say 0, the judge does",
    "f1": "mean of precision and recall",
    "kappa": "agreement beyond chance",
}
"""Every rate with its meaning."""

ALPHA_MEANING = "agreement within the panel"


def print_calibration(calibration: Calibration) -> None:
    """Print the counts and the rates of one calibration."""
    judge = calibration.judge
    print_pairs(
        [
            ("judge", f"{judge.name} {judge.version} ({judge.rubric_hash})"),
            ("labels", f"{calibration.labels} ({calibration.labels_hash})"),
            ("answers", f"{judged_answers(calibration):,}"),
            ("unjudged", f"{calibration.unjudged:,}; no rate includes them" if calibration.unjudged else ""),
        ]
    )
    click.echo()
    counts = new_table("", "people say 1", "people say 0", right=("people say 1", "people say 0"))
    add_row(counts, "the judge says 1", calibration.true_positives, calibration.false_positives)
    add_row(counts, "the judge says 0", calibration.false_negatives, calibration.true_negatives)
    print_table(counts)
    click.echo()
    rates = new_table("rate", "value", "95 % interval", "meaning", right=("value",), no_wrap=("95 % interval",))
    for name, meaning in RATES.items():
        if calibration.HasField(name):
            rate: Rate = getattr(calibration, name)
            add_row(rates, name, f"{rate.value:.3f}", f"{rate.low:.3f} to {rate.high:.3f}", meaning)
    if calibration.HasField("alpha"):
        add_row(rates, "alpha", f"{calibration.alpha:.3f}", "", ALPHA_MEANING)
    print_table(rates, empty="the labels are too few for any rate")
    print_groups(calibration.groups)
    if calibration.HasField("self_agreement"):
        _print_self_agreement(calibration.self_agreement)


def print_groups(groups: Sequence[GroupCalibration]) -> None:
    """Print the rates of each group; a group with few answers is marked."""
    for field in dict.fromkeys(group.field for group in groups):
        click.echo()
        heads = (field, "answers", "accuracy", "recall", "specificity")
        table = new_table(*heads, right=("answers",), no_wrap=heads[2:])
        members = [group for group in groups if group.field == field]
        for group in members:
            rates = [_short_rate_of(group, name) for name in ("accuracy", "recall", "specificity")]
            add_row(table, one_line(group.value, NAME_CHARACTERS) + FEW_MARK * group.few, group_answers(group), *rates)
        print_table(table)
        if any(group.few for group in members):
            print_note(f"{FEW_MARK} fewer than 20 answers: the rates say little")


def group_answers(group: GroupCalibration) -> str:
    """Return the number of judged answers, and of those that the judge could not decide."""
    judged = group.true_positives + group.false_positives + group.true_negatives + group.false_negatives
    return f"{judged:,}" + (f" + {group.unjudged:,} unjudged" if group.unjudged else "")


def _short_rate_of(group: GroupCalibration, name: GroupRateName) -> str:
    return _short_rate(getattr(group, name)) if group.HasField(name) else ""


def _print_self_agreement(found: SelfAgreement) -> None:
    equal = f"{found.equal.value:.3f} ({found.equal.low:.3f} to {found.equal.high:.3f})" if found.answers else ""
    click.echo()
    print_pairs(
        [
            ("repeats", f"{found.repeats}, of {found.answers:,} answers that were judged every time"),
            ("equal labels", f"{equal} of the answers" if equal else ""),
            ("alpha", f"{found.alpha:.3f}, agreement of the repeats beyond chance" if found.HasField("alpha") else ""),
            ("not every time", f"{found.unjudged:,} answers" if found.unjudged else ""),
        ]
    )


def judged_answers(calibration: Calibration) -> int:
    """Return the number of answers that the judge scored."""
    return (
        calibration.true_positives
        + calibration.false_positives
        + calibration.true_negatives
        + calibration.false_negatives
    )


def print_disagreements(reply: CalibrateResponse, answers: Sequence[LabelledAnswer], shown: int) -> None:
    """Print the first `shown` answers on which judge and people disagree, and a note about the others."""
    calibration = reply.calibration
    count = calibration.false_positives + calibration.false_negatives + calibration.unjudged
    for disagreement in reply.disagreements[:shown]:
        click.echo()
        _print_disagreement(disagreement, answers[disagreement.place])
    if count > shown:
        answers_text = "1 answer" if count == 1 else f"{count:,} answers"
        available = min(count, MAX_DISAGREEMENTS_SHOWN)
        which = "them" if available == count else f"the first {available}"
        print_note(
            f"\nThe judge disagrees with people, or does not decide, on {answers_text}. "
            f"--show {available} prints {which}."
        )


def print_calibrations(calibrations: Iterable[Calibration]) -> None:
    """Print the stored calibrations of a judge, one line each."""
    table = new_table(
        *("version", "labels", "answers", "accuracy", "kappa", "measured"),
        right=("answers",),
        no_wrap=("version", "accuracy", "kappa", "measured"),
    )
    for calibration in calibrations:
        add_row(
            table,
            f"{calibration.judge.version} ({calibration.judge.rubric_hash[:6]})",
            calibration.labels,
            f"{judged_answers(calibration):,}",
            _short_rate(calibration.accuracy) if calibration.HasField("accuracy") else "",
            _short_rate(calibration.kappa) if calibration.HasField("kappa") else "",
            utc_time(calibration.create_time, "day"),
        )
    print_table(table, empty="not calibrated yet: `libra judges calibrate` compares the judge with human labels")


def _print_disagreement(disagreement: Disagreement, answer: LabelledAnswer) -> None:
    click.secho(f"── answer {disagreement.place + 1}: people say {int(disagreement.positive)}", bold=True)
    for message in answer.messages:
        print_block(message.role, one_line(message.content, TEXT_CHARACTERS))
    print_block("answer", one_line(answer.text, TEXT_CHARACTERS) or "(empty answer)")
    print_block("the judge says", f"{verdict_text(disagreement.verdict)}: {disagreement.verdict.rationale}")


def _short_rate(rate: Rate) -> str:
    """Return a rate and its interval: "0.97 (0.92-0.99)"."""
    return f"{rate.value:.2f} ({rate.low:.2f}-{rate.high:.2f})"
