"""The blocking connection of backups and restores."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pymongo import MongoClient
from pymongo.errors import ConfigurationError, InvalidURI

from libra.core.settings import InvalidSettings
from libra.store.error_translation import ErrorTranslator

TIMEOUT_MILLISECONDS = 5_000
SOCKET_MILLISECONDS = 600_000
"""The creation of an index on many documents takes minutes."""


@contextmanager
def connect(url: str) -> Iterator[MongoClient[Any]]:
    """Yield a client whose writes are durable; raise InvalidSettings for a wrong URL, and Unavailable."""
    try:
        client: MongoClient[Any] = MongoClient(
            url,
            appname="libra-backup",
            w="majority",
            journal=True,
            readConcernLevel="majority",
            serverSelectionTimeoutMS=TIMEOUT_MILLISECONDS,
            connectTimeoutMS=TIMEOUT_MILLISECONDS,
            socketTimeoutMS=SOCKET_MILLISECONDS,
            tz_aware=True,
        )
    except (InvalidURI, ConfigurationError, ValueError) as error:
        raise InvalidSettings(f"LIBRA_MONGO_URL is not a connection string of MongoDB: {error}") from None
    with client, ErrorTranslator(url)():
        yield client
