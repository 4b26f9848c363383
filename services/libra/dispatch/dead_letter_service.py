"""DeadLetterService: show what stages set aside, and send it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc.aio
from google.protobuf.json_format import MessageToJson
from google.protobuf.message import DecodeError, Message
from google.protobuf.timestamp_pb2 import Timestamp

from libra.bus.dead_letters import DeadLetterRecord, DeadLetters
from libra.errors import FailedPrecondition, Invalid, NotFound, unknown
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

READS: dict[str, type[Message]] = {
    "attack": TrialBatch,
    "gateway": TrialBatch,
    "judge": CompletionBatch,
    "ranking": VerdictBatch,
}
"""What each stage reads."""


class DeadLetterService(dead_letter_pb2_grpc.DeadLetterServiceServicer):
    """Reads the stream of dead letters; nothing else in dispatch does."""

    def __init__(self, bus: NatsBus) -> None:
        self._dead = DeadLetters(bus)

    async def ListDeadLetters(
        self, request: ListDeadLettersRequest, context: grpc.aio.ServicerContext
    ) -> ListDeadLettersResponse:
        """Return a page of dead letters, the oldest first."""
        size = paging.page_size(request.page_size, default=50, maximum=500)
        if request.stage and request.stage not in READS:
            raise Invalid(unknown("stage", request.stage, sorted(READS)), field="stage")
        scope = f"dead/{request.stage}"
        after = int(paging.decode(request.page_token, scope) or 0)
        found = await self._dead.list(after_seq=after, limit=size + 1, stage=request.stage)
        token = paging.encode(str(found[size - 1].seq), scope) if len(found) > size else ""
        return ListDeadLettersResponse(dead_letters=[shown(letter) for letter in found[:size]], next_page_token=token)

    async def GetDeadLetter(
        self, request: GetDeadLetterRequest, context: grpc.aio.ServicerContext
    ) -> GetDeadLetterResponse:
        """Return one dead letter with its bytes."""
        letter = await self._letter(request.id)
        whole = shown(letter)
        whole.data, whole.json = letter.data, as_json(letter)
        return GetDeadLetterResponse(dead_letter=whole)

    async def ReplayDeadLetter(
        self, request: ReplayDeadLetterRequest, context: grpc.aio.ServicerContext
    ) -> ReplayDeadLetterResponse:
        """Send one dead letter to its stage again."""
        letter = await self._letter(request.id)
        try:
            return ReplayDeadLetterResponse(subject=await self._dead.replay(request.id))
        except QueueFull:
            raise FailedPrecondition(
                f"the queue {letter.subject} is full; replay it when there is room", field="id"
            ) from None

    async def _letter(self, seq: int) -> DeadLetterRecord:
        letter = await self._dead.get(seq)
        if letter is None:
            raise NotFound(f"there is no dead letter {seq}; `libra dead list` shows those there are", field="id")
        return letter


def shown(letter: DeadLetterRecord) -> DeadLetter:
    """Return the dead letter without its bytes."""
    time = Timestamp()
    time.FromDatetime(letter.create_time)
    return DeadLetter(
        id=letter.seq,
        stage=letter.stage,
        reason=letter.reason,
        subject=letter.subject,
        key=letter.key,
        attempts=letter.attempts,
        create_time=time,
        size_bytes=len(letter.data),
    )


def as_json(letter: DeadLetterRecord) -> str:
    """Return the batch as JSON, or nothing if it cannot be decoded."""
    kind = READS.get(letter.stage)
    if kind is None:
        return ""
    try:
        return str(MessageToJson(kind.FromString(letter.data), preserving_proto_field_name=True))
    except (DecodeError, ValueError):
        return ""
