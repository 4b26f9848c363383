"""The answers of a model that failed, on the tasks with its lowest scores."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from libra.cli.render.format import one_line
from libra.v1.ranking_pb2 import ListVerdictsRequest, TaskScore
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.v1.verdict_pb2 import Verdict
from libra.web.backend import Backend
from libra.web.transcript.verdict_filters import VerdictFilters, verdicts_url
from libra.web.unavailable import Absence, Part

TASKS_SHOWN = 8
ANSWERS_SHOWN = 3
"""Failed answers that are shown of each task."""

ANSWERS_READ = 20
"""Failed answers of a task among which the worst are shown."""

MAX_SCORE = 0.5
REASON_CHARACTERS = 160


@dataclass(frozen=True, slots=True)
class FailedAnswer:
    """An answer that failed."""

    verdict: Verdict
    url: str
    reason: str


@dataclass(frozen=True, slots=True)
class FailedTask:
    """A task, under one attack, with a score below 100."""

    task: TaskScore
    url: str
    """The address of all its failed answers."""

    answers: Sequence[FailedAnswer] = ()
    """The worst of them."""

    absence: Absence | None = None
    """The reason for which they are missing."""


def lowest_scores(tasks: Sequence[TaskScore]) -> list[TaskScore]:
    """Return the tasks with the lowest scores, the lowest first."""
    scored = [each for each in tasks if each.HasField("score") and each.score.value < 1]
    return sorted(scored, key=lambda each: each.score.value)[:TASKS_SHOWN]


async def load_failures(
    backend: Backend, model: str, tasks: Sequence[TaskScore], *, with_answers: bool
) -> list[FailedTask]:
    """Return the tasks with the lowest scores; with their worst answers if these may be read."""
    return await asyncio.gather(
        *(_load(backend, model, task, with_answers=with_answers) for task in lowest_scores(tasks))
    )


async def _load(backend: Backend, model: str, task: TaskScore, *, with_answers: bool) -> FailedTask:
    filters = VerdictFilters({"model": model, "task": task.task, "attack": task.attack, "max_score": str(MAX_SCORE)})
    url = verdicts_url(task.run, **filters.values)
    if not with_answers:
        return FailedTask(task, url)
    call: ListVerdictsRequest = filters.to_request(task.run)
    call.page_size = ANSWERS_READ
    page: Part[Any] = await backend.attempt(RankingServiceStub, "ListVerdicts", call)
    found = sorted(page.value.verdicts if page.value else (), key=lambda verdict: verdict.score)
    answers = [
        FailedAnswer(each, filters.verdict_url(each.id), one_line(each.rationale, REASON_CHARACTERS))
        for each in found[:ANSWERS_SHOWN]
    ]
    return FailedTask(task, url, answers, page.absence)
