"""Says in words what the gateways know of a model."""

from __future__ import annotations

import time

from google.protobuf.timestamp_pb2 import Timestamp

from libra.cli.render.format import duration
from libra.v1.model_pb2 import MODEL_STATE_PARKED, MODEL_STATE_UNUSABLE, ModelHealth
from libra.v1.run_pb2 import Run

PARKED, UNUSABLE, READY = "parked", "unusable", "ready"


def is_parked(health: ModelHealth) -> bool:
    """Return whether the model gets no requests but probes."""
    return health.state == MODEL_STATE_PARKED


def state_word(health: ModelHealth) -> str:
    """Return the state in one word; a model that no gateway has reported about is ready."""
    return {MODEL_STATE_PARKED: PARKED, MODEL_STATE_UNUSABLE: UNUSABLE}.get(health.state, READY)


def state_sentence(health: ModelHealth) -> str:
    """Return the state with the reason and, for a parked model, what happens when."""
    if is_parked(health):
        return f"parked: {health.error} ({', '.join(park_times(health))})"
    return f"unusable: {health.error}" if health.state == MODEL_STATE_UNUSABLE else READY


def park_times(health: ModelHealth) -> list[str]:
    """Return since when a model is parked, when it is asked again, and when its trials fail."""
    now = time.time()
    since, probe, give_up = (_seconds(at) - now for at in (health.park_time, health.probe_time, health.give_up_time))
    parts = [f"for {duration(max(0.0, -since))}"]
    is_waiting = not health.HasField("give_up_time")
    if give_up > 0 or is_waiting:
        parts.append(f"asked again in {duration(probe)}" if probe > 0 else "being asked again")
        parts.append("its trials wait" if is_waiting else f"its trials fail in {duration(give_up)}")
    else:
        parts.append("its trials fail now")
    return parts


def last_error(health: ModelHealth) -> str:
    """Return the last error with the number of errors in the last ten minutes; empty if there was none."""
    if not health.errors or not health.error:
        return ""
    times = "once" if health.errors == 1 else f"{health.errors:,} times"
    return f"{health.error} ({times} in 10 min)"


def parked_models(run: Run) -> list[str]:
    """Return the names of the run's models that are parked."""
    return [each.model for each in run.models if is_parked(each.health)]


def parked_mark(run: Run) -> str:
    """Return a short mark for a run that waits for parked models, for instance "1 model parked"; else nothing."""
    count = len(parked_models(run))
    return f"{count} {'model' if count == 1 else 'models'} parked" if count else ""


def _seconds(timestamp: Timestamp) -> float:
    return float(timestamp.ToNanoseconds() / 1e9)
