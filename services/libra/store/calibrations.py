"""How far each judge agrees with people, as it was last measured on each set of labels."""

from __future__ import annotations

from pymongo import DESCENDING

from libra.store import indexes
from libra.store.error_translation import Database, ErrorTranslator
from libra.store.last_modified import newest_in
from libra.store.proto_documents import Document, from_document, now, to_document
from libra.v1.calibration_pb2 import Calibration


class CalibrationCollection:
    """Every calibration, by judge and labels: a new measurement of the same takes the place of the old one."""

    def __init__(self, database: Database, door: ErrorTranslator) -> None:
        self._collection = database[indexes.CALIBRATIONS]
        self._door = door

    async def upsert(self, calibration: Calibration) -> Calibration:
        """Keep a calibration and return it as stored; its create_time is the store's to set."""
        document = to_document(calibration) | {"_id": _id(calibration), "create_time": now()}
        with self._door():
            await self._collection.replace_one({"_id": document["_id"]}, document, upsert=True)
        return _calibration(document)

    async def last_modified(self) -> int:
        """Return when the last calibration was put, in milliseconds since 1970; 0 if there is none."""
        with self._door():
            return await newest_in(self._collection)

    async def list(self, judge: str = "") -> list[Calibration]:
        """Return every calibration, or those of one judge by name: by judge, the newest first."""
        wanted = {"judge.name": judge} if judge else {}
        order = [("judge.name", 1), ("create_time", DESCENDING), ("_id", 1)]
        with self._door():
            return [_calibration(document) async for document in self._collection.find(wanted).sort(order)]


def _id(calibration: Calibration) -> str:
    judge = calibration.judge
    return f"{judge.name}/{judge.version}/{judge.rubric_hash}/{calibration.labels_hash}"


def _calibration(document: Document) -> Calibration:
    return from_document(Calibration(), document)
