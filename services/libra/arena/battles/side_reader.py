"""Reads one model's answer from the gateway while it arrives."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

import grpc.aio

from libra.arena.battles.answer_screen import AnswerScreen
from libra.core.errors import CallerError, LibraError, Unavailable
from libra.rpc.client import stream
from libra.v1.completion_pb2 import FINISH_REASON_ERROR, GenerationParameters
from libra.v1.gateway_pb2 import Conversation, StreamCompleteRequest
from libra.v1.gateway_pb2_grpc import GatewayServiceStub
from libra.v1.message_pb2 import Message

AGAIN_SECONDS = 0.5
"""The wait before a gateway that could not be reached is asked again."""


@dataclass(frozen=True, slots=True)
class AnswerClient:
    """Asks models through the gateway, within limits of time."""

    channel: grpc.aio.Channel
    max_tokens: int
    stall_seconds: float
    turn_seconds: float

    def read(
        self, model: str, messages: Sequence[Message], battle: str, screen: AnswerScreen, notify: Callable[[], None]
    ) -> SideReader:
        """Begin to read the answer to a conversation into `screen`; `notify` is called at each change."""
        request = StreamCompleteRequest(
            model=model,
            parameters=GenerationParameters(max_tokens=self.max_tokens),
            conversation=Conversation(messages=messages),
            fresh_for=f"battle/{battle}",
        )
        return SideReader(self, request, screen, notify)


class SideReader:
    """One answer on its way. A gateway that is away for a moment is asked again: what was answered is stored there."""

    def __init__(
        self, client: AnswerClient, request: StreamCompleteRequest, screen: AnswerScreen, notify: Callable[[], None]
    ) -> None:
        self.screen = screen
        self.fault = ""
        """Reason why there is no answer; "" while there may be one."""
        self._client, self._request, self._notify = client, request, notify
        self._loop = asyncio.get_running_loop()
        self._begun = self._progress = self._loop.time()
        self._task = asyncio.create_task(self._run())

    @property
    def has_ended(self) -> bool:
        """Whether the answer is whole, or there will be none."""
        return bool(self.fault) or self.screen.completion is not None

    def check_time(self) -> None:
        """Give the model up if it takes too long."""
        now, client = self._loop.time(), self._client
        if self.has_ended:
            return
        if now - self._progress > client.stall_seconds:
            self._give_up(f"nothing arrived for {client.stall_seconds:g} s")
        elif now - self._begun > client.turn_seconds:
            self._give_up(f"the answer was not complete after {client.turn_seconds:g} s")

    async def close(self) -> None:
        """End the request unless it was answered."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def _give_up(self, fault: str) -> None:
        self.fault = fault
        self._task.cancel()

    async def _run(self) -> None:
        try:
            while not self.has_ended:
                try:
                    await self._read()
                except Unavailable:
                    await asyncio.sleep(AGAIN_SECONDS)
        except (CallerError, LibraError) as error:
            self.fault = str(error)
        finally:
            self._notify()

    async def _read(self) -> None:
        stub = GatewayServiceStub(self._client.channel)
        self.screen.restart()
        parts = stream(stub.StreamComplete, self._request, self._client.turn_seconds)
        async with aclosing(parts):
            async for part in parts:
                self._progress = self._loop.time()
                match part.WhichOneof("part"):
                    case "text":
                        self.screen.add(part.text)
                    case "restart":
                        self.screen.restart()
                    case "completion" if part.completion.finish_reason == FINISH_REASON_ERROR:
                        self.fault = part.completion.error
                    case "completion":
                        self.screen.end(part.completion)
                self._notify()
