"""Ask any endpoint that speaks OpenAI's chat completions, over the connections that a process keeps."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

import aiohttp

from libra.errors import Unavailable
from libra.gateway.completion.request import CompletionRequest
from libra.gateway.provider import api_key, openai_request, openai_response
from libra.gateway.provider.http_client import Connections, Endpoint, HttpLimits, TooLong
from libra.gateway.provider.openai_request import MAX_COMPLETION_TOKENS, MAX_TOKENS
from libra.gateway.provider.result import Fault, Kind, Reply
from libra.v1.model_pb2 import Model

DEFAULT_TIMEOUT_SECONDS = 120.0
SHOWN_CHARACTERS = 200


class OpenAi:
    """Asks over HTTP. Requests are bounded in time and answers in size; no key leaves in a message or an exception."""

    def __init__(self, environment: Mapping[str, str], limits: HttpLimits | None = None) -> None:
        self._environment = environment
        self._limits = limits or HttpLimits()
        self._connections: Connections | None = None
        self._closed = False
        self._endpoints: dict[str, Endpoint] = {}
        self._new_names: set[tuple[str, str]] = set()
        """Models, by base_url and remote_model, that want max_completion_tokens."""

    async def ask(self, question: CompletionRequest) -> Reply:
        """Make one request. Whatever comes of it is a reply; raise Unavailable once this is closed."""
        endpoint = (question.model.base_url, question.remote_model)
        limit = MAX_COMPLETION_TOKENS if endpoint in self._new_names else MAX_TOKENS
        try:
            key = api_key.find(question.model, self._environment)
            data = openai_request.body(question, limit=limit)
        except (api_key.NoKey, openai_request.BadSchema) as problem:
            return Fault(str(problem), Kind.FINAL)
        reply = await self._reply(question, data, key)
        if isinstance(reply, Fault) and limit == MAX_TOKENS and MAX_COMPLETION_TOKENS in reply.reason:
            self._new_names.add(endpoint)
            return Fault(reply.reason, Kind.PASSING, retry_after_seconds=0.0)
        return reply

    async def _reply(self, question: CompletionRequest, data: bytes, key: str) -> Reply:
        try:
            status, headers, body = await self._post(question, data, key)
        except aiohttp.ConnectionTimeoutError:
            return Fault(f"no connection to {question.model.base_url} in time", Kind.PASSING)
        except TimeoutError:
            return Fault(f"no answer within {timeout_of(question.model):g} s", Kind.TIMEOUT)
        except TooLong:
            return Fault("the provider's answer is longer than 4 MiB; the rest was not read", Kind.FINAL)
        except (aiohttp.ClientConnectorCertificateError, ValueError) as error:  # ValueError: it is no URL after all
            return Fault(f"{question.model.base_url} cannot be asked: {_said(error, key)}", Kind.FINAL)
        except (aiohttp.ClientError, OSError, zlib.error) as error:
            return Fault(f"the connection to {question.model.base_url} failed: {_said(error, key)}", Kind.PASSING)
        return openai_response.read(status, headers, body, question.model, key)

    async def close(self) -> None:
        """Close every connection, for good."""
        self._closed = True
        if self._connections is not None:
            await self._connections.close()
            self._connections = None

    async def _post(self, question: CompletionRequest, data: bytes, key: str) -> tuple[int, Mapping[str, str], bytes]:
        """Return the response's status, headers and body."""
        connections, endpoint = self._opened(), self._endpoint(question.model.base_url)
        return await connections.post(endpoint, key, data, timeout_of(question.model))

    def _opened(self) -> Connections:
        """Return the connections, made at the first request since they belong to the loop that runs then."""
        if self._closed:
            raise Unavailable("this gateway is about to stop; ask another, or again")
        if self._connections is None:
            self._connections = Connections(self._limits)
        return self._connections

    def _endpoint(self, base_url: str) -> Endpoint:
        if base_url not in self._endpoints:
            self._endpoints[base_url] = Endpoint(f"{base_url.rstrip('/')}/chat/completions")
        return self._endpoints[base_url]


def timeout_of(model: Model) -> float:
    """Return how many seconds one request may take, from its start to its last byte."""
    return model.limits.timeout_seconds or DEFAULT_TIMEOUT_SECONDS


def _said(error: Exception, key: str) -> str:
    """Return an exception's name and words. Never its repr: aiohttp's shows the request's headers."""
    return f"{type(error).__name__}: {api_key.scrub(str(error), key)[:SHOWN_CHARACTERS]}"
