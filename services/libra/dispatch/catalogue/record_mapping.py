"""Map a record of a data set to a sample, as the key `record` of a card describes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from libra.core.errors import Invalid
from libra.dispatch.catalogue.multiple_choice import (
    OptionColumns,
    find_option_list,
    list_options,
    option_texts,
    reorder_options,
    right_index,
    shuffled_order,
)
from libra.dispatch.catalogue.reshape import reshape
from libra.dispatch.catalogue.template import fill, lookup, raise_missing, to_text
from libra.dispatch.tasks.file_forms import Record

Turns = list[dict[str, str]]

LISTED_OPTIONS = "options"
"""The column of the listed options in a template."""


@dataclass(frozen=True, slots=True)
class LabelRule:
    """Derives a field from a column by patterns."""

    column: str

    patterns: tuple[tuple[str, str], ...]
    """Patterns such as "contrast_*", each with the value that it gives; the first match counts."""

    def apply(self, record: Mapping[str, Any]) -> str:
        """Return the value for a record; raise Invalid if no pattern matches."""
        value = lookup(self.column, record)
        if value is None:
            raise_missing(self.column, record)
        text = to_text(value)
        for pattern, label in self.patterns:
            if fnmatchcase(text, pattern):
                return label
        patterns = ", ".join(pattern for pattern, _ in self.patterns)
        raise Invalid(f"{self.column} is {text[:60]!r}, which matches none of {patterns}")


@dataclass(frozen=True, slots=True)
class SelectedRecord:
    """A record that becomes a sample."""

    record: Record
    has_own_messages: bool
    """Whether it was published with messages, as in the published evaluation: then all other keys become fields."""


@dataclass(frozen=True, slots=True)
class RecordMapping:
    """The content of `record` on a card. Records that have `messages`, as in the published evaluation, keep them."""

    prepare: str = ""
    """The reshaper to apply first; "" for none."""

    user: str = "{prompt}"
    """The template of the user's turn, for records without messages."""

    system: str = ""
    """The template of the system message, for records without messages."""

    new_system: str = ""
    """The template of a system message that replaces any that the record has."""

    wrap: str = ""
    """The template around the user's last turn, `prompt`; "" for none."""

    id: str = ""
    """The columns, with bars between, of which the first with a value is the sample's id; "" uses the ordinal."""

    fields: tuple[str, ...] = ()
    """The other columns to keep, under the first of their names. A record with messages keeps all of its columns."""

    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The values that select a record, by column; a record without the column is selected."""

    once: str = ""
    """The columns, with bars between, whose first value identifies duplicates; only the first record is used."""

    labels: Mapping[str, LabelRule] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    """Fields with the same value for every record."""

    options: OptionColumns | None = None

    def select(self, record: Record) -> Iterator[SelectedRecord]:
        """Yield the records that become samples, reshaped."""
        for reshaped in reshape(self.prepare, record):
            if all(name not in reshaped or to_text(reshaped[name]) in values for name, values in self.where.items()):
                yield SelectedRecord(reshaped, has_own_messages="messages" in record)

    def deduplication_key(self, selected: SelectedRecord) -> str | None:
        """Return the text that identifies duplicates of a record; None if it has none."""
        value = lookup(self.once, selected.record) if self.once else None
        return None if value is None else to_text(value)

    def to_sample_record(self, selected: SelectedRecord, *, task: str, ordinal: int, seed: int) -> Record:
        """Return a record in Libra's format: `messages`, fields and an optional `id`.

        Raises Invalid if a value is missing. `task`, `ordinal` and `seed` determine the order of options.
        """
        record, turns = selected.record, parse_turns(selected.record)
        fields = self._fields(record, keep_all=selected.has_own_messages and bool(turns))
        fields |= {name: label.apply(record) for name, label in self.labels.items()} | dict(self.constants)
        if self.options:
            turns, option_fields = self._shuffle_options(self.options, record, turns, (seed, task, ordinal))
            fields |= option_fields
        turns = self._turns(record | fields, turns)
        fields.pop(LISTED_OPTIONS, None)
        sample_id = lookup(self.id, record) if self.id else None
        return fields | {"messages": turns} | ({} if sample_id is None else {"id": to_text(sample_id)})

    def _turns(self, record: Record, turns: Turns) -> Turns:
        """Return the record's own turns or those of the templates, with the card's wrapping and system message."""
        if not turns:
            system = [{"role": "system", "content": fill(self.system, record)}] if self.system else []
            turns = [*system, {"role": "user", "content": fill(self.user, record)}]
        if self.wrap:
            turns[-1] = turns[-1] | {"content": fill(self.wrap, {"prompt": turns[-1]["content"]})}
        if self.new_system:
            system = [{"role": "system", "content": fill(self.new_system, record)}]
            turns = [*system, *(turn for turn in turns if turn.get("role") != "system")]
        return turns

    def _fields(self, record: Record, *, keep_all: bool) -> Record:
        kept = {name: value for name, value in record.items() if name not in {"messages", "id"}} if keep_all else {}
        named = {columns.split("|")[0]: lookup(columns, record) for columns in self.fields}
        return kept | {name: value for name, value in named.items() if value is not None}

    def _shuffle_options(
        self, options: OptionColumns, record: Record, turns: Turns, order_key: tuple[int, str, int]
    ) -> tuple[Turns, Record]:
        """Shuffle the options in the last turn or, without turns, for {options} in the template.

        Returns the turns, and the fields to add. If `right` ends with "?", only some records are multiple choice: a
        record whose options are not found is unchanged.
        """
        columns, is_optional = options.right.removesuffix("?"), options.right.endswith("?")
        right = int(columns) if columns.isdecimal() else lookup(columns, record)
        if right is None:
            return (turns, {}) if is_optional else raise_missing(columns, record)
        listed = find_option_list(turns[-1]["content"]) if turns else None
        if is_optional and (listed is None or right not in listed.labels):
            return turns, {options.answer: to_text(right)}
        if listed:
            index = right_index(_listed_value(options, right, record), listed.labels, listed.texts)
            order = shuffled_order(*order_key, len(listed.texts))
            last = turns[-1] | {"content": reorder_options(turns[-1]["content"], listed, order)}
            return [*turns[:-1], last], {options.answer: listed.labels[order.index(index)]}
        texts = option_texts(options, record)
        order = shuffled_order(*order_key, len(texts))
        lines, letter = list_options(texts, right_index(right, (), texts), order)
        return [], {LISTED_OPTIONS: lines, options.answer: letter}


def _listed_value(options: OptionColumns, right: Any, record: Record) -> Any:
    """Return the right option as a prompt lists it: the text of the column, if `right` is a column's index."""
    columns = options.columns
    value = lookup(columns[int(right)], record) if str(right).isdecimal() and int(right) < len(columns) else None
    return right if value is None or isinstance(value, list) else value


def parse_turns(record: Record) -> Turns:
    """Return the turns of a record up to the user's last; [] if there are none or the last is blank.

    Raises:
        Invalid: A turn is not an object with text content.
    """
    messages = record.get("messages")
    if not isinstance(messages, Sequence) or isinstance(messages, str):
        return []
    if not all(isinstance(turn, Mapping) and isinstance(turn.get("content"), str) for turn in messages):
        raise Invalid("messages must be a list of objects with role and content, both text")
    turns = [dict(turn) for turn in messages]
    while turns and turns[-1].get("role") == "assistant":
        turns.pop()  # the model under test must give this turn
    return turns if turns and turns[-1]["content"].strip() else []
