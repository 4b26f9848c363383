"""Read what an OpenAI-compatible endpoint answers, whatever it is.

Nothing that a provider sends is trusted: its JSON may be cut short, be HTML, hold lone surrogates, or have another shape; its
words are quoted, short and without the key.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import orjson

from libra.gateway.provider import api_key, retry_after
from libra.gateway.provider.result import Answer, Fault, Kind, Reply
from libra.v1.completion_pb2 import FINISH_REASON_UNSPECIFIED, FinishReason
from libra.v1.model_pb2 import Model

MAX_TEXT_BYTES = 1024 * 1024
QUOTED_CHARACTERS = 200
LOOKED_AT_CHARACTERS = 4_000
"""Of an error's body; the words that matter come first."""

MOST_TOKENS = 2**31 - 1

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
"""OpenAI's words, and those of servers that follow it nearly."""

FILTER_CODES = frozenset({"content_filter", "content_policy_violation", "ResponsibleAIPolicyViolation"})
FILTER_STATUSES = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS})
QUOTA_CODES = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})

PASSING_STATUSES = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY})
LASTING_STATUSES = frozenset({HTTPStatus.NOT_IMPLEMENTED, HTTPStatus.HTTP_VERSION_NOT_SUPPORTED})


def read(status: int, headers: Mapping[str, str], body: bytes, model: Model, key: str) -> Reply:
    """Return what the response means for the trial."""
    document = _parsed(body)
    if status != HTTPStatus.OK:
        return _fault(status, headers, document, body, model, key)
    if not isinstance(document, dict):
        return Fault(f"the provider answered 200 with what is no JSON: {_quote(body, key)}", Kind.PASSING)
    choice = _first_choice(document)
    if choice is None and "error" in document:
        return _fault(_status_within(document), headers, document, body, model, key)
    text = _text(choice) if choice is not None else None
    if choice is None or text is None:
        return Fault(f"the provider answered 200 without a choice: {_quote(body, key)}", Kind.PASSING)
    return _answer(text, choice, document, key)


def _answer(text: str, choice: Mapping[str, Any], document: Mapping[str, Any], key: str) -> Reply:
    if choice.get("finish_reason") == "error":
        return Fault(f"the provider broke off: {_words(choice, b'', key)}", Kind.PASSING)
    text = _whole(text)
    if len(text) > MAX_TEXT_BYTES or len(text.encode()) > MAX_TEXT_BYTES:
        return Fault("the answer is longer than 1 MiB; lower max_tokens", Kind.FINAL)
    if key and key in text:
        text = api_key.scrub(text, key)
    usage = document.get("usage")
    counts = usage if isinstance(usage, dict) else {}
    return Answer(
        text=text,
        finish_reason=_finish_reason(choice.get("finish_reason")),
        prompt_tokens=_count(counts.get("prompt_tokens")),
        completion_tokens=_count(counts.get("completion_tokens")),
    )


def _fault(
    status: int, headers: Mapping[str, str], document: object, body: bytes, model: Model, key: str
) -> Answer | Fault:
    """Return what a status other than 200 means."""
    codes = _codes(document)
    if status in FILTER_STATUSES and codes & FILTER_CODES:
        return Answer("", FinishReason.FINISH_REASON_CONTENT_FILTER)
    said = _words(document, body, key)
    wait = retry_after.seconds(headers, datetime.now(UTC))
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        if codes & QUOTA_CODES:
            return Fault(f"the account at the provider has no quota left (429): {said}; top it up", Kind.FINAL)
        return Fault(f"the provider says to slow down (429): {said}", Kind.SLOW_DOWN, wait)
    if status in PASSING_STATUSES or (status >= HTTPStatus.INTERNAL_SERVER_ERROR and status not in LASTING_STATUSES):
        return Fault(f"the provider failed ({_named(status)}): {said}", Kind.PASSING, wait)
    return Fault(_lasting(status, headers, said, model, key), Kind.FINAL)


def _lasting(status: int, headers: Mapping[str, str], said: str, model: Model, key: str) -> str:
    """Return the sentence for a status that the same request would meet again."""
    match status:
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN if model.api_key_env:
            remedy = f"check the environment variable {model.api_key_env} of the gateway"
            return f"the provider does not accept the key ({_named(status)}): {said}; {remedy}"
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            remedy = "name the environment variable that holds it as api_key_env in the model's entry"
            return f"the provider wants a key ({_named(status)}): {said}; {remedy}"
        case HTTPStatus.NOT_FOUND:
            remedy = "check remote_model and base_url in the model's entry"
            return f"the provider knows no such model or URL ({_named(status)}): {said}; {remedy}"
        case _ if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            target = _short(headers.get("location", "elsewhere"), key)
            return f"the provider points to {target} ({_named(status)}); name the right base_url in the model's entry"
        case _:
            return f"the provider refused the request ({_named(status)}): {said}"


def _parsed(body: bytes) -> object:
    """Return the JSON value, or None if it is none. Lone surrogates and broken UTF-8 are let through, to be replaced."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


def _whole(text: str) -> str:
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
    """Return what the choice says, which may be nothing; None if it is not the shape of one."""
    message = choice.get("message")
    if not isinstance(message, dict):
        return None
    content = message.get("content")
    if content is None:
        # A model that declines to fill a schema says so here.
        content = message.get("refusal") or ""
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        content = "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else None


def _finish_reason(word: object) -> FinishReason.ValueType:
    known = FINISH_REASONS.get(word) if isinstance(word, str) else None
    return FINISH_REASON_UNSPECIFIED if known is None else known


def _count(value: object) -> int:
    return min(max(value, 0), MOST_TOKENS) if isinstance(value, int) else 0


def _error(document: object) -> object:
    return document.get("error") if isinstance(document, dict) else None


def _status_within(document: object) -> int:
    """Return the status that an error under a 200 speaks of."""
    error = _error(document)
    code = error.get("code") if isinstance(error, dict) else None
    if isinstance(code, int) and HTTPStatus.BAD_REQUEST <= code <= 599:  # noqa: PLR2004 - the last status there is
        return code
    return HTTPStatus.INTERNAL_SERVER_ERROR


def _codes(document: object) -> set[str]:
    """Return every word by which the error calls itself."""
    error = _error(document)
    if not isinstance(error, dict):
        return set()
    inner = error.get("innererror")
    named = [error.get("code"), error.get("type"), inner.get("code") if isinstance(inner, dict) else None]
    return {code for code in named if isinstance(code, str)}


def _words(document: object, body: bytes, key: str) -> str:
    """Return the provider's own words, short and without the key."""
    error = _error(document)
    places: list[object] = [error] if isinstance(error, str) else []
    for holder in (error, document):
        if isinstance(holder, dict):
            places += [holder.get(name) for name in ("message", "detail", "error_description")]
    said = next((place for place in places if isinstance(place, str) and place.strip()), None)
    return _short(said, key) if said else _quote(body, key)


def _quote(body: bytes, key: str) -> str:
    said = body[: 4 * LOOKED_AT_CHARACTERS].decode("utf-8", "replace")
    return _short(said, key) or "it said nothing"


def _short(text: str, key: str) -> str:
    """Return the beginning on one line; the key is taken out first, for half a key is not found."""
    clean = api_key.scrub(_whole(text)[:LOOKED_AT_CHARACTERS], key)
    line = " ".join(clean.split())
    return "".join(character for character in line if character.isprintable())[:QUOTED_CHARACTERS]


def _named(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
