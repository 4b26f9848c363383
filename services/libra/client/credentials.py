"""The token of a client, which leaves this machine encrypted only."""

from __future__ import annotations

from libra.core.errors import Invalid
from libra.rpc.credential_channel import AUTHORIZATION_KEY
from libra.rpc.peer import is_loopback_target


def token_metadata(token: str, *, addresses: list[str], is_encrypted: bool) -> tuple[tuple[str, str], ...]:
    """Return the metadata of a call with this token; nothing for an empty one.

    Raises Invalid if the token would be sent in plain text to an address that is not on loopback.
    """
    if not token:
        return ()
    exposed = [address for address in addresses if not is_loopback_target(address)]
    if exposed and not is_encrypted:
        raise Invalid(
            f"a token is not sent in plain text to {', '.join(exposed)}: use TLS, or an address on loopback",
            field="token",
        )
    return ((AUTHORIZATION_KEY, f"Bearer {token}"),)
