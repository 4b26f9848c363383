"""Reads the responses of Bedrock's Converse operation. Nothing in them is trusted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from libra.gateway.provider.adapter import HttpResponse
from libra.gateway.provider.response.answer import Content, Outcome, abnormal_outcome, answer_of, ordinary_outcome
from libra.gateway.provider.response.error_response import read_error
from libra.gateway.provider.response.error_text import error_message
from libra.gateway.provider.response.no_answer import object_of, read_no_answer
from libra.gateway.provider.response.quota import quota_fault
from libra.gateway.provider.response.quoted_json import objects_and_texts
from libra.gateway.provider.response.response_class import finish_class
from libra.gateway.provider.response.response_text import parsed
from libra.gateway.provider.response.token_count import token_count
from libra.gateway.provider.result import FaultKind, ProviderFault, ProviderResult
from libra.v1 import completion_pb2 as pb
from libra.v1.model_pb2 import Model

GUARDRAIL = "guardrail_intervened"
MASKED_FINISH = "end_turn"
"""The stop reason of an answer in which a guardrail masked something; the guardrail's takes its place."""

THROTTLED = frozenset({"ThrottlingException", "TooManyRequestsException"})
NOT_READY = frozenset({"ModelNotReadyException", "ModelErrorException"})
"""The model is being loaded, or failed: neither says anything about the rate or the request."""

QUOTA_USED_UP = "ServiceQuotaExceededException"
ABOUT_PAYMENT = re.compile(r"payment.instrument", re.IGNORECASE)
QUOTA_OF_A_DAY = re.compile(r"\bper day\b|\bdaily\b", re.IGNORECASE)


def read(response: HttpResponse, model: Model, key: str) -> ProviderResult:
    """Return the result that the response stands for."""
    document = object_of(parsed(response.body))
    if response.status != HTTPStatus.OK:
        return _error(response, document, model, key)
    message = _message(document or {})
    if document is None or (message is None and not isinstance(document.get("stopReason"), str)):
        return read_no_answer(response.headers, document, response.body, model, key)
    content = _content(message or {}, document)
    if content.finish == GUARDRAIL:
        return _guarded(content, document, key)
    return answer_of(content, _outcome(content, key), key)


def _message(document: Mapping[str, Any]) -> dict[str, Any] | None:
    output = document.get("output")
    message = output.get("message") if isinstance(output, dict) else None
    return message if isinstance(message, dict) else None


def _content(message: Mapping[str, Any], document: Mapping[str, Any]) -> Content:
    blocks = _objects(message.get("content"))
    finish, usage = document.get("stopReason"), document.get("usage")
    counted = usage if isinstance(usage, dict) else {}
    return Content(
        text="".join(_text(block) for block in blocks),
        finish=finish if isinstance(finish, str) else "",
        tools=tuple(_tool_name(block) for block in blocks if "toolUse" in block),
        has_reasoning=any("reasoningContent" in block for block in blocks),
        prompt_tokens=_prompt_tokens(counted),
        completion_tokens=token_count(counted.get("outputTokens")),
    )


def _objects(listed: object) -> list[dict[str, Any]]:
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def _text(block: Mapping[str, Any]) -> str:
    """Return the text of a block. Text with citations is a block that contains blocks."""
    text, cited = block.get("text"), block.get("citationsContent")
    if isinstance(text, str):
        return text
    inner = [each.get("text") for each in _objects(cited.get("content"))] if isinstance(cited, dict) else []
    return "".join(each for each in inner if isinstance(each, str))


def _tool_name(block: Mapping[str, Any]) -> str:
    tool = block["toolUse"]
    return str((isinstance(tool, dict) and tool.get("name")) or "a tool")


def _prompt_tokens(usage: Mapping[str, Any]) -> int | None:
    counts = [token_count(usage.get(name)) for name in ("inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens")]
    return None if counts[0] is None else token_count(sum(count or 0 for count in counts))


def _outcome(content: Content, key: str) -> Outcome | ProviderFault:
    match content.finish:
        case "malformed_model_output":
            return abnormal_outcome(content, key)
        case "malformed_tool_use" if not content.text:
            return Outcome(pb.RESPONSE_CLASS_TOOL_CALLS, words="it tried to call a tool (malformed_tool_use)")
        case "model_context_window_exceeded":
            return Outcome(pb.RESPONSE_CLASS_TRUNCATED, words="the context window of the model is full")
        case finish if finish_class(finish) == pb.RESPONSE_CLASS_BLOCKED_OUTPUT:
            return Outcome(pb.RESPONSE_CLASS_BLOCKED_OUTPUT, finish)
        case _:
            return ordinary_outcome(content)


def _guarded(content: Content, document: Mapping[str, Any], key: str) -> ProviderResult:
    """Return the result of a guardrail's intervention: a block, or an answer in which it masked something.

    The text of a block is the message that the guardrail's owner configured, so it is the provider's words.
    """
    trace = document.get("trace")
    found = trace.get("guardrail") if isinstance(trace, dict) else None
    guardrail = found if isinstance(found, dict) else {}
    of_input = _policies(guardrail.get("inputAssessment"), "BLOCKED")
    of_output = _policies(guardrail.get("outputAssessments"), "BLOCKED")
    masked = _policies(guardrail, "ANONYMIZED")
    if masked and not of_input and not of_output:
        whole = replace(content, finish=MASKED_FINISH)
        return answer_of(whole, Outcome(pb.RESPONSE_CLASS_ANSWERED, words=f"masked: {', '.join(masked)}"), key)
    is_output = bool(of_output) or (not of_input and bool(content.completion_tokens))
    blocked = pb.RESPONSE_CLASS_BLOCKED_OUTPUT if is_output else pb.RESPONSE_CLASS_BLOCKED_INPUT
    category = ", ".join(of_output if is_output else of_input) or GUARDRAIL
    return answer_of(replace(content, text=""), Outcome(blocked, category, content.text), key)


def _policies(assessments: object, action: str) -> list[str]:
    """Return what of the guardrail's policies acted like this: the name of a topic or pattern, the type of a filter."""
    found = [each for _, each in objects_and_texts(assessments) if isinstance(each, dict)]
    acted = [each for each in found if each.get("action") == action]
    return list(dict.fromkeys(str(each.get("name") or each.get("type") or "word") for each in acted))


def _error(response: HttpResponse, document: Mapping[str, Any] | None, model: Model, key: str) -> ProviderResult:
    kind = _error_type(response.headers, document or {})
    status, error = response.status, _as_error(kind, document)
    message = error_message(error, response.body, key)
    is_quota = kind == QUOTA_USED_UP or (kind in THROTTLED and QUOTA_OF_A_DAY.search(message))
    if is_quota or ABOUT_PAYMENT.search(message):
        return quota_fault(status, f"{kind}: {message}", datetime.now(UTC))
    if kind in NOT_READY:
        return ProviderFault(f"the provider failed ({status} {kind}): {message}", FaultKind.PASSING)
    if kind in THROTTLED:
        status = HTTPStatus.TOO_MANY_REQUESTS
    return read_error(status, response.headers, error, response.body, model, key)


def _error_type(headers: Mapping[str, str], document: Mapping[str, Any]) -> str:
    """Return the name of the error: of "ns#NameException:http://...", in the header or the body, the name."""
    found = headers.get("x-amzn-errortype") or document.get("__type") or document.get("code")
    return found.partition(":")[0].rpartition("#")[2].strip() if isinstance(found, str) else ""


def _as_error(kind: str, document: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the error in the form that all adapters share."""
    if document is None:
        return None
    message = document.get("message") or document.get("Message")
    return {"error": {"type": kind, "message": message}} if isinstance(message, str) else dict(document)
