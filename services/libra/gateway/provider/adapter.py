"""The contract of an adapter: it translates a request to one API, and the API's responses to results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from libra.gateway.provider.request import CompletionRequest
from libra.gateway.provider.result import ProviderResult


class HttpResponse(NamedTuple):
    """A response with its whole body. Header names ignore case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Adapter(Protocol):
    """Translates, and does no I/O, except that `credentials` may fetch a token."""

    def url(self, request: CompletionRequest) -> str:
        """Return the URL to post to, without the query parameters of the model's options. Raises InvalidRequest."""

    def body(self, request: CompletionRequest) -> dict[str, Any]:
        """Return the body as a JSON object, without `body_json` of the model's options. Raises InvalidRequest."""

    async def credentials(self, url: str, body: bytes, key: str, /) -> Mapping[str, str]:
        """Return the headers that authenticate a request. `key` is printable ASCII, or empty if the model has none.

        Raises NoKey.
        """

    def read(self, response: HttpResponse, request: CompletionRequest, key: str) -> ProviderResult:
        """Return the result that the response stands for. Nothing in it is trusted, and nothing raises."""
