"""The store: one connection to MongoDB, with one object for each collection."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pymongo
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import ConfigurationError, DuplicateKeyError, InvalidURI

from libra.core.errors import Unavailable
from libra.core.settings import InvalidSettings
from libra.store import indexes
from libra.store.access.audit_log import AuditLogCollection
from libra.store.access.tokens import TokenCollection
from libra.store.arena.arena_entries import EntryCollection
from libra.store.arena.battles import BattleCollection
from libra.store.arena.proposals import ProposalCollection
from libra.store.arena.quarantine import QuarantineCollection
from libra.store.arena.usage import UsageCollection
from libra.store.arena.votes import VoteCollection
from libra.store.commit.mongo_transaction import BUCKETS
from libra.store.completions import CompletionCollection
from libra.store.continuous.schedules import FiringCollection, ScheduleCollection
from libra.store.continuous.webhooks import DeliveryCollection, EventCollection, WebhookCollection
from libra.store.coordination.budgets import BudgetCollection
from libra.store.coordination.lease_holders import LeaseHolderCollection
from libra.store.coordination.leases import LeaseCollection
from libra.store.documents.create_time import now
from libra.store.documents.proto_documents import Document
from libra.store.error_translation import Database, ErrorTranslator
from libra.store.labels.annotations import AnnotationCollection
from libra.store.labels.calibrations import CalibrationCollection
from libra.store.labels.labels import LabelCollection
from libra.store.maintenance.retention.text_removal import TextRemoval
from libra.store.maintenance.schema.migration_runner import MigrationRunner
from libra.store.maintenance.schema.versions import check_readable, required_versions
from libra.store.models.adjustments import AdjustmentCollection
from libra.store.models.health import HealthCollection
from libra.store.models.key_hosts import KeyHostCollection
from libra.store.models.parked import ParkedModels
from libra.store.models.registry import ModelCollection
from libra.store.reports.attack_outcomes import AttackOutcomeReader
from libra.store.reports.board_revisions import BoardRevisionReader
from libra.store.reports.capabilities import CapabilityCollection
from libra.store.reports.costs import CostReader
from libra.store.reports.verdict_search import VerdictSearch
from libra.store.rounds.looks import LookCollection
from libra.store.rounds.round_samples import RoundSampleCollection
from libra.store.rounds.rounds import RoundCollection
from libra.store.rounds.seals import SealReader
from libra.store.runs import RunCollection
from libra.store.sums.cells import CellCollection
from libra.store.sums.judge_usage import JudgeUsageReader
from libra.store.sums.sample_sums import SampleSumsCollection
from libra.store.tasks import TaskCollection
from libra.store.verdicts import VerdictCollection

if TYPE_CHECKING:
    from typing import Self

PAGE_TOKENS = "page_tokens"
"""The id of the document with the key of page tokens."""

WEBHOOKS = "webhooks"
"""The id of the document with the key that the secrets of webhooks are derived from."""

ROUND_SIGNING = "round_signing"
"""The id of the document with the key that commitments of rounds are signed with."""

ARENA = "arena"
"""The id of the document with the key of ballots, challenges and the hashes of visitors."""

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


@dataclass(frozen=True, slots=True)
class StoreSize:
    """Space in bytes."""

    used: int
    """Data and indexes of the database."""

    disk_used: int
    disk: int
    """The size of the file system that contains the database."""


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
        self.adjustments = AdjustmentCollection(database, translate_errors)
        self.key_hosts = KeyHostCollection(database, translate_errors)
        self.model_health = HealthCollection(database, translate_errors)
        self.parked_models = ParkedModels(database, translate_errors)
        self.runs = RunCollection(database, translate_errors)
        self.schedules = ScheduleCollection(database, translate_errors)
        self.firings = FiringCollection(database, translate_errors)
        self.rounds = RoundCollection(database, translate_errors)
        self.round_samples = RoundSampleCollection(database, translate_errors)
        self.sealed_looks = LookCollection(database, translate_errors)
        self.seals = SealReader(self.tasks, self.rounds, self.round_samples)
        self.completions = CompletionCollection(database, translate_errors)
        self.board_revisions = BoardRevisionReader(database, translate_errors)
        self.capabilities = CapabilityCollection(database, translate_errors)
        self.cells = CellCollection(database, translate_errors)
        self.judge_usage = JudgeUsageReader(database, translate_errors)
        self.calibrations = CalibrationCollection(database, translate_errors)
        self.annotations = AnnotationCollection(database, translate_errors)
        self.verdict_search = VerdictSearch(database, translate_errors)
        self.labels = LabelCollection(database, translate_errors)
        self.attack_outcomes = AttackOutcomeReader(database, translate_errors)
        self.leases = LeaseCollection(database, translate_errors)
        self.budgets = BudgetCollection(database, translate_errors)
        self.ceilings = BudgetCollection(database, translate_errors, indexes.CEILINGS)
        self.lease_holders = LeaseHolderCollection(database, translate_errors)
        self.costs = CostReader(database, translate_errors)
        self.sample_sums = SampleSumsCollection(database, translate_errors)
        self.events = EventCollection(database, translate_errors)
        self.webhooks = WebhookCollection(database, translate_errors)
        self.deliveries = DeliveryCollection(database, translate_errors)
        self.tokens = TokenCollection(database, translate_errors)
        self.audit_log = AuditLogCollection(database, translate_errors)
        self.verdicts = VerdictCollection(database, translate_errors, bucket)
        self._open_arena(database, translate_errors)

    def _open_arena(self, database: Database, translate_errors: ErrorTranslator) -> None:
        self.battles = BattleCollection(database, translate_errors)
        self.votes = VoteCollection(database, translate_errors)
        self.entries = EntryCollection(database, translate_errors)
        self.quarantine = QuarantineCollection(database, translate_errors)
        self.proposals = ProposalCollection(database, translate_errors)
        self.arena_usage = UsageCollection(database, translate_errors)

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

    async def check_writes(self) -> None:
        """Raise Unavailable, within a few seconds, unless MongoDB stores a small document now."""
        collection, this = self._database[indexes.HEARTBEATS], {"_id": indexes.WRITE_CHECK}
        with self._translate_errors(), pymongo.timeout(self._ping_seconds), contextlib.suppress(DuplicateKeyError):
            await collection.update_one(this, {"$set": {"time": now()}}, upsert=True)

    def observe_errors(self, observer: Callable[[], None]) -> None:
        """Call `observer` for each request that fails because MongoDB cannot be used."""
        self._translate_errors.observer = observer

    async def read_size(self) -> StoreSize:
        """Return how much space the database and its file system use; raise Unavailable."""
        with self._translate_errors(), pymongo.timeout(self._ping_seconds):
            stats = await self._database.command("dbStats")
        return StoreSize(int(stats["totalSize"]), int(stats.get("fsUsedSize", 0)), int(stats.get("fsTotalSize", 0)))

    async def check_schema(self) -> None:
        """Raise IncompatibleSchema if a newer release changed the documents, and Unavailable during a restore."""
        with self._translate_errors():
            documents = [document async for document in self._database[indexes.SCHEMA].find({})]
        check_readable(required_versions(documents))

    @property
    def text_removal(self) -> TextRemoval:
        """Removes old texts."""
        return TextRemoval(self._database, self._translate_errors)

    def migration_runner(self, holder: str) -> MigrationRunner:
        """Return the runner of migrations of the replica `holder`."""
        return MigrationRunner(self._database, self._translate_errors, holder)

    async def ensure_indexes(self) -> None:
        """Create the collections and indexes that are missing."""
        with self._translate_errors():
            await indexes.ensure(self._database)

    async def load_page_token_key(self) -> bytes:
        """Return the key that all replicas sign page tokens with; the first call of all creates it."""
        return await self._load_key(PAGE_TOKENS)

    async def load_webhook_key(self) -> bytes:
        """Return the key that the secrets of webhooks are derived from; the first call of all creates it."""
        return await self._load_key(WEBHOOKS)

    async def load_signing_key(self) -> bytes:
        """Return the Ed25519 key that the commitments of rounds are signed with; the first call of all creates it."""
        return await self._load_key(ROUND_SIGNING)

    async def load_arena_key(self) -> bytes:
        """Return the key of ballots, challenges and the hashes of visitors; the first call of all creates it."""
        return await self._load_key(ARENA)

    async def _load_key(self, name: str) -> bytes:
        collection, this = self._database[indexes.SECRETS], {"_id": name}
        with self._translate_errors():
            document = await collection.find_one(this)
            if document is None:
                with contextlib.suppress(DuplicateKeyError):  # another replica was faster
                    await collection.insert_one(this | {"value": secrets.token_bytes(KEY_BYTES)})
                document = await collection.find_one(this)
        if document is None:
            raise Unavailable(f"the key {name!r} is not readable yet; try again")
        return bytes(document["value"])

    async def close(self) -> None:
        """Raise Unavailable in every caller that waits for a write, and close the connections."""
        await self.verdicts.close()
        await self.completions.close()
        self._client.close()
