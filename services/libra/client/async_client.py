"""The client for programs with an event loop."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Self

from ulid import ULID

from libra.client.connection import FIRST_WAIT_SECONDS, MAX_WAIT_SECONDS, Connection, ConnectionSettings
from libra.client.constraints import best_model
from libra.client.conversion import to_result
from libra.client.results import BestModel, Board, ComparisonReport, Run, Verdict
from libra.core.errors import Invalid, Unavailable
from libra.core.outcome_names import OUTCOMES
from libra.rpc.tls import Tls
from libra.v1.completion_pb2 import GenerationParameters
from libra.v1.ranking_pb2 import (
    CompareModelsRequest,
    GetBoardRequest,
    ListVerdictsRequest,
    WatchBoardRequest,
)
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.v1.run_pb2 import (
    CancelRunRequest,
    CreateRunRequest,
    GetRunRequest,
    ListRunsRequest,
    RunSpec,
    WatchRunRequest,
)
from libra.v1.run_pb2_grpc import RunServiceStub

PAGE_SIZE = 500
OUTAGE_SECONDS = 120.0
"""A watch tolerates an outage of its service for this time."""

SAMPLE_QUERY_SECONDS = 300.0
"""The first comparison of a run loads its samples from the verdicts."""

DISPATCH, RANKING = "dispatch", "ranking"


class AsyncLibraClient:
    """Calls the services of Libra from an event loop. Use it as an asynchronous context manager, or close it.

    `dispatch` and `ranking` are addresses, "host:port". `timeout_seconds` is the time for one call, retries included.
    `token` is sent with each call, in plain text only to this machine.

    Each method raises a `CallerError` (Invalid, NotFound, Conflict, FailedPrecondition) if the service refused the
    request, and Unavailable if no reply came in time.
    """

    def __init__(
        self,
        *,
        dispatch: str = "",
        ranking: str = "",
        tls: Tls | None = None,
        token: str = "",
        timeout_seconds: float = 30.0,
    ) -> None:
        addresses = {name: address for name, address in ((DISPATCH, dispatch), (RANKING, ranking)) if address}
        self._connection = Connection(ConnectionSettings(addresses, tls, token, timeout_seconds))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._connection.close()

    async def create_run(
        self,
        *,
        models: Sequence[str],
        tasks: Sequence[str],
        attacks: Sequence[str] = (),
        request_id: str = "",
        parameters: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> Run:
        """Start a run. `fields` are other fields of `libra.v1.RunSpec`, and `parameters` those of GenerationParameters.

        A repeat with the same `request_id` returns the first run. Raises Invalid for a field that does not exist.
        """
        try:
            spec = RunSpec(models=models, tasks=tasks, attacks=attacks, **fields)
            spec.parameters.CopyFrom(GenerationParameters(**(parameters or {})))
        except (TypeError, ValueError) as error:
            raise Invalid(f"the spec of the run is not valid: {error}", field="spec") from error
        request = CreateRunRequest(spec=spec, request_id=request_id or str(ULID()))
        return to_result(Run, (await self._runs("CreateRun", request)).run)

    async def get_run(self, run: str) -> Run:
        """Return a run with its progress."""
        return to_result(Run, (await self._runs("GetRun", GetRunRequest(id=run))).run)

    async def list_runs(self, *, limit: int = PAGE_SIZE) -> tuple[Run, ...]:
        """Return the newest runs, at most `limit`."""
        runs: list[Run] = []
        request = ListRunsRequest()
        while len(runs) < limit:
            request.page_size = min(PAGE_SIZE, limit - len(runs))
            page = await self._runs("ListRuns", request)
            runs.extend(to_result(Run, run) for run in page.runs)
            request.page_token = page.next_page_token
            if not page.next_page_token:
                break
        return tuple(runs)

    async def cancel_run(self, run: str) -> Run:
        """Cancel a run; one that has ended is returned unchanged."""
        return to_result(Run, (await self._runs("CancelRun", CancelRunRequest(id=run))).run)

    async def watch_run(self, run: str) -> AsyncIterator[Run]:
        """Yield the run now, after each change, and when it ends; then the iterator ends.

        An interrupted watch resumes after the last revision. Raises Unavailable after an outage of two minutes.
        """
        request, has_ended = WatchRunRequest(id=run), False
        async for reply in self._watch(DISPATCH, RunServiceStub, "WatchRun", request):
            if reply.run.revision > request.after_revision:
                request.after_revision = reply.run.revision
                state = to_result(Run, reply.run)
                yield state
                has_ended = state.has_ended
            if has_ended:
                return

    async def wait_for_run(self, run: str, *, timeout_seconds: float | None = None) -> Run:
        """Return the run when it has ended. Raises TimeoutError if it has not ended in time; it continues."""
        async with asyncio.timeout(timeout_seconds):
            async for state in self.watch_run(run):
                last = state
        return last

    async def get_board(
        self,
        *,
        runs: Sequence[str] = (),
        models: Sequence[str] = (),
        correct_judges: bool = False,
        round_name: str = "",
    ) -> Board:
        """Return the leaderboard of these runs or, without any, of the newest finished run of each task and model.

        With `round_name`, only runs of that round count; without it, only runs of no round.
        """
        request = GetBoardRequest(runs=runs, models=models, correct_judges=correct_judges, round=round_name)
        return to_result(Board, (await self._ranking("GetBoard", request)).board)

    async def watch_board(self, *, after_revision: int = 0) -> AsyncIterator[Board]:
        """Yield the board of all finished runs now and after each change; resumes as `watch_run` does."""
        request = WatchBoardRequest(after_revision=after_revision)
        async for reply in self._watch(RANKING, RankingServiceStub, "WatchBoard", request):
            if reply.HasField("board") and reply.board.revision > request.after_revision:
                request.after_revision = reply.board.revision
                yield to_result(Board, reply.board)

    async def best_model(
        self, *, minimum: Mapping[str, float], runs: Sequence[str] = (), is_certain: bool = True, round_name: str = ""
    ) -> BestModel:
        """Return the model with the highest Overall among those whose scores reach the minimums.

        `minimum` maps overall, safety, capability, a category, "task" or "task+attack" to the least score. With
        `is_certain` the lower end of the 95 % interval must reach it, without it the score itself.
        """
        return best_model(await self.get_board(runs=runs, round_name=round_name), minimum, is_certain=is_certain)

    async def compare_models(
        self,
        model: str,
        other: str,
        *,
        runs: Sequence[str] = (),
        other_runs: Sequence[str] = (),
        round_name: str = "",
    ) -> ComparisonReport:
        """Compare two models on their common samples: `overall.verdict` says whether `model` is better.

        With `round_name`, only runs of that round count; without it, only runs of no round.
        """
        request = CompareModelsRequest(model=model, other=other, runs=runs, other_runs=other_runs, round=round_name)
        reply = await self._ranking("CompareModels", request, timeout_seconds=SAMPLE_QUERY_SECONDS)
        return to_result(ComparisonReport, reply)

    async def compare_with_run(self, model: str, since: str, *, runs: Sequence[str] = ()) -> ComparisonReport:
        """Compare a model's newest results with those of an earlier run: `worse_tasks` says what got worse since."""
        return await self.compare_models(model, model, runs=runs, other_runs=[since])

    async def list_verdicts(
        self, run: str, *, model: str = "", task: str = "", attack: str = "", outcome: str = ""
    ) -> AsyncIterator[Verdict]:
        """Yield a run's verdicts in the order of its trials, page after page."""
        if outcome and outcome not in OUTCOMES:
            raise Invalid(f"there is no outcome {outcome!r}; there are {', '.join(OUTCOMES)}", field="outcome")
        request = ListVerdictsRequest(run=run, model=model, task=task, attack=attack, page_size=PAGE_SIZE)
        if outcome:
            request.outcome = OUTCOMES[outcome]
        while True:
            page = await self._ranking("ListVerdicts", request)
            for verdict in page.verdicts:
                yield to_result(Verdict, verdict)
            request.page_token = page.next_page_token
            if not page.next_page_token:
                return

    async def _runs(self, method: str, request: Any) -> Any:
        return await self._connection.call(DISPATCH, RunServiceStub, method, request)

    async def _ranking(self, method: str, request: Any, *, timeout_seconds: float | None = None) -> Any:
        return await self._connection.call(
            RANKING, RankingServiceStub, method, request, timeout_seconds=timeout_seconds
        )

    async def _watch(self, service: str, stub: Any, method: str, request: Any) -> AsyncIterator[Any]:
        """Yield the replies of a watch, and open it again when it breaks off."""
        heard_at, wait_seconds = time.monotonic(), FIRST_WAIT_SECONDS
        while True:
            try:
                async for reply in self._connection.stream(service, stub, method, request):
                    heard_at, wait_seconds = time.monotonic(), FIRST_WAIT_SECONDS
                    yield reply
            except Unavailable:
                if time.monotonic() - heard_at > OUTAGE_SECONDS:
                    raise
            await asyncio.sleep(wait_seconds * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret
            wait_seconds = min(MAX_WAIT_SECONDS, 2 * wait_seconds)
