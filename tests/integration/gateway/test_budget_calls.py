"""Calls of judges and attacks are paid by the budget of their run."""

from __future__ import annotations

import pytest

from libra.core.errors import Unavailable
from libra.core.spending.budget_ledger import Ledger, amount
from libra.rpc.client import call
from libra.store.client import Store
from libra.v1.gateway_pb2 import CompleteRequest

from .test_service import World, conversation
from .test_service import world as world  # noqa: PLC0414 - a fixture

RUN = "01JZ0000000000000000000000"


async def test_a_call_beyond_the_budget_is_refused_and_a_stored_answer_costs_nothing(
    world: World,
    store: Store,
) -> None:
    await store.budgets.add(RUN, Ledger(amount(requests=2)))
    request = CompleteRequest(model="open", conversations=[conversation("a"), conversation("b")], budget_run=RUN)
    await call(world.stub.Complete, request, 20)
    await call(world.stub.Complete, request, 20)
    beyond = CompleteRequest(model="open", conversations=[conversation("c")], budget_run=RUN)
    with pytest.raises(Unavailable, match="used up"):
        await call(world.stub.Complete, beyond, 20)
    assert sorted(world.asked) == ["a", "b"]
    ledger = await store.budgets.get(RUN)
    assert ledger is not None
    assert (ledger.settled, ledger.exhausted) == (amount(tokens=30, requests=2), True)
    free = CompleteRequest(model="open", conversations=[conversation("c")])
    await call(world.stub.Complete, free, 20)
    assert sorted(world.asked) == ["a", "b", "c"]
