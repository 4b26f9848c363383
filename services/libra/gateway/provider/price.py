"""The cost of an answer."""

from __future__ import annotations

from libra.gateway.provider.result import ProviderAnswer
from libra.v1.model_pb2 import ModelPrice

MILLION = 1_000_000


def cost_usd(price: ModelPrice, answer: ProviderAnswer) -> float:
    """Return the cost of the answer in US dollars."""
    prompt = answer.prompt_tokens * price.usd_per_million_prompt_tokens
    return (prompt + answer.completion_tokens * price.usd_per_million_completion_tokens) / MILLION
