"""Parses every response of an OpenAI-compatible endpoint.

Nothing that a provider sends is trusted: its JSON may be truncated, be HTML, contain lone surrogates, or have another
shape. Its error messages are read whole, and quoted shortened and without the API key.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from libra.gateway.provider import api_key
from libra.gateway.provider.dialects import CONTEXT_LENGTH
from libra.gateway.provider.error_text import error_message, error_of, quote, replace_surrogates, shorten
from libra.gateway.provider.response_class import Block, finish_class, reported_block
from libra.gateway.provider.response_text import (
    first_of,
    foreign_choice,
    has_reasoning,
    parsed,
    refusal_of,
    text_of,
)
from libra.gateway.provider.result import FaultKind, ProviderAnswer, ProviderFault, ProviderResult
from libra.gateway.provider.retry import retry_after
from libra.gateway.provider.wait_times import named_wait
from libra.prompting.reasoning import strip_reasoning
from libra.v1 import completion_pb2 as pb
from libra.v1.model_pb2 import Model

MAX_TEXT_BYTES = 1024 * 1024
MAX_TOKEN_COUNT = 2**31 - 1

BLOCKED = frozenset({pb.RESPONSE_CLASS_BLOCKED_INPUT, pb.RESPONSE_CLASS_BLOCKED_OUTPUT})
FINISH_REASONS = {
    pb.RESPONSE_CLASS_BLOCKED_INPUT: pb.FINISH_REASON_CONTENT_FILTER,
    pb.RESPONSE_CLASS_BLOCKED_OUTPUT: pb.FINISH_REASON_CONTENT_FILTER,
    pb.RESPONSE_CLASS_TRUNCATED: pb.FINISH_REASON_LENGTH,
}
"""The finish reasons of classes that have one of their own."""

_CHECK_URL = "check base_url of the model"
ENDED_IN_REASONING = "it ended within its reasoning, before an answer"

NO_BLOCK_STATUSES = frozenset({401, 402, 404, 405, 407, 408, 413, 429})
"""Statuses that speak of the caller, the URL or the rate, whatever words come with them."""

QUOTA_CODES = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
PASSING_STATUSES = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY})
FINAL_STATUSES = frozenset({HTTPStatus.NOT_IMPLEMENTED, HTTPStatus.HTTP_VERSION_NOT_SUPPORTED})


def read(status: int, headers: Mapping[str, str], body: bytes, model: Model, key: str) -> ProviderResult:
    """Return the result that the response stands for."""
    document = parsed(body)
    if status != HTTPStatus.OK:
        return _fault(status, headers, document, body, model, key)
    if isinstance(document, str):  # JSON within a JSON text
        document = parsed(replace_surrogates(document).encode())
    if isinstance(document, list) and len(document) == 1:
        document = document[0]
    if not isinstance(document, dict):
        return ProviderFault(
            f"the provider answered 200, but not with JSON: {quote(body, key)}; {_CHECK_URL}", FaultKind.UNREADABLE
        )
    choice = first_of(document.get("choices")) or foreign_choice(document)
    text = text_of(choice) if choice is not None else None
    if choice is None or text is None:
        return _without_choice(headers, document, body, model, key)
    return _answer(text, choice, document, key)


def _without_choice(
    headers: Mapping[str, str], document: dict[str, Any], body: bytes, model: Model, key: str
) -> ProviderResult:
    """Return the result of a response with status 200 and no answer."""
    is_error = bool(document.get("error")) or document.get("object") == "error"
    if block := reported_block(document, by_words=is_error):
        return _blocked(block, key)
    if not is_error:
        cause = "perhaps because of a filter or an error behind it"
        return ProviderFault(
            f"the provider answered 200 without a choice, {cause}: {quote(body, key)}", FaultKind.UNREADABLE
        )
    status = _inner_status(document)
    if status is not None:
        return _fault(status, headers, document, body, model, key)
    message = error_message(document, body, key)
    kind = FaultKind.FINAL if CONTEXT_LENGTH.search(message) else FaultKind.UNREADABLE
    return ProviderFault(f"the provider answered 200 with an error: {message}{_length_remedy(message)}", kind)


def _answer(text: str, choice: Mapping[str, Any], document: Mapping[str, Any], key: str) -> ProviderResult:
    text = replace_surrogates(text)
    if len(text) > MAX_TEXT_BYTES or len(text.encode()) > MAX_TEXT_BYTES:
        return ProviderFault("the answer is longer than 1 MiB; lower max_tokens", FaultKind.FINAL)
    if key and key in text:
        text = api_key.scrub(text, key)
    finish = choice.get("finish_reason")
    prompt_tokens, completion_tokens, is_known = _usage(document.get("usage"))
    if finish == "stop" and text and text[0] not in "<[◁" and "native_finish_reason" not in choice:
        return ProviderAnswer(text, pb.FINISH_REASON_STOP, prompt_tokens, completion_tokens, is_usage_known=is_known)
    result = _classified(text, choice, document, key)
    if isinstance(result, ProviderFault):
        return result
    response_class, text, category, words = result
    return ProviderAnswer(
        text=text,
        finish_reason=_finish_reason(response_class, finish),
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        response_class=response_class,
        category=shorten(category, key),
        words=shorten(words, key),
        is_usage_known=is_known,
    )


Classified = tuple[pb.ResponseClass.ValueType, str, str, str]
"""The class of an answer, its text, and the provider's category and words."""


def _classified(
    text: str, choice: Mapping[str, Any], document: Mapping[str, Any], key: str
) -> Classified | ProviderFault:
    """Return the class of a response with a choice, or the fault that the choice reports."""
    native, finish = choice.get("native_finish_reason"), choice.get("finish_reason")
    classes = {finish_class(finish): finish, finish_class(native): native}
    for blocked_class in BLOCKED & classes.keys():
        return _blocked_choice(blocked_class, text, str(classes[blocked_class]), choice, document)
    if pb.RESPONSE_CLASS_FAILED in classes or (not text and (choice.get("error") or document.get("error"))):
        return _choice_error(text, choice, document, key)
    if pb.RESPONSE_CLASS_TRUNCATED in classes:
        return pb.RESPONSE_CLASS_TRUNCATED, text, "", "" if strip_reasoning(text) else ENDED_IN_REASONING
    if not text:
        return _textless(choice, document)
    is_answer = bool(strip_reasoning(text))
    response_class = pb.RESPONSE_CLASS_ANSWERED if is_answer else pb.RESPONSE_CLASS_TRUNCATED
    return response_class, text, "", "" if is_answer else ENDED_IN_REASONING


def _textless(choice: Mapping[str, Any], document: Mapping[str, Any]) -> Classified:
    """Return the class of a response without text that ended normally."""
    if refusal := refusal_of(choice):
        return pb.RESPONSE_CLASS_REFUSED, replace_surrogates(refusal), "", refusal
    if tools := _tool_names(choice):
        return pb.RESPONSE_CLASS_TOOL_CALLS, "", "", f"it called {', '.join(tools)}"
    if block := reported_block({**document, "choices": [choice]}, by_words=False):
        return block.response_class, "", block.category, block.words
    if has_reasoning(choice):
        return pb.RESPONSE_CLASS_TRUNCATED, "", "", ENDED_IN_REASONING
    return pb.RESPONSE_CLASS_ANSWERED, "", "", ""


def _blocked_choice(
    blocked_class: pb.ResponseClass.ValueType,
    text: str,
    finish: str,
    choice: Mapping[str, Any],
    document: Mapping[str, Any],
) -> Classified:
    block = reported_block({**document, "choices": [choice]}, by_words=False)
    words = refusal_of(choice) or (block.words if block else "")
    is_input = block is not None and block.response_class == pb.RESPONSE_CLASS_BLOCKED_INPUT and not text
    # Annotations say "safe" of the input of nearly every block of an output, so only a flag counts.
    if is_input and not _prompt_is_flagged(document):
        is_input = False
    category = block.category if block and block.category else finish
    return pb.RESPONSE_CLASS_BLOCKED_INPUT if is_input else blocked_class, text, category, words


def _prompt_is_flagged(document: Mapping[str, Any]) -> bool:
    found = [document.get(name) for name in ("prompt_filter_results", "promptFeedback", "trace")]
    return any(value and reported_block(value, by_words=False) for value in found)


def _choice_error(
    text: str, choice: Mapping[str, Any], document: Mapping[str, Any], key: str
) -> Classified | ProviderFault:
    error = choice if choice.get("error") else document
    if block := reported_block(error.get("error")):
        where = pb.RESPONSE_CLASS_BLOCKED_OUTPUT if text else block.response_class
        return where, text, block.category, block.words
    message = error_message(error, b"", key)
    status = _inner_status(error)
    kind = FaultKind.SLOW_DOWN if status == HTTPStatus.TOO_MANY_REQUESTS else FaultKind.UNREADABLE
    return ProviderFault(f"the provider stopped with an error: {message}; ask it for the cause if it stays", kind)


def _blocked(block: Block, key: str) -> ProviderAnswer:
    return ProviderAnswer(
        "",
        pb.FINISH_REASON_CONTENT_FILTER,
        response_class=block.response_class,
        category=shorten(block.category, key),
        words=shorten(block.words, key),
    )


def _fault(
    status: int, headers: Mapping[str, str], document: object, body: bytes, model: Model, key: str
) -> ProviderResult:
    """Return the result of a status other than 200."""
    if isinstance(document, list) and len(document) == 1:
        document = document[0]
    if status >= HTTPStatus.BAD_REQUEST and status not in NO_BLOCK_STATUSES:
        readable = document if document is not None else quote(body, "", shown_characters=None)
        if block := reported_block(readable):
            return _blocked(block, key)
    message = error_message(document, body, key)
    retry_after_seconds = retry_after(headers, datetime.now(UTC))
    if retry_after_seconds is None:
        retry_after_seconds = named_wait(headers, document, datetime.now(UTC))
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        if _codes(document) & QUOTA_CODES:
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
            target = shorten(headers.get("location", "another URL"), key)
            remedy = "set base_url of the model to the right URL"
            return f"the provider redirects to {target} ({_status_text(status)}); {remedy}"
        case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            remedy = "shorten the prompts, or raise the limit of the server or its proxy"
            return f"the provider takes no request of this size ({_status_text(status)}): {message}; {remedy}"
        case _:
            return f"the provider refused the request ({_status_text(status)}): {message}{_length_remedy(message)}"


def _length_remedy(message: str) -> str:
    return "; lower max_tokens or shorten the prompt" if CONTEXT_LENGTH.search(message) else ""


def _finish_reason(response_class: pb.ResponseClass.ValueType, finish: object) -> pb.FinishReason.ValueType:
    if response_class in FINISH_REASONS:
        return FINISH_REASONS[response_class]
    is_stop = response_class == pb.RESPONSE_CLASS_REFUSED or finish_class(finish) == pb.RESPONSE_CLASS_ANSWERED
    return pb.FINISH_REASON_STOP if is_stop else pb.FINISH_REASON_UNSPECIFIED


def _tool_names(choice: Mapping[str, Any]) -> list[str]:
    """Return the names of the tools that a choice calls."""
    message = choice.get("message")
    calls = message.get("tool_calls") if isinstance(message, dict) else None
    legacy = [{"function": message.get("function_call")}] if isinstance(message, dict) else []
    found = [
        call.get("function")
        for call in [*(calls if isinstance(calls, list) else []), *legacy]
        if isinstance(call, dict)
    ]
    return [str(tool.get("name") or "a tool")[:100] for tool in found if isinstance(tool, dict)]


def _usage(usage: object) -> tuple[int, int, bool]:
    """Return the tokens of the prompt and of the answer, and whether the provider counted any."""
    if not isinstance(usage, dict):
        return 0, 0, False
    prompt, completion = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
    if prompt is None and completion is None:
        prompt, completion = _count(usage.get("input_tokens")), _count(usage.get("output_tokens"))
    return prompt or 0, completion or 0, prompt is not None and completion is not None


def _count(value: object) -> int | None:
    """Return a number of tokens, also if it is a float or a text; None if it is none."""
    if isinstance(value, str | float):
        try:
            value = int(float(value))
        except (ValueError, OverflowError):
            return None
    return min(value, MAX_TOKEN_COUNT) if isinstance(value, int) and value >= 0 else None


def _inner_status(document: object) -> int | None:
    """Return the status that the error in a response with status 200 names; None if it names none."""
    error = error_of(document)
    found = [error.get(name) for name in ("code", "status", "status_code")] if isinstance(error, dict) else []
    for code in found:
        number = int(code) if isinstance(code, str) and code.isdecimal() and len(code) == 3 else code  # noqa: PLR2004 - digits
        if isinstance(number, int) and HTTPStatus.BAD_REQUEST <= number <= 599:  # noqa: PLR2004 - the highest status
            return number
    return None


def _codes(document: object) -> set[str]:
    """Return the code and type of the error."""
    error = error_of(document)
    named = [error.get("code"), error.get("type")] if isinstance(error, dict) else []
    return {code for code in named if isinstance(code, str)}


def _status_text(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
