"""Put a rubric to a judge model, and read what it says."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

from libra.judge.answer import Answer, Turn
from libra.prompting.delimiters import fenced, mark, rules
from libra.prompting.json_extraction import objects
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

FORM = (
    'Answer with one JSON object and nothing else: {"reason": "<why, in a sentence>", "score": <a number from 0 to 1>}. '
    "1 means that the rubric is met in full, 0 that it is not met at all."
)
AGAIN = "Your last answer could not be read. " + FORM

LONGEST_TEXT_CHARACTERS = 24_000
"""Of the conversation and of the answer each: what a judge model with a window of 16,000 tokens takes."""

STAND_IN = "I'm sorry, but I can't help with that."
"""What a filtered answer is taken for: the provider refused in the model's place."""

REASON_CHARACTERS = 600


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a judge model thinks of an answer."""

    score: float
    """In [0, 1]."""

    reason: str


class Unreadable(Exception):
    """A judge model's reply holds no score, or more than one; the message says which."""


def question(rubric: str, answer: Answer, *, again: bool, shown: Sequence[str] = ()) -> list[Turn]:
    """Return the conversation by which a judge model is asked about an answer; it is shown these of the sample's fields."""
    material = {"conversation": "\n\n".join(f"[{turn.role}]\n{turn.content}" for turn in answer.turns)}
    material |= {f"field {name}": answer.fields.get(name, "") for name in shown}
    material["answer"] = STAND_IN if answer.filtered else answer.text
    material = {name: shortened(text) for name, text in material.items()}
    the_mark = mark(*material.values())
    system = (
        "You judge an answer that a language model gave, by the rubric below and by nothing else.\n\n"
        f"Rubric:\n{rubric}\n\n{rules(list(material), the_mark)}\n\n{FORM}"
    )
    laid_out = "\n\n".join(fenced(name, text, the_mark) for name, text in material.items())
    closing = f"Judge the answer by the rubric. {AGAIN if again else FORM}"
    return [Turn("system", system), Turn("user", f"{laid_out}\n\n{closing}")]


def shortened(text: str) -> str:
    """Return the text, without its middle if it is too long for a judge model."""
    if len(text) <= LONGEST_TEXT_CHARACTERS:
        return text
    half = LONGEST_TEXT_CHARACTERS // 2
    return f"{text[:half]}\n[... {len(text) - 2 * half:,} characters left out ...]\n{text[-half:]}"


def read(reply: str) -> Opinion:
    """Return the opinion in a judge model's reply; raise Unreadable if there is none, or if there are several scores."""
    opinions = [opinion for one in objects(strip_reasoning(reply)) if (opinion := opinion_of(one)) is not None]
    if not opinions:
        raise Unreadable(f"it gave no score from 0 to 1 but {reply.strip()[:100]!r}")
    if len({opinion.score for opinion in opinions}) > 1:
        raise Unreadable(f"it gave several scores: {', '.join(f'{opinion.score:g}' for opinion in opinions[:5])}")
    return opinions[-1]


def opinion_of(found: object) -> Opinion | None:
    """Return the opinion that a JSON object is; None if it is none."""
    if not isinstance(found, dict):
        return None
    score = number(found.get("score"))
    if score is None or not 0 <= score <= 1:
        return None
    return Opinion(score, str(found.get("reason") or "")[:REASON_CHARACTERS])


def number(found: object) -> float | None:
    """Return a finite number, or one that is written in a string; else None."""
    if isinstance(found, bool) or not isinstance(found, int | float | str):
        return None
    try:
        value = float(found)
    except (ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None
