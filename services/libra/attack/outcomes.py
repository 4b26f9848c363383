"""The two outcomes of a trial in the attack service, and their messages.

A rewritten trial goes to its model's queue. A trial that could not be rewritten skips the gateway and goes to the
judge's queue with a completion that failed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import structlog
from google.protobuf.message import Message as ProtoMessage

from libra.attack.attack_session import UnusableReply
from libra.attack.catalogue.attack import Attack
from libra.bus.streams import WORK_JUDGE, work_gateway
from libra.core.attack_fields import REWRITES, UNCHANGED, YES
from libra.core.attack_names import PLAIN
from libra.core.errors import Invalid
from libra.stage.batch import content_key, split
from libra.stage.bus import Outgoing
from libra.telemetry.log_actions import Action
from libra.v1.batch_pb2 import BatchHeader, CompletedTrial, CompletionBatch, Trial, TrialBatch
from libra.v1.completion_pb2 import Completion, FinishReason
from libra.v1.message_pb2 import Message

log = structlog.get_logger(__name__)

REWRITTEN_KIND, FAILED_KIND = "attacked", "attack-failed"
"""Part of each message's key. They differ from "trials", the kind that dispatch uses: the attack `none` leaves the
bytes of a batch unchanged, and with an equal key the queue would drop the output as a repeat of its input."""

MAX_AIM_BYTES = 256 * 1024
"""Size of a trial's aim. A judge model is shown a tenth of it."""

AttackOutcome = Trial | CompletedTrial
"""A trial under attack or, if the attack failed, the trial with a failed completion."""


def build_messages(header: BatchHeader, outcomes: Sequence[AttackOutcome]) -> list[Outgoing]:
    """Return the messages that carry the outcomes of a batch to the gateway and to judge."""
    rewritten = [outcome for outcome in outcomes if isinstance(outcome, Trial)]
    failed = [outcome for outcome in outcomes if isinstance(outcome, CompletedTrial)]
    gateway = work_gateway(header.model)
    return [
        *(build_message(gateway, REWRITTEN_KIND, TrialBatch(header=header, trials=part)) for part in split(rewritten)),
        *(
            build_message(WORK_JUDGE, FAILED_KIND, CompletionBatch(header=header, trials=part))
            for part in split(failed)
        ),
    ]


def build_message(subject: str, kind: str, batch: ProtoMessage) -> Outgoing:
    """Return the message that carries the batch; its key is a hash of its content."""
    data = batch.SerializeToString(deterministic=True)
    return Outgoing(subject, content_key(kind, data), data)


def rewrite_trial(
    trial: Trial, messages: Sequence[Message], fields: Mapping[str, str] | None = None, log: Sequence[Message] = ()
) -> Trial:
    """Return the trial with the new conversation, further fields, and the log of the attack."""
    rewritten = Trial(sample=trial.sample, epoch=trial.epoch, messages=messages, fields=trial.fields)
    if fields:
        rewritten.fields.update(fields)
    if log:
        rewritten.log.extend(log)
    return rewritten


def mark_trial(attack: Attack, before: Trial, after: Trial) -> Trial:
    """Return the attacked trial with its aim, and with what its success depends on."""
    if attack.name == PLAIN:
        return after
    after.aim.extend(truncate_aim(before.messages))
    if attack.rewrites_request:
        after.fields[REWRITES] = YES
    if list(before.messages) == list(after.messages):
        after.fields[UNCHANGED] = YES
    return after


def truncate_aim(messages: Sequence[Message]) -> list[Message]:
    """Return the messages; if they are larger than MAX_AIM_BYTES, only the last, without its middle."""
    if sum(len(message.content.encode()) for message in messages) <= MAX_AIM_BYTES:
        return list(messages)
    last, half = messages[-1], MAX_AIM_BYTES // 8  # a character has at most 4 bytes
    if len(last.content) > 2 * half:
        return [Message(role=last.role, content=f"{last.content[:half]}\n[...]\n{last.content[-half:]}")]
    return [last]


def fail_trial(header: BatchHeader, trial: Trial, reason: str) -> CompletedTrial:
    """Return the trial with a failed completion, from which judge makes the verdict FAILED."""
    completion = Completion(finish_reason=FinishReason.FINISH_REASON_ERROR, error=reason, model=header.model)
    return CompletedTrial(trial=trial, completion=completion)


def describe_failure(error: Exception, header: BatchHeader, trial: Trial) -> str:
    """Return why the attack on a trial failed, as a sentence for its verdict. A bug is also logged."""
    match error:
        case Invalid():
            return f"the attack {header.attack} cannot be applied to this sample: {error.field}: {error.message}"
        case UnusableReply():
            return f"the attack {header.attack} got no usable reply: {error}"
        case _:
            log.error(
                "an attack failed",
                action=Action.ATTACK_FAILED,
                run=header.run,
                task=header.task,
                attack=header.attack,
                sample=trial.sample,
                exc_info=error,
            )
            return f"the attack {header.attack} failed with {type(error).__name__}; this is a bug, see attack's log"
