"""The rate of requests follows the provider and never exceeds the limit."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from prometheus_client import CollectorRegistry

from libra.gateway.components import Components
from libra.store.client import Store
from libra.telemetry.metrics import Metrics
from libra.testing.scripted_provider import refuses, says

from .endpoint import FAST, KEY, STOP, YES, Endpoint, ask, model_of


@pytest.mark.parametrize("written", ["seconds", "date"])
async def test_retry_after_holds_for_the_whole_model(store: Store, endpoint: Endpoint, written: str) -> None:
    components = Components.create(
        store, Metrics(CollectorRegistry()), replace(FAST, retry_budget_seconds=10.0), {"TEST_API_KEY": KEY}
    )
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    endpoint.play(refuses(429, headers={"Retry-After": {"seconds": "1", "date": later}[written]}), YES)
    completions = await ask(components, model_of(endpoint, max_in_flight=1), "a", "b", "c")
    assert {each.finish_reason for each in completions} == {STOP}
    assert endpoint.arrivals[1] - endpoint.arrivals[0] >= 1.0
    await components.close(0)


@pytest.mark.alone
async def test_requests_in_flight_are_close_to_the_limit_and_never_above(
    components: Components, endpoint: Endpoint
) -> None:
    endpoint.play(says("yes", after_seconds=0.05))
    started = time.monotonic()
    model = model_of(endpoint, max_in_flight=20)
    await asyncio.gather(*(ask(components, model, *(f"{batch}/{n}" for n in range(50))) for batch in range(8)))
    assert endpoint.provider.max_in_flight == 20
    assert time.monotonic() - started < 2.5  # 400 requests of 0.05 s, 20 at a time, take 1 s
