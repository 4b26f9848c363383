"""URLs of hosts whose answers are trusted: over TLS, except on this machine."""

from __future__ import annotations

from yarl import URL

from libra.core.http.host_name import InvalidHost, canonical_host, is_loopback


def check_url(text: str) -> str:
    """Return the URL; raise ValueError unless it is https://, or http:// to this machine, without user or fragment."""
    url = URL(text)
    try:
        is_local = is_loopback(canonical_host(url.raw_host or ""))
    except InvalidHost:
        raise ValueError("it must be a URL, such as https://login.example.com") from None
    if url.scheme != "https" and not (url.scheme == "http" and is_local):
        raise ValueError("it must begin with https://, except on this machine")
    if url.raw_user or url.raw_password or url.fragment:
        raise ValueError("it must have no user, password or fragment")
    return text
