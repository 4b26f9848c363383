"""nats-py swallows some cancellations; the patched client raises all of them."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import inspect
from collections.abc import Iterator

import nats.aio.client
import pytest

from libra.bus.cancellation import reraise_cancellation
from libra.bus.patched_client import PatchedClient

BACKGROUND = {"_attempt_reconnect", "_flusher", "_ping_interval", "_read_loop"}
"""Background tasks of the client; they end when they are cancelled."""

PATCHED_THROUGH = {"_close": "close", "_request_new_style": "request", "_request_old_style": "request"}


@reraise_cancellation
async def swallow_cancellation(error: Exception | None = None) -> str:
    """Catch the CancelledError and continue, as nats-py does in some places."""
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.sleep(60)
    if error:
        raise error
    return "an answer"


async def test_a_cancellation_at_the_same_time_as_the_answer_is_raised() -> None:
    answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    @reraise_cancellation
    async def request() -> str:
        return await asyncio.wait_for(answer, 60)  # noqa: TID251 - as nats-py does

    calling = asyncio.create_task(request())
    await asyncio.sleep(0)
    answer.set_result("an answer")
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling


@pytest.mark.parametrize("error", [None, OSError("no connection")])
async def test_a_swallowed_cancellation_is_raised_after_a_result_and_after_an_error(error: Exception | None) -> None:
    calling = asyncio.create_task(swallow_cancellation(error))
    await asyncio.sleep(0)
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling


async def test_a_timeout_around_a_call_is_not_lost() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await swallow_cancellation()
    assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]  # a test runs in a task


async def test_a_timeout_inside_a_call_is_not_a_cancellation() -> None:
    @reraise_cancellation
    async def call() -> str:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.01):
                await asyncio.sleep(60)
        return "an answer"

    assert await call() == "an answer"


async def test_a_cleanup_call_of_a_cancelled_task_is_not_cancelled_again() -> None:
    cleaned: list[str] = []

    @reraise_cancellation
    async def clean_up() -> str:
        await asyncio.sleep(0)
        return "cleaned up"

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            cleaned.append(await clean_up())

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cleaned == ["cleaned up"]


async def test_an_error_without_a_cancellation_is_unchanged() -> None:
    @reraise_cancellation
    async def call() -> None:
        raise OSError("no connection")

    with pytest.raises(OSError, match="no connection"):
        await call()


def test_every_method_that_may_swallow_a_cancellation_is_patched() -> None:
    source = ast.parse(inspect.getsource(nats.aio.client))
    found = {
        method.name
        for method in ast.walk(source)
        if isinstance(method, ast.AsyncFunctionDef) and any(swallows(node) for node in ast.walk(method))
    }
    assert "request" not in found  # found through the methods that it calls
    patched = {name for name, value in vars(PatchedClient).items() if hasattr(value, "__wrapped__")}
    assert {PATCHED_THROUGH.get(name, name) for name in found - BACKGROUND} <= patched


def swallows(node: ast.AST) -> bool:
    """Tell whether a node is a call of `wait_for` or an except clause for CancelledError."""
    if isinstance(node, ast.ExceptHandler):
        return node.type is not None and "CancelledError" in names(node.type)
    return isinstance(node, ast.Call) and "wait_for" in names(node.func)


def names(node: ast.AST) -> Iterator[str]:
    return (part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute))
