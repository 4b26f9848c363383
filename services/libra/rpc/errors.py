"""Translate Libra's errors to a gRPC status and back.

A status carries exactly one `google.rpc.ErrorInfo` of the domain "libra", whose reason identifies the error. For a
CallerError with a field it also carries one `BadRequest` violation that names the field, and for LimitReached a
`RetryInfo` with the time to wait.
"""

from __future__ import annotations

from dataclasses import dataclass

import grpc
import grpc.aio
from google.rpc import error_details_pb2, status_pb2

from libra.core.errors import (
    CallerError,
    Conflict,
    FailedPrecondition,
    Invalid,
    LibraError,
    LimitReached,
    NotFound,
    PermissionDenied,
    Unauthenticated,
    Unavailable,
)
from libra.rpc.channel_options import MAX_MESSAGE_CHARACTERS

DOMAIN = "libra"
DETAILS_KEY = "grpc-status-details-bin"
BUG_REASON = "INTERNAL"


@dataclass(frozen=True, slots=True)
class ErrorMapping:
    """The wire form of one error class."""

    error: type[CallerError | Unavailable]
    reason: str
    code: grpc.StatusCode


ERROR_MAPPINGS = (
    ErrorMapping(Invalid, "INVALID", grpc.StatusCode.INVALID_ARGUMENT),
    ErrorMapping(NotFound, "NOT_FOUND", grpc.StatusCode.NOT_FOUND),
    ErrorMapping(Conflict, "CONFLICT", grpc.StatusCode.ALREADY_EXISTS),
    ErrorMapping(FailedPrecondition, "NOT_NOW", grpc.StatusCode.FAILED_PRECONDITION),
    ErrorMapping(Unauthenticated, "UNAUTHENTICATED", grpc.StatusCode.UNAUTHENTICATED),
    ErrorMapping(PermissionDenied, "PERMISSION_DENIED", grpc.StatusCode.PERMISSION_DENIED),
    ErrorMapping(LimitReached, "LIMIT_REACHED", grpc.StatusCode.RESOURCE_EXHAUSTED),
    ErrorMapping(Unavailable, "UNAVAILABLE", grpc.StatusCode.UNAVAILABLE),
)
TRANSIENT_CODES = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
}


class RemoteFault(LibraError):
    """The called service failed on a bug; its log has the details under the request id in the message."""


def mapping_for(error: BaseException) -> ErrorMapping | None:
    """Return the wire form of `error`; None for a bug."""
    return next((mapping for mapping in ERROR_MAPPINGS if isinstance(error, mapping.error)), None)


def to_status(error: BaseException, request_id: str) -> status_pb2.Status:
    """Return the status for `error`. For a bug it names the request id and no internals."""
    mapping, field = mapping_for(error), ""
    if mapping is None:
        reason, code = BUG_REASON, grpc.StatusCode.INTERNAL
        text = f"the service failed on a bug; its log has the details under the request id {request_id}"
    else:
        reason, code, text = mapping.reason, mapping.code, truncated(str(error))
        field = truncated(error.field) if isinstance(error, CallerError) else ""
    status = status_pb2.Status(code=code.value[0], message=text)
    info = error_details_pb2.ErrorInfo(reason=reason, domain=DOMAIN, metadata={"request_id": request_id})
    status.details.add().Pack(info)
    if field:
        violation = error_details_pb2.BadRequest.FieldViolation(field=field, description=text)
        status.details.add().Pack(error_details_pb2.BadRequest(field_violations=[violation]))
    if isinstance(error, LimitReached):
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromNanoseconds(round(error.retry_after_seconds * 1e9))
        status.details.add().Pack(retry)
    return status


def truncated(text: str) -> str:
    """Return `text` as valid UTF-8, truncated to MAX_MESSAGE_CHARACTERS."""
    valid = text.encode(errors="replace").decode()
    return valid if len(valid) <= MAX_MESSAGE_CHARACTERS else f"{valid[: MAX_MESSAGE_CHARACTERS - 1]}…"


def from_rpc_error(error: grpc.aio.AioRpcError, method: str) -> LibraError:
    """Return the error that the service raised in `method`, or the error for a call that did not reach it."""
    text = error.details() or error.code().name
    status = _status(error)
    info, bad, retry = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
    for detail in status.details:
        any(detail.Unpack(known) for known in (info, bad, retry))
    field = bad.field_violations[0].field if bad.field_violations else ""
    if info.domain == DOMAIN and info.reason == "LIMIT_REACHED":
        return LimitReached(text, field=field, retry_after_seconds=retry.retry_delay.ToNanoseconds() / 1e9)
    for mapping in ERROR_MAPPINGS:
        if (info.domain == DOMAIN and info.reason == mapping.reason) or (
            not info.domain and error.code() == mapping.code and mapping.error is not LimitReached
        ):
            return _rebuild(mapping, text, field, method, from_libra=bool(info.domain))
    if not info.domain and "message larger than max" in text:
        return Invalid(f"{method}: {text}; send a smaller request, or ask for a smaller page")
    if not info.domain and error.code() in TRANSIENT_CODES:
        return Unavailable(f"{method} got no reply ({error.code().name}: {text}); try again")
    return RemoteFault(f"{method}: {text} ({error.code().name})")


def _rebuild(mapping: ErrorMapping, text: str, field: str, method: str, *, from_libra: bool) -> LibraError:
    if issubclass(mapping.error, CallerError):
        return mapping.error(text, field=field)
    if from_libra:
        return Unavailable(text)
    return Unavailable(
        f"{method} cannot be reached; check that the service is up and ready and that its address is right ({text})"
    )


def _status(error: grpc.aio.AioRpcError) -> status_pb2.Status:
    """Return the rich status from the trailing metadata, or an empty one."""
    for key, value in error.trailing_metadata() or ():
        if key == DETAILS_KEY:
            return status_pb2.Status.FromString(value)
    return status_pb2.Status()
