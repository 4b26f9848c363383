"""Read an entry of the catalogue: the card of a task, where its records are had, and how they become samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from libra.dispatch.catalogue.multiple_choice import Options
from libra.dispatch.catalogue.record_mapping import Label, Recipe
from libra.dispatch.catalogue.reshape import PREPARATIONS
from libra.dispatch.tasks.card import Card, a_mapping, a_text, check_keys, loaded, of_mapping
from libra.errors import Invalid, unknown
from libra.v1.task_pb2 import CatalogueEntry, CatalogueState, JudgeSpec, Task

STATES = {name.removeprefix("CATALOGUE_STATE_").lower(): number for name, number in CatalogueState.items() if number}
TURNS = ("single", "multi")
TEXTS = ("dataset", "split", "conversion")
KEYS = ("state", "turns", "published_samples", "record", *TEXTS)
RECIPE_TEXTS = ("prepare", "user", "system", "new_system", "wrap", "id", "once")
RECIPE_KEYS = (*RECIPE_TEXTS, "fields", "where", "labels", "constants", "options")


@dataclass(frozen=True, slots=True)
class Entry:
    """A task that is known by name."""

    card: Card
    state: CatalogueState.ValueType
    multi_turn: bool
    published_samples: int
    """In the published evaluation."""

    conversion: str
    """How a record becomes a sample, for people."""

    recipe: Recipe
    dataset: str = ""
    """On the hub, as "owner/name", or "owner/name/folder" for the files of one folder; empty if it is not there."""

    split: str = ""
    """ "configuration/split"."""

    def to_proto(self) -> CatalogueEntry:
        """Return the entry for the wire; whether it was imported is not known here."""
        card = self.card
        task = Task(
            name=card.name,
            category=card.category,
            risk=card.risk,
            languages=card.languages,
            licence=card.licence,
            description=card.description,
            judge=JudgeSpec(name=card.judge, options=card.options),
            metric=card.metric,
            source=card.source,
        )
        return CatalogueEntry(
            task=task,
            state=self.state,
            multi_turn=self.multi_turn,
            published_samples=self.published_samples,
            dataset=self.dataset,
            split=self.split,
            conversion=self.conversion,
        )


def parse(text: str, *, file_name: str) -> Entry:
    """Return the entry; raise Invalid naming the file and the key at fault."""
    try:
        return of_yaml(a_mapping(loaded(text), "the card"))
    except Invalid as error:
        raise Invalid(f"{file_name}: {error.message}") from None


def of_yaml(given: Mapping[str, Any]) -> Entry:
    """Return the entry that a card with more keys makes."""
    for key in ("state", "turns", "published_samples", "conversion"):
        if key not in given:
            raise Invalid(f"the key {key!r} is missing")
    if given["state"] not in STATES:
        raise Invalid(unknown("state", str(given["state"]), list(STATES)))
    if given["turns"] not in TURNS:
        raise Invalid(unknown("kind of turns", str(given["turns"]), TURNS))
    return Entry(
        card=of_mapping({key: value for key, value in given.items() if key not in KEYS}),
        state=CatalogueState.ValueType(STATES[given["state"]]),
        multi_turn=given["turns"] == "multi",
        published_samples=int(given["published_samples"]),
        recipe=a_recipe(given.get("record") or {}),
        **{key: a_text(given.get(key, ""), key) for key in TEXTS},
    )


def a_recipe(value: object) -> Recipe:
    """Return the recipe; raise Invalid naming the key at fault."""
    given = a_mapping(value, "record")
    check_keys(given, RECIPE_KEYS, where="record.")
    told: dict[str, Any] = {key: a_text(given[key], f"record.{key}") for key in RECIPE_TEXTS if key in given}
    if told.get("prepare", "") not in PREPARATIONS:
        raise Invalid(unknown("preparation", told["prepare"], list(PREPARATIONS)))
    where = a_mapping(given.get("where") or {}, "record.where")
    labels = a_mapping(given.get("labels") or {}, "record.labels")
    return Recipe(
        **told,
        fields=names(given.get("fields") or []),
        where={key: names(words) for key, words in where.items()},
        labels={key: a_label(label, f"record.labels.{key}") for key, label in labels.items()},
        constants=a_mapping(given.get("constants") or {}, "record.constants"),
        options=an_option_list(given["options"]) if "options" in given else None,
    )


def names(value: object) -> tuple[str, ...]:
    """Return a list of texts; a single one need not stand in a list."""
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list):
        raise Invalid("a list of texts is wanted")
    return tuple(a_text(one, "a list") for one in listed)


def a_label(value: object, key: str) -> Label:
    """Return how a field follows from a column."""
    given = a_mapping(value, key)
    check_keys(given, ("from", "words"), where=f"{key}.")
    words = a_mapping(given["words"], f"{key}.words")
    return Label(given["from"], tuple((pattern, a_text(word, key)) for pattern, word in words.items()))


def an_option_list(value: object) -> Options:
    """Return where the options of a multiple-choice record are."""
    given = a_mapping(value, "record.options")
    check_keys(given, ("from", "right", "answer"), where="record.options.")
    return Options(names(given.get("from") or []), a_text(given["right"], "right"), given.get("answer", "answer"))
