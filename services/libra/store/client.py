"""The store: one connection to MongoDB, with one object for each collection."""

from __future__ import annotations

import contextlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pymongo
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import ConfigurationError, DuplicateKeyError, InvalidURI

from libra.core.errors import Unavailable
from libra.core.settings import InvalidSettings
from libra.store import indexes
from libra.store.calibrations import CalibrationCollection
from libra.store.capabilities import CapabilityCollection
from libra.store.cells import CellCollection
from libra.store.commit.mongo_transaction import BUCKETS
from libra.store.completions import CompletionCollection
from libra.store.costs import CostReader
from libra.store.error_translation import Database, ErrorTranslator
from libra.store.models import ModelCollection
from libra.store.proto_documents import Document
from libra.store.runs import RunCollection
from libra.store.sample_sums import SampleSumsCollection
from libra.store.tasks import TaskCollection
from libra.store.verdicts import VerdictCollection

if TYPE_CHECKING:
    from typing import Self

PAGE_TOKENS = "page_tokens"
"""The id of the document with the key of page tokens."""

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """The limits of a connection to MongoDB."""

    server_selection_milliseconds: int = 5_000
    """A server that can serve the request must be found within this time, or the request fails."""

    connect_milliseconds: int = 5_000
    """A connection must be made within this time."""

    socket_milliseconds: int = 60_000
    """A server that does not respond within this time counts as dead: the largest insert of an import takes seconds."""

    majority_milliseconds: int = 20_000
    """A write that has not reached a majority within this time is reported as failed, although it may be done."""

    ping_seconds: float = 3.0
    """The time limit of a ping: pings are frequent, and must not pile up on a server that hangs."""

    max_connections: int = 32
    """Motor uses fewer threads."""


class Store:
    """Gives the services access to every collection. It connects at the first request, not before."""

    def __init__(
        self,
        client: AsyncIOMotorClient[Document],
        database: Database,
        translate_errors: ErrorTranslator,
        *,
        bucket: int,
        ping_seconds: float,
    ) -> None:
        self._client = client
        self._ping_seconds = ping_seconds
        self._database = database
        self._translate_errors = translate_errors
        self.tasks = TaskCollection(database, translate_errors)
        self.models = ModelCollection(database, translate_errors)
        self.runs = RunCollection(database, translate_errors)
        self.completions = CompletionCollection(database, translate_errors)
        self.capabilities = CapabilityCollection(database, translate_errors)
        self.cells = CellCollection(database, translate_errors)
        self.calibrations = CalibrationCollection(database, translate_errors)
        self.costs = CostReader(database, translate_errors)
        self.sample_sums = SampleSumsCollection(database, translate_errors)
        self.verdicts = VerdictCollection(database, translate_errors, bucket)

    @classmethod
    def connect(
        cls,
        url: str,
        database: str = "libra",
        *,
        settings: StoreSettings | None = None,
        bucket: int | None = None,
    ) -> Self:
        """Return a store on `url` without connecting; raise InvalidSettings if `url` is not a connection string.

        `bucket` is this writer's bucket of each cell, random by default: two writers with the same bucket slow each
        other down, but both are correct.
        """
        limits = settings or StoreSettings()
        try:
            client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
                url,
                appname="libra",
                w="majority",
                journal=True,
                readConcernLevel="majority",
                wTimeoutMS=limits.majority_milliseconds,
                serverSelectionTimeoutMS=limits.server_selection_milliseconds,
                connectTimeoutMS=limits.connect_milliseconds,
                socketTimeoutMS=limits.socket_milliseconds,
                maxPoolSize=limits.max_connections,
                tz_aware=True,
                uuidRepresentation="standard",
            )
        except (InvalidURI, ConfigurationError, ValueError) as error:
            raise InvalidSettings(f"LIBRA_MONGO_URL is not a connection string of MongoDB: {error}") from None
        own_bucket = secrets.randbelow(BUCKETS) if bucket is None else bucket % BUCKETS
        return cls(client, client[database], ErrorTranslator(url), bucket=own_bucket, ping_seconds=limits.ping_seconds)

    async def ping(self) -> None:
        """Raise Unavailable, within a few seconds, unless MongoDB accepts writes now."""
        with self._translate_errors(), pymongo.timeout(self._ping_seconds):
            await self._database.command("ping")

    async def ensure_indexes(self) -> None:
        """Create the collections and indexes that are missing."""
        with self._translate_errors():
            await indexes.ensure(self._database)

    async def load_page_token_key(self) -> bytes:
        """Return the key that all replicas sign page tokens with; the first call of all creates it."""
        collection, this = self._database[indexes.SECRETS], {"_id": PAGE_TOKENS}
        with self._translate_errors():
            document = await collection.find_one(this)
            if document is None:
                with contextlib.suppress(DuplicateKeyError):  # another replica was faster
                    await collection.insert_one(this | {"value": secrets.token_bytes(KEY_BYTES)})
                document = await collection.find_one(this)
        if document is None:
            raise Unavailable("the key of page tokens is not readable yet; try again")
        return bytes(document["value"])

    async def close(self) -> None:
        """Raise Unavailable in every caller that waits for a write, and close the connections."""
        await self.verdicts.close()
        await self.completions.close()
        self._client.close()
