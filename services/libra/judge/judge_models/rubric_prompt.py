"""Build the prompt that gives a judge model a rubric and an answer, and parse the score from its reply.

The texts of the prompt are part of completion keys: a change of wording makes the gateway ask the models again.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

from libra.judge.judged_answer import ChatMessage, JudgedAnswer
from libra.prompting.delimiters import delimit, delimiter_mark, delimiter_rules
from libra.prompting.json_extraction import extract_json_objects
from libra.prompting.reasoning import strip_reasoning

SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {
            "reason": {"type": "string", "description": "Why, in a sentence."},
            "score": {"type": "number", "minimum": 0, "maximum": 1, "description": "1 if the rubric is met, 0 if not."},
        },
        "required": ["reason", "score"],
        "additionalProperties": False,
    },
    separators=(",", ":"),
)

REPLY_FORMAT = (
    'Answer with one JSON object and nothing else: {"reason": "<why, in a sentence>", '
    '"score": <a number from 0 to 1>}. '
    "1 means that the rubric is met in full, 0 that it is not met at all."
)
RETRY_REPLY_FORMAT = "Your last answer could not be read. " + REPLY_FORMAT

MAX_TEXT_CHARACTERS = 24_000
"""Limit for the conversation and for the answer each: it fits a judge model with a context window of 16,000 tokens."""

PLAIN_REFUSAL = "I'm sorry, but I can't help with that."
"""Shown in place of a filtered answer, because the provider refused for the model."""

MAX_REASON_CHARACTERS = 600


@dataclass(frozen=True, slots=True)
class RubricScore:
    """The score that a judge model gives an answer."""

    score: float
    """In [0, 1]."""

    reason: str


class UnreadableReply(Exception):
    """A judge model's reply holds no score or several different ones; the message says which."""


def rubric_conversation(
    rubric: str, answer: JudgedAnswer, *, again: bool, shown: Sequence[str] = ()
) -> list[ChatMessage]:
    """Return the conversation that asks a judge model about an answer.

    `shown` names the sample's fields that the judge model sees. `again` asks for the format once more, after a reply
    that could not be read.
    """
    material = {"conversation": "\n\n".join(f"[{message.role}]\n{message.content}" for message in answer.messages)}
    material |= {f"field {name}": answer.fields.get(name, "") for name in shown}
    material["answer"] = PLAIN_REFUSAL if answer.filtered else answer.text
    material = {name: without_middle(text) for name, text in material.items()}
    mark = delimiter_mark(*material.values())
    system = (
        "You judge an answer that a language model gave, by the rubric below and by nothing else.\n\n"
        f"Rubric:\n{rubric}\n\n{delimiter_rules(list(material), mark)}\n\n{REPLY_FORMAT}"
    )
    delimited = "\n\n".join(delimit(name, text, mark) for name, text in material.items())
    closing = f"Judge the answer by the rubric. {RETRY_REPLY_FORMAT if again else REPLY_FORMAT}"
    return [ChatMessage("system", system), ChatMessage("user", f"{delimited}\n\n{closing}")]


def without_middle(text: str) -> str:
    """Return the text; if it is too long for a judge model, its beginning and its end."""
    if len(text) <= MAX_TEXT_CHARACTERS:
        return text
    half = MAX_TEXT_CHARACTERS // 2
    return f"{text[:half]}\n[... {len(text) - 2 * half:,} characters left out ...]\n{text[-half:]}"


def parse_reply(reply: str) -> RubricScore:
    """Return the score in a judge model's reply; raise UnreadableReply if there is none, or if scores differ."""
    objects = extract_json_objects(strip_reasoning(reply))
    scores = [score for found in objects if (score := _rubric_score(found)) is not None]
    if not scores:
        raise UnreadableReply(f"it gave no score from 0 to 1 but {reply.strip()[:100]!r}")
    if len({one.score for one in scores}) > 1:
        raise UnreadableReply(f"it gave several scores: {', '.join(f'{one.score:g}' for one in scores[:5])}")
    return scores[-1]


def finite_number(value: object) -> float | None:
    """Return a finite number, also if it is written as a string; else None."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _rubric_score(found: object) -> RubricScore | None:
    """Return the score in a JSON object; None if it has none in [0, 1]."""
    if not isinstance(found, dict):
        return None
    score = finite_number(found.get("score"))
    if score is None or not 0 <= score <= 1:
        return None
    return RubricScore(score, str(found.get("reason") or "")[:MAX_REASON_CHARACTERS])
