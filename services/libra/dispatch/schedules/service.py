"""ScheduleService: create, read, pause, trigger and delete schedules, and list their firings."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime

import grpc.aio
import structlog
from google.protobuf.timestamp_pb2 import Timestamp
from ulid import ULID

from libra.core.access import team_scope
from libra.core.errors import CallerError, Conflict, FailedPrecondition, Invalid, NotFound
from libra.dispatch.schedules.cron import CronTimes
from libra.dispatch.schedules.firing_ids import trigger_id
from libra.dispatch.schedules.template import MODEL, fill, has_placeholder
from libra.dispatch.schedules.validation import check_schedule
from libra.rpc import paging
from libra.store.client import Store
from libra.store.continuous.schedules import FiringPosition, ScheduleRecord, date_of
from libra.store.documents.create_time import now
from libra.telemetry.log_actions import Action
from libra.v1 import schedule_pb2_grpc
from libra.v1.run_pb2 import RunSpec
from libra.v1.schedule_pb2 import (
    CreateScheduleRequest,
    CreateScheduleResponse,
    DeleteScheduleRequest,
    DeleteScheduleResponse,
    Firing,
    FiringCause,
    FiringState,
    GetScheduleRequest,
    GetScheduleResponse,
    ListFiringsRequest,
    ListFiringsResponse,
    ListSchedulesRequest,
    ListSchedulesResponse,
    MissedPolicy,
    OverlapPolicy,
    PauseScheduleRequest,
    PauseScheduleResponse,
    ResumeScheduleRequest,
    ResumeScheduleResponse,
    Schedule,
    TriggerScheduleRequest,
    TriggerScheduleResponse,
)

log = structlog.get_logger(__name__)

NEXT_TIMES = 5
TOKEN_BYTES = 32
MAX_REQUEST_ID_CHARACTERS = 64
MAX_NAMES = 1000
"""Names that are searched for the nearest one to an unknown name."""

CheckSpec = Callable[[RunSpec], Awaitable[Sequence[str]]]
"""Raises a CallerError unless a run could be created from the spec now; returns the warnings about it."""


class ScheduleService(schedule_pb2_grpc.ScheduleServiceServicer):
    """Maintains the schedules; the worker of any replica fires them."""

    def __init__(self, store: Store, check_spec: CheckSpec, clock: Callable[[], datetime] = now) -> None:
        self._store, self._check_spec, self._clock = store, check_spec, clock
        self._page_tokens = paging.PageTokens(store.load_page_token_key)

    async def CreateSchedule(
        self, request: CreateScheduleRequest, context: grpc.aio.ServicerContext
    ) -> CreateScheduleResponse:
        """Check the schedule and its template, and store it unless only a preview is wanted."""
        schedule = requested_schedule(request.schedule)
        times = check_schedule(schedule)
        schedule.team = team_scope.owner_of_new(schedule.team, field="schedule.team")
        with team_scope.acting_for(schedule.team):
            warnings = await self._check_template(schedule)
        schedule.id = str(ULID())
        moment = self._clock()
        schedule.start_time.FromDatetime(moment)
        next_times = times.list_next(moment, NEXT_TIMES) if times else []
        if next_times:
            schedule.next_time.FromDatetime(next_times[0])
        response = CreateScheduleResponse(next_times=timestamps(next_times), warnings=warnings)
        if request.preview:
            response.schedule.CopyFrom(schedule)
            return response
        token = secrets.token_urlsafe(TOKEN_BYTES) if schedule.on_trigger else ""
        try:
            record = await self._store.schedules.insert(ScheduleRecord(schedule, hash_token(token) if token else ""))
        except Conflict:
            if await self._store.schedules.get(schedule.name) is None:
                raise
            record = await self._repeated(schedule)
            response.schedule.CopyFrom(record.schedule)
            return response
        log.info("a schedule was created", action=Action.SCHEDULE_CREATED, schedule=schedule.name)
        response.schedule.CopyFrom(record.schedule)
        response.trigger_token = token
        return response

    async def GetSchedule(self, request: GetScheduleRequest, context: grpc.aio.ServicerContext) -> GetScheduleResponse:
        """Return one schedule with its next times."""
        schedule = (await self._record(request.name)).schedule
        times = [] if schedule.paused or not schedule.cron else _times(schedule).list_next(self._clock(), NEXT_TIMES)
        return GetScheduleResponse(schedule=schedule, next_times=timestamps(times))

    async def ListSchedules(
        self, request: ListSchedulesRequest, context: grpc.aio.ServicerContext
    ) -> ListSchedulesResponse:
        """Return a page of schedules."""
        size = paging.page_size(request.page_size, default=50, maximum=500)
        after = await self._page_tokens.decode(request.page_token, "schedules")
        records = await self._store.schedules.list(after=after, limit=size + 1)
        has_more = len(records) > size
        token = await self._page_tokens.encode(records[size - 1].schedule.name, "schedules") if has_more else ""
        return ListSchedulesResponse(schedules=[each.schedule for each in records[:size]], next_page_token=token)

    async def PauseSchedule(
        self, request: PauseScheduleRequest, context: grpc.aio.ServicerContext
    ) -> PauseScheduleResponse:
        """Pause a schedule."""
        await self._store.schedules.pause((await self._changeable(request.name)).schedule)
        return PauseScheduleResponse(schedule=(await self._record(request.name)).schedule)

    async def ResumeSchedule(
        self, request: ResumeScheduleRequest, context: grpc.aio.ServicerContext
    ) -> ResumeScheduleResponse:
        """Resume a schedule from its next time on."""
        schedule, moment = (await self._changeable(request.name)).schedule, self._clock()
        next_time = _times(schedule).next_after(moment) if schedule.cron else None
        await self._store.schedules.resume(schedule, moment, next_time)
        return ResumeScheduleResponse(schedule=(await self._record(request.name)).schedule)

    async def DeleteSchedule(
        self, request: DeleteScheduleRequest, context: grpc.aio.ServicerContext
    ) -> DeleteScheduleResponse:
        """Delete a schedule."""
        await self._changeable(request.name)
        await self._store.schedules.delete(request.name)
        log.info("a schedule was deleted", action=Action.SCHEDULE_DELETED, schedule=request.name)
        return DeleteScheduleResponse()

    async def TriggerSchedule(
        self, request: TriggerScheduleRequest, context: grpc.aio.ServicerContext
    ) -> TriggerScheduleResponse:
        """Store a firing; the worker creates its run."""
        record = await self._changeable(request.name)
        schedule = record.schedule
        check_trigger(record, request)
        with team_scope.acting_for(schedule.team):
            await self._check_model(request.model)
        firing = Firing(
            id=trigger_id(schedule, request.request_id or str(ULID())),
            schedule=schedule.name,
            schedule_id=schedule.id,
            cause=FiringCause.FIRING_CAUSE_TRIGGER,
            model=request.model,
            state=FiringState.FIRING_STATE_PENDING,
            team=schedule.team,
        )
        firing.time.FromDatetime(self._clock())
        if await self._store.firings.insert(firing):
            return TriggerScheduleResponse(firing=firing)
        first = await self._store.firings.get(firing.id)
        if first is not None and first.model != firing.model:
            raise Conflict("it was used for another request; send a new request_id", field="request_id")
        return TriggerScheduleResponse(firing=first)

    async def ListFirings(self, request: ListFiringsRequest, context: grpc.aio.ServicerContext) -> ListFiringsResponse:
        """Return a page of firings."""
        size, scope = paging.page_size(request.page_size, default=50, maximum=500), f"firings/{request.schedule}"
        before = _position(await self._page_tokens.decode(request.page_token, scope))
        firings = await self._store.firings.list(schedule=request.schedule, before=before, limit=size + 1)
        if request.schedule and not firings:
            await self._record(request.schedule, field="schedule")
        last = firings[size - 1] if len(firings) > size else None
        token = await self._page_tokens.encode(f"{last.time.ToMilliseconds()}/{last.id}", scope) if last else ""
        return ListFiringsResponse(firings=firings[:size], next_page_token=token)

    async def _check_template(self, schedule: Schedule) -> Sequence[str]:
        """Return the warnings about the template; raise a CallerError if no run could be created from it now."""
        model = ""
        if has_placeholder(schedule.template):
            models = await self._store.models.list()
            if not models:
                raise FailedPrecondition("register a model first: without one, no template can be checked")
            model = models[0].name
        try:
            return await self._check_spec(fill(schedule.template, model, schedule.name))
        except CallerError as error:
            field = error.field.replace("spec", "schedule.template", 1) or "schedule.template"
            raise type(error)(error.message, field=field) from error

    async def _repeated(self, schedule: Schedule) -> ScheduleRecord:
        """Return the stored schedule if it has the same content; raise Conflict."""
        record = await self._record(schedule.name)
        stored = requested_schedule(record.schedule)
        stored.paused = schedule.paused
        if stored != requested_schedule(schedule):
            raise Conflict(
                f"a schedule {schedule.name!r} exists with another content: delete it first "
                f"(`libra schedule delete {schedule.name}`), or use another name",
                field="schedule.name",
            )
        return record

    async def _check_model(self, name: str) -> None:
        """Raise NotFound for the name of a model that a run of the schedule does not see."""
        if name and await self._store.models.get(name) is None:
            names = [model.name for model in await self._store.models.list()]
            raise NotFound.named("model", name, names, field="model")

    async def _changeable(self, name: str) -> ScheduleRecord:
        record = await self._record(name)
        team_scope.require_change(record.schedule.team, f"the schedule {name}")
        return record

    async def _record(self, name: str, *, field: str = "name") -> ScheduleRecord:
        record = await self._store.schedules.get(name)
        if record is None:
            names = [each.schedule.name for each in await self._store.schedules.list(limit=MAX_NAMES)]
            raise NotFound.named("schedule", name, names, field=field)
        return record


def requested_schedule(schedule: Schedule) -> Schedule:
    """Return a copy with the defaults filled in and without the fields that the service sets."""
    copy = Schedule()
    copy.CopyFrom(schedule)
    for name in ("id", "create_time", "start_time", "next_time"):
        copy.ClearField(name)
    copy.paused = False
    copy.overlap = copy.overlap or OverlapPolicy.OVERLAP_POLICY_SKIP
    copy.missed = copy.missed or MissedPolicy.MISSED_POLICY_SKIP
    return copy


def check_trigger(record: ScheduleRecord, request: TriggerScheduleRequest) -> None:
    """Raise a CallerError unless the request may fire the schedule."""
    schedule = record.schedule
    if not record.token_hash:
        raise FailedPrecondition(
            f"the schedule {schedule.name} cannot be triggered: create it with on_trigger", field="name"
        )
    if not hmac.compare_digest(hash_token(request.token), record.token_hash):
        raise Invalid("it is not the token of this schedule", field="token")
    if schedule.paused:
        raise FailedPrecondition(f"the schedule {schedule.name} is paused; resume it first", field="name")
    if len(request.request_id) > MAX_REQUEST_ID_CHARACTERS:
        raise Invalid(f"it has more than {MAX_REQUEST_ID_CHARACTERS} characters", field="request_id")
    if has_placeholder(schedule.template) and not request.model:
        raise Invalid(f"name the model that {MODEL} in the template stands for", field="model")
    if request.model and not has_placeholder(schedule.template):
        raise Invalid(f"the template has no {MODEL} that it could stand for", field="model")


def hash_token(token: str) -> str:
    """Return the hash that is stored of a token. A token is random, so that its hash needs no salt."""
    return hashlib.sha256(token.encode()).hexdigest()


def timestamps(times: Iterable[datetime]) -> list[Timestamp]:
    """Return times as the API has them."""
    found = []
    for time in times:
        found.append(Timestamp())
        found[-1].FromDatetime(time)
    return found


def _times(schedule: Schedule) -> CronTimes:
    return CronTimes(schedule.cron, schedule.zone)


def _position(text: str) -> FiringPosition | None:
    """Return the place that a page token names; None for the first page."""
    if not text:
        return None
    milliseconds, _, name = text.partition("/")
    stamp = Timestamp()
    stamp.FromMilliseconds(int(milliseconds))
    return FiringPosition(date_of(stamp), name)
