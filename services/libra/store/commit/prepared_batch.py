"""Converts a batch of verdicts to documents, and rejects a batch that can never be written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from libra.store.documents import trial_ids
from libra.store.documents.create_time import now
from libra.store.documents.proto_documents import Document, to_document
from libra.store.sums.cell_sums import COUNT_FIELDS
from libra.v1.batch_pb2 import BatchHeader, JudgeUsage, VerdictBatch
from libra.v1.verdict_pb2 import Verdict

BYTES_PER_WEIGHT = 16 * 1024
"""A batch weighs one verdict more for each 16 KiB: a group is about 8 MiB, or one batch."""

FIELDS_STORED_ELSEWHERE = frozenset(
    {"id", "run", "judging", "model", "task", "attack", "sample", "epoch", "messages", "completion"}
)
"""Fields that the document of a verdict does not repeat: they are in its id, or in the completion."""


@dataclass(frozen=True, slots=True)
class PreparedBatch:
    """A batch as documents, and the cell to which they add."""

    cell: Document
    """run, judging, model, task, attack and category."""

    verdicts: Sequence[Document]
    is_balanced: bool
    """Whether the score of the task is balanced over its gold labels."""

    weight: int
    """Weight of the batch in the limit of a group: the number of its verdicts, and more if they are long."""

    judge_usage: Sequence[JudgeUsage] = ()
    judged_trials: int = 0
    """The trials that `judge_usage` is for."""


def prepare_batch(batch: VerdictBatch) -> PreparedBatch:
    """Return the batch as documents.

    Raises ValueError for a header that names no trial, a verdict without an outcome, or a score outside [0, 1].
    """
    header = batch.header
    _check_header(header)
    create_time = now()
    cell = {name: getattr(header, name) for name in ("run", "judging", "model", "task", "attack", "category")}
    documents = []
    for verdict in batch.verdicts:
        _check_verdict(header, verdict)
        fields = {name: value for name, value in to_document(verdict).items() if name not in FIELDS_STORED_ELSEWHERE}
        documents.append(
            {
                "_id": _verdict_id(header, verdict.sample, verdict.epoch),
                **fields,
                "category": header.category,
                "create_time": create_time,
            }
        )
    weight = len(documents) + batch.ByteSize() // BYTES_PER_WEIGHT
    return PreparedBatch(
        cell, documents, bool(header.balanced_by), weight, tuple(batch.judge_usage), batch.judged_trials
    )


def _check_header(header: BatchHeader) -> None:
    """Raise ValueError for a part of a trial's id that would make it the id of another trial."""
    for part in ("run", "model", "task", "attack"):
        value = getattr(header, part)
        if not value or "/" in value:
            raise ValueError(f"the batch's {part} is {value!r}: it must not be empty or contain a '/'")


def _check_verdict(header: BatchHeader, verdict: Verdict) -> None:
    if verdict.outcome not in COUNT_FIELDS:
        raise ValueError(f"the verdict on sample {verdict.sample} of {header.task} has no outcome")
    if not 0 <= verdict.score <= 1:
        raise ValueError(f"the verdict on sample {verdict.sample} of {header.task} has the score {verdict.score}")


def _verdict_id(header: BatchHeader, sample: int, epoch: int) -> str:
    return trial_ids.verdict_id(header.run, header.judging, header.model, header.task, header.attack, sample, epoch)
