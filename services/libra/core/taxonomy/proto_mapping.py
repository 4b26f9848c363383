"""Convert tags to protobuf messages."""

from __future__ import annotations

from collections.abc import Iterable

from libra.core.taxonomy.releases import TAXONOMY_NAMES, load_taxonomies
from libra.core.taxonomy.tags import Tags, tags_of_attack, tags_of_task
from libra.v1.task_pb2 import Task
from libra.v1.taxonomy_pb2 import TaxonomyEntry, TaxonomyTags


def tags_of_task_to_proto(task: Task) -> list[TaxonomyTags]:
    """Return the tags of a task, by taxonomy."""
    messages = []
    for taxonomy in TAXONOMY_NAMES:
        found = tags_of_task(taxonomy, task.name, task.risk, task.tags)
        # A task outside the catalogue may have the field; whether it has is not known without its samples.
        fields = [name for name in found.fields if name != taxonomy]
        ids = found.all_ids() if fields else found.common.ids
        messages.append(_to_proto(taxonomy, Tags(ids, found.common.reason), fields))
    return messages


def tags_of_attack_to_proto(attack: str) -> list[TaxonomyTags]:
    """Return the tags of an attack, by taxonomy."""
    return [_to_proto(taxonomy, tags_of_attack(taxonomy, attack), ()) for taxonomy in TAXONOMY_NAMES]


def _to_proto(taxonomy: str, tags: Tags, fields: Iterable[str]) -> TaxonomyTags:
    release = load_taxonomies()[taxonomy]
    return TaxonomyTags(
        taxonomy=taxonomy,
        title=release.label,
        entries=[TaxonomyEntry(id=each, name=release.entries.get(each, "")) for each in tags.ids],
        sample_fields=fields,
        reason="" if tags.ids else tags.reason,
    )
