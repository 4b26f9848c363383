"""Keep the text of sealed samples inside: what is shown of them, and what a process may write about them.

A sample of a round is sealed until it is published. Its text leaves the store only for models and judges. Two rules
follow, and both are applied here:

- a reply about a sealed sample passes `redact_verdict` or `redact_sample`, which keep a list of harmless fields and
  drop the rest;
- work on a batch of sealed samples, and every call that it makes, runs in a context for which `is_sealed` is true.
  Logs, traces, dead letters and the health of models then carry no text that comes from outside.
"""

from __future__ import annotations

from contextvars import ContextVar

from libra.core.response_names import VERDICT_FIELDS
from libra.v1.task_pb2 import Sample
from libra.v1.verdict_pb2 import Verdict

WITHHELD = "(withheld: it may quote a sealed sample)"
"""This stands in place of a withheld text."""

_SEALED: ContextVar[bool] = ContextVar("libra_sealed", default=False)


def enter(*, sealed: bool) -> None:
    """Set for the rest of this task, and for all tasks that it starts, whether it works on sealed samples."""
    _SEALED.set(sealed)


def is_sealed() -> bool:
    """Return whether the current task works on sealed samples."""
    return _SEALED.get()


def describe_error(error: BaseException) -> str:
    """Return the type and the text of an error; for sealed samples only the type."""
    return type(error).__name__ if is_sealed() else f"{type(error).__name__}: {error}"


def withhold(text: str) -> str:
    """Return the text; for sealed samples only that there is one."""
    return WITHHELD if text and is_sealed() else text


def redact_verdict(verdict: Verdict) -> Verdict:
    """Return the verdict with its score and its label, and without anything that may quote the sample."""
    shown = Verdict(
        id=verdict.id,
        run=verdict.run,
        judging=verdict.judging,
        model=verdict.model,
        task=verdict.task,
        attack=verdict.attack,
        sample=verdict.sample,
        epoch=verdict.epoch,
        outcome=verdict.outcome,
        score=verdict.score,
        label=verdict.label,
        category=verdict.category,
        fields={name: value for name, value in verdict.fields.items() if name in VERDICT_FIELDS},
        sealed=True,
    )
    shown.judge.CopyFrom(verdict.judge)
    shown.create_time.CopyFrom(verdict.create_time)
    return shown


def redact_sample(sample: Sample) -> Sample:
    """Return the sample with nothing but its ordinal."""
    return Sample(ordinal=sample.ordinal, sealed=True)
