"""What a model's entry may hold."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from libra.errors import Invalid
from libra.v1.model_pb2 import Model, Provider

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


def check(model: Model) -> None:
    """Raise Invalid naming the first field at fault."""
    if not NAME.fullmatch(model.name):
        raise Invalid(
            f'{model.name!r} cannot be a model\'s name: 1 to 64 letters, digits, "_", "-" and ".", not beginning with a mark',
            field="model.name",
        )
    if model.provider not in (Provider.PROVIDER_OPENAI, Provider.PROVIDER_SCRIPTED):
        raise Invalid("a provider must be named: openai or scripted", field="model.provider")
    if model.provider == Provider.PROVIDER_OPENAI:
        check_url(model.base_url)
    # The value is not shown: it may be a key that was put in the wrong place.
    if model.api_key_env and not VARIABLE.fullmatch(model.api_key_env):
        raise Invalid("it must be the name of an environment variable, never a key itself", field="model.api_key_env")
    check_numbers(model)


def check_url(url: str) -> None:
    """Refuse a URL that is not one of HTTP, or that carries a password."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Invalid("it is not an http:// or https:// URL, such as http://localhost:8000/v1", field="model.base_url")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise Invalid(
            "it must hold no user, password, query or fragment; a key belongs into the variable that api_key_env names",
            field="model.base_url",
        )


def check_numbers(model: Model) -> None:
    """Refuse limits and prices below zero."""
    for part, message in (("limits", model.limits), ("price", model.price)):
        for field, value in message.ListFields():
            if not 0 <= value < float("inf"):
                raise Invalid(f"{value:g} is not 0 or more", field=f"model.{part}.{field.name}")
