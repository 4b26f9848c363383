"""Raise the cancellations again that nats-py swallows."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def reraise_cancellation(call: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Wrap `call` so that it raises CancelledError if its task is cancelled meanwhile, even if `call` swallows that.

    A task counts the requests to cancel it. A timeout inside `call` takes its own request back; a timeout around `call`
    does so when it sees the CancelledError. So a higher count than at the start is a request that was swallowed. A
    request from before, as in a `finally` clause that runs because of it, is not raised a second time.
    """

    @functools.wraps(call)
    async def cancellable(*args: P.args, **kwargs: P.kwargs) -> T:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine of asyncio runs in a task
        requests = task.cancelling()
        try:
            result = await call(*args, **kwargs)
        except Exception as error:
            if task.cancelling() > requests:
                raise asyncio.CancelledError from error
            raise
        if task.cancelling() > requests:
            raise asyncio.CancelledError
        return result

    return cancellable
