"""Asks models over HTTP, through the adapter of their API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import orjson
from yarl import URL

from libra.core.errors import Unavailable
from libra.core.http.address_policy import AddressPolicy, AddressRefused
from libra.gateway.provider.adapter import Adapter, HttpResponse
from libra.gateway.provider.exchange_record import Record, recorded
from libra.gateway.provider.http.body_sink import BodySink
from libra.gateway.provider.http.client import Connections
from libra.gateway.provider.http.connection_faults import EXPECTED, connection_fault, is_hang_up, tls_port_fault
from libra.gateway.provider.http.endpoint import HttpEndpoint
from libra.gateway.provider.http.network import Network
from libra.gateway.provider.keys.api_key import NoKey, NoToken, scrub
from libra.gateway.provider.keys.model_keys import NO_KEYS, ModelKeys
from libra.gateway.provider.refusals.refused_request import with_refusal
from libra.gateway.provider.request import CompletionRequest, InvalidRequest, timeout_seconds
from libra.gateway.provider.result import BlockCause, FaultKind, ProviderFault, ProviderResult
from libra.gateway.provider.streaming.body_tap import BodyTap
from libra.gateway.provider.streaming.form import StreamForm
from libra.gateway.provider.streaming.text_relay import TextRelay
from libra.v1.model_pb2 import Model, RequestOptions

BAD_REQUEST = 400
STREAM_REFUSALS = frozenset({400, 404, 405, 415, 422, 501})
STREAM_WORD = b"stream"
"""A refusal with one of these statuses contains this word if streaming is its cause."""

MAX_ENDPOINTS = 1_000
"""URLs whose request heads are kept; beyond it all are forgotten."""


class PreparedRequest(NamedTuple):
    """A request as it is sent."""

    endpoint: HttpEndpoint
    credentials: Mapping[str, str]
    """Headers that contain keys."""

    data: bytes
    """The body."""

    document: dict[str, Any]
    """The body as a JSON object, without the extra fields of the model's options."""

    secrets: str
    """Every key, one a line."""


class HttpProvider:
    """Makes requests, bounded in time and size. No API key appears in a message or an exception."""

    def __init__(self, keys: ModelKeys, network: Network | None = None) -> None:
        self._keys, self._network = keys, network or Network()
        self._connections: Connections | None = None
        self._is_closed = False
        self._endpoints: dict[tuple[str, str], HttpEndpoint] = {}

    async def ask(self, adapter: Adapter, request: CompletionRequest, record: Record | None = None) -> ProviderResult:
        """Make one request. Every outcome is a result; only after `close` it raises Unavailable.

        `record` takes what was sent and what came back.
        """
        connections = self._open_connections()
        prepared = await self._prepare(adapter, request)
        if isinstance(prepared, ProviderFault):
            return prepared
        exchange = _exchange(connections, prepared, timeout_seconds(request.model))
        if record is not None:
            exchange = recorded(
                exchange, record, prepared.endpoint, prepared.credentials, prepared.data, prepared.secrets
            )
        response = await exchange
        if isinstance(response, ProviderFault):
            return replace(response, reason=scrub(response.reason, prepared.secrets))
        return _result(adapter, response, request, prepared)

    async def ask_streaming(
        self, adapter: Adapter, form: StreamForm, request: CompletionRequest, relay: TextRelay
    ) -> ProviderResult:
        """Make one request whose text goes to `relay` while it arrives, if the endpoint streams.

        An endpoint that refuses to stream is asked again without, now and from then on.
        """
        connections = self._open_connections()
        prepared = await self._prepare(adapter, request, form)
        if isinstance(prepared, ProviderFault):
            return prepared
        if prepared.endpoint.refuses_streams:
            return await self.ask(adapter, request)
        tap = BodyTap(form, relay, prepared.secrets)
        response = await _exchange(connections, prepared, timeout_seconds(request.model), tap)
        if not isinstance(response, ProviderFault) and tap.is_open:
            body = tap.body()
            response = body if isinstance(body, ProviderFault) else response._replace(body=body)
        if isinstance(response, ProviderFault):
            return replace(response, reason=scrub(response.reason, prepared.secrets))
        if response.status in STREAM_REFUSALS and STREAM_WORD in response.body:
            prepared.endpoint.refuses_streams = True
            return await self.ask(adapter, request)
        return _result(adapter, response, request, prepared)

    async def _prepare(
        self, adapter: Adapter, request: CompletionRequest, form: StreamForm | None = None
    ) -> PreparedRequest | ProviderFault:
        """Return the request as it is sent, or why none can be sent."""
        model = request.model
        has_options = not request.is_plain and model.HasField("options")
        try:
            keys = self._keys.find(model)
            document, url = adapter.body(request), adapter.url(request)
            if form is not None:
                document, url = {**document, **form.fields()}, form.url(url)
            data = _serialize(document, model) if has_options else orjson.dumps(document)
            endpoint = self._endpoint(url, model, has_options=has_options)
            if keys is not NO_KEYS and not self._keys.is_checked(model, endpoint.key_target):
                await self._keys.check_target(model, endpoint.key_target)
            credentials = await adapter.credentials(url, data, keys.key)
        except NoToken as problem:
            return ProviderFault(str(problem), FaultKind.PASSING)
        except NoKey as problem:
            return ProviderFault(str(problem), FaultKind.FINAL, block=BlockCause.KEY)
        except InvalidRequest as problem:
            return ProviderFault(str(problem), FaultKind.FINAL)
        except (AddressRefused, ValueError) as problem:  # ValueError: an invalid URL
            reason = f"{model.base_url} cannot be used: {problem}"
            return ProviderFault(reason, FaultKind.FINAL, block=BlockCause.UNKNOWN_MODEL)
        except Unavailable as problem:
            return ProviderFault(f"the hosts of API keys cannot be read: {problem}", FaultKind.PASSING)
        if keys.headers:
            credentials = {**credentials, **keys.headers}
        return PreparedRequest(endpoint, credentials, data, document, keys.secrets)

    def problem_of(self, model: Model) -> str:
        """Return why the model cannot be asked, or an empty string."""
        return self._keys.problem_of(model) or _problem_of_url(model.base_url, self._network.policy)

    async def close(self) -> None:
        """Close every connection. Later requests raise Unavailable."""
        self._is_closed = True
        if self._connections is not None:
            await self._connections.close()
            self._connections = None

    def _open_connections(self) -> Connections:
        """Return the connections, created at the first request because they belong to the event loop that runs then."""
        if self._is_closed:
            raise Unavailable("this gateway is about to stop; call again, or call another replica")
        if self._connections is None:
            self._connections = Connections(self._network)
        return self._connections

    def _endpoint(self, url: str, model: Model, *, has_options: bool) -> HttpEndpoint:
        known = url, _text_of_options(model.options) if has_options else ""
        endpoint = self._endpoints.get(known)
        if endpoint is None:
            if len(self._endpoints) >= MAX_ENDPOINTS:
                self._endpoints.clear()
            options = model.options
            full_url = URL(url).update_query(dict(options.query)) if options.query else URL(url)
            endpoint = self._endpoints[known] = HttpEndpoint(
                full_url, dict(options.headers), self._network.policy, self._network.proxies
            )
        return endpoint


def _result(
    adapter: Adapter, response: HttpResponse, request: CompletionRequest, prepared: PreparedRequest
) -> ProviderResult:
    result = adapter.read(response, request, prepared.secrets)
    if isinstance(result, ProviderFault):
        return with_refusal(result, response, request, prepared.document, prepared.secrets)
    return result


async def _exchange(
    connections: Connections, prepared: PreparedRequest, seconds: float, sink: BodySink | None = None
) -> HttpResponse | ProviderFault:
    """Return the response, or why there is none. A body that `sink` accepts goes there."""
    endpoint = prepared.endpoint
    try:
        response = await connections.post(endpoint, prepared.credentials, prepared.data, seconds, sink)
    except EXPECTED as error:
        if is_hang_up(error) and await _is_tls_port(connections, endpoint):
            return tls_port_fault(endpoint)
        return connection_fault(error, endpoint, seconds)
    # Some servers answer plain HTTP on a port that speaks TLS with this status.
    if response.status == BAD_REQUEST and await _is_tls_port(connections, endpoint):
        return tls_port_fault(endpoint)
    endpoint.has_answered, endpoint.may_speak_tls = True, False
    return response


async def _is_tls_port(connections: Connections, endpoint: HttpEndpoint) -> bool:
    """Return whether plain HTTP was sent to a port that speaks TLS; False if another answer is known already."""
    if endpoint.may_speak_tls:
        endpoint.may_speak_tls = await connections.is_tls_port(endpoint)
    return endpoint.may_speak_tls


def _problem_of_url(url: str, policy: AddressPolicy) -> str:
    try:
        policy.check_host(URL(url).raw_host or "")
    except (AddressRefused, ValueError) as problem:
        return f"{url} cannot be used: {problem}"
    return ""


def _text_of_options(options: RequestOptions) -> str:
    """Return what of the options shapes the head of a request, as a key of the cache."""
    if not options.headers and not options.query:
        return ""
    return repr((sorted(options.headers.items()), sorted(options.query.items())))


def _serialize(document: dict[str, object], model: Model) -> bytes:
    """Return the body as JSON, with the extra fields of the model's options."""
    if model.options.body_json:
        document |= orjson.loads(model.options.body_json)
    return orjson.dumps(document)
