"""Check the fields of a model that name its keys, and the extra headers, which must not contain any."""

from __future__ import annotations

import re
from collections.abc import Iterable

from libra.core.access.key_rules import FILE_NAME, VARIABLE_NAME
from libra.core.errors import Invalid
from libra.dispatch.models.urls import is_secret_name
from libra.v1.model_pb2 import Model

HEADERS, VARIABLES = "model.options.headers", "model.options.header_variables"

MAX_HEADERS = 32
MAX_HEADER_NAME_CHARACTERS = 128
MAX_HEADER_VALUE_CHARACTERS = 4096

HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A token of RFC 9110, section 5.6.2."""

HEADER_VALUE = re.compile(r"[\t\x20-\x7e]*")
"""Visible ASCII, space and tab (RFC 9110, section 5.5); others are read differently by different servers."""

OF_THE_CONNECTION = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that decide how a message is read, or that are for a proxy."""

WITH_KEYS = frozenset({"authorization", "cookie", "set-cookie"})


def check_keys(model: Model) -> None:
    """Raise Invalid naming the first field of keys or headers at fault.

    No message contains a value: it may be a key in the wrong field.
    """
    if model.api_key_env and not VARIABLE_NAME.fullmatch(model.api_key_env):
        raise Invalid("it must be the name of an environment variable, never a key itself", field="model.api_key_env")
    if model.api_key_file and not FILE_NAME.fullmatch(model.api_key_file):
        raise Invalid(
            "it must be the name of a file in the gateway's key folder, without a folder of its own",
            field="model.api_key_file",
        )
    if model.api_key_env and model.api_key_file:
        raise Invalid("a model has a key variable or a key file, not both", field="model.api_key_file")
    check_headers(model)


def check_headers(model: Model) -> None:
    """Raise Invalid unless every extra header is valid and none with a fixed value is for a key."""
    options = model.options
    _check_names(options.headers, HEADERS)
    _check_names(options.header_variables, VARIABLES)
    for name, value in options.headers.items():
        if name.lower() in WITH_KEYS or is_secret_name(name):
            raise Invalid(f"the header {name!r} is for a key; use header_variables", field=HEADERS)
        if len(value) > MAX_HEADER_VALUE_CHARACTERS or not HEADER_VALUE.fullmatch(value):
            raise Invalid(
                f"the value of {name!r} must be at most {MAX_HEADER_VALUE_CHARACTERS:,} visible ASCII characters",
                field=HEADERS,
            )
    for name, variable in options.header_variables.items():
        if not VARIABLE_NAME.fullmatch(variable):
            raise Invalid(
                f"the value of {name!r} must be the name of an environment variable, never a key itself",
                field=VARIABLES,
            )
    both = {name.lower() for name in options.headers} & {name.lower() for name in options.header_variables}
    if both:
        raise Invalid(f"the header {min(both)!r} is in headers and in header_variables", field=VARIABLES)


def _check_names(headers: Iterable[str], field: str) -> None:
    names = list(headers)
    if len(names) > MAX_HEADERS:
        raise Invalid(f"{len(names)} headers are more than {MAX_HEADERS}", field=field)
    for name in names:
        if len(name) > MAX_HEADER_NAME_CHARACTERS or not HEADER_NAME.fullmatch(name):
            raise Invalid("the name of a header is a word of letters, digits and hyphens", field=field)
        if name.lower() in OF_THE_CONNECTION:
            raise Invalid(f"the header {name!r} belongs to the connection; leave it out", field=field)
    if len({name.lower() for name in names}) < len(names):
        raise Invalid("two headers differ in upper and lower case only", field=field)
