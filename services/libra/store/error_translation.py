"""Translates errors of pymongo into `libra.core.errors.Unavailable`: no other package handles errors of pymongo."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit

from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    ExecutionTimeout,
    NetworkTimeout,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WTimeoutError,
)

from libra.core.errors import Unavailable
from libra.store.documents.proto_documents import Document

if TYPE_CHECKING:
    from motor.motor_asyncio import AsyncIOMotorClientSession, AsyncIOMotorDatabase

# In quotes, since Motor's classes take no parameters at run time.
Database: TypeAlias = "AsyncIOMotorDatabase[Document]"
Session: TypeAlias = "AsyncIOMotorClientSession"

DUPLICATE_KEY = 11000
ILLEGAL_OPERATION = 20
"""The answer of a mongod that is not a member of a replica set to a transaction."""

OUT_OF_DISK_SPACE = 14031
NO_SPACE = "No space left on device"
"""Message of mongod, under an unspecific code, when its file system is full. mongod ends soon after."""

ACCESS_DENIED = frozenset({13, 18})
"""Unauthorized and AuthenticationFailed."""

TRANSIENT_LABELS = ("TransientTransactionError", "RetryableWriteError", "UnknownTransactionCommitResult")
MAX_DRIVER_MESSAGE_CHARACTERS = 200


class ErrorTranslator:
    """Translates every error that is not a bug of this package into `Unavailable`."""

    def __init__(self, url: str) -> None:
        self.address = extract_hosts(url)
        self.observer: Callable[[], None] = lambda: None
        """Called for each error that is translated."""

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Run the body of the `with` statement; raise Unavailable for a fault of the connection or the server."""
        try:
            yield
        except PyMongoError as error:
            explanation = _explain(error)
            if explanation is None:
                raise
            self.observer()
            raise Unavailable(f"MongoDB at {self.address} {explanation}") from error


def extract_hosts(url: str) -> str:
    """Return the hosts and ports of a connection string, without its user, password and options."""
    return urlsplit(url).netloc.rpartition("@")[2]


def is_duplicate(error: PyMongoError) -> bool:
    """Return whether a write failed only because documents with these keys exist already."""
    if isinstance(error, BulkWriteError):
        details: dict[str, Any] = dict(error.details or {})
        write_errors = details.get("writeErrors", [])
        return (
            bool(write_errors)
            and not details.get("writeConcernErrors")
            and all(write_error["code"] == DUPLICATE_KEY for write_error in write_errors)
        )
    return isinstance(error, OperationFailure) and error.code == DUPLICATE_KEY


def is_write_conflict(error: OperationFailure) -> bool:
    """Return whether a transaction failed only because another one was faster: it can be run again from its start."""
    return error.has_error_label("TransientTransactionError") or is_duplicate(error)


def _explain(error: PyMongoError) -> str | None:
    """Return what happened and how to remedy it; None if the error is a bug of this package."""
    if isinstance(error, OperationFailure) and (refusal := _explain_refusal(error)):
        return refusal
    if isinstance(error, ServerSelectionTimeoutError):
        return f"cannot be reached: check that it runs and that LIBRA_MONGO_URL names it ({_driver_message(error)})"
    if isinstance(error, NetworkTimeout | ExecutionTimeout | WTimeoutError):
        advice = "check its load, its disk and that a majority of its members is up"
        return f"took too long to answer: {advice} ({_driver_message(error)})"
    if isinstance(error, ConnectionFailure) or _is_transient(error):
        advice = "it is restarting, electing a primary or cut off; try again"
        return f"could not finish a request: {advice} ({_driver_message(error)})"
    return None


def _explain_refusal(error: OperationFailure) -> str:
    """Return why the server refuses what is asked of it, if an operator can change that; "" otherwise."""
    if error.code in ACCESS_DENIED:
        return "refuses our credentials: check the user, the password and its roles in LIBRA_MONGO_URL"
    if error.code == ILLEGAL_OPERATION:
        return "has no transactions: start it as a replica set (--replSet, and once rs.initiate())"
    if error.code == OUT_OF_DISK_SPACE or NO_SPACE in str(error):
        return "has no space left on its disk: free space there; work goes on by itself once mongod runs again"
    return ""


def _is_transient(error: PyMongoError) -> bool:
    if isinstance(error, BulkWriteError) and (error.details or {}).get("writeConcernErrors"):
        return True
    return error.timeout or any(error.has_error_label(label) for label in TRANSIENT_LABELS)


def _driver_message(error: PyMongoError) -> str:
    """Return the beginning of the message of pymongo. It names hosts, never credentials."""
    return f"{type(error).__name__}: {str(error)[:MAX_DRIVER_MESSAGE_CHARACTERS]}"
