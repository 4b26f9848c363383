"""The sections of the report on a run, and what they say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from libra.cli.export.exported_run import ExportedRun
from libra.cli.render.board.board import CATEGORY_HEADS, category_estimate, estimate_of, rank_interval, tasks_by_judge
from libra.cli.render.format import ABSENT, dollars, score_interval, score_percent, utc_time
from libra.cli.render.judges.calibration import judged_answers
from libra.cli.render.transcript import verdict_text
from libra.cli.report.blocks import Answer, Block, Grid, Paragraph, Points, Report, Section
from libra.core.attack_names import task_label
from libra.core.category_names import category_name
from libra.core.outcome_names import OUTCOMES, total_of
from libra.v1.calibration_pb2 import Calibration, Rate
from libra.v1.ranking_pb2 import AttackReport, BoardRow, Estimate
from libra.v1.run_pb2 import RunState
from libra.v1.verdict_pb2 import Verdict

SCORES = ("overall", "safety", "capability")
FORMULA = "Overall is 1 - sqrt(((1 - capability)^2 + (1 - safety)^2) / 2), from the distance to a perfect model."
INTERVALS = "Intervals are for 95 %, and take account of trials that share a sample."


@dataclass(frozen=True, slots=True)
class ReportInputs:
    """The inputs of a report."""

    exported: ExportedRun
    calibrations: Sequence[Calibration]
    """Calibrations of all judges."""

    costs: Sequence[AttackReport]
    """By model and attack; empty if no task of the run is risky."""

    samples: Sequence[Verdict]
    """The verdicts to show, with prompt and answer."""


def build_report(inputs: ReportInputs) -> Report:
    """Return the report."""
    run = inputs.exported.run
    sections = [
        Section("Result", list(_result(inputs))),
        Section("Design", list(_design(inputs))),
        Section("Tasks", list(_tasks(inputs))),
        Section("Judges", list(_judges(inputs))),
        Section("Scores by task", list(_task_scores(inputs))),
        Section("Cost", list(_cost(inputs))),
        Section("What was not measured", list(_gaps(inputs))),
        Section("Answers", list(_answers(inputs))),
    ]
    return Report(f"Evaluation {run.spec.name or run.id}", sections)


def _result(inputs: ReportInputs) -> Iterator[Block]:
    rows = inputs.exported.board.rows
    if inputs.exported.run.state != RunState.RUN_STATE_FINISHED:
        yield Paragraph("The run is not finished: the scores are of a part of its trials.")
    categories = [number for number in CATEGORY_HEADS if any(category_estimate(row, number) for row in rows)]
    heads = ["rank", "model", "Overall", "Safety", "Capability", *(category_name(number) for number in categories)]
    table = [
        [
            f"{row.rank} ({rank_interval(row)})" if row.rank else ABSENT,
            row.model,
            *(_score(estimate_of(row, name)) for name in SCORES),
            *(_score(category_estimate(row, number)) for number in categories),
        ]
        for row in rows
    ]
    yield Grid(heads, table, frozenset(range(2, len(heads))))
    yield Paragraph(f"{FORMULA} {INTERVALS} Behind a rank are the ranks that the data do not rule out.")


def _design(inputs: ReportInputs) -> Iterator[Block]:
    run, spec = inputs.exported.run, inputs.exported.run.spec
    parameters = spec.parameters
    sampling = [
        f"{name} {getattr(parameters, name):g}" for name in ("temperature", "top_p") if parameters.HasField(name)
    ]
    facts = [
        f"Run {run.id}, created {utc_time(run.create_time, 'minute')}"
        + (f", ended {utc_time(run.end_time, 'minute')}." if run.HasField("end_time") else "."),
        f"Models: {', '.join(spec.models)}.",
        f"Attacks: {', '.join(spec.attacks) or 'none'}. Attacks apply to risky tasks only.",
        f"Samples per task: {spec.samples_per_task or 'all'}. Seed: {spec.seed}.",
        f"Repetitions of each sample: {max(1, spec.epochs)}.",
        f"Tokens of an answer: at most {parameters.max_tokens or 512}.",
        f"Sampling: {', '.join(sampling) or 'as the endpoints have it'}.",
    ]
    facts += [f"Judge model: {spec.judge_model}."] if spec.judge_model else []
    facts += [f"Model that writes attacks: {spec.attack_model}."] if spec.attack_model else []
    yield Points(facts)


def _tasks(inputs: ReportInputs) -> Iterator[Block]:
    heads = ["task", "version", "category", "score of 1", "samples", "languages", "licence", "source"]
    yield Grid(
        heads,
        [
            [
                task.name,
                task.version,
                category_name(task.category),
                task.metric,
                f"{task.sample_count:,}",
                ", ".join(task.languages),
                task.licence,
                task.source,
            ]
            for _, task in sorted(inputs.exported.tasks.items())
        ],
        frozenset({4}),
    )


def _judges(inputs: ReportInputs) -> Iterator[Block]:
    newest: dict[tuple[str, str, str], Calibration] = {}
    for each in inputs.calibrations:
        newest.setdefault((each.judge.name, each.judge.version, each.judge.rubric_hash), each)
    rows = []
    for (name, version, rubric), tasks in sorted(tasks_by_judge(inputs.exported.board).items()):
        measured = newest.get((name, version, rubric))
        rows.append([f"{name} {version} ({rubric})", ", ".join(sorted(tasks)), *_agreement(measured)])
    yield Grid(["judge", "tasks", "labelled answers", "accuracy", "kappa"], rows, frozenset({2, 3, 4}))
    unmeasured = sum(row[2] == ABSENT for row in rows)
    if unmeasured:
        yield Paragraph(
            f"{unmeasured} of {len(rows)} judges have no measured error in this version: their scores are as good as "
            "the judge, and how good that is on these answers is not known."
        )


def _agreement(calibration: Calibration | None) -> list[str]:
    if calibration is None:
        return [ABSENT] * 3
    rates = [
        _rate(getattr(calibration, name)) if calibration.HasField(name) else ABSENT for name in ("accuracy", "kappa")
    ]
    return [f"{judged_answers(calibration):,}", *rates]


def _task_scores(inputs: ReportInputs) -> Iterator[Block]:
    rows = inputs.exported.board.rows
    scores: dict[str, dict[str, str]] = {}
    for row in rows:
        for task in (task for category in row.categories for task in category.tasks):
            shown = _score(task.score if task.HasField("score") else None)
            scores.setdefault(task_label(task.task, task.attack), {})[row.model] = shown
    models = [row.model for row in rows]
    table = [[label, *(by_model.get(model, ABSENT) for model in models)] for label, by_model in sorted(scores.items())]
    yield Grid(["task", *models], table, frozenset(range(1, len(models) + 1)))


def _cost(inputs: ReportInputs) -> Iterator[Block]:
    if not inputs.costs:
        yield Paragraph("The cost is known for runs with risky tasks only.")
        return
    rows = []
    for cost in inputs.costs:
        is_partial = cost.unknown_usage or cost.unknown_price
        tokens = [f"{number:,}" for number in (cost.trials, cost.prompt_tokens, cost.completion_tokens)]
        rows.append([cost.model, cost.attack, *tokens, ("at least " if is_partial else "") + dollars(cost.cost_usd)])
    yield Grid(["model", "attack", "trials", "prompt tokens", "answer tokens", "cost"], rows, frozenset({2, 3, 4, 5}))
    yield Paragraph("For the risky tasks of the run. Stored answers that were used again count with their first cost.")


def _gaps(inputs: ReportInputs) -> Iterator[Block]:
    board = inputs.exported.board
    heads = ["model", "trials", *OUTCOMES, "counted", "cut off", "blocked"]
    rows = [_outcome_cells(row) for row in board.rows]
    yield Grid(heads, rows, frozenset(range(1, len(heads))))
    missing = [f"{row.model} has no {', '.join(row.missing)}." for row in board.rows if row.missing]
    absent = _absent_categories(inputs.exported.board.rows)
    points = [*missing, *([f"No task of the run is in {', '.join(absent)}."] if absent else []), *board.notes]
    if points:
        yield Points(points)


def _outcome_cells(row: BoardRow) -> list[str]:
    responses = row.responses
    counts = [f"{getattr(row.counts, name):,}" for name in OUTCOMES]
    blocked = responses.blocked_input + responses.blocked_output
    return [
        row.model,
        f"{total_of(row.counts):,}",
        *counts,
        f"{100 * row.coverage:.1f} %",
        f"{responses.truncated:,}",
        f"{blocked:,}",
    ]


def _absent_categories(rows: Sequence[BoardRow]) -> list[str]:
    found = {category.category for row in rows for category in row.categories}
    return [category_name(number) for number in CATEGORY_HEADS if number not in found]


def _answers(inputs: ReportInputs) -> Iterator[Block]:
    if not inputs.samples:
        yield Paragraph("No answers are shown.")
        return
    yield Paragraph(
        f"{len(inputs.samples)} answers, drawn at random. Prompts of risky tasks, and answers to them, may be harmful."
    )
    for verdict in inputs.samples:
        turns = [(turn.role, turn.content) for turn in verdict.messages]
        if verdict.HasField("completion"):
            turns.append((f"{verdict.model} answers", verdict.completion.text or "(empty answer)"))
        label = task_label(verdict.task.partition("@")[0], verdict.attack)
        reason = f": {verdict.rationale}" if verdict.rationale else ""
        title = f"{verdict.model}, {label}, sample {verdict.sample}"
        yield Answer(title, turns, f"{verdict_text(verdict)} ({verdict.judge.name} {verdict.judge.version}){reason}")


def _score(estimate: Estimate | None) -> str:
    if estimate is None:
        return ABSENT
    interval = score_interval(estimate)
    return f"{score_percent(estimate)} ({interval})" if interval and interval != ABSENT else score_percent(estimate)


def _rate(rate: Rate) -> str:
    return f"{rate.value:.3f} ({rate.low:.3f} to {rate.high:.3f})"
