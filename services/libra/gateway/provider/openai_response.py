"""Parses every response of an OpenAI-compatible endpoint.

Nothing that a provider sends is trusted: its JSON may be truncated, be HTML, contain lone surrogates, or have another
shape. Its error messages are quoted, shortened and without the API key.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import orjson

from libra.gateway.provider import api_key
from libra.gateway.provider.result import FaultKind, ProviderAnswer, ProviderFault, ProviderResult
from libra.gateway.provider.retry import retry_after
from libra.v1.completion_pb2 import FINISH_REASON_UNSPECIFIED, FinishReason
from libra.v1.model_pb2 import Model

MAX_TEXT_BYTES = 1024 * 1024
QUOTED_CHARACTERS = 200
SCANNED_CHARACTERS = 4_000
"""The beginning of an error's body that is read; the useful part comes first."""

MAX_TOKEN_COUNT = 2**31 - 1

FINISH_REASONS = {
    "stop": FinishReason.FINISH_REASON_STOP,
    "eos": FinishReason.FINISH_REASON_STOP,
    "eos_token": FinishReason.FINISH_REASON_STOP,
    "end_turn": FinishReason.FINISH_REASON_STOP,
    "stop_sequence": FinishReason.FINISH_REASON_STOP,
    "length": FinishReason.FINISH_REASON_LENGTH,
    "max_tokens": FinishReason.FINISH_REASON_LENGTH,
    "content_filter": FinishReason.FINISH_REASON_CONTENT_FILTER,
}
"""OpenAI's finish reasons, and those of similar servers."""

FILTER_CODES = frozenset({"content_filter", "content_policy_violation", "ResponsibleAIPolicyViolation"})
FILTER_STATUSES = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS})
QUOTA_CODES = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})

PASSING_STATUSES = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY})
FINAL_STATUSES = frozenset({HTTPStatus.NOT_IMPLEMENTED, HTTPStatus.HTTP_VERSION_NOT_SUPPORTED})


def read(status: int, headers: Mapping[str, str], body: bytes, model: Model, key: str) -> ProviderResult:
    """Return the result that the response stands for."""
    document = _parsed(body)
    if status != HTTPStatus.OK:
        return _fault(status, headers, document, body, model, key)
    if not isinstance(document, dict):
        return ProviderFault(f"the provider answered 200, but not with JSON: {_quote(body, key)}", FaultKind.PASSING)
    choice = _first_choice(document)
    if choice is None and "error" in document:
        return _fault(_inner_status(document), headers, document, body, model, key)
    text = _text(choice) if choice is not None else None
    if choice is None or text is None:
        return ProviderFault(f"the provider answered 200 without a choice: {_quote(body, key)}", FaultKind.PASSING)
    return _answer(text, choice, document, key)


def _answer(text: str, choice: Mapping[str, Any], document: Mapping[str, Any], key: str) -> ProviderResult:
    if choice.get("finish_reason") == "error":
        return ProviderFault(
            f"the provider stopped with an error: {_error_message(choice, b'', key)}", FaultKind.PASSING
        )
    text = _replace_surrogates(text)
    if len(text) > MAX_TEXT_BYTES or len(text.encode()) > MAX_TEXT_BYTES:
        return ProviderFault("the answer is longer than 1 MiB; lower max_tokens", FaultKind.FINAL)
    if key and key in text:
        text = api_key.scrub(text, key)
    usage = document.get("usage")
    counts = usage if isinstance(usage, dict) else {}
    return ProviderAnswer(
        text=text,
        finish_reason=_finish_reason(choice.get("finish_reason")),
        prompt_tokens=_count(counts.get("prompt_tokens")),
        completion_tokens=_count(counts.get("completion_tokens")),
    )


def _fault(
    status: int, headers: Mapping[str, str], document: object, body: bytes, model: Model, key: str
) -> ProviderResult:
    """Return the result of a status other than 200."""
    codes = _codes(document)
    if status in FILTER_STATUSES and codes & FILTER_CODES:
        return ProviderAnswer("", FinishReason.FINISH_REASON_CONTENT_FILTER)
    message = _error_message(document, body, key)
    retry_after_seconds = retry_after(headers, datetime.now(UTC))
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        if codes & QUOTA_CODES:
            return ProviderFault(
                f"the account at the provider has no quota left (429): {message}; top it up", FaultKind.FINAL
            )
        return ProviderFault(
            f"the provider says to slow down (429): {message}", FaultKind.SLOW_DOWN, retry_after_seconds
        )
    if status in PASSING_STATUSES or (status >= HTTPStatus.INTERNAL_SERVER_ERROR and status not in FINAL_STATUSES):
        return ProviderFault(
            f"the provider failed ({_status_text(status)}): {message}", FaultKind.PASSING, retry_after_seconds
        )
    return ProviderFault(_final_reason(status, headers, message, model, key), FaultKind.FINAL)


def _final_reason(status: int, headers: Mapping[str, str], message: str, model: Model, key: str) -> str:
    """Return the reason for a status that the same request would get again."""
    match status:
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN if model.api_key_env:
            remedy = f"check the environment variable {model.api_key_env} of the gateway"
            return f"the provider does not accept the API key ({_status_text(status)}): {message}; {remedy}"
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            remedy = "set api_key_env of the model to the environment variable that holds the key"
            return f"the provider requires an API key ({_status_text(status)}): {message}; {remedy}"
        case HTTPStatus.NOT_FOUND:
            remedy = "check remote_model and base_url of the model"
            return f"the provider knows no such model or URL ({_status_text(status)}): {message}; {remedy}"
        case _ if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            target = _shorten(headers.get("location", "another URL"), key)
            remedy = "set base_url of the model to the right URL"
            return f"the provider redirects to {target} ({_status_text(status)}); {remedy}"
        case _:
            return f"the provider refused the request ({_status_text(status)}): {message}"


def _parsed(body: bytes) -> object:
    """Return the JSON value, or None if it is not JSON. Lone surrogates and invalid UTF-8 are replaced later."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


def _replace_surrogates(text: str) -> str:
    """Return `text` with lone surrogates replaced by U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def _first_choice(document: Mapping[str, Any]) -> dict[str, Any] | None:
    choices = document.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return first if isinstance(first, dict) else None


def _text(choice: Mapping[str, Any]) -> str | None:
    """Return the text of a choice, which may be empty; None if it does not have the shape of a choice."""
    message = choice.get("message")
    if not isinstance(message, dict):
        return None
    content = message.get("content")
    if content is None:
        # A model that refuses to fill a schema does so in this field.
        content = message.get("refusal") or ""
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        content = "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else None


def _finish_reason(value: object) -> FinishReason.ValueType:
    known = FINISH_REASONS.get(value) if isinstance(value, str) else None
    return FINISH_REASON_UNSPECIFIED if known is None else known


def _count(value: object) -> int:
    return min(max(value, 0), MAX_TOKEN_COUNT) if isinstance(value, int) else 0


def _error(document: object) -> object:
    return document.get("error") if isinstance(document, dict) else None


def _inner_status(document: object) -> int:
    """Return the status that the error in a response with status 200 names."""
    error = _error(document)
    code = error.get("code") if isinstance(error, dict) else None
    if isinstance(code, int) and HTTPStatus.BAD_REQUEST <= code <= 599:  # noqa: PLR2004 - the highest status
        return code
    return HTTPStatus.INTERNAL_SERVER_ERROR


def _codes(document: object) -> set[str]:
    """Return every code and type that the error has."""
    error = _error(document)
    if not isinstance(error, dict):
        return set()
    inner = error.get("innererror")
    named = [error.get("code"), error.get("type"), inner.get("code") if isinstance(inner, dict) else None]
    return {code for code in named if isinstance(code, str)}


def _error_message(document: object, body: bytes, key: str) -> str:
    """Return the provider's error message, shortened and without the API key."""
    error = _error(document)
    candidates: list[object] = [error] if isinstance(error, str) else []
    for container in (error, document):
        if isinstance(container, dict):
            candidates += [container.get(name) for name in ("message", "detail", "error_description")]
    message = next((text for text in candidates if isinstance(text, str) and text.strip()), None)
    return _shorten(message, key) if message else _quote(body, key)


def _quote(body: bytes, key: str) -> str:
    text = body[: 4 * SCANNED_CHARACTERS].decode("utf-8", "replace")
    return _shorten(text, key) or "the response is empty"


def _shorten(text: str, key: str) -> str:
    """Return the beginning on one line. The key is removed first, because a part of a key would not be found."""
    clean = api_key.scrub(_replace_surrogates(text)[:SCANNED_CHARACTERS], key)
    line = " ".join(clean.split())
    return "".join(character for character in line if character.isprintable())[:QUOTED_CHARACTERS]


def _status_text(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
