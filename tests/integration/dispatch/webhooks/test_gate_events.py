"""A release that a gate stops is delivered to webhooks."""

from __future__ import annotations

import json

from tests.integration.support.ranking_world import finished_run

from libra.ranking.gate_service import GateService
from libra.v1.gate_pb2 import (
    GATE_DECISION_GO,
    GATE_DECISION_NO_GO,
    CheckGateRequest,
    GateCondition,
    GatePolicy,
    GateRule,
)

from .receiver import receiving
from .test_delivery import World
from .test_delivery import world as world  # noqa: PLC0414 - a fixture


async def test_a_stopped_release_is_delivered_once_however_often_the_gate_is_asked(world: World) -> None:
    store = world.store
    await finished_run(store, "harm@1", [1.0] * 50 + [0.0] * 50)
    rule = GateRule(score="safety", condition=GateCondition.GATE_CONDITION_AT_LEAST, limit=0.8)
    kept = GateRule(score="safety", condition=GateCondition.GATE_CONDITION_AT_LEAST, limit=0.2)
    gates = GateService(store)

    async def check(*rules: GateRule) -> int:
        request = CheckGateRequest(policy=GatePolicy(name="release", rules=rules), model="one")
        return (await gates.CheckGate(request, None)).decision

    async with receiving() as receiver, world.working():
        await world.create(receiver, event_types=["libra.gate.failed"])
        assert await check(kept) == GATE_DECISION_GO
        assert [await check(rule) for _ in range(3)] == [GATE_DECISION_NO_GO] * 3
        await world.until_settled()
        await finished_run(store, "harm@1", [1.0] * 40 + [0.0] * 60)
        assert await check(rule) == GATE_DECISION_NO_GO
        await receiver.wait_for(2)
        await world.until_settled()
    assert len(receiver.received) == 2
    body = json.loads(receiver.received[0].body)
    assert (body["type"], body["data"]["policy"], body["data"]["model"]) == ("libra.gate.failed", "release", "one")
    assert body["data"]["breaches"] == [
        {"score": "safety", "condition": "at_least", "limit": 0.8, "tier": "block", "parts": ["safety"]}
    ]
