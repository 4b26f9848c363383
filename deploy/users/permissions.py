"""The rights of each service on NATS and MongoDB. The users of both servers are made from these tables.

Tests compare them with the code, and run every service with its own users.
"""

from __future__ import annotations

from dataclasses import dataclass

PROVISIONER = "dispatch"
"""The service that creates streams and consumers that are missing; the others wait for it."""

STREAMS = {
    "WORK_ATTACK": ("attack", "work.attack"),
    "WORK_WRITING": ("writing", "work.writing"),
    "WORK_GATEWAY": ("*", "work.gateway.*"),
    "WORK_JUDGE": ("judge", "work.judge"),
    "WORK_RANKING": ("ranking", "work.ranking"),
}
"""The consumer and the subject of each stream of work. The gateway has a consumer and a subject for each model."""

DEAD = "DEAD"
PROBE = "PROBE"
GRANTS = "KV_GRANTS"


@dataclass(frozen=True)
class NatsAccess:
    """The streams and subjects that a service uses on NATS."""

    pulls: tuple[str, ...] = ()
    """Streams whose consumers it reads, whose messages it acknowledges, and to whose end it returns a message."""

    dead_letters: tuple[str, ...] = ()
    """The stages whose dead letters it writes."""

    publishes: tuple[str, ...] = ()
    listens: tuple[str, ...] = ()
    requests: tuple[str, ...] = ()
    """Subjects of the API of JetStream, without `$JS.API.`."""


NATS = {
    "dispatch": NatsAccess(
        # It sends new trials, trials of a rejudging and failed ones, and replays dead letters of every stage.
        publishes=("event.run.*", "event.board", *(subject for _, subject in STREAMS.values())),
        listens=("event.run.*",),
        requests=(
            *(f"STREAM.CREATE.{stream}" for stream in (*STREAMS, DEAD, PROBE, GRANTS)),
            *(f"CONSUMER.CREATE.{stream}.{consumer}.{subject}" for stream, (consumer, subject) in STREAMS.items()),
            "CONSUMER.INFO.WORK_GATEWAY.*",
            "STREAM.PURGE.WORK_GATEWAY",
            # The metrics of the queues, and the age of the oldest message of each.
            "STREAM.LIST",
            *(f"CONSUMER.LIST.{stream}" for stream in STREAMS),
            *(f"STREAM.MSG.GET.{stream}" for stream in STREAMS),
            # Dead letters are listed, replayed and deleted.
            f"DIRECT.GET.{DEAD}",
            f"STREAM.MSG.DELETE.{DEAD}",
        ),
    ),
    "attack": NatsAccess(
        pulls=("WORK_ATTACK", "WORK_WRITING"),
        dead_letters=("attack", "writing"),
        publishes=("work.gateway.*", "work.judge"),
    ),
    "gateway": NatsAccess(
        pulls=("WORK_GATEWAY",),
        dead_letters=("gateway",),
        publishes=("work.judge", "event.grants.*", "$KV.GRANTS.>"),
        listens=("event.grants.*",),
        requests=(
            # A consumer for each model, and the leases, which a restart of nats-server deletes.
            "CONSUMER.CREATE.WORK_GATEWAY.*.work.gateway.*",
            "CONSUMER.INFO.WORK_GATEWAY.*",
            f"STREAM.CREATE.{GRANTS}",
            f"STREAM.MSG.GET.{GRANTS}",
        ),
    ),
    "judge": NatsAccess(pulls=("WORK_JUDGE",), dead_letters=("judge",), publishes=("work.ranking",)),
    "ranking": NatsAccess(
        pulls=("WORK_RANKING",), dead_letters=("ranking",), publishes=("event.run.*",), listens=("event.board",)
    ),
    "arena": NatsAccess(publishes=("event.votes",), listens=("event.votes",)),
}
"""Web has no user: it uses neither NATS nor MongoDB."""


@dataclass(frozen=True)
class MongoAccess:
    """The collections of a service, as words in one text."""

    reads: str = ""
    writes: str = ""
    """Reads, inserts, updates and removes."""

    creates_indexes: bool = False
    """Creates the collections and indexes that are missing. Whoever may not drop them cannot replace them."""


EVERY_SERVICE = MongoAccess(
    # `tokens` has hashes of random secrets, by which callers are authenticated.
    reads="schema tokens",
    writes="heartbeats token_uses",
)
APPENDS = "audit_log"
"""Every service inserts and updates here, and none removes."""

MONGO = {
    "dispatch": MongoAccess(
        reads="model_health",
        writes="""
            adjustments battles budgets ceilings cells completions deliveries events firings key_hosts leases models
            parked_models round_samples rounds runs samples schedules schema sealed_looks secrets tasks tokens verdicts
            webhooks
        """,
        creates_indexes=True,
    ),
    "attack": MongoAccess(reads="runs"),
    "gateway": MongoAccess(
        reads="models runs",
        writes="""
            adjustments budgets ceilings completions key_hosts lease_holders model_health parked_models secrets
        """,
    ),
    "judge": MongoAccess(reads="runs", writes="calibrations"),
    "ranking": MongoAccess(
        reads="budgets calibrations completions round_samples rounds runs samples tasks",
        writes="annotations capabilities cells events labels sample_sums sealed_looks secrets verdicts",
        creates_indexes=True,
    ),
    "arena": MongoAccess(
        reads="round_samples rounds samples tasks",
        writes="arena_usage battles entries proposals quarantine secrets votes",
        creates_indexes=True,
    ),
}

BACKUP = "backup"
"""The user of `libra backup`: it reads every collection and writes none."""

ADMIN = "admin"
"""The user of the operator, who may do everything: for `libra restore`, and to look at streams."""
