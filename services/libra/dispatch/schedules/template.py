"""The template of a schedule: a spec in which "{model}" stands for the model of the event."""

from __future__ import annotations

from libra.v1.run_pb2 import CreateRunRequest, RunSpec
from libra.v1.schedule_pb2 import Firing, Schedule

MODEL = "{model}"
"""No model can have this name."""


def has_placeholder(template: RunSpec) -> bool:
    """Return whether a run from the template needs the model of an event."""
    return MODEL in template.models


def fill(template: RunSpec, model: str, name: str) -> RunSpec:
    """Return the spec of a run: with `model` for the placeholder, and with a name."""
    spec = RunSpec()
    spec.CopyFrom(template)
    spec.models[:] = [model if each == MODEL else each for each in template.models]
    spec.name = template.name or name
    return spec


def run_request(schedule: Schedule, firing: Firing) -> CreateRunRequest:
    """Return the request that creates the run of a firing; it is the same each time, so that a repeat is harmless."""
    return CreateRunRequest(spec=fill(schedule.template, firing.model, schedule.name), request_id=firing.id)
