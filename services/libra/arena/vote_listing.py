"""Pages of votes, the newest first."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from libra.rpc.paging import PageTokens, page_size
from libra.store.arena.votes import VotePosition
from libra.store.client import Store
from libra.v1.arena_pb2 import ListVotesRequest, ListVotesResponse, Vote

DEFAULT_SIZE, MAX_SIZE = 50, 500


class VoteListing:
    """Reads votes from the store."""

    def __init__(self, store: Store, tokens: PageTokens) -> None:
        self._store, self._tokens = store, tokens

    async def list_page(self, request: ListVotesRequest, quarantined: Collection[str]) -> ListVotesResponse:
        """Return one page. Raises Invalid, and Unavailable."""
        size = page_size(request.page_size, default=DEFAULT_SIZE, maximum=MAX_SIZE)
        scope = f"arena_votes/{request.voter}/{request.model}"
        after = await self._tokens.decode(request.page_token, scope)
        votes = await self._store.votes.list_latest(
            limit=size + 1, before=_position(after), voter=request.voter, model=request.model
        )
        token = await self._tokens.encode(_place(votes[size - 1]), scope) if len(votes) > size else ""
        for vote in votes:
            vote.quarantined = vote.voter in quarantined
        return ListVotesResponse(votes=votes[:size], next_page_token=token)


def _place(vote: Vote) -> str:
    return f"{vote.create_time.ToMilliseconds()}/{vote.battle}"


def _position(place: str) -> VotePosition | None:
    milliseconds, _, battle = place.partition("/")
    return VotePosition(datetime.fromtimestamp(int(milliseconds) / 1000, UTC), battle) if place else None
