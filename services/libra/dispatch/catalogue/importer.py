"""Import the records of a data set as the samples of a task of the catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from libra.core.errors import Invalid
from libra.dispatch.catalogue.catalogue_card import CatalogueCard
from libra.dispatch.catalogue.record_reader import read_records
from libra.dispatch.tasks import sample_records, task_version
from libra.dispatch.tasks.card import Card
from libra.dispatch.tasks.file_forms import Record, count_records
from libra.dispatch.tasks.id_index import IdIndex
from libra.v1.task_pb2 import Sample, Task


def import_records(
    source: CatalogueCard, pieces: Iterable[bytes], *, seed: int, file_name: str
) -> tuple[Task, list[Sample]]:
    """Return the task and its samples from a file of records; raise Invalid naming file and line.

    `seed` determines the order in which multiple-choice options are listed.
    """
    samples = list(build_samples(source, pieces, seed=seed, file_name=file_name))
    return task_version.to_task(card_with_seed(source, seed), samples), samples


def card_with_seed(source: CatalogueCard, seed: int) -> Card:
    """Return the card of the task; if its options are shuffled, the card's source states the seed."""
    if source.mapping.options is None:
        return source.card
    return replace(source.card, source=f"{source.card.source} The options are in the order of the seed {seed}.")


def build_samples(source: CatalogueCard, pieces: Iterable[bytes], *, seed: int, file_name: str) -> Iterator[Sample]:
    """Yield the samples of a file of records; raise Invalid naming file and line at the first fault."""
    count = 0
    seen_keys, ids = IdIndex(), IdIndex()
    mapping = source.mapping
    for where, record in count_records(read_records(pieces, file_name=file_name)):
        try:
            for selected in mapping.select(record):
                key = mapping.deduplication_key(selected)
                if key is not None and seen_keys.add(key, count + 1) != count + 1:
                    continue
                mapped = mapping.to_sample_record(selected, task=source.card.name, ordinal=count, seed=seed)
                yield unique_sample(mapped, count, ids, where)
                count += 1
        except Invalid as error:
            raise Invalid(f"{file_name}, {where}: {error.message}", field=sample_records.DATA_FIELD) from None
    if not count:
        raise Invalid(f"{file_name} has no record of {source.card.name}", field=sample_records.DATA_FIELD)


def unique_sample(mapped: Record, ordinal: int, ids: IdIndex, where: str) -> Sample:
    """Return a record in Libra's format as a sample, and store where its id occurs; raise Invalid for a repeated id."""
    sample = sample_records.to_sample(mapped, ordinal)
    *_, unit, number = where.split()
    known = len(ids)
    first = ids.add(sample.id, int(number))
    if len(ids) == known:  # several samples may come from one record, so an equal number says nothing
        raise Invalid(f"the id {sample.id!r} is already used in {unit} {first}; ids must be unique")
    return sample
