"""Make a task of a card and its samples, under a version that stands for all that they say."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict

from libra.dispatch.tasks.card import Card
from libra.v1.task_pb2 import JudgeSpec, Sample, Task

VERSION_DIGITS = 12


def to_task(card: Card, samples: Sequence[Sample]) -> Task:
    """Return the task; its create_time is the store's to set."""
    return Task(
        name=card.name,
        version=version(card, samples),
        category=card.category,
        risk=card.risk,
        languages=card.languages,
        licence=card.licence,
        description=card.description,
        judge=JudgeSpec(name=card.judge, options=card.options),
        metric=card.metric,
        sample_count=len(samples),
        source=card.source,
    )


def version(card: Card, samples: Sequence[Sample]) -> str:
    """Return the first 12 hex digits of the SHA-256 of what the card says and of all samples, in their order.

    How a file is written does not matter: the order of keys, blanks, escapes and comments. What it says does.
    """
    digest = hashlib.sha256(canonical(asdict(card)))
    for sample in samples:
        messages = [[message.role, message.content] for message in sample.messages]
        digest.update(canonical([sample.id, messages, dict(sample.fields)]))
    return digest.hexdigest()[:VERSION_DIGITS]


def canonical(value: object) -> bytes:
    """Return the one way to write the value down: JSON with sorted keys, in ASCII, on a line."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode() + b"\n"
