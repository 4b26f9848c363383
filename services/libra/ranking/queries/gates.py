"""Answers CheckGate and CalibrateGate: loads the verdicts of a model and of its baseline."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from libra.core.category_names import CATEGORIES
from libra.core.errors import FailedPrecondition, Invalid
from libra.ranking.board.cell_selection import CellSelection
from libra.ranking.comparison.pairing import ComparisonSide, match_tasks
from libra.ranking.gates.decision import check
from libra.ranking.gates.false_alarms import FalseAlarmMeter
from libra.ranking.gates.inputs import GateInputs, SampleScore, Streams, is_in_scope, label_of
from libra.ranking.gates.policy import has_drops, resolve_policy
from libra.ranking.queries.board_loader import load_newest_calibrations
from libra.ranking.queries.cell_loader import CellLoader
from libra.store.client import Store
from libra.store.runs import FINISHED
from libra.v1.gate_pb2 import (
    CalibrateGateRequest,
    CalibrateGateResponse,
    CheckGateRequest,
    CheckGateResponse,
    GatePolicy,
)
from libra.v1.ranking_pb2 import Capability

DEFAULT_REPETITIONS = 1000
MAX_REPETITIONS = 10_000
REPETITIONS_AT_ONCE = 20
MAX_TASK_CHECKS = 50_000
"""A/A comparisons times tasks: about one minute of a core, and less than the time limit of a call on a busy one."""

BASELINE_RUNS, BASELINE_MODEL = "policy.baseline.runs", "policy.baseline.model"


class GateReader:
    """Answers from the store."""

    def __init__(self, store: Store) -> None:
        self._store, self._cells = store, CellLoader(store)

    async def check(self, request: CheckGateRequest) -> CheckGateResponse:
        """Return the decision. Raises Invalid, NotFound and FailedPrecondition, as the interface says."""
        policy = resolve_policy(request.policy, await self._store.tasks.list_names())
        if request.sequential:
            _check_sequential(request, policy)
        inputs, notes = await self._load(policy, request.model, request.runs)
        if inputs.baseline is not None and has_drops(policy):
            _check_overlap(inputs, inputs.baseline)
        if request.sequential:
            baseline_runs = list(policy.baseline.runs or request.runs)
            streams = [await self._load_stream(inputs.model, request.runs)]
            streams.append(await self._load_stream(inputs.baseline, baseline_runs) if inputs.baseline else {})
            inputs = replace(inputs, streams=(streams[0], streams[1]))
        # In a thread: a policy on hundreds of tasks takes a second.
        response = await asyncio.to_thread(check, inputs)
        response.notes.extend(notes)
        return response

    async def calibrate(self, request: CalibrateGateRequest) -> CalibrateGateResponse:
        """Return the rate of false alarms. Raises as `check` does."""
        if not 0 <= request.repetitions <= MAX_REPETITIONS:
            raise Invalid(f"{request.repetitions} is not from 1 to {MAX_REPETITIONS:,}", field="repetitions")
        policy = resolve_policy(_with_any_baseline(request.policy), await self._store.tasks.list_names())
        if not request.policy.HasField("baseline"):
            policy.ClearField("baseline")
        models = list(dict.fromkeys(request.models)) or await self._list_models(request.runs)
        loaded = [await self._load_for_calibration(policy, model, request.runs) for model in models]
        if not loaded:
            raise FailedPrecondition("there is no verdict of a finished run yet; `libra run create` starts a run")
        repetitions = _choose_repetitions(loaded, request.repetitions)
        meter = await asyncio.to_thread(FalseAlarmMeter, loaded, request.seed)
        # In short pieces: a caller that gives up ends the work.
        for done in range(0, repetitions, REPETITIONS_AT_ONCE):
            await asyncio.to_thread(meter.repeat, min(REPETITIONS_AT_ONCE, repetitions - done))
        return meter.report()

    async def _load(self, policy: GatePolicy, model: str, runs: Sequence[str]) -> tuple[GateInputs, list[str]]:
        """Return the inputs, and notes on what was not selected."""
        baseline_model, baseline_runs = policy.baseline.model or model, list(policy.baseline.runs)
        is_same_model = baseline_model == model
        await self._check_finished(runs, field="runs")
        await self._check_finished(baseline_runs, field=BASELINE_RUNS)
        if not policy.HasField("baseline"):
            selection = await self._cells.select_for_models(runs, {model: "model"}, field="runs")
            return await self._to_inputs(policy, await self._load_side(selection, model, policy)), list(selection.notes)
        if is_same_model and set(baseline_runs or runs) == set(runs):
            raise Invalid(
                f"it is {model} itself; name another model, or an earlier run of this one", field=BASELINE_MODEL
            )
        if set(baseline_runs or runs) == set(runs):
            models = {model: "model", baseline_model: BASELINE_MODEL}
            selection = other = await self._cells.select_for_models(runs, models, field="runs")
        else:
            selection = await self._cells.select_for_models(runs, {model: "model"}, field="runs")
            models = {baseline_model: BASELINE_MODEL}
            other = await self._cells.select_for_models(baseline_runs, models, field=BASELINE_RUNS)
        side = await self._load_side(selection, model, policy)
        baseline = await self._load_side(other, baseline_model, policy)
        inputs = await self._to_inputs(policy, side)
        figures = inputs.figures[0], await self._find_figure(baseline_model)
        inputs = replace(inputs, baseline=baseline, figures=figures, is_same_model=is_same_model)
        return inputs, list(dict.fromkeys([*selection.notes, *other.notes]))

    async def _load_for_calibration(self, policy: GatePolicy, model: str, runs: Sequence[str]) -> GateInputs:
        """Return the inputs, with the baseline if the policy names another model or other runs that share samples."""
        has_other = policy.baseline.model not in ("", model) or policy.baseline.runs
        if has_other:
            inputs, _ = await self._load(policy, model, runs)
            if inputs.baseline is not None and match_tasks(inputs.model, inputs.baseline).pairs:
                return inputs
        alone = GatePolicy()
        alone.CopyFrom(policy)
        alone.ClearField("baseline")
        inputs, _ = await self._load(alone, model, runs)
        return replace(inputs, policy=policy)

    async def _to_inputs(self, policy: GatePolicy, side: ComparisonSide) -> GateInputs:
        names = [name for name in policy.tasks if name not in CATEGORIES]
        tasks = [task for task in [await self._store.tasks.get(name) for name in names] if task is not None]
        return GateInputs(
            policy,
            side,
            figures=(await self._find_figure(side.name), None),
            calibrations=await load_newest_calibrations(self._store) if policy.correct_judges else {},
            named_tasks={task.name: task.category for task in tasks},
        )

    async def _load_side(self, selection: CellSelection, model: str, policy: GatePolicy) -> ComparisonSide:
        cells = [each for each in selection.cells if each.cell.model == model and is_in_scope(each, policy)]
        return ComparisonSide(model, cells, await self._store.sample_sums.get_or_compute([each.cell for each in cells]))

    async def _load_stream(self, side: ComparisonSide, runs: Sequence[str]) -> Streams:
        """Return the scores of samples in the order of the runs, from cells of the selected versions and judges."""
        streams: dict[str, dict[int, SampleScore]] = {label_of(each): {} for each in side.board_cells}
        selected = {(each.cell.task, each.cell.attack, each.cell.judges): each for each in side.board_cells}
        cells = await self._store.cells.list_for_runs(list(runs))
        usable = [
            cell for cell in cells if cell.model == side.name and (cell.task, cell.attack, cell.judges) in selected
        ]
        sums = await self._store.sample_sums.get_or_compute(usable)
        position = {run: number for number, run in enumerate(runs)}
        for cell in sorted(usable, key=lambda each: position[each.run]):
            stream = streams[label_of(selected[cell.task, cell.attack, cell.judges])]
            found = sums.get(cell.key)
            if found is not None:
                for ordinal, count, total in zip(found.ordinals, found.counts, found.sums, strict=True):
                    stream.setdefault(ordinal, SampleScore(position[cell.run], total / count))
        return streams

    async def _check_finished(self, runs: Sequence[str], *, field: str) -> None:
        for record in await self._cells.load_runs(runs, field=field):
            if record.run.state != FINISHED:
                raise FailedPrecondition(
                    f"the run {record.run.id} is not finished: its first verdicts are those of the quickest answers, "
                    "and no random part of it; `libra run watch` waits for its end",
                    field=field,
                )

    async def _list_models(self, runs: Sequence[str]) -> list[str]:
        await self._check_finished(runs, field="runs")
        names = list(runs) or list(await self._store.runs.get_finished_revisions())
        return sorted({cell.model for cell in await self._store.cells.list_for_runs(names)})

    async def _find_figure(self, model: str) -> Capability | None:
        return next((figure for figure in await self._store.capabilities.list() if figure.model == model), None)


def _check_sequential(request: CheckGateRequest, policy: GatePolicy) -> None:
    if not request.runs:
        raise Invalid("a sequential check needs the runs in the order in which they were looked at", field="runs")
    if policy.correct_judges:
        raise Invalid(
            "a sequential check cannot correct scores for the errors of judges: a corrected score has no bounds",
            field="policy.correct_judges",
        )


def _choose_repetitions(loaded: Sequence[GateInputs], wanted: int) -> int:
    """Return how many A/A comparisons are made: as many as wanted or, with 0, up to the default."""
    tasks = sum(len(each.model.board_cells) for each in loaded) / len(loaded)
    possible = int(MAX_TASK_CHECKS / max(1.0, tasks))
    if wanted > possible:
        raise Invalid(
            f"{wanted} comparisons of {tasks:.0f} tasks take too long; {possible} are possible, or more of fewer "
            "tasks: name them in the policy",
            field="repetitions",
        )
    return wanted or min(DEFAULT_REPETITIONS, max(1, possible))


def _check_overlap(inputs: GateInputs, baseline: ComparisonSide) -> None:
    pairing = match_tasks(inputs.model, baseline)
    if pairing.pairs:
        return
    reasons = [f"{label}: {reason}" for label, reason in pairing.reasons.items()]
    detail = f" ({'; '.join(reasons[:3])})" if reasons else ": it has no task in common"
    raise FailedPrecondition(
        f"{baseline.name} shares no sample with {inputs.model.name}{detail}", field="policy.baseline"
    )


def _with_any_baseline(policy: GatePolicy) -> GatePolicy:
    """Return the policy with a baseline: a calibration compares a model with itself if the policy names none."""
    copy = GatePolicy()
    copy.CopyFrom(policy)
    copy.baseline.SetInParent()
    return copy
