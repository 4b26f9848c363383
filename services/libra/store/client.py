"""The way into the room: one client, one object a collection."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pymongo
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import ConfigurationError, InvalidURI

from libra.settings import BadSettings
from libra.store import indexes
from libra.store.calibrations import CalibrationCollection
from libra.store.capabilities import CapabilityCollection
from libra.store.cells import CellCollection
from libra.store.commit.transaction import BUCKETS
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


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """The limits of a connection to MongoDB."""

    server_selection_milliseconds: int = 5_000
    """A server that can take the request is found within this, or the request fails."""

    connect_milliseconds: int = 5_000
    """A connection is made within this."""

    socket_milliseconds: int = 60_000
    """A server that says nothing for so long is taken for dead: an import's largest insert takes seconds."""

    majority_milliseconds: int = 20_000
    """A write that has not reached a majority by then is reported as not done, although it may be."""

    ping_seconds: float = 3.0
    """A ping takes no longer, whatever else may: it is asked often, and must not pile up on a server that hangs."""

    max_connections: int = 32
    """Open at once, at most; Motor's threads are fewer."""


class Store:
    """MongoDB as the services see it. Connects at the first request, not before."""

    def __init__(
        self,
        client: AsyncIOMotorClient[Document],
        database: Database,
        door: ErrorTranslator,
        *,
        bucket: int,
        ping_seconds: float,
    ) -> None:
        self._client = client
        self._ping_seconds = ping_seconds
        self._database = database
        self._door = door
        self.tasks = TaskCollection(database, door)
        self.models = ModelCollection(database, door)
        self.runs = RunCollection(database, door)
        self.completions = CompletionCollection(database, door)
        self.capabilities = CapabilityCollection(database, door)
        self.cells = CellCollection(database, door)
        self.calibrations = CalibrationCollection(database, door)
        self.costs = CostReader(database, door)
        self.sample_sums = SampleSumsCollection(database, door)
        self.verdicts = VerdictCollection(database, door, bucket)

    @classmethod
    def connect(
        cls,
        url: str,
        database: str = "libra",
        *,
        settings: StoreSettings | None = None,
        bucket: int | None = None,
    ) -> Self:
        """Return a store on `url`; nothing is sent yet. BadSettings if `url` is not a connection string.

        `bucket` is this writer's place among the cells' buckets, drawn by lot unless given: two writers that share one
        slow each other down and are otherwise no worse.
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
            raise BadSettings(f"LIBRA_MONGO_URL is no connection string of MongoDB: {error}") from None
        place = secrets.randbelow(BUCKETS) if bucket is None else bucket % BUCKETS
        return cls(client, client[database], ErrorTranslator(url), bucket=place, ping_seconds=limits.ping_seconds)

    async def ping(self) -> None:
        """Return if there is a MongoDB now that takes writes; raise Unavailable otherwise, within a few seconds."""
        with self._door(), pymongo.timeout(self._ping_seconds):
            await self._database.command("ping")

    async def ensure_indexes(self) -> None:
        """Create the collections and indexes that are not there yet."""
        with self._door():
            await indexes.ensure(self._database)

    async def close(self) -> None:
        """Give up what waits to be written and let go of the connections."""
        await self.verdicts.close()
        await self.completions.close()
        self._client.close()
