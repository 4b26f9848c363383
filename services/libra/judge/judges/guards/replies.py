"""Read verdicts in the replies of guards, also with other letters, marks and spaces than published."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from libra.judge.judges.guards.guard import UnreadableGuardReply

SPECIAL_TOKENS = re.compile(
    r"<\|[^|<>\n]{1,40}\|>|</?(?:s|bos|eos|pad|start_of_turn|end_of_turn)>|\[/?INST\]", re.IGNORECASE
)
"""Parts of a template that some servers leave in a reply."""

YES_NO = re.compile(r"[\W_]*(?:(?:answer|verdict|label|result)[\W_]+(?:is[\W_]+)?)?(yes|no)\b", re.IGNORECASE)
SPACE = r"[^\S\n]{1,3}"
FIELD_START = r"(?:^|(?<=[\s,;|*]))(?:[^\w\n]|_)*"
"""A field begins a line or, where a server has joined the lines, a word."""

FIELD_END = r"(?:[^\w\n]|_)*?[:=\uff1a](?:[^\w\n]|_)*"


def without_special_tokens(reply: str) -> str:
    """Return a reply without the special tokens of templates and the space around it."""
    return SPECIAL_TOKENS.sub(" ", reply).strip()


def read_yes_no(reply: str) -> bool:
    """Return whether a reply begins with yes; raise UnreadableGuardReply if it begins with neither yes nor no."""
    found = YES_NO.match(reply)
    if found is None:
        raise no_verdict(reply, "neither Yes nor No")
    return found.group(1).lower() == "yes"


def field_values(reply: str, name: str, values: Sequence[str]) -> list[str]:
    """Return the values of the fields "name: value", as in `values`."""
    by_key = {value.lower(): value for value in values}
    options = "|".join(re.escape(value) for value in sorted(values, key=len, reverse=True))
    pattern = rf"{FIELD_START}{name.replace(' ', SPACE)}{FIELD_END}({options})(?!\w)"
    return [by_key[found.lower()] for found in re.findall(pattern, reply, re.IGNORECASE | re.MULTILINE)]


def single_value(reply: str, name: str, values: Sequence[str]) -> str:
    """Return the value of the field; raise UnreadableGuardReply if it is missing or has several values."""
    found = set(field_values(reply, name, values))
    if len(found) > 1:
        raise several_verdicts(found)
    if not found:
        raise no_verdict(reply, f"no field {name!r}")
    return found.pop()


def optional_value(reply: str, name: str, values: Sequence[str]) -> str:
    """Return the value of the field in lower case; empty if it is missing or has several values."""
    found = set(field_values(reply, name, values))
    return found.pop().lower() if len(found) == 1 else ""


def no_verdict(reply: str, problem: str) -> UnreadableGuardReply:
    """Return the error for a reply without a verdict."""
    return UnreadableGuardReply(f"it holds {problem} but {reply.strip()[:100]!r}")


def several_verdicts(found: Iterable[str]) -> UnreadableGuardReply:
    """Return the error for a reply that contradicts itself."""
    return UnreadableGuardReply(f"it gives several verdicts: {', '.join(sorted(found))}")
