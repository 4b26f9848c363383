"""The judge stage: turn a batch of answers into verdicts and pass them on to ranking."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from libra.bus.streams import WORK_RANKING
from libra.core.attack_fields import REWRITES, YES
from libra.core.errors import Invalid
from libra.core.gold_labels import GOLD_LABEL_FIELD
from libra.core.outcome_names import OUTCOMES, outcome_name
from libra.core.response_names import ANSWERED, RESPONSE_FIELD, VERDICT_FIELDS
from libra.judge.judge_models.usage_meter import UsageMeter
from libra.judge.judge_type import JudgeModelClient, with_budget_of
from libra.judge.judges.model import MAX_ATTEMPTS
from libra.judge.registry import JUDGES
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

MESSAGE_KIND = "judged"
"""Part of the deduplication key of each message that the stage sends."""

MARGIN_SECONDS = 60.0

MAX_GROUP_CHARACTERS = 200
"""A verdict carries the sample's fields, and there are millions of verdicts."""


def stage(
    settings: Settings, model_client: JudgeModelClient, metrics: Metrics, ended_runs: EndedRuns
) -> Stage[CompletionBatch]:
    """Return the judge stage. Batches of ended runs are dropped if their judge would ask a model."""

    async def handle(batch: CompletionBatch) -> Sequence[Outgoing]:
        asks_model = may_ask_model(batch)
        client = with_budget_of(model_client, batch.header.run) if batch.header.has_budget else model_client
        meter = UsageMeter(client)
        if asks_model:
            judged = await ended_runs.unless_ended(batch.header, lambda: judge_batch(batch, meter))
        else:
            judged = await judge_batch(batch, model_client)
        if judged is None:
            return []
        count_outcomes(batch.header, judged, metrics)
        batches = [VerdictBatch(header=batch.header, verdicts=part) for part in split(judged)]
        if asks_model and batches:
            batches[0].judge_usage.extend(meter.usage)
            batches[0].judged_trials = len(judged)
        return [outgoing_message(each) for each in batches]

    deadline_seconds = MAX_ATTEMPTS * settings.gateway_timeout_seconds + MARGIN_SECONDS
    return Stage(
        name="judge",
        decode=CompletionBatch.FromString,
        handle=handle,
        policy=Policy(slots=settings.slots, deadline_seconds=deadline_seconds),
        trials=lambda batch: (batch.header.model, len(batch.trials)),
    )


def may_ask_model(batch: CompletionBatch) -> bool:
    """Tell whether the batch's judge may ask a model. Rules cost nothing, so they judge ended runs as well."""
    judge_type = JUDGES.get(batch.header.judge.name)
    asks_by_aim = bool(batch.header.attack_judge_model) and any(
        completed.trial.fields.get(REWRITES) == YES for completed in batch.trials
    )
    return judge_type is not None and (judge_type.asks_model or asks_by_aim)


async def judge_batch(batch: CompletionBatch, model_client: JudgeModelClient) -> list[Verdict]:
    """Return the verdicts on a batch, in the order of its trials; raise Reject if there is no judge of that name.

    A newer replica may have that judge. All other errors end in a verdict.
    """
    try:
        judged = await verdicts(
            batch.header.judge, batch.trials, model_client, batch.header.category, batch.header.attack_judge_model
        )
    except Invalid as error:
        raise Reject(error.message) from error
    label_field = batch.header.balanced_by
    for verdict, completed in zip(judged, batch.trials, strict=True):
        trial, fields = completed.trial, verdict.fields
        verdict.sample, verdict.epoch = trial.sample, trial.epoch
        for name, value in grouping_fields(trial.fields, exclude=fields).items():
            fields[name] = value  # the method `update` of a map takes four times as long
        if label_field and (label := trial.fields.get(label_field)):
            fields[GOLD_LABEL_FIELD] = label
        if log := trial.log:
            verdict.log.extend(log)
    return judged


def grouping_fields(fields: Mapping[str, str], exclude: Collection[str] = ()) -> dict[str, str]:
    """Return the fields of a sample by which verdicts can be grouped, except those that the judge has set.

    A long text is not the name of a group, and a sample cannot say what came back from the model.
    """
    return {
        name: value
        for name in fields  # `items` of a protobuf map takes twice as long
        if len(value := fields[name]) <= MAX_GROUP_CHARACTERS and name not in VERDICT_FIELDS and name not in exclude
    }


def count_outcomes(header: BatchHeader, judged: Sequence[Verdict], metrics: Metrics) -> None:
    """Add the outcomes to the metrics."""
    outcomes = Counter(
        (outcome_name(verdict.outcome), verdict.fields.get(RESPONSE_FIELD, ANSWERED)) for verdict in judged
    )
    outcomes.update({(outcome, ANSWERED): 0 for outcome in OUTCOMES})  # an increase from nothing is not a rate
    for (outcome, response), number in outcomes.items():
        metrics.verdicts_judged.labels(judge=header.judge.name, outcome=outcome, response=response).inc(number)


def outgoing_message(batch: VerdictBatch) -> Outgoing:
    """Return the message that carries the batch, keyed by its content."""
    data = batch.SerializeToString(deterministic=True)
    return Outgoing(WORK_RANKING, content_key(MESSAGE_KIND, data), data)
