"""Keeps the ratings of this replica current: votes at once, intervals and the quarantine in the background."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta

import structlog

from libra.arena.integrity.quarantine_check import find_flags
from libra.arena.ratings.rating_book import RatingBook, Scope
from libra.arena.ratings.rating_details import RatingDetails, Robustness, compute_details, compute_robustness
from libra.arena.ratings.vote_table import QUESTIONS
from libra.core.timeouts import run_until_set, wait_until_set
from libra.store.arena.quarantine import QuarantineCollection
from libra.store.arena.votes import VoteCollection
from libra.telemetry.log_actions import Action
from libra.v1.arena_pb2 import Vote

OVERLAP_SECONDS = 60.0
"""Votes are read again from this long before the newest one: clocks differ, and transactions end in another order."""

log = structlog.get_logger(__name__)


class LiveRatings:
    """A book that follows the store."""

    def __init__(self, votes: VoteCollection, marks: QuarantineCollection) -> None:
        self.book = RatingBook()
        self.details: dict[Scope, RatingDetails] = {}
        self.robustness: dict[Scope, Robustness] = {}
        self._votes, self._marks = votes, marks
        self._newest: datetime | None = None
        self._changed = asyncio.Event()
        self._refreshed_revision = self._robustness_revision = -1

    async def load(self) -> None:
        """Read the quarantine, and the votes that are new since the last call. Raises Unavailable."""
        marks = await self._marks.get_marks()
        since = self._newest - timedelta(seconds=OVERLAP_SECONDS) if self._newest else None
        async for votes in self._votes.list_columns_since(since):
            self.book.add_all(votes)
            self._newest = max(votes.newest, self._newest or votes.newest)
        self.book.set_quarantined(marks.held)

    def add(self, vote: Vote) -> None:
        """Count a vote, unless it was counted before."""
        time = vote.create_time.ToDatetime(tzinfo=UTC)
        if self.book.add(vote) and (self._newest is None or time > self._newest):
            self._newest = time

    def notify(self) -> None:
        """Read new votes soon."""
        self._changed.set()

    async def listen(self, signals: AsyncIterator[tuple[str, bytes]], stop: asyncio.Event) -> None:
        """Read new votes at each signal of another replica, until `stop` is set."""

        async def follow() -> None:
            async for _ in signals:
                self.notify()

        await run_until_set(stop, follow())

    async def follow(self, stop: asyncio.Event, interval_seconds: float) -> None:
        """Read new votes at each signal, and at an interval, until `stop` is set. Raises Unavailable."""

        async def read() -> None:
            while True:
                await self.load()
                await wait_until_set(self._changed, interval_seconds)
                self._changed.clear()

        await run_until_set(stop, read())

    async def refresh(self) -> None:
        """Flag voters, then compute the details of every scope, if there are new votes. Raises Unavailable."""
        if self.book.revision == self._refreshed_revision:
            return
        marks = await self._marks.get_marks()
        table = self.book.table
        # Copies, because votes are added while the thread computes.
        votes = {question: table.votes(question) for question in QUESTIONS}
        flags = await asyncio.to_thread(
            find_flags, votes, len(table.models.names), list(table.voters.names), marks.held | marks.lifted
        )
        for flag in flags:
            await self._marks.add(flag.voter, flag.evidence, flag.reason)
            log.warning("a voter is quarantined", action=Action.VOTER_QUARANTINED, voter=flag.voter, reason=flag.reason)
        self.book.set_quarantined(marks.held | {flag.voter for flag in flags})
        revision = self.book.revision
        models = len(table.models.names)
        for question in QUESTIONS:
            for family in ("", *self.book.families()):
                scope = Scope(question, family)
                counted = self.book.counted_votes(scope)
                details = await asyncio.to_thread(compute_details, counted, models)
                if details is not None:
                    self.details[scope] = details
        self._refreshed_revision = revision

    async def refresh_robustness(self) -> None:
        """Compute the robustness of the ratings of all battles, if there are new votes."""
        if (revision := self.book.revision) == self._robustness_revision:
            return
        models, families = len(self.book.table.models.names), len(self.book.table.families.names)
        for question in QUESTIONS:
            scope = Scope(question)
            counted = self.book.counted_votes(scope)
            robustness = await asyncio.to_thread(compute_robustness, counted, models, families, scope)
            if robustness is not None:
                self.robustness[scope] = robustness
        self._robustness_revision = revision


async def repeat(work: Callable[[], Awaitable[None]], stop: asyncio.Event, pause_seconds: float) -> None:
    """Do the work, with a pause after each time, until `stop` is set."""

    async def loop() -> None:
        while True:
            await work()
            await asyncio.sleep(pause_seconds)

    await run_until_set(stop, loop())
