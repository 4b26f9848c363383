"""The client of models: calls the provider within the model's limits, and retries according to the policy."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace

import structlog
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode, Tracer

from libra.core.errors import Unavailable
from libra.core.sealed import sealing
from libra.gateway.budget.account import BudgetAccount
from libra.gateway.budget.charge import OVER_BUDGET, most_of, spent_on
from libra.gateway.completion.job import CompletionJob
from libra.gateway.completion.writer import CompletionWriter
from libra.gateway.limits.admission_queue import Lane, TurnedAway
from libra.gateway.limits.request_budget import Permit
from libra.gateway.parking.waiting_requests import GaveUp
from libra.gateway.provider.price import cost_usd
from libra.gateway.provider.registry import Providers
from libra.gateway.provider.request import CompletionRequest
from libra.gateway.provider.result import FaultKind, ProviderAnswer, ProviderFault, ProviderResult
from libra.gateway.provider.retry import RetryPolicy, RetryState
from libra.gateway.provider.streaming.text_relay import TextRelay
from libra.telemetry import spans
from libra.telemetry.log_actions import Action
from libra.v1.completion_pb2 import (
    RESPONSE_CLASS_ANSWERED,
    RESPONSE_CLASS_FAILED,
    RESPONSE_CLASS_TRUNCATED,
    Adjustment,
    Completion,
    FinishReason,
    ProviderResponse,
)

OF_A_TEAM = "(withheld: it may quote a prompt of a team)"
"""In place of the words of an endpoint about a request of one of the teams that share a model."""

SUSPECT_SECONDS = 2.0
"""A request that was refused as if its model could not be asked, although others were answered, is made again after
this time."""

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

    async def ask(self, job: CompletionJob) -> Completion | None:
        """Return the job's completion: an answer, FINISH_REASON_ERROR with the reason, or what the store has meanwhile.

        None if the endpoint refused a parameter: the job has another request and another key then. That is no failure.
        `job.is_paid` is True while a request is in flight, and stays True after an answer. Raises Unavailable if the
        limiter is closed to batches before a request begins.
        """
        retries = job.retries = job.retries or RetryState(self.policy)
        passed_seconds, requests = 0.0, 0
        gate, is_suspect = job.channel.gate, False
        while True:
            try:
                made = await (self._request(job) if job.account is None else self._request_within(job, job.account))
            except GaveUp as given_up:
                return failed_completion(job.key, job.request.model.name, str(given_up), requests)
            if isinstance(made, Completion):
                return made
            result, seconds = made
            requests += 1
            must_wait = gate.record(job, shown := for_all_teams(job.request, result))
            if isinstance(result, ProviderAnswer):
                job.has_answer = True
                job.channel.activity.record(result)
                return _answered(job, result, retries.attempts + 1, seconds)
            job.is_paid = False
            # Time spent waiting for a permit does not count against the retry budget: a queue may be hours long.
            passed_seconds += seconds
            if not job.is_abandoned and _adjust(job, shown):
                retries.adjusted += 1
                return None
            job.channel.activity.record(shown)
            if must_wait or (gate.blocks(result) and result.kind is FaultKind.FINAL and not is_suspect):
                if job.is_abandoned:
                    raise asyncio.CancelledError
                # A fault that parks the model is not this request's. Before that is known, it is made once more.
                is_suspect = is_suspect or not must_wait
                await job.channel.limiter.sleep(0 if must_wait else SUSPECT_SECONDS, job.lane)
                job.lane = min(job.lane, Lane.RETRY)
                continue
            wait_seconds = retries.wait_seconds(result, passed_seconds, self.draw())
            if wait_seconds is None:
                reason = _gave_up_reason(result, retries)
                failed = failed_completion(job.key, job.request.model.name, reason, retries.attempts)
                failed.adjustments.extend(_adjustments(job))
                return failed
            if job.is_abandoned:
                raise asyncio.CancelledError
            passed_seconds += wait_seconds
            await job.channel.limiter.sleep(wait_seconds, job.lane)
            job.lane = min(job.lane, Lane.RETRY)

    async def ask_once(self, job: CompletionJob) -> Completion | None:
        """Return the completion of one request: no repeat, no look at the store. The limits of the model hold."""
        tokens = _prompt_tokens(job) + job.request.max_tokens
        permit = await _acquire_while_parked(job, tokens)
        result, seconds = await self._attempt_within_ceiling(job, permit)
        shown = for_all_teams(job.request, result)
        job.channel.gate.record(job, shown)
        job.is_paid = False
        if _adjust(job, shown):
            return None
        job.channel.activity.record(shown)
        if isinstance(result, ProviderAnswer):
            return _answered(job, result, 1, seconds)
        return failed_completion(job.key, job.request.model.name, result.reason, 1)

    async def _request(self, job: CompletionJob) -> tuple[ProviderResult, float] | Completion:
        """Make one request; return its result and how many seconds it took, or what the store has meanwhile."""
        permit = await self._acquire(job)
        return await _find_again(job, permit) or await self._attempt_within_ceiling(job, permit)

    async def _request_within(
        self, job: CompletionJob, account: BudgetAccount
    ) -> tuple[ProviderResult, float] | Completion:
        """Make one request that the account pays for; return what `_request` does, or that the budget is used up."""
        reservation = await account.reserve(most_of(job.request, job.channel.price))
        if reservation is None:
            if job.account is None:  # a request without a budget has joined
                return await self._request(job)
            return failed_completion("", job.request.model.name, OVER_BUDGET)
        try:
            permit = await self._acquire(job)
            if found := await _find_again(job, permit):
                return found
            reservation.spent = reservation.most  # if this task is cancelled, the answer may have to be paid
            result, seconds = await self._attempt_within_ceiling(job, permit)
            reservation.spent = spent_on(result, job.channel.price, reservation.most)
            return result, seconds
        finally:
            reservation.settle()

    async def _acquire(self, job: CompletionJob) -> Permit:
        """Return the permit to make a request, at a time when its answer can be stored."""
        limiter = job.channel.limiter
        tokens = _prompt_tokens(job) + job.request.max_tokens
        while True:
            if not self.writer.is_ready:
                await self.writer.wait_until_ready()
            if job.channel.gate.park is not None:
                await job.channel.gate.wait(job)
            try:
                permit = await limiter.acquire(job.lane, tokens)
            except TurnedAway:  # the model was parked meanwhile
                continue
            if self.writer.is_ready:
                return permit
            limiter.release(permit)

    async def _attempt_within_ceiling(self, job: CompletionJob, permit: Permit) -> tuple[ProviderResult, float]:
        """Do what `_attempt` does, if the model's ceiling of the day covers it; otherwise return that it does not."""
        ceiling, price = job.channel.ceiling, job.channel.price
        if ceiling is None:
            return await self._attempt(job, permit)
        most = most_of(job.request, price)
        try:
            reservation = await ceiling.reserve(most)
        except BaseException:
            job.channel.limiter.release(permit)
            raise
        if reservation is None:
            job.channel.limiter.release(permit)
            return ceiling.reached(most), 0.0
        try:
            reservation.spent = most  # if this task is cancelled, the answer may have to be paid
            result, seconds = await self._attempt(job, permit)
            reservation.spent = spent_on(result, price, most)
            return result, seconds
        finally:
            reservation.settle()

    async def _attempt(self, job: CompletionJob, permit: Permit) -> tuple[ProviderResult, float]:
        """Make one request; return its result, and how many seconds it took."""
        limiter, metrics = job.channel.limiter, job.channel.metrics
        job.is_paid = True
        metrics.in_flight.inc()
        spent_tokens = _prompt_tokens(job)
        try:
            started = time.perf_counter()
            if job.relay is not None:
                job.relay.restart()
            result = await self._traced_call(job.request, job.relay)
            seconds = time.perf_counter() - started
            metrics.record_request(result, seconds)
            self._adapt(job, permit, result)
            if isinstance(result, ProviderAnswer):
                spent_tokens = result.prompt_tokens + result.completion_tokens or permit.reserved_tokens
            return result, seconds
        finally:
            metrics.in_flight.dec()
            limiter.release(permit, spent_tokens=spent_tokens)

    def _traced_call(
        self, request: CompletionRequest, relay: TextRelay | None
    ) -> Coroutine[None, None, ProviderResult]:
        parent = trace.get_current_span()
        if parent.get_span_context().is_valid and not parent.is_recording():
            return self._call(request, relay)  # the child of a span that is not recorded is not recorded either
        return self._recorded_call(request, relay)

    async def _recorded_call(self, request: CompletionRequest, relay: TextRelay | None) -> ProviderResult:
        # The span is not made the current one: nothing below has spans of its own, and that would cost as much again.
        span = self.tracer.start_span(
            spans.GATEWAY_REQUEST, kind=SpanKind.CLIENT, attributes={"model": request.model.name}
        )
        try:
            result = await self._call(request, relay)
            span.set_attribute("outcome", result.outcome)
            if isinstance(result, ProviderFault):
                span.set_status(StatusCode.ERROR, result.reason)
            return result
        finally:
            span.end()

    async def _call(self, request: CompletionRequest, relay: TextRelay | None) -> ProviderResult:
        """Call the provider. A bug on the way fails this trial only."""
        try:
            return withhold_words(await self._ask(request, relay))
        except Unavailable:
            raise
        except Exception as bug:
            log.exception("a request failed because of a bug", action=Action.REQUEST_FAILED, model=request.model.name)
            return ProviderFault(f"{type(bug).__name__}: a bug in the gateway; see its log", FaultKind.FINAL)

    def _ask(self, request: CompletionRequest, relay: TextRelay | None) -> Coroutine[None, None, ProviderResult]:
        return self.providers.ask(request) if relay is None else self.providers.ask(request, relay)

    def _adapt(self, job: CompletionJob, permit: Permit, result: ProviderResult) -> None:
        """Adapt the model's concurrency to the result, and pause the model if the provider asks for it."""
        limiter = job.channel.limiter
        if isinstance(result, ProviderAnswer):
            limiter.on_success()
            return
        if job.channel.gate.blocks(result):
            return  # the model is parked instead
        if result.kind in (FaultKind.SLOW_DOWN, FaultKind.TIMEOUT):
            limiter.on_throttle(permit)
        pause_seconds = self.policy.retry_after_seconds(result)
        if pause_seconds is not None and result.kind is not FaultKind.FINAL:
            # A Retry-After holds for all requests to the model.
            limiter.pause(pause_seconds)


def _adjust(job: CompletionJob, result: ProviderResult) -> bool:
    """Change the request as the endpoint wants; return False if it wants nothing, or what was tried before."""
    if isinstance(result, ProviderAnswer) or result.adjustment is None:
        return False
    return job.adjust(result.adjustment)


async def _acquire_while_parked(job: CompletionJob, tokens: int) -> Permit:
    """Return a permit, also for a parked model."""
    while True:
        with contextlib.suppress(TurnedAway):  # the model was parked this moment
            return await job.channel.limiter.acquire(job.lane, tokens)


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


def withhold_words(result: ProviderResult) -> ProviderResult:
    """Return the result; for sealed samples a fault without the words of the endpoint, which may quote the prompt.

    The words of a fault reach the health of the model, its log lines and its spans.
    """
    return _without_words(result, sealing.WITHHELD) if sealing.is_sealed() else result


def for_all_teams(request: CompletionRequest, result: ProviderResult) -> ProviderResult:
    """Return what the health of a model may say of a result: the teams that share it see no words about a prompt."""
    is_own = request.team == request.model.team
    return result if is_own else _without_words(result, OF_A_TEAM)


def _without_words(result: ProviderResult, note: str) -> ProviderResult:
    """Return the result; a fault with the note in place of the words of the endpoint."""
    if isinstance(result, ProviderAnswer):
        return result
    adjustment = Adjustment()
    if result.adjustment:
        adjustment.CopyFrom(result.adjustment)
        adjustment.words = note if adjustment.words else ""
    return replace(
        result,
        reason=f"the request was not answered ({result.kind}): {note}",
        adjustment=adjustment if result.adjustment else None,
    )


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
    model, price = job.request.model, job.channel.price
    cost = cost_usd(price, answer) if price is not None else 0.0
    job.channel.metrics.record_answer(answer, cost)
    completion = Completion(
        id=job.key,
        text=answer.text,
        finish_reason=answer.finish_reason,
        latency_seconds=latency_seconds,
        cost_usd=cost,
        attempts=attempts,
        model=model.name,
        usage_unknown=not answer.is_usage_known,
        price_unknown=price is None,
    )
    # Messages within are filled in place: a copy of each costs as much as the rest.
    usage = completion.usage
    usage.prompt_tokens, usage.completion_tokens = answer.prompt_tokens, answer.completion_tokens
    _fill_response(completion.response, job, answer)
    if job.request.adjustments:
        completion.adjustments.extend(_adjustments(job))
    return completion


def _adjustments(job: CompletionJob) -> list[Adjustment]:
    """Return the adjustments of the job's request, without the time and the words of the endpoint."""
    return [
        Adjustment(parameter=parameter, replacement=replacement) for parameter, replacement in job.request.adjustments
    ]


def _fill_response(response: ProviderResponse, job: CompletionJob, answer: ProviderAnswer) -> None:
    """Say what came back; of an ordinary answer there is no more to say than its class."""
    response.response_class = answer.response_class
    if answer.response_class == RESPONSE_CLASS_ANSWERED:
        return
    response.category = answer.category
    response.words = _limit_words(job, answer) if answer.response_class == RESPONSE_CLASS_TRUNCATED else answer.words


def _limit_words(job: CompletionJob, answer: ProviderAnswer) -> str:
    """Return the limit that cut an answer off, and what remained of it."""
    counted = f", {answer.completion_tokens:,} tokens were used" if answer.completion_tokens else ""
    limit = f"the limit was {job.request.max_tokens:,} tokens{counted}"
    return f"{answer.words}; {limit}" if answer.words else limit


def _gave_up_reason(fault: ProviderFault, retries: RetryState) -> str:
    return fault.reason if retries.attempts == 1 else f"given up after {retries.attempts} requests: {fault.reason}"
