from __future__ import annotations

import pytest

from libra.cli.render.tasks.task_catalogue import catalogue_summary, state_of
from libra.v1.task_pb2 import CatalogueEntry, CatalogueState

BUILT_IN, IMPORTABLE, NOT_PUBLIC = (number for number in CatalogueState.values() if number)


@pytest.mark.parametrize(
    ("number", "imported", "state"),
    [
        (BUILT_IN, "a@1", "built in"),
        (IMPORTABLE, "", "importable"),
        (IMPORTABLE, "a@1", "imported"),
        (NOT_PUBLIC, "", "not public"),
        (NOT_PUBLIC, "a@1", "imported"),
    ],
)
def test_a_task_of_the_catalogue_has_a_state(number: CatalogueState.ValueType, imported: str, state: str) -> None:
    assert state_of(CatalogueEntry(state=number, imported=imported)) == state


def test_the_tasks_of_each_state_are_counted() -> None:
    entries = [CatalogueEntry(state=number) for number in (BUILT_IN, IMPORTABLE, IMPORTABLE, NOT_PUBLIC)]
    assert catalogue_summary(entries).startswith("1 built in, 0 imported, 2 importable, 1 not public\n")
