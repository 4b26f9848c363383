from __future__ import annotations

import pytest

from libra.cli.commands.task_catalogue import state, summary
from libra.v1.task_pb2 import CatalogueEntry, CatalogueState

BUILT_IN, IMPORTABLE, NOT_PUBLIC = (number for number in CatalogueState.values() if number)


@pytest.mark.parametrize(
    ("number", "imported", "word"),
    [
        (BUILT_IN, "a@1", "built in"),
        (IMPORTABLE, "", "importable"),
        (IMPORTABLE, "a@1", "imported"),
        (NOT_PUBLIC, "", "not public"),
        (NOT_PUBLIC, "a@1", "imported"),
    ],
)
def test_a_state_in_words(number: CatalogueState.ValueType, imported: str, word: str) -> None:
    assert state(CatalogueEntry(state=number, imported=imported)) == word


def test_the_states_are_counted() -> None:
    entries = [CatalogueEntry(state=number) for number in (BUILT_IN, IMPORTABLE, IMPORTABLE, NOT_PUBLIC)]
    assert summary(entries).startswith("1 built in, 0 imported, 2 importable, 1 not public\n")
