"""Page sizes and page tokens of lists (AIP-158; keyset, never skip)."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Awaitable, Callable

from libra.core.access import team_scope
from libra.core.errors import Invalid

MAC_BYTES = 16
"""The bytes of the truncated MAC: to guess one takes 2^127 calls on average."""

MAX_TOKEN_CHARACTERS = 2048


def page_size(requested: int, *, default: int, maximum: int) -> int:
    """Return the size of a page: `requested`, at most `maximum`, `default` for 0; raise Invalid if negative."""
    if requested < 0:
        raise Invalid(f"{requested} is negative; leave it out for pages of {default}", field="page_size")
    return min(requested or default, maximum)


class PageTokens:
    """Makes and checks page tokens; a keyed MAC binds each token to its list, so that no caller can make one.

    Every replica must load the same key, also after a restart.
    """

    def __init__(self, load_key: Callable[[], Awaitable[bytes]]) -> None:
        self._load_key = load_key
        self._key: bytes | None = None

    async def encode(self, position: str, scope: str) -> str:
        """Return the opaque token of the page after `position`; `scope` is the list's name with all its filters.

        It is valid for the team that this task works for.
        """
        data = position.encode()
        return _to_text(await self._mac(data, scope) + data)

    async def decode(self, token: str, scope: str) -> str:
        """Return the position that `encode` was called with, "" for an empty token; raise Invalid for any other."""
        if not token:
            return ""
        token_bytes = _to_bytes(token)
        mac, data = token_bytes[:MAC_BYTES], token_bytes[MAC_BYTES:]
        if not hmac.compare_digest(mac, await self._mac(data, scope)):
            raise Invalid(
                "it is not a page token of this list; "
                "pass next_page_token of the previous reply, with the same filters",
                field="page_token",
            )
        return data.decode()

    async def _mac(self, data: bytes, scope: str) -> bytes:
        """Return the truncated HMAC-SHA256 of a scope and a position; the length keeps the two apart."""
        if self._key is None:
            self._key = await self._load_key()
        team = team_scope.current()
        name = (scope if team is None else f"{scope}{team_scope.SEPARATOR}{team}").encode()
        return hmac.digest(self._key, len(name).to_bytes(8, "big") + name + data, "sha256")[:MAC_BYTES]


def _to_text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _to_bytes(token: str) -> bytes:
    """Return the decoded bytes of a token; empty bytes if it is malformed or not in the form that `_to_text` gives."""
    if len(token) > MAX_TOKEN_CHARACTERS:
        return b""
    try:
        data = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""
    return data if _to_text(data) == token else b""
