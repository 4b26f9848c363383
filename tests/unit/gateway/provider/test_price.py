"""Registered, published and unknown prices."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys

import pytest

from libra.core.spending.model_price import price_of
from libra.core.spending.published_price import PACKAGE, RELEASE_DATES
from libra.gateway.provider.price import cost_usd
from libra.gateway.provider.result import ProviderAnswer
from libra.v1.completion_pb2 import FinishReason
from libra.v1.model_pb2 import Model, ModelPrice, Provider


def model(url: str, name: str, provider: Provider.ValueType = Provider.PROVIDER_OPENAI) -> Model:
    return Model(name="m", provider=provider, base_url=url, remote_model=name)


@pytest.mark.parametrize(
    ("url", "name", "provider"),
    [
        ("https://api.openai.com/v1", "gpt-4o-mini", Provider.PROVIDER_OPENAI),
        ("https://api.openai.com/v1", "gpt-4o-2024-08-06", Provider.PROVIDER_OPENAI_RESPONSES),
        ("https://api.anthropic.com/v1", "claude-sonnet-4-5", Provider.PROVIDER_ANTHROPIC),
        ("https://generativelanguage.googleapis.com/v1beta", "gemini-2.5-pro", Provider.PROVIDER_GEMINI),
        ("https://mine.openai.azure.com/openai/v1", "gpt-4o", Provider.PROVIDER_AZURE_OPENAI),
        ("https://azure.example.com/openai/v1", "gpt-4o", Provider.PROVIDER_AZURE_OPENAI),
        ("https://api.mistral.ai/v1", "mistral-small-latest", Provider.PROVIDER_OPENAI),
    ],
)
def test_a_published_price_is_found_by_the_url_and_the_name(url: str, name: str, provider: Provider.ValueType) -> None:
    price = price_of(model(url, name, provider))
    assert price is not None
    assert 0 < price.usd_per_million_prompt_tokens < price.usd_per_million_completion_tokens < 1000
    version = importlib.metadata.version(PACKAGE)
    assert price.source == f"{PACKAGE} {version}, {RELEASE_DATES[version]}"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://api.openai.com/v1", "ft-my-own-model"),
        ("https://llm.example.com/v1", "gpt-4o-mini"),
        ("https://example.com/?u=https://api.openai.com/v1", "gpt-4o-mini"),
        ("http://localhost:8000/v1", "gpt-4o-mini"),
        ("http://127.0.0.1:4000/v1", "gpt-4o-mini"),
        ("http://10.0.0.7/v1", "gpt-4o-mini"),
        ("http://vllm.models.svc.cluster.local/v1", "gpt-4o-mini"),
        ("http://[::1]:8000/v1", "gpt-4o-mini"),
    ],
)
def test_the_price_of_another_endpoint_is_unknown(url: str, name: str) -> None:
    assert price_of(model(url, name)) is None


def test_a_registered_price_has_priority_also_if_it_is_nothing() -> None:
    entry = model("https://api.openai.com/v1", "gpt-4o-mini")
    entry.price.CopyFrom(ModelPrice())
    assert price_of(entry) == ModelPrice()


def test_a_reference_model_costs_nothing() -> None:
    price = price_of(Model(name="refuser", provider=Provider.PROVIDER_SCRIPTED))
    assert price is not None
    assert cost_usd(price, ProviderAnswer("no", FinishReason.FINISH_REASON_STOP, 10, 10)) == 0


def test_a_price_that_depends_on_the_length_is_that_of_short_prompts() -> None:
    price = price_of(model("https://generativelanguage.googleapis.com/v1beta", "gemini-2.5-pro"))
    assert price is not None
    answer = ProviderAnswer("yes", FinishReason.FINISH_REASON_STOP, 1_000_000, 0)
    assert cost_usd(price, answer) == price.usd_per_million_prompt_tokens


LOADED = """
import sys
from libra.core.spending.model_price import price_of
from libra.v1.model_pb2 import Model
price_of(Model(provider=1, base_url="http://localhost:8000/v1"))
assert "genai_prices" not in sys.modules
"""


def test_the_data_are_not_loaded_for_a_server_of_ones_own() -> None:
    subprocess.run([sys.executable, "-c", LOADED], check=True, timeout=60)
