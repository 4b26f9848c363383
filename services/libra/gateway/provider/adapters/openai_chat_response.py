"""Parses every response of an OpenAI-compatible endpoint.

Nothing that a provider sends is trusted: its JSON may be truncated, be HTML, contain lone surrogates, or have another
shape. Its error messages are read whole, and quoted shortened and without the API key.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from libra.gateway.provider.keys import api_key
from libra.gateway.provider.response.choice import first_of, has_reasoning, refusal_of, text_of, tool_names
from libra.gateway.provider.response.dialects import CONTEXT_LENGTH
from libra.gateway.provider.response.error_response import blocked_answer, inner_status, length_remedy, read_error
from libra.gateway.provider.response.error_text import error_message, quote, replace_surrogates, shorten
from libra.gateway.provider.response.response_class import finish_class, reported_block
from libra.gateway.provider.response.response_text import foreign_choice, parsed, unwrapped
from libra.gateway.provider.response.responses_output import is_responses_body, without_request
from libra.gateway.provider.response.token_count import usage_of
from libra.gateway.provider.result import FaultKind, ProviderAnswer, ProviderFault, ProviderResult
from libra.prompting.reasoning import strip_reasoning
from libra.v1 import completion_pb2 as pb
from libra.v1.model_pb2 import Model

MAX_TEXT_BYTES = 1024 * 1024

BLOCKED = frozenset({pb.RESPONSE_CLASS_BLOCKED_INPUT, pb.RESPONSE_CLASS_BLOCKED_OUTPUT})
FINISH_REASONS = {
    pb.RESPONSE_CLASS_BLOCKED_INPUT: pb.FINISH_REASON_CONTENT_FILTER,
    pb.RESPONSE_CLASS_BLOCKED_OUTPUT: pb.FINISH_REASON_CONTENT_FILTER,
    pb.RESPONSE_CLASS_TRUNCATED: pb.FINISH_REASON_LENGTH,
}
"""The finish reasons of classes that have one of their own."""

PROMPT_FLAGS = ("prompt_filter_results", "content_filters", "promptFeedback", "trace")
"""Fields that say what a filter found in the prompt."""

_CHECK_URL = "check base_url of the model"
TOO_LONG = "the answer is longer than 1 MiB; lower max_tokens"
ENDED_IN_REASONING = "it ended within its reasoning, before an answer"


def read(status: int, headers: Mapping[str, str], body: bytes, model: Model, key: str) -> ProviderResult:
    """Return the result that the response stands for."""
    document = parsed(body)
    if status == HTTPStatus.OK and (answer := ordinary_answer(document, key)) is not None:
        return answer
    return read_closely(status, headers, document, body, model, key)


def ordinary_answer(document: object, key: str) -> ProviderAnswer | None:
    """Return the answer of the usual body: one choice that ended by itself, with a plain text and nothing beside it.

    None for any other body. `read_closely` finds the same in twice the time, and nearly every body is of this kind.
    """
    if not isinstance(document, dict) or "output" in document:
        return None
    choices = document.get("choices")
    choice = choices[0] if isinstance(choices, list) and len(choices) == 1 else None
    if not isinstance(choice, dict) or choice.get("finish_reason") != "stop" or "native_finish_reason" in choice:
        return None
    message = choice.get("message")
    text = message.get("content") if isinstance(message, dict) and not message.get("refusal") else None
    if not isinstance(text, str) or not text.isascii() or text[:1] in ("", "<", "[") or len(text) > MAX_TEXT_BYTES:
        return None
    if key and key in text:
        return None
    prompt_tokens, completion_tokens, is_known = usage_of(document)
    return ProviderAnswer(text, pb.FINISH_REASON_STOP, prompt_tokens, completion_tokens, is_usage_known=is_known)


def read_closely(
    status: int, headers: Mapping[str, str], document: object, body: bytes, model: Model, key: str
) -> ProviderResult:
    """Return the result that a response of any form stands for. `document` is its parsed body."""
    if status != HTTPStatus.OK and not _has_choice(status, document):
        return read_error(status, headers, document, body, model, key)
    if isinstance(document, str):  # JSON within a JSON text
        document = parsed(replace_surrogates(document).encode())
    if isinstance(document, list) and len(document) == 1:
        document = document[0]
    if not isinstance(document, dict):
        return ProviderFault(
            f"the provider answered 200, but not with JSON: {quote(body, key)}; {_CHECK_URL}", FaultKind.UNREADABLE
        )
    document = without_request(document) if is_responses_body(document) else unwrapped(document)
    choice = first_of(document.get("choices")) or foreign_choice(document)
    text = text_of(choice) if choice is not None else None
    if choice is None or text is None:
        return _without_choice(headers, document, body, model, key)
    return _answer(text, choice, document, key)


def _has_choice(status: int, document: object) -> bool:
    """Tell whether a body has a choice although its status is not 200.

    Gateways have statuses of their own for answers that a check flagged, and Azure sends blocked choices with 400.
    """
    choice = first_of(document.get("choices")) if isinstance(document, dict) else None
    if choice is None:
        return False
    is_success = HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES
    return is_success or finish_class(choice.get("finish_reason")) in BLOCKED


def _without_choice(
    headers: Mapping[str, str], document: dict[str, Any], body: bytes, model: Model, key: str
) -> ProviderResult:
    """Return the result of a response with status 200 and no answer."""
    is_error = bool(document.get("error")) or document.get("object") == "error"
    if block := reported_block(document, by_words=is_error):
        return blocked_answer(block, key)
    if not is_error:
        cause = "perhaps because of a filter or an error behind it"
        return ProviderFault(
            f"the provider answered 200 without a choice, {cause}: {quote(body, key)}", FaultKind.UNREADABLE
        )
    status = inner_status(document)
    if status is not None:
        return read_error(status, headers, document, body, model, key)
    message = error_message(document, body, key)
    kind = FaultKind.FINAL if CONTEXT_LENGTH.search(message) else FaultKind.UNREADABLE
    return ProviderFault(f"the provider answered 200 with an error: {message}{length_remedy(message)}", kind)


def _answer(text: str, choice: Mapping[str, Any], document: Mapping[str, Any], key: str) -> ProviderResult:
    text = replace_surrogates(text)
    if _is_too_long(text):
        return ProviderFault(TOO_LONG, FaultKind.FINAL)
    if key and key in text:
        text = api_key.scrub(text, key)
    finish = choice.get("finish_reason")
    prompt_tokens, completion_tokens, is_known = usage_of(document)
    is_plain = finish == "stop" and "native_finish_reason" not in choice and text and text[0] not in "<[◁"
    if is_plain and not refusal_of(choice):
        return ProviderAnswer(text, pb.FINISH_REASON_STOP, prompt_tokens, completion_tokens, is_usage_known=is_known)
    result = _classified(text, choice, document, key)
    if isinstance(result, ProviderFault):
        return result
    response_class, text, category, words = result
    if _is_too_long(text):
        return ProviderFault(TOO_LONG, FaultKind.FINAL)
    return ProviderAnswer(
        text=api_key.scrub(text, key) if key and key in text else text,
        finish_reason=_finish_reason(response_class, finish),
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        response_class=response_class,
        category=shorten(category, key),
        words=shorten(words, key),
        is_usage_known=is_known,
    )


def _is_too_long(text: str) -> bool:
    """Tell whether a text has more than MAX_TEXT_BYTES in UTF-8, where a character has at most 4 bytes."""
    return 4 * len(text) > MAX_TEXT_BYTES and (len(text) > MAX_TEXT_BYTES or len(text.encode()) > MAX_TEXT_BYTES)


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
    if refusal := refusal_of(choice):
        whole = text if refusal in text else text + refusal
        return pb.RESPONSE_CLASS_REFUSED, replace_surrogates(whole), "", refusal
    if pb.RESPONSE_CLASS_TRUNCATED in classes:
        return pb.RESPONSE_CLASS_TRUNCATED, text, "", "" if strip_reasoning(text) else ENDED_IN_REASONING
    if not text:
        return _textless(choice, document)
    is_answer = bool(strip_reasoning(text))
    response_class = pb.RESPONSE_CLASS_ANSWERED if is_answer else pb.RESPONSE_CLASS_TRUNCATED
    return response_class, text, "", "" if is_answer else ENDED_IN_REASONING


def _textless(choice: Mapping[str, Any], document: Mapping[str, Any]) -> Classified:
    """Return the class of a response without text that ended normally."""
    if tools := tool_names(choice):
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
    found = [document.get(name) for name in PROMPT_FLAGS]
    return any(value and reported_block(value, by_words=False) for value in found)


def _choice_error(
    text: str, choice: Mapping[str, Any], document: Mapping[str, Any], key: str
) -> Classified | ProviderFault:
    error = choice if choice.get("error") else document
    if block := reported_block(error.get("error")):
        where = pb.RESPONSE_CLASS_BLOCKED_OUTPUT if text else block.response_class
        return where, text, block.category, block.words
    named = error.get("error") or error.get("message")
    message = error_message(error, b"", key) if named else shorten(str(choice.get("finish_reason")), key)
    status = inner_status(error)
    kind = FaultKind.SLOW_DOWN if status == HTTPStatus.TOO_MANY_REQUESTS else FaultKind.UNREADABLE
    return ProviderFault(f"the provider stopped with an error: {message}; ask it for the cause if it stays", kind)


def _finish_reason(response_class: pb.ResponseClass.ValueType, finish: object) -> pb.FinishReason.ValueType:
    if response_class in FINISH_REASONS:
        return FINISH_REASONS[response_class]
    is_stop = response_class == pb.RESPONSE_CLASS_REFUSED or finish_class(finish) == pb.RESPONSE_CLASS_ANSWERED
    return pb.FINISH_REASON_STOP if is_stop else pb.FINISH_REASON_UNSPECIFIED
