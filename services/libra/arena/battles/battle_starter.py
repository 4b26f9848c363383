"""Starts battles and adds turns to them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from libra.arena.battles.attack_directory import AttackDirectory
from libra.arena.battles.matchmaker import Matchmaker
from libra.arena.battles.model_pool import ModelPool
from libra.arena.battles.prompt_check import MAX_TURNS, checked_attack, checked_prompt
from libra.arena.battles.suggestions import Suggestions
from libra.core.attack_names import PLAIN
from libra.core.errors import FailedPrecondition, PermissionDenied
from libra.store.arena.battles import BattleCollection, StoredBattle
from libra.store.documents.create_time import now
from libra.v1 import arena_pb2 as pb
from libra.v1.arena_pb2 import AddTurnRequest, Battle, BattleTurn, LeftOutModel, StartBattleRequest
from libra.v1.message_pb2 import Message

ID_BYTES = 16
SEED_BITS = 31


@dataclass(frozen=True, slots=True)
class Opening:
    """The first prompt of a battle and the attack on it."""

    prompt: str
    attack: str
    suggestion: str = ""
    replaces: str = ""
    left_out: tuple[str, ...] = ()
    """Models that failed in the battle that this one replaces."""


@dataclass(frozen=True, slots=True)
class BattleStarter:
    """Checks what a visitor sends, applies the attack, chooses the pair, and stores the battle."""

    battles: BattleCollection
    attacks: AttackDirectory
    pool: ModelPool
    matchmaker: Matchmaker
    suggestions: Suggestions

    async def opening(self, request: StartBattleRequest, failed: StoredBattle | None) -> Opening:
        """Return how the requested battle begins; raise a CallerError with the field that is at fault.

        `failed` is the battle that it replaces.
        """
        if failed is not None:
            battle = failed.battle
            sides = {pb.SIDE_A: battle.model_a, pb.SIDE_B: battle.model_b}
            left_out = tuple(sides[side] for side in battle.failed_sides)
            return Opening(battle.turns[0].prompt, battle.attack, battle.suggestion, battle.id, left_out)
        suggestion = request.suggestion
        prompt = (await self.suggestions.get(suggestion)).prompt if suggestion else checked_prompt(request.prompt)
        attack = request.attack or PLAIN
        if attack != PLAIN:
            attack = checked_attack(attack, (await self.attacks.offered()).keys())
        return Opening(prompt, attack, suggestion)

    async def start(self, opening: Opening, visitor: str) -> StoredBattle:
        """Store and return a battle. Raises Unavailable, and FailedPrecondition with the state that prevents it."""
        seed = secrets.randbits(SEED_BITS)
        shown = await self.attacks.apply(opening.attack, opening.prompt, seed)
        family = (await self.attacks.offered())[opening.attack].family if opening.attack != PLAIN else PLAIN
        lineup = await self.pool.lineup()
        eligible = [model for model in lineup.eligible if model not in opening.left_out]
        failed = [LeftOutModel(model=model, reason="it failed in this battle before") for model in opening.left_out]
        pair = self.matchmaker.choose(eligible)
        battle = Battle(
            id=secrets.token_hex(ID_BYTES),
            state=pb.BATTLE_STATE_ANSWERING,
            attack=opening.attack,
            attack_family=family,
            attack_seed=seed,
            turns=[BattleTurn(prompt=opening.prompt, shown=shown)],
            model_a=pair.model_a,
            model_b=pair.model_b,
            pair_probability=pair.probability,
            left_out=[*lineup.left_out, *(one for one in failed if one.model in lineup.eligible)],
            suggestion=opening.suggestion,
            replaces=opening.replaces,
        )
        battle.create_time.FromDatetime(now())
        return await self.battles.insert(battle, visitor)

    async def add_turn(self, request: AddTurnRequest, stored: StoredBattle) -> StoredBattle:
        """Add a prompt to a battle. Raises FailedPrecondition if the battle is not open, or has no turns left."""
        prompt = checked_prompt(request.prompt)
        turns = stored.battle.turns
        if request.turn < len(turns) and turns[request.turn].prompt == prompt:
            return stored  # a repeat
        if request.turn != len(turns) or stored.battle.state != pb.BATTLE_STATE_OPEN:
            raise FailedPrecondition(
                f"the battle has {len(turns)} turns and takes no turn {request.turn + 1} now; open it again",
                field="turn",
            )
        if len(turns) >= MAX_TURNS:
            raise FailedPrecondition(f"a battle has at most {MAX_TURNS} turns; vote now", field="turn")
        turn = BattleTurn(prompt=prompt, shown=[Message(role="user", content=prompt)])
        if not await self.battles.add_turn(stored.battle.id, request.turn, turn):
            raise FailedPrecondition("the battle has changed meanwhile; open it again", field="battle")
        found = await self.battles.get(stored.battle.id)
        return found or stored


def check_owner(stored: StoredBattle, visitor: str) -> None:
    """Raise PermissionDenied unless the visitor, by hash, started the battle."""
    if stored.visitor != visitor:
        raise PermissionDenied("another visitor started this battle; start one of your own", field="battle")
