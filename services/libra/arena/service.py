"""ArenaService: holds battles, takes votes, and serves ratings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime

import grpc.aio

from libra.arena.audit import Auditor
from libra.arena.battles.battle_starter import check_owner
from libra.arena.battles.battle_view import public_battle
from libra.arena.battles.matchmaker import min_share
from libra.arena.battles.prompt_check import MAX_PROMPT_BYTES, MAX_TURNS, check_entry, check_visitor
from libra.arena.components import Components
from libra.arena.export import export_battles
from libra.arena.integrity.visitor_hash import VisitorHash
from libra.arena.ratings.rating_book import Scope
from libra.arena.ratings.rating_proto import ratings_response
from libra.arena.vote_listing import VoteListing
from libra.core.errors import FailedPrecondition, Invalid, NotFound, Unavailable
from libra.store.arena.battles import StoredBattle
from libra.v1 import arena_pb2 as pb
from libra.v1 import arena_pb2_grpc

MAX_NOTE_CHARACTERS = 2_000
MAX_AUTHOR_CHARACTERS = 100


class ArenaService(arena_pb2_grpc.ArenaServiceServicer):
    """Answers visitors and operators. A battle can go on at any replica."""

    def __init__(self, components: Components) -> None:
        self._parts = components
        self._listing = VoteListing(components.store, components.page_tokens)

    async def GetRules(self, request: pb.GetRulesRequest, context: grpc.aio.ServicerContext) -> pb.GetRulesResponse:
        """Return the limits of a battle, and the attacks."""
        settings = self._parts.settings
        entries = [entry for entry in await self._parts.store.entries.list() if not entry.HasField("leave_time")]
        response = pb.GetRulesResponse(
            max_turns=MAX_TURNS,
            max_prompt_bytes=MAX_PROMPT_BYTES,
            entries=len(entries),
            min_share=min_share(len(entries)),
            ballot_seconds=settings.ballot_seconds,
            battles_per_hour=settings.battles_per_hour,
        )
        try:
            offered = await self._parts.attacks.offered()
        except Unavailable as error:
            response.attack_problem = str(error)
        else:
            response.attacks.extend(sorted(offered.values(), key=lambda attack: (attack.family, attack.name)))
        return response

    async def SuggestPrompts(
        self, request: pb.SuggestPromptsRequest, context: grpc.aio.ServicerContext
    ) -> pb.SuggestPromptsResponse:
        """Return prompts of samples that are not sealed."""
        return pb.SuggestPromptsResponse(prompts=await self._parts.suggestions.draw(request.count, request.category))

    async def StartBattle(
        self, request: pb.StartBattleRequest, context: grpc.aio.ServicerContext
    ) -> pb.StartBattleResponse:
        """Start a battle, or return a challenge to solve first."""
        who = self._hash(request.visitor)
        failed = await self._owned(request.replaces, who, "replaces") if request.replaces else None
        if failed is not None and failed.battle.state != pb.BATTLE_STATE_FAILED:
            raise FailedPrecondition("only a battle in which a model failed is replaced", field="replaces")
        opening = await self._parts.starter.opening(request, failed)
        if failed is None and (challenge := await self._parts.limiter.admit(who, request.proof)):
            return pb.StartBattleResponse(challenge=challenge)
        stored = await self._parts.starter.start(opening, who.visitor)
        self._parts.metrics.arena_battles.inc()
        return pb.StartBattleResponse(battle=await self._view(stored, who))

    async def AddTurn(self, request: pb.AddTurnRequest, context: grpc.aio.ServicerContext) -> pb.AddTurnResponse:
        """Add a prompt to a battle."""
        who = self._hash(request.visitor)
        stored = await self._parts.starter.add_turn(request, await self._owned(request.battle, who))
        return pb.AddTurnResponse(battle=await self._view(stored, who))

    async def StreamTurn(
        self, request: pb.StreamTurnRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[pb.StreamTurnResponse]:
        """Send both answers of a turn, then the battle."""
        who = self._hash(request.visitor)
        stored = await self._owned(request.battle, who)
        events = self._parts.streamer.stream(stored, request.turn)
        async with aclosing(events):
            async for event in events:
                if event.WhichOneof("event") == "battle":
                    self._add_ballot(event.battle, stored, who)
                yield event

    async def Vote(self, request: pb.VoteRequest, context: grpc.aio.ServicerContext) -> pb.VoteResponse:
        """Store a vote and show the names."""
        who = self._hash(request.visitor)
        stored, vote = await self._parts.booth.cast(request, who.visitor)
        parts = self._parts
        is_new = vote.battle not in parts.ratings.book.table
        parts.ratings.add(vote)
        parts.matchmaker.forget(vote.model_a, vote.model_b)
        if is_new:
            parts.metrics.arena_votes.inc()
            await parts.announce()
        return pb.VoteResponse(battle=await self._view(stored, who, vote))

    async def RevealBattle(
        self, request: pb.RevealBattleRequest, context: grpc.aio.ServicerContext
    ) -> pb.RevealBattleResponse:
        """Show the names without a vote."""
        who = self._hash(request.visitor)
        stored = await self._owned(request.battle, who)
        revealed = await self._parts.store.battles.reveal(request.battle) or await self._owned(request.battle, who)
        self._parts.matchmaker.forget(stored.battle.model_a, stored.battle.model_b)
        return pb.RevealBattleResponse(battle=await self._view(revealed, who))

    async def GetBattle(self, request: pb.GetBattleRequest, context: grpc.aio.ServicerContext) -> pb.GetBattleResponse:
        """Return a battle."""
        who = self._hash(request.visitor) if request.HasField("visitor") else None
        stored = await self._battle(request.battle)
        return pb.GetBattleResponse(battle=await self._view(stored, who))

    async def GetRatings(
        self, request: pb.GetRatingsRequest, context: grpc.aio.ServicerContext
    ) -> pb.GetRatingsResponse:
        """Return the ratings of one question."""
        ratings = self._parts.ratings
        book = ratings.book
        if request.attack_family and request.attack_family not in (families := book.families()):
            raise NotFound.named("attack family with votes", request.attack_family, families, field="attack_family")
        entries = await self._parts.store.entries.list()
        for entry in entries:
            book.enter(entry.model)
        scope = Scope(request.question or pb.QUESTION_SAFETY, request.attack_family)
        left = {entry.model: entry.HasField("leave_time") for entry in entries}
        return ratings_response(book, scope, ratings.details.get(scope), ratings.robustness.get(scope), left)

    async def EnterModel(
        self, request: pb.EnterModelRequest, context: grpc.aio.ServicerContext
    ) -> pb.EnterModelResponse:
        """Enter a registered model."""
        check_entry(request.entry)
        if await self._parts.pool.find_model(request.entry.model) is None:
            raise NotFound(
                f"there is no model {request.entry.model!r}; register it with `libra models add`", field="entry.model"
            )
        entry = await self._parts.store.entries.enter(request.entry)
        self._parts.pool.forget()
        return pb.EnterModelResponse(entry=entry)

    async def LeaveModel(
        self, request: pb.LeaveModelRequest, context: grpc.aio.ServicerContext
    ) -> pb.LeaveModelResponse:
        """End a model's part in new battles."""
        entry = await self._parts.store.entries.leave(request.model)
        if entry is None:
            names = [known.model for known in await self._parts.store.entries.list()]
            raise NotFound.named("model in the arena", request.model, names, field="model")
        self._parts.pool.forget()
        return pb.LeaveModelResponse(entry=entry)

    async def ListEntries(
        self, request: pb.ListEntriesRequest, context: grpc.aio.ServicerContext
    ) -> pb.ListEntriesResponse:
        """List the entries."""
        entries = await self._parts.pool.entries()
        votes = self._parts.ratings.book.table.votes_by_model()
        for entry in entries.values():
            entry.votes = votes.get(entry.model, 0)
        return pb.ListEntriesResponse(entries=[entries[name] for name in sorted(entries)])

    async def ListVotes(self, request: pb.ListVotesRequest, context: grpc.aio.ServicerContext) -> pb.ListVotesResponse:
        """List votes, the newest first."""
        return await self._listing.list_page(request, self._parts.ratings.book.quarantined)

    async def ListQuarantine(
        self, request: pb.ListQuarantineRequest, context: grpc.aio.ServicerContext
    ) -> pb.ListQuarantineResponse:
        """List the quarantined voters."""
        voters, votes = await self._parts.store.quarantine.list(), self._parts.ratings.book.table.votes_by_voter()
        for voter in voters:
            voter.votes = votes.get(voter.voter, 0)
        return pb.ListQuarantineResponse(voters=voters)

    async def LiftQuarantine(
        self, request: pb.LiftQuarantineRequest, context: grpc.aio.ServicerContext
    ) -> pb.LiftQuarantineResponse:
        """End the quarantine of a voter."""
        voter = await self._parts.store.quarantine.lift(request.voter)
        if voter is None:
            raise NotFound(
                f"the voter {request.voter!r} is not quarantined; `libra arena quarantine` lists those who are",
                field="voter",
            )
        await self._parts.ratings.load()
        await self._parts.announce()
        return pb.LiftQuarantineResponse(voter=voter)

    async def ExportBattles(
        self, request: pb.ExportBattlesRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[pb.ExportBattlesResponse]:
        """Send battles with votes, without visitors."""
        parts = export_battles(self._parts.store, self._parts.ratings.book.quarantined)
        async with aclosing(parts):
            async for part in parts:
                yield part

    async def AuditArena(
        self, request: pb.AuditArenaRequest, context: grpc.aio.ServicerContext
    ) -> pb.AuditArenaResponse:
        """Check the arena's laws."""
        await self._parts.ratings.load()
        return await Auditor(self._parts.store, self._parts.ratings.book).audit()

    async def ProposePrompt(
        self, request: pb.ProposePromptRequest, context: grpc.aio.ServicerContext
    ) -> pb.ProposePromptResponse:
        """Propose the prompt of a battle for the next round."""
        proposal = request.proposal
        if not 0 < len(proposal.author) <= MAX_AUTHOR_CHARACTERS:
            raise Invalid(f"an author has 1 to {MAX_AUTHOR_CHARACTERS} characters", field="proposal.author")
        if len(proposal.note) > MAX_NOTE_CHARACTERS:
            raise Invalid(f"a note has at most {MAX_NOTE_CHARACTERS:,} characters", field="proposal.note")
        stored = await self._battle(proposal.battle, "proposal.battle")
        if stored.battle.state != pb.BATTLE_STATE_VOTED:
            raise FailedPrecondition("only the prompt of a battle with a vote is proposed", field="proposal.battle")
        prompt = stored.battle.turns[0].prompt
        new = pb.Proposal(battle=proposal.battle, prompt=prompt, author=proposal.author, note=proposal.note)
        return pb.ProposePromptResponse(proposal=await self._parts.store.proposals.add(new))

    async def ListProposals(
        self, request: pb.ListProposalsRequest, context: grpc.aio.ServicerContext
    ) -> pb.ListProposalsResponse:
        """List the proposals."""
        return pb.ListProposalsResponse(proposals=await self._parts.store.proposals.list())

    def _hash(self, visitor: pb.Visitor) -> VisitorHash:
        check_visitor(visitor)
        return self._parts.keys.get().hash(visitor)

    async def _battle(self, battle: str, field: str = "battle") -> StoredBattle:
        stored = await self._parts.store.battles.get(battle)
        if stored is None:
            raise NotFound(f"there is no battle {battle!r}", field=field)
        return stored

    async def _owned(self, battle: str, who: VisitorHash, field: str = "battle") -> StoredBattle:
        stored = await self._battle(battle, field)
        check_owner(stored, who.visitor)
        return stored

    async def _view(self, stored: StoredBattle, who: VisitorHash | None, vote: pb.Vote | None = None) -> pb.Battle:
        battle = stored.battle
        if battle.state == pb.BATTLE_STATE_VOTED and vote is None:
            vote = await self._parts.store.votes.get(battle.id)
        shown = public_battle(battle, await self._parts.pool.masks(battle.model_a, battle.model_b), vote)
        if who is not None:
            self._add_ballot(shown, stored, who)
        return shown

    def _add_ballot(self, shown: pb.Battle, stored: StoredBattle, who: VisitorHash) -> None:
        """Give the visitor who started the battle the ballot, while a vote is possible."""
        expire_seconds = int(stored.battle.create_time.seconds + self._parts.settings.ballot_seconds)
        may_vote = shown.state in (pb.BATTLE_STATE_OPEN, pb.BATTLE_STATE_ANSWERING)
        if stored.visitor == who.visitor and may_vote and expire_seconds > datetime.now(UTC).timestamp():
            shown.ballot = self._parts.keys.get().ballots.issue(shown.id, who.visitor, expire_seconds)
            shown.ballot_expire_time.FromSeconds(expire_seconds)
