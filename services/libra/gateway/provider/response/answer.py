"""Makes the result of a response from what an API's adapter found in it: text, reasoning, tool calls, and its end.

For the APIs whose responses have one published form; `adapters/openai_chat_response.py` reads the forms around chat
completions.
"""

from __future__ import annotations

from dataclasses import dataclass

from libra.gateway.provider.keys import api_key
from libra.gateway.provider.response.error_text import replace_surrogates, shorten
from libra.gateway.provider.response.response_class import finish_class
from libra.gateway.provider.result import FaultKind, ProviderAnswer, ProviderFault, ProviderResult
from libra.prompting.reasoning import strip_reasoning
from libra.v1 import completion_pb2 as pb

MAX_TEXT_BYTES = 1024 * 1024
MAX_NAME_CHARACTERS = 100
ENDED_IN_REASONING = "it ended within its reasoning, before an answer"

FINISH_REASONS = {
    pb.RESPONSE_CLASS_BLOCKED_INPUT: pb.FINISH_REASON_CONTENT_FILTER,
    pb.RESPONSE_CLASS_BLOCKED_OUTPUT: pb.FINISH_REASON_CONTENT_FILTER,
    pb.RESPONSE_CLASS_TRUNCATED: pb.FINISH_REASON_LENGTH,
    pb.RESPONSE_CLASS_REFUSED: pb.FINISH_REASON_STOP,
}
"""The finish reasons of classes that have one of their own."""


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a response with status 200. All of it is the provider's, and not trusted."""

    text: str
    finish: str
    """Reason of its end, in the provider's term; empty if the provider does not say."""

    tools: tuple[str, ...] = ()
    """The tools that it calls."""

    has_reasoning: bool = False
    prompt_tokens: int | None = None
    """None if the provider did not count."""

    completion_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The class of a response, with the provider's category and words."""

    response_class: pb.ResponseClass.ValueType
    category: str = ""
    words: str = ""


def ordinary_outcome(content: Content) -> Outcome:
    """Return the outcome of a response that nothing blocked."""
    has_answer = bool(strip_reasoning(content.text))
    if finish_class(content.finish) == pb.RESPONSE_CLASS_TRUNCATED:
        return Outcome(pb.RESPONSE_CLASS_TRUNCATED, words="" if has_answer else ENDED_IN_REASONING)
    if has_answer:
        return Outcome(pb.RESPONSE_CLASS_ANSWERED)
    if content.tools and not content.text:
        names = ", ".join(name[:MAX_NAME_CHARACTERS] for name in content.tools)
        return Outcome(pb.RESPONSE_CLASS_TOOL_CALLS, words=f"it called {names}")
    if content.text or content.has_reasoning:
        return Outcome(pb.RESPONSE_CLASS_TRUNCATED, words=ENDED_IN_REASONING)
    return Outcome(pb.RESPONSE_CLASS_ANSWERED)


def abnormal_outcome(content: Content, key: str, words: str = "") -> Outcome | ProviderFault:
    """Return the outcome of a response that the provider ended early: its text is incomplete, or there is none.

    `words` say why; without them the finish reason is named.
    """
    cause = shorten(words or content.finish, key)
    if content.text:
        return Outcome(pb.RESPONSE_CLASS_TRUNCATED, words=f"the provider ended it: {cause}")
    return ProviderFault(
        f"the provider stopped without an answer: {cause}; ask it for the cause if it stays", FaultKind.UNREADABLE
    )


def answer_of(content: Content, outcome: Outcome | ProviderFault, key: str) -> ProviderResult:
    """Return the result, without the API key."""
    if isinstance(outcome, ProviderFault):
        return outcome
    text = replace_surrogates(content.text)
    if len(text) > MAX_TEXT_BYTES or len(text.encode()) > MAX_TEXT_BYTES:
        return ProviderFault("the answer is longer than 1 MiB; lower max_tokens", FaultKind.FINAL)
    return ProviderAnswer(
        text=_without_key(text, key),
        finish_reason=_finish_reason(outcome.response_class, content.finish),
        prompt_tokens=content.prompt_tokens or 0,
        completion_tokens=content.completion_tokens or 0,
        response_class=outcome.response_class,
        category=shorten(outcome.category, key)[:MAX_NAME_CHARACTERS],
        words=shorten(outcome.words, key),
        is_usage_known=content.prompt_tokens is not None and content.completion_tokens is not None,
    )


def _without_key(text: str, key: str) -> str:
    """Return the text with the key masked. AWS keys have parts, of which a provider sees some."""
    parts = [part for part in key.split(":") if len(part) >= api_key.PIECE_CHARACTERS] or [key]
    return api_key.scrub(text, key) if key and any(part in text for part in parts) else text


def _finish_reason(response_class: pb.ResponseClass.ValueType, finish: str) -> pb.FinishReason.ValueType:
    if response_class in FINISH_REASONS:
        return FINISH_REASONS[response_class]
    is_stop = finish_class(finish) == pb.RESPONSE_CLASS_ANSWERED
    return pb.FINISH_REASON_STOP if is_stop else pb.FINISH_REASON_UNSPECIFIED
