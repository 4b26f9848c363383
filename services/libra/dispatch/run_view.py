"""Build the run that callers see: its stored record with the counts of its progress."""

from __future__ import annotations

from collections.abc import Mapping

from google.protobuf.timestamp_pb2 import Timestamp

from libra.core.outcome_names import total_of
from libra.core.spending.budget_ledger import Ledger
from libra.dispatch.scheduling.run_progress import RunProgress
from libra.dispatch.spec.budget_fields import budget_status
from libra.dispatch.spec.judge_resolution import MODEL_OPTION
from libra.store.models.health import FleetHealth
from libra.store.runs import RunRecord
from libra.v1.model_pb2 import MODEL_STATE_PARKED, ModelHealth
from libra.v1.run_pb2 import ModelProgress, ResponseCounts, Run, RunState


def build_run_view(
    progress: RunProgress,
    responses: Mapping[str, ResponseCounts],
    fleet: Mapping[str, FleetHealth],
    ledger: Ledger | None = None,
) -> Run:
    """Return the run with its trials, counts, revision and models.

    `responses` is what came back, by model. `fleet` is what the gateways know of each model; empty once the run has
    ended.

    The revision is derived, so that every replica returns the same one: each verdict and the end of the run raise it
    by one, and each other change by its own amount.
    """
    run = Run()
    run.CopyFrom(progress.record.run)
    run.trials = progress.trials
    run.counts.CopyFrom(progress.total_counts())
    run.revision = 1 + total_of(run.counts) + progress.record.changes + has_ended(run)
    if ledger is not None:
        run.budget.CopyFrom(budget_status(ledger))
    run.models.extend(_progress_of(model, progress, responses, fleet) for model in models_of(progress.record))
    return run


def models_of(record: RunRecord) -> list[str]:
    """Return the models of a run: those under test, then those that judge or write for it and are none of these."""
    spec = record.run.spec
    judges = [section.judge.options.get(MODEL_OPTION, "") for section in record.sections]
    return [name for name in dict.fromkeys([*spec.models, *judges, spec.judge_model, spec.attack_model]) if name]


def is_running(record: RunRecord) -> bool:
    """Return whether the run has not ended."""
    return not has_ended(record.run)


def has_ended(run: Run) -> bool:
    """Return whether the run is finished or cancelled."""
    return run.state in (RunState.RUN_STATE_FINISHED, RunState.RUN_STATE_CANCELLED)


def _progress_of(
    model: str, progress: RunProgress, responses: Mapping[str, ResponseCounts], fleet: Mapping[str, FleetHealth]
) -> ModelProgress:
    """Return the progress of the run with one model; one that only judges or writes has no counts."""
    record, known = progress.record, fleet.get(model)
    view = ModelProgress(model=model, responses=responses.get(model))
    if model in record.run.spec.models:
        view.counts.CopyFrom(progress.counts_of(model))
        view.answered = _answered(progress, model, known)
    if known is not None:
        view.health.CopyFrom(known.health)
        _count_patience_from(record.run.create_time, view.health)
    return view


def _answered(progress: RunProgress, model: str, known: FleetHealth | None) -> int:
    """Return how many of the model's trials wait for their verdict only.

    The gateways count a trial twice that was sent twice, so the count is limited to the trials that were sent.
    """
    record, settled = progress.record, progress.settled(model)
    answered = known.answered.get(record.run.id, 0) if known else 0
    return max(0, min(answered, record.cursors.get(model, 0)) - settled)


def _count_patience_from(create_time: Timestamp, health: ModelHealth) -> None:
    """Move the time of giving up back for a run that began after its model was parked."""
    late = create_time.ToNanoseconds() - health.park_time.ToNanoseconds()
    if health.state == MODEL_STATE_PARKED and late > 0 and health.HasField("give_up_time"):
        health.give_up_time.FromNanoseconds(health.give_up_time.ToNanoseconds() + late)
