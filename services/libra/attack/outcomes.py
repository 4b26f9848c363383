"""How a trial leaves the attack service: rewritten, on to its model, or past it to the judges, as an answer that is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import structlog
from google.protobuf.message import Message

from libra.attack.attack_session import UnusableReply
from libra.bus.streams import WORK_JUDGE, work_gateway
from libra.errors import Invalid
from libra.stage.batch import content_key, split
from libra.stage.bus import Outgoing
from libra.telemetry.log_actions import Action
from libra.v1.batch_pb2 import BatchHeader, CompletedTrial, CompletionBatch, Trial, TrialBatch
from libra.v1.completion_pb2 import Completion, FinishReason
from libra.v1.message_pb2 import Message as Turn

log = structlog.get_logger(__name__)

REWRITTEN_KIND, FAILED_KIND = "attacked", "attack-failed"
"""The kinds of what goes out, a part of each message's key. Not "trials", which dispatch uses: a batch under the attack
`none` keeps its bytes, and the queue would drop it as a repeat of the one that was read."""

AttackOutcome = Trial | CompletedTrial
"""A trial under attack or, if that cannot be, the trial with a completion that is missing."""


def build_messages(header: BatchHeader, done: Sequence[AttackOutcome]) -> list[Outgoing]:
    """Return the messages that carry the trials of a batch on."""
    rewritten: list[Trial] = []
    fail_trial: list[CompletedTrial] = []
    for one in done:
        if isinstance(one, Trial):
            rewritten.append(one)
        else:
            fail_trial.append(one)
    gateway = work_gateway(header.model)
    through = [
        build_message(gateway, REWRITTEN_KIND, TrialBatch(header=header, trials=part)) for part in split(rewritten)
    ]
    past = [
        build_message(WORK_JUDGE, FAILED_KIND, CompletionBatch(header=header, trials=part))
        for part in split(fail_trial)
    ]
    return through + past


def build_message(subject: str, kind: str, batch: Message) -> Outgoing:
    """Return the message that carries the batch, keyed by its content."""
    data = batch.SerializeToString(deterministic=True)
    return Outgoing(subject, content_key(kind, data), data)


def rewrite_trial(
    trial: Trial, messages: Sequence[Turn], noted: Mapping[str, str] | None = None, said: Sequence[Turn] = ()
) -> Trial:
    """Return the trial with the conversation it comes to, what was `noted` added to its fields, and what was `said` as its log."""
    done = Trial(sample=trial.sample, epoch=trial.epoch, messages=messages, fields=trial.fields)
    if noted:
        done.fields.update(noted)
    if said:
        done.log.extend(said)
    return done


def fail_trial(header: BatchHeader, trial: Trial, reason: str) -> CompletedTrial:
    """Return the trial without an answer, and why."""
    missing = Completion(finish_reason=FinishReason.FINISH_REASON_ERROR, error=reason, model=header.model)
    return CompletedTrial(trial=trial, completion=missing)


def describe_failure(error: Exception, header: BatchHeader, trial: Trial) -> str:
    """Return the reason in words why an attack could not be put to a trial. A bug is logged; it costs no other trial."""
    match error:
        case Invalid():
            return f"the attack {header.attack} cannot be put to this sample: {error.field}: {error.message}"
        case UnusableReply():
            return f"the attack {header.attack} came to nothing: {error}"
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
            return f"the attack {header.attack} failed with {type(error).__name__}: a bug in it; the log of attack tells more"
