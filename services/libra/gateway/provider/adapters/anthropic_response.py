"""Reads the responses of Anthropic's Messages API. Nothing in them is trusted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from libra.gateway.provider.adapter import HttpResponse
from libra.gateway.provider.response.answer import Content, Outcome, abnormal_outcome, answer_of, ordinary_outcome
from libra.gateway.provider.response.error_response import read_error
from libra.gateway.provider.response.error_text import error_message, error_of
from libra.gateway.provider.response.no_answer import object_of, read_no_answer
from libra.gateway.provider.response.quota import quota_fault
from libra.gateway.provider.response.response_text import parsed
from libra.gateway.provider.response.token_count import token_count
from libra.gateway.provider.result import ProviderFault, ProviderResult
from libra.v1 import completion_pb2 as pb
from libra.v1.model_pb2 import Model

REASONING_BLOCKS = frozenset({"thinking", "redacted_thinking"})
TOOL_BLOCKS = frozenset({"tool_use", "server_tool_use"})
PROMPT_TOKENS = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
"""Tokens of the prompt are counted in three numbers, of which the first is always there."""

QUOTA_TYPES = frozenset({"billing_error"})
QUOTA_CODES = re.compile(r"spend_limit|billing_unavailable")
QUOTA_WORDS = re.compile(r"credit balance|usage limits?\b.{0,80}\bregain access", re.IGNORECASE | re.DOTALL)
"""An empty account, and a limit of a month, are reported with the type of an invalid request."""


def read(response: HttpResponse, model: Model, key: str) -> ProviderResult:
    """Return the result that the response stands for."""
    document = parsed(response.body)
    if response.status != HTTPStatus.OK:
        return _error(response, document, model, key)
    message = object_of(document)
    if message is None or not _has_answer(message):
        return read_no_answer(response.headers, message, response.body, model, key)
    content = _content(message)
    return answer_of(content, _outcome(content, message, key), key)


def _has_answer(message: Mapping[str, Any]) -> bool:
    is_ended = isinstance(message.get("stop_reason"), str) and bool(message["stop_reason"])
    return isinstance(message.get("content"), list | str) or (is_ended and message.get("content") is None)


def _content(message: Mapping[str, Any]) -> Content:
    found = message.get("content")
    listed = found if isinstance(found, list) else [{"type": "text", "text": found}]
    blocks = [block for block in listed if isinstance(block, dict)]
    stop = message.get("stop_reason")
    prompt_tokens, completion_tokens = _usage(message.get("usage"))
    return Content(
        text="".join(_text(block) for block in blocks),
        finish=stop if isinstance(stop, str) else "",
        tools=tuple(str(block.get("name") or "a tool") for block in blocks if _kind(block) in TOOL_BLOCKS),
        has_reasoning=any(_kind(block) in REASONING_BLOCKS for block in blocks),
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
    )


def _kind(block: Mapping[str, Any]) -> str:
    kind = block.get("type")
    return kind if isinstance(kind, str) else ""


def _text(block: Mapping[str, Any]) -> str:
    text = block.get("text")
    return text if _kind(block) == "text" and isinstance(text, str) else ""


def _usage(usage: object) -> tuple[int | None, int | None]:
    if not isinstance(usage, dict):
        return None, None
    counts = [token_count(usage.get(name)) for name in PROMPT_TOKENS]
    prompt_tokens = None if counts[0] is None else sum(count or 0 for count in counts)
    return token_count(prompt_tokens), token_count(usage.get("output_tokens"))


def _outcome(content: Content, message: Mapping[str, Any], key: str) -> Outcome | ProviderFault:
    match content.finish:
        case "refusal":
            # Classifiers beside the model stop the answer: a block, like the filters of other providers.
            return Outcome(pb.RESPONSE_CLASS_BLOCKED_OUTPUT, *_stop_details(message.get("stop_details")))
        case "model_context_window_exceeded":
            return Outcome(pb.RESPONSE_CLASS_TRUNCATED, words="the context window of the model is full")
        case "pause_turn":
            return abnormal_outcome(content, key, "pause_turn, in the middle of its turn")
        case _:
            return ordinary_outcome(content)


def _stop_details(details: object) -> tuple[str, str]:
    """Return the category of a refusal and its explanation."""
    found = details if isinstance(details, dict) else {}
    category, explanation = found.get("category"), found.get("explanation")
    named = category if isinstance(category, str) and category else "refusal"
    return named, explanation if isinstance(explanation, str) else ""


def _error(response: HttpResponse, document: object, model: Model, key: str) -> ProviderResult:
    error = error_of(object_of(document))
    if isinstance(error, dict) and _is_quota(error):
        return quota_fault(response.status, error_message(document, response.body, key), datetime.now(UTC))
    return read_error(response.status, response.headers, document, response.body, model, key)


def _is_quota(error: Mapping[str, Any]) -> bool:
    details, message = error.get("details"), error.get("message")
    code = details.get("error_code") if isinstance(details, dict) else None
    return (
        _kind(error) in QUOTA_TYPES
        or (isinstance(code, str) and bool(QUOTA_CODES.search(code)))
        or (isinstance(message, str) and bool(QUOTA_WORDS.search(message)))
    )
