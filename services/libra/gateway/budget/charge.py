"""The cost of a request: the most that it may cost before it is made, and the actual one after its answer."""

from __future__ import annotations

from libra.core.spending.budget_ledger import Amount, amount
from libra.gateway.provider.price import MILLION, cost_usd
from libra.gateway.provider.request import CompletionRequest
from libra.gateway.provider.result import BlockCause, FaultKind, ProviderAnswer, ProviderResult
from libra.v1.completion_pb2 import FINISH_REASON_ERROR, Completion
from libra.v1.model_pb2 import ModelPrice

OVER_BUDGET = "the budget of the run is used up; `libra run resume` continues it with more"


def most_of(request: CompletionRequest, price: ModelPrice | None) -> Amount:
    """Return the most that a request costs: a high estimate of its prompt, and the longest answer."""
    prompt_tokens, completion_tokens = request.prompt_tokens(), request.max_tokens
    usd = 0.0
    if price is not None:
        usd = prompt_tokens * price.usd_per_million_prompt_tokens
        usd += completion_tokens * price.usd_per_million_completion_tokens
    return amount(usd / MILLION, prompt_tokens + completion_tokens, 1)


def spent_on(result: ProviderResult, price: ModelPrice | None, most: Amount) -> Amount:
    """Return what a request has cost.

    It is the most that it may have cost if the provider has not counted the tokens, or if the answer came too late.
    Other faults cost a request and nothing else.
    """
    if not isinstance(result, ProviderAnswer) and result.block is BlockCause.CEILING:
        return Amount()  # the request was not made
    if isinstance(result, ProviderAnswer):
        if not result.is_usage_known:
            return most
        usd = cost_usd(price, result) if price is not None else 0.0
        return amount(usd, result.prompt_tokens + result.completion_tokens, 1)
    return most if result.kind is FaultKind.TIMEOUT else amount(requests=1)


def is_over_budget(completion: Completion) -> bool:
    """Return whether the request was not made because its run has used up its budget. It is no verdict on the model."""
    return completion.finish_reason == FINISH_REASON_ERROR and completion.error == OVER_BUDGET
