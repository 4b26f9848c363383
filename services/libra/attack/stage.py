"""The attack stage: rewrite the trials of a batch and pass them on to their model.

A trial that cannot be rewritten ends as an outcome: it goes past the gateway, to the judges, with a completion that is
missing (FINISH_REASON_ERROR), from which they make the verdict FAILED as they do when a provider gives no answer. Its
neighbours go on. Transformations are pure, so that a second try would fail in the same way.

A batch whose attack asks a model goes on to the writing stage as it is, where what it waits for holds up no other batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from libra.attack.apply import AttackForm, attack_fields, will_ask_model
from libra.attack.catalogue import registry
from libra.attack.catalogue.attack import Attack, ModelUse
from libra.attack.outcomes import (
    AttackOutcome,
    build_message,
    build_messages,
    describe_failure,
    fail_trial,
    rewrite_trial,
)
from libra.attack.proto_mapping import to_messages, to_turns
from libra.attack.seeded_random import sample_seed
from libra.attack.settings import Settings
from libra.bus.streams import WORK_WRITING
from libra.stage.batch import MAX_TRIALS
from libra.stage.bus import Outgoing
from libra.stage.errors import Reject
from libra.stage.policy import Policy
from libra.stage.runner import Stage
from libra.v1.batch_pb2 import BatchHeader, Trial, TrialBatch

Find = Callable[[str], Attack | None]

FORWARDED_KIND = "to-write"
"""The kind of what goes on to the writing stage."""

MULTI_TURN_TRIALS_PER_MESSAGE = 8
"""Of an attack of several turns, in one message: a batch is passed on when its last trial is done, and with some 50 questions a
trial a whole one would bring no verdict for an hour."""


def stage(settings: Settings, find: Find = registry.find) -> Stage[TrialBatch]:
    """Return the stage, over the whole catalogue unless another way to `find` attacks is given."""

    async def handle(batch: TrialBatch) -> Sequence[Outgoing]:
        return attack_batch(batch, find)

    return Stage(
        name="attack",
        decode=TrialBatch.FromString,
        handle=handle,
        policy=Policy(slots=settings.slots),
        trials=lambda batch: (batch.header.model, len(batch.trials)),
    )


def attack_batch(batch: TrialBatch, find: Find) -> list[Outgoing]:
    """Return what becomes of a batch; raise Reject if its attack is not in the catalogue."""
    header = batch.header
    attack = find(header.attack)
    if attack is None:
        raise Reject(registry.explain_missing(header.attack))
    if will_ask_model(attack, header.attack_model):
        return forward_to_model_stage(attack, batch)
    return build_messages(header, [attack_trial(attack, header, trial) for trial in batch.trials])


def forward_to_model_stage(attack: Attack, batch: TrialBatch) -> list[Outgoing]:
    """Return the messages that carry a batch to the writing stage: whole, or in parts if it takes many questions a trial."""
    size = MULTI_TURN_TRIALS_PER_MESSAGE if attack.multi_turn else MAX_TRIALS
    parts = [batch.trials[at : at + size] for at in range(0, len(batch.trials), size)]
    return [build_message(WORK_WRITING, FORWARDED_KIND, TrialBatch(header=batch.header, trials=part)) for part in parts]


def attack_trial(attack: Attack, header: BatchHeader, trial: Trial) -> AttackOutcome:
    """Return the trial under attack, by its rules, or, if that cannot be, the trial with a completion that is missing."""
    try:
        turns = attack.apply(to_turns(trial.messages), sample_seed(header.seed, header.task, trial.sample))
    except Exception as error:  # noqa: BLE001 - a bug in one attack costs the trials it strikes, and no others
        return fail_trial(header, trial, describe_failure(error, header, trial))
    by_rules = attack.model_use is not ModelUse.NEVER
    return rewrite_trial(trial, to_messages(turns), attack_fields(AttackForm.RULES) if by_rules else None)
