"""Authenticate each call, check the policy, and record calls that change something."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

import grpc.aio
import structlog
from google.protobuf.message import Message

from libra.core.access import team_scope
from libra.core.errors import LibraError, PermissionDenied
from libra.rpc import call_context
from libra.rpc.access import caller as callers
from libra.rpc.access.caller import Caller, Role
from libra.rpc.access.policy import RULES, Rule
from libra.rpc.call_context import TEAM_KEY
from libra.rpc.errors import BUG_REASON, mapping_for
from libra.rpc.peer import peer_host
from libra.telemetry.log_actions import Action
from libra.v1.audit_log_pb2 import AuditEntry

log = structlog.get_logger(__name__)

STARTED = "STARTED"
"""The result of a call that is about to be carried out."""

REPLY = "reply."
MAX_RESOURCE_CHARACTERS = 200

Authenticate = Callable[[grpc.aio.ServicerContext], Awaitable[Caller]]
"""Returns who calls; raises Unauthenticated for a call without valid credentials."""

RecordEntry = Callable[[AuditEntry], Awaitable[None]]
"""Appends an entry to the audit log, and sets its position, its time and the hashes; raises Unavailable."""


@dataclass(slots=True)
class Admission:
    """One admitted call."""

    request: Any
    """The request for the handler, or the iterator of requests."""

    reply: Message | None = None
    """The reply; the interceptor sets it."""


class Guard:
    """Admits calls of callers that have the right to make them, and records those that change something.

    Without `authenticate` access is off: it admits every call.
    """

    def __init__(self, authenticate: Authenticate | None, record: RecordEntry) -> None:
        self._authenticate, self._record = authenticate, record

    @asynccontextmanager
    async def admit(self, method: str, context: grpc.aio.ServicerContext, request: Any) -> AsyncIterator[Admission]:
        """Surround the handler of one call of `method` ("libra.v1.RunService/GetRun").

        Raises Unauthenticated or PermissionDenied, and Unavailable if a call that must be recorded cannot be.
        """
        rule = RULES.get(method)
        if self._authenticate is None:
            # A service cannot be told from another caller, so calls that services make of each other are not recorded.
            if rule is None or not rule.is_audited or Role.SERVICE in rule.roles:
                yield Admission(request)
                return
            caller = anonymous(context)
        else:
            caller = await self._authenticate(context)
            callers.CURRENT.set(caller)
            if rule is None or caller.role not in rule.roles or (caller.team and not rule.is_for_teams):
                await self._deny(method, caller, rule, request)
            team_scope.enter(team_scope.SHARED if rule.is_about_shared else team_of_call(caller, context))
            # A call between services follows from a call that was recorded.
            if not rule.is_audited or caller.role is Role.SERVICE:
                yield Admission(request)
                return
        async with self._recorded(method, caller, rule, request, context) as admission:
            yield admission

    @asynccontextmanager
    async def _recorded(
        self, method: str, caller: Caller, rule: Rule, request: Any, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[Admission]:
        """Record the call before it is carried out, and its result after it."""
        record = CallRecord(method, caller, rule, request)
        await self._record(record.entry(STARTED))
        admission, result = Admission(record.request), BUG_REASON
        try:
            yield admission
            result = grpc.StatusCode.OK.name
        except grpc.aio.AbortError:
            result = context.code().name
            raise
        except (asyncio.CancelledError, GeneratorExit):
            result = grpc.StatusCode.CANCELLED.name
            raise
        except LibraError as error:
            mapping = mapping_for(error)
            result = mapping.code.name if mapping else BUG_REASON
            raise
        finally:
            await self._record_result(record.entry(result, admission.reply))

    async def _record_result(self, entry: AuditEntry) -> None:
        """Record a result. The call was carried out: if this fails, its first entry shows that it was started."""
        try:
            await self._record(entry)
        except LibraError as error:
            log.error(  # noqa: TRY400 - an outage, not a bug
                "the result of a call is not in the audit log",
                action=Action.AUDIT_ENTRY_LOST,
                method=entry.method,
                result=entry.result,
                reason=str(error),
            )

    async def _deny(self, method: str, caller: Caller, rule: Rule | None, request: Any) -> NoReturn:
        if rule is None or rule.is_audited:
            denied = grpc.StatusCode.PERMISSION_DENIED.name
            record = CallRecord(method, caller, rule or Rule(frozenset(), is_audited=True), request)
            await self._record_result(record.entry(denied))
        if rule and caller.role in rule.roles:
            raise PermissionDenied(
                f"{caller.name} belongs to the team {caller.team}; {method} concerns all teams, and is for callers "
                "without a team"
            )
        roles = ", ".join(sorted(rule.roles - {Role.SERVICE})) if rule else "nobody"
        raise PermissionDenied(f"{caller.name} has the role {caller.role}; {method} is for: {roles}")


def team_of_call(caller: Caller, context: grpc.aio.ServicerContext) -> str | None:
    """Return the team that a call works for; None for none. Only a service is believed if it names one.

    Raises PermissionDenied for a caller whose team has no valid name: such a team would own nothing and share nothing.
    """
    if caller.role is Role.SERVICE:
        metadata = context.invocation_metadata() or ()
        return next((str(value) for key, value in metadata if key == TEAM_KEY), None)
    if caller.team and not team_scope.NAME.fullmatch(caller.team):
        raise PermissionDenied(
            f"{caller.name} belongs to the team {caller.team!r}, which is no name of a team: use 1 to 64 lower-case "
            "letters, digits, dots, underscores and hyphens"
        )
    return caller.team or None


def anonymous(context: grpc.aio.ServicerContext) -> Caller:
    """Return the caller of a call that needs no token: by a name in its certificate or, without one, by its address."""
    names = sorted(value.decode(errors="replace") for value in context.peer_identities() or ())
    return Caller(f"certificate:{names[0]}" if names else f"anonymous:{peer_host(context)}", Role.NONE)


class CallRecord:
    """Collects what the audit log says of a call."""

    def __init__(self, method: str, caller: Caller, rule: Rule, request: Any = None) -> None:
        self._method, self._caller, self._rule = method, caller, rule
        self._hash, self._is_hashed, self._resource = hashlib.sha256(), False, ""
        self.request = request
        if isinstance(request, Message):
            self._observe(request)
            self._is_hashed = True
        elif request is not None and hasattr(request, "__aiter__"):
            self.request = self._observed(request)

    def entry(self, result: str, reply: Message | None = None) -> AuditEntry:
        """Return the entry with this result; the log sets its position, its time and the hashes."""
        path = self._rule.resource
        if reply is not None and path.startswith(REPLY):
            self._resource = field_text(reply, path.removeprefix(REPLY))
        return AuditEntry(
            caller=self._caller.name,
            role=self._caller.role,
            team=self._caller.team,
            method=self._method,
            resource=self._resource,
            request_hash=self._hash.hexdigest() if self._is_hashed else "",
            result=result,
            request_id=call_context.request_id(),
        )

    def _observe(self, request: Message) -> None:
        data = request.SerializeToString(deterministic=True)
        self._hash.update(len(data).to_bytes(8, "big") + data)
        path = self._rule.resource
        if not self._resource and not path.startswith(REPLY):
            self._resource = field_text(request, path)

    async def _observed(self, requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
        async for request in requests:
            if isinstance(request, Message):
                self._observe(request)
            yield request
        self._is_hashed = True


def field_text(message: Message, path: str) -> str:
    """Return the value at a path of fields, "model.name", as printable text of limited length; "" for no path."""
    value: Any = message
    for name in filter(None, path.split(".")):
        value = getattr(value, name)
    if isinstance(value, Message):
        return ""
    return "".join(each for each in str(value) if each.isprintable())[:MAX_RESOURCE_CHARACTERS]
