"""The ranking stage: write the verdicts of a batch down, with the sums they add to, and let it be known that the run has moved."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from libra.ranking.settings import Settings
from libra.stage.bus import Outgoing
from libra.stage.errors import Reject
from libra.stage.policy import Policy
from libra.stage.runner import Stage
from libra.store.client import Store
from libra.v1.batch_pb2 import VerdictBatch


def stage(store: Store, moved: Callable[[str], None], settings: Settings) -> Stage[VerdictBatch]:
    """Return the stage. `moved` is told the id of a run that has new verdicts."""

    async def handle(batch: VerdictBatch) -> Sequence[Outgoing]:
        await record(batch, store, moved)
        return ()

    return Stage(
        name="ranking",
        decode=VerdictBatch.FromString,
        handle=handle,
        policy=Policy(slots=settings.slots),
        trials=lambda batch: (batch.header.model, len(batch.verdicts)),
    )


async def record(batch: VerdictBatch, store: Store, moved: Callable[[str], None]) -> None:
    """Write the batch; raise Reject if it can never be written. A trial that has its verdict keeps it."""
    try:
        new = await store.verdicts.write([batch])
    except ValueError as error:
        raise Reject(str(error)) from error
    if new:
        moved(batch.header.run)
