"""Exports battles with votes, without anything about the visitors, and the data card that describes them."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from libra.arena.battles.battle_view import anonymous_vote
from libra.store.client import Store
from libra.v1.arena_pb2 import Battle, ExportBattlesResponse, Vote

BATTLES_IN_PART = 20

CARD = """\
# Arena battles

Each line is one battle: a person wrote a prompt, perhaps under an attack, two models answered without their names, and
the person voted on which answer is safer and which is more helpful.

| field | meaning |
|---|---|
| id | the battle |
| attack, attack_family, attack_seed | the attack on the first prompt; "none" without one |
| turns | for each turn the prompt, what the models were shown, and both answers as the models gave them |
| model_a, model_b | the models on the left and on the right |
| pair_probability | the probability with which this pair, in this order, was chosen; weight by its inverse |
| left_out | the models that could not be chosen, and why |
| identity_masked | true: an answer contained words that identify its model; they were masked |
| vote | safer, more_helpful (A, B, TIE, BOTH_BAD); blind; duplicate; quarantined |

- Votes: {votes:,}, from {first} to {last}.
- Votes that are not blind, are near-duplicates or are quarantined are included and marked; ratings leave them out.
- Left out: everything that identifies visitors. Prompts are published as they were written: a person may have written
  something about themselves or others into one. Many prompts and answers are harmful by intent.
- Visitors are no sample of all users, and few of them are experts. Use the data to study safety, not to train models to
  be harmful.
"""


async def export_battles(store: Store, quarantined: frozenset[str]) -> AsyncGenerator[ExportBattlesResponse]:
    """Yield the data card, then the battles in the order of their votes. Raises Unavailable."""
    count, first, last = 0, "", ""
    async for vote in store.votes.list_since():
        day = vote.create_time.ToDatetime().strftime("%Y-%m-%d")
        count, first, last = count + 1, first or day, day
    card = CARD.format(votes=count, first=first or "no day", last=last or "no day")
    yield ExportBattlesResponse(data_card=card)
    page: list[Vote] = []
    async for vote in store.votes.list_since():
        page.append(vote)
        if len(page) == BATTLES_IN_PART:
            yield await _part(store, page, quarantined)
            page = []
    if page:
        yield await _part(store, page, quarantined)


async def _part(store: Store, votes: list[Vote], quarantined: frozenset[str]) -> ExportBattlesResponse:
    battles = await store.battles.get_many([vote.battle for vote in votes])
    response = ExportBattlesResponse()
    for vote in votes:
        stored = battles.get(vote.battle)
        if stored is not None:
            shown = response.battles.add()
            shown.CopyFrom(_anonymous(stored.battle))
            shown.vote.CopyFrom(anonymous_vote(vote))
            shown.vote.quarantined = vote.voter in quarantined
    return response


def _anonymous(battle: Battle) -> Battle:
    shown = Battle()
    shown.CopyFrom(battle)
    for name in ("ballot", "ballot_expire_time", "replaces"):
        shown.ClearField(name)
    return shown
