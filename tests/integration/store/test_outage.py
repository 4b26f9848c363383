"""MongoDB stops, hangs, is killed and returns: the store raises Unavailable, then works again."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from libra.core.errors import Unavailable
from libra.core.settings import BadSettings
from libra.local.servers import MongoServer, free_port
from libra.store.client import Store, StoreSettings
from libra.v1.batch_pb2 import BatchHeader, VerdictBatch
from libra.v1.completion_pb2 import Completion
from libra.v1.model_pb2 import Model
from libra.v1.verdict_pb2 import Outcome, Verdict

SHORT_TIMEOUTS = StoreSettings(
    server_selection_milliseconds=700, connect_milliseconds=500, socket_milliseconds=500, majority_milliseconds=500
)
RUN = "01JZ0000000000000000000000"


def batch(start: int, count: int = 64) -> VerdictBatch:
    header = BatchHeader(run=RUN, model="one", task="odd@aa", attack="none")
    verdicts = [Verdict(sample=start + n, outcome=Outcome.OUTCOME_SCORED, score=0.5) for n in range(count)]
    return VerdictBatch(header=header, verdicts=verdicts)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MongoServer]:
    started = MongoServer.start(tmp_path)
    yield started
    started.kill()


@pytest.fixture
def restart(server: MongoServer) -> Iterator[Callable[[], None]]:
    """Start the killed server again in the same folder and on the same port."""
    started: list[MongoServer] = []
    yield lambda: started.append(MongoServer.start(server.folder, port=server.port))
    for again in started:
        again.kill()


@pytest.fixture
async def store(server: MongoServer) -> AsyncIterator[Store]:
    first = Store.connect(server.url)  # on a busy machine creating the indexes takes longer than SHORT_TIMEOUTS allows
    await first.ensure_indexes()
    await first.close()
    opened = Store.connect(server.url, settings=SHORT_TIMEOUTS)
    yield opened
    await opened.close()


def hang(server: MongoServer) -> None:
    """Stop the process and wait until it is stopped: the signal returns before its last thread stops."""
    server.process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, server.process.pid, os.WSTOPPED)


async def wait_until_it_works(store: Store) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                return await store.ping()
            except Unavailable:
                await asyncio.sleep(0.1)


async def test_a_killed_server_is_unavailable_until_it_is_back(
    store: Store, server: MongoServer, restart: Callable[[], None]
) -> None:
    await store.verdicts.write([batch(0)])
    server.kill()
    with pytest.raises(Unavailable, match=f"MongoDB at 127.0.0.1:{server.port} "):
        await store.ping()
    calls = [
        store.verdicts.write([batch(64)]),
        store.completions.insert_or_get(Completion(id="a", text="Yes.")),
        store.models.add(Model(name="one")),
        store.runs.get("unknown"),
        store.cells.list_for_runs([RUN]),
        store.tasks.list(limit=1),
    ]
    assert all(isinstance(one, Unavailable) for one in await asyncio.gather(*calls, return_exceptions=True))
    restart()
    await wait_until_it_works(store)
    assert await store.verdicts.write([batch(0), batch(64)]) == 64
    assert (await store.cells.list_for_runs([RUN]))[0].n == 128


async def test_a_server_that_hangs_is_unavailable_and_nothing_is_written_twice(
    store: Store, server: MongoServer
) -> None:
    await store.verdicts.write([batch(0)])
    hang(server)
    async with asyncio.timeout(20):
        with pytest.raises(Unavailable):
            await store.verdicts.write([batch(64)])
        with pytest.raises(Unavailable):
            await store.ping()
    server.process.send_signal(signal.SIGCONT)
    await wait_until_it_works(store)
    async with asyncio.timeout(20):
        while True:  # the aborted transaction may lock its documents for a moment
            try:
                await store.verdicts.write([batch(0), batch(64)])
                break
            except Unavailable:
                await asyncio.sleep(0.1)
    stored, counted = await store.cells.recount(RUN, 0, "one", "odd@aa", "none")
    assert stored == counted
    assert stored.n == 128


async def test_a_ping_of_a_server_that_hangs_has_a_shorter_limit_than_other_calls(server: MongoServer) -> None:
    patient = Store.connect(server.url, settings=StoreSettings(ping_seconds=1.0))
    await patient.ping()
    hang(server)
    async with asyncio.timeout(6):
        with pytest.raises(Unavailable):
            await patient.ping()
    server.process.send_signal(signal.SIGCONT)
    await wait_until_it_works(patient)
    await patient.close()


async def test_a_kill_during_writes_leaves_correct_sums(
    store: Store, server: MongoServer, restart: Callable[[], None]
) -> None:
    batches = [batch(start) for start in range(0, 2048, 64)]
    writing = asyncio.gather(*(store.verdicts.write([one]) for one in batches), return_exceptions=True)
    async with asyncio.timeout(20):
        while not await store.verdicts.list(RUN, limit=1):
            await asyncio.sleep(0.001)
    server.kill()
    results = await writing
    assert all(isinstance(result, int | Unavailable) for result in results)
    restart()
    await wait_until_it_works(store)
    stored, counted = await store.cells.recount(RUN, 0, "one", "odd@aa", "none")
    assert stored == counted
    assert stored.n >= sum(result for result in results if isinstance(result, int))
    assert await store.verdicts.write(batches) == 2048 - stored.n
    stored, counted = await store.cells.recount(RUN, 0, "one", "odd@aa", "none")
    assert stored == counted
    assert stored.n == 2048


async def test_an_unreachable_server_is_unavailable_and_the_message_says_what_to_check() -> None:
    store = Store.connect(f"mongodb://user:secret@127.0.0.1:{free_port()}/", settings=SHORT_TIMEOUTS)
    with pytest.raises(Unavailable, match="check that it runs and that LIBRA_MONGO_URL names it") as caught:
        await store.ping()
    assert "secret" not in str(caught.value)
    await store.close()


async def test_an_invalid_connection_string_is_rejected_at_once() -> None:
    for url in ("http://127.0.0.1", "mongodb://a:b:c", "mongodb://127.0.0.1:99999"):
        with pytest.raises(BadSettings, match="LIBRA_MONGO_URL"):
            Store.connect(url)


async def test_a_closed_store_raises_unavailable_in_every_waiting_caller(server: MongoServer) -> None:
    store = Store.connect(server.url)
    writes = [asyncio.create_task(store.verdicts.write([batch(start)])) for start in range(0, 6400, 64)]
    await asyncio.sleep(0.01)
    await store.close()
    async with asyncio.timeout(5):
        results = await asyncio.gather(*writes, return_exceptions=True)
    assert all(isinstance(result, int | Unavailable) for result in results)
    assert any(isinstance(result, Unavailable) for result in results)
