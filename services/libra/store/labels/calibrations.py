"""The newest calibration of each judge on each set of labels: how far the judge agrees with people."""

from __future__ import annotations

from pymongo import DESCENDING

from libra.core.access import team_scope
from libra.store import indexes
from libra.store.documents.create_time import last_modified, now
from libra.store.documents.proto_documents import Document, from_document, to_document
from libra.store.documents.team_filter import visible
from libra.store.error_translation import Database, ErrorTranslator
from libra.v1.calibration_pb2 import Calibration


class CalibrationCollection:
    """Stores calibrations by team, judge and labels; a new measurement replaces the previous one."""

    def __init__(self, database: Database, translate_errors: ErrorTranslator) -> None:
        self._collection = database[indexes.CALIBRATIONS]
        self._translate_errors = translate_errors

    async def upsert(self, calibration: Calibration) -> Calibration:
        """Store a calibration and return it as stored; the store sets its create_time."""
        owned = {"team": team} if (team := team_scope.partition()) else {}
        document = to_document(calibration) | {"_id": _id(calibration), "create_time": now()} | owned
        with self._translate_errors():
            await self._collection.replace_one({"_id": document["_id"]}, document, upsert=True)
        return _calibration_from_document(document)

    async def last_modified(self) -> int:
        """Return when a calibration was last stored, in milliseconds since 1970; 0 if there is none."""
        with self._translate_errors():
            return await last_modified(self._collection, visible())

    async def list(self, judge: str = "") -> list[Calibration]:
        """Return every calibration, or those of one judge by name: in order of judge, the newest first."""
        query = ({"judge.name": judge} if judge else {}) | visible()
        order = [("judge.name", 1), ("create_time", DESCENDING), ("_id", 1)]
        with self._translate_errors():
            found = self._collection.find(query).sort(order)
            return [_calibration_from_document(document) async for document in found]


def _id(calibration: Calibration) -> str:
    judge = calibration.judge
    return team_scope.qualified(f"{judge.name}/{judge.version}/{judge.rubric_hash}/{calibration.labels_hash}")


def _calibration_from_document(document: Document) -> Calibration:
    return from_document(Calibration(), document)
