"""Ask any endpoint that speaks OpenAI's chat completions, over one HTTP session a process."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
from yarl import URL

from libra.errors import Unavailable
from libra.gateway import openai_body, openai_reply, secret
from libra.gateway.openai_body import MAX_COMPLETION_TOKENS, MAX_TOKENS
from libra.gateway.question import Question
from libra.gateway.reply import Fault, Kind, Reply
from libra.v1.model_pb2 import Model

DEFAULT_TIMEOUT_SECONDS = 120.0
MAX_BODY_BYTES = 4 * 1024 * 1024
GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
SHOWN_CHARACTERS = 200

HEADERS = {
    "Content-Type": "application/json",
    "Accept": "application/json",
    # Answers are small; what is not compressed cannot burst.
    "Accept-Encoding": "identity",
    "User-Agent": "libra",
}


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """What a session is held to."""

    connect_seconds: float = 15.0
    """A connection is made within this, or the attempt has failed: no need to wait for the model's whole timeout."""

    keep_alive_seconds: float = 30.0
    """Shorter than what servers grant an idle connection, lest a request meet one that is being closed."""


class TooLong(Exception):
    """The body is longer than MAX_BODY_BYTES."""


class OpenAi:
    """Asks over HTTP. Requests are bounded in time and answers in size; no key leaves in a message or an exception."""

    def __init__(self, environment: Mapping[str, str], limits: HttpLimits | None = None) -> None:
        self._environment = environment
        self._limits = limits or HttpLimits()
        self._session: aiohttp.ClientSession | None = None
        self._closed = False
        self._urls: dict[str, URL] = {}
        self._new_names: set[tuple[str, str]] = set()
        """Models, by base_url and remote_model, that want max_completion_tokens."""

    async def ask(self, question: Question) -> Reply:
        """Make one request. Whatever comes of it is a reply; raise Unavailable once this is closed."""
        endpoint = (question.model.base_url, question.remote_model)
        limit = MAX_COMPLETION_TOKENS if endpoint in self._new_names else MAX_TOKENS
        try:
            key = secret.find(question.model, self._environment)
            data = openai_body.body(question, limit=limit)
        except (secret.NoKey, openai_body.BadSchema) as problem:
            return Fault(str(problem), Kind.FINAL)
        reply = await self._reply(question, data, key)
        if isinstance(reply, Fault) and limit == MAX_TOKENS and MAX_COMPLETION_TOKENS in reply.reason:
            self._new_names.add(endpoint)
            return Fault(reply.reason, Kind.PASSING, retry_after_seconds=0.0)
        return reply

    async def _reply(self, question: Question, data: bytes, key: str) -> Reply:
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
        return openai_reply.read(status, headers, body, question.model, key)

    async def close(self) -> None:
        """Close every connection, for good."""
        self._closed = True
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _post(self, question: Question, data: bytes, key: str) -> tuple[int, Mapping[str, str], bytes]:
        """Return the response's status, headers and body."""
        headers = {"Authorization": f"Bearer {key}"} if key else None
        total = timeout_of(question.model)
        timeout = aiohttp.ClientTimeout(total=total, sock_connect=min(total, self._limits.connect_seconds))
        # Not redirected: a POST would become a GET, and the key would go where the entry does not say.
        request = self._opened().post(
            self._url(question.model.base_url), data=data, headers=headers, timeout=timeout, allow_redirects=False
        )
        async with request as response:
            body = unpacked(await bounded(response), response.headers.get("Content-Encoding", ""))
            return response.status, response.headers, body

    def _opened(self) -> aiohttp.ClientSession:
        """Return the session, made at the first request since it belongs to the loop that runs then."""
        if self._closed:
            raise Unavailable("this gateway is about to stop; ask another, or again")
        if self._session is None:
            self._session = aiohttp.ClientSession(
                # The limiters count; a second limit here would only hide a request's wait in its latency.
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=self._limits.keep_alive_seconds),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=HEADERS,
                auto_decompress=False,
            )
        return self._session

    def _url(self, base_url: str) -> URL:
        if base_url not in self._urls:
            self._urls[base_url] = URL(f"{base_url.rstrip('/')}/chat/completions")
        return self._urls[base_url]


def timeout_of(model: Model) -> float:
    """Return how many seconds one request may take, from its start to its last byte."""
    return model.limits.timeout_seconds or DEFAULT_TIMEOUT_SECONDS


async def bounded(response: aiohttp.ClientResponse) -> bytes:
    """Return the body as it came; raise TooLong as soon as it is."""
    if (response.content_length or 0) > MAX_BODY_BYTES:
        raise TooLong
    parts: list[bytes] = []
    size = 0
    while part := await response.content.readany():
        size += len(part)
        if size > MAX_BODY_BYTES:
            raise TooLong
        parts.append(part)
    return b"".join(parts)


def unpacked(body: bytes, encoding: str) -> bytes:
    """Undo a compression that was not asked for, up to the limit; raise TooLong beyond it, and zlib.error."""
    if encoding.lower() not in ("gzip", "x-gzip", "deflate"):
        return body
    inflate = zlib.decompressobj(GZIP_OR_ZLIB)
    data = inflate.decompress(body, MAX_BODY_BYTES + 1)
    if len(data) > MAX_BODY_BYTES:
        raise TooLong
    if not inflate.eof:
        raise zlib.error("the compressed answer is cut short")
    return data


def _said(error: Exception, key: str) -> str:
    """Return an exception's name and words. Never its repr: aiohttp's shows the request's headers."""
    return f"{type(error).__name__}: {secret.scrub(str(error), key)[:SHOWN_CHARACTERS]}"
