"""Reads the body of a response, within a limit of size."""

from __future__ import annotations

import zlib
from collections.abc import Callable

from aiohttp.streams import StreamReader

MAX_BODY_BYTES = 4 * 1024 * 1024
MAX_STREAM_BYTES = 64 * 1024 * 1024
"""The limit of a stream of events: each token has some hundred bytes around it."""

GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


class TooLong(Exception):
    """The body is longer than MAX_BODY_BYTES."""


async def read_body(payload: StreamReader, length: str) -> bytes:
    """Return the body as it arrives. Raises TooLong as soon as the announced or real length exceeds MAX_BODY_BYTES."""
    if length.isdecimal() and int(length) > MAX_BODY_BYTES:
        raise TooLong
    parts: list[bytes] = []
    await pass_on(payload, parts.append, MAX_BODY_BYTES)
    return b"".join(parts)


async def pass_on(payload: StreamReader, take: Callable[[bytes], object], max_bytes: int) -> None:
    """Pass each part of the body to `take` as it arrives. Raises TooLong beyond `max_bytes`."""
    size = 0
    while part := await payload.readany():
        size += len(part)
        if size > max_bytes:
            raise TooLong
        take(part)


def decompressed(body: bytes, encoding: str) -> bytes:
    """Undo a compression that was not requested. Raises TooLong beyond MAX_BODY_BYTES, and zlib.error."""
    if encoding.lower() not in ("gzip", "x-gzip", "deflate"):
        return body
    inflate = zlib.decompressobj(GZIP_OR_ZLIB)
    data = inflate.decompress(body, MAX_BODY_BYTES + 1)
    if len(data) > MAX_BODY_BYTES:
        raise TooLong
    if not inflate.eof:
        raise zlib.error("the compressed answer is cut short")
    return data
