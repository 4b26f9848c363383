"""The chain of hashes of the audit log, and its verification without a server.

Each entry contains the hash of the entry before it. Who changes, removes or reorders an entry must therefore compute
all later hashes again, and then the hash of the last entry is no longer the one that somebody noted before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from libra.commitment.canonical import Json, hash_json
from libra.v1.audit_log_pb2 import AuditEntry

TEXT_FIELDS = (
    "caller",
    "role",
    "team",
    "method",
    "resource",
    "request_hash",
    "result",
    "request_id",
    "previous_hash",
)


def entry_hash(entry: AuditEntry) -> str:
    """Return the hash over all fields of an entry but `hash`."""
    fields: Json = {name: getattr(entry, name) for name in TEXT_FIELDS}
    return hash_json(fields | {"seq": entry.seq, "time_milliseconds": entry.time.ToMilliseconds()})


def seal(entry: AuditEntry, seq: int, previous_hash: str) -> AuditEntry:
    """Return the entry at position `seq`, with its hash; `previous_hash` is "" for the first one."""
    sealed = AuditEntry()
    sealed.CopyFrom(entry)
    sealed.seq, sealed.previous_hash = seq, previous_hash
    sealed.hash = entry_hash(sealed)
    return sealed


class ChainVerifier:
    """Finds changed, removed and reordered entries in a log that is read from its beginning."""

    def __init__(self) -> None:
        self.seq, self.hash = 0, ""
        """The position and the hash of the last entry; 0 and "" before the first one."""

    def problems(self, entries: Iterable[AuditEntry]) -> Iterator[str]:
        """Yield a sentence about each entry, of those that follow, that is not as it was written."""
        for entry in entries:
            if entry.seq != self.seq + 1:
                yield f"entry {self.seq + 1} is missing: entry {entry.seq} follows entry {self.seq}"
            elif entry.previous_hash != self.hash:
                yield f"entry {entry.seq} does not follow the entry before it: one of the two was replaced"
            if entry_hash(entry) != entry.hash:
                yield f"entry {entry.seq} was changed: its hash is not that of its content"
            self.seq, self.hash = entry.seq, entry.hash

    def end_problems(self, head_seq: int) -> Iterator[str]:
        """Yield a sentence if the log ends before the position that it had reached."""
        if self.seq < head_seq:
            yield f"the entries {self.seq + 1} to {head_seq} are missing at the end of the log"
