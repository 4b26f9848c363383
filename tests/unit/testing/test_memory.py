from __future__ import annotations

import asyncio

import pytest

from libra.core.errors import Unavailable
from libra.store.commit.transaction import CellIncrement, WriteConflict
from libra.testing.memory import MemoryServer, MemoryStore, StoreFaults
from libra.testing.memory.transaction import transaction_factory
from libra.testing.memory.transport import MemoryClient, direct
from libra.testing.virtual_time import simulate
from libra.v1.batch_pb2 import BatchHeader, VerdictBatch
from libra.v1.task_pb2 import Category
from libra.v1.verdict_pb2 import Outcome, Verdict

CELL = {"run": "r", "judging": 0, "model": "m", "task": "t@1", "attack": "none", "category": 1}


def batch_of(sample: int) -> VerdictBatch:
    header = BatchHeader(run="r", model="m", task="t@1", attack="none", category=Category.CATEGORY_CAPABILITY)
    return VerdictBatch(header=header, verdicts=[Verdict(sample=sample, outcome=Outcome.OUTCOME_SCORED, score=1)])


def sums() -> CellIncrement:
    added = CellIncrement(CELL)
    added.sums.add(Outcome.OUTCOME_SCORED, 1.0)
    return added


@pytest.mark.parametrize(("faults", "written"), [(StoreFaults(lost_requests=1), 0), (StoreFaults(lost_responses=1), 1)])
def test_a_lost_request_changes_nothing_and_a_lost_answer_does(faults: StoreFaults, written: int) -> None:
    server = MemoryServer(faults=faults)
    with pytest.raises(Unavailable):
        simulate(MemoryStore(server).runs.acquire_lease("nobody", "me", 1))
    server.models["m"] = {"_id": "m", "name": "m"}
    with pytest.raises(Unavailable):
        simulate(MemoryStore(server).models.delete("m"))
    assert ("m" not in server.models) == bool(written)


def test_a_server_that_is_down_serves_no_request_and_keeps_its_data() -> None:
    server = MemoryServer()
    store = MemoryStore(server)

    async def scenario() -> None:
        await store.verdicts.write([batch_of(1)])
        server.down = True
        with pytest.raises(Unavailable):
            await store.ping()
        server.down = False
        assert await store.verdicts.list_completed_trials("r", 0, "m", "t@1", "none") == {(1, 0)}

    simulate(scenario())


def test_of_two_transactions_on_one_verdict_or_bucket_the_second_conflicts_and_writes_nothing() -> None:
    server = MemoryServer()

    async def write(sample: str, bucket: int, wait_seconds: float) -> None:
        async with transaction_factory(MemoryClient(server, direct), bucket)() as transaction:
            assert await transaction.find_existing(["a", "b"]) == set()
            await asyncio.sleep(wait_seconds)
            await transaction.write([{"_id": sample, "outcome": Outcome.OUTCOME_SCORED, "score": 1.0}], [sums()])

    async def scenario() -> None:
        first, same, shared = await asyncio.gather(
            write("a", 0, 1.0), write("a", 1, 2.0), write("b", 0, 3.0), return_exceptions=True
        )
        assert first is None
        assert isinstance(same, WriteConflict)
        assert isinstance(shared, WriteConflict)

    simulate(scenario())
    assert set(server.verdicts) == {"a"}
    assert [cell["scored"] for cell in server.cells.values()] == [1]


def test_a_transaction_reads_one_snapshot() -> None:
    server = MemoryServer()

    async def scenario() -> None:
        async with transaction_factory(MemoryClient(server, direct), 0)() as transaction:
            assert await transaction.find_existing(["x"]) == set()
            await MemoryStore(server, bucket=1).verdicts.write([batch_of(1)])
            [name] = server.verdicts
            assert await transaction.find_existing([name]) == set()

    simulate(scenario())


def test_all_writers_that_share_a_bucket_succeed() -> None:
    server = MemoryServer()

    async def scenario() -> int:
        stores = [MemoryStore(server, bucket=3) for _ in range(4)]
        return sum(await asyncio.gather(*(store.verdicts.write([batch_of(n)]) for store in stores for n in range(9))))

    assert simulate(scenario()) == 9
    [cell] = server.cells.values()
    assert cell["scored"] == cell["sum"] == 9
