"""Asks a model one question for a person who wants to know whether it can be asked: past the store, recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus

from libra.core.access import team_scope
from libra.core.errors import Invalid
from libra.core.parameter_limits import check_parameters
from libra.gateway.completion.model_client import failed_completion
from libra.gateway.components import Components
from libra.gateway.model_channel import ModelChannel
from libra.gateway.provider.request import CompletionRequest
from libra.v1.completion_pb2 import GenerationParameters
from libra.v1.gateway_pb2 import Exchange, TestModelRequest, TestModelResponse
from libra.v1.message_pb2 import Message
from libra.v1.model_pb2 import Model

QUESTION = "What is the capital of France? Answer in one sentence."
PARAMETERS = GenerationParameters(temperature=0, seed=1, max_tokens=64)
"""Such as most runs send, so that the endpoint refuses here what it would refuse in a run."""

DEFAULT_SECONDS, MAX_SECONDS = 10.0, 600.0
MAX_QUESTION_CHARACTERS = 16_384


class ModelTester:
    """Uses the adapters, limits and connections of all other requests. What a test learns about an endpoint stays."""

    def __init__(self, components: Components) -> None:
        self._components = components

    async def test(self, model: Model, request: TestModelRequest) -> TestModelResponse:
        """Return what was sent and what came back. `request` is valid. A fault is reported, not waited for."""
        exchanges: list[Exchange] = []
        components = self._components
        providers = components.providers.recorded(exchanges.append)
        client = replace(components.model_client, providers=providers)
        channel = components.channels.get(model)
        seconds = request.timeout_seconds or DEFAULT_SECONDS
        try:
            async with asyncio.timeout(seconds):
                completion = await components.completer.ask_once(_question(model, request), client)
        except TimeoutError:
            completion = failed_completion("", model.name, _late(channel, exchanges, seconds), len(exchanges))
        if completion.error and exchanges and exchanges[-1].status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            completion.error += "; it may recover by itself: test it again in a minute"
        return TestModelResponse(
            exchanges=exchanges, completion=completion, adjustments=completion.adjustments, price=channel.price
        )


def check_test(request: TestModelRequest) -> None:
    """Raise Invalid with the first invalid field."""
    if not request.model:
        raise Invalid("the model is missing", field="model")
    if len(request.question) > MAX_QUESTION_CHARACTERS:
        raise Invalid(f"a question has at most {MAX_QUESTION_CHARACTERS:,} characters", field="question")
    if not 0 <= request.timeout_seconds <= MAX_SECONDS:
        raise Invalid(f"it must be from 0 (the default: 10) to {MAX_SECONDS:g}", field="timeout_seconds")
    check_parameters(request.parameters, field="parameters")


def _question(model: Model, request: TestModelRequest) -> CompletionRequest:
    parameters = request.parameters if request.HasField("parameters") else PARAMETERS
    prompt = (Message(role="user", content=request.question or QUESTION),)
    return CompletionRequest(model, parameters, prompt, team=team_scope.partition())


def _late(channel: ModelChannel, exchanges: Sequence[Exchange], seconds: float) -> str:
    """Return why a test did not end in time: a request was not answered, or none was allowed to start."""
    if exchanges:
        return (
            f"no answer within {seconds:g} s: {channel.model.base_url} does not reply, or the server is still loading "
            "the model; check the URL, or test it with a longer timeout"
        )
    return (
        f"no request could be sent within {seconds:g} s: the model's limits are in use ({channel.limiter.in_flight} "
        "requests in flight), or its provider asked for a pause; test it again later"
    )
