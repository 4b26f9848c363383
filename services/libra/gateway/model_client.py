"""Ask a model until it answers or there is no point in asking on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode, Tracer

from libra.errors import Unavailable
from libra.gateway.completion.request import CompletionRequest
from libra.gateway.completion.single_flight import Flight
from libra.gateway.completion.writer import CompletionWriter
from libra.gateway.limits.limiter import Lane, Limiter, Permit
from libra.gateway.model_channel import ModelChannel
from libra.gateway.provider.model_metrics import cost_usd
from libra.gateway.provider.registry import Providers
from libra.gateway.provider.result import Answer, Fault, Kind, Reply
from libra.gateway.provider.retry import RetryPolicy, RetryState
from libra.telemetry import spans
from libra.telemetry.log_actions import Action
from libra.v1.completion_pb2 import Completion, FinishReason, Usage

log = structlog.get_logger(__name__)

Known = Callable[[], Awaitable[Completion | None]]
"""Returns the answer if there is one by now."""


async def unknown() -> None:
    """Say that there is none."""


@dataclass(frozen=True, slots=True)
class ModelClient:
    """Makes requests under the model's limits, and makes them again as the policy says."""

    providers: Providers
    keeper: CompletionWriter
    policy: RetryPolicy
    draw: Callable[[], float]
    """A number in [0, 1) for the jitter."""

    tracer: Tracer

    async def ask(
        self,
        name: str,
        question: CompletionRequest,
        line: ModelChannel,
        lane: Lane,
        shared: Flight[Completion],
        known: Known = unknown,
    ) -> Completion:
        """Return the completion called `name`: an answer, FINISH_REASON_ERROR with the reason, or what was `known` before.

        `shared` is under way from a request's start to its end, and stays so after an answer. Raises Unavailable if the
        batches' lanes are closed before that.
        """
        patience, passed_seconds = RetryState(self.policy), 0.0
        while True:
            permit = await self._permit(question, line.limiter, lane)
            if found := await _needless(known, line.limiter, permit):
                return found
            reply, seconds = await self._attempt(question, line, permit, shared)
            if isinstance(reply, Answer):
                return _answered(name, question, line, reply, patience.attempts + 1, seconds)
            shared.under_way = False
            # To wait for a permit is not to be out of patience: a queue may be hours long.
            passed_seconds += seconds
            wait = patience.wait_seconds(reply, passed_seconds, self.draw())
            if wait is None:
                return failed(name, question.model.name, _given_up(reply, patience), patience.attempts)
            if shared.abandoned:
                raise asyncio.CancelledError
            passed_seconds += wait
            await line.limiter.rest(wait, lane)
            lane = min(lane, Lane.AGAIN)

    async def _attempt(
        self, question: CompletionRequest, line: ModelChannel, permit: Permit, shared: Flight[Completion]
    ) -> tuple[Reply, float]:
        """Make one request; return what came of it, and after how many seconds."""
        limiter, meter = line.limiter, line.meter
        shared.under_way = True
        meter.in_flight.inc()
        spent_tokens = _prompt_tokens(question, limiter)
        try:
            started = time.perf_counter()
            reply = await self._request(question)
            seconds = time.perf_counter() - started
            meter.asked(reply, seconds)
            self._learn(line, permit, reply)
            if isinstance(reply, Answer):
                spent_tokens = reply.prompt_tokens + reply.completion_tokens or permit.held_tokens
            return reply, seconds
        finally:
            meter.in_flight.dec()
            limiter.release(permit, spent_tokens=spent_tokens)

    async def _permit(self, question: CompletionRequest, limiter: Limiter, lane: Lane) -> Permit:
        """Return leave to make a request, at a time when its answer can be kept."""
        tokens = _prompt_tokens(question, limiter) + question.max_tokens
        while True:
            await self.keeper.ready()
            permit = await limiter.acquire(lane, tokens)
            if not self.keeper.holds:
                return permit
            limiter.release(permit)

    async def _request(self, question: CompletionRequest) -> Reply:
        around = trace.get_current_span()
        if around.get_span_context().is_valid and not around.is_recording():
            return await self._reply(question)  # a span inside of one that is not recorded would not be either
        # Not made the current span: nothing below has spans of its own, and that would cost as much again.
        span = self.tracer.start_span(
            spans.GATEWAY_REQUEST, kind=SpanKind.CLIENT, attributes={"model": question.model.name}
        )
        try:
            reply = await self._reply(question)
            span.set_attribute("outcome", reply.outcome)
            if isinstance(reply, Fault):
                span.set_status(StatusCode.ERROR, reply.reason)
            return reply
        finally:
            span.end()

    async def _reply(self, question: CompletionRequest) -> Reply:
        """Return what the provider replies. A bug in how it is asked costs this trial, and not its neighbours."""
        try:
            return await self.providers.ask(question)
        except Unavailable:
            raise
        except Exception as bug:
            log.exception("a request failed on a bug", action=Action.REQUEST_FAILED, model=question.model.name)
            return Fault(f"{type(bug).__name__}: a bug in the gateway; its log tells more", Kind.FINAL)

    def _learn(self, line: ModelChannel, permit: Permit, reply: Reply) -> None:
        """Let the reply change how much is asked next."""
        if isinstance(reply, Answer):
            line.limiter.eased()
            return
        if reply.kind in (Kind.SLOW_DOWN, Kind.TIMEOUT):
            line.limiter.pressed(permit)
        pause = self.policy.retry_after_seconds(reply)
        if pause is not None and reply.kind is not Kind.FINAL:
            # The whole model is left alone, not this request alone.
            line.limiter.pause(pause)


async def _needless(known: Known, limiter: Limiter, permit: Permit) -> Completion | None:
    """Return the answer that makes a request needless, if there is one; then its permit is given back."""
    try:
        found = await known()
    except BaseException:
        limiter.release(permit)
        raise
    if found is not None:
        limiter.release(permit)
    return found


def _prompt_tokens(question: CompletionRequest, limiter: Limiter) -> int:
    return question.prompt_tokens() if limiter.counts_tokens else 0


def failed(name: str, model: str, reason: str, attempts: int = 0) -> Completion:
    """Return the completion that says why there is none."""
    return Completion(
        id=name, model=model, finish_reason=FinishReason.FINISH_REASON_ERROR, error=reason, attempts=attempts
    )


def _answered(
    name: str, question: CompletionRequest, line: ModelChannel, answer: Answer, attempts: int, latency_seconds: float
) -> Completion:
    cost = cost_usd(question.model, answer)
    line.meter.answered(answer, cost)
    return Completion(
        id=name,
        text=answer.text,
        finish_reason=answer.finish_reason,
        usage=Usage(prompt_tokens=answer.prompt_tokens, completion_tokens=answer.completion_tokens),
        latency_seconds=latency_seconds,
        cost_usd=cost,
        attempts=attempts,
        model=question.model.name,
    )


def _given_up(fault: Fault, patience: RetryState) -> str:
    return fault.reason if patience.attempts == 1 else f"given up after {patience.attempts} requests: {fault.reason}"
