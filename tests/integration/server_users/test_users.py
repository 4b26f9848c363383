"""The pipeline reaches a clean end where each service has a user of its own, and no user can do what is not its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc.aio
import nats
import pytest
from deploy.users.permissions import ADMIN, BACKUP
from nats.aio.client import Client
from pymongo.database import Database
from pymongo.errors import OperationFailure
from tests.generated_task import import_requests, sample_lines
from tests.integration.server_users.servers import DATABASE, SERVICES, World, start_world

from libra.bus import streams
from libra.bus.nats_bus import NatsBus
from libra.rpc.client import call, channel
from libra.store.maintenance.backup.backup import write_backup
from libra.v1.arena_pb2 import ListEntriesRequest
from libra.v1.arena_pb2_grpc import ArenaServiceStub
from libra.v1.ranking_pb2 import AuditRunRequest, GetBoardRequest
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.v1.run_pb2 import CreateRunRequest, GetRunRequest, Run, RunSpec, RunState
from libra.v1.run_pb2_grpc import RunServiceStub
from libra.v1.task_pb2_grpc import TaskServiceStub

pytestmark = pytest.mark.timeout(300)

TASK = "asked"
CALL_SECONDS = 20.0
RUN_SECONDS = 60.0
DENIED = ("permissions violation", "refuses our credentials", "no right to do it")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Both servers with their users and streams, and all services."""
    with start_world(tmp_path_factory.mktemp("users")) as started:
        asyncio.run(create_streams(started))
        for service in SERVICES:
            started.start(service)
        for service in SERVICES:
            started.wait_for_log(service, "process_ready")
        yield started
        started.stop(*started.processes)


async def create_streams(world: World) -> None:
    """Create the streams as dispatch does, so that no service that starts before it is denied anything."""
    bus = await NatsBus.connect(world.variables("dispatch")["LIBRA_NATS_URL"], name="dispatch")
    await bus.ensure()
    await bus.close()


@asynccontextmanager
async def opened(world: World, service: str) -> AsyncIterator[grpc.aio.Channel]:
    async with channel(world.ports[service].address) as one:
        yield one


async def wait_for_end(runs: RunServiceStub, run: str) -> Run:
    async with asyncio.timeout(RUN_SECONDS):
        while True:
            found: Run = (await call(runs.GetRun, GetRunRequest(id=run), CALL_SECONDS)).run
            if found.state != RunState.RUN_STATE_RUNNING:
                return found
            await asyncio.sleep(0.1)


async def run_and_rejudge(world: World) -> list[Run]:
    """Return a run with attacks of both kinds, and its rejudging, after their ends."""
    async with opened(world, "dispatch") as dispatch:
        data = sample_lines(f"How is {n} done?" for n in range(20))
        await call(TaskServiceStub(dispatch).ImportTask, import_requests(TASK, data), CALL_SECONDS)
        runs = RunServiceStub(dispatch)
        spec = RunSpec(models=["careful", "refuser"], tasks=[TASK], attacks=["none", "few_shots"])
        first = (await call(runs.CreateRun, CreateRunRequest(spec=spec), CALL_SECONDS)).run
        ended = [await wait_for_end(runs, first.id)]
        rejudging = CreateRunRequest(spec=RunSpec(rejudges=first.id))
        second = (await call(runs.CreateRun, rejudging, CALL_SECONDS)).run
        return [*ended, await wait_for_end(runs, second.id)]


async def test_a_run_reaches_a_clean_end_and_nothing_is_denied(world: World) -> None:
    for run in await run_and_rejudge(world):
        assert (run.state, run.counts.scored) == (RunState.RUN_STATE_FINISHED, 80)
        async with opened(world, "ranking") as ranking:
            stub = RankingServiceStub(ranking)
            audit = await call(stub.AuditRun, AuditRunRequest(run=run.id), CALL_SECONDS)
            assert not audit.findings
            await call(stub.GetBoard, GetBoardRequest(), CALL_SECONDS)
    async with opened(world, "arena") as arena:
        await call(ArenaServiceStub(arena).ListEntries, ListEntriesRequest(), CALL_SECONDS)
    assert [word for word in DENIED if word in world.logs().lower()] == []


def test_no_log_contains_a_password(world: World) -> None:
    logs = world.logs()
    assert "process_ready" in logs
    for service in SERVICES:
        for url in world.variables(service).values():
            password = url.partition("://")[2].partition("@")[0].partition(":")[2]
            assert password not in logs


def test_the_user_of_backups_reads_everything(world: World, tmp_path: Path) -> None:
    with (tmp_path / "backup").open("wb") as file:
        manifest = write_backup(world.variables(BACKUP)["LIBRA_MONGO_URL"], DATABASE, file, lambda _: None)
    assert manifest.collections["tasks"].documents > 0


FORBIDDEN_ON_MONGODB: dict[str, tuple[str, Callable[[Database[Any]], object]]] = {
    "judge reads the keys of webhooks and rounds": ("judge", lambda database: database["secrets"].find_one()),
    "judge gives a token another role": (
        "judge",
        lambda database: database["tokens"].update_many({}, {"$set": {"role": 4}}),
    ),
    "judge removes the audit log": ("judge", lambda database: database["audit_log"].delete_many({})),
    "judge writes a verdict": ("judge", lambda database: database["verdicts"].insert_one({"_id": "forged"})),
    "attack reads answers": ("attack", lambda database: database["completions"].find_one()),
    "gateway changes verdicts": ("gateway", lambda database: database["verdicts"].delete_many({})),
    "gateway reads the samples of a sealed round": ("gateway", lambda database: database["round_samples"].find_one()),
    "ranking changes a run": ("ranking", lambda database: database["runs"].delete_many({})),
    "arena reads verdicts": ("arena", lambda database: database["verdicts"].find_one()),
    "dispatch drops a collection": ("dispatch", lambda database: database.drop_collection("verdicts")),
    "dispatch changes votes": ("dispatch", lambda database: database["votes"].delete_many({})),
    "dispatch makes a user": ("dispatch", lambda database: database.command("createUser", "x", pwd="x", roles=[])),
    "backup writes": (BACKUP, lambda database: database["tasks"].insert_one({"_id": "x"})),
}


@pytest.mark.parametrize("case", FORBIDDEN_ON_MONGODB)
def test_mongodb_refuses_a_user_what_is_not_its_own(world: World, case: str) -> None:
    user, action = FORBIDDEN_ON_MONGODB[case]
    with world.client(user) as client, pytest.raises(OperationFailure) as refused:
        action(client[DATABASE])
    assert refused.value.code == 13, refused.value


FORBIDDEN_TO_PUBLISH = {
    "judge deletes a stream of dispatch": ("judge", "$JS.API.STREAM.DELETE.WORK_ATTACK"),
    "judge empties a stream": ("judge", "$JS.API.STREAM.PURGE.WORK_ATTACK"),
    "judge changes a stream": ("judge", "$JS.API.STREAM.UPDATE.WORK_JUDGE"),
    "judge makes a stream": ("judge", "$JS.API.STREAM.CREATE.WORK_JUDGE"),
    "judge changes a consumer": ("judge", "$JS.API.CONSUMER.CREATE.WORK_ATTACK.attack.work.attack"),
    "judge takes batches of ranking": ("judge", "$JS.API.CONSUMER.MSG.NEXT.WORK_RANKING.ranking"),
    "judge acknowledges batches of ranking": ("judge", "$JS.ACK.WORK_RANKING.ranking.1.1.1.1.1"),
    "judge reads dead letters": ("judge", "$JS.API.DIRECT.GET.DEAD"),
    "judge answers as a model": ("judge", "work.judge.x"),
    "attack writes verdicts": ("attack", "work.ranking"),
    "gateway writes verdicts": ("gateway", "work.ranking"),
    "ranking sends trials": ("ranking", "work.attack"),
    "arena takes a lease": ("arena", "$KV.GRANTS.model"),
    "dispatch deletes a stream": ("dispatch", "$JS.API.STREAM.DELETE.WORK_ATTACK"),
    "dispatch deletes a consumer": ("dispatch", "$JS.API.CONSUMER.DELETE.WORK_JUDGE.judge"),
    "attack answers a request of gateway": ("attack", "_INBOX_gateway.x"),
}

FORBIDDEN_TO_LISTEN = {
    "judge reads replies to gateway": ("judge", "_INBOX_gateway.>"),
    "judge reads everything": ("judge", ">"),
    "attack reads batches of dispatch": ("attack", "work.>"),
    "arena listens to runs": ("arena", "event.run.*"),
}


@asynccontextmanager
async def connected(world: World, user: str) -> AsyncIterator[tuple[Client, asyncio.Queue[str]]]:
    """Yield a connection of a user, and the errors that the server sends to it."""
    errors: asyncio.Queue[str] = asyncio.Queue()

    async def record(error: Exception) -> None:
        errors.put_nowait(str(error))

    url = world.variables(user)["LIBRA_NATS_URL"]
    client = await nats.connect(url, error_cb=record, inbox_prefix=f"_INBOX_{user}")
    try:
        yield client, errors
    finally:
        await client.close()


async def next_error(errors: asyncio.Queue[str]) -> str:
    async with asyncio.timeout(CALL_SECONDS):
        return await errors.get()


@pytest.mark.parametrize("case", FORBIDDEN_TO_PUBLISH)
async def test_nats_refuses_a_user_to_send_what_is_not_its_own(world: World, case: str) -> None:
    user, subject = FORBIDDEN_TO_PUBLISH[case]
    async with connected(world, user) as (client, errors):
        await client.publish(subject, b"{}")
        assert f'permissions violation for publish to "{subject.lower()}"' in await next_error(errors)


@pytest.mark.parametrize("case", FORBIDDEN_TO_LISTEN)
async def test_nats_refuses_a_user_to_hear_what_is_not_its_own(world: World, case: str) -> None:
    user, subject = FORBIDDEN_TO_LISTEN[case]
    async with connected(world, user) as (client, errors):
        await client.subscribe(subject)
        assert f'permissions violation for subscription to "{subject.lower()}"' in await next_error(errors)


async def test_a_service_waits_for_streams_that_only_dispatch_can_create(world: World) -> None:
    world.stop("dispatch", "judge")
    async with connected(world, ADMIN) as (client, _):
        await client.jetstream().delete_stream(str(streams.WORK[3].name))
    world.log_path("judge").unlink()
    world.start("judge")
    world.wait_for_log("judge", "start dispatch")
    world.start("dispatch")
    world.wait_for_log("judge", "process_ready")


def test_a_wrong_password_is_named_as_the_cause_and_not_shown(world: World) -> None:
    world.stop("attack")
    world.log_path("attack").unlink()
    wrong = {name: url.replace("@", "-wrong-password@") for name, url in world.variables("attack").items()}
    world.start("attack", **wrong)
    world.wait_for_log("attack", "Authorization Violation")
    world.wait_for_log("attack", "refuses our credentials")
    assert "-wrong-password" not in world.logs()
