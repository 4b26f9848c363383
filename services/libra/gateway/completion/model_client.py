"""The client of models: calls the provider within the model's limits, and retries according to the policy."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode, Tracer

from libra.core.errors import Unavailable
from libra.gateway.completion.job import CompletionJob
from libra.gateway.completion.writer import CompletionWriter
from libra.gateway.limits.admission_queue import Lane
from libra.gateway.limits.request_budget import Permit
from libra.gateway.provider.price import cost_usd
from libra.gateway.provider.registry import Providers
from libra.gateway.provider.request import CompletionRequest
from libra.gateway.provider.result import FaultKind, ProviderAnswer, ProviderFault, ProviderResult
from libra.gateway.provider.retry import RetryPolicy, RetryState
from libra.telemetry import spans
from libra.telemetry.log_actions import Action
from libra.v1.completion_pb2 import (
    RESPONSE_CLASS_ANSWERED,
    RESPONSE_CLASS_FAILED,
    RESPONSE_CLASS_TRUNCATED,
    Completion,
    FinishReason,
    ProviderResponse,
    Usage,
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ModelClient:
    """Asks models, one job at a time."""

    providers: Providers
    writer: CompletionWriter
    policy: RetryPolicy
    draw: Callable[[], float]
    """Returns a number in [0, 1) for the jitter of waits."""

    tracer: Tracer

    async def ask(self, job: CompletionJob) -> Completion:
        """Return the job's completion: an answer, FINISH_REASON_ERROR with the reason, or what the store has meanwhile.

        `job.is_paid` is True while a request is in flight, and stays True after an answer. Raises Unavailable if the
        limiter is closed to batches before a request begins.
        """
        retries, passed_seconds = RetryState(self.policy), 0.0
        while True:
            permit = await self._acquire(job)
            if found := await _find_again(job, permit):
                return found
            result, seconds = await self._attempt(job, permit)
            if isinstance(result, ProviderAnswer):
                return _answered(job, result, retries.attempts + 1, seconds)
            job.is_paid = False
            # Time spent waiting for a permit does not count against the retry budget: a queue may be hours long.
            passed_seconds += seconds
            wait_seconds = retries.wait_seconds(result, passed_seconds, self.draw())
            if wait_seconds is None:
                reason = _gave_up_reason(result, retries)
                return failed_completion(job.key, job.request.model.name, reason, retries.attempts)
            if job.is_abandoned:
                raise asyncio.CancelledError
            passed_seconds += wait_seconds
            await job.channel.limiter.sleep(wait_seconds, job.lane)
            job.lane = min(job.lane, Lane.RETRY)

    async def _acquire(self, job: CompletionJob) -> Permit:
        """Return the permit to make a request, at a time when its answer can be stored."""
        limiter = job.channel.limiter
        tokens = _prompt_tokens(job) + job.request.max_tokens
        while True:
            await self.writer.wait_until_ready()
            permit = await limiter.acquire(job.lane, tokens)
            if self.writer.is_ready:
                return permit
            limiter.release(permit)

    async def _attempt(self, job: CompletionJob, permit: Permit) -> tuple[ProviderResult, float]:
        """Make one request; return its result, and how many seconds it took."""
        limiter, metrics = job.channel.limiter, job.channel.metrics
        job.is_paid = True
        metrics.in_flight.inc()
        spent_tokens = _prompt_tokens(job)
        try:
            started = time.perf_counter()
            result = await self._traced_call(job.request)
            seconds = time.perf_counter() - started
            metrics.record_request(result, seconds)
            self._adapt(job, permit, result)
            if isinstance(result, ProviderAnswer):
                spent_tokens = result.prompt_tokens + result.completion_tokens or permit.reserved_tokens
            return result, seconds
        finally:
            metrics.in_flight.dec()
            limiter.release(permit, spent_tokens=spent_tokens)

    async def _traced_call(self, request: CompletionRequest) -> ProviderResult:
        parent = trace.get_current_span()
        if parent.get_span_context().is_valid and not parent.is_recording():
            return await self._call(request)  # the child of a span that is not recorded is not recorded either
        # The span is not made the current one: nothing below has spans of its own, and that would cost as much again.
        span = self.tracer.start_span(
            spans.GATEWAY_REQUEST, kind=SpanKind.CLIENT, attributes={"model": request.model.name}
        )
        try:
            result = await self._call(request)
            span.set_attribute("outcome", result.outcome)
            if isinstance(result, ProviderFault):
                span.set_status(StatusCode.ERROR, result.reason)
            return result
        finally:
            span.end()

    async def _call(self, request: CompletionRequest) -> ProviderResult:
        """Call the provider. A bug on the way fails this trial only."""
        try:
            return await self.providers.ask(request)
        except Unavailable:
            raise
        except Exception as bug:
            log.exception("a request failed because of a bug", action=Action.REQUEST_FAILED, model=request.model.name)
            return ProviderFault(f"{type(bug).__name__}: a bug in the gateway; see its log", FaultKind.FINAL)

    def _adapt(self, job: CompletionJob, permit: Permit, result: ProviderResult) -> None:
        """Adapt the model's concurrency to the result, and pause the model if the provider asks for it."""
        limiter = job.channel.limiter
        if isinstance(result, ProviderAnswer):
            limiter.on_success()
            return
        if result.kind in (FaultKind.SLOW_DOWN, FaultKind.TIMEOUT):
            limiter.on_throttle(permit)
        pause_seconds = self.policy.retry_after_seconds(result)
        if pause_seconds is not None and result.kind is not FaultKind.FINAL:
            # A Retry-After holds for all requests to the model.
            limiter.pause(pause_seconds)


async def _find_again(job: CompletionJob, permit: Permit) -> Completion | None:
    """Return the completion if another replica stored it while the job waited; the permit is then released."""
    try:
        found = await job.find_again()
    except BaseException:
        job.channel.limiter.release(permit)
        raise
    if found is not None:
        job.channel.limiter.release(permit)
    return found


def _prompt_tokens(job: CompletionJob) -> int:
    return job.request.prompt_tokens() if job.channel.limiter.counts_tokens else 0


def failed_completion(key: str, model: str, reason: str, attempts: int = 0) -> Completion:
    """Return a completion without an answer, for the given reason."""
    return Completion(
        id=key,
        model=model,
        finish_reason=FinishReason.FINISH_REASON_ERROR,
        error=reason,
        attempts=attempts,
        response=ProviderResponse(response_class=RESPONSE_CLASS_FAILED),
    )


def _answered(job: CompletionJob, answer: ProviderAnswer, attempts: int, latency_seconds: float) -> Completion:
    model = job.request.model
    cost = cost_usd(model, answer)
    job.channel.metrics.record_answer(answer, cost)
    return Completion(
        id=job.key,
        text=answer.text,
        finish_reason=answer.finish_reason,
        usage=Usage(prompt_tokens=answer.prompt_tokens, completion_tokens=answer.completion_tokens),
        latency_seconds=latency_seconds,
        cost_usd=cost,
        attempts=attempts,
        model=model.name,
        response=_response(job, answer),
        usage_unknown=not answer.is_usage_known,
    )


ANSWERED = ProviderResponse(response_class=RESPONSE_CLASS_ANSWERED)
"""The response of nearly every completion; it is copied into each."""


def _response(job: CompletionJob, answer: ProviderAnswer) -> ProviderResponse:
    if answer.response_class == RESPONSE_CLASS_ANSWERED:
        return ANSWERED
    words = answer.words
    if answer.response_class == RESPONSE_CLASS_TRUNCATED:
        words = _limit_words(job, answer)
    return ProviderResponse(response_class=answer.response_class, category=answer.category, words=words)


def _limit_words(job: CompletionJob, answer: ProviderAnswer) -> str:
    """Return the limit that cut an answer off, and what remained of it."""
    counted = f", {answer.completion_tokens:,} tokens were used" if answer.completion_tokens else ""
    limit = f"the limit was {job.request.max_tokens:,} tokens{counted}"
    return f"{answer.words}; {limit}" if answer.words else limit


def _gave_up_reason(fault: ProviderFault, retries: RetryState) -> str:
    return fault.reason if retries.attempts == 1 else f"given up after {retries.attempts} requests: {fault.reason}"
