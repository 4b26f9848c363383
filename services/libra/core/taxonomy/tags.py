"""Tags of tasks, samples and attacks: entries of a taxonomy, or the reason for having none."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from libra.core.attack_names import JOIN
from libra.core.taxonomy.releases import TAXONOMY_NAMES, load_data, load_taxonomies

SEPARATOR = ":"
"""Stands between the taxonomy and the identifier in a stored tag: "ailuminate:vcr"."""

UNMAPPED = "no mapping is known"
"""The reason why a task or sample without tags has none, unless there is a better one."""


@dataclass(frozen=True, slots=True)
class Tags:
    """Identifiers of one taxonomy."""

    ids: tuple[str, ...] = ()
    """Each once, in order."""

    reason: str = UNMAPPED
    """Reason why there is none; meaningless if there are identifiers."""


@dataclass(frozen=True, slots=True)
class TaskTags:
    """The tags of a task and of its samples in one taxonomy."""

    common: Tags
    """Those of every sample."""

    fields: tuple[str, ...] = ()
    """The fields that say more about a sample; the first one that it has counts."""

    labels: Mapping[str, Tags] = field(default_factory=dict)
    """The tags for each value of these fields, by label in small letters."""

    def of_sample(self, value: str) -> Tags:
        """Return the tags of a sample with this value in one of the fields."""
        found = [self.labels[label] for label in _labels_in(value, self.labels)]
        ids = sort_ids([*self.common.ids, *(each for tags in found for each in tags.ids)])
        return Tags(ids, found[0].reason if found else self.common.reason)

    def all_ids(self) -> tuple[str, ...]:
        """Return the tags that a sample of the task can have."""
        return sort_ids([*self.common.ids, *(each for tags in self.labels.values() for each in tags.ids)])


def tags_of_task(taxonomy: str, name: str, risk: str, card_tags: Iterable[str]) -> TaskTags:
    """Return the tags of a task in one taxonomy.

    Tags on the card come first. Without any, those of the task of this name in the catalogue count, then those of the
    card's risk. Samples of a task outside the catalogue may have a field with the name of the taxonomy, which adds to
    them.

    Args:
        taxonomy: one of TAXONOMY_NAMES.
        name: the task's name, without its version.
        risk: the risk on its card.
        card_tags: the tags on its card, as "taxonomy:id".
    """
    prefix = taxonomy + SEPARATOR
    ids = sort_ids(tag.removeprefix(prefix) for tag in card_tags if tag.startswith(prefix))
    if ids:
        return TaskTags(Tags(ids), (taxonomy,), _own_labels(taxonomy))
    known = _load_tasks()
    if name in known:
        return known[name][taxonomy]
    found = _load_risks().get(risk.casefold())
    return TaskTags(found[taxonomy].common if found else Tags(), (taxonomy,), _own_labels(taxonomy))


def tags_of_attack(taxonomy: str, attack: str) -> Tags:
    """Return the tags of an attack, or of several joined by "+"; UNMAPPED for an attack that is not known."""
    found = [_load_attacks().get(step, {}).get(taxonomy, Tags()) for step in attack.split(JOIN)]
    return Tags(sort_ids(each for tags in found for each in tags.ids), found[0].reason)


def known_tasks() -> frozenset[str]:
    """Return the names of the tasks whose tags come with Libra."""
    return frozenset(_load_tasks())


def sort_ids(ids: Iterable[str]) -> tuple[str, ...]:
    """Return the identifiers once each, in order."""
    return tuple(sorted(set(ids)))


@cache
def _own_labels(taxonomy: str) -> Mapping[str, Tags]:
    """Return the labels by which samples name entries of a release themselves: identifiers and names."""
    labels = {}
    for entry_id, name in load_taxonomies()[taxonomy].entries.items():
        labels[entry_id.casefold()] = labels[name.casefold()] = Tags((entry_id,))
    return labels


def _labels_in(value: str, labels: Mapping[str, Tags]) -> Iterator[str]:
    """Yield the labels that a value consists of: itself, its part before the first ":", or the parts of a list."""
    text = value.strip().casefold()
    for candidate in (text, text.partition(":")[0].strip()):
        if candidate in labels:
            yield candidate
            return
    yield from (label for part in _split(value) if (label := part.strip().casefold()) in labels)


def _split(value: str) -> list[str]:
    """Return the parts of a JSON list, the keys of a JSON object whose values are true, or the parts between commas."""
    try:
        parsed = json.loads(value)
    except ValueError:
        return value.split(",")
    if isinstance(parsed, dict):
        return [key for key, is_set in parsed.items() if is_set is True]
    return [part for part in parsed if isinstance(part, str)] if isinstance(parsed, list) else []


@cache
def _load_tasks() -> Mapping[str, Mapping[str, TaskTags]]:
    data = load_data("tasks.yaml")
    return {name: _task_tags(entry, data["reasons"]) for name, entry in data["tasks"].items()}


@cache
def _load_risks() -> Mapping[str, Mapping[str, TaskTags]]:
    data = load_data("tasks.yaml")
    return {risk: _task_tags(entry, data["reasons"]) for risk, entry in data["risks"].items()}


@cache
def _load_labels() -> Mapping[str, Mapping[str, Tags]]:
    reasons = load_data("tasks.yaml")["reasons"]
    return {
        name: {label.casefold(): _tags(value, reasons) for label, value in labels.items()}
        for name, labels in load_data("labels.yaml").items()
    }


@cache
def _load_attacks() -> Mapping[str, Mapping[str, Tags]]:
    data = load_data("attacks.yaml")
    return {
        attack: {taxonomy: _tags(group[taxonomy], data["reasons"]) for taxonomy in TAXONOMY_NAMES}
        for group in data["groups"]
        for attack in group["attacks"]
    }


def _task_tags(entry: Mapping[str, Any], reasons: Mapping[str, str]) -> dict[str, TaskTags]:
    return {taxonomy: _task_tags_in(entry[taxonomy], reasons) for taxonomy in TAXONOMY_NAMES}


def _task_tags_in(value: Any, reasons: Mapping[str, str]) -> TaskTags:
    if isinstance(value, dict):
        labels = _load_labels()[value["labels"]]
        return TaskTags(_tags(value.get("tags", []), reasons), tuple(value["fields"]), labels)
    return TaskTags(_tags(value, reasons))


def _tags(value: Any, reasons: Mapping[str, str]) -> Tags:
    return Tags(sort_ids(value)) if isinstance(value, list) else Tags((), reasons[value])
