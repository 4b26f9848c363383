"""Authenticates requests to Google: API keys, and access tokens by google-auth, which the extra "vertex" installs."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Mapping
from typing import Any

from yarl import URL

from libra.gateway.provider.keys.api_key import NoKey, NoToken

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
GOOGLE_HOST = ".googleapis.com"
VERTEX_PATH = "/projects/"
API_KEY_STARTS = ("AIza", "AQ.")
ACCESS_TOKEN_START = "ya29."  # noqa: S105 - the beginning of every token
MAX_ACCOUNTS = 100
"""Service accounts whose tokens are kept; beyond it all are forgotten."""


class GoogleTokens:
    """Makes the headers of requests, and keeps access tokens until they expire."""

    def __init__(self) -> None:
        self._credentials: dict[str, Any] = {}
        self._lock = threading.Lock()

    async def headers(self, url: str, key: str) -> Mapping[str, str]:
        """Return the header for a key: an API key, an access token, or the JSON of a service account.

        On Vertex AI without a key, the gateway's own account is used (Application Default Credentials). Raises NoKey,
        and NoToken if Google issues no token for now.
        """
        is_vertex = VERTEX_PATH in URL(url).path
        if key.startswith("{") or (not key and is_vertex and _is_google(url)):
            return {"Authorization": f"Bearer {await self._token(key)}"}
        if not key:
            return {}
        is_token = key.startswith(ACCESS_TOKEN_START) or (is_vertex and not key.startswith(API_KEY_STARTS))
        return {"Authorization": f"Bearer {key}"} if is_token else {"x-goog-api-key": key}

    def sent_secret(self, key: str) -> str:
        """Return what was sent for a key, which a provider may repeat: the key, or the access token in its place."""
        known = self._credentials.get(key)
        return key if known is None else str(known.token or key)

    async def _token(self, key: str) -> str:
        known = self._credentials.get(key)
        if known is not None and known.valid:
            return str(known.token)
        return await asyncio.to_thread(self._fetch, key)

    def _fetch(self, key: str) -> str:
        """Return a token, fetched by one thread at a time."""
        google = _GoogleAuth()
        with self._lock:
            try:
                known = self._credentials.get(key) or google.credentials(key)
                if not known.valid:
                    google.refresh(known)
            except (ValueError, KeyError, TypeError):
                raise NoKey("the API key of the model is not the JSON of a service account, on one line") from None
            except google.errors as error:
                raise google.problem(error) from None
            if len(self._credentials) >= MAX_ACCOUNTS:
                self._credentials.clear()
            self._credentials[key] = known
            return str(known.token)


class _GoogleAuth:
    """Imports google-auth. Raises NoKey if it is not installed."""

    def __init__(self) -> None:
        try:
            import google.auth  # noqa: PLC0415 - an extra, loaded at the first use
            from google.auth.exceptions import GoogleAuthError, TransportError  # noqa: PLC0415
            from google.auth.transport.urllib3 import Request  # noqa: PLC0415
            from google.oauth2.service_account import Credentials  # noqa: PLC0415
            from urllib3 import PoolManager  # noqa: PLC0415
        except ImportError as missing:
            raise NoKey(
                "access tokens of Google need the package google-auth; install libra[vertex] in the gateway, or use an"
                " API key"
            ) from missing
        self.errors: type[Exception] = GoogleAuthError
        self._unreachable: type[Exception] = TransportError
        self._request: Any = Request
        self._pool: Any = PoolManager
        self._default: Any = google.auth.default
        self._service_account: Any = Credentials

    def credentials(self, key: str) -> Any:
        """Return the account of a key, or the gateway's own for an empty key."""
        if not key:
            return self._default(scopes=SCOPES)[0]
        return self._service_account.from_service_account_info(json.loads(key), scopes=SCOPES)

    def refresh(self, credentials: Any) -> None:
        """Fetch a token."""
        with self._pool() as pool:
            credentials.refresh(self._request(pool))

    def problem(self, error: Exception) -> NoKey:
        """Return what to raise for an error. Its text may quote the answer of Google, so only its type is shown."""
        reason = f"Google issued no access token ({type(error).__name__}); check the account of the gateway"
        may_pass = isinstance(error, self._unreachable) or getattr(error, "retryable", False)
        return NoToken(reason) if may_pass else NoKey(reason)


def _is_google(url: str) -> bool:
    """Return whether the URL is Google's: no other host gets a token of the gateway's own account."""
    host = URL(url).host or ""
    return URL(url).scheme == "https" and host.endswith(GOOGLE_HOST)
