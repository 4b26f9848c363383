"""The options of a multiple-choice record, in an order that depends on a seed, and the right one among them."""

from __future__ import annotations

import hashlib
import random
import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from libra.dispatch.catalogue.template import as_text, lacks, looked_up
from libra.errors import Invalid

LISTED = re.compile(r"^[ \t]*(?:\((?P<inside>[A-Z]|\d)\)|(?P<bare>[A-Z]|\d)[).:])[ \t]*(?P<text>\S.*)$")
FIRST_LABELS = ("A", "1")
FEWEST_OPTIONS = 2


@dataclass(frozen=True, slots=True)
class Options:
    """Where in a record its options are."""

    columns: tuple[str, ...]
    """One option each; or a single column that holds the list of them."""

    right: str
    """The column with the right one: its place from 0, its label, its text, or for each option whether it is right."""

    answer: str
    """The field that gets the label of the right one."""


def order(seed: int, task: str, place: int, size: int) -> list[int]:
    """Return the places from 0 to `size` in the order for one sample: the same for the same seed, task and place."""
    digest = hashlib.sha256(f"{seed}/{task}/{place}".encode()).digest()
    return random.Random(digest).sample(range(size), size)  # noqa: S311 - an order, not a secret


def texts(options: Options, record: Mapping[str, Any]) -> list[str]:
    """Return the options of a record in the data set's order; raise Invalid if a column is missing."""
    held = [looked_up(names, record) for names in options.columns]
    if len(held) == 1 and isinstance(held[0], list):
        return [as_text(one) for one in held[0]]
    for names, one in zip(options.columns, held, strict=True):
        if one is None:
            lacks(names, record)
    return [as_text(one) for one in held]


def right_place(told: Any, labels: Sequence[str], listed: Sequence[str]) -> int:
    """Return the place of the right option, from 0; raise Invalid if it is none."""
    if isinstance(told, list):
        places = [place for place, flag in enumerate(told) if flag in (1, "1")]
        if len(told) == len(listed) and len(places) == 1:
            return places[0]
        raise Invalid(f"{len(places)} of its {len(listed)} options are right")
    word = as_text(told).strip()
    if word.strip("().") in labels:
        return labels.index(word.strip("()."))
    same = [place for place, text in enumerate(listed) if text.strip(" .") == word.strip(" .")]
    if same:
        return same[0]
    if word.isdecimal() and int(word) < len(listed):
        return int(word)
    raise Invalid(f"the right option {word[:60]!r} is none of its {len(listed)}")


def shuffled(listed: Sequence[str], right: int, turn: Sequence[int]) -> tuple[str, str]:
    """Return the options in another order, as lines "A. text", and the letter of the right one."""
    if not FEWEST_OPTIONS <= len(listed) <= len(string.ascii_uppercase):
        raise Invalid(f"it has {len(listed)} options")
    letters = string.ascii_uppercase
    lines = [f"{letters[place]}. {listed[old]}" for place, old in enumerate(turn)]
    return "\n".join(lines), letters[list(turn).index(right)]


@dataclass(frozen=True, slots=True)
class Listing:
    """The options that a prompt lists."""

    lines: tuple[int, ...]
    """Which lines of the prompt they are."""

    labels: tuple[str, ...]
    texts: tuple[str, ...]


def listing(prompt: str) -> Listing | None:
    """Return the last list of options in a prompt; None if there is none."""
    found: list[list[tuple[int, str, str]]] = []
    for number, line in enumerate(prompt.split("\n")):
        match = LISTED.match(line)
        if not match:
            continue
        label = match["inside"] or match["bare"]
        last = found[-1][-1] if found else None
        if last and last[0] == number - 1 and ord(label) == ord(last[1]) + 1:
            found[-1].append((number, label, match["text"].rstrip()))
        elif label in FIRST_LABELS:
            found.append([(number, label, match["text"].rstrip())])
    runs = [run for run in found if len(run) >= FEWEST_OPTIONS]
    if not runs:
        return None
    numbers, labels, listed = zip(*runs[-1], strict=True)
    return Listing(numbers, labels, listed)


def relisted(prompt: str, found: Listing, turn: Sequence[int]) -> str:
    """Return the prompt with its options in another order, under the labels of before."""
    lines = prompt.split("\n")
    for place, old in enumerate(turn):
        number = found.lines[place]
        start = LISTED.match(lines[number])
        if start:
            mark = lines[number][: start.start("text")].rstrip()
            lines[number] = f"{mark} {found.texts[old]}"
    return "\n".join(lines)
