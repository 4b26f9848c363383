"""The model stage: apply attacks that ask models to the batches that the attack stage forwards to its own queue.

The trials of a batch are attacked concurrently. A trial without a usable reply becomes a failed completion, as in the
attack stage. If the gateway cannot be reached, the batch waits; all answers received so far are in the store, so the
retry does not ask for them again. A batch of a run that has ended is dropped, also while it waits: cancelling a run
stops its spending.
"""

from __future__ import annotations

from collections.abc import Sequence

from libra.attack.apply import apply_attack, attack_fields, truncate_log
from libra.attack.attack_session import MAX_PUBLISHED_CALLS, AttackSession
from libra.attack.catalogue import registry
from libra.attack.catalogue.attack import Attack
from libra.attack.gather import gather_or_cancel
from libra.attack.model_client import AttackModels, ConnectModels
from libra.attack.outcomes import AttackOutcome, build_messages, describe_failure, fail_trial, mark_trial, rewrite_trial
from libra.attack.proto_mapping import to_messages, to_turns
from libra.attack.seeded_random import trial_seed
from libra.attack.settings import Settings
from libra.attack.stage import find_or_reject
from libra.core.errors import Unavailable
from libra.stage.batch import MAX_TRIALS
from libra.stage.bus import Outgoing
from libra.stage.ended_runs import EndedRuns
from libra.stage.policy import Policy
from libra.stage.runner import Stage
from libra.v1.batch_pb2 import BatchHeader, Trial, TrialBatch


def policy(settings: Settings) -> Policy:
    """Return the stage's limits.

    Only a bug can reach the deadline. A batch takes as long as its slowest trial, whose questions wait for those of all
    batches that are being processed. Every part has its own bound: the gateway's timeout for a question,
    MAX_PUBLISHED_CALLS for an attack. The deadline is therefore the time in which all possible questions run into their
    timeout: 16 batches of 64 trials with 2,500 questions of 1,200 s each, 64 at a time, take 18 months.
    """
    questions = settings.writing_slots * MAX_TRIALS * MAX_PUBLISHED_CALLS
    return Policy(
        slots=settings.writing_slots,
        deadline_seconds=settings.gateway_timeout_seconds * (1 + questions / settings.questions_at_once),
    )


def model_stage(
    settings: Settings, connect: ConnectModels, ended_runs: EndedRuns, find: registry.FindAttack = registry.find
) -> Stage[TrialBatch]:
    """Return the stage; its attacks reach models through `connect`."""

    async def handle(batch: TrialBatch) -> Sequence[Outgoing]:
        attack = find_or_reject(batch.header.attack, find)
        outcomes = await ended_runs.unless_ended(batch.header, lambda: attack_batch(attack, batch, connect))
        return [] if outcomes is None else build_messages(batch.header, outcomes)

    return Stage(
        name="writing",
        decode=TrialBatch.FromString,
        handle=handle,
        policy=policy(settings),
        trials=lambda batch: (batch.header.model, len(batch.trials)),
    )


async def attack_batch(attack: Attack, batch: TrialBatch, connect: ConnectModels) -> list[AttackOutcome]:
    """Return the outcome of each trial in the order of the batch; raise Unavailable."""
    return await gather_or_cancel(attack_trial(attack, batch.header, trial, connect) for trial in batch.trials)


async def attack_trial(attack: Attack, header: BatchHeader, trial: Trial, connect: ConnectModels) -> AttackOutcome:
    """Return the trial under attack or, if the attack fails, the trial with a failed completion; raise Unavailable."""
    models = AttackModels.from_batch(header, trial.epoch)
    session = AttackSession(connect(models), models.roles(), epoch=trial.epoch)
    seed = trial_seed(header.seed, header.task, trial.sample, trial.epoch)
    try:
        attacked = await apply_attack(attack, to_turns(trial.messages), seed, session)
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 - a bug in one attack fails only the trials that it hits
        log = to_messages(truncate_log(session))
        unchanged = rewrite_trial(trial, trial.messages, attack_fields(None, session), log)
        return fail_trial(header, unchanged, describe_failure(error, header, trial))
    fields = attack_fields(attacked.form, session, attacked.turns)
    rewritten = rewrite_trial(trial, to_messages(attacked.turns), fields, to_messages(truncate_log(session)))
    return mark_trial(attack, trial, rewritten)
