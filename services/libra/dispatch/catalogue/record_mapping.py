"""How a record of a data set becomes a sample: what a card says under `record`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from libra.dispatch.catalogue import multiple_choice
from libra.dispatch.catalogue.record_reader import Record
from libra.dispatch.catalogue.reshape import prepared
from libra.dispatch.catalogue.template import as_text, filled, lacks, looked_up
from libra.errors import Invalid

Turns = list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Label:
    """A field whose value follows from a column by words."""

    column: str

    words: tuple[tuple[str, str], ...]
    """Patterns such as "contrast_*", each with the value that it gives; the first that fits counts."""

    def of(self, record: Mapping[str, Any]) -> str:
        """Return the value for a record; raise Invalid if no pattern fits."""
        held = looked_up(self.column, record)
        if held is None:
            lacks(self.column, record)
        word = as_text(held)
        for pattern, value in self.words:
            if fnmatchcase(word, pattern):
                return value
        raise Invalid(f"{self.column} is {word[:60]!r}, which none of {', '.join(name for name, _ in self.words)} fits")


@dataclass(frozen=True, slots=True)
class Taken:
    """A record that is to become a sample."""

    record: Record
    whole: bool
    """It came with messages, in the form of the published evaluation: all that it says beside is kept."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is done with each record. A record with `messages`, as the published evaluation has them, keeps these."""

    prepare: str = ""
    """Which preparation an odd shape needs first."""

    user: str = "{prompt}"
    """The template of the user's turn, where the record has no messages."""

    system: str = ""
    """The template of the system message, where the record has no messages."""

    new_system: str = ""
    """The template of a system message in place of whatever the record has."""

    wrap: str = ""
    """The template around the user's last turn, `prompt`; "" for none."""

    id: str = ""
    """The columns, with bars between, of which the first is the sample's id; "" takes its place."""

    fields: tuple[str, ...] = ()
    """The other columns to keep, under the first of their names. Where there are messages, all others are kept as well."""

    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The values that a column must have for the record to be taken; a record without the column is."""

    once: str = ""
    """The columns, with bars between, by whose first a record is known; of several alike, the first is taken."""

    labels: Mapping[str, Label] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    """Fields that are the same for every record."""

    options: multiple_choice.Options | None = None

    def taken(self, record: Record) -> Iterator[Taken]:
        """Yield what is taken of a record, prepared."""
        for one in prepared(self.prepare, record):
            if all(name not in one or as_text(one[name]) in words for name, words in self.where.items()):
                yield Taken(one, whole="messages" in record)

    def key(self, taken: Taken) -> str | None:
        """Return the text by which a record is known to be there already; None if it has none."""
        held = looked_up(self.once, taken.record) if self.once else None
        return None if held is None else as_text(held)

    def sample(self, taken: Taken, *, task: str, place: int, seed: int) -> Record:
        """Return a prepared record in Libra's form: `messages`, perhaps an `id`, and fields.

        `task` and `place`, counted from 0, choose the order of options for the seed. Raises Invalid if something is missing.
        """
        record, turns = taken.record, spoken(taken.record)
        kept = self._kept(record, whole=taken.whole and bool(turns))
        kept |= {name: label.of(record) for name, label in self.labels.items()} | dict(self.constants)
        kept |= self._shuffled(record, turns, task, place, seed) if self.options else {}
        turns = self._turns(record | kept, turns)
        kept.pop(LISTED, None)
        known = looked_up(self.id, record) if self.id else None
        return kept | {"messages": turns} | ({} if known is None else {"id": as_text(known)})

    def _turns(self, record: Record, turns: Turns) -> Turns:
        """Return the record's own turns, or those that the templates make, with what the card puts around them."""
        if not turns:
            system = [{"role": "system", "content": filled(self.system, record)}] if self.system else []
            turns = [*system, {"role": "user", "content": filled(self.user, record)}]
        if self.wrap:
            turns[-1] = turns[-1] | {"content": filled(self.wrap, {"prompt": turns[-1]["content"]})}
        if self.new_system:
            system = [{"role": "system", "content": filled(self.new_system, record)}]
            turns = [*system, *(turn for turn in turns if turn.get("role") != "system")]
        return turns

    def _kept(self, record: Record, *, whole: bool) -> Record:
        every = {name: held for name, held in record.items() if name not in {"messages", "id"}} if whole else {}
        named = {names.split("|")[0]: looked_up(names, record) for names in self.fields}
        return every | {name: held for name, held in named.items() if held is not None}

    def _shuffled(self, record: Record, turns: Turns, task: str, place: int, seed: int) -> Record:
        """Put the options in another order: in the last turn, or as the text for {options}; return what is to be kept.

        Of a task that has other questions, too (its `right` ends with "?"), a record whose options are not found stays as it is.
        """
        options = self.options
        if options is None:
            return {}
        names, some = options.right.removesuffix("?"), options.right.endswith("?")
        told = int(names) if names.isdecimal() else looked_up(names, record)
        if told is None:
            return {} if some else lacks(names, record)
        found = multiple_choice.listing(turns[-1]["content"]) if turns else None
        if some and (found is None or told not in found.labels):
            return {options.answer: as_text(told)}
        if found:
            return self._relisted(
                record, turns, found, told, multiple_choice.order(seed, task, place, len(found.texts))
            )
        turns.clear()
        listed = multiple_choice.texts(options, record)
        right = multiple_choice.right_place(told, (), listed)
        lines, letter = multiple_choice.shuffled(listed, right, multiple_choice.order(seed, task, place, len(listed)))
        return {LISTED: lines, options.answer: letter}

    def _relisted(
        self, record: Record, turns: Turns, found: multiple_choice.Listing, told: Any, turn: Sequence[int]
    ) -> Record:
        """Put the options that the last turn lists in another order; return the right label."""
        right = multiple_choice.right_place(self._as_listed(told, record), found.labels, found.texts)
        turns[-1] = turns[-1] | {"content": multiple_choice.relisted(turns[-1]["content"], found, turn)}
        return {self.options.answer: found.labels[turn.index(right)]} if self.options else {}

    def _as_listed(self, told: Any, record: Record) -> Any:
        """Return the right option as a listing knows it: if it is the place of a column, the text that stands there."""
        columns = self.options.columns if self.options else ()
        held = looked_up(columns[int(told)], record) if str(told).isdecimal() and int(told) < len(columns) else None
        return told if held is None or isinstance(held, list) else held


LISTED = "options"
"""What a template calls the options, listed."""


def spoken(record: Record) -> Turns:
    """Return the turns of a record up to the user's last, empty if there are none or that says nothing; raise Invalid if odd."""
    given = record.get("messages")
    if not isinstance(given, Sequence) or isinstance(given, str):
        return []
    if not all(isinstance(turn, Mapping) and isinstance(turn.get("content"), str) for turn in given):
        raise Invalid("messages must be a list of objects with role and content, both texts")
    turns = [dict(turn) for turn in given]
    while turns and turns[-1].get("role") == "assistant":
        turns.pop()  # what comes there is for the model under test to say
    return turns if turns and turns[-1]["content"].strip() else []
