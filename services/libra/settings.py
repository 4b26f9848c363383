"""Read a frozen dataclass of settings from the environment, once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from libra.errors import LibraError

Settings = TypeVar("Settings")


class BadSettings(LibraError):
    """An environment variable is missing or holds what it must not; the message names it."""


def read(cls: type[Settings], prefix: str, environ: Mapping[str, str]) -> Settings:
    """Return `cls` with every field taken from `<prefix><FIELD>` where that is set, and converted to its type.

    A field may name another variable with `field(metadata={"env": "LIBRA_NATS_URL"})`.
    """
    names = {f.name: f.metadata.get("env", f"{prefix}{f.name.upper()}") for f in fields(cls)}  # type: ignore[arg-type]  # a dataclass by contract
    given: dict[str, Any] = {field: environ[name] for field, name in names.items() if name in environ}
    missing = [
        names[f.name]
        for f in fields(cls)  # type: ignore[arg-type]  # as above
        if f.name not in given and f.default is MISSING and f.default_factory is MISSING
    ]
    if missing:
        raise BadSettings(f"{', '.join(missing)} must be set in the environment")
    try:
        return TypeAdapter(cls).validate_python(given)
    except ValidationError as error:
        first = error.errors()[0]
        name = names[str(first["loc"][0])]
        raise BadSettings(f"{name}={environ[name]!r}: {first['msg']}") from None
