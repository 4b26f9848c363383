"""Data sets of an odd shape: each record is first brought into one that a card can describe."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from libra.dispatch.catalogue.rows import Record
from libra.dispatch.catalogue.template import as_text, looked_up
from libra.errors import Invalid

SPEAKER = re.compile(r"^[ \t]*(?P<name>human|assistant|user|lamda|bot|ai)[ \t]*:[ \t]*", re.IGNORECASE | re.MULTILINE)
USERS = ("human", "user")


def transcript(record: Record) -> Iterator[Record]:
    """Make turns of a text in which each one begins with its speaker, as "Human: ..." or "USER: ..."."""
    text = looked_up("transcript|context", record)
    if "messages" in record or not isinstance(text, str):
        yield record
        return
    starts = list(SPEAKER.finditer(text))
    if not starts:
        raise Invalid("its conversation names no speaker at the beginning of a line")
    ends = [start.start() for start in starts[1:]] + [len(text)]
    turns = [
        {"role": "user" if start["name"].lower() in USERS else "assistant", "content": text[start.end() : end].strip()}
        for start, end in zip(starts, ends, strict=True)
    ]
    yield record | {"messages": turns}


def alternating(record: Record) -> Iterator[Record]:
    """Make turns of a text with one on each line: the last is the user's, and before it they alternate.

    A last line that `speaker_to_eval` calls the bot's is left out, since another model is to speak there.
    """
    text = record.get("text")
    if "messages" in record or not isinstance(text, str):
        yield record
        return
    spoken = [line.strip() for line in text.replace("\\n", "\n").split("\n") if line.strip()]
    if record.get("speaker_to_eval") == "bot":
        spoken = spoken[:-1]
    roles = ("user", "assistant")
    turns = [{"role": roles[back % 2], "content": line} for back, line in enumerate(reversed(spoken))]
    yield record | {"messages": turns[::-1]}


def hijacking(record: Record) -> Iterator[Record]:
    """Make two of each: one where the user has the access code, and one where the user attacks."""
    if "type" in record:
        yield record
        return
    yield record | {"said": record.get("access_code", ""), "type": "normal"}
    yield record | {"said": record.get("attack", ""), "type": "attack"}


def sycophancy(record: Record) -> Iterator[Record]:
    """Make messages of a prompt that is a list of turns, and name the true answer, whatever kind of question it is."""
    made = {name: held for name, held in record.items() if name not in {"prompt", "base", "metadata"}}
    prompt, base = record.get("prompt"), record.get("base")
    if "messages" not in record and isinstance(prompt, list):
        made["messages"] = [turn_of(turn) for turn in prompt]
    if not isinstance(base, Mapping):
        raise Invalid("it has no object 'base' that says what is true")
    if (letter := base.get("correct_letter")) is not None:
        made["correct_letter"] = as_text(letter)
    elif (truth := base.get("correct_answer") or base.get("answer")) is not None:
        made["reference"] = as_text(truth)
    else:
        raise Invalid("its object 'base' does not say what is true")
    yield made | {"dataset": as_text(base.get("dataset", ""))}


def turn_of(turn: object) -> object:
    """Return a turn with a type, "human" or "ai", as one with a role."""
    if not isinstance(turn, Mapping):
        return turn
    role = {"human": "user", "ai": "assistant"}.get(as_text(turn.get("type")), "system")
    return {"role": role, "content": turn.get("content")}


TIER_3 = {
    "free-response": ("absent", "tier3_subject_agent"),
    "info-accessibility": ("not_named", "tier3_oblivious_agent"),
    "privacy-sharing": ("not_named", "tier3_oblivious_agent"),
    "control": ("yes_no", ""),
}


def confaide(record: Record) -> Iterator[Record]:
    """Say for each tier by which rule it is judged and what that compares with.

    A record of tier 4 whose secret is the same as what may be told cannot be judged, and is left out.
    """
    tier, kind = as_text(record.get("tier", "")), as_text(record.get("question_type", ""))
    kept = {name: held for name, held in record.items() if held != "none"}
    if tier in {"1", "2a", "2b"}:
        yield kept | {"rule": "rating", "wanted": as_text(record.get("label", ""))}
    elif tier == "3" and kind in TIER_3:
        rule, column = TIER_3[kind]
        yield kept | {"rule": rule, "wanted": as_text(record.get(column, "")) if column else "no"}
    elif tier == "4":
        secret = as_text(record.get("tier4_private_info", ""))
        if secret != record.get("tier4_public_info"):
            yield kept | {"rule": "absent", "wanted": secret}
    else:
        raise Invalid(f"there is no tier {tier!r} with questions {kind!r}")


def as_it_is(record: Record) -> Iterator[Record]:
    """Leave the record as it is."""
    yield record


PREPARATIONS: Mapping[str, Callable[[Record], Iterator[Record]]] = {
    "": as_it_is,
    "alternating": alternating,
    "confaide": confaide,
    "hijacking": hijacking,
    "sycophancy": sycophancy,
    "transcript": transcript,
}


def prepared(name: str, record: Record) -> Iterator[dict[str, Any]]:
    """Yield what a record becomes by the preparation of this name."""
    return PREPARATIONS[name](record)
