"""Translate errors to a gRPC status and back; nothing else in Libra does.

A status carries exactly one `google.rpc.ErrorInfo` of the domain "libra", whose reason says which error it was, and for a
fault of the caller's that has a field, one `BadRequest` violation that names it.
"""

from __future__ import annotations

from dataclasses import dataclass

import grpc
import grpc.aio
from google.rpc import error_details_pb2, status_pb2

from libra.errors import CallerError, Conflict, FailedPrecondition, Invalid, LibraError, NotFound, Unavailable
from libra.rpc.channel_options import MAX_MESSAGE_CHARACTERS

DOMAIN = "libra"
DETAILS_KEY = "grpc-status-details-bin"
BUG = "INTERNAL"


@dataclass(frozen=True, slots=True)
class ErrorMapping:
    """One error as the wire has it."""

    error: type[CallerError | Unavailable]
    reason: str
    code: grpc.StatusCode


ERROR_MAPPINGS = (
    ErrorMapping(Invalid, "INVALID", grpc.StatusCode.INVALID_ARGUMENT),
    ErrorMapping(NotFound, "NOT_FOUND", grpc.StatusCode.NOT_FOUND),
    ErrorMapping(Conflict, "CONFLICT", grpc.StatusCode.ALREADY_EXISTS),
    ErrorMapping(FailedPrecondition, "NOT_NOW", grpc.StatusCode.FAILED_PRECONDITION),
    ErrorMapping(Unavailable, "UNAVAILABLE", grpc.StatusCode.UNAVAILABLE),
)
MAY_PASS = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
}


class RemoteFault(LibraError):
    """The service that was called has a bug; its log has the details, under the request id in the message."""


def kind_of(error: BaseException) -> ErrorMapping | None:
    """Return what `error` is on the wire; None if it is a bug."""
    return next((kind for kind in ERROR_MAPPINGS if isinstance(error, kind.error)), None)


def to_status(error: BaseException, request_id: str) -> status_pb2.Status:
    """Return the status for `error`. Of a bug it says the request id and nothing of what is inside."""
    kind, field = kind_of(error), ""
    if kind is None:
        reason, code = BUG, grpc.StatusCode.INTERNAL
        text = f"a fault inside the service; its log tells more under the request id {request_id}"
    else:
        reason, code, text = kind.reason, kind.code, shortened(str(error))
        field = shortened(error.field) if isinstance(error, CallerError) else ""
    status = status_pb2.Status(code=code.value[0], message=text)
    info = error_details_pb2.ErrorInfo(reason=reason, domain=DOMAIN, metadata={"request_id": request_id})
    status.details.add().Pack(info)
    if field:
        violation = error_details_pb2.BadRequest.FieldViolation(field=field, description=text)
        status.details.add().Pack(error_details_pb2.BadRequest(field_violations=[violation]))
    return status


def shortened(text: str) -> str:
    """Return `text` as UTF-8 can carry it, cut behind MAX_MESSAGE_CHARACTERS."""
    sound = text.encode(errors="replace").decode()
    return sound if len(sound) <= MAX_MESSAGE_CHARACTERS else f"{sound[: MAX_MESSAGE_CHARACTERS - 1]}…"


def from_rpc_error(error: grpc.aio.AioRpcError, method: str) -> LibraError:
    """Return the error that the service `method` belongs to has raised, or what kept the call from it."""
    text = error.details() or error.code().name
    status = _status(error)
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details:
        if not detail.Unpack(info):
            detail.Unpack(bad)
    field = bad.field_violations[0].field if bad.field_violations else ""
    for kind in ERROR_MAPPINGS:
        if (info.domain == DOMAIN and info.reason == kind.reason) or (not info.domain and error.code() == kind.code):
            return _rebuilt(kind, text, field, method, ours=bool(info.domain))
    if not info.domain and "message larger than max" in text:
        return Invalid(f"{method}: {text}; send less at once, or ask for a smaller page")
    if not info.domain and error.code() in MAY_PASS:
        return Unavailable(f"{method} has no answer ({error.code().name}: {text}); try again")
    return RemoteFault(f"{method}: {text} ({error.code().name})")


def _rebuilt(kind: ErrorMapping, text: str, field: str, method: str, *, ours: bool) -> LibraError:
    if issubclass(kind.error, CallerError):
        return kind.error(text, field=field)
    return Unavailable(
        text if ours else f"{method} cannot be reached: is the service up and ready, and its address right? ({text})"
    )


def _status(error: grpc.aio.AioRpcError) -> status_pb2.Status:
    """Return the rich status that travels in the trailing metadata, or an empty one."""
    for key, value in error.trailing_metadata() or ():
        if key == DETAILS_KEY:
            return status_pb2.Status.FromString(value)
    return status_pb2.Status()
