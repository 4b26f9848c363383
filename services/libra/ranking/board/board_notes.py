"""Writes the notes of a board: sentences that a reader needs to understand its scores."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from libra.ranking.board.board import TASKS, ModelRow
from libra.ranking.board.judge_correction import error_rates, explain_uncorrected
from libra.ranking.board.scores import ScoreInputs
from libra.store.cells import JudgeKey
from libra.v1.calibration_pb2 import Calibration

INDEPENDENT = "standard errors treat every trial as independent of the others"

MAX_NAMES = 8


def sample_sums_notes(*, pending: int, absent: int, growing: int) -> list[str]:
    """Return which standard errors are not clustered by sample, and why.

    Each argument counts scores: `pending` while their sums are computed, `absent` without all their verdicts,
    `growing` of runs that are not finished.
    """
    notes = []
    if pending:
        notes.append(f"{_count_scores(pending)} not yet divided by sample: until then their {INDEPENDENT}")
    if absent:
        notes.append(f"{_count_scores(absent)} without all their verdicts in the store: their {INDEPENDENT}")
    if growing:
        notes.append(f"{_count_scores(growing)} of an unfinished run: until it ends their {INDEPENDENT}")
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
    corrected: defaultdict[JudgeKey, int] = defaultdict(int)
    uncorrected: defaultdict[str, set[str]] = defaultdict(set)
    for task in tasks:
        cell = task.board_cell.cell
        if task.corrected:
            corrected[cell.judges[0]] += 1
        else:
            uncorrected[explain_uncorrected(cell, inputs)].add(task.board_cell.task_name)
    return [
        *(
            note
            for judge, count in sorted(corrected.items())
            for note in _judge_note(inputs.calibrations[judge], count)
        ),
        *(f"not corrected, since {why}: {', '.join(sorted(names))}" for why, names in sorted(uncorrected.items())),
    ]


def _judge_note(calibration: Calibration, count: int) -> Iterator[str]:
    judge = calibration.judge
    if errors := error_rates(calibration):
        yield (
            f"{_count_scores(count)} corrected for the errors of {judge.name} {judge.version}, "
            f"as measured by {calibration.labels}: "
            f"sensitivity {errors.sensitivity:.3f} of {errors.positives} answers, "
            f"specificity {errors.specificity:.3f} of {errors.negatives}"
        )


def _count_scores(count: int) -> str:
    return f"{count:,} scores are" if count > 1 else "1 score is"


def _list_models(rows: Iterable[ModelRow]) -> str:
    return ", ".join(sorted(row.model for row in rows))
