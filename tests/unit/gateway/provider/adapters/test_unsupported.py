"""No parameter vanishes silently: it changes what is sent, or the adapter lists it as unsupported."""

from __future__ import annotations

from typing import Any

import pytest
from tests.provider_fixtures import ProviderFixture, provider_fixtures

from libra.gateway.provider.request import CompletionRequest
from libra.v1.completion_pb2 import GenerationParameters
from libra.v1.message_pb2 import Message
from libra.v1.model_pb2 import Model, RequestOptions

PARAMETERS: dict[str, dict[str, Any]] = {
    "temperature": {"temperature": 0.0},
    "top_p": {"top_p": 0.5},
    "seed": {"seed": 0},
    "json_schema": {"json_schema": '{"type": "object"}'},
    "max_tokens": {"max_tokens": 9},
}
OPTIONS: dict[str, dict[str, Any]] = {
    "top_k": {"top_k": 3},
    "stop": {"stop": ["END"]},
    "reasoning_effort": {"reasoning_effort": "low"},
}


def request(fixture: ProviderFixture, parameters: dict[str, Any], options: dict[str, Any]) -> CompletionRequest:
    about = fixture.about
    model = Model(
        name="m",
        base_url=about["base_url"],
        remote_model=about["remote_model"],
        options=RequestOptions(**options),
    )
    return CompletionRequest(model, GenerationParameters(**parameters), (Message(role="user", content="Hello"),))


@pytest.mark.parametrize("fixture", provider_fixtures().values(), ids=provider_fixtures())
@pytest.mark.parametrize("name", [*PARAMETERS, *OPTIONS])
def test_a_parameter_is_sent_or_listed(fixture: ProviderFixture, name: str) -> None:
    without = fixture.adapter.body(request(fixture, {}, {}))
    given = fixture.adapter.body(request(fixture, PARAMETERS.get(name, {}), OPTIONS.get(name, {})))
    unsupported: frozenset[str] = getattr(fixture.adapter, "unsupported", frozenset())
    assert (given == without) == (name in unsupported)
