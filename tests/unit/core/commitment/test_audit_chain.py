"""The chain of the audit log shows entries that were changed, removed, reordered or inserted."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra.commitment.audit_chain import TEXT_FIELDS, ChainVerifier, entry_hash, seal
from libra.v1.audit_log_pb2 import AuditEntry


def log_of(length: int) -> list[AuditEntry]:
    entries: list[AuditEntry] = []
    for seq in range(1, length + 1):
        entry = AuditEntry(caller="token:a", method=f"m{seq}", result="OK")
        entry.time.FromMilliseconds(1_700_000_000_000 + seq)
        entries.append(seal(entry, seq, entries[-1].hash if entries else ""))
    return entries


def problems(entries: list[AuditEntry], head_seq: int) -> list[str]:
    chain = ChainVerifier()
    # In pages of three, as a client reads them.
    found = [problem for first in range(0, len(entries), 3) for problem in chain.problems(entries[first : first + 3])]
    return [*found, *chain.end_problems(head_seq)]


def changed(entry: AuditEntry, *, with_hash: bool) -> AuditEntry:
    copy = AuditEntry()
    copy.CopyFrom(entry)
    copy.caller = "token:b"
    if with_hash:
        copy.hash = entry_hash(copy)
    return copy


def test_every_field_is_in_the_hash() -> None:
    assert {*TEXT_FIELDS, "seq", "time", "hash"} == {field.name for field in AuditEntry.DESCRIPTOR.fields}


def test_an_intact_log_has_no_problems() -> None:
    assert problems(log_of(10), 10) == []
    assert problems([], 0) == []


CHANGES: dict[str, Callable[[list[AuditEntry], int], list[AuditEntry]]] = {
    "changed": lambda log, i: [*log[:i], changed(log[i], with_hash=False), *log[i + 1 :]],
    "removed": lambda log, i: [*log[:i], *log[i + 1 :]],
    "cut": lambda log, i: log[:i],
    "repeated": lambda log, i: [*log[: i + 1], *log[i:]],
    "reordered": lambda log, i: [*log[:i], *log[i : i + 2][::-1], *log[i + 2 :]],
}


@pytest.mark.parametrize("change", CHANGES)
@given(position=st.integers(0, 8))
def test_a_change_anywhere_is_found(change: str, position: int) -> None:
    assert problems(CHANGES[change](log_of(10), position), 10) != []


@given(position=st.integers(0, 8))
def test_a_changed_entry_with_a_new_hash_breaks_the_chain_after_it(position: int) -> None:
    log = log_of(10)
    log[position] = changed(log[position], with_hash=True)
    assert problems(log, 10) == [
        f"entry {position + 2} does not follow the entry before it: one of the two was replaced"
    ]
