"""What must be known to read a board, in sentences."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from libra.ranking.board.board import TASKS, Row, TaskRow
from libra.ranking.board.scores import Basis, Judge, all_or_nothing, calibration_of, errors_of
from libra.ranking.queries.sample_sums_loader import Gathered
from libra.v1.calibration_pb2 import Calibration

INDEPENDENT = "standard errors take every trial for independent of the others"


def on_gathering(gathered: Gathered, moving: int) -> list[str]:
    """Return which standard errors are not clustered by sample, and why; `moving` counts those of runs that go on."""
    notes = []
    if gathered.pending:
        notes.append(f"{_scores(gathered.pending)} not yet taken apart by sample: until then their {INDEPENDENT}")
    if gathered.absent:
        notes.append(f"{_scores(gathered.absent)} without all their verdicts in the store: their {INDEPENDENT}")
    if moving:
        notes.append(f"{_scores(moving)} of a run that goes on: until it ends their {INDEPENDENT}")
    return notes


def on_rows(rows: Sequence[Row], basis: Basis) -> list[str]:
    """Return where capabilities come from if that differs, which have no error, and what was corrected."""
    return [*_on_capability(rows), *(_on_correction(rows, basis) if basis.correct else [])]


def _on_capability(rows: Iterable[Row]) -> list[str]:
    sources: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row.capability:
            sources[row.capability_source].append(row)
    notes = []
    if len(sources) > 1:
        told = [f"{source} for {_models(found)}" for source, found in sorted(sources.items())]
        notes.append(f"capability is not of one kind, so Overall is not either: {'; '.join(told)}")
    unsure = [
        row
        for source, found in sources.items()
        if source != TASKS
        for row in found
        if row.capability and row.capability.standard_error is None
    ]
    if unsure:
        notes.append(
            f"the imported capability of {_models(unsure)} came without a standard error: how sure Overall is cannot be told"
        )
    return notes


def _on_correction(rows: Iterable[Row], basis: Basis) -> list[str]:
    tasks = [task for row in rows for category in row.categories for task in category.tasks if task.score]
    done: defaultdict[Judge, int] = defaultdict(int)
    left: defaultdict[str, set[str]] = defaultdict(set)
    for task in tasks:
        if task.corrected:
            done[task.entry.cell.judges[0]] += 1
        else:
            left[_why_not(task, basis)].add(task.entry.name)
    return [
        *(sentence for judge, count in sorted(done.items()) for sentence in _told(basis.calibrations[judge], count)),
        *(f"not corrected, since {why}: {', '.join(sorted(names))}" for why, names in sorted(left.items())),
    ]


def _told(calibration: Calibration, count: int) -> Iterator[str]:
    judge = calibration.judge
    if errors := errors_of(calibration):
        yield (
            f"{_scores(count)} corrected for the errors of {judge.name} {judge.version}, as measured by {calibration.labels}: "
            f"sensitivity {errors.sensitivity:.3f} of {errors.positives} answers, "
            f"specificity {errors.specificity:.3f} of {errors.negatives}"
        )


def _why_not(task: TaskRow, basis: Basis) -> str:
    cell = task.entry.cell
    calibration = calibration_of(cell, basis)
    if calibration is None:
        return "the judge is not calibrated in this version"
    if errors_of(calibration) is None:
        return "the judge was calibrated by labels of one kind alone"
    if not all_or_nothing(cell):
        return "scores between 0 and 1 are neither right nor wrong"
    return "the judge tells nothing"


def _scores(count: int) -> str:
    return f"{count:,} scores are" if count > 1 else "1 score is"


def _models(rows: Iterable[Row]) -> str:
    return ", ".join(sorted(row.model for row in rows))
