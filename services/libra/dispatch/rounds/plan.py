"""Plan the draw of a round: pure functions of the seed, the pools and the samples that the last round reserved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from libra.commitment.commitment import TaskDraw
from libra.commitment.sample_draw import CARRIED, FRESH, ORDER, RESERVED, anchor_count, draw, rank, to_ranges
from libra.core.errors import Invalid
from libra.dispatch.spec.registry import task_reference
from libra.store.rounds.round_samples import RoundSample
from libra.v1.task_pb2 import Task


@dataclass(frozen=True, slots=True)
class TaskPool:
    """The samples that a round can draw from one task."""

    task: Task
    eligible: Sequence[int]
    """The ordinals of distinct samples that no round has drawn, ascending."""

    candidates: Sequence[RoundSample]
    """The samples that the last round reserved as anchors."""


@dataclass(frozen=True, slots=True)
class PlannedSample:
    """A sample of the new round."""

    source: str
    """The version with its text: the task's own, or that of the last round."""

    ordinal: int
    """Its ordinal there."""

    anchor: RoundSample | None
    """The same sample in the last round, if it is an anchor."""

    reserved: bool


@dataclass(frozen=True, slots=True)
class TaskPlan:
    """The draw of one task: what is committed to, and the samples in the order of the round."""

    draw: TaskDraw
    samples: Sequence[PlannedSample]


def plan_task(seed: bytes, pool: TaskPool, samples: int, share: float) -> TaskPlan:
    """Return the draw of `samples` samples of a task; raise Invalid if the pool is too small."""
    name, source = pool.task.name, task_reference(pool.task)
    wanted = anchor_count(share, samples)
    carried = draw(seed, CARRIED, name, range(len(pool.candidates)), wanted)
    anchors = [pool.candidates[place] for place in carried]
    fresh_count = samples - len(anchors)
    if len(pool.eligible) < fresh_count:
        raise Invalid(too_few(pool, fresh_count, samples), field="samples_per_task")
    fresh = draw(seed, FRESH, name, pool.eligible, fresh_count)
    reserved = set(draw(seed, RESERVED, name, fresh, min(wanted, fresh_count)))
    planned = [PlannedSample(source, ordinal, None, ordinal in reserved) for ordinal in fresh]
    planned += [PlannedSample(f"{name}@{each.round}", each.ordinal, each, reserved=False) for each in anchors]
    places = sorted(range(len(planned)), key=lambda place: rank(seed, ORDER, name, place))
    committed = TaskDraw(name, source, samples, len(anchors), to_ranges(pool.eligible), len(reserved))
    return TaskPlan(committed, [planned[place] for place in places])


def too_few(pool: TaskPool, fresh_count: int, samples: int) -> str:
    """Return the message for a task that has not enough samples."""
    name, count = pool.task.name, pool.task.sample_count
    left = len(pool.eligible)
    if left == count:
        return f"the task {name} has {count:,} samples, fewer than the {samples:,} of the round; draw fewer"
    return (
        f"the task {name} has {count:,} samples, of which {left:,} are distinct and were in no round before, fewer "
        f"than the {fresh_count:,} fresh ones of this round; draw fewer, or import a version with more samples"
    )


def anchor_warnings(plans: Sequence[TaskPlan], share: float, follows: str) -> list[str]:
    """Return a sentence for each task with fewer anchors than the share asks for."""
    if not share or not follows:
        return []
    return [
        f"{plan.draw.task} has {plan.draw.anchors} anchors rather than {wanted}: the round {follows} reserved no more"
        for plan in plans
        if plan.draw.anchors < (wanted := anchor_count(share, plan.draw.samples))
    ]
