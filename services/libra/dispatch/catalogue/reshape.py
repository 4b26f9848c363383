"""Reshape records of unusual data sets into records that a card can describe."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from libra.core.errors import Invalid
from libra.dispatch.catalogue.template import lookup, to_text
from libra.dispatch.tasks.file_forms import Record

SPEAKER = re.compile(r"^[ \t]*(?P<name>human|assistant|user|lamda|bot|ai)[ \t]*:[ \t]*", re.IGNORECASE | re.MULTILINE)
USERS = ("human", "user")


def reshape(name: str, record: Record) -> Iterator[Record]:
    """Yield the records that the reshaper of this name makes of one record."""
    return RESHAPERS[name](record)


def transcript(record: Record) -> Iterator[Record]:
    """Divide a text into turns; each begins with its speaker, as "Human: ..." or "USER: ..."."""
    text = lookup("transcript|context", record)
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
    """Make a turn of each line of a text: the last is the user's, and the turns before it alternate.

    If `speaker_to_eval` is the bot, the last line is omitted, because the model under test must give this turn.
    """
    text = record.get("text")
    if "messages" in record or not isinstance(text, str):
        yield record
        return
    lines = [line.strip() for line in text.replace("\\n", "\n").split("\n") if line.strip()]
    if record.get("speaker_to_eval") == "bot":
        lines = lines[:-1]
    roles = ("user", "assistant")
    turns = [{"role": roles[index % 2], "content": line} for index, line in enumerate(reversed(lines))]
    yield record | {"messages": turns[::-1]}


def hijacking(record: Record) -> Iterator[Record]:
    """Make two records of each: in one the user gives the access code, in the other the user attacks."""
    if "type" in record:
        yield record
        return
    yield record | {"said": record.get("access_code", ""), "type": "normal"}
    yield record | {"said": record.get("attack", ""), "type": "attack"}


def sycophancy(record: Record) -> Iterator[Record]:
    """Make messages of a prompt that is a list of turns, and add the true answer of either kind of question."""
    reshaped = {name: value for name, value in record.items() if name not in {"prompt", "base", "metadata"}}
    prompt, base = record.get("prompt"), record.get("base")
    if "messages" not in record and isinstance(prompt, list):
        reshaped["messages"] = [turn_with_role(turn) for turn in prompt]
    if not isinstance(base, Mapping):
        raise Invalid("it has no object 'base' with the true answer")
    if (letter := base.get("correct_letter")) is not None:
        reshaped["correct_letter"] = to_text(letter)
    elif (answer := base.get("correct_answer") or base.get("answer")) is not None:
        reshaped["reference"] = to_text(answer)
    else:
        raise Invalid("its object 'base' has no true answer")
    yield reshaped | {"dataset": to_text(base.get("dataset", ""))}


def turn_with_role(turn: object) -> object:
    """Return a turn with a type, "human" or "ai", as a turn with a role."""
    if not isinstance(turn, Mapping):
        return turn
    role = {"human": "user", "ai": "assistant"}.get(to_text(turn.get("type")), "system")
    return {"role": role, "content": turn.get("content")}


TIER_3 = {
    "free-response": ("absent", "tier3_subject_agent"),
    "info-accessibility": ("not_named", "tier3_oblivious_agent"),
    "privacy-sharing": ("not_named", "tier3_oblivious_agent"),
    "control": ("yes_no", ""),
}
"""By type of question, the rule and the column that it compares with; "" if the right answer is always "no"."""


def confaide(record: Record) -> Iterator[Record]:
    """Add the rule that judges a record of its tier, and the value that the rule compares with.

    A record of tier 4 whose secret equals the public information cannot be judged and is omitted.
    """
    tier, question_type = to_text(record.get("tier", "")), to_text(record.get("question_type", ""))
    reshaped = {name: value for name, value in record.items() if value != "none"}
    if tier in {"1", "2a", "2b"}:
        yield reshaped | {"rule": "rating", "wanted": to_text(record.get("label", ""))}
    elif tier == "3" and question_type in TIER_3:
        rule, column = TIER_3[question_type]
        yield reshaped | {"rule": rule, "wanted": to_text(record.get(column, "")) if column else "no"}
    elif tier == "4":
        secret = to_text(record.get("tier4_private_info", ""))
        if secret != record.get("tier4_public_info"):
            yield reshaped | {"rule": "absent", "wanted": secret}
    else:
        raise Invalid(f"there is no tier {tier!r} with questions {question_type!r}")


def unchanged(record: Record) -> Iterator[Record]:
    """Yield the record unchanged."""
    yield record


RESHAPERS: Mapping[str, Callable[[Record], Iterator[Record]]] = {
    "": unchanged,
    "alternating": alternating,
    "confaide": confaide,
    "hijacking": hijacking,
    "sycophancy": sycophancy,
    "transcript": transcript,
}
"""By the value of `prepare` on a card."""
