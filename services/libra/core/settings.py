"""Read settings from the environment into a frozen dataclass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from libra.core.errors import LibraError

Settings = TypeVar("Settings")


class BadSettings(LibraError):
    """An environment variable is missing or has an invalid value; the message names it."""


def read(cls: type[Settings], prefix: str, environ: Mapping[str, str]) -> Settings:
    """Return `cls` with every field read from the variable `<prefix><FIELD>`, if set, and converted to its type.

    A field may name another variable with `field(metadata={"env": "LIBRA_NATS_URL"})`.
    """
    all_fields = fields(cls)  # type: ignore[arg-type]  # a dataclass by contract
    names = {f.name: f.metadata.get("env", f"{prefix}{f.name.upper()}") for f in all_fields}
    given: dict[str, Any] = {field: environ[name] for field, name in names.items() if name in environ}
    missing = [
        names[f.name]
        for f in all_fields
        if f.name not in given and f.default is MISSING and f.default_factory is MISSING
    ]
    if missing:
        raise BadSettings(f"{', '.join(missing)} is not set; set it in the environment")
    try:
        return TypeAdapter(cls).validate_python(given)
    except ValidationError as error:
        first = error.errors()[0]
        name = names[str(first["loc"][0])]
        raise BadSettings(f"{name}={environ[name]!r}: {first['msg']}") from None
