"""The judge stage: turn the answers of a batch into verdicts and pass them on to the ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import structlog

from libra.bus.streams import WORK_RANKING
from libra.contracts.outcomes import outcome_name
from libra.errors import Invalid
from libra.judge.judge_type import Ask
from libra.judge.registry import KINDS
from libra.judge.scoring import verdicts
from libra.judge.settings import Settings
from libra.stage.batch import content_key, split
from libra.stage.bus import Outgoing
from libra.stage.ended_runs import EndedRuns
from libra.stage.errors import Reject
from libra.stage.policy import Policy
from libra.stage.runner import Stage
from libra.telemetry.metrics import Metrics
from libra.v1.batch_pb2 import BatchHeader, CompletionBatch, VerdictBatch
from libra.v1.verdict_pb2 import Verdict

log = structlog.get_logger(__name__)

JUDGED = "judged"
"""The kind of what goes out, a part of each message's key."""

ASKED_AT_MOST = 2
"""Requests to a judge model, one after the other, in the handling of one batch."""

MARGIN_SECONDS = 60.0

LONGEST_GROUP_CHARACTERS = 200
"""A verdict carries the sample's fields, and there are millions of verdicts."""


def stage(settings: Settings, ask: Ask, metrics: Metrics, ended: EndedRuns) -> Stage[CompletionBatch]:
    """Return the stage; `ask` is how its judges reach a judge model, which they do not for runs that have `ended`."""

    async def handle(batch: CompletionBatch) -> Sequence[Outgoing]:
        if spends(batch):
            judged = await ended.unless_ended(batch.header, lambda: judge(batch, ask))
        else:
            judged = await judge(batch, ask)
        if judged is None:
            return []
        count(batch.header, judged, metrics)
        return [outgoing(VerdictBatch(header=batch.header, verdicts=part)) for part in split(judged)]

    deadline_seconds = ASKED_AT_MOST * settings.gateway_timeout_seconds + MARGIN_SECONDS
    return Stage(
        name="judge",
        decode=CompletionBatch.FromString,
        handle=handle,
        policy=Policy(slots=settings.slots, deadline_seconds=deadline_seconds),
        trials=lambda batch: (batch.header.model, len(batch.trials)),
    )


def spends(batch: CompletionBatch) -> bool:
    """Tell whether the batch's judge may ask a model. A rule costs nothing, and its verdicts are welcome whatever comes."""
    kind = KINDS.get(batch.header.judge.name)
    return kind is not None and kind.asks_model


async def judge(batch: CompletionBatch, ask: Ask) -> list[Verdict]:
    """Return the verdicts on a batch, in the order of its trials; raise Reject if its judge is unknown.

    An unknown judge is one that a newer replica may know; every other trouble ends in a verdict.
    """
    try:
        judged = await verdicts(batch.header.judge, batch.trials, ask)
    except Invalid as error:
        raise Reject(error.message) from error
    for verdict, completed in zip(judged, batch.trials, strict=True):
        verdict.sample, verdict.epoch = completed.trial.sample, completed.trial.epoch
        verdict.fields.update(subgroups(completed.trial.fields, besides=verdict.fields))
        verdict.log.extend(completed.trial.log)
    return judged


def subgroups(fields: Mapping[str, str], besides: Collection[str] = ()) -> dict[str, str]:
    """Return the fields of a sample by which verdicts can be grouped, besides those that its judge has set.

    A longer text is no name of a group.
    """
    return {
        name: value for name, value in fields.items() if len(value) <= LONGEST_GROUP_CHARACTERS and name not in besides
    }


def count(header: BatchHeader, judged: Sequence[Verdict], metrics: Metrics) -> None:
    """Add the outcomes to the metrics."""
    outcomes = Counter(outcome_name(verdict.outcome) for verdict in judged)
    for outcome, number in outcomes.items():
        metrics.verdicts_judged.labels(judge=header.judge.name, outcome=outcome).inc(number)


def outgoing(batch: VerdictBatch) -> Outgoing:
    """Return the message that carries the batch, keyed by its content."""
    data = batch.SerializeToString(deterministic=True)
    return Outgoing(WORK_RANKING, content_key(JUDGED, data), data)
