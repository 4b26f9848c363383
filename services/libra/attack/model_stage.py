"""The writing stage: attacks that ask models. It reads what the attack stage passes on to it, from a queue of its own.

Trials are attacked side by side. A trial to which nothing of use was said ends as an outcome, as in the attack stage; if the
gateway cannot be reached, the batch waits. Whatever was answered is in the store by then, so that a second time nobody is asked
again. A batch of a run that has ended is dropped, also while it waits: cancelling stops the spending.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from libra.attack import apply
from libra.attack.attack_session import MAX_MODEL_CALLS, AttackSession
from libra.attack.catalogue import registry
from libra.attack.catalogue.attack import Attack
from libra.attack.gather import gather_or_cancel
from libra.attack.model_client import AttackModels, ConnectModels
from libra.attack.outcomes import AttackOutcome, build_messages, describe_failure, fail_trial, rewrite_trial
from libra.attack.proto_mapping import to_messages, to_turns
from libra.attack.seeded_random import sample_seed
from libra.attack.settings import Settings
from libra.errors import Unavailable
from libra.stage.batch import MAX_TRIALS
from libra.stage.bus import Outgoing
from libra.stage.ended_runs import EndedRuns
from libra.stage.errors import Reject
from libra.stage.policy import Policy
from libra.stage.runner import Stage
from libra.v1.batch_pb2 import BatchHeader, Trial, TrialBatch

log = structlog.get_logger(__name__)

Find = Callable[[str], Attack | None]


def policy(settings: Settings) -> Policy:
    """Return the limits that batches are handled under.

    Deadline: none that sound work can meet. A handling lasts as long as its slowest trial, and its questions wait for those of all
    that are in hand. What can hang is bounded where it happens: a question by the gateway's timeout, an attack by the number of its
    questions. So it is the time in which all of these are asked, so many at once, each at its worst: for 16 batches of 64 trials, 100
    questions and 1,200 s each, 64 at once, 22 days. It ends nothing but a bug.
    """
    questions = settings.writing_slots * MAX_TRIALS * MAX_MODEL_CALLS
    return Policy(
        slots=settings.writing_slots,
        deadline_seconds=settings.gateway_timeout_seconds * (1 + questions / settings.questions_at_once),
    )


def model_stage(
    settings: Settings, between: ConnectModels, ended: EndedRuns, find: Find = registry.find
) -> Stage[TrialBatch]:
    """Return the stage; `between` is how its attacks reach models."""

    async def handle(batch: TrialBatch) -> Sequence[Outgoing]:
        header = batch.header
        attack = find(header.attack)
        if attack is None:
            raise Reject(registry.explain_missing(header.attack))
        done = await ended.unless_ended(header, lambda: attack_batch(attack, batch, between))
        if done is None:
            return []
        return build_messages(header, done)

    return Stage(
        name="writing",
        decode=TrialBatch.FromString,
        handle=handle,
        policy=policy(settings),
        trials=lambda batch: (batch.header.model, len(batch.trials)),
    )


async def attack_batch(attack: Attack, batch: TrialBatch, between: ConnectModels) -> list[AttackOutcome]:
    """Return what becomes of each trial, in their order; raise Unavailable."""
    return await gather_or_cancel(attack_trial(attack, batch.header, trial, between) for trial in batch.trials)


async def attack_trial(attack: Attack, header: BatchHeader, trial: Trial, between: ConnectModels) -> AttackOutcome:
    """Return the trial under attack or, if that cannot be, the trial with a completion that is missing; raise Unavailable."""
    parties = AttackModels.from_batch(header, trial.epoch)
    session = AttackSession(between(parties), parties.roles(), epoch=trial.epoch)
    try:
        done = await apply.apply_attack(
            attack, to_turns(trial.messages), sample_seed(header.seed, header.task, trial.sample), session
        )
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 - a bug in one attack costs the trials it strikes, and no others
        tried = rewrite_trial(
            trial, trial.messages, apply.attack_fields(None, session), to_messages(apply.truncate_log(session))
        )
        return fail_trial(header, tried, describe_failure(error, header, trial))
    noted = apply.attack_fields(done.form, session, done.turns)
    return rewrite_trial(trial, to_messages(done.turns), noted, to_messages(apply.truncate_log(session)))
