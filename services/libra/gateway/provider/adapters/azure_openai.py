"""OpenAI's chat completions API as Azure serves it: the same bodies, other URLs and another header for the key."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from libra.gateway.provider.adapters.openai_chat import OpenAiChat
from libra.gateway.provider.request import CompletionRequest

VERSION_PARAMETER = "api-version"
DEFAULT_VERSION = "2024-10-21"
"""The newest version of the deployments form that is generally available."""

MODELS_VERSION = "2024-05-01-preview"
"""The version of the form for models of other makers."""

TOKEN_START, TOKEN_DOTS = "eyJ", 2
"""A token of Microsoft Entra ID is a JWT: base64 of a JSON object, and three parts."""


class AzureOpenAi(OpenAiChat):
    """Adapts chat completions of Azure. `remote_model` is the name of the deployment."""

    def url(self, request: CompletionRequest) -> str:
        """Return the URL of the endpoint in the form that `base_url` has, with an api-version if the form needs one."""
        path, default_version = _path(request.model.base_url.rstrip("/"), request.remote_model)
        url = f"{path}/chat/completions"
        if not default_version or VERSION_PARAMETER in request.model.options.query:
            return url
        return f"{url}?{VERSION_PARAMETER}={default_version}"

    async def credentials(self, url: str, body: bytes, key: str) -> Mapping[str, str]:
        """Return the key as the header of Azure, or as a bearer token if it is a token of Microsoft Entra ID."""
        if key.startswith(TOKEN_START) and key.count(".") == TOKEN_DOTS:
            return await super().credentials(url, body, key)
        return {"api-key": key} if key else {}


def _path(base_url: str, deployment: str) -> tuple[str, str]:
    """Return the URL before "/chat/completions", and the default api-version; empty if none is needed."""
    if base_url.endswith("/openai/v1"):
        return base_url, ""
    if base_url.endswith("/models"):
        return base_url, MODELS_VERSION
    if "/openai/deployments/" in base_url:
        return base_url, DEFAULT_VERSION
    root = base_url.removesuffix("/deployments").removesuffix("/openai")
    return f"{root}/openai/deployments/{quote(deployment, safe='')}", DEFAULT_VERSION
