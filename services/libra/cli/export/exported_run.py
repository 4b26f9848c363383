"""The results of a run that the formats are made from."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from libra.cli.client import MAX_PAGE, ServiceClient
from libra.core.errors import NotFound
from libra.v1.gateway_pb2 import ListModelsRequest
from libra.v1.gateway_pb2_grpc import GatewayServiceStub
from libra.v1.model_pb2 import Model
from libra.v1.ranking_pb2 import Board, GetBoardRequest, ListVerdictsRequest, VerdictView
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.v1.run_pb2 import Run
from libra.v1.task_pb2 import CatalogueEntry, GetTaskRequest, ListCatalogueRequest, Task
from libra.v1.task_pb2_grpc import TaskServiceStub
from libra.v1.verdict_pb2 import Verdict

MAX_FULL_PAGE = 50


@dataclass(frozen=True, slots=True)
class ExportedRun:
    """A run with all that its results refer to."""

    run: Run
    board: Board
    tasks: Mapping[str, Task]
    """By "name@version"."""

    catalogue: Mapping[str, CatalogueEntry]
    """By the task's name; tasks of the user are not in it."""

    models: Mapping[str, Model]
    """By name; a model that was removed is not in it."""


async def load_run(client: ServiceClient, run: Run) -> ExportedRun:
    """Load the board, tasks and models of a run. Raises a CallerError or Unavailable."""
    board, catalogue, models, *tasks = await asyncio.gather(
        client.call(RankingServiceStub, "GetBoard", GetBoardRequest(runs=[run.id])),
        client.call(TaskServiceStub, "ListCatalogue", ListCatalogueRequest()),
        client.call(GatewayServiceStub, "ListModels", ListModelsRequest()),
        *(_get_task(client, task) for task in run.spec.tasks),
    )
    return ExportedRun(
        run=run,
        board=board.board,
        tasks={f"{task.name}@{task.version}": task for task in tasks if task is not None},
        catalogue={entry.task.name: entry for entry in catalogue.entries},
        models={status.model.name: status.model for status in models.models},
    )


async def iterate_verdicts(
    client: ServiceClient, run: str, *, model: str = "", has_text: bool = False
) -> AsyncIterator[Verdict]:
    """Yield the verdicts of a run in the order of its trials, with prompts and answers if `has_text`."""
    request = ListVerdictsRequest(
        run=run,
        model=model,
        page_size=MAX_FULL_PAGE if has_text else MAX_PAGE,
        view=VerdictView.VERDICT_VIEW_FULL if has_text else VerdictView.VERDICT_VIEW_BASIC,
    )
    while True:
        page = await client.call(RankingServiceStub, "ListVerdicts", request)
        for verdict in page.verdicts:
            yield verdict
        request.page_token = page.next_page_token
        if not page.next_page_token:
            return


async def _get_task(client: ServiceClient, name: str) -> Task | None:
    try:
        task: Task = (await client.call(TaskServiceStub, "GetTask", GetTaskRequest(name=name))).task
    except NotFound:
        return None
    return task
