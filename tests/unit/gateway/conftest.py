"""A clock that jumps."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

Simulate = Callable[[Coroutine[Any, Any, Any]], Any]


class JumpingLoop(asyncio.SelectorEventLoop):
    """Its clock goes to the next timer whenever nothing else is to be done."""

    def __init__(self) -> None:
        self._now = 0.0
        super().__init__(selectors.SelectSelector())
        real = self._selector.select

        def select(timeout: float | None = None) -> Any:
            if timeout:
                self._now += timeout
            return real(0)

        self._selector.select = select  # type: ignore[method-assign]  # the one place where a loop asks for the time to pass

    def time(self) -> float:
        return self._now


@pytest.fixture(scope="session")
def simulate() -> Simulate:
    """Run a coroutine to its end, on a loop of its own, in no time."""

    def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
        loop = JumpingLoop()
        try:
            return loop.run_until_complete(asyncio.wait_for(coroutine, 1e7))
        finally:
            loop.close()

    return run
