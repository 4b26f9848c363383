"""Ids of firings. They depend on nothing but the schedule and its time or event, so that each is stored once."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from libra.v1.model_pb2 import Model
from libra.v1.schedule_pb2 import Schedule

HASH_DIGITS = 32
"""With the ULID of the schedule, an id has at most 59 characters; the request_id of a run may have 64."""


def time_id(schedule: Schedule, time: datetime) -> str:
    """Return the id of the firing at a time of the cron expression."""
    return f"{schedule.id}-{time.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def model_id(schedule: Schedule, model: Model) -> str:
    """Return the id of the firing for a registration of a model."""
    return _hashed(schedule, f"model/{model.name}/{model.create_time.ToMilliseconds()}")


def trigger_id(schedule: Schedule, request_id: str) -> str:
    """Return the id of the firing for a call of TriggerSchedule."""
    return _hashed(schedule, f"trigger/{request_id}")


def _hashed(schedule: Schedule, event: str) -> str:
    return f"{schedule.id}-{hashlib.sha256(event.encode()).hexdigest()[:HASH_DIGITS]}"
