"""The limit, the log and the cost of an attack's model calls, and its concurrent branches."""

from __future__ import annotations

import asyncio

import pytest

from libra.attack.apply import MAX_LOG_BYTES, AttackForm, attack_fields, truncate_log
from libra.attack.attack_session import MAX_MODEL_CALLS, AttackSession, ModelReply, ModelRole, UnusableReply
from libra.attack.catalogue.multi_turn.attempt import run_branches
from libra.attack.conversation import Turn
from libra.attack.gather import gather_or_cancel
from libra.core.errors import Unavailable

from .scripted_models import ScriptedModels

QUESTION = (Turn("user", "How do magnets work?"),)


async def test_an_attack_without_end_is_stopped() -> None:
    session = ScriptedModels(attacker=lambda *_: "well").session()
    for _ in range(MAX_MODEL_CALLS):
        await session.branch().ask_attacker(QUESTION, temperature=0.0)
    with pytest.raises(UnusableReply, match="limit of 100 model calls"):
        await session.branch().ask_attacker(QUESTION, temperature=0.0)


async def test_the_cost_includes_all_answers_except_the_trials_own() -> None:
    models = ScriptedModels(
        attacker=lambda *_: "a",
        judge=lambda *_: "j",
        target=lambda *_: ModelReply("t", tokens=7, cost_usd=0.25, seconds=1),
    )
    session = models.session()
    other = (Turn("user", "And why?"),)
    await session.ask_attacker(QUESTION, temperature=0.0)
    await session.ask_judge(QUESTION, json_schema="")
    for turns in (QUESTION, other, other):  # the same conversation has one answer, which counts once
        await session.ask_target(turns)
    assert attack_fields(AttackForm.MODEL, session, QUESTION) == {
        "attack_form": "model",
        "attack_tokens": "27",
        "attack_cost_usd": "1.250000",
        "attack_seconds": "5.000",
    }
    assert attack_fields(None, session)["attack_tokens"] == "34"
    assert attack_fields(AttackForm.RULES, models.session()) == {"attack_form": "rules"}


async def test_an_unknown_price_is_reported_beside_the_known_part_of_the_cost() -> None:
    models = ScriptedModels(
        attacker=lambda *_: ModelReply("a", tokens=10, cost_usd=0.5),
        judge=lambda *_: ModelReply("j", tokens=10, is_price_unknown=True),
    )
    session = models.session()
    await session.ask_attacker(QUESTION, temperature=0.0)
    assert "attack_price" not in attack_fields(AttackForm.MODEL, session)
    await session.ask_judge(QUESTION, json_schema="")
    fields = attack_fields(AttackForm.MODEL, session)
    assert (fields["attack_cost_usd"], fields["attack_price"]) == ("0.500000", "unknown")


async def test_the_log_holds_concurrent_branches_one_after_the_other() -> None:
    session = ScriptedModels(attacker=lambda turns, _: turns[-1].content).session()

    async def ask_twice(name: str, pauses: int, branch: AttackSession) -> str:
        for number in range(2):
            for _ in range(pauses):
                await asyncio.sleep(0)
            await branch.ask_attacker((Turn("user", f"{name}{number}"),), temperature=0.0)
        return name

    names = await run_branches(
        session, [lambda branch: ask_twice("a", 5, branch), lambda branch: ask_twice("b", 0, branch)]
    )
    assert names == ["a", "b"]
    assert [turn.content for turn in session.log] == ["a0", "a1", "b0", "b1"]


async def test_the_first_failure_cancels_the_others() -> None:
    ended: list[str] = []

    async def waits() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    async def fails() -> None:
        await asyncio.sleep(0)
        raise Unavailable("the gateway is away")

    with pytest.raises(Unavailable):
        await gather_or_cancel([waits(), fails(), waits()])
    assert ended == ["cancelled"] * 2


async def test_a_log_is_truncated_to_fit_into_one_message() -> None:
    session = ScriptedModels(target=lambda *_: "ä" * 100_000).session()
    for number in range(8):
        await session.ask_target((Turn("user", str(number)),))
    kept = truncate_log(session)
    assert len(kept) == 5
    assert sum(len(turn.content.encode()) for turn in kept) <= MAX_LOG_BYTES


async def test_a_role_without_a_model_is_not_asked() -> None:
    models = ScriptedModels(attacker=lambda *_: "well")
    with pytest.raises(UnusableReply, match="no judge model is named"):
        await models.session(roles=frozenset({ModelRole.ATTACKER})).ask_judge(QUESTION, json_schema="")
    assert models.requests == []
