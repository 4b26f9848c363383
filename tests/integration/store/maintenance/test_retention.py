"""Old texts are removed, and everything else stays: scores, sums, the audit, and the use of the store."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator

import pytest
from tests.integration.support.ranking_world import batch, create_run, import_task, section, store_completions

from libra.bus.dead_letters import DeadLetters
from libra.bus.nats_bus import NatsBus
from libra.dispatch.control.retention_worker import LEASE, LEASE_SECONDS, RetentionWorker
from libra.ranking.queries.auditor import Auditor
from libra.ranking.verdicts.completed_verdicts import add_completions
from libra.store import indexes
from libra.store.client import Store
from libra.store.documents.create_time import now
from libra.store.maintenance.retention.policy import RetentionPolicy
from libra.store.maintenance.retention.text_removal import TextRemoval
from libra.v1.completion_pb2 import Completion, FinishReason
from libra.v1.message_pb2 import Message
from libra.v1.run_pb2 import RunState

PART = section("harm@1", 6)
POLICY = RetentionPolicy(completions_days=30, verdict_texts_days=30, battles_days=30)
OLD = now() - dt.timedelta(days=31)


@pytest.fixture
async def run(store: Store) -> str:
    """A finished run, of which everything but the last completion is 31 days old."""
    await import_task(store, "harm@1", 6)
    await store_completions(store, "one", range(6))
    run = await create_run(store, [PART])
    written = batch(run, PART, [0.5] * 6)
    for verdict in written.verdicts:
        verdict.rationale = "it refuses"
        verdict.log.append(Message(role="attacker", content="please"))
    await store.verdicts.write([written])
    await store.runs.mark_ended(run, RunState.RUN_STATE_FINISHED)
    age = {"$set": {"create_time": OLD}}
    await store._database[indexes.VERDICTS].update_many({}, age)
    await store._database[indexes.COMPLETIONS].update_many({"_id": {"$ne": "one-5"}}, age)
    await store._database[indexes.BATTLES].insert_one(
        {
            "_id": "b1",
            "visitor": "v",
            "create_time": OLD,
            "turns": [{"prompt": "P", "a": {"text": "A"}, "b": {"text": "B"}}],
        }
    )
    return run


@pytest.fixture
async def bus(nats_url: str) -> AsyncIterator[NatsBus]:
    opened = NatsBus(nats_url, name="test")
    await opened.open()
    await opened.ensure()
    yield opened
    await opened.close()


async def apply(store: Store) -> dict[str, int]:
    removal = TextRemoval(store._database, store._translate_errors, batch_documents=2)
    return {rule.kind: await removal.apply(rule) for rule in POLICY.rules(now())}


async def test_old_texts_are_removed_and_the_audit_still_passes(store: Store, run: str) -> None:
    cells = await store.cells.list_for_runs([run])
    counted = {rule.kind: await store.text_removal.count(rule) for rule in POLICY.rules(now())}
    assert counted == {"completions": 5, "verdict texts": 6, "battles": 1}
    assert await apply(store) == counted
    assert await apply(store) == dict.fromkeys(counted, 0)
    result = await Auditor(store).audit(run)
    assert (list(result.findings), result.verdicts, result.completions) == ([], 6, 6)
    assert await store.cells.list_for_runs([run]) == cells
    verdicts = await store.verdicts.list(run, limit=10)
    assert [(v.score, v.rationale, len(v.log)) for v in verdicts] == [(0.5, "", 0)] * 6
    assert set(await store.completions.get_many([f"one-{n}" for n in range(6)])) == {"one-5"}
    stored = await store.battles.get("b1")
    assert stored is not None
    assert (stored.battle.turns[0].prompt, stored.battle.turns[0].a.text) == ("", "")


async def test_nothing_is_removed_by_default(store: Store, run: str) -> None:
    assert RetentionPolicy().rules(now()) == []


async def test_a_request_is_asked_again_and_its_new_answer_is_not_shown_with_the_old_verdict(
    store: Store, run: str
) -> None:
    await apply(store)
    renewed = Completion(id="one-0", text="Yes.", finish_reason=FinishReason.FINISH_REASON_STOP, model="one")
    asked = Message(role="user", content="again")
    first, second = await asyncio.gather(*(store.completions.insert_or_get(renewed, [asked]) for _ in range(2)))
    assert first.text == second.text == "Yes."
    other = Completion(id="one-0", text="No!", finish_reason=FinishReason.FINISH_REASON_STOP, model="one")
    assert (await store.completions.insert_or_get(other)).text == "Yes."
    shown = [v async for v in add_completions(store, await store.verdicts.list(run, limit=10))]
    assert [v.HasField("completion") for v in shown] == [False] * 6  # the last one is newer than its aged verdict
    assert (await store.completions.get_messages(["one-0"]))["one-0"][0].content == "again"


async def test_one_replica_at_a_time_applies_the_policy(store: Store, bus: NatsBus, run: str) -> None:
    worker = RetentionWorker(store, DeadLetters(bus), POLICY, dead_letters_days=1, pause_seconds=0)
    await store.leases.acquire(LEASE, "another", LEASE_SECONDS)
    assert await worker.apply(asyncio.Event()) == 0
    await store.leases.release(LEASE, "another")
    assert await worker.apply(asyncio.Event()) == 12
    assert await worker.apply(asyncio.Event()) == 0


async def test_old_dead_letters_are_deleted(bus: NatsBus) -> None:
    await bus.jetstream("test").publish("dead.judge", b"x")
    letters = DeadLetters(bus)
    assert await letters.delete_before(now() - dt.timedelta(days=1)) == 0
    assert await letters.delete_before(now() + dt.timedelta(days=1)) == 1
    assert await letters.list(0, 10) == []
