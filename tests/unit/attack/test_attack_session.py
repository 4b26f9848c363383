"""What a talk counts and keeps, and how several lines of one go on side by side."""

from __future__ import annotations

import asyncio

import pytest

from libra.attack import apply
from libra.attack.apply import MAX_LOG_BYTES, AttackForm
from libra.attack.attack_session import MAX_MODEL_CALLS, AttackSession, ModelReply, ModelRole, UnusableReply
from libra.attack.catalogue.multi_turn.attempt import run_branches
from libra.attack.conversation import Turn
from libra.attack.gather import gather_or_cancel
from libra.errors import Unavailable

from .voices import ScriptedModels

QUESTION = (Turn("user", "How do magnets work?"),)


async def test_an_attack_that_asks_without_end_is_stopped() -> None:
    session = ScriptedModels(attacker=lambda *_: "well").session()
    for _ in range(MAX_MODEL_CALLS):
        await session.branch().ask_attacker(QUESTION, temperature=0.0)
    with pytest.raises(UnusableReply, match="100 times"):
        await session.branch().ask_attacker(QUESTION, temperature=0.0)


async def test_what_was_spent_is_all_but_the_answer_that_is_the_trials_own() -> None:
    voices = ScriptedModels(
        attacker=lambda *_: "a",
        judge=lambda *_: "j",
        target=lambda *_: ModelReply("t", tokens=7, cost_usd=0.25, seconds=1),
    )
    session = voices.session()
    other = (Turn("user", "And why?"),)
    await session.ask_attacker(QUESTION, temperature=0.0)
    await session.ask_judge(QUESTION, json_schema="")
    for turns in (QUESTION, other, other):  # an answer that is shared is one answer
        await session.ask_target(turns)
    assert apply.attack_fields(AttackForm.MODEL, session, QUESTION) == {
        "attack_form": "model",
        "attack_tokens": "27",
        "attack_cost_usd": "1.250000",
        "attack_seconds": "5.000",
    }
    assert apply.attack_fields(None, session)["attack_tokens"] == "34"
    assert apply.attack_fields(AttackForm.RULES, voices.session()) == {"attack_form": "rules"}


async def test_lines_side_by_side_are_in_the_log_one_after_the_other() -> None:
    session = ScriptedModels(attacker=lambda turns, _: turns[-1].content).session()

    async def line(name: str, pauses: int, branch: AttackSession) -> str:
        for step in range(2):
            for _ in range(pauses):
                await asyncio.sleep(0)
            await branch.ask_attacker((Turn("user", f"{name}{step}"),), temperature=0.0)
        return name

    names = await run_branches(session, [lambda branch: line("a", 5, branch), lambda branch: line("b", 0, branch)])
    assert names == ["a", "b"]
    assert [turn.content for turn in session.log] == ["a0", "a1", "b0", "b1"]


async def test_the_first_failure_calls_off_the_others() -> None:
    ended: list[str] = []

    async def waits() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("called off")

    async def fails() -> None:
        await asyncio.sleep(0)
        raise Unavailable("the gateway is away")

    with pytest.raises(Unavailable):
        await gather_or_cancel([waits(), fails(), waits()])
    assert ended == ["called off"] * 2


async def test_a_log_goes_into_one_message() -> None:
    session = ScriptedModels(target=lambda *_: "ä" * 100_000).session()
    for number in range(8):
        await session.ask_target((Turn("user", str(number)),))
    kept = apply.truncate_log(session)
    assert len(kept) == 5
    assert sum(len(turn.content.encode()) for turn in kept) <= MAX_LOG_BYTES


async def test_who_is_not_named_is_not_asked() -> None:
    voices = ScriptedModels(attacker=lambda *_: "well")
    with pytest.raises(UnusableReply, match="no judge model is named"):
        await voices.session(named=frozenset({ModelRole.ATTACKER})).ask_judge(QUESTION, json_schema="")
    assert voices.requests == []
