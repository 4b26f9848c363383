"""DeadLetterService: list, read and replay dead-lettered batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc.aio
from google.protobuf.json_format import MessageToJson
from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp

from libra.bus.dead_letters import DeadLetterRecord, DeadLetters
from libra.core.access import team_scope
from libra.core.access.team_scope import DEPLOYMENT, can_see
from libra.core.errors import FailedPrecondition, Invalid, NotFound, unknown
from libra.core.sealed.sealing import WITHHELD
from libra.rpc import paging
from libra.stage.bus import QueueFull
from libra.v1 import dead_letter_pb2_grpc
from libra.v1.batch_pb2 import CompletionBatch, TrialBatch, VerdictBatch
from libra.v1.dead_letter_pb2 import (
    DeadLetter,
    GetDeadLetterRequest,
    GetDeadLetterResponse,
    ListDeadLettersRequest,
    ListDeadLettersResponse,
    ReplayDeadLetterRequest,
    ReplayDeadLetterResponse,
)

if TYPE_CHECKING:
    from libra.bus.nats_bus import NatsBus
    from libra.store.rounds.seals import SealReader

DecodedBatch = TrialBatch | CompletionBatch | VerdictBatch

MESSAGE_TYPES: dict[str, type[DecodedBatch]] = {
    "attack": TrialBatch,
    "writing": TrialBatch,
    "gateway": TrialBatch,
    "judge": CompletionBatch,
    "ranking": VerdictBatch,
}
"""The type of the batches that each stage reads."""


MAX_SEARCHED = 5_000
"""Dead letters that one call reads: each is a request to NATS."""


class DeadLetterService(dead_letter_pb2_grpc.DeadLetterServiceServicer):
    """Serves the stream of dead letters."""

    def __init__(self, bus: NatsBus, page_tokens: paging.PageTokens, seals: SealReader) -> None:
        self._dead_letters, self._page_tokens, self._seals = DeadLetters(bus), page_tokens, seals

    async def ListDeadLetters(
        self, request: ListDeadLettersRequest, context: grpc.aio.ServicerContext
    ) -> ListDeadLettersResponse:
        """Return a page of dead letters, the oldest first."""
        size = paging.page_size(request.page_size, default=50, maximum=500)
        if request.stage and request.stage not in MESSAGE_TYPES:
            raise Invalid(unknown("stage", request.stage, sorted(MESSAGE_TYPES)), field="stage")
        scope = f"dead/{request.stage}"
        after = int(await self._page_tokens.decode(request.page_token, scope) or 0)
        records, more_after = await self._visible_page(after, size, request.stage)
        token = await self._page_tokens.encode(str(more_after), scope) if more_after else ""
        letters = [await self._summary(record) for record in records]
        return ListDeadLettersResponse(dead_letters=letters, next_page_token=token)

    async def GetDeadLetter(
        self, request: GetDeadLetterRequest, context: grpc.aio.ServicerContext
    ) -> GetDeadLetterResponse:
        """Return one dead letter with its batch, as bytes and as JSON."""
        record = await self._record(request.id)
        letter = await self._summary(record)
        if not letter.sealed:
            letter.data, letter.json = record.data, decode_to_json(record)
        return GetDeadLetterResponse(dead_letter=letter)

    async def ReplayDeadLetter(
        self, request: ReplayDeadLetterRequest, context: grpc.aio.ServicerContext
    ) -> ReplayDeadLetterResponse:
        """Send the batch to its stage again."""
        record = await self._record(request.id)
        team_scope.require_change(owner_of(record), f"the dead letter {request.id}")
        try:
            return ReplayDeadLetterResponse(subject=await self._dead_letters.replay(request.id))
        except QueueFull:
            raise FailedPrecondition(
                f"the queue {record.subject} is full; replay the dead letter later", field="id"
            ) from None

    async def _visible_page(self, after: int, size: int, stage: str) -> tuple[list[DeadLetterRecord], int]:
        """Return up to `size` dead letters that the caller sees, and where the list goes on; 0 at its end.

        A page that had to pass over many letters of others may be short.
        """
        found, searched = list[DeadLetterRecord](), 0
        while searched < MAX_SEARCHED:
            records = await self._dead_letters.list(after_seq=after, limit=size + 1, stage=stage)
            for record in records:
                if not can_see(owner_of(record)):
                    continue
                if len(found) == size:
                    return found, found[-1].seq
                found.append(record)
            if len(records) <= size:
                return found, 0
            after, searched = records[-1].seq, searched + len(records)
        return found, after

    async def _summary(self, record: DeadLetterRecord) -> DeadLetter:
        """Return the dead letter without its batch, and without a reason that may quote a sealed sample."""
        letter, batch = to_summary(record), decode(record)
        letter.sealed = await self._is_sealed(batch)
        # The stage withheld the text itself if the samples were sealed at that time.
        if letter.sealed and not (batch and batch.header.sealed):
            letter.reason = WITHHELD
        return letter

    async def _is_sealed(self, batch: DecodedBatch | None) -> bool:
        """Return whether a batch has sealed samples, or cannot be decoded and may have some."""
        if batch is None:
            return await self._seals.has_rounds()
        return bool((await self._seals.find_sealed({batch.header.task: ordinals(batch)})).get(batch.header.task))

    async def _record(self, seq: int) -> DeadLetterRecord:
        record = await self._dead_letters.get(seq)
        if record is None or not can_see(owner_of(record)):
            raise NotFound(f"there is no dead letter {seq}; `libra dead list` lists them", field="id")
        return record


def to_summary(record: DeadLetterRecord) -> DeadLetter:
    """Return the dead letter without its batch."""
    create_time = Timestamp()
    create_time.FromDatetime(record.create_time)
    return DeadLetter(
        id=record.seq,
        stage=record.stage,
        reason=record.reason,
        subject=record.subject,
        key=record.key,
        attempts=record.attempts,
        create_time=create_time,
        size_bytes=len(record.data),
    )


def decode(record: DeadLetterRecord) -> DecodedBatch | None:
    """Return the batch of a dead letter; None if it cannot be decoded."""
    message_type = MESSAGE_TYPES.get(record.stage)
    try:
        return message_type.FromString(record.data) if message_type else None
    except DecodeError:
        return None


def owner_of(record: DeadLetterRecord) -> str:
    """Return the team that owns the run of a dead letter; a letter that names no run is shown to no team."""
    batch = decode(record)
    return batch.header.team if batch and batch.header.run else DEPLOYMENT


def ordinals(batch: DecodedBatch) -> list[int]:
    """Return the ordinals of the samples of a batch."""
    match batch:
        case VerdictBatch():
            return [verdict.sample for verdict in batch.verdicts]
        case CompletionBatch():
            return [completed.trial.sample for completed in batch.trials]
        case _:
            return [trial.sample for trial in batch.trials]


def decode_to_json(record: DeadLetterRecord) -> str:
    """Return the batch as JSON, or "" if it cannot be decoded."""
    batch = decode(record)
    try:
        return str(MessageToJson(batch, preserving_proto_field_name=True)) if batch else ""
    except ValueError:
        return ""
