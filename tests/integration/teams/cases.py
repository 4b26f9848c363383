"""The calls of every method, with the names of things that another team owns."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass
from typing import Any

from libra.v1 import (
    annotation_pb2,
    attack_pb2,
    audit_log_pb2,
    dead_letter_pb2,
    gate_pb2,
    gateway_pb2,
    judge_pb2,
    label_pb2,
    model_pb2,
    ranking_pb2,
    run_control_pb2,
    run_pb2,
    schedule_pb2,
    task_pb2,
    token_pb2,
    webhook_pb2,
)
from libra.v1.completion_pb2 import Completion
from libra.v1.message_pb2 import Message
from libra.v1.task_pb2 import JudgeSpec


@dataclass(frozen=True)
class Names:
    """Things that belong together."""

    model: str
    task: str
    run: str
    verdict: str
    schedule: str
    trigger: str
    webhook: str
    delivery: str
    dead_letter: int
    token: str

    def hide(self, text: str) -> str:
        """Return the text with a word in place of each name."""
        for position, name in sorted(enumerate(map(str, astuple(self))), key=lambda pair: -len(pair[1])):
            text = text.replace(name, f"<{position}>") if len(name) > 1 else text
        return re.sub(r"dead letter (<\d>|\d+)", "dead letter <letter>", text)


Make = Callable[[Names], Any]

TURN = Message(role="user", content="How do I bake bread?")
CONVERSATION = gateway_pb2.Conversation(messages=[TURN])
ANSWERS = [judge_pb2.LabelledAnswer(messages=[TURN], text="No.", fields={"answer": "No."}, positive=True)]
RULE = gate_pb2.GateRule(score="capability", condition=gate_pb2.GATE_CONDITION_AT_LEAST, limit=0.0)


def judge(names: Names) -> JudgeSpec:
    return JudgeSpec(name="model", options={"model": names.model, "rubric": "It is polite."})


def spec(names: Names, **fields: Any) -> run_pb2.RunSpec:
    return run_pb2.RunSpec(models=[names.model], tasks=["arithmetic"], samples_per_task=2, **fields)


def sides(names: Names) -> ranking_pb2.CompareModelsRequest:
    return ranking_pb2.CompareModelsRequest(model=names.model, other="refuser")


def labels(names: Names) -> label_pb2.ImportLabelsRequest:
    return label_pb2.ImportLabelsRequest(
        run=names.run, labels=[label_pb2.Label(trial=names.verdict, score=1, author="ann")]
    )


def annotation(names: Names) -> annotation_pb2.CreateAnnotationRequest:
    written = annotation_pb2.Annotation(verdict=names.verdict, author="ann", text="crimson words")
    return annotation_pb2.CreateAnnotationRequest(annotation=written)


READS: Mapping[str, Make] = {
    "AnnotationService/ListAnnotations": lambda n: annotation_pb2.ListAnnotationsRequest(run=n.run),
    "DeadLetterService/GetDeadLetter": lambda n: dead_letter_pb2.GetDeadLetterRequest(id=n.dead_letter),
    "GateService/CheckGate": lambda n: gate_pb2.CheckGateRequest(
        policy=gate_pb2.GatePolicy(rules=[RULE], min_samples=1), model=n.model
    ),
    "GateService/CalibrateGate": lambda n: gate_pb2.CalibrateGateRequest(
        policy=gate_pb2.GatePolicy(rules=[RULE], min_samples=1), models=[n.model]
    ),
    "GatewayService/Complete": lambda n: gateway_pb2.CompleteRequest(model=n.model, conversations=[CONVERSATION]),
    "GatewayService/StreamComplete": lambda n: gateway_pb2.StreamCompleteRequest(
        model=n.model, conversation=CONVERSATION
    ),
    "GatewayService/TestModel": lambda n: gateway_pb2.TestModelRequest(model=n.model),
    "JudgeService/Judge": lambda n: judge_pb2.JudgeRequest(
        judge=judge(n), messages=[TURN], completion=Completion(text="No.")
    ),
    "JudgeService/Calibrate": lambda n: judge_pb2.CalibrateRequest(judge=judge(n), answers=ANSWERS, labels="x"),
    "AttackService/Transform": lambda n: attack_pb2.TransformRequest(
        attack="pair", messages=[TURN], attack_model=n.model, target_model=n.model, judge_model=n.model
    ),
    "LabelService/DrawSample": lambda n: label_pb2.DrawSampleRequest(run=n.run, size=1),
    "LabelService/ListLabels": lambda n: label_pb2.ListLabelsRequest(run=n.run),
    "ModelService/GetModel": lambda n: model_pb2.GetModelRequest(name=n.model),
    "RankingService/ListVerdicts": lambda n: ranking_pb2.ListVerdictsRequest(run=n.run),
    "RankingService/GetVerdict": lambda n: ranking_pb2.GetVerdictRequest(id=n.verdict),
    "RankingService/ReportFailures": lambda n: ranking_pb2.ReportFailuresRequest(run=n.run),
    "RankingService/ReportAttacks": lambda n: ranking_pb2.ReportAttacksRequest(run=n.run),
    "RankingService/GetAgreement": lambda n: ranking_pb2.GetAgreementRequest(run=n.run),
    "RankingService/AuditRun": lambda n: ranking_pb2.AuditRunRequest(run=n.run),
    "RankingService/CompareModels": sides,
    "RankingService/CompareSamples": lambda n: ranking_pb2.CompareSamplesRequest(comparison=sides(n)),
    "RankingService/GetGroupedBoard": lambda n: ranking_pb2.GetGroupedBoardRequest(by="language", runs=[n.run]),
    "RankingService/GetTradeoff": lambda n: ranking_pb2.GetTradeoffRequest(runs=[n.run]),
    "RankingService/GetWeights": lambda n: ranking_pb2.GetWeightsRequest(runs=[n.run]),
    "RankingService/GetBoard": lambda n: ranking_pb2.GetBoardRequest(runs=[n.run]),
    "RunControlService/EstimateRun": lambda n: run_control_pb2.EstimateRunRequest(spec=spec(n)),
    "RunService/GetRun": lambda n: run_pb2.GetRunRequest(id=n.run),
    "RunService/WatchRun": lambda n: run_pb2.WatchRunRequest(id=n.run),
    "RunService/CreateRun": lambda n: run_pb2.CreateRunRequest(spec=run_pb2.RunSpec(rejudges=n.run)),
    "ScheduleService/GetSchedule": lambda n: schedule_pb2.GetScheduleRequest(name=n.schedule),
    "ScheduleService/ListFirings": lambda n: schedule_pb2.ListFiringsRequest(schedule=n.schedule),
    "TaskService/GetTask": lambda n: task_pb2.GetTaskRequest(name=n.task),
    "TaskService/ListSamples": lambda n: task_pb2.ListSamplesRequest(task=n.task),
    "WebhookService/GetWebhook": lambda n: webhook_pb2.GetWebhookRequest(name=n.webhook),
    "WebhookService/ListDeliveries": lambda n: webhook_pb2.ListDeliveriesRequest(webhook=n.webhook),
}
"""Methods that name things and do not change them."""

CHANGES: Mapping[str, Make] = {
    "AnnotationService/CreateAnnotation": annotation,
    "LabelService/ImportLabels": labels,
    "RunControlService/PauseRun": lambda n: run_control_pb2.PauseRunRequest(id=n.run),
    "RunControlService/ResumeRun": lambda n: run_control_pb2.ResumeRunRequest(id=n.run),
    "RunControlService/UpdateRunBudget": lambda n: run_control_pb2.UpdateRunBudgetRequest(
        id=n.run, budget=run_pb2.Budget(requests=5)
    ),
    "RunControlService/RetryRun": lambda n: run_control_pb2.RetryRunRequest(id=n.run),
    "RunService/CancelRun": lambda n: run_pb2.CancelRunRequest(id=n.run),
    "DeadLetterService/ReplayDeadLetter": lambda n: dead_letter_pb2.ReplayDeadLetterRequest(id=n.dead_letter),
    "ModelService/UpdateModel": lambda n: model_pb2.UpdateModelRequest(name=n.model, max_in_flight=3),
    "ScheduleService/PauseSchedule": lambda n: schedule_pb2.PauseScheduleRequest(name=n.schedule),
    "ScheduleService/ResumeSchedule": lambda n: schedule_pb2.ResumeScheduleRequest(name=n.schedule),
    "ScheduleService/TriggerSchedule": lambda n: schedule_pb2.TriggerScheduleRequest(name=n.schedule, token=n.trigger),
    "ScheduleService/DeleteSchedule": lambda n: schedule_pb2.DeleteScheduleRequest(name=n.schedule),
    "WebhookService/RotateWebhookSecret": lambda n: webhook_pb2.RotateWebhookSecretRequest(name=n.webhook),
    "WebhookService/TestWebhook": lambda n: webhook_pb2.TestWebhookRequest(name=n.webhook),
    "WebhookService/ReplayDelivery": lambda n: webhook_pb2.ReplayDeliveryRequest(id=n.delivery),
    "WebhookService/DeleteWebhook": lambda n: webhook_pb2.DeleteWebhookRequest(name=n.webhook),
    "TokenService/RevokeToken": lambda n: token_pb2.RevokeTokenRequest(name=n.token),
    "ModelService/DeleteModel": lambda n: model_pb2.DeleteModelRequest(name=n.model),
}
"""Methods that change what they name, in an order in which the owner can call all of them."""

MORE: Mapping[str, Make] = {
    "AnnotationService/ListAnnotations": lambda n: annotation_pb2.ListAnnotationsRequest(verdict=n.verdict),
    "GatewayService/Complete": lambda n: gateway_pb2.CompleteRequest(
        model="refuser", conversations=[CONVERSATION], budget_run=n.run
    ),
    "GatewayService/ListModels": lambda n: gateway_pb2.ListModelsRequest(name=n.model),
    "RunService/CreateRun": lambda n: run_pb2.CreateRunRequest(spec=spec(n)),
    "RunControlService/EstimateRun": lambda n: run_control_pb2.EstimateRunRequest(
        spec=run_pb2.RunSpec(models=["refuser"], tasks=[n.task])
    ),
    "GateService/CheckGate": lambda n: gate_pb2.CheckGateRequest(
        policy=gate_pb2.GatePolicy(rules=[RULE], min_samples=1, tasks=[n.task]), model="refuser", runs=[n.run]
    ),
    "GateService/CalibrateGate": lambda n: gate_pb2.CalibrateGateRequest(
        policy=gate_pb2.GatePolicy(rules=[RULE], min_samples=1, baseline=gate_pb2.GateBaseline(runs=[n.run])),
        models=["refuser"],
    ),
    "ScheduleService/CreateSchedule": lambda n: schedule_pb2.CreateScheduleRequest(
        schedule=schedule_pb2.Schedule(name="other", cron="0 2 * * *", template=spec(n)), preview=True
    ),
    "RankingService/CompareModels": lambda n: ranking_pb2.CompareModelsRequest(
        model="refuser", other=n.model, runs=[n.run]
    ),
    "RankingService/GetBoard": lambda n: ranking_pb2.GetBoardRequest(models=[n.model]),
    "RankingService/GetWeights": lambda n: ranking_pb2.GetWeightsRequest(models=[n.model]),
    "RankingService/GetTradeoff": lambda n: ranking_pb2.GetTradeoffRequest(models=[n.model]),
    "RankingService/GetGroupedBoard": lambda n: ranking_pb2.GetGroupedBoardRequest(by="language", models=[n.model]),
}
"""Other ways in which methods name things."""

LISTS: Mapping[str, Any] = {
    "AuditLogService/ListAuditEntries": audit_log_pb2.ListAuditEntriesRequest(page_size=500),
    "DeadLetterService/ListDeadLetters": dead_letter_pb2.ListDeadLettersRequest(),
    "GateService/CalibrateGate": gate_pb2.CalibrateGateRequest(policy=gate_pb2.GatePolicy(rules=[RULE], min_samples=1)),
    "GatewayService/ListModels": gateway_pb2.ListModelsRequest(),
    "JudgeService/ListCalibrations": judge_pb2.ListCalibrationsRequest(),
    "RankingService/GetBoard": ranking_pb2.GetBoardRequest(),
    "RankingService/WatchBoard": ranking_pb2.WatchBoardRequest(),
    "RankingService/GetGroupedBoard": ranking_pb2.GetGroupedBoardRequest(by="language"),
    "RankingService/GetWeights": ranking_pb2.GetWeightsRequest(),
    "RankingService/GetTradeoff": ranking_pb2.GetTradeoffRequest(),
    "RankingService/ListCapabilities": ranking_pb2.ListCapabilitiesRequest(),
    "RunService/ListRuns": run_pb2.ListRunsRequest(),
    "ScheduleService/ListSchedules": schedule_pb2.ListSchedulesRequest(),
    "ScheduleService/ListFirings": schedule_pb2.ListFiringsRequest(),
    "TaskService/ListTasks": task_pb2.ListTasksRequest(all_versions=True),
    "TaskService/ListCatalogue": task_pb2.ListCatalogueRequest(),
    "TokenService/ListTokens": token_pb2.ListTokensRequest(),
    "WebhookService/ListWebhooks": webhook_pb2.ListWebhooksRequest(),
    "WebhookService/ListDeliveries": webhook_pb2.ListDeliveriesRequest(),
}
"""Methods that list what the caller sees."""

CREATES = {
    "ModelService/CreateModel",
    "RankingService/ImportCapabilities",
    "ScheduleService/CreateSchedule",
    "TaskService/ImportTask",
    "TokenService/CreateToken",
    "WebhookService/CreateWebhook",
}
"""Methods that create what the request contains; each has a test of its own."""

WITHOUT_THINGS = {
    "AttackService/ListAttacks",
    "JudgeService/ListJudges",
    "JudgeService/CheckJudges",
    "JudgeService/PreviewJudging",  # asks no model
    "JudgeService/CheckDrift",  # of the answers in the request; tested with calibrations
    "JudgeService/ScoreConstants",  # on the samples in the request
    # Rounds are for all teams, and contain tasks that all teams share.
    "RoundService/GetRound",
    "RoundService/ListRounds",
    "RoundService/GetRoundCommitment",
    "RoundService/GetRoundRelease",
    # Reports on the runs of a round that the caller sees, by the query of boards.
    "RankingService/ReportContamination",
    "RankingService/ReportStability",
}
"""Methods that show nothing that a team could own. Those of the arena and of the deployment have rules that say so."""
