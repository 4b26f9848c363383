"""Make samples of a data set's records, by the entry of the catalogue that describes it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from libra.dispatch.catalogue import record_reader
from libra.dispatch.catalogue.entry import Entry
from libra.dispatch.catalogue.record_reader import Record
from libra.dispatch.tasks import sample_records, task_version
from libra.dispatch.tasks.card import Card
from libra.errors import Invalid
from libra.v1.task_pb2 import Sample, Task


def read(entry: Entry, pieces: Iterable[bytes], *, seed: int, file_name: str) -> tuple[Task, list[Sample]]:
    """Return the task that a file of records makes under an entry's name; raise Invalid naming file and line.

    `seed` chooses the order in which options of multiple choice are listed.
    """
    made = samples(entry, pieces, seed=seed, file_name=file_name)
    return task_version.to_task(card(entry, seed), made), made


def card(entry: Entry, seed: int) -> Card:
    """Return the card of the task, which says with which seed its options were shuffled."""
    if entry.recipe.options is None:
        return entry.card
    return replace(entry.card, source=f"{entry.card.source} The options are in the order of the seed {seed}.")


def samples(entry: Entry, pieces: Iterable[bytes], *, seed: int, file_name: str) -> list[Sample]:
    """Return the samples that the records of a file make; raise Invalid naming file and line at the first fault."""
    made: list[Sample] = []
    keys: set[str] = set()
    ids: dict[str, str] = {}
    for where, record in record_reader.read(pieces, file_name=file_name):
        try:
            for taken in entry.recipe.taken(record):
                key = entry.recipe.key(taken)
                if key in keys:
                    continue
                if key is not None:
                    keys.add(key)
                form = entry.recipe.sample(taken, task=entry.card.name, place=len(made), seed=seed)
                made.append(a_sample(form, len(made), ids, where))
        except Invalid as error:
            raise Invalid(f"{file_name}, {where}: {error.message}", field=sample_records.FIELD) from None
    if not made:
        raise Invalid(f"{file_name} holds no record of {entry.card.name}", field=sample_records.FIELD)
    return made


def a_sample(form: Record, place: int, ids: dict[str, str], where: str) -> Sample:
    """Return a record in Libra's form as a sample; raise Invalid if it is none, or if its id was there before."""
    sample = sample_records.of_record(form, place)
    if sample.id in ids:
        raise Invalid(f"the id {sample.id!r} is that of {ids[sample.id]}; ids must differ")
    ids[sample.id] = where
    return sample
