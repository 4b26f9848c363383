"""Adjustments of requests in words, and as the value of a verdict's field."""

from __future__ import annotations

from collections.abc import Iterable

from libra.v1.completion_pb2 import Adjustment

ADJUSTED_FIELD = "adjusted"
"""The verdict's field with the adjustments of the request to the model under test; boards can group by it."""

JUDGE_ADJUSTED_FIELD = "judge_adjusted"
"""The same of the requests to the judge model."""

ATTACK_ADJUSTED_FIELD = "attack_adjusted"
"""The same of the requests to the models of an attack, of all of them together."""

REPLACED = {
    ("json_schema", "json_object"): "not sent; any JSON object is asked for",
    ("system", "system"): 'sent with the role "system"',
    ("system", "merged"): "merged into the user turn",
    ("alternation", "merged"): "turns of the same role in a row are merged",
}
"""Descriptions of replacements, by parameter and replacement."""


def adjusted_text(adjustments: Iterable[Adjustment]) -> str:
    """Return for instance "max_tokens=max_completion_tokens,temperature"; "" if there are none."""
    return ",".join(
        f"{adjustment.parameter}={adjustment.replacement}" if adjustment.replacement else adjustment.parameter
        for adjustment in adjustments
    )


def join_adjusted_texts(texts: Iterable[str]) -> str:
    """Return the adjustments of several requests, each once."""
    return ",".join(sorted({part for text in texts for part in text.split(",") if part}))


def describe(adjustment: Adjustment) -> str:
    """Return an adjustment in words, for instance "temperature: not sent, because the endpoint says ..."."""
    text = f"{adjustment.parameter}: {_what_is_sent(adjustment)}"
    return f'{text}, because the endpoint says "{adjustment.words}"' if adjustment.words else text


def _what_is_sent(adjustment: Adjustment) -> str:
    parameter, replacement = adjustment.parameter, adjustment.replacement
    if not replacement:
        return "not sent"
    if parameter == "max_tokens":
        return f"sent as {replacement}"
    return REPLACED.get((parameter, replacement), f"not sent together with {replacement}")
