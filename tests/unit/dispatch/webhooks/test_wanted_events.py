"""A webhook gets the events that it asks for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from libra.core.access.team_scope import DEPLOYMENT, SHARED
from libra.core.event_types import RUN_CANCELLED, RUN_FINISHED
from libra.dispatch.webhooks.outbox import is_wanted
from libra.store.continuous.webhooks import Event
from libra.v1.webhook_pb2 import Webhook


def event(team: str = SHARED) -> Event:
    return Event(RUN_FINISHED, "runs/1", {}, datetime(2026, 1, 1, tzinfo=UTC), team)


@pytest.mark.parametrize(
    ("team", "told"),
    [("", {SHARED, "red", "blue", DEPLOYMENT}), ("red", {SHARED, "red"})],
)
def test_a_webhook_is_told_what_its_team_sees(team: str, told: set[str]) -> None:
    owners = (SHARED, "red", "blue", DEPLOYMENT)
    assert {owner for owner in owners if is_wanted(event(owner), Webhook(team=team))} == told


def test_a_webhook_is_told_the_types_that_it_names() -> None:
    assert is_wanted(event(), Webhook(event_types=[RUN_FINISHED]))
    assert not is_wanted(event(), Webhook(event_types=[RUN_CANCELLED]))
    assert not is_wanted(event(), Webhook(disable_reason="gone"))
