"""RoundService: open, close, list and publish rounds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import grpc.aio
import structlog

from libra.core.errors import FailedPrecondition, Invalid, NotFound
from libra.core.sealed.auditor_key import is_key
from libra.dispatch.remote_catalogues import RemoteCatalogues
from libra.dispatch.rounds.opening import RoundOpener
from libra.dispatch.rounds.releases import RoundReleases
from libra.dispatch.rounds.round_runs import find_round
from libra.dispatch.rounds.round_view import build_round_view
from libra.rpc import paging
from libra.rpc.peer import require_loopback
from libra.store.client import Store
from libra.store.rounds.rounds import CLOSED, OPENING, RoundRecord
from libra.store.runs import RUNNING, STOPPED
from libra.telemetry.log_actions import Action
from libra.v1 import round_pb2_grpc
from libra.v1.round_pb2 import (
    CloseRoundRequest,
    CloseRoundResponse,
    GetRoundCommitmentRequest,
    GetRoundCommitmentResponse,
    GetRoundReleaseRequest,
    GetRoundReleaseResponse,
    GetRoundRequest,
    GetRoundResponse,
    ListRoundsRequest,
    ListRoundsResponse,
    ListSealedLooksRequest,
    ListSealedLooksResponse,
    OpenRoundRequest,
    OpenRoundResponse,
    RevealSealedSampleRequest,
    RevealSealedSampleResponse,
    Round,
    SealedLook,
)
from libra.v1.run_pb2 import Run

log = structlog.get_logger(__name__)


class RoundService(round_pb2_grpc.RoundServiceServicer):
    """Serves rounds from the store."""

    def __init__(self, store: Store, catalogues: RemoteCatalogues) -> None:
        self._store, self._releases = store, RoundReleases(store)
        self._opener = RoundOpener(store, catalogues, self._releases)
        self._page_tokens = paging.PageTokens(store.load_page_token_key)
        self._opening_lock = asyncio.Lock()

    async def OpenRound(self, request: OpenRoundRequest, context: grpc.aio.ServicerContext) -> OpenRoundResponse:
        """Draw and seal the samples of a new round, and publish its commitment."""
        async with self._opening_lock:  # one at a time, to limit memory
            opened = await self._opener.open(request)
        record = opened.record
        log.info("a round was opened", action=Action.ROUND_OPENED, round=record.name, samples=record.samples)
        return OpenRoundResponse(
            round=await self._view(record),
            auditor_key=opened.auditor_key,
            commitment=record.commitment,
            warnings=opened.warnings,
        )

    async def CloseRound(self, request: CloseRoundRequest, context: grpc.aio.ServicerContext) -> CloseRoundResponse:
        """Close a round and publish its samples."""
        before = await self._published(request.name)
        # Closed first, then checked: a run that is created meanwhile either is seen here, or sees that the round is
        # closed and is cancelled.
        record = await self._store.rounds.close(request.name, release_anchors=request.release_anchors)
        running = [each.run.id for each in await self._store.runs.list_of_round(record.name) if _is_running(each.run)]
        if running:
            if before.state != CLOSED:
                await self._store.rounds.reopen(record.name)
            raise FailedPrecondition(
                f"the run {running[0]} of the round {record.name} is running; wait for its end or cancel it",
                field="name",
            )
        await self._releases.settle(record.name)
        if before.state != CLOSED:
            log.info("a round was closed", action=Action.ROUND_CLOSED, round=record.name)
        return CloseRoundResponse(round=await self._view(record))

    async def GetRound(self, request: GetRoundRequest, context: grpc.aio.ServicerContext) -> GetRoundResponse:
        """Return one round."""
        return GetRoundResponse(round=await self._view(await find_round(self._store, request.name, field="name")))

    async def ListRounds(self, request: ListRoundsRequest, context: grpc.aio.ServicerContext) -> ListRoundsResponse:
        """Return a page of rounds, the newest first."""
        size = paging.page_size(request.page_size, default=50, maximum=500)
        before = await self._page_tokens.decode(request.page_token, "rounds")
        records = await self._store.rounds.list(before=before, limit=size + 1)
        rounds = [await self._view(record) for record in records[:size]]
        token = await self._page_tokens.encode(records[size - 1].name, "rounds") if len(records) > size else ""
        return ListRoundsResponse(rounds=rounds, next_page_token=token)

    async def GetRoundCommitment(
        self, request: GetRoundCommitmentRequest, context: grpc.aio.ServicerContext
    ) -> GetRoundCommitmentResponse:
        """Return the commitment of a round."""
        return GetRoundCommitmentResponse(commitment=(await self._published(request.name)).commitment)

    async def GetRoundRelease(
        self, request: GetRoundReleaseRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[GetRoundReleaseResponse]:
        """Yield the release of a closed round in pieces."""
        record = await self._published(request.name)
        if record.state != CLOSED:
            raise FailedPrecondition(
                f"the round {record.name} is open and its samples are sealed; `libra round close` publishes them",
                field="name",
            )
        await self._releases.settle(record.name)  # completes a closing that was interrupted
        async for piece in self._releases.write(record):
            yield GetRoundReleaseResponse(data=piece)

    async def RevealSealedSample(
        self, request: RevealSealedSampleRequest, context: grpc.aio.ServicerContext
    ) -> RevealSealedSampleResponse:
        """Return the text of one sealed sample to an auditor, after recording the look."""
        peer = require_loopback(context, field="auditor_key")
        record = await self._published(request.round, field="round")
        if not is_key(request.auditor_key, record.key_hash):
            raise Invalid(f"it is not the auditor's key of the round {record.name}", field="auditor_key")
        names = [task.task for task in record.tasks]
        if request.task not in names:
            raise NotFound.named(f"task of the round {record.name}", request.task, names, field="task")
        ref = f"{request.task}@{record.name}"
        (sample,) = await self._store.tasks.get_samples(ref, [request.ordinal])
        subject = f"the sample {ref}/{request.ordinal}"
        await self._store.sealed_looks.add(SealedLook(round=record.name, peer=peer, subject=subject, count=1))
        return RevealSealedSampleResponse(sample=sample)

    async def ListSealedLooks(
        self, request: ListSealedLooksRequest, context: grpc.aio.ServicerContext
    ) -> ListSealedLooksResponse:
        """Return a page of the looks at the sealed samples of a round, the newest first."""
        await find_round(self._store, request.round, field="round")
        size, scope = paging.page_size(request.page_size, default=50, maximum=500), f"looks/{request.round}"
        before = await self._page_tokens.decode(request.page_token, scope)
        looks = await self._store.sealed_looks.list(request.round, before=before, limit=size + 1)
        token = await self._page_tokens.encode(looks[size - 1][0], scope) if len(looks) > size else ""
        return ListSealedLooksResponse(looks=[look for _, look in looks[:size]], next_page_token=token)

    async def _published(self, name: str, *, field: str = "name") -> RoundRecord:
        """Return a round that has a commitment."""
        record = await find_round(self._store, name, field=field)
        if record.state == OPENING:
            raise FailedPrecondition(f"the round {name} is being opened; try again", field=field)
        return record

    async def _view(self, record: RoundRecord) -> Round:
        return build_round_view(record, await self._store.round_samples.count_sealed(record.name))


def _is_running(run: Run) -> bool:
    """Return whether the run may still ask for samples; one that is paused or has used up its budget may be resumed."""
    return run.state in {RUNNING, *STOPPED}
