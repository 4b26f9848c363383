"""`libra judges calibrate`: how far a judge agrees with people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import click

from libra.cli.client import Client, speaks
from libra.cli.commands.rejudge import told
from libra.cli.errors import in_words
from libra.cli.files import label_csv
from libra.cli.render import output
from libra.cli.render.sanitize import one_line
from libra.cli.render.transcript import block, judged
from libra.errors import Invalid, NotFound
from libra.v1.calibration_pb2 import Calibration, Rate
from libra.v1.judge_pb2 import (
    CalibrateRequest,
    CalibrateResponse,
    Disagreement,
    Judge,
    LabelledAnswer,
    ListJudgesRequest,
)
from libra.v1.judge_pb2_grpc import JudgeServiceStub
from libra.v1.task_pb2 import JudgeSpec

RateName = Literal["accuracy", "precision", "recall", "specificity", "f1", "kappa"]

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
CALIBRATE_SECONDS = 4 * 3600.0
"""A judge model on a small machine takes seconds for an answer."""

MOST_SHOWN = 100
TEXT_CHARACTERS = 600
WORDS = {"judge": "JUDGE", "judge.name": "JUDGE", "answers": "LABELS", "labels": "LABELS"}
RATES: tuple[RateName, ...] = ("accuracy", "precision", "recall", "specificity", "f1", "kappa")
MEANINGS = {
    "accuracy": "judge and people say the same",
    "precision": "of the judge's 1, those of people",
    "recall": "of people's 1, those the judge finds",
    "specificity": "of people's 0, those the judge finds",
    "f1": "precision and recall in one",
    "kappa": "agreement beyond chance",
    "alpha": "agreement among the panel",
}


@click.command()
@click.argument("name", metavar="JUDGE")
@click.argument("file", metavar="LABELS", type=FILE)
@click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help="What the judge is told.")
@click.option("--judge-model", default="", metavar="NAME", help="The registered model that a judge asks.")
@click.option("--invert", is_flag=True, help="A label of 1 says what the judge scores with 0.")
@click.option(
    "--show", "shown", type=click.IntRange(0, MOST_SHOWN), default=0, help="Print so many of the disagreements."
)
@output.json_option
@speaks
async def calibrate(
    client: Client,
    name: str,
    file: Path,
    options: tuple[str, ...],
    judge_model: str,
    shown: int,
    *,
    invert: bool,
    as_json: bool,
) -> None:
    """Measure the judge JUDGE against LABELS, a CSV of answers that people have labelled, and keep the result.

    \b
    libra judges calibrate refusal labels.csv
    libra judges calibrate harm labels.csv --judge-model my-judge --show 5

    The columns are objective, assistant_response and human_score, which is 1 where the judge ought to score 1 and else 0;
    others become fields of the sample. Rates are given with their 95 % intervals. `libra board` carries the judge's error on.
    """  # noqa: D301 - click reads the \b
    answers = label_csv.read(file, invert=invert)
    judge = await judge_named(client, name)
    given = completed(judge, told(options), judge_model)
    request = CalibrateRequest(judge=JudgeSpec(name=name, options=given), answers=answers, labels=file.name)
    with in_words(word):
        answer = await client.call(JudgeServiceStub, "Calibrate", request, seconds=CALIBRATE_SECONDS)
    if as_json:
        output.emit_json(answer)
    else:
        print_calibration(answer.calibration)
        print_disagreements(answer, answers, shown)


async def judge_named(client: Client, name: str) -> Judge:
    """Return a judge of the catalogue; raise NotFound, with the nearest names."""
    catalogue = (await client.call(JudgeServiceStub, "ListJudges", ListJudgesRequest())).judges
    found: Judge | None = next((judge for judge in catalogue if judge.name == name), None)
    if found is None:
        raise NotFound.named("judge", name, [judge.name for judge in catalogue], field="JUDGE")
    return found


def completed(judge: Judge, options: Mapping[str, str], judge_model: str) -> dict[str, str]:
    """Return what the judge is told: a required option that is not given has the first of its values, and a note says so.

    Raises Invalid for a judge model where none is asked.
    """
    given = dict(options)
    if judge_model:
        if not judge.asks_model:
            raise Invalid(f"the judge {judge.name} asks no model", field="--judge-model")
        given.setdefault("model", judge_model)
    for option in judge.options:
        if option.required and option.values and option.name not in given:
            given[option.name] = option.values[0]
            output.note(f"note: --option {option.name}={option.values[0]} is taken, the first of its values")
    return given


def word(field: str) -> str:
    """Return what the command calls a field of the request."""
    if field == "judge.options[model]":
        return "--judge-model"
    return field.replace("judge.options[", "--option ").rstrip("]") if "options[" in field else WORDS.get(field, field)


def print_calibration(calibration: Calibration) -> None:
    """Print the counts and the rates."""
    judge = calibration.judge
    output.pairs(
        [
            ("judge", f"{judge.name} {judge.version} ({judge.rubric_hash})"),
            ("labels", f"{calibration.labels} ({calibration.labels_hash})"),
            ("answers", f"{judged_answers(calibration):,}"),
            ("cannot tell", f"{calibration.unjudged:,}, which are in no rate" if calibration.unjudged else ""),
        ]
    )
    click.echo()
    counts = output.columns("", "people say 1", "people say 0", right=("people say 1", "people say 0"))
    output.add(counts, "the judge says 1", calibration.true_positives, calibration.false_positives)
    output.add(counts, "the judge says 0", calibration.false_negatives, calibration.true_negatives)
    output.show(counts, empty="")
    click.echo()
    rates = output.columns("rate", "value", "95 % interval", "what it is", right=("value",), whole=("95 % interval",))
    for name in RATES:
        if calibration.HasField(name):
            rate: Rate = getattr(calibration, name)
            output.add(rates, name, f"{rate.value:.3f}", f"{rate.low:.3f} to {rate.high:.3f}", MEANINGS[name])
    if calibration.HasField("alpha"):
        output.add(rates, "alpha", f"{calibration.alpha:.3f}", "", MEANINGS["alpha"])
    output.show(rates, empty="there is no rate")


def judged_answers(calibration: Calibration) -> int:
    """Return of how many answers the judge could tell."""
    return (
        calibration.true_positives
        + calibration.false_positives
        + calibration.true_negatives
        + calibration.false_negatives
    )


def print_disagreements(answer: CalibrateResponse, answers: Sequence[LabelledAnswer], shown: int) -> None:
    """Print the first of the answers that judge and people see otherwise, and say how many there are."""
    calibration = answer.calibration
    apart = calibration.false_positives + calibration.false_negatives + calibration.unjudged
    for disagreement in answer.disagreements[:shown]:
        click.echo()
        print_disagreement(disagreement, answers[disagreement.place])
    if apart > shown:
        most = min(apart, MOST_SHOWN)
        seen = "1 answer is" if apart == 1 else f"{apart:,} answers are"
        output.note(
            f"\n{seen} seen otherwise, or not told; --show {most} prints {'all' if most == apart else 'so many'}"
        )


def print_disagreement(disagreement: Disagreement, answer: LabelledAnswer) -> None:
    """Print an answer with what people and the judge say of it."""
    click.secho(f"── answer {disagreement.place + 1}: people say {int(disagreement.positive)}", bold=True)
    for message in answer.messages:
        block(message.role, one_line(message.content, TEXT_CHARACTERS))
    block("answer", one_line(answer.text, TEXT_CHARACTERS) or "(nothing)")
    block("the judge says", f"{judged(disagreement.verdict)}: {disagreement.verdict.rationale}")


def print_kept(calibrations: Iterable[Calibration]) -> None:
    """Print a line for each calibration of a judge."""
    table = output.columns(
        *("version", "labels", "answers", "accuracy", "kappa", "measured"),
        right=("answers",),
        whole=("version", "accuracy", "kappa", "measured"),
    )
    for kept in calibrations:
        output.add(
            table,
            f"{kept.judge.version} ({kept.judge.rubric_hash[:6]})",
            kept.labels,
            f"{judged_answers(kept):,}",
            short(kept.accuracy) if kept.HasField("accuracy") else "",
            short(kept.kappa) if kept.HasField("kappa") else "",
            kept.create_time.ToDatetime().strftime("%Y-%m-%d"),
        )
    output.show(table, empty="it was not calibrated yet: `libra judges calibrate` measures it against labels of people")


def short(rate: Rate) -> str:
    """Return a rate and its interval: "0.97 (0.92-0.99)"."""
    return f"{rate.value:.2f} ({rate.low:.2f}-{rate.high:.2f})"
