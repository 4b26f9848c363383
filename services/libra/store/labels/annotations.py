"""Annotations: what people wrote about verdicts. No annotation is changed or deleted."""

from __future__ import annotations

from pymongo.errors import DuplicateKeyError
from ulid import ULID

from libra.core.access.team_scope import qualified
from libra.core.errors import Conflict
from libra.store import indexes
from libra.store.documents import trial_ids
from libra.store.documents.create_time import now
from libra.store.documents.proto_documents import Document, from_document, to_document
from libra.store.error_translation import Database, ErrorTranslator
from libra.v1.annotation_pb2 import Annotation


class AnnotationCollection:
    """Stores every annotation under a ULID."""

    def __init__(self, database: Database, translate_errors: ErrorTranslator) -> None:
        self._collection = database[indexes.ANNOTATIONS]
        self._translate_errors = translate_errors

    async def insert(self, annotation: Annotation, request_id: str, request_hash: str) -> Annotation:
        """Store an annotation and return it, or return the one that was stored with the same request_id before.

        The store sets id and create_time. Raises Conflict if another request of the team had this request_id.
        """
        request_id = qualified(request_id)
        request = {"request_id": request_id, "request_hash": request_hash} if request_id else {}
        document = to_document(annotation) | {"_id": str(ULID()), "create_time": now()} | request
        with self._translate_errors():
            try:
                await self._collection.insert_one(document)
            except DuplicateKeyError:
                stored = await self._collection.find_one({"request_id": request_id})
                if stored is None or stored["request_hash"] != request_hash:
                    raise Conflict("another annotation was sent with it", field="request_id") from None
                return _from_document(stored)
        return _from_document(document)

    async def list(self, *, run: str = "", verdict: str = "", after: str = "", limit: int) -> list[Annotation]:
        """Return up to `limit` annotations of a verdict, or else of a run, the oldest first, those after an id."""
        query: Document = {"_id": {"$gt": after}, "verdict": verdict or _of_run(run)}
        with self._translate_errors():
            found = self._collection.find(query).sort("_id", 1).limit(limit)
            return [_from_document(document) for document in await found.to_list(limit)]


def _of_run(run: str) -> Document:
    prefix = trial_ids.verdict_prefix(run, 0)
    return {"$gt": prefix, "$lt": trial_ids.after_prefix(prefix)}


def _from_document(document: Document) -> Annotation:
    return from_document(Annotation(id=document["_id"]), document)
