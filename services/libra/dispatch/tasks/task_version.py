"""Build a task from a card and its samples, with a version that identifies their content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict

from libra.dispatch.tasks.card import Card
from libra.v1.task_pb2 import JudgeSpec, Sample, Task

VERSION_DIGITS = 12

LATER_KEYS = ("balanced_by", "caveat", "tags")
"""Keys of a card that its version contains only if they are set: the versions of other cards stay as they were."""


def to_task(card: Card, samples: Iterable[Sample]) -> Task:
    """Return the task of samples, each of which is read once; the store sets the create_time."""
    task = describe(card)
    task.version, task.sample_count = _hash(card, samples)
    return task


def set_owner(task: Task, team: str) -> None:
    """Make a team the owner of a task, which gets a version of its own: teams with the same content do not meet."""
    if team:
        task.team = team
        task.version = hashlib.sha256(canonical([team, task.version])).hexdigest()[:VERSION_DIGITS]


def describe(card: Card) -> Task:
    """Return a task with all that the card says, and without samples or a version."""
    return Task(
        name=card.name,
        category=card.category,
        risk=card.risk,
        languages=card.languages,
        licence=card.licence,
        description=card.description,
        judge=JudgeSpec(name=card.judge, options=card.options),
        metric=card.metric,
        source=card.source,
        balanced_by=card.balanced_by,
        caveat=card.caveat,
        tags=card.tags,
    )


def version(card: Card, samples: Iterable[Sample]) -> str:
    """Return the first 12 hex digits of the SHA-256 of the card's content and of all samples, in their order.

    The form of the files does not matter: the order of keys, whitespace, escapes and comments.
    """
    return _hash(card, samples)[0]


def _hash(card: Card, samples: Iterable[Sample]) -> tuple[str, int]:
    """Return the version and the number of samples."""
    content = {key: value for key, value in asdict(card).items() if value or key not in LATER_KEYS}
    digest, count = hashlib.sha256(canonical(content)), 0
    for sample in samples:
        count += 1
        messages = [[message.role, message.content] for message in sample.messages]
        digest.update(canonical([sample.id, messages, dict(sample.fields)]))
    return digest.hexdigest()[:VERSION_DIGITS], count


def canonical(value: object) -> bytes:
    """Return the canonical form of the value: JSON with sorted keys, in ASCII, on one line."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode() + b"\n"
