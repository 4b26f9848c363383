"""The roles that may call each method. A method that is not in the table is refused to everyone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from libra.rpc.access.caller import Role

PACKAGE = "libra.v1."

READ: Final = frozenset(Role) - {Role.NONE}
RUN: Final = frozenset({Role.RUNNER, Role.ADMIN})
ASK: Final = RUN | {Role.SERVICE}
AUDIT: Final = frozenset({Role.AUDITOR, Role.ADMIN})
ADMIN: Final = frozenset({Role.ADMIN})


@dataclass(frozen=True, slots=True)
class Rule:
    """The roles that may call a method, and whether its calls are in the audit log."""

    roles: frozenset[Role]
    is_audited: bool
    """True for a method that changes something or spends money."""

    resource: str = ""
    """The path of the field that names what is changed: in the request, or in the reply if it begins with "reply."."""

    is_for_teams: bool = True
    """False for a method about the whole deployment: callers of a team are refused."""

    is_about_shared: bool = False
    """True for a method that shows and uses only what all teams share, whoever calls; any other shows and changes what
    `libra.core.access.team_scope` allows the caller's team."""


def read_only(service: str, *methods: str, roles: frozenset[Role] = READ) -> Iterator[tuple[str, Rule]]:
    """Yield the rules of methods whose calls are not in the audit log."""
    for method in methods:
        yield f"{PACKAGE}{service}/{method}", Rule(roles, is_audited=False)


def of_deployment(rules: Iterable[tuple[str, Rule]]) -> Iterator[tuple[str, Rule]]:
    """Yield the rules, for callers without a team only."""
    for method, rule in rules:
        yield method, replace(rule, is_for_teams=False)


def about_shared(rules: Iterable[tuple[str, Rule]]) -> Iterator[tuple[str, Rule]]:
    """Yield the rules, limited to what all teams share."""
    for method, rule in rules:
        yield method, replace(rule, is_about_shared=True)


def audited(service: str, roles: frozenset[Role], **resources: str) -> Iterator[tuple[str, Rule]]:
    """Yield the rules of methods that change something or spend money, with the field that names it."""
    for method, resource in resources.items():
        yield f"{PACKAGE}{service}/{method}", Rule(roles, is_audited=True, resource=resource)


ARENA: Final = (
    *read_only(
        "ArenaService",
        "GetRules",
        "SuggestPrompts",
        "GetBattle",
        "GetRatings",
        "ListEntries",
        "ListVotes",
        "ListQuarantine",
        "ExportBattles",
        "AuditArena",
        "ListProposals",
    ),
    # Battles and votes are records themselves, which AuditArena checks; there may be many in a second.
    *read_only(
        "ArenaService",
        "StartBattle",
        "AddTurn",
        "StreamTurn",
        "Vote",
        "RevealBattle",
        "ProposePrompt",
        roles=ASK,
    ),
    *of_deployment(
        audited("ArenaService", ADMIN, EnterModel="entry.model", LeaveModel="model", LiftQuarantine="voter")
    ),
)
"""The arena is one for all teams."""

RULES: Final = MappingProxyType(
    dict(
        [
            *read_only("AnnotationService", "ListAnnotations"),
            *audited("AnnotationService", RUN, CreateAnnotation="annotation.verdict"),
            *about_shared(ARENA),
            *read_only("AttackService", "ListAttacks"),
            *audited("AttackService", ASK, Transform="attack"),
            *read_only("AuditLogService", "ListAuditEntries", roles=AUDIT),
            *read_only("DeadLetterService", "ListDeadLetters", "GetDeadLetter"),
            *audited("DeadLetterService", RUN, ReplayDeadLetter="id"),
            *read_only("GateService", "CalibrateGate"),
            *audited("GateService", RUN, CheckGate="model"),
            *read_only("GatewayService", "ListModels"),
            *audited("GatewayService", ASK, Complete="model", StreamComplete="model"),
            *audited("GatewayService", RUN, TestModel="model"),
            *read_only(
                "JudgeService", "ListJudges", "CheckJudges", "PreviewJudging", "ListCalibrations", "ScoreConstants"
            ),
            *audited("JudgeService", RUN, Judge="judge", Calibrate="judge", CheckDrift="judge"),
            *read_only("LabelService", "DrawSample", "ListLabels"),
            *audited("LabelService", RUN, ImportLabels="run"),
            *read_only("ModelService", "GetModel"),
            *audited("ModelService", ADMIN, CreateModel="model.name", UpdateModel="name", DeleteModel="name"),
            *read_only(
                "RankingService",
                "GetBoard",
                "WatchBoard",
                "ListVerdicts",
                "GetVerdict",
                "ReportFailures",
                "CompareSamples",
                "GetGroupedBoard",
                "CompareModels",
                "GetWeights",
                "ReportAttacks",
                "GetAgreement",
                "ListCapabilities",
                "AuditRun",
                "GetTradeoff",
                "ReportContamination",
                "ReportStability",
            ),
            *audited("RankingService", RUN, ImportCapabilities=""),
            *read_only("RoundService", "GetRound", "ListRounds", "GetRoundCommitment", "GetRoundRelease"),
            *of_deployment(read_only("RoundService", "ListSealedLooks")),
            *of_deployment(audited("RoundService", ADMIN, OpenRound="name", CloseRound="name")),
            *of_deployment(audited("RoundService", AUDIT, RevealSealedSample="round")),
            *read_only("RunControlService", "EstimateRun"),
            *audited("RunControlService", RUN, PauseRun="id", ResumeRun="id", UpdateRunBudget="id", RetryRun="id"),
            *read_only("RunService", "GetRun", "ListRuns", "WatchRun"),
            *audited("RunService", RUN, CreateRun="reply.run.id", CancelRun="id"),
            *read_only("ScheduleService", "GetSchedule", "ListSchedules", "ListFirings"),
            *audited(
                "ScheduleService",
                RUN,
                CreateSchedule="schedule.name",
                PauseSchedule="name",
                ResumeSchedule="name",
                DeleteSchedule="name",
                TriggerSchedule="name",
            ),
            *read_only("TaskService", "GetTask", "ListTasks", "ListSamples", "ListCatalogue"),
            *audited("TaskService", RUN, ImportTask="reply.task.name"),
            *read_only("TokenService", "ListTokens", roles=AUDIT),
            *audited("TokenService", ADMIN, CreateToken="name", RevokeToken="name"),
            *read_only("WebhookService", "GetWebhook", "ListWebhooks", "ListDeliveries"),
            *audited(
                "WebhookService",
                ADMIN,
                CreateWebhook="webhook.name",
                DeleteWebhook="name",
                RotateWebhookSecret="name",
                TestWebhook="name",
                ReplayDelivery="id",
            ),
        ]
    )
)
"""By full name of the method, "libra.v1.RunService/CreateRun"."""
