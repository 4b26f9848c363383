"""Takes votes: checks the ballot, and stores one vote for each battle."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from libra.arena.integrity.ballot import BallotSigner, ExpiredBallot, ForgedBallot
from libra.arena.integrity.near_duplicates import is_near_duplicate, signature_of
from libra.arena.integrity.vote_digest import digest_of
from libra.core.errors import FailedPrecondition, Invalid, NotFound
from libra.store.arena.battles import BattleCollection, StoredBattle
from libra.store.arena.votes import VoteCollection
from libra.store.documents.create_time import now
from libra.telemetry.metrics import Metrics
from libra.v1 import arena_pb2 as pb
from libra.v1.arena_pb2 import Battle, Vote, VoteRequest

PREFERENCES = frozenset({pb.PREFERENCE_A, pb.PREFERENCE_B, pb.PREFERENCE_TIE, pb.PREFERENCE_BOTH_BAD})

REFUSALS = {
    pb.BATTLE_STATE_ANSWERING: ("unanswered", "the answers are not complete; wait for them, then vote"),
    pb.BATTLE_STATE_REVEALED: ("revealed", "the names were shown, so no vote is possible; start another battle"),
    pb.BATTLE_STATE_FAILED: ("failed", "a model failed in this battle; start it again with another pair"),
    pb.BATTLE_STATE_VOTED: ("used", "the ballot was used for another vote; a battle has one vote"),
}
"""Reason by state why a battle takes no vote: the label of the metric, and the message."""


@dataclass(frozen=True, slots=True)
class VotingBooth:
    """Stores votes. A repeat with the same ballot and answers returns the stored vote."""

    battles: BattleCollection
    votes: VoteCollection
    signer: Callable[[], BallotSigner]
    metrics: Metrics

    async def cast(self, request: VoteRequest, visitor: str) -> tuple[StoredBattle, Vote]:
        """Store a vote; return its battle and the vote. Raises a CallerError; nothing is stored then."""
        for field in ("safer", "more_helpful"):
            if getattr(request, field) not in PREFERENCES:
                raise Invalid("choose A, B, tie or both bad", field=field)
        battle = self._battle_of(request.ballot, visitor)
        stored = await self.battles.get(battle)
        if stored is None:
            raise NotFound("the battle of this ballot does not exist any more", field="ballot")
        if stored.battle.state == pb.BATTLE_STATE_OPEN:
            vote, signature = await self._vote(request, stored)
            if await self.votes.insert(vote, signature):
                return await self._closed(battle, vote)
            stored = await self.battles.get(battle) or stored  # another call was faster
        return await self._closed_before(request, stored)

    def _battle_of(self, ballot: str, visitor: str) -> str:
        try:
            return self.signer().battle_of(ballot, visitor, time.time())
        except ForgedBallot:
            self.metrics.arena_refusals.labels(reason="forged").inc()
            raise
        except ExpiredBallot:
            self.metrics.arena_refusals.labels(reason="expired").inc()
            raise

    async def _vote(self, request: VoteRequest, stored: StoredBattle) -> tuple[Vote, bytes]:
        battle = stored.battle
        signature = await asyncio.to_thread(signature_of, battle.turns[0].prompt)
        earlier = await self.votes.list_signatures(stored.visitor)
        vote = _vote_on(battle, request, stored.visitor)
        vote.duplicate = is_near_duplicate(signature, earlier)
        vote.digest = digest_of(vote)
        return vote, signature

    async def _closed(self, battle: str, vote: Vote) -> tuple[StoredBattle, Vote]:
        stored = await self.battles.get(battle)
        if stored is None:
            raise NotFound("the battle was deleted", field="ballot")
        return stored, vote

    async def _closed_before(self, request: VoteRequest, stored: StoredBattle) -> tuple[StoredBattle, Vote]:
        vote = await self.votes.get(stored.battle.id)
        if vote is not None and (vote.safer, vote.more_helpful) == (request.safer, request.more_helpful):
            return stored, vote
        reason, message = REFUSALS[stored.battle.state]
        self.metrics.arena_refusals.labels(reason=reason).inc()
        raise FailedPrecondition(message, field="ballot")


def _vote_on(battle: Battle, request: VoteRequest, voter: str) -> Vote:
    vote = Vote(
        battle=battle.id,
        safer=request.safer,
        more_helpful=request.more_helpful,
        blind=not battle.identity_masked,
        model_a=battle.model_a,
        model_b=battle.model_b,
        attack=battle.attack,
        attack_family=battle.attack_family,
        voter=voter,
        turns=len(battle.turns),
        pair_probability=battle.pair_probability,
    )
    vote.create_time.FromDatetime(now())
    return vote
