"""Reads what tells whether a board has changed, in one request: it is made for every call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from libra.store import indexes
from libra.store.documents.create_time import to_milliseconds
from libra.store.documents.proto_documents import Document
from libra.store.documents.team_filter import visible
from libra.store.error_translation import Database, ErrorTranslator
from libra.store.runs import finished_query

FIGURES = (indexes.CAPABILITIES, indexes.CALIBRATIONS, indexes.LABELS)
"""Collections of what changes a board besides verdicts: every change of them sets create_time."""


@dataclass(frozen=True, slots=True)
class BoardRevisions:
    """The revisions of the inputs of a board."""

    runs: Mapping[str, int]
    """The revision of every finished run by id, the oldest first."""

    figures: int
    """The sum of the times, in milliseconds since 1970, of the newest figure, calibration and label."""


class BoardRevisionReader:
    """Reads runs, figures, calibrations and labels; writes nothing."""

    def __init__(self, database: Database, translate_errors: ErrorTranslator) -> None:
        self._runs, self._translate_errors = database[indexes.RUNS], translate_errors

    async def read(self, round_name: str = "") -> BoardRevisions:
        """Return the revisions of the finished runs of a round, or of those of no round, and of the figures."""
        pipeline = [
            {"$match": finished_query(round_name)},
            {"$project": {"revision": "$run.revision"}},
            *({"$unionWith": {"coll": name, "pipeline": _newest()}} for name in FIGURES),
        ]
        with self._translate_errors():
            found = await self._runs.aggregate(pipeline).to_list(None)
        newest = [document["create_time"] for document in found if "create_time" in document]
        runs = {document["_id"]: document["revision"] for document in found if "create_time" not in document}
        return BoardRevisions(dict(sorted(runs.items())), sum(map(to_milliseconds, newest)))


def _newest() -> list[Document]:
    """Return the pipeline that finds the newest document of a collection that this task sees, by its index."""
    return [{"$match": visible()}, {"$sort": {"create_time": -1}}, {"$limit": 1}, {"$project": {"create_time": 1}}]
