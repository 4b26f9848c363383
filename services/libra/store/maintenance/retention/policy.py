"""Retention times of texts, and the fields of documents that contain them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from libra.store import indexes
from libra.store.documents.proto_documents import Document
from libra.v1.verdict_pb2 import Outcome

RETIRE_TIME = "retire_time"
"""The time at which the texts of a document were removed."""


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """Number of days for which each kind of text is kept; 0: for ever."""

    completions_days: int = 0
    """Answers, with the messages of their requests. A request that is made again later is asked again."""

    verdict_texts_days: int = 0
    """The judges' reasons and the turns of multi-turn attacks; the reasons of FAILED verdicts stay."""

    battles_days: int = 0
    """Prompts and answers of battles."""

    def rules(self, now: dt.datetime) -> list[RetentionRule]:
        """Return the rules of the kinds that are not kept for ever."""
        texts = (
            (_completions, self.completions_days),
            (_verdict_texts, self.verdict_texts_days),
            (_battles, self.battles_days),
        )
        return [rule(now - dt.timedelta(days=days)) for rule, days in texts if days]


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """One kind of text in one collection, up to a time."""

    kind: str
    collection: str
    selector: Document
    """Selects the documents that still have the texts; a changed document no longer matches."""

    change: Document


def _completions(before: dt.datetime) -> RetentionRule:
    selector = {"create_time": {"$lt": before}, RETIRE_TIME: None}
    return _rule("completions", indexes.COMPLETIONS, selector, ("text", "messages", "error", "adjustments"))


def _verdict_texts(before: dt.datetime) -> RetentionRule:
    selector = {"create_time": {"$lt": before}, RETIRE_TIME: None, "outcome": {"$ne": Outcome.OUTCOME_FAILED}}
    return _rule("verdict texts", indexes.VERDICTS, selector, ("rationale", "log"))


def _battles(before: dt.datetime) -> RetentionRule:
    selector = {"create_time": {"$lt": before}, RETIRE_TIME: None}
    turns = ("prompt", "shown", "a.text", "b.text")
    return _rule("battles", indexes.BATTLES, selector, tuple(f"turns.$[].{name}" for name in turns))


def _rule(kind: str, collection: str, selector: Document, texts: tuple[str, ...]) -> RetentionRule:
    change: Document = {"$unset": dict.fromkeys(texts, ""), "$currentDate": {RETIRE_TIME: True}}
    return RetentionRule(kind, collection, selector, change)
