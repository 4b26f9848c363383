"""How a record of a data set becomes a sample: what a card says under `record`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from libra.dispatch.catalogue import choices
from libra.dispatch.catalogue.prepared import prepared
from libra.dispatch.catalogue.rows import Record
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
class Recipe:
    """What is done with each record. A record with `messages`, as the published evaluation has them, keeps these."""

    prepare: str = ""
    """Which preparation an odd shape needs first."""

    user: str = "{prompt}"
    """The template of the user's turn, where the record has no messages."""

    system: str | None = None
    """The template of the system message, which replaces the record's; None leaves that as it is."""

    wrap: str = ""
    """The template around the user's last turn, `prompt`; "" for none."""

    id: str = ""
    """The columns, with bars between, of which the first is the sample's id; "" takes its place."""

    fields: tuple[str, ...] = ()
    """The other columns to keep, under the first of their names. Where there are messages, all others are kept as well."""

    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The values that a column must have for the record to be taken; a record without the column is."""

    once: str = ""
    """A template; of the records for which it comes to the same text, the first is taken."""

    labels: Mapping[str, Label] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    """Fields that are the same for every record."""

    options: choices.Options | None = None

    def made_of(self, record: Record) -> Iterator[Record]:
        """Yield what is taken of a record, prepared."""
        for one in prepared(self.prepare, record):
            if all(name not in one or as_text(one[name]) in words for name, words in self.where.items()):
                yield one

    def key(self, record: Record) -> str | None:
        """Return the text by which a record is known to be there already; None if all are taken."""
        return filled(self.once, record) if self.once else None

    def sample(self, record: Record, *, task: str, place: int, seed: int) -> Record:
        """Return a prepared record in Libra's form: `messages`, perhaps an `id`, and fields.

        `task` and `place`, counted from 0, choose the order of options for the seed. Raises Invalid if something is missing.
        """
        turns = spoken(record)
        kept = self._kept(record, whole=bool(turns))
        kept |= {name: label.of(record) for name, label in self.labels.items()} | dict(self.constants)
        kept |= self._shuffled(record, turns, task, place, seed) if self.options else {}
        turns = turns or [{"role": "user", "content": filled(self.user, record | kept)}]
        if self.wrap:
            turns[-1] = turns[-1] | {"content": filled(self.wrap, {"prompt": turns[-1]["content"]})}
        if self.system is not None:
            system = {"role": "system", "content": filled(self.system, record | kept)}
            turns = [system, *(turn for turn in turns if turn["role"] != "system")]
        kept.pop(LISTED, None)
        known = looked_up(self.id, record) if self.id else None
        return kept | {"messages": turns} | ({} if known is None else {"id": as_text(known)})

    def _kept(self, record: Record, *, whole: bool) -> Record:
        every = {name: held for name, held in record.items() if name not in {"messages", "id"}} if whole else {}
        named = {names.split("|")[0]: looked_up(names, record) for names in self.fields}
        return every | {name: held for name, held in named.items() if held is not None}

    def _shuffled(self, record: Record, turns: Turns, task: str, place: int, seed: int) -> Record:
        """Put the options in another order: in the last turn, or as the text for {options}; return what is to be kept."""
        options = self.options
        if options is None or (options.right.endswith("?") and looked_up(options.right[:-1], record) is None):
            return {}
        names = options.right.removesuffix("?")
        told = int(names) if names.isdigit() else looked_up(names, record)
        if told is None:
            lacks(names, record)
        if turns and (found := choices.listing(turns[-1]["content"])):
            right = choices.right_place(self._as_listed(told, record), found.labels, found.texts)
            turn = choices.order(seed, task, place, len(found.texts))
            turns[-1] = turns[-1] | {"content": choices.relisted(turns[-1]["content"], found, turn)}
            return {options.answer: found.labels[turn.index(right)]}
        turns.clear()
        listed = choices.texts(options, record)
        right = choices.right_place(told, (), listed)
        lines, letter = choices.shuffled(listed, right, choices.order(seed, task, place, len(listed)))
        return {LISTED: lines, options.answer: letter}

    def _as_listed(self, told: Any, record: Record) -> Any:
        """Return the right option as a listing knows it: if it is the place of a column, the text that stands there."""
        columns = self.options.columns if self.options else ()
        held = looked_up(columns[int(told)], record) if str(told).isdigit() and int(told) < len(columns) else None
        return told if held is None or isinstance(held, list) else held


LISTED = "options"
"""What a template calls the options, listed."""


def spoken(record: Record) -> Turns:
    """Return the turns of a record up to the user's last; empty if it has none or if the user says nothing in them."""
    given = record.get("messages")
    if not isinstance(given, Sequence) or isinstance(given, str):
        return []
    turns = [dict(turn) if isinstance(turn, Mapping) else turn for turn in given]
    while turns and isinstance(turns[-1], dict) and turns[-1].get("role") == "assistant":
        turns.pop()  # what comes there is for the model under test to say
    if not turns or not isinstance(turns[-1], dict) or not isinstance(turns[-1].get("content"), str):
        return []
    return turns if turns[-1]["content"].strip() else []
