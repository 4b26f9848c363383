"""Reads a number of tokens, in any form that providers use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TOKEN_NAMES = (
    ("prompt_tokens", "completion_tokens"),
    ("input_tokens", "output_tokens"),
    ("promptTokens", "completionTokens"),
    ("inputTokens", "outputTokens"),
)
"""The names of the tokens of the prompt and of the answer."""

OLLAMA_NAMES = ("prompt_eval_count", "eval_count")
"""Their names in the body itself."""

MAX_TOKEN_COUNT = 2**31 - 1


def usage_of(document: Mapping[str, Any]) -> tuple[int, int, bool]:
    """Return the tokens of the prompt and of the answer, and whether the provider counted both.

    A prompt has tokens, so two zeros come from a server that does not count.
    """
    usage = document.get("usage")
    found, counted = (usage, TOKEN_NAMES) if isinstance(usage, dict) else (document, (OLLAMA_NAMES,))
    for prompt_name, answer_name in counted:
        prompt, answer = token_count(found.get(prompt_name)), token_count(found.get(answer_name))
        if prompt is not None or answer is not None:
            is_known = prompt is not None and answer is not None and prompt + answer > 0
            return prompt or 0, answer or 0, is_known
    return 0, 0, False


def token_count(value: object) -> int | None:
    """Return a number of tokens, also if it is a float or a text; None if it is none."""
    if isinstance(value, str | float):
        try:
            value = int(float(value))
        except (ValueError, OverflowError):
            return None
    return min(value, MAX_TOKEN_COUNT) if isinstance(value, int) and value >= 0 else None
