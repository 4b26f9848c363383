"""The client for programs without an event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping, Sequence
from typing import Any, Self, TypeVar

from libra.client.async_client import PAGE_SIZE, AsyncLibraClient
from libra.client.results import BestModel, Board, ComparisonReport, Run, Verdict
from libra.rpc.tls import Tls

Result = TypeVar("Result")


class LibraClient:
    """Calls the services of Libra and waits for the replies. Use it as a context manager, or close it.

    It has the methods of `AsyncLibraClient`, with the same arguments, results and errors; what is an asynchronous
    iterator there is an iterator here. Any number of threads may share one client.
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
        self._client = AsyncLibraClient(
            dispatch=dispatch, ranking=ranking, tls=tls, token=token, timeout_seconds=timeout_seconds
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="libra client", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; safe to repeat."""
        if self._loop.is_closed():
            return
        self._wait(self._client.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def create_run(
        self,
        *,
        models: Sequence[str],
        tasks: Sequence[str],
        attacks: Sequence[str] = (),
        request_id: str = "",
        parameters: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> Run:
        """Start a run."""
        return self._wait(
            self._client.create_run(
                models=models, tasks=tasks, attacks=attacks, request_id=request_id, parameters=parameters, **fields
            )
        )

    def get_run(self, run: str) -> Run:
        """Return a run with its progress."""
        return self._wait(self._client.get_run(run))

    def list_runs(self, *, limit: int = PAGE_SIZE) -> tuple[Run, ...]:
        """Return the newest runs, at most `limit`."""
        return self._wait(self._client.list_runs(limit=limit))

    def cancel_run(self, run: str) -> Run:
        """Cancel a run; one that has ended is returned unchanged."""
        return self._wait(self._client.cancel_run(run))

    def watch_run(self, run: str) -> Iterator[Run]:
        """Yield the run now, after each change, and when it ends; then the iterator ends."""
        return self._iterate(self._client.watch_run(run))

    def wait_for_run(self, run: str, *, timeout_seconds: float | None = None) -> Run:
        """Return the run when it has ended. Raises TimeoutError if it has not ended in time; it continues."""
        return self._wait(self._client.wait_for_run(run, timeout_seconds=timeout_seconds))

    def get_board(
        self,
        *,
        runs: Sequence[str] = (),
        models: Sequence[str] = (),
        correct_judges: bool = False,
        round_name: str = "",
    ) -> Board:
        """Return the leaderboard of these runs or, without any, of the newest finished run of each task and model."""
        board = self._client.get_board(runs=runs, models=models, correct_judges=correct_judges, round_name=round_name)
        return self._wait(board)

    def watch_board(self, *, after_revision: int = 0) -> Iterator[Board]:
        """Yield the board of all finished runs now and after each change."""
        return self._iterate(self._client.watch_board(after_revision=after_revision))

    def best_model(
        self, *, minimum: Mapping[str, float], runs: Sequence[str] = (), is_certain: bool = True, round_name: str = ""
    ) -> BestModel:
        """Return the model with the highest Overall among those whose scores reach the minimums."""
        best = self._client.best_model(minimum=minimum, runs=runs, is_certain=is_certain, round_name=round_name)
        return self._wait(best)

    def compare_models(
        self,
        model: str,
        other: str,
        *,
        runs: Sequence[str] = (),
        other_runs: Sequence[str] = (),
        round_name: str = "",
    ) -> ComparisonReport:
        """Compare two models on their common samples."""
        report = self._client.compare_models(model, other, runs=runs, other_runs=other_runs, round_name=round_name)
        return self._wait(report)

    def compare_with_run(self, model: str, since: str, *, runs: Sequence[str] = ()) -> ComparisonReport:
        """Compare a model's newest results with those of an earlier run."""
        return self._wait(self._client.compare_with_run(model, since, runs=runs))

    def list_verdicts(
        self, run: str, *, model: str = "", task: str = "", attack: str = "", outcome: str = ""
    ) -> Iterator[Verdict]:
        """Yield a run's verdicts in the order of its trials, page after page."""
        return self._iterate(self._client.list_verdicts(run, model=model, task=task, attack=attack, outcome=outcome))

    def _wait(self, work: Coroutine[Any, Any, Result]) -> Result:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:  # a Ctrl-C here must end the call there
            future.cancel()
            raise

    def _iterate(self, results: AsyncIterator[Result]) -> Iterator[Result]:
        try:
            while (result := self._wait(_next(results))) is not None:
                yield result
        finally:
            self._wait(_close(results))


async def _next(results: AsyncIterator[Result]) -> Result | None:
    """Return the next result; None after the last."""
    return await anext(results, None)


async def _close(results: AsyncIterator[Any]) -> None:
    """End an asynchronous generator."""
    await results.aclose()  # type: ignore[attr-defined]  # every iterator of the client is a generator
