"""Parse a card of the catalogue: a task's card, with the source of its records and how a record becomes a sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from libra.core.errors import Invalid, unknown
from libra.dispatch.catalogue.multiple_choice import OptionColumns
from libra.dispatch.catalogue.record_mapping import LabelRule, RecordMapping
from libra.dispatch.catalogue.reshape import RESHAPERS
from libra.dispatch.tasks.card import Card, check_keys, from_mapping, load_yaml, require_mapping, require_text
from libra.dispatch.tasks.task_version import describe
from libra.v1.task_pb2 import CatalogueEntry, CatalogueState

STATES = {name.removeprefix("CATALOGUE_STATE_").lower(): number for name, number in CatalogueState.items() if number}
TURNS = ("single", "multi")
TEXTS = ("dataset", "split", "conversion")
KEYS = ("state", "turns", "published_samples", "record", *TEXTS)
MAPPING_TEXTS = ("prepare", "user", "system", "new_system", "wrap", "id", "once")
MAPPING_KEYS = (*MAPPING_TEXTS, "fields", "where", "labels", "constants", "options")


@dataclass(frozen=True, slots=True)
class CatalogueCard:
    """A task of the published evaluation."""

    card: Card
    state: CatalogueState.ValueType
    is_multi_turn: bool
    published_samples: int
    """Number of samples in the published evaluation."""

    conversion: str
    """Describes for users how a record becomes a sample."""

    mapping: RecordMapping
    dataset: str = ""
    """On the Hugging Face hub, as "owner/name", or "owner/name/folder" for the files of one folder; "" if not there."""

    split: str = ""
    """As "configuration/split"."""

    def to_proto(self) -> CatalogueEntry:
        """Return the entry for callers, except for the version that was imported."""
        return CatalogueEntry(
            task=describe(self.card),
            state=self.state,
            multi_turn=self.is_multi_turn,
            published_samples=self.published_samples,
            dataset=self.dataset,
            split=self.split,
            conversion=self.conversion,
        )


def parse_catalogue_card(text: str, *, file_name: str) -> CatalogueCard:
    """Return the card; raise Invalid naming the file and the key at fault."""
    try:
        return from_yaml(require_mapping(load_yaml(text), "the card"))
    except Invalid as error:
        raise Invalid(f"{file_name}: {error.message}") from None


def from_yaml(values: Mapping[str, Any]) -> CatalogueCard:
    """Return the card with these keys and values; raise Invalid naming the key at fault."""
    for key in ("state", "turns", "published_samples", "conversion"):
        if key not in values:
            raise Invalid(f"the key {key!r} is missing")
    if values["state"] not in STATES:
        raise Invalid(unknown("state", str(values["state"]), list(STATES)))
    if values["turns"] not in TURNS:
        raise Invalid(unknown("value of turns", str(values["turns"]), TURNS))
    return CatalogueCard(
        card=from_mapping({key: value for key, value in values.items() if key not in KEYS}),
        state=CatalogueState.ValueType(STATES[values["state"]]),
        is_multi_turn=values["turns"] == "multi",
        published_samples=int(values["published_samples"]),
        mapping=parse_record_mapping(values.get("record") or {}),
        **{key: require_text(values.get(key, ""), key) for key in TEXTS},
    )


def parse_record_mapping(value: object) -> RecordMapping:
    """Return the mapping of the key `record`; raise Invalid naming the key at fault."""
    values = require_mapping(value, "record")
    check_keys(values, MAPPING_KEYS, prefix="record.")
    texts: dict[str, Any] = {key: require_text(values[key], f"record.{key}") for key in MAPPING_TEXTS if key in values}
    if texts.get("prepare", "") not in RESHAPERS:
        raise Invalid(unknown("preparation", texts["prepare"], list(RESHAPERS)))
    where = require_mapping(values.get("where") or {}, "record.where")
    labels = require_mapping(values.get("labels") or {}, "record.labels")
    return RecordMapping(
        **texts,
        fields=parse_texts(values.get("fields") or []),
        where={key: parse_texts(accepted) for key, accepted in where.items()},
        labels={key: parse_label(label, f"record.labels.{key}") for key, label in labels.items()},
        constants=require_mapping(values.get("constants") or {}, "record.constants"),
        options=parse_option_columns(values["options"]) if "options" in values else None,
    )


def parse_texts(value: object) -> tuple[str, ...]:
    """Return a list of texts; a single text may stand without a list."""
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list):
        raise Invalid("a value must be a list of texts")
    return tuple(require_text(text, "a list") for text in texts)


def parse_label(value: object, key: str) -> LabelRule:
    """Return how a field is derived from a column."""
    values = require_mapping(value, key)
    check_keys(values, ("from", "words"), prefix=f"{key}.")
    patterns = require_mapping(values["words"], f"{key}.words")
    return LabelRule(values["from"], tuple((pattern, require_text(label, key)) for pattern, label in patterns.items()))


def parse_option_columns(value: object) -> OptionColumns:
    """Return the columns with the options of a multiple-choice record."""
    values = require_mapping(value, "record.options")
    check_keys(values, ("from", "right", "answer"), prefix="record.options.")
    return OptionColumns(
        parse_texts(values.get("from") or []), require_text(values["right"], "right"), values.get("answer", "answer")
    )
