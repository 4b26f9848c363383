"""The labels that people gave to answers: one for each trial, with the labels that it replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pymongo import ReplaceOne
from pymongo.errors import OperationFailure

from libra.core.errors import Conflict
from libra.store import indexes
from libra.store.documents import trial_ids
from libra.store.documents.create_time import last_modified, now
from libra.store.documents.proto_documents import Document, from_document, to_document
from libra.store.documents.team_filter import visible
from libra.store.error_translation import Database, ErrorTranslator, is_write_conflict
from libra.v1.label_pb2 import Label, LabelRevision

READ_LABELS = 5000
"""The most in one request."""

UNREAD_FIELDS = frozenset({"trial", "create_time", "earlier"})
"""The fields of an imported label that the store sets."""


@dataclass(frozen=True, slots=True)
class LabelChanges:
    """The documents that an import writes, and what they change."""

    documents: Sequence[Document]
    added: int
    changed: int
    """Labels with another score or author than before."""


class LabelCollection:
    """Stores labels under the ids of their trials."""

    def __init__(self, database: Database, translate_errors: ErrorTranslator) -> None:
        self._database, self._translate_errors = database, translate_errors
        self._collection = database[indexes.LABELS]

    async def upsert(self, labels: Sequence[Label], team: str = "") -> LabelChanges:
        """Store the labels, at most one for each trial, all or none; return the changes. The store sets create_time.

        `team` owns the run of the trials.

        A label with the score and the author of the stored one changes nothing, apart from a greater inclusion
        probability. Any other label replaces it, and the stored one becomes its last earlier one. Raises Conflict if
        another import changes the same labels at the same moment; a repetition is safe.
        """
        query = {"_id": {"$in": [label.trial for label in labels]}}
        with self._translate_errors():
            try:
                async with await self._database.client.start_session() as session, session.start_transaction():
                    found = self._collection.find(query, session=session)
                    changes = merge_labels(labels, {document["_id"]: document async for document in found}, now)
                    owned = {"team": team} if team else {}
                    writes = [
                        ReplaceOne({"_id": document["_id"]}, document | owned, upsert=True)
                        for document in changes.documents
                    ]
                    if writes:
                        await self._collection.bulk_write(writes, ordered=False, session=session)
            except OperationFailure as error:
                if is_write_conflict(error):
                    raise concurrent_import() from error
                raise
        return changes

    async def get(self, trials: Sequence[str]) -> dict[str, Label]:
        """Return the labels of these trials by trial; trials without one are left out."""
        with self._translate_errors():
            found = self._collection.find({"_id": {"$in": list(trials)}})
            return {document["_id"]: label_from_document(document) async for document in found}

    async def list_for_runs(self, runs: Iterable[str]) -> list[Label]:
        """Return all labels of the runs, in order of run and trial."""
        labels: list[Label] = []
        for run in sorted(set(runs)):
            after = ""
            while page := await self.list(run, after=after, limit=READ_LABELS):
                labels += page
                after = page[-1].trial
        return labels

    async def last_modified(self) -> int:
        """Return when a label was last stored, in milliseconds since 1970; 0 if there is none."""
        with self._translate_errors():
            return await last_modified(self._collection, visible())

    async def list(self, run: str, *, after: str = "", limit: int) -> list[Label]:
        """Return up to `limit` labels of a run in the order of trials, those after the id `after`."""
        prefix = trial_ids.verdict_prefix(run, 0)
        query = {"_id": {"$gt": max(after, prefix), "$lt": trial_ids.after_prefix(prefix)}}
        with self._translate_errors():
            found = await self._collection.find(query).sort("_id", 1).limit(limit).to_list(limit)
        return [label_from_document(document) for document in found]


def merge_labels(
    labels: Iterable[Label], stored: Mapping[str, Document], clock: Callable[[], datetime]
) -> LabelChanges:
    """Return what an import of the labels changes, given the stored documents by id."""
    documents, added, changed = [], 0, 0
    for label in labels:
        fields = {name: value for name, value in to_document(label).items() if name not in UNREAD_FIELDS}
        new: Document = {"_id": label.trial, **fields, "create_time": clock()}
        before = stored.get(label.trial)
        if before is None:
            added += 1
            documents.append(new)
            continue
        old = label_from_document(before)
        probability = max(old.inclusion_probability, label.inclusion_probability)
        is_same = (old.score, old.author) == (label.score, label.author)
        if is_same and probability == old.inclusion_probability:
            continue
        earlier = list(old.earlier)
        if not is_same:
            changed += 1
            earlier.append(LabelRevision(score=old.score, author=old.author, create_time=old.create_time))
        new |= {"inclusion_probability": probability, "earlier": [to_document(each) for each in earlier]}
        documents.append(new)
    return LabelChanges(documents, added, changed)


def label_from_document(document: Document) -> Label:
    """Return the label that a document stores."""
    return from_document(Label(trial=document["_id"]), document)


def concurrent_import() -> Conflict:
    """Return the error for two imports that change the same labels at the same moment."""
    return Conflict("another import changes the same labels now; import the file again", field="labels")
