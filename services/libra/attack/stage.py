"""The attack stage: rewrite the trials of a batch and pass them on to their model.

A trial that cannot be rewritten ends as an outcome: it goes past the gateway, to the judges, with a completion that is
missing (FINISH_REASON_ERROR), from which they make the verdict FAILED as they do when a provider gives no answer. Its
neighbours go on. Transformations are pure, so that a second try would fail in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog
from google.protobuf.message import Message

from libra.attack.catalogue import registry
from libra.attack.catalogue.attack import Attack
from libra.attack.draw import sample_seed
from libra.attack.settings import Settings
from libra.attack.translating import to_messages, to_turns
from libra.bus.streams import WORK_JUDGE, work_gateway
from libra.errors import Invalid
from libra.stage.batch import content_key, split
from libra.stage.bus import Outgoing
from libra.stage.failure import Reject
from libra.stage.policy import Policy
from libra.stage.runner import Stage
from libra.telemetry.actions import Action
from libra.v1.batch_pb2 import BatchHeader, CompletedTrial, CompletionBatch, Trial, TrialBatch
from libra.v1.completion_pb2 import Completion, FinishReason

log = structlog.get_logger(__name__)

Find = Callable[[str], Attack | None]

REWRITTEN, FAILED = "attacked", "attack-failed"
"""The kinds of what goes out, a part of each message's key. Not "trials", which dispatch uses: a batch under the attack
`none` keeps its bytes, and the queue would drop it as a repeat of the one that was read."""


def stage(settings: Settings, find: Find = registry.find) -> Stage[TrialBatch]:
    """Return the stage, over the whole catalogue unless another way to `find` attacks is given."""

    async def handle(batch: TrialBatch) -> Sequence[Outgoing]:
        return outputs(batch, find)

    return Stage(
        name="attack",
        decode=TrialBatch.FromString,
        handle=handle,
        policy=Policy(slots=settings.slots),
        trials=lambda batch: (batch.header.model, len(batch.trials)),
    )


def outputs(batch: TrialBatch, find: Find) -> list[Outgoing]:
    """Return what becomes of a batch; raise Reject if its attack is not in the catalogue."""
    header = batch.header
    attack = find(header.attack)
    if attack is None:
        raise Reject(registry.missing(header.attack))
    rewritten: list[Trial] = []
    failed: list[CompletedTrial] = []
    for trial in batch.trials:
        done = put(attack, header, trial)
        if isinstance(done, Trial):
            rewritten.append(done)
        else:
            failed.append(done)
    gateway = work_gateway(header.model)
    onward = [outgoing(gateway, REWRITTEN, TrialBatch(header=header, trials=part)) for part in split(rewritten)]
    past = [outgoing(WORK_JUDGE, FAILED, CompletionBatch(header=header, trials=part)) for part in split(failed)]
    return onward + past


def put(attack: Attack, header: BatchHeader, trial: Trial) -> Trial | CompletedTrial:
    """Return the trial under attack or, if that cannot be, the trial with a completion that is missing."""
    try:
        turns = attack.apply(to_turns(trial.messages), sample_seed(header.seed, header.task, trial.sample))
    except Invalid as error:
        reason = f"the attack {attack.name} cannot be put to this sample: {error.field}: {error.message}"
    except Exception as error:  # a bug in one attack costs the trials it strikes, and no others
        log.exception(
            "an attack failed",
            action=Action.ATTACK_FAILED,
            run=header.run,
            task=header.task,
            attack=attack.name,
            sample=trial.sample,
        )
        reason = (
            f"the attack {attack.name} failed with {type(error).__name__}: a bug in it; the log of attack tells more"
        )
    else:
        messages = to_messages(turns)
        return Trial(sample=trial.sample, epoch=trial.epoch, messages=messages, fields=trial.fields)
    missing = Completion(finish_reason=FinishReason.FINISH_REASON_ERROR, error=reason, model=header.model)
    return CompletedTrial(trial=trial, completion=missing)


def outgoing(subject: str, kind: str, batch: Message) -> Outgoing:
    """Return the message that carries the batch, keyed by its content."""
    data = batch.SerializeToString(deterministic=True)
    return Outgoing(subject, content_key(kind, data), data)
