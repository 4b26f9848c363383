"""Import the records of a data set as the samples of a task of the catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from libra.core.errors import Invalid
from libra.dispatch.catalogue.catalogue_card import CatalogueCard
from libra.dispatch.catalogue.record_reader import read_records
from libra.dispatch.tasks import sample_records, task_version
from libra.dispatch.tasks.card import Card
from libra.dispatch.tasks.file_forms import Record
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
    seen_keys: set[str] = set()
    where_of: dict[str, str] = {}
    mapping = source.mapping
    for where, record in read_records(pieces, file_name=file_name):
        try:
            for selected in mapping.select(record):
                key = mapping.deduplication_key(selected)
                if key in seen_keys:
                    continue
                if key is not None:
                    seen_keys.add(key)
                mapped = mapping.to_sample_record(selected, task=source.card.name, ordinal=count, seed=seed)
                yield unique_sample(mapped, count, where_of, where)
                count += 1
        except Invalid as error:
            raise Invalid(f"{file_name}, {where}: {error.message}", field=sample_records.DATA_FIELD) from None
    if not count:
        raise Invalid(f"{file_name} has no record of {source.card.name}", field=sample_records.DATA_FIELD)


def unique_sample(mapped: Record, ordinal: int, where_of: dict[str, str], where: str) -> Sample:
    """Return a record in Libra's format as a sample, and store where its id occurs; raise Invalid for a repeated id."""
    sample = sample_records.to_sample(mapped, ordinal)
    if sample.id in where_of:
        raise Invalid(f"the id {sample.id!r} is already used in {where_of[sample.id]}; ids must be unique")
    where_of[sample.id] = where
    return sample
