"""The door of the room: what is beyond it knows nothing of pymongo."""

from __future__ import annotations

from collections.abc import Iterator
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

from libra.errors import Unavailable
from libra.store.proto_documents import Document

if TYPE_CHECKING:
    from motor.motor_asyncio import AsyncIOMotorClientSession, AsyncIOMotorDatabase

# In quotes, since Motor's classes take no parameters at run time.
Database: TypeAlias = "AsyncIOMotorDatabase[Document]"
Session: TypeAlias = "AsyncIOMotorClientSession"

DUPLICATE_KEY = 11000
NO_TRANSACTIONS = 20
"""IllegalOperation: what a mongod that is no member of a replica set says to a transaction."""

NOT_ALLOWED = frozenset({13, 18})
"""Unauthorized and AuthenticationFailed."""

PASSING_LABELS = ("TransientTransactionError", "RetryableWriteError", "UnknownTransactionCommitResult")
SHOWN_CHARACTERS = 200


class ErrorTranslator:
    """Translates every fault that is not a bug of ours into `Unavailable`."""

    def __init__(self, url: str) -> None:
        self.address = extract_hosts(url)

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Run a piece of work with the database; raise Unavailable for a fault of the connection or the server."""
        try:
            yield
        except PyMongoError as error:
            remedy = _remedy(error)
            if remedy is None:
                raise
            raise Unavailable(f"MongoDB at {self.address} {remedy}") from error


def extract_hosts(url: str) -> str:
    """Return the hosts and ports of a connection string, without its user, password and options."""
    return urlsplit(url).netloc.rpartition("@")[2]


def is_duplicate(error: PyMongoError) -> bool:
    """Return whether the only thing wrong is that what was to be written is there already."""
    if isinstance(error, BulkWriteError):
        details: dict[str, Any] = dict(error.details or {})
        faults = details.get("writeErrors", [])
        return (
            bool(faults) and not details.get("writeConcernErrors") and all(f["code"] == DUPLICATE_KEY for f in faults)
        )
    return isinstance(error, OperationFailure) and error.code == DUPLICATE_KEY


def is_write_conflict(error: OperationFailure) -> bool:
    """Return whether a transaction failed only because another one was faster: it may be run again from its start."""
    return error.has_error_label("TransientTransactionError") or is_duplicate(error)


def _remedy(error: PyMongoError) -> str | None:
    """Return what happened and what to do about it; None if `error` is a bug of ours."""
    if isinstance(error, OperationFailure) and error.code in NOT_ALLOWED:
        return "refuses our credentials: check the user, the password and its roles in LIBRA_MONGO_URL"
    if isinstance(error, OperationFailure) and error.code == NO_TRANSACTIONS:
        return "has no transactions: start it as a replica set (--replSet, and once rs.initiate())"
    if isinstance(error, ServerSelectionTimeoutError):
        return f"cannot be reached: check that it runs and that LIBRA_MONGO_URL names it ({_said(error)})"
    if isinstance(error, NetworkTimeout | ExecutionTimeout | WTimeoutError):
        return f"took too long to answer: check its load, its disk and that a majority of its members is up ({_said(error)})"
    if isinstance(error, ConnectionFailure) or _is_passing(error):
        return f"could not finish a request: it is restarting, electing or cut off; try again ({_said(error)})"
    return None


def _is_passing(error: PyMongoError) -> bool:
    if isinstance(error, BulkWriteError) and (error.details or {}).get("writeConcernErrors"):
        return True
    return error.timeout or any(error.has_error_label(label) for label in PASSING_LABELS)


def _said(error: PyMongoError) -> str:
    """Return the beginning of pymongo's own words; they name hosts, never credentials."""
    return f"{type(error).__name__}: {str(error)[:SHOWN_CHARACTERS]}"
