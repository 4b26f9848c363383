"""The guard admits, refuses and records calls; it refuses what it cannot record."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from libra.core.access import team_scope
from libra.core.errors import FailedPrecondition, PermissionDenied, Unavailable
from libra.rpc.access.caller import Caller, Role, caller_name
from libra.rpc.access.guard import Guard
from libra.rpc.call_context import TEAM_KEY
from libra.v1.audit_log_pb2 import AuditEntry
from libra.v1.run_pb2 import CancelRunRequest, GetRunRequest

CANCEL, GET = "libra.v1.RunService/CancelRun", "libra.v1.RunService/GetRun"


class Log:
    """Keeps entries, until it is told to fail."""

    def __init__(self, *, fails_from: int = 1000) -> None:
        self.entries: list[AuditEntry] = []
        self._fails_from = fails_from

    async def append(self, entry: AuditEntry) -> None:
        if len(self.entries) >= self._fails_from:
            raise Unavailable("MongoDB is away")
        self.entries.append(entry)

    @property
    def results(self) -> list[str]:
        return [entry.result for entry in self.entries]


class Context:
    """The connection and the metadata of a call."""

    def __init__(
        self,
        peer: str = "ipv4:10.0.0.7:4711",
        certificate: tuple[bytes, ...] = (),
        metadata: tuple[tuple[str, str], ...] = (),
    ) -> None:
        self._peer, self._certificate, self._metadata = peer, certificate, metadata

    def peer(self) -> str:
        return self._peer

    def peer_identities(self) -> tuple[bytes, ...]:
        return self._certificate

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        return self._metadata


def guard(log: Log, role: Role = Role.RUNNER, team: str = "safety") -> Guard:
    async def authenticate(_: Any) -> Caller:
        return Caller("token:a", role, team)

    return Guard(authenticate, log.append)


async def carry_out(
    guarded: Guard, method: str, request: Any, error: BaseException | None = None, context: Any = None
) -> str:
    context = context or Context()
    async with guarded.admit(method, context, request):
        if error:
            raise error
        return caller_name()


async def test_a_handler_knows_its_caller() -> None:
    assert await carry_out(guard(log := Log()), CANCEL, CancelRunRequest(id="r")) == "token:a"
    assert log.results == ["STARTED", "OK"]


async def test_a_query_is_not_recorded() -> None:
    await carry_out(guard(log := Log()), GET, GetRunRequest(id="r"))
    assert log.results == []


async def test_a_call_between_services_is_not_recorded() -> None:
    await carry_out(guard(log := Log(), Role.SERVICE), "libra.v1.GatewayService/Complete", GetRunRequest())
    assert log.results == []


@pytest.mark.parametrize("role", list(Role))
async def test_a_method_without_a_rule_is_refused_to_everyone(role: Role) -> None:
    with pytest.raises(PermissionDenied, match="is for: nobody"):
        await carry_out(guard(log := Log(), role), "libra.v1.RunService/DropEverything", None)
    assert log.results == ["PERMISSION_DENIED"]


async def test_a_call_that_cannot_be_recorded_is_not_carried_out() -> None:
    with pytest.raises(Unavailable):
        await carry_out(guard(Log(fails_from=0)), CANCEL, CancelRunRequest(id="r"), AssertionError("carried out"))


async def test_a_call_was_made_even_if_its_result_cannot_be_recorded() -> None:
    await carry_out(guard(log := Log(fails_from=1)), CANCEL, CancelRunRequest(id="r"))
    assert log.results == ["STARTED"]


@pytest.mark.parametrize(
    ("error", "result"),
    [(FailedPrecondition("no"), "FAILED_PRECONDITION"), (ZeroDivisionError(), "INTERNAL"),
     (asyncio.CancelledError(), "CANCELLED")],
    ids=["refused", "bug", "cancelled"],
)  # fmt: skip
async def test_the_result_of_a_failed_call_is_recorded(error: BaseException, result: str) -> None:
    with pytest.raises(type(error)):
        await carry_out(guard(log := Log()), CANCEL, CancelRunRequest(id="r"), error)
    assert log.results == ["STARTED", result]


async def team_of(method: str, role: Role, team: str, *metadata: tuple[str, str]) -> str | None:
    """Return the team for which the handler of an admitted call works."""
    context: Any = Context(metadata=metadata)
    async with guard(Log(), role, team).admit(method, context, None):
        return team_scope.current()


@pytest.mark.parametrize("named", ["", "blue"])
async def test_a_call_works_for_the_team_of_its_caller_whatever_it_says(named: str) -> None:
    for role in set(Role) - {Role.SERVICE, Role.NONE}:
        assert await team_of(GET, role, "red", (TEAM_KEY, named)) == "red"
        assert await team_of(GET, role, "", (TEAM_KEY, named)) is None


async def test_a_service_names_the_team_that_it_works_for() -> None:
    assert await team_of(GET, Role.SERVICE, "", (TEAM_KEY, "red")) == "red"
    assert await team_of(GET, Role.SERVICE, "", (TEAM_KEY, "")) == ""
    assert await team_of(GET, Role.SERVICE, "") is None


async def test_the_arena_is_the_same_for_all_callers() -> None:
    for team in ("", "red"):
        assert await team_of("libra.v1.ArenaService/ListEntries", Role.ADMIN, team) == ""


async def test_what_concerns_all_teams_is_refused_to_a_caller_of_one() -> None:
    method = "libra.v1.RoundService/OpenRound"
    assert await team_of(method, Role.ADMIN, "") is None
    with pytest.raises(PermissionDenied, match="belongs to the team red"):
        await team_of(method, Role.ADMIN, "red")


async def test_a_caller_whose_team_has_no_valid_name_is_refused() -> None:
    with pytest.raises(PermissionDenied, match="no name of a team"):
        await team_of(GET, Role.ADMIN, "*")


def open_guard(log: Log) -> Guard:
    return Guard(None, log.append)


@pytest.mark.parametrize(
    ("context", "name"),
    [
        (Context(), "anonymous:10.0.0.7"),
        (Context("ipv6:%5B::1%5D:4711"), "anonymous:::1"),
        (Context("unix:"), "anonymous:unix"),
        (Context(certificate=(b"ci.example", b"ci2.example")), "certificate:ci.example"),
    ],
    ids=["ipv4", "ipv6", "unix", "certificate"],
)
async def test_a_change_is_recorded_while_access_is_off(context: Any, name: str) -> None:
    assert await carry_out(open_guard(log := Log()), CANCEL, CancelRunRequest(id="r"), context=context) == ""
    assert log.results == ["STARTED", "OK"]
    assert {(entry.caller, entry.role, entry.resource) for entry in log.entries} == {(name, "none", "r")}


@pytest.mark.parametrize("method", [GET, "libra.v1.GatewayService/Complete", "other.Service/Method"])
async def test_other_calls_are_not_recorded_while_access_is_off(method: str) -> None:
    await carry_out(open_guard(log := Log()), method, GetRunRequest(), context=Context())
    assert log.results == []


async def test_a_change_that_cannot_be_recorded_is_not_made_while_access_is_off() -> None:
    with pytest.raises(Unavailable):
        await carry_out(open_guard(Log(fails_from=0)), CANCEL, CancelRunRequest(), AssertionError("made"), Context())
