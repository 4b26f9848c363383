"""Reads the responses of Google's generateContent. Nothing in them is trusted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from libra.gateway.provider.adapter import HttpResponse
from libra.gateway.provider.response.answer import Content, Outcome, abnormal_outcome, answer_of, ordinary_outcome
from libra.gateway.provider.response.error_response import read_error
from libra.gateway.provider.response.error_text import error_message, shorten
from libra.gateway.provider.response.no_answer import object_of, read_no_answer
from libra.gateway.provider.response.quota import next_pacific_midnight, quota_fault
from libra.gateway.provider.response.quoted_json import objects_and_texts
from libra.gateway.provider.response.response_class import finish_class, spelling
from libra.gateway.provider.response.response_text import first_of_candidates, parsed
from libra.gateway.provider.response.token_count import token_count
from libra.gateway.provider.result import FaultKind, ProviderFault, ProviderResult
from libra.v1 import completion_pb2 as pb
from libra.v1.model_pb2 import Model

MORE_BLOCKS = frozenset({"image_prohibited_content", "image_recitation", "escalation"})
"""Finish reasons of a block besides those of `dialects.py`, in small letters like all of these."""

BLOCKS_OF_INPUT = frozenset({"escalation"})
"""A rule that filters the request, reported as the end of an empty answer."""

TOOL_FAULTS = frozenset({"malformed_function_call", "unexpected_tool_call", "too_many_tool_calls"})
ABNORMAL = frozenset(
    {
        "other",
        "language",
        "malformed_response",
        "missing_thought_signature",
        "continuation",
        "image_other",
        "no_image",
    }
)
"""Finish reasons that cut an answer off, and are neither a block nor a limit that was asked for."""

ACCOUNT_LIMITED = "pup_limited_disabled"
LIKELY = frozenset({"MEDIUM", "HIGH"})
NO_QUOTA = "0"
"""The limit of an account that may not use the model at all."""

QUOTA_WORDS = re.compile(
    r"credits? (?:are|is|have been|has been) (?:depleted|exhausted|used up)|(?:spend(?:ing)?|billing) (?:cap|limit)",
    re.IGNORECASE,
)
"""An account without money, and the cap of a month: they come without details."""

QUOTA_NAMES = ("quotaId", "quotaMetric", "quota_limit")
QUOTA_OF_A_DAY = re.compile(r"per_?day", re.IGNORECASE)


def read(response: HttpResponse, model: Model, key: str) -> ProviderResult:
    """Return the result that the response stands for."""
    parsed_body = parsed(response.body)
    if response.status != HTTPStatus.OK:
        return _error(response, parsed_body, model, key)
    document = object_of(parsed_body)
    candidate = first_of_candidates(document.get("candidates")) if document else None
    content = _content(candidate or {}, document or {})
    if document and not content.text and (block := _blocked_prompt(document)):
        return answer_of(content, block, key)
    if candidate is None or not (content.finish or "content" in candidate):
        return read_no_answer(response.headers, document, response.body, model, key)
    return answer_of(content, _outcome(content, candidate, model, key), key)


def _content(candidate: Mapping[str, Any], document: Mapping[str, Any]) -> Content:
    held, finish = candidate.get("content"), candidate.get("finishReason")
    listed = held.get("parts") if isinstance(held, dict) else None
    parts = [part for part in listed if isinstance(part, dict)] if isinstance(listed, list) else []
    usage = document.get("usageMetadata")
    counted = usage if isinstance(usage, dict) else {}
    prompt_tokens, completion_tokens = _usage(counted)
    return Content(
        text="".join(_text(part) for part in parts),
        finish=finish if isinstance(finish, str) else "",
        tools=tuple(_tool_names(parts)),
        has_reasoning=any(part.get("thought") is True for part in parts) or bool(_count(counted, "thoughtsTokenCount")),
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
    )


def _text(part: Mapping[str, Any]) -> str:
    text = part.get("text")
    return text if isinstance(text, str) and part.get("thought") is not True else ""


def _tool_names(parts: Iterable[Mapping[str, Any]]) -> list[str]:
    calls = [part.get("functionCall") for part in parts]
    return [str(call.get("name") or "a tool") for call in calls if isinstance(call, dict)]


def _usage(usage: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """Return the tokens of the prompt and of the answer with its thoughts. A number that is 0 is not sent."""
    prompt_tokens = _count(usage, "promptTokenCount")
    if prompt_tokens is None:
        return None, None
    answer_tokens = (_count(usage, "candidatesTokenCount") or 0) + (_count(usage, "thoughtsTokenCount") or 0)
    return token_count(prompt_tokens + (_count(usage, "toolUsePromptTokenCount") or 0)), token_count(answer_tokens)


def _count(usage: Mapping[str, Any], name: str) -> int | None:
    return token_count(usage.get(name))


def _blocked_prompt(document: Mapping[str, Any]) -> Outcome | None:
    """Return the outcome of a prompt that was blocked; None if it was not."""
    feedback = document.get("promptFeedback")
    reason = feedback.get("blockReason") if isinstance(feedback, dict) else None
    if not isinstance(feedback, dict) or not isinstance(reason, str) or not reason or "UNSPECIFIED" in reason:
        return None
    return Outcome(
        pb.RESPONSE_CLASS_BLOCKED_INPUT, _category(reason, feedback), _message(feedback, "blockReasonMessage")
    )


def _outcome(content: Content, candidate: Mapping[str, Any], model: Model, key: str) -> Outcome | ProviderFault:
    finish, message = spelling(content.finish).removeprefix("finish_reason_"), _message(candidate, "finishMessage")
    if finish_class(content.finish) == pb.RESPONSE_CLASS_BLOCKED_OUTPUT or finish in MORE_BLOCKS:
        is_input = finish in BLOCKS_OF_INPUT and not content.text
        blocked = pb.RESPONSE_CLASS_BLOCKED_INPUT if is_input else pb.RESPONSE_CLASS_BLOCKED_OUTPUT
        return Outcome(blocked, _category(content.finish, candidate), message)
    if finish in TOOL_FAULTS and not content.text:
        return Outcome(pb.RESPONSE_CLASS_TOOL_CALLS, words=message or f"it tried to call a tool ({content.finish})")
    if finish == ACCOUNT_LIMITED:
        reason = f"the provider limits the account of the model {model.name} ({shorten(content.finish, key)})"
        return ProviderFault(f"{reason}; ask it for the cause", FaultKind.FINAL)
    if finish in ABNORMAL:
        return abnormal_outcome(content, key, " ".join(filter(None, (content.finish, message))))
    return ordinary_outcome(content)


def _category(reason: str, rated: Mapping[str, Any]) -> str:
    """Return the reason of a block with the categories of harm for which it was blocked, or that are likely."""
    listed = rated.get("safetyRatings")
    ratings = [rating for rating in listed if isinstance(rating, dict)] if isinstance(listed, list) else []
    found = [rating for rating in ratings if rating.get("blocked") is True]
    found = found or [rating for rating in ratings if str(rating.get("probability")) in LIKELY]
    return ", ".join([reason, *(str(rating.get("category")) for rating in found if rating.get("category"))])


def _message(container: Mapping[str, Any], name: str) -> str:
    message = container.get(name)
    return message if isinstance(message, str) else ""


def _error(response: HttpResponse, document: object, model: Model, key: str) -> ProviderResult:
    if response.status == HTTPStatus.TOO_MANY_REQUESTS:
        now, limits = datetime.now(UTC), _limits_of_a_day(document)
        message = error_message(object_of(document), response.body, key)
        if limits or QUOTA_WORDS.search(message):
            until = next_pacific_midnight(now) if limits and NO_QUOTA not in limits else None
            return quota_fault(response.status, message, now, until)
    return read_error(response.status, response.headers, document, response.body, model, key)


def _limits_of_a_day(document: object) -> list[str]:
    """Return the limits of the violated quotas of a day. The delay that such an error names is that of other quotas."""
    found = [each for _, each in objects_and_texts(document) if isinstance(each, dict)]
    violated = [each for each in found if any(_is_of_a_day(each.get(name)) for name in QUOTA_NAMES)]
    return [str(each.get("quotaValue") or each.get("quota_limit_value") or "") for each in violated]


def _is_of_a_day(name: object) -> bool:
    return isinstance(name, str) and bool(QUOTA_OF_A_DAY.search(name))
