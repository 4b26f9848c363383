"""Shuffle the options of a multiple-choice record by a seed, and find the right one among them."""

from __future__ import annotations

import hashlib
import random
import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from libra.core.errors import Invalid
from libra.dispatch.catalogue.template import lookup, raise_missing, to_text

OPTION_LINE = re.compile(r"^[ \t]*(?:\((?P<inside>[A-Z]|\d)\)|(?P<bare>[A-Z]|\d)[).:])[ \t]*(?P<text>\S.*)$")
FIRST_LABELS = ("A", "1")
MIN_OPTIONS = 2


@dataclass(frozen=True, slots=True)
class OptionColumns:
    """The columns of a record with its options."""

    columns: tuple[str, ...]
    """One option each; or a single column with the list of all options."""

    right: str
    """The column with the right option: its index from 0, its label, its text, or a list that flags the right one."""

    answer: str
    """The field that receives the label of the right option."""


@dataclass(frozen=True, slots=True)
class OptionList:
    """The options that a prompt lists."""

    lines: tuple[int, ...]
    """Their line numbers in the prompt, from 0."""

    labels: tuple[str, ...]
    texts: tuple[str, ...]


def shuffled_order(seed: int, task: str, ordinal: int, size: int) -> list[int]:
    """Return the indexes from 0 to `size` in the order for one sample: always the same for a seed, task and ordinal."""
    digest = hashlib.sha256(f"{seed}/{task}/{ordinal}".encode()).digest()
    return random.Random(digest).sample(range(size), size)  # noqa: S311 - not a secret


def option_texts(options: OptionColumns, record: Mapping[str, Any]) -> list[str]:
    """Return the options of a record in the data set's order; raise Invalid if a column is missing."""
    values = [lookup(columns, record) for columns in options.columns]
    if len(values) == 1 and isinstance(values[0], list):
        return [to_text(value) for value in values[0]]
    for columns, value in zip(options.columns, values, strict=True):
        if value is None:
            raise_missing(columns, record)
    return [to_text(value) for value in values]


def right_index(right: Any, labels: Sequence[str], texts: Sequence[str]) -> int:
    """Return the index of the right option; raise Invalid unless exactly one option is right."""
    if isinstance(right, list):
        flagged = [index for index, flag in enumerate(right) if flag in (1, "1")]
        if len(right) == len(texts) and len(flagged) == 1:
            return flagged[0]
        raise Invalid(f"{len(flagged)} of its {len(texts)} options are right")
    text = to_text(right).strip()
    if text.strip("().") in labels:
        return labels.index(text.strip("()."))
    same = [index for index, option in enumerate(texts) if option.strip(" .") == text.strip(" .")]
    if same:
        return same[0]
    if text.isdecimal() and int(text) < len(texts):
        return int(text)
    raise Invalid(f"the right option {text[:60]!r} is none of its {len(texts)}")


def list_options(texts: Sequence[str], right: int, order: Sequence[int]) -> tuple[str, str]:
    """Return the options in the given order, as lines "A. text", and the letter of the right one."""
    if not MIN_OPTIONS <= len(texts) <= len(string.ascii_uppercase):
        raise Invalid(f"it has {len(texts)} options")
    letters = string.ascii_uppercase
    lines = [f"{letters[position]}. {texts[index]}" for position, index in enumerate(order)]
    return "\n".join(lines), letters[list(order).index(right)]


def find_option_list(prompt: str) -> OptionList | None:
    """Return the last list of options in a prompt; None if there is none."""
    lists: list[list[tuple[int, str, str]]] = []
    for number, line in enumerate(prompt.split("\n")):
        match = OPTION_LINE.match(line)
        if not match:
            continue
        label = match["inside"] or match["bare"]
        last = lists[-1][-1] if lists else None
        if last and last[0] == number - 1 and ord(label) == ord(last[1]) + 1:
            lists[-1].append((number, label, match["text"].rstrip()))
        elif label in FIRST_LABELS:
            lists.append([(number, label, match["text"].rstrip())])
    complete = [options for options in lists if len(options) >= MIN_OPTIONS]
    if not complete:
        return None
    numbers, labels, texts = zip(*complete[-1], strict=True)
    return OptionList(numbers, labels, texts)


def reorder_options(prompt: str, options: OptionList, order: Sequence[int]) -> str:
    """Return the prompt with its options in another order; the labels stay where they are."""
    lines = prompt.split("\n")
    for position, index in enumerate(order):
        number = options.lines[position]
        match = OPTION_LINE.match(lines[number])
        if match:
            label = lines[number][: match.start("text")].rstrip()
            lines[number] = f"{label} {options.texts[index]}"
    return "\n".join(lines)
