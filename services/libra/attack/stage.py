"""The attack stage: rewrite the trials of a batch and send them to their model's queue.

A trial that cannot be rewritten skips the gateway: it goes to the judge's queue with a failed completion
(FINISH_REASON_ERROR). Judge makes the verdict FAILED from it, as it does when a provider gives no answer. The other
trials of the batch continue. A retry would fail in the same way, because transformations are pure.

A batch whose attack asks a model is forwarded unchanged to the model stage, where its waiting delays no other batch.
"""

from __future__ import annotations

from collections.abc import Sequence

from libra.attack.apply import AttackForm, attack_fields, will_ask_model
from libra.attack.catalogue import registry
from libra.attack.catalogue.attack import Attack, ModelUse
from libra.attack.outcomes import (
    AttackOutcome,
    build_message,
    build_messages,
    describe_failure,
    fail_trial,
    mark_trial,
    rewrite_trial,
)
from libra.attack.proto_mapping import to_messages, to_turns
from libra.attack.seeded_random import trial_seed
from libra.attack.settings import Settings
from libra.bus.streams import WORK_WRITING
from libra.stage.batch import MAX_TRIALS
from libra.stage.bus import Outgoing
from libra.stage.errors import Reject
from libra.stage.policy import Policy
from libra.stage.runner import Stage
from libra.v1.batch_pb2 import BatchHeader, Trial, TrialBatch

FORWARDED_KIND = "to-write"
"""The kind, in a message's key, of batches for the model stage."""

MULTI_TURN_TRIALS_PER_MESSAGE = 8
"""Trials of a multi-turn attack in one message. A batch is passed on when its last trial is done; with about 50
questions per trial, a batch of full size would bring no verdict for an hour."""


def stage(settings: Settings, find: registry.FindAttack = registry.find) -> Stage[TrialBatch]:
    """Return the stage; `find` looks attacks up, by default in the whole catalogue."""

    async def handle(batch: TrialBatch) -> Sequence[Outgoing]:
        return attack_batch(batch, find)

    return Stage(
        name="attack",
        decode=TrialBatch.FromString,
        handle=handle,
        policy=Policy(slots=settings.slots),
        trials=lambda batch: (batch.header.model, len(batch.trials)),
    )


def attack_batch(batch: TrialBatch, find: registry.FindAttack) -> list[Outgoing]:
    """Return the messages that follow from a batch; raise Reject if its attack is not in the catalogue."""
    header = batch.header
    attack = find_or_reject(header.attack, find)
    if will_ask_model(attack, header.attack_model):
        return forward_to_model_stage(attack, batch)
    return build_messages(header, [attack_trial(attack, header, trial) for trial in batch.trials])


def find_or_reject(name: str, find: registry.FindAttack) -> Attack:
    """Return the attack; raise Reject, which dead-letters the batch, if it is not in the catalogue."""
    attack = find(name)
    if attack is None:
        raise Reject(registry.explain_missing(name))
    return attack


def forward_to_model_stage(attack: Attack, batch: TrialBatch) -> list[Outgoing]:
    """Return the messages that carry a batch to the model stage: one, or several if each trial needs many questions."""
    size = MULTI_TURN_TRIALS_PER_MESSAGE if attack.multi_turn else MAX_TRIALS
    parts = [batch.trials[start : start + size] for start in range(0, len(batch.trials), size)]
    return [build_message(WORK_WRITING, FORWARDED_KIND, TrialBatch(header=batch.header, trials=part)) for part in parts]


def attack_trial(attack: Attack, header: BatchHeader, trial: Trial) -> AttackOutcome:
    """Return the trial rewritten by the attack's rules or, if the attack fails, the trial with a failed completion."""
    try:
        turns = attack.apply(to_turns(trial.messages), trial_seed(header.seed, header.task, trial.sample, trial.epoch))
    except Exception as error:  # noqa: BLE001 - a bug in one attack fails only the trials that it hits
        return fail_trial(header, trial, describe_failure(error, header, trial))
    can_ask_model = attack.model_use is not ModelUse.NEVER
    fields = attack_fields(AttackForm.RULES) if can_ask_model else {}
    return mark_trial(attack, trial, rewrite_trial(trial, to_messages(turns), fields))
