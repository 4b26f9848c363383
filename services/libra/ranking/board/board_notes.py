"""Writes the notes of a board: sentences that a reader needs to understand its scores."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from libra.ranking.board.board import TASKS, ModelRow, TaskRow
from libra.ranking.board.judge_correction import MIN_ANSWERS, CellRates, explain_uncorrected, find_rates
from libra.ranking.board.scores import ScoreInputs
from libra.statistics.misclassification import unequal_rates_gaps

INDEPENDENT = "standard errors treat every trial as independent of the others"

MAX_NAMES = 8

HIGHER_RATE, LOWER_RATE = 0.95, 0.80
"""Rates of a judge for two models, by which a note shows what a difference of its errors could do."""


def sample_sums_notes(*, pending: int, absent: int, growing: int) -> list[str]:
    """Return which standard errors are not clustered by sample, and why.

    Each argument counts scores: `pending` while their sums are computed, `absent` without all their verdicts,
    `growing` of runs that are not finished.
    """
    notes = []
    if pending:
        notes.append(f"{count_scores(pending)} not yet divided by sample: until then their {INDEPENDENT}")
    if absent:
        notes.append(f"{count_scores(absent)} without all their verdicts in the store: their {INDEPENDENT}")
    if growing:
        notes.append(f"{count_scores(growing)} of an unfinished run: until it ends their {INDEPENDENT}")
    return notes


def row_notes(rows: Sequence[ModelRow], inputs: ScoreInputs) -> list[str]:
    """Return which rows have another source of capability or no standard error, and which scores were corrected."""
    return [*_capability_notes(rows), *(_correction_notes(rows, inputs) if inputs.correct_judges else [])]


def unknown_model_notes(models: Iterable[str], known: Iterable[str]) -> list[str]:
    """Return a note on each model that was requested and has no verdict."""
    return [f"{model} has no verdict in these runs" for model in sorted(set(models) - set(known))]


def shorten_list(names: Sequence[str]) -> str:
    """Return the first eight names, and the number of the others."""
    more = f", and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    return f"{', '.join(names[:MAX_NAMES])}{more}"


def count_scores(count: int) -> str:
    """Return the number of scores with its verb."""
    return f"{count:,} scores are" if count > 1 else "1 score is"


def _capability_notes(rows: Iterable[ModelRow]) -> list[str]:
    by_source: defaultdict[str, list[ModelRow]] = defaultdict(list)
    for row in rows:
        if row.capability:
            by_source[row.capability_source].append(row)
    notes = []
    if len(by_source) > 1:
        sources = [f"{source} for {_list_models(found)}" for source, found in sorted(by_source.items())]
        notes.append(f"capability comes from different sources, and so does Overall: {'; '.join(sources)}")
    without_error = [
        row
        for source, found in by_source.items()
        if source != TASKS
        for row in found
        if row.capability and row.capability.standard_error is None
    ]
    if without_error:
        notes.append(
            f"the imported capability of {_list_models(without_error)} has no standard error: "
            "the interval of Overall is unknown"
        )
    return notes


def _correction_notes(rows: Iterable[ModelRow], inputs: ScoreInputs) -> list[str]:
    tasks = [task for row in rows for category in row.categories for task in category.tasks if task.score]
    corrected: defaultdict[str, list[tuple[CellRates, TaskRow]]] = defaultdict(list)
    uncorrected: defaultdict[str, set[str]] = defaultdict(set)
    for task in tasks:
        cell = task.board_cell.cell
        if task.corrected and (rates := find_rates(cell, inputs)):
            corrected[rates.key].append((rates, task))
        else:
            uncorrected[explain_uncorrected(cell, inputs)].add(task.board_cell.task_name)
    groups = [group for _, group in sorted(corrected.items())]
    return [
        *(_rates_note(group[0][0], len(group)) for group in groups),
        *(note for group in groups for note in _unequal_errors_note(group, tasks)),
        *(f"not corrected, since {why}: {', '.join(sorted(names))}" for why, names in sorted(uncorrected.items())),
    ]


def _rates_note(found: CellRates, count: int) -> str:
    judge, rates = found.calibration.judge, found.rates
    scope = f" on the answers of {found.model}" if found.model else ""
    return (
        f"{count_scores(count)} corrected for the errors of {judge.name} {judge.version}, "
        f"as measured by {found.calibration.labels}{scope}: "
        f"sensitivity {rates.sensitivity:.3f} of {rates.positives} answers, "
        f"specificity {rates.specificity:.3f} of {rates.negatives}"
    )


def _unequal_errors_note(group: Sequence[tuple[CellRates, TaskRow]], tasks: Iterable[TaskRow]) -> Iterator[str]:
    """Yield a warning if models are compared by rates that were not measured on each of them."""
    found, judges = group[0][0], group[0][1].board_cell.cell.judges
    models = {task.board_cell.cell.model for _, task in group}
    compared = {
        task.board_cell.cell.model for task in tasks if task.corrected and task.board_cell.cell.judges == judges
    }
    if found.model or len(compared) == 1:
        return
    scores = [task.score.value for _, task in group if task.score]
    by_sensitivity, by_specificity = unequal_rates_gaps(
        sum(scores) / len(scores), found.rates, HIGHER_RATE - LOWER_RATE
    )
    yield (
        f"the errors of {found.calibration.judge.name} are taken as equal for {shorten_list(sorted(models))}: the "
        f"labels have fewer than {MIN_ANSWERS} answers of each label by each of them. If its sensitivity were "
        f"{HIGHER_RATE:.2f} for one model and {LOWER_RATE:.2f} for another, two equal models would be "
        f"{by_sensitivity:.3f} apart at these scores; with such specificities, {by_specificity:.3f}"
    )


def _list_models(rows: Iterable[ModelRow]) -> str:
    return ", ".join(sorted(row.model for row in rows))
