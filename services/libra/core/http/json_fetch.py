"""Reads a JSON document of a host that the operator names, within limits of size and time."""

from __future__ import annotations

import json
import ssl
from typing import Any

import aiohttp

from libra.core.http.body import TooLong, pass_on
from libra.core.http.secure_url import check_url

MAX_DOCUMENT_BYTES = 512 * 1024
TIMEOUT_SECONDS = 5.0
OK = 200


class FetchFailed(Exception):
    """There is no document; the message says why."""


async def fetch_json(url: str, tls: ssl.SSLContext | None = None) -> Any:
    """Return the document. No redirect is followed. Raises FetchFailed."""
    try:
        check_url(url)
    except ValueError as error:
        raise FetchFailed(f"{url} is not read: {error}") from None
    try:
        return json.loads(await _fetch(url, tls))
    except TooLong:
        raise FetchFailed(f"{url} has more than {MAX_DOCUMENT_BYTES:,} bytes") from None
    except TimeoutError:
        raise FetchFailed(f"{url} did not answer within {TIMEOUT_SECONDS:g} s") from None
    except (aiohttp.ClientError, OSError) as error:
        raise FetchFailed(f"{url} cannot be reached ({type(error).__name__})") from None
    except (ValueError, RecursionError):
        raise FetchFailed(f"{url} is not a JSON document") from None


async def _fetch(url: str, tls: ssl.SSLContext | None) -> bytes:
    """Return the body. Each document is read over a connection of its own: it is read once in minutes."""
    parts: list[bytes] = []
    async with (
        aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(force_close=True, ssl=tls or True),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
        ) as session,
        session.get(
            url,
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS),
        ) as response,
    ):
        if response.status != OK:
            raise FetchFailed(f"{url} answered with status {response.status}")
        await pass_on(response.content, parts.append, MAX_DOCUMENT_BYTES)
    return b"".join(parts)
