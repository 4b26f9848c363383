"""The clients against real servers: outages, resumed watches, pages, deadlines, certificates and tokens."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
import trustme

from libra.client import AsyncLibraClient, Invalid, LibraClient, NotFound, Tls, Unavailable
from libra.v1.ranking_pb2 import GetBoardRequest, GetBoardResponse
from libra.v1.ranking_pb2_grpc import RankingServiceServicer, add_RankingServiceServicer_to_server
from libra.v1.run_pb2 import (
    CreateRunRequest,
    CreateRunResponse,
    GetRunRequest,
    GetRunResponse,
    ListRunsRequest,
    ListRunsResponse,
    Run,
    RunState,
    WatchRunRequest,
    WatchRunResponse,
)
from libra.v1.run_pb2_grpc import RunServiceServicer, add_RunServiceServicer_to_server


@dataclass
class Runs(RunServiceServicer):
    """Runs that pass through the given states, one at each watch."""

    watches: list[list[Run]] = field(default_factory=list)
    requests: list[Any] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)

    CancelRun = RunServiceServicer.CancelRun
    """UNIMPLEMENTED; it is abstract only in the types."""

    async def CreateRun(self, request: CreateRunRequest, context: grpc.aio.ServicerContext) -> CreateRunResponse:
        self.requests.append(request)
        return CreateRunResponse(run=Run(id="r1", spec=request.spec, state=RunState.RUN_STATE_RUNNING))

    async def GetRun(self, request: GetRunRequest, context: grpc.aio.ServicerContext) -> GetRunResponse:
        self.tokens += [str(value) for key, value in context.invocation_metadata() or () if key == "authorization"]
        if request.id == "slow":
            await asyncio.sleep(30)
        if request.id != "r1":
            await context.abort(grpc.StatusCode.NOT_FOUND, "there is no run")
        return GetRunResponse(run=Run(id="r1"))

    async def ListRuns(self, request: ListRunsRequest, context: grpc.aio.ServicerContext) -> ListRunsResponse:
        self.requests.append(ListRunsRequest.FromString(request.SerializeToString()))
        start = int(request.page_token or 0)
        runs = [Run(id=f"r{n}") for n in range(start, min(start + request.page_size, 700))]
        return ListRunsResponse(runs=runs, next_page_token=str(start + len(runs)) if start + len(runs) < 700 else "")

    async def WatchRun(
        self, request: WatchRunRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[WatchRunResponse]:
        self.requests.append(request)
        for run in self.watches.pop(0):
            yield WatchRunResponse(run=run)
        if self.watches:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "this replica stops")


@asynccontextmanager
async def serve(runs: Runs, address: str = "127.0.0.1:0", credentials: Any = None) -> AsyncIterator[int]:
    """Serve until the block ends; yield the port."""
    server = grpc.aio.server()
    add_RunServiceServicer_to_server(runs, server)
    port = server.add_secure_port(address, credentials) if credentials else server.add_insecure_port(address)
    await server.start()
    try:
        yield port
    finally:
        await server.stop(None)


@contextmanager
def serve_in_thread(runs: Runs) -> Iterator[str]:
    """Serve from an event loop of its own until the block ends; yield the address."""
    ports: queue.Queue[int] = queue.Queue()
    stop = threading.Event()

    async def main() -> None:
        async with serve(runs) as port:
            ports.put(port)
            while not stop.is_set():
                await asyncio.sleep(0.02)

    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{ports.get(timeout=10)}"
    finally:
        stop.set()
        thread.join(10)


def states(*revisions: int, state: RunState.ValueType = RunState.RUN_STATE_RUNNING) -> list[Run]:
    return [Run(id="r1", revision=revision, state=state) for revision in revisions]


async def test_an_interrupted_watch_resumes_and_repeats_nothing() -> None:
    runs = Runs([states(1, 2), states(2, 3), states(4, state=RunState.RUN_STATE_FINISHED)])
    async with serve(runs) as port, AsyncLibraClient(dispatch=f"127.0.0.1:{port}") as libra:
        seen = [run.revision async for run in libra.watch_run("r1")]
    assert seen == [1, 2, 3, 4]
    assert [request.after_revision for request in runs.requests] == [0, 2, 3]


async def test_a_call_waits_for_a_service_that_starts_late(unused_tcp_port: int) -> None:
    async with AsyncLibraClient(dispatch=f"127.0.0.1:{unused_tcp_port}", timeout_seconds=20) as libra:
        call = asyncio.create_task(libra.get_run("r1"))
        await asyncio.sleep(1.5)
        async with serve(Runs(), f"127.0.0.1:{unused_tcp_port}"):
            assert (await call).id == "r1"


async def test_a_call_ends_at_its_deadline(unused_tcp_port: int) -> None:
    async with serve(Runs()) as port:
        for address, run in ((f"127.0.0.1:{port}", "slow"), (f"127.0.0.1:{unused_tcp_port}", "r1")):
            async with AsyncLibraClient(dispatch=address, timeout_seconds=0.5) as libra, asyncio.timeout(5):
                with pytest.raises(Unavailable):
                    await libra.get_run(run)


async def test_a_run_is_created_once_although_its_request_is_repeated() -> None:
    async with serve(runs := Runs()) as port, AsyncLibraClient(dispatch=f"127.0.0.1:{port}") as libra:
        run = await libra.create_run(models=["a"], tasks=["*"], epochs=2, parameters={"temperature": 0})
        assert (run.id, run.spec.epochs, runs.requests[0].spec.parameters.temperature) == ("r1", 2, 0)
        assert len(runs.requests[0].request_id) == 26
        with pytest.raises(Invalid, match="epochz"):
            await libra.create_run(models=["a"], tasks=["*"], epochz=2)
        with pytest.raises(NotFound):
            await libra.get_run("r2")
        with pytest.raises(Invalid, match="no address of ranking"):
            await libra.get_board()


async def test_pages_are_joined_up_to_the_limit() -> None:
    async with serve(runs := Runs()) as port, AsyncLibraClient(dispatch=f"127.0.0.1:{port}") as libra:
        assert len(await libra.list_runs(limit=600)) == 600
        assert len(await libra.list_runs(limit=1000)) == 700
    assert [request.page_size for request in runs.requests] == [500, 100, 500, 500]


async def test_the_token_is_sent_over_mutual_tls(tmp_path: Path) -> None:
    authority = trustme.CA()
    own, other = authority.issue_cert("localhost"), authority.issue_cert("client")
    root = authority.cert_pem.bytes()
    credentials = grpc.ssl_server_credentials(
        [(own.private_key_pem.bytes(), own.cert_chain_pems[0].bytes())], root, require_client_auth=True
    )
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    other.private_key_pem.write_to_path(tmp_path / "key.pem")
    other.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    tls = Tls(tmp_path / "ca.pem", tmp_path / "cert.pem", tmp_path / "key.pem")
    stranger = Tls(tmp_path / "ca.pem")
    async with serve(runs := Runs(), "localhost:0", credentials) as port:
        address = f"localhost:{port}"
        async with AsyncLibraClient(dispatch=address, tls=tls, token="secret") as libra:
            assert (await libra.get_run("r1")).id == "r1"
        assert runs.tokens == ["Bearer secret"]
        async with AsyncLibraClient(dispatch=address, tls=stranger, timeout_seconds=1) as libra:
            with pytest.raises(Unavailable):
                await libra.get_run("r1")


@pytest.mark.parametrize(
    "address", ["10.0.0.1:7001", "libra.example:7001", "ipv4:127.0.0.1:1,10.0.0.1:2", "[2001:db8::1]:7"]
)
def test_a_token_is_not_sent_in_plain_text_beyond_this_machine(address: str) -> None:
    with pytest.raises(Invalid, match="plain text"):
        AsyncLibraClient(dispatch=address, token="secret")


def test_credentials_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"no\.pem cannot be read: No such file"):
        AsyncLibraClient(dispatch="localhost:1", tls=Tls(tmp_path / "no.pem"))
    with pytest.raises(Invalid, match="both a certificate and its key"):
        AsyncLibraClient(dispatch="localhost:1", tls=Tls(certificate=tmp_path / "cert.pem"))


def test_threads_share_a_blocking_client() -> None:
    runs = Runs([states(1), states(2, state=RunState.RUN_STATE_FINISHED)])
    with serve_in_thread(runs) as address, LibraClient(dispatch=address) as libra:
        with ThreadPoolExecutor(8) as pool:
            assert [run.id for run in pool.map(libra.get_run, ["r1"] * 8)] == ["r1"] * 8
        assert [run.revision for run in libra.watch_run("r1")] == [1, 2]
        libra.close()


def test_an_abandoned_watch_is_closed() -> None:
    with serve_in_thread(Runs([states(1, 2, 3)])) as address, LibraClient(dispatch=address) as libra:
        watch = libra.watch_run("r1")
        assert next(watch).revision == 1
        watch.close()  # type: ignore[attr-defined]  # the iterator is a generator
        assert libra.get_run("r1").id == "r1"


class Boards(RankingServiceServicer):
    """Returns an empty board, and keeps the requests."""

    def __init__(self) -> None:
        self.requests: list[GetBoardRequest] = []

    async def GetBoard(self, request: GetBoardRequest, context: grpc.aio.ServicerContext) -> GetBoardResponse:
        self.requests.append(request)
        return GetBoardResponse()


async def test_a_board_may_be_that_of_a_round() -> None:
    boards, server = Boards(), grpc.aio.server()  # type: ignore[abstract]  # the client calls one method
    add_RankingServiceServicer_to_server(boards, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with AsyncLibraClient(ranking=f"127.0.0.1:{port}") as libra:
        await libra.get_board(round_name="2027Q1")
        await libra.best_model(minimum={}, round_name="2027Q1")
        await libra.get_board()
    await server.stop(None)
    assert [request.round for request in boards.requests] == ["2027Q1", "2027Q1", ""]
