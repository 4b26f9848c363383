"""Judge labelled answers, and pair each verdict with its human label."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from libra.core.errors import Invalid
from libra.judge.judge_type import JudgeModelClient
from libra.judge.options import HASH_DIGITS
from libra.judge.scoring import verdicts
from libra.v1.batch_pb2 import CompletedTrial, Trial
from libra.v1.completion_pb2 import FINISH_REASON_STOP, Completion
from libra.v1.judge_pb2 import LabelledAnswer
from libra.v1.task_pb2 import JudgeSpec
from libra.v1.verdict_pb2 import OUTCOME_UNJUDGED, Verdict

MAX_ANSWERS = 10_000

CHUNK_SIZE = 256
"""Answers that are judged at once: four requests to the gateway."""

POSITIVE_THRESHOLD = 0.5
"""A score of at least this counts as the label 1, a lower score as the label 0."""

POSITIVE, NEGATIVE, UNDECIDED = "1", "0", "-"


@dataclass(frozen=True, slots=True)
class LabelledVerdict:
    """The verdict on an answer, with its human label."""

    place: int
    """Index of the answer in the request."""

    positive: bool
    """The human label."""

    verdict: Verdict

    @property
    def is_judged(self) -> bool:
        """Whether the judge could tell."""
        return self.verdict.outcome != OUTCOME_UNJUDGED

    @property
    def is_judged_positive(self) -> bool:
        """Whether the judge calls the answer positive."""
        return self.is_judged and self.verdict.score >= POSITIVE_THRESHOLD

    @property
    def agrees(self) -> bool:
        """Whether the judge could tell and agrees with the human label."""
        return self.is_judged and self.is_judged_positive == self.positive

    @property
    def decision(self) -> str:
        """The judge's label as a character: "1", "0", or "-" if it could not tell."""
        if not self.is_judged:
            return UNDECIDED
        return POSITIVE if self.is_judged_positive else NEGATIVE


async def judge_labelled(
    spec: JudgeSpec, answers: Sequence[LabelledAnswer], model_client: JudgeModelClient
) -> list[LabelledVerdict]:
    """Return the verdict on every answer. Answers are judged in chunks, so that a judge model is not flooded.

    Raises:
        Invalid: there are no answers, or too many.
        Unavailable: a judge model cannot be reached now.
    """
    if not 1 <= len(answers) <= MAX_ANSWERS:
        raise Invalid(f"there are {len(answers):,} answers; give from 1 to {MAX_ANSWERS:,}", field="answers")
    found: list[Verdict] = []
    for start in range(0, len(answers), CHUNK_SIZE):
        chunk = [_trial(answer) for answer in answers[start : start + CHUNK_SIZE]]
        found += await verdicts(spec, chunk, model_client)
        await asyncio.sleep(0)  # A rule never waits, so without this the event loop would be blocked for all answers.
    return [LabelledVerdict(place, answers[place].positive, verdict) for place, verdict in enumerate(found)]


def labels_hash_of(answers: Sequence[LabelledAnswer]) -> str:
    """Return the first 12 hex digits of the SHA-256 of the labelled answers, in order."""
    digest = hashlib.sha256()
    for answer in answers:
        data = answer.SerializeToString(deterministic=True)
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:HASH_DIGITS]


def _trial(answer: LabelledAnswer) -> CompletedTrial:
    return CompletedTrial(
        trial=Trial(messages=answer.messages, fields=answer.fields),
        completion=Completion(text=answer.text, finish_reason=FINISH_REASON_STOP),
    )
