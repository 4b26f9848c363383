"""Map the columns of a record to a sample, as the key `mapping` of a user's card describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from libra.core.errors import Invalid
from libra.dispatch.tasks.card import check_keys, require_mapping, require_text
from libra.dispatch.tasks.json_records import excerpt

COLUMN_KEYS = ("messages", "prompt", "system", "id")
KEYS = (*COLUMN_KEYS, "fields", "ignore")
CONVERSATIONS = ("messages", "conversations", "conversation", "input", "prompt", "dialogue", "chat")
PROMPTS = ("prompt", "input", "question", "instruction", "query", "problem", "text", "goal", "behavior")
ANSWERS = (
    "answer",
    "target",
    "ideal",
    "expected",
    "reference",
    "label",
    "output",
    "solution",
    "completion",
    "response",
)
"""The usual names of columns in other tools, in the order in which a message suggests them."""


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """Names the columns of a record; a dot leads into an object, as in "metadata.answer"."""

    messages: str = "messages"
    """The column of the conversation."""

    prompt: str = "prompt"
    """The column of the user's turn, for records without a conversation."""

    system: str = ""
    """The column of the system message, for records without a conversation; "" for none."""

    id: str = "id"
    fields: Mapping[str, str] = field(default_factory=dict)
    """The column of a field, by the field's name. All other columns are fields under their own names."""

    ignore: tuple[str, ...] = ()
    """The keys of a turn, beside its role and content, that are not sent to a model."""

    def to_record(self, record: dict[str, Any], *, required: str = "") -> dict[str, Any]:
        """Return a record in Libra's format; raise Invalid if it has no conversation.

        Invalid says which lines of the card would map the columns that the record has, also to the field `required`.
        """
        found = {key: lookup(column, record) for key, column in self.columns().items()}
        if found["messages"] is None and isinstance(found["prompt"], list):
            return replace(self, messages=self.prompt).to_record(record, required=required)
        turns, used = found["messages"], {self.messages, self.id, *self.fields.values()}
        if turns is None and found["prompt"] is not None:
            used |= {self.prompt, self.system}
            system = [] if not found["system"] else [{"role": "system", "content": found["system"]}]
            turns = [*system, {"role": "user", "content": found["prompt"]}]
        if turns is None:
            raise Invalid(f"the record has no {self.messages} and no {self.prompt}; {suggest_card(record, required)}")
        fields = {name: value for name, value in record.items() if name not in used}
        fields |= {name: value for name, column in self.fields.items() if (value := lookup(column, record)) is not None}
        return fields | {"messages": turns, "id": found["id"]}

    def columns(self) -> dict[str, str]:
        """Return the columns of the conversation and the id, by key."""
        return {key: getattr(self, key) for key in COLUMN_KEYS}


def parse_mapping(value: object) -> ColumnMapping:
    """Return the mapping of the key `mapping` of a card; raise Invalid naming the key at fault."""
    values = require_mapping(value, "mapping")
    check_keys(values, KEYS, prefix="mapping.")
    fields = require_mapping(values.get("fields") or {}, "mapping.fields")
    ignore = values.get("ignore") or []
    ignored = [ignore] if isinstance(ignore, str) else ignore
    if not isinstance(ignored, list):
        raise Invalid("mapping.ignore must be a list of keys")
    return ColumnMapping(
        **{key: require_text(values[key], f"mapping.{key}") for key in COLUMN_KEYS if key in values},
        fields={name: require_text(column, f"mapping.fields.{name}") for name, column in fields.items()},
        ignore=tuple(require_text(key, "mapping.ignore") for key in ignored),
    )


def lookup(column: str, record: Mapping[str, Any]) -> Any:
    """Return the value of a column; None if there is none. "metadata.answer" is within "metadata"."""
    value: Any = record
    for step in [column] if column in record else column.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def suggest_card(record: Mapping[str, Any], required: str) -> str:
    """Return the lines of a card that would map the record, or say what a record needs."""
    parts: list[str] = []
    turns = next((name for name in CONVERSATIONS if isinstance(record.get(name), list)), None)
    prompt = next((name for name in PROMPTS if isinstance(record.get(name), str)), None)
    if turns or prompt:
        key, column = ("messages", turns) if turns else ("prompt", prompt)
        parts += [f"{key}: {column}"] if column != key else []
    if required and not record.get(required):
        answer = next((name for name in ANSWERS if record.get(name) not in (None, "")), "COLUMN")
        parts.append(f"fields: {{{required}: {answer}}}")
    columns = excerpt(list(record))
    if not parts:
        return f"name its column in the card, for instance mapping: {{prompt: COLUMN}}; the record has {columns}"
    return f"add to the card: mapping: {{{', '.join(parts)}}}; the record has {columns}"
