"""A server with tokens: who is refused, what is recorded, and that no secret is left anywhere."""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import pkgutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
import trustme
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest
from grpc_reflection.v1alpha.reflection_pb2_grpc import ServerReflectionStub
from prometheus_client import CollectorRegistry, generate_latest

import libra.v1
from libra.commitment.audit_chain import ChainVerifier
from libra.core.errors import (
    Conflict,
    FailedPrecondition,
    Invalid,
    LibraError,
    NotFound,
    PermissionDenied,
    Unauthenticated,
)
from libra.dispatch.access.audit_log_service import AuditLogService
from libra.dispatch.access.token_service import TokenService
from libra.process import access
from libra.process.access import create_guard
from libra.process.settings import CommonSettings
from libra.rpc.access.policy import RULES
from libra.rpc.access.token import TokenText
from libra.rpc.client import call, channel
from libra.rpc.credential_channel import Credentials
from libra.rpc.paging import PageTokens
from libra.rpc.server import RpcServer
from libra.rpc.tls import ServerTls, Tls
from libra.store.client import Store
from libra.telemetry.metrics import Metrics
from libra.v1.audit_log_pb2 import AuditEntry, ListAuditEntriesRequest
from libra.v1.audit_log_pb2_grpc import AuditLogServiceStub
from libra.v1.gateway_pb2 import CompleteRequest
from libra.v1.gateway_pb2_grpc import GatewayServiceStub
from libra.v1.run_pb2 import CancelRunRequest, CreateRunRequest
from libra.v1.run_pb2_grpc import RunServiceStub
from libra.v1.task_pb2 import ImportTaskHeader, ImportTaskRequest
from libra.v1.task_pb2_grpc import TaskServiceStub
from libra.v1.token_pb2 import CreateTokenRequest, ListTokensRequest, RevokeTokenRequest, Role, Token
from libra.v1.token_pb2_grpc import TokenServiceStub

ADMIN_SECRET = "planted-admin-secret-0123456789abcdef"
SERVICE_SECRET = "planted-service-secret-0123456789abcdef"
SECONDS = 10.0
CACHE_SECONDS = 0.2


async def refuse(_: object, request: Any, __: object) -> Any:
    """Read the request, also a stream, and refuse it."""
    if hasattr(request, "__aiter__"):
        assert [each async for each in request] != []
    raise FailedPrecondition("the call was admitted")


async def refuse_stream(_: object, request: Any, __: object) -> AsyncIterator[Any]:
    yield await refuse(None, request, None)


def other_services() -> list[tuple[Callable[[Any, grpc.aio.Server], None], Any, str]]:
    """Return every generated service but the two that are served for real; they refuse calls that are admitted."""
    served = []
    for name in sorted(module.name for module in pkgutil.iter_modules(libra.v1.__path__)):
        if name.endswith("_pb2_grpc") and name not in {"token_pb2_grpc", "audit_log_pb2_grpc"}:
            module = importlib.import_module(f"libra.v1.{name}")
            pb2 = importlib.import_module(f"libra.v1.{name.removesuffix('_grpc')}")
            for service in pb2.DESCRIPTOR.services_by_name.values():
                methods = {each.name: refuse_stream if each.server_streaming else refuse for each in service.methods}
                servicer = type(service.name, (getattr(module, f"{service.name}Servicer"),), methods)
                add = getattr(module, f"add_{service.name}Servicer_to_server")
                served.append((add, servicer(), service.full_name))
    return served


@dataclass
class World:
    """A server with every service, and what it wrote."""

    address: str
    store: Store
    registry: CollectorRegistry

    @asynccontextmanager
    async def client(self, token: str) -> AsyncIterator[grpc.aio.Channel]:
        async with channel(self.address, Credentials(token=lambda: token)) as opened:
            yield opened

    async def call(self, token: str, stub: Any, method: str, request: Any) -> Any:
        async with self.client(token) as opened:
            return await call(getattr(stub(opened), method), request, SECONDS)

    async def create(self, name: str, role: int = Role.ROLE_READER, **fields: Any) -> str:
        request = CreateTokenRequest(name=name, role=role, **fields)  # type: ignore[arg-type]  # an enum value
        reply = await self.call(ADMIN_SECRET, TokenServiceStub, "CreateToken", request)
        return str(reply.secret)

    async def list_tokens(self, token: str) -> Any:
        return await self.call(token, TokenServiceStub, "ListTokens", ListTokensRequest())

    async def entries(self) -> list[AuditEntry]:
        return await self.store.audit_log.list(after_seq=0, limit=500)


@pytest.fixture
async def world(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(access, "CACHE_SECONDS", CACHE_SECONDS)
    files = {}
    for name, secret in (("admin", ADMIN_SECRET), ("service", SERVICE_SECRET)):
        file = tmp_path / name
        file.write_text(secret)
        file.chmod(0o600)
        files[f"{name}_token_file"] = str(file)
    settings = replace(CommonSettings(), access="tokens", **files)  # type: ignore[arg-type]  # the fields differ
    import_services = other_services()
    tokens, audit_log = (
        importlib.import_module("libra.v1.token_pb2_grpc"),
        importlib.import_module("libra.v1.audit_log_pb2_grpc"),
    )
    registry = CollectorRegistry()
    served = [
        *import_services,
        (tokens.add_TokenServiceServicer_to_server, TokenService(store.tokens), "libra.v1.TokenService"),
        (
            audit_log.add_AuditLogServiceServicer_to_server,
            AuditLogService(store.audit_log, PageTokens(store.load_page_token_key)),
            "libra.v1.AuditLogService",
        ),
    ]
    server = RpcServer(served, Metrics(registry), create_guard(settings, store))
    port = await server.start("127.0.0.1:0")
    await server.set_ready(ready=True)
    yield World(f"127.0.0.1:{port}", store, registry)
    await server.stop(0)


def raw_method(opened: grpc.aio.Channel, method: str) -> Any:
    """Return the method for raw bytes; a stream of requests is sent as an empty one, and replies are not decoded."""
    streams = {"ImportTask": "stream_unary", "WatchRun": "unary_stream", "WatchBoard": "unary_stream"}
    streams |= dict.fromkeys(
        ("GetRoundRelease", "DrawSample", "StreamTurn", "StreamComplete", "ExportBattles"), "unary_stream"
    )
    return getattr(opened, streams.get(method.rpartition("/")[2], "unary_unary"))(f"/{method}")


async def code_of(opened: grpc.aio.Channel, method: str, metadata: tuple[tuple[str, str], ...] = ()) -> str:
    found = raw_method(opened, method)
    try:
        if method.endswith("ImportTask"):
            await found(iter([b""]), metadata=metadata, timeout=SECONDS)
        elif isinstance(found, grpc.aio.UnaryStreamMultiCallable):
            async for _ in found(b"", metadata=metadata, timeout=SECONDS):
                pass
        else:
            await found(b"", metadata=metadata, timeout=SECONDS)
    except grpc.aio.AioRpcError as error:
        return str(error.code().name)
    return "OK"


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)


async def test_every_method_is_refused_without_a_valid_token(world: World) -> None:
    forged = TokenText.create().text()
    own = await world.create("reader")
    guessed = own[:-43] + TokenText.create().secret
    before = len(await world.entries())
    headers = [(), bearer(""), bearer(forged), bearer(guessed), (("authorization", own),), bearer(own) * 2]
    async with grpc.aio.insecure_channel(world.address) as opened:
        for metadata in headers:
            codes = {method: await code_of(opened, method, metadata) for method in RULES}
            assert set(codes.values()) == {"UNAUTHENTICATED"}, codes
    assert len(await world.entries()) == before


@pytest.mark.parametrize("role", ["reader", "runner", "auditor", "admin"])
async def test_every_method_is_for_the_roles_of_the_table(world: World, role: str) -> None:
    token = await world.create(f"some-{role}", Role.Value(f"ROLE_{role.upper()}"))
    async with grpc.aio.insecure_channel(world.address) as opened:
        codes = {method: await code_of(opened, method, bearer(token)) for method in RULES}
    denied = {method for method, code in codes.items() if code == "PERMISSION_DENIED"}
    assert denied == {method for method, rule in RULES.items() if role not in rule.roles}
    assert set(codes.values()) <= {"PERMISSION_DENIED", "OK", "FAILED_PRECONDITION", "INVALID_ARGUMENT", "NOT_FOUND"}


async def test_a_service_may_ask_models_and_nothing_else_that_is_audited(world: World) -> None:
    async with grpc.aio.insecure_channel(world.address) as opened:
        codes = {method: await code_of(opened, method, bearer(SERVICE_SECRET)) for method in RULES}
    allowed = {method for method, code in codes.items() if code != "PERMISSION_DENIED"}
    assert {method for method in allowed if RULES[method].is_audited} == {
        "libra.v1.AttackService/Transform",
        "libra.v1.GatewayService/Complete",
        "libra.v1.GatewayService/StreamComplete",
    }


async def test_a_revoked_token_is_refused_within_the_cache_time(world: World) -> None:
    token = await world.create("auditor", Role.ROLE_AUDITOR)
    assert [each.name for each in (await world.list_tokens(token)).tokens] == ["auditor"]
    revoke = RevokeTokenRequest(name="auditor")
    first = await world.call(ADMIN_SECRET, TokenServiceStub, "RevokeToken", revoke)
    await asyncio.sleep(CACHE_SECONDS)
    with pytest.raises(Unauthenticated, match="the token auditor was revoked"):
        await world.list_tokens(token)
    again = await world.call(ADMIN_SECRET, TokenServiceStub, "RevokeToken", revoke)
    assert again.token.revoke_time == first.token.revoke_time
    with pytest.raises(NotFound, match="did you mean auditor"):
        await world.call(ADMIN_SECRET, TokenServiceStub, "RevokeToken", RevokeTokenRequest(name="auditr"))


async def test_an_expired_token_is_refused_at_once(world: World) -> None:
    text = TokenText.create()
    token = Token(id=text.id, name="old", role=Role.ROLE_ADMIN)
    token.expire_time.FromDatetime(datetime.now(UTC) + timedelta(seconds=0.3))
    await world.store.tokens.insert(token, text.hash())
    await world.list_tokens(text.text())
    await asyncio.sleep(0.3)
    with pytest.raises(Unauthenticated, match="the token old has expired"):
        await world.list_tokens(text.text())


async def test_tokens_are_listed_with_their_use_and_without_secrets(world: World) -> None:
    token = await world.create("ci", Role.ROLE_AUDITOR, team="safety")
    await world.list_tokens(token)
    [listed] = (await world.list_tokens(ADMIN_SECRET)).tokens
    assert (listed.name, listed.team, listed.creator) == ("ci", "safety", "file:admin")
    assert time.time() - 60 < listed.last_use_time.seconds <= time.time()
    with pytest.raises(Conflict, match="there is or was a token 'ci'"):
        await world.create("ci")


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"name": ""}, "name"), ({"name": "A b"}, "name"), ({"role": 0}, "role"), ({"role": 9}, "role"),
     ({"team": "x y"}, "team"), ({"lifetime": timedelta(0)}, "lifetime")],
    ids=["empty", "name", "no_role", "unknown_role", "team", "lifetime"],
)  # fmt: skip
async def test_an_invalid_token_names_the_field(world: World, fields: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        await world.create(**{"name": "x"} | fields)
    assert caught.value.field == field


async def test_a_change_has_an_entry_before_it_and_one_with_its_result(world: World) -> None:
    token = await world.create("runner", Role.ROLE_RUNNER, team="safety")
    with pytest.raises(LibraError):
        await world.call(token, RunServiceStub, "CancelRun", CancelRunRequest(id="r1"))
    started, ended = (await world.entries())[-2:]
    assert (started.result, ended.result) == ("STARTED", "FAILED_PRECONDITION")
    for entry in (started, ended):
        assert (entry.caller, entry.role, entry.team) == ("token:runner", "runner", "safety")
        assert (entry.method, entry.resource) == ("libra.v1.RunService/CancelRun", "r1")
        data = CancelRunRequest(id="r1").SerializeToString(deterministic=True)
        assert entry.request_hash == hashlib.sha256(len(data).to_bytes(8, "big") + data).hexdigest()
    assert started.request_id == ended.request_id


async def test_a_refused_change_has_one_entry(world: World) -> None:
    token = await world.create("reader")
    with pytest.raises(PermissionDenied, match=r"token:reader has the role reader; .*CancelRun is for: admin, runner"):
        await world.call(token, RunServiceStub, "CancelRun", CancelRunRequest(id="r1"))
    entry = (await world.entries())[-1]
    assert (entry.result, entry.resource, entry.caller) == ("PERMISSION_DENIED", "r1", "token:reader")


async def test_replicas_append_to_one_chain(store: Store, mongo_server: Any) -> None:
    others = [Store.connect(mongo_server.url, store._database.name) for _ in range(3)]
    try:
        calls = [
            replica.audit_log.append(AuditEntry(caller=f"{number}-{call_number}", result="OK"))
            for call_number in range(10)
            for number, replica in enumerate([store, *others])
        ]
        await asyncio.gather(*calls)
    finally:
        for replica in others:
            await replica.close()
    entries, chain = await store.audit_log.list(after_seq=0, limit=100), ChainVerifier()
    assert list(chain.problems(entries)) == []
    assert list(chain.end_problems(await store.audit_log.head_seq())) == []
    assert len({entry.caller for entry in entries}) == chain.seq == 40


async def test_an_entry_that_is_removed_or_changed_in_the_store_is_found(world: World) -> None:
    for number in range(3):
        await world.create(f"t{number}")
    collection = world.store._database["audit_log"]
    for change, problem in (
        (lambda: collection.update_one({"_id": 3}, {"$set": {"resource": "other"}}), "entry 3 was changed"),
        (lambda: collection.delete_one({"_id": 3}), "entry 3 is missing"),
        (lambda: collection.delete_one({"_id": 6}), "the entries 6 to 6 are missing"),
    ):
        await change()
        page = await world.call(ADMIN_SECRET, AuditLogServiceStub, "ListAuditEntries", ListAuditEntriesRequest())
        chain = ChainVerifier()
        found = [*chain.problems(page.entries), *chain.end_problems(page.head_seq)]
        assert any(one.startswith(problem) for one in found), found


async def test_no_secret_is_left_in_logs_errors_metrics_or_documents(
    world: World, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    key = "sk-planted-provider-key-0123456789"
    token = await world.create("runner", Role.ROLE_RUNNER)
    errors = []
    for secret in (token, token[:-1] + "x", SERVICE_SECRET, ADMIN_SECRET):
        for stub, method, request in (
            (RunServiceStub, "CreateRun", CreateRunRequest(request_id=key)),
            (TaskServiceStub, "ImportTask", iter([ImportTaskRequest(header=ImportTaskHeader(card_yaml=key))])),
            (TokenServiceStub, "CreateToken", CreateTokenRequest(name="x", team=key.upper())),
        ):
            try:
                await world.call(secret, stub, method, request)
            except LibraError as error:
                errors.append(str(error))
    documents = [
        str(document)
        for name in await world.store._database.list_collection_names()
        async for document in world.store._database[name].find()
    ]
    output = capfd.readouterr()
    written = "\n".join([*documents, generate_latest(world.registry).decode(), output.out, output.err, caplog.text])
    assert errors
    assert "token:runner" in written
    secrets = (token, token.rpartition("_")[2], SERVICE_SECRET, ADMIN_SECRET, TokenText.parse(token).secret)  # type: ignore[union-attr]  # it parses
    for secret in secrets:
        assert secret not in written
        assert secret not in "\n".join(errors)
    assert key not in written


async def test_health_and_reflection_need_no_token(world: World) -> None:
    async with grpc.aio.insecure_channel(world.address) as opened:
        reply = await HealthStub(opened).Check(HealthCheckRequest(), timeout=SECONDS)
        assert reply.status == HealthCheckResponse.SERVING
        listed = ServerReflectionStub(opened).ServerReflectionInfo(iter([ServerReflectionRequest(list_services="")]))
        names = [service.name async for each in listed for service in each.list_services_response.service]
    assert "libra.v1.TokenService" in names


async def test_a_service_is_known_by_its_certificate(store: Store, tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    for name in ("localhost", "judge.libra", "other.libra"):
        leaf = authority.issue_cert(name)
        leaf.private_key_pem.write_to_path(tmp_path / f"{name}.key")
        leaf.cert_chain_pems[0].write_to_path(tmp_path / f"{name}.pem")
    settings = replace(CommonSettings(), access="tokens", tls_service_names="attack.libra,judge.libra")
    registry = CollectorRegistry()
    server = RpcServer(other_services(), Metrics(registry), create_guard(settings, store))
    files = ServerTls(tmp_path / "localhost.pem", tmp_path / "localhost.key", tmp_path / "ca.pem")
    port = await server.start("localhost:0", files.server_credentials())
    await server.set_ready(ready=True)
    try:
        for name, error in (("judge.libra", FailedPrecondition), ("other.libra", Unauthenticated)):
            tls = Tls(tmp_path / "ca.pem", tmp_path / f"{name}.pem", tmp_path / f"{name}.key")
            async with channel(f"localhost:{port}", Credentials(tls)) as opened:
                with pytest.raises(error):
                    await call(GatewayServiceStub(opened).Complete, CompleteRequest(), SECONDS)
    finally:
        await server.stop(0)
