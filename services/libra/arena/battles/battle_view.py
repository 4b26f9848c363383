"""Hides the models' names in a battle until they may be shown."""

from __future__ import annotations

from collections.abc import Iterable

from google.protobuf.message import Message

from libra.arena.battles.answer_screen import shown_text
from libra.arena.battles.identity_mask import IdentityMask
from libra.v1 import arena_pb2 as pb
from libra.v1.arena_pb2 import Battle, BattleAnswer, Vote
from libra.v1.completion_pb2 import Completion

REVEALED = frozenset({pb.BATTLE_STATE_VOTED, pb.BATTLE_STATE_REVEALED})
"""States in which the names are shown."""

HIDDEN = ("model_a", "model_b", "pair_probability", "left_out")
"""Fields of a battle that tell a name."""

HIDDEN_OF_ANSWERS = ("completion", "latency_seconds")


def public_battle(battle: Battle, masks: tuple[IdentityMask, IdentityMask], vote: Vote | None = None) -> Battle:
    """Return the battle as visitors see it. `masks` are those of the models on the left and on the right."""
    shown = Battle()
    shown.CopyFrom(battle)
    if battle.state in REVEALED:
        if vote is not None:
            shown.vote.CopyFrom(anonymous_vote(vote))
        return shown
    _clear(shown, HIDDEN)
    for turn in shown.turns:
        _hide(turn.a, masks[0])
        _hide(turn.b, masks[1])
    return shown


def anonymous_vote(vote: Vote) -> Vote:
    """Return the vote without its voter."""
    shown = Vote()
    shown.CopyFrom(vote)
    shown.ClearField("voter")
    return shown


def _hide(answer: BattleAnswer, mask: IdentityMask) -> None:
    answer.text = mask.mask(shown_text(Completion(text=answer.text))).text
    _clear(answer, HIDDEN_OF_ANSWERS)


def _clear(message: Message, names: Iterable[str]) -> None:
    for name in names:
        message.ClearField(name)
