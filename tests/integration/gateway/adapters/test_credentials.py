"""Credentials that are made for each request reach the endpoint, and nothing repeats them."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from tests import sigv4
from tests.google_account import TokenEndpoint
from tests.provider_fixtures import ProviderFixture, provider_fixtures

from libra.core.http.address_policy import AddressPolicy
from libra.gateway.provider.http.network import Network
from libra.gateway.provider.http_provider import HttpProvider
from libra.gateway.provider.keys.model_keys import ModelKeys
from libra.gateway.provider.request import CompletionRequest
from libra.gateway.provider.result import FaultKind, ProviderAnswer, ProviderFault, ProviderResult

AWS_KEY = "AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY:FwoGZXIvYXdzEBYaDH+session/token=="

LOOPBACK = Network(AddressPolicy.parse("loopback"))


@dataclass
class Endpoint:
    """An endpoint that answers as a script says, and records the requests as they were sent."""

    status: int = 200
    body: Any = None
    received: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    port: int = 0

    async def respond(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.received.append((request.raw_path, headers, await request.read()))
        repeated = json.dumps(self.body).replace("ECHO", " ".join(headers.values()).replace('"', ""))
        return web.Response(text=repeated, status=self.status, content_type="application/json")


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    made, app = Endpoint(), web.Application()
    app.router.add_post("/{path:.*}", made.respond)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.port = runner.addresses[0][1]
    yield made
    await runner.cleanup()


async def ask(fixture: ProviderFixture, request: CompletionRequest, key: str) -> ProviderResult:
    provider = HttpProvider(ModelKeys({"TEST_API_KEY": key}), LOOPBACK)
    try:
        return await provider.ask(fixture.adapter, request)
    finally:
        await provider.close()


@pytest.mark.parametrize("name", ["all_parameters", "inference_profile", "conversation"])
async def test_bedrock_gets_a_signature_of_what_is_sent(endpoint: Endpoint, name: str) -> None:
    fixture = provider_fixtures()["bedrock"]
    endpoint.body = fixture.responses["answered"].body
    request = fixture.request(name, f"http://127.0.0.1:{endpoint.port}/us-east-1")
    assert isinstance(await ask(fixture, request, AWS_KEY), ProviderAnswer)
    ((path, headers, body),) = endpoint.received
    assert sigv4.is_signed("POST", path, headers, body, AWS_KEY)
    assert not sigv4.is_signed("POST", path, headers, body + b" ", AWS_KEY)
    assert headers["x-amz-security-token"] == AWS_KEY.split(":")[2]
    assert json.loads(body) == fixture.requests[name]["body"]


@pytest.mark.parametrize("status", [200, 400, 403, 500])
async def test_nothing_repeats_the_credentials_of_bedrock(
    endpoint: Endpoint, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    fixture = provider_fixtures()["bedrock"]
    endpoint.status = status
    endpoint.body = fixture.responses["answered"].body | {"message": "ECHO"}
    if status == 200:
        endpoint.body = {"output": {"message": {"content": [{"text": "you sent ECHO"}]}}, "stopReason": "end_turn"}
    result = await ask(fixture, fixture.request("plain", f"http://127.0.0.1:{endpoint.port}/us-east-1"), AWS_KEY)
    for part in AWS_KEY.split(":"):
        assert part not in repr(result) + caplog.text


async def test_vertex_gets_an_access_token_which_nothing_repeats(
    endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    fixture = provider_fixtures()["gemini"]
    endpoint.body = {"candidates": [{"content": {"parts": [{"text": "you sent ECHO"}]}, "finishReason": "STOP"}]}
    async with TokenEndpoint() as tokens:
        url = f"http://127.0.0.1:{endpoint.port}/v1/projects/p/locations/l/publishers/google"
        result = await ask(fixture, fixture.request("plain", url), tokens.account)
        endpoint.status, endpoint.body = 403, {"error": {"code": 403, "message": "refused: ECHO"}}
        refused = await ask(fixture, fixture.request("plain", url), tokens.account)
    ((path, headers, _), _) = endpoint.received
    assert path == "/v1/projects/p/locations/l/publishers/google/models/gemini-2.5-flash:generateContent"
    assert headers["authorization"] == "Bearer ya29.test-token-1"
    assert isinstance(result, ProviderAnswer)
    assert isinstance(refused, ProviderFault)
    assert "test-tok" not in f"{result} {refused}" + caplog.text
    assert "PRIVATE KEY" not in f"{result} {refused}" + caplog.text


async def test_a_token_endpoint_that_is_down_is_asked_again(endpoint: Endpoint) -> None:
    fixture = provider_fixtures()["gemini"]
    url = f"http://127.0.0.1:{endpoint.port}/v1/projects/p/locations/l/publishers/google"
    account = TokenEndpoint(port=1).account
    result = await ask(fixture, fixture.request("plain", url), account)
    assert isinstance(result, ProviderFault)
    assert (result.kind, endpoint.received) == (FaultKind.PASSING, [])


async def test_the_version_in_a_models_options_replaces_anthropics_usual_one(endpoint: Endpoint) -> None:
    fixture = provider_fixtures()["anthropic"]
    endpoint.body = fixture.responses["answered"].body
    request = fixture.request("plain", f"http://127.0.0.1:{endpoint.port}/v1")
    await ask(fixture, request, "sk-ant-test")
    request.model.options.headers["Anthropic-Version"] = "2030-01-01"
    await ask(fixture, request, "sk-ant-test")
    versions = [headers["anthropic-version"] for _, headers, _ in endpoint.received]
    assert versions == ["2023-06-01", "2030-01-01"]
    assert {headers["x-api-key"] for _, headers, _ in endpoint.received} == {"sk-ant-test"}
