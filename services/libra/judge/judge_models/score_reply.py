"""Parse the score from a judge model's reply: JSON in any wording, or a line such as "Score: 4/5".

Endpoints without schemas, and small models, give a score in many forms. A reply is unreadable if it holds no score, or
several that differ: it may quote the answer that it judges.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from libra.judge.judge_models.score_range import UNIT, ScoreRange
from libra.prompting.json_extraction import extract_json_objects
from libra.prompting.reasoning import strip_reasoning

MAX_REASON_CHARACTERS = 600
MAX_DEPTH = 5

SCORE_KEYS = ("score", "rating", "grade")
SCORE_KEY = re.compile(r"(?:final|overall|total|safety)?[ _-]?(?:score|rating|grade)")
REASON_KEYS = ("reason", "reasoning", "rationale", "explanation", "justification")

VALUE = (
    r"(?P<number>-?(?:\d+(?:\.\d+)?|\.\d+))(?P<percent> ?%)?(?: ?(?:/|out of|of) ?(?P<total>\d+(?:\.\d+)?))?"
    r"|(?P<word>true|false|yes|no)"
)
WHOLE_VALUE = re.compile(rf"[\s*_`]*(?:{VALUE})[\s*_`.]*", re.IGNORECASE)
"""A value and nothing else."""

STATEMENT = re.compile(
    rf"\b(?:score|rating|grade)\b[\"'*_` ]*(?::|=|：|\bis\b)[\"'*_`\s]*(?:{VALUE})(?![\w%]|\.\d| ?(?:-|–|to|or) ?\d)",
    re.IGNORECASE,
)
"""A score in prose, or in an object that is no valid JSON; not a range, as in "the score is 0 to 1"."""


@dataclass(frozen=True, slots=True)
class RubricScore:
    """The score that a judge model gives an answer."""

    score: float
    """In [0, 1]."""

    reason: str


class UnreadableReply(Exception):
    """A judge model's reply holds no score or several different ones; the message says which."""


def parse_reply(reply: str, score_range: ScoreRange = UNIT) -> RubricScore:
    """Return the score in a judge model's reply; raise UnreadableReply if there is none, or if scores differ."""
    text = strip_reasoning(reply)
    scores = list(_scores_in_objects(text, score_range)) or list(_scores_in_prose(text, score_range))
    if not scores:
        expected = f"{score_range.low:g} to {score_range.high:g}"
        raise UnreadableReply(f"it gave no score from {expected} but {reply.strip()[:100]!r}")
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


def _scores_in_objects(text: str, score_range: ScoreRange) -> Iterator[RubricScore]:
    for found in extract_json_objects(text):
        yield from _scores_in(found, score_range, MAX_DEPTH)


def _scores_in(found: object, score_range: ScoreRange, depth: int) -> Iterator[RubricScore]:
    """Yield the score of an object or, if it has none, those of the objects within."""
    if not isinstance(found, dict) or not depth:
        return
    named = {str(key).strip().lower(): value for key, value in found.items()}
    keys = [key for key in SCORE_KEYS if key in named] or [key for key in named if SCORE_KEY.fullmatch(key)]
    scores = [score for key in keys if (score := _to_score(named[key], score_range)) is not None]
    if scores:
        yield from (RubricScore(score, _reason(named)) for score in scores)
    else:
        for value in found.values():
            yield from _scores_in(value, score_range, depth - 1)


def _reason(named: Mapping[str, object]) -> str:
    reason = next((named[key] for key in REASON_KEYS if named.get(key)), "")
    return str(reason)[:MAX_REASON_CHARACTERS]


def _scores_in_prose(text: str, score_range: ScoreRange) -> Iterator[RubricScore]:
    if whole := WHOLE_VALUE.fullmatch(text):
        score = _match_score(whole, score_range)
        if score is not None:
            yield RubricScore(score, "")
        return
    for match in STATEMENT.finditer(text):
        is_cut = not text[match.end() :].strip(" .") and "{" in text  # an object that was cut off within its number
        score = None if is_cut else _match_score(match, score_range)
        if score is not None:
            yield RubricScore(score, text[:MAX_REASON_CHARACTERS])


def _to_score(value: object, score_range: ScoreRange) -> float | None:
    """Return the score of a value in an object; None if it is none."""
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, str) and (match := WHOLE_VALUE.fullmatch(value)):
        return _match_score(match, score_range)
    number = finite_number(value)
    return None if number is None else score_range.normalize(number)


def _match_score(match: re.Match[str], score_range: ScoreRange) -> float | None:
    """Return the score of a value in the text: "1", "true", "4/5" or "80 %"."""
    if match["word"]:
        return float(match["word"].lower() in {"true", "yes"})
    number = float(match["number"])
    if match["percent"]:
        return ScoreRange(0, 100).normalize(number)
    total = float(match["total"]) if match["total"] else score_range.high
    if total == score_range.high:
        return score_range.normalize(number)
    return number / total if total and 0 <= number <= total else None
