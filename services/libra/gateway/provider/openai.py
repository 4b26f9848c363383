"""The adapter for endpoints with OpenAI's chat completions API."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

import aiohttp
from aiohttp.http import HttpProcessingError

from libra.core.errors import Unavailable
from libra.gateway.provider import api_key, openai_request, openai_response
from libra.gateway.provider.http_client import Connections, HttpEndpoint, HttpLimits, TooLong
from libra.gateway.provider.openai_request import MAX_COMPLETION_TOKENS, MAX_TOKENS
from libra.gateway.provider.request import CompletionRequest, InvalidSchema, timeout_seconds
from libra.gateway.provider.result import FaultKind, ProviderFault, ProviderResult

QUOTED_CHARACTERS = 200


class OpenAi:
    """Sends requests over HTTP, bounded in time and size. No API key appears in a message or an exception."""

    def __init__(self, environment: Mapping[str, str], limits: HttpLimits | None = None) -> None:
        self._environment = environment
        self._limits = limits or HttpLimits()
        self._connections: Connections | None = None
        self._is_closed = False
        self._endpoints: dict[str, HttpEndpoint] = {}
        self._max_completion_tokens: set[tuple[str, str]] = set()
        """Models, by base_url and remote_model, that require `max_completion_tokens`."""

    async def ask(self, request: CompletionRequest) -> ProviderResult:
        """Make one request. Every outcome is a result; only after `close` it raises Unavailable."""
        model = (request.model.base_url, request.remote_model)
        limit_name = MAX_COMPLETION_TOKENS if model in self._max_completion_tokens else MAX_TOKENS
        try:
            key = api_key.find(request.model, self._environment)
            data = openai_request.body(request, limit_name=limit_name)
        except (api_key.NoKey, InvalidSchema) as problem:
            return ProviderFault(str(problem), FaultKind.FINAL)
        result = await self._exchange(request, data, key)
        if isinstance(result, ProviderFault) and limit_name == MAX_TOKENS and MAX_COMPLETION_TOKENS in result.reason:
            self._max_completion_tokens.add(model)
            return ProviderFault(result.reason, FaultKind.PASSING, retry_after_seconds=0.0)
        return result

    async def _exchange(self, request: CompletionRequest, data: bytes, key: str) -> ProviderResult:
        try:
            status, headers, body = await self._post(request, data, key)
        except aiohttp.ConnectionTimeoutError:
            return ProviderFault(f"no connection to {request.model.base_url} in time", FaultKind.PASSING)
        except TimeoutError:
            return ProviderFault(f"no answer within {timeout_seconds(request.model):g} s", FaultKind.TIMEOUT)
        except TooLong:
            return ProviderFault("the provider's answer is longer than 4 MiB; the rest was not read", FaultKind.FINAL)
        except (aiohttp.ClientConnectorCertificateError, ValueError) as error:  # ValueError: an invalid URL
            return ProviderFault(f"{request.model.base_url} cannot be used: {_text(error, key)}", FaultKind.FINAL)
        except (aiohttp.ClientError, HttpProcessingError, OSError, zlib.error) as error:
            reason = f"the connection to {request.model.base_url} failed: {_text(error, key)}"
            return ProviderFault(reason, FaultKind.PASSING)
        return openai_response.read(status, headers, body, request.model, key)

    async def close(self) -> None:
        """Close every connection. Later requests raise Unavailable."""
        self._is_closed = True
        if self._connections is not None:
            await self._connections.close()
            self._connections = None

    async def _post(self, request: CompletionRequest, data: bytes, key: str) -> tuple[int, Mapping[str, str], bytes]:
        """Return the response's status, headers and body."""
        connections, endpoint = self._open_connections(), self._endpoint(request.model.base_url)
        return await connections.post(endpoint, key, data, timeout_seconds(request.model))

    def _open_connections(self) -> Connections:
        """Return the connections, created at the first request because they belong to the event loop that runs then."""
        if self._is_closed:
            raise Unavailable("this gateway is about to stop; call again, or call another replica")
        if self._connections is None:
            self._connections = Connections(self._limits)
        return self._connections

    def _endpoint(self, base_url: str) -> HttpEndpoint:
        if base_url not in self._endpoints:
            self._endpoints[base_url] = HttpEndpoint(f"{base_url.rstrip('/')}/chat/completions")
        return self._endpoints[base_url]


def _text(error: Exception, key: str) -> str:
    """Return the name and message of an exception. Never its repr: aiohttp's shows the request's headers."""
    return f"{type(error).__name__}: {api_key.scrub(str(error), key)[:QUOTED_CHARACTERS]}"
