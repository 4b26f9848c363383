"""Posts through a forward proxy, with the limits of the direct client."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

import aiohttp

from libra.core.http.body import MAX_STREAM_BYTES, decompressed, pass_on, read_body
from libra.core.http.proxies import Proxy
from libra.gateway.provider.adapter import HttpResponse
from libra.gateway.provider.http.body_sink import BodySink
from libra.gateway.provider.http.endpoint import HttpEndpoint
from libra.gateway.provider.http.network import Network


class ProxyRefused(Exception):
    """The proxy demands a user and a password."""


class ProxiedConnections:
    """The connections of one process through proxies.

    It uses aiohttp's `ClientSession`, which knows how to talk to proxies and costs more than the direct client. A proxy
    is the operator's, so its own address may be any; it resolves the names of models, so their addresses are unknown.
    """

    def __init__(self, network: Network) -> None:
        self._limits = network.limits
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=self._limits.keep_alive_seconds, ssl=network.tls)
        self._session = aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
        )

    async def post(
        self,
        endpoint: HttpEndpoint,
        proxy: Proxy,
        credentials: Mapping[str, str],
        data: bytes,
        timeout_seconds: float,
        sink: BodySink | None = None,
    ) -> HttpResponse:
        """Return the response; raise the errors of the direct client, and ProxyRefused."""
        connect_seconds = min(timeout_seconds, self._limits.connect_seconds)
        response = await self._session.post(
            endpoint.url,
            data=data,
            headers={**endpoint.headers, **endpoint.credentials_to_send(credentials)},
            proxy=proxy.url,
            # aiohttp sends it to the proxy only, as Proxy-Authorization.
            proxy_headers={"Authorization": proxy.authorization} if proxy.authorization else None,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(
                total=timeout_seconds,
                connect=connect_seconds,
                sock_connect=connect_seconds,
                sock_read=self._limits.stall_seconds if sink is not None else None,
            ),
        )
        try:
            body = await _body_of(response, sink)
        except BaseException:
            response.close()
            raise
        response.release()
        encoding = response.headers.get("Content-Encoding", "")
        return HttpResponse(response.status, response.headers, decompressed(body, encoding))

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()


async def _body_of(response: aiohttp.ClientResponse, sink: BodySink | None) -> bytes:
    if response.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        raise ProxyRefused
    if sink is not None and sink.accepts(response.status, response.headers):
        await pass_on(response.content, sink.feed, MAX_STREAM_BYTES)
        return b""
    return await read_body(response.content, response.headers.get("Content-Length", ""))
