"""Read settings from the environment into a frozen dataclass, with the types and checks that limit their values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, Field, StringConstraints, TypeAdapter, ValidationError

from libra.core.errors import LibraError

Settings = TypeVar("Settings")

Seconds = Annotated[float, Field(ge=0.001, le=604_800, allow_inf_nan=False)]
"""A time limit or an interval: from a millisecond, since 0 would be a loop without a pause, to a week."""

Count = Annotated[int, Field(ge=1, le=1_000_000)]
"""A number of attempts, of slots or of trials."""

Days = Annotated[int, Field(ge=0, le=36_500)]
"""A retention time in days; 0: for ever."""

Bytes = Annotated[int, Field(ge=1, le=2**50)]
"""A size, up to a pebibyte."""

NATS_SCHEMES = ("nats://", "tls://", "ws://", "wss://")
MONGO_SCHEMES = ("mongodb://", "mongodb+srv://")

WRONG_SCHEMES = ("http://", "https://", "grpc://", "grpcs://", "tcp://", "nats://", "tls://", "mongodb://", "ws://")


def reject_scheme(address: str) -> str:
    """Return an address that gRPC calls or listens on; raise ValueError if it is written as a URL."""
    if scheme := next((one for one in WRONG_SCHEMES if address.lower().startswith(one)), ""):
        raise ValueError(f"leave out {scheme}: the address of a gRPC server is host:port, for instance 127.0.0.1:50051")
    return address


Target = Annotated[str, StringConstraints(pattern=r"^\S+$", max_length=4096), AfterValidator(reject_scheme)]
"""The address of a server that the process calls, in one of the forms that gRPC reads."""


class InvalidSettings(LibraError):
    """An environment variable is missing or has an invalid value; the message names it."""


def variable_names(cls: type[Any], prefix: str) -> dict[str, str]:
    """Return the environment variable of each field of a settings class."""
    return {f.name: f.metadata.get("env", f"{prefix}{f.name.upper()}") for f in fields(cls)}


def read(cls: type[Settings], prefix: str, environ: Mapping[str, str]) -> Settings:
    """Return `cls` with every field read from the variable `<prefix><FIELD>`, if set, and converted to its type.

    A field may name another variable with `field(metadata={"env": "LIBRA_NATS_URL"})`.
    """
    all_fields = fields(cls)  # type: ignore[arg-type]  # a dataclass by contract
    names = variable_names(cls, prefix)
    given: dict[str, Any] = {field: environ[name] for field, name in names.items() if name in environ}
    missing = [
        names[f.name]
        for f in all_fields
        if f.name not in given and f.default is MISSING and f.default_factory is MISSING
    ]
    if missing:
        raise InvalidSettings(f"{', '.join(missing)} is not set; set it in the environment")
    try:
        return TypeAdapter(cls).validate_python(given)
    except ValidationError as error:
        first = error.errors()[0]
        name = names[str(first["loc"][0])]
        raise InvalidSettings(f"{name}={environ[name]!r}: {first['msg'].removeprefix('Value error, ')}") from None


def check_nats_url(url: str) -> None:
    """Raise InvalidSettings unless the URL, or each of several separated by commas, is one of NATS.

    The error does not show it, since it may contain a password.
    """
    if not all(one.strip().startswith(NATS_SCHEMES) for one in url.split(",")):
        raise InvalidSettings(
            f"LIBRA_NATS_URL is not a NATS URL{_begins(url)}; write nats://host:4222, or several of these separated by "
            "commas"
        )


def check_mongo_url(url: str) -> None:
    """Raise InvalidSettings unless the URL is one of MongoDB; the error does not show it."""
    if not url.startswith(MONGO_SCHEMES):
        raise InvalidSettings(
            f"LIBRA_MONGO_URL is not a connection string of MongoDB{_begins(url)}; write "
            "mongodb://host:27017/?replicaSet=NAME"
        )


def _begins(url: str) -> str:
    """Return a clause about the scheme of a URL, if it has one."""
    scheme, separator, _ = url.partition("://")
    return f": it begins with {scheme}://" if separator and scheme.isalpha() else ""
