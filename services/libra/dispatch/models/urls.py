"""Bring the URL of a model into one form: what users paste from documentation becomes a base_url and query options."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

from libra.core.errors import Invalid
from libra.core.http.host_name import InvalidHost, canonical_host, in_url
from libra.v1.model_pb2 import Model

FIELD = "model.base_url"

MAX_URL_CHARACTERS = 2048
MAX_PORT = 65_535
DEFAULT_PORTS = {"http": 80, "https": 443}

UNWANTED = re.compile(r"[\x00-\x20\x7f\\]")
"""Characters that no URL contains, and that programs read differently."""

OPERATIONS = re.compile(
    r"/models/(?P<gemini>[^/:]+):(?:streamG|g)enerateContent$"
    r"|/model/(?P<bedrock>[^/]+)/(?:converse|converse-stream|invoke|invoke-with-response-stream)$"
    r"|(?:/chat)?/completions$|/responses$|/messages$"
)
"""The ends of URLs that name an operation, perhaps of one model; the adapter of the API appends them."""

SAFE_IN_PATH = "/:@!$&'()*+,;=~-._%"

KEY_NAMES = re.compile(
    r"(?:^|[_-])(?:key|apikey|token|secret|password|passwd|credential|credentials|signature|sig|auth|authorization)$",
    re.IGNORECASE,
)
"""The ends of names of query parameters and headers whose values are secret."""


class CanonicalUrl(NamedTuple):
    """The parts of a model's URL."""

    base_url: str
    query: dict[str, str]
    remote_model: str
    """The model that the URL names; empty if it names none."""


def with_canonical_url(model: Model) -> Model:
    """Return a copy of a model with its URL in canonical form. Raises Invalid naming the field."""
    copy = Model()
    copy.CopyFrom(model)
    if not model.base_url:
        return copy
    found = canonical_url(model.base_url)
    copy.base_url = found.base_url
    copy.remote_model = model.remote_model or found.remote_model
    for name, value in found.query.items():
        if copy.options.query.get(name, value) != value:
            raise Invalid(f"its query and the options have different values of {name!r}; leave out one", field=FIELD)
        copy.options.query[name] = value
    return copy


def canonical_url(url: str) -> CanonicalUrl:
    """Return the parts of a URL. Raises Invalid, whose message does not quote the URL: it may contain a password."""
    parts = _split(url.strip())
    scheme = parts.scheme.lower()
    try:
        host = in_url(canonical_host(parts.hostname or ""))
    except InvalidHost as problem:
        raise Invalid(f"its host is not usable: {problem}", field=FIELD) from None
    port = _port(parts)
    place = host if port in (None, DEFAULT_PORTS[scheme]) else f"{host}:{port}"
    path, remote_model = _path(parts.path)
    return CanonicalUrl(f"{scheme}://{place}{path}", _query(parts.query), remote_model)


def is_secret_name(name: str) -> bool:
    """Return whether the value of a query parameter or a header with this name is a secret."""
    return bool(KEY_NAMES.search(name))


def _split(url: str) -> SplitResult:
    if len(url) > MAX_URL_CHARACTERS:
        raise Invalid(f"it is longer than {MAX_URL_CHARACTERS:,} characters", field=FIELD)
    if UNWANTED.search(url):
        raise Invalid("it contains a space, a control character or a backslash", field=FIELD)
    try:
        parts = urlsplit(url)
    except ValueError as problem:
        raise Invalid(f"it is not a URL: {problem}", field=FIELD) from None
    if parts.scheme.lower() not in DEFAULT_PORTS or not parts.hostname:
        raise Invalid("it must be an http:// or https:// URL, such as http://localhost:8000/v1", field=FIELD)
    if "@" in parts.netloc or parts.fragment:
        raise Invalid(
            "it must have no user, password or fragment; put the key in the variable that api_key_env names",
            field=FIELD,
        )
    return parts


def _port(parts: SplitResult) -> int | None:
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise Invalid(f"its port must be a number from 1 to {MAX_PORT}", field=FIELD)
    return port


def _path(path: str) -> tuple[str, str]:
    """Return a path without dot segments, operation and trailing slash, and the model that the operation names."""
    plain = _without_dot_segments(quote(path, safe=SAFE_IN_PATH)).rstrip("/")
    operation = OPERATIONS.search(plain)
    if operation is None:
        return plain, ""
    return plain[: operation.start()].rstrip("/"), unquote(operation["gemini"] or operation["bedrock"] or "")


def _without_dot_segments(path: str) -> str:
    """Return the path as in RFC 3986, section 5.2.4; an encoded dot is a dot, as browsers read it."""
    kept: list[str] = []
    for segment in path.split("/"):
        plain = re.sub("%2e", ".", segment, flags=re.IGNORECASE)
        if plain == "..":
            del kept[max(len(kept) - 1, 1) :]
        elif plain != ".":
            kept.append(segment)
    return "/".join(kept)


def _query(query: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if is_secret_name(name):
            raise Invalid(
                f"its query parameter {name!r} looks like a key; put the key in the variable that api_key_env names",
                field=FIELD,
            )
        if name in found:
            raise Invalid(f"its query parameter {name!r} occurs twice", field=FIELD)
        found[name] = value
    return found
