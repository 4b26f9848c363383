"""Validate a model's entry."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from libra.core.errors import Invalid
from libra.v1.model_pb2 import Model, Provider

MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


def check_model(model: Model) -> None:
    """Raise Invalid naming the first field at fault."""
    if not MODEL_NAME.fullmatch(model.name):
        raise Invalid(
            f"{model.name!r} is not a valid model name: use 1 to 64 letters, digits, "
            f'"_", "-" and ".", and begin with a letter or a digit',
            field="model.name",
        )
    if model.provider not in (Provider.PROVIDER_OPENAI, Provider.PROVIDER_SCRIPTED):
        raise Invalid("the provider is missing; name openai or scripted", field="model.provider")
    if model.provider == Provider.PROVIDER_OPENAI:
        check_url(model.base_url)
    # The message does not show the value: it may be an API key in the wrong field.
    if model.api_key_env and not VARIABLE_NAME.fullmatch(model.api_key_env):
        raise Invalid("it must be the name of an environment variable, never a key itself", field="model.api_key_env")
    check_numbers(model)


def check_url(url: str) -> None:
    """Raise Invalid unless the URL is an HTTP URL without a password, query or fragment."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Invalid("it must be an http:// or https:// URL, such as http://localhost:8000/v1", field="model.base_url")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise Invalid(
            "it must have no user, password, query or fragment; put the key in the variable that api_key_env names",
            field="model.base_url",
        )


def check_numbers(model: Model) -> None:
    """Raise Invalid if a limit or a price is negative or not a finite number."""
    for group, message in (("limits", model.limits), ("price", model.price)):
        for field, value in message.ListFields():
            if not 0 <= value < float("inf"):
                raise Invalid(f"it must be 0 or more, not {value:g}", field=f"model.{group}.{field.name}")
