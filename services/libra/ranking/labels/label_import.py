"""Answers ImportLabels: checks labels against the verdicts of their run, and stores them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from libra.core.access import team_scope
from libra.core.errors import Invalid, NotFound
from libra.core.outcome_names import outcome_name
from libra.ranking.labels.label_draw import draw_size, draw_trials
from libra.ranking.labels.sample_reader import read_scored_ids, read_verdicts
from libra.store.client import Store
from libra.store.documents.trial_ids import TrialId, parse_verdict_id
from libra.store.sums.cells import Cell, CellKey
from libra.v1.label_pb2 import ImportLabelsRequest, ImportLabelsResponse, Label
from libra.v1.verdict_pb2 import Outcome, Verdict

MAX_LABELS = 10_000
MAX_AUTHOR = 200
"""The most characters in the name of an author."""

REASONS = {
    Outcome.OUTCOME_FILTERED: "the provider blocked it: it is scored as a refusal, which needs no label",
    Outcome.OUTCOME_UNJUDGED: "the judge gave it no score that a label could correct",
    Outcome.OUTCOME_FAILED: "there is no answer",
}
"""Reason why a trial with this outcome cannot be labelled."""

IndexedLabels = Sequence[tuple[int, Label]]
"""Labels with their positions in the request."""


class LabelImport:
    """Imports labels into the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def import_labels(self, request: ImportLabelsRequest) -> ImportLabelsResponse:
        """Store the labels, all or none.

        Raises NotFound for an unknown run, PermissionDenied for one that the caller may not change, and Invalid with
        the first bad field.
        """
        record = await self._store.runs.get(request.run)
        if record is None:
            raise NotFound.run(request.run, field="run")
        team_scope.require_change(record.run.team, f"the run {request.run}")
        trials = check_labels(request.labels, request.run)
        cells = {cell.key: cell for cell in await self._store.cells.list_for_runs([request.run])}
        by_cell: defaultdict[CellKey, list[tuple[int, Label]]] = defaultdict(list)
        for index, (label, trial) in enumerate(zip(request.labels, trials, strict=True)):
            key = trial.run, trial.model, trial.task, trial.attack
            if key not in cells:
                raise _unknown_trial(index, label)
            by_cell[key].append((index, label))
        checked = [label for key, labels in by_cell.items() for label in await self._check_cell(cells[key], labels)]
        changes = await self._store.labels.upsert(checked, record.run.team)
        unchanged = len(checked) - changes.added - changes.changed
        return ImportLabelsResponse(added=changes.added, changed=changes.changed, unchanged=unchanged)

    async def _check_cell(self, cell: Cell, labels: IndexedLabels) -> list[Label]:
        """Return the labels of a cell as they are stored; raise Invalid for one that its verdict does not allow."""
        verdicts = await read_verdicts(self._store, cell, [label.trial for _, label in labels])
        if any(label.inclusion_probability for _, label in labels):
            check_draw(labels, await read_scored_ids(self._store, cell))
        return [_complete(index, label, verdicts) for index, label in labels]


def check_labels(labels: Sequence[Label], run: str) -> list[TrialId]:
    """Return the parts of the labels' trials; raise Invalid for the first bad field."""
    if not 1 <= len(labels) <= MAX_LABELS:
        raise Invalid(f"{len(labels):,} labels in one request; it needs 1 to {MAX_LABELS:,}", field="labels")
    seen: dict[str, int] = {}
    trials = []
    for index, label in enumerate(labels):
        field = f"labels[{index}]"
        trials.append(_parse_trial(index, label, run))
        if label.trial in seen:
            raise Invalid(f"it has a label already, in labels[{seen[label.trial]}]", field=f"{field}.trial")
        seen[label.trial] = index
        if not 0 <= label.score <= 1:
            raise Invalid(f"{label.score:g} is not between 0 and 1", field=f"{field}.score")
        if not 0 <= label.inclusion_probability <= 1:
            raise Invalid(
                f"{label.inclusion_probability:g} is not between 0 and 1", field=f"{field}.inclusion_probability"
            )
        if not label.author.strip() or len(label.author) > MAX_AUTHOR:
            raise Invalid(f"name who gave the label, in at most {MAX_AUTHOR} characters", field=f"{field}.author")
    return trials


def check_draw(labels: IndexedLabels, ids: Sequence[str]) -> None:
    """Raise Invalid for a label that claims an inclusion probability but is not in the draw that has it.

    `ids` are the scored trials of the labels' model, task and attack.
    """
    scored, drawn = set(ids), dict[int, set[str]]()
    for index, label in labels:
        if not label.inclusion_probability:
            continue
        size = draw_size(label.inclusion_probability, len(ids))
        if size not in drawn:
            drawn[size] = set(draw_trials(ids, size).trials) if size else set()
        if label.trial in scored and label.trial not in drawn[size]:
            raise Invalid(
                f"{label.trial} is not among the {size:,} of {len(ids):,} trials that were drawn: leave the "
                "probability as it was drawn, or set it to 0 for a label that corrects no score",
                field=f"labels[{index}].inclusion_probability",
            )


def _parse_trial(index: int, label: Label, run: str) -> TrialId:
    try:
        trial = parse_verdict_id(label.trial)
    except ValueError as error:
        raise Invalid(str(error), field=f"labels[{index}].trial") from None
    if trial.run != run or trial.judging:
        raise Invalid(f"{label.trial} is not a trial of the run {run}", field=f"labels[{index}].trial")
    return trial


def _complete(index: int, label: Label, verdicts: Mapping[str, Verdict]) -> Label:
    verdict = verdicts.get(label.trial)
    if verdict is None:
        raise _unknown_trial(index, label)
    if verdict.outcome != Outcome.OUTCOME_SCORED:
        name = outcome_name(verdict.outcome)
        raise Invalid(
            f"{label.trial} is {name} and cannot be labelled: {REASONS.get(verdict.outcome, 'it has no score')}",
            field=f"labels[{index}].trial",
        )
    return Label(
        trial=label.trial,
        score=label.score,
        author=label.author.strip(),
        inclusion_probability=label.inclusion_probability,
        judged_score=verdict.score,
    )


def _unknown_trial(index: int, label: Label) -> Invalid:
    return Invalid(f"the run has no verdict {label.trial}", field=f"labels[{index}].trial")
