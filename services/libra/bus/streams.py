"""Names and configurations of all streams, subjects and consumers.

    WORK_ATTACK    work.attack            until acknowledged
    WORK_WRITING   work.writing           until acknowledged
    WORK_GATEWAY   work.gateway.<model>   until acknowledged
    WORK_JUDGE     work.judge             until acknowledged
    WORK_RANKING   work.ranking           until acknowledged
    DEAD           dead.<stage>           for 30 days
    (not stored)   event.run.<id>  event.board  event.votes  event.grants.<model>: received by current subscribers only

The bucket GRANTS holds the lease of each gateway replica on a model's limits. It is lost with the server's memory.

One consumer per model reads `work.gateway.<model>`, so that a slow model never delays a fast one. Batches whose attack
is written by a model wait on `work.writing`, so that they delay no batch of another attack. Each stage has its own
stream with reserved storage: early stages cannot take the space that later stages need, so a full disk slows the
pipeline down but does not stop it.
"""

from __future__ import annotations

import re

from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    ReplayPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)

WORK_ATTACK = "work.attack"
WORK_WRITING = "work.writing"
WORK_JUDGE = "work.judge"
WORK_RANKING = "work.ranking"
_WORK_GATEWAY = "work.gateway."
_GATEWAY = "gateway-"

ATTACK_CONSUMER = "attack"
WRITING_CONSUMER = "writing"
JUDGE_CONSUMER = "judge"
RANKING_CONSUMER = "ranking"

ACK_WAIT_SECONDS = 30.0
"""The default of LIBRA_NATS_ACK_WAIT_SECONDS. Stages report progress every third of it."""

MAX_MESSAGES_PER_SUBJECT = 4096
"""Maximum batches on one subject: 64 runs of one model, each with the 4,096 trials that dispatch keeps in flight."""

STAGE_BYTES = 256 * 1024 * 1024
"""Maximum size of one stage's stream, which the server reserves: 4,096 batches of 64 KiB.

Six such streams take 1.5 GiB of `max_file_store`. That does not grow with the run: streams only hold what is in flight.
"""

MAX_DEAD_LETTERS = 100_000
"""The oldest are deleted first. Samples and verdicts stay in MongoDB; only the batch itself is lost."""

DEDUPLICATION_SECONDS = 120.0
DEAD_DAYS = 30
DAY_SECONDS = 86_400.0


def _work(stage: str, subject: str) -> StreamConfig:
    return StreamConfig(
        name=f"WORK_{stage.upper()}",
        subjects=[subject],
        retention=RetentionPolicy.WORK_QUEUE,
        storage=StorageType.FILE,
        discard=DiscardPolicy.NEW,
        discard_new_per_subject=True,
        max_msgs_per_subject=MAX_MESSAGES_PER_SUBJECT,
        duplicate_window=DEDUPLICATION_SECONDS,
    )


WORK = (
    _work("attack", WORK_ATTACK),
    _work("writing", WORK_WRITING),
    _work("gateway", f"{_WORK_GATEWAY}>"),
    _work("judge", WORK_JUDGE),
    _work("ranking", WORK_RANKING),
)

DEAD = StreamConfig(
    name="DEAD",
    subjects=["dead.>"],
    retention=RetentionPolicy.LIMITS,
    storage=StorageType.FILE,
    discard=DiscardPolicy.OLD,
    max_msgs=MAX_DEAD_LETTERS,
    max_age=DEAD_DAYS * DAY_SECONDS,
    duplicate_window=DEDUPLICATION_SECONDS,
    allow_direct=True,
)

GRANTS = "GRANTS"
"""The key-value bucket (`libra.bus.kv_bucket`) of leases, with one entry per model."""

STREAMS = (*WORK, DEAD)
"""The configurations of all streams, without size and replicas."""

FIXED_CONSUMERS = (ATTACK_CONSUMER, WRITING_CONSUMER, JUDGE_CONSUMER, RANKING_CONSUMER)
"""Consumers that always exist; the gateway's are created with their models."""


def work_gateway(model: str) -> str:
    """Return the subject of the batches for one model."""
    return _WORK_GATEWAY + encode_token(model)


def gateway_consumer(model: str) -> str:
    """Return the name of the consumer that reads the batches for one model."""
    return _GATEWAY + encode_token(model)


def stream_of(consumer: str) -> str:
    """Return the name of the stream that the consumer of this name reads."""
    return f"WORK_{consumer.partition('-')[0].upper()}"


def model_of(consumer: str) -> str:
    """Return the model that a gateway's consumer is for; "" for any other consumer."""
    return decode_token(consumer.removeprefix(_GATEWAY)) if consumer.startswith(_GATEWAY) else ""


def dead_letter_subject(stage: str) -> str:
    """Return the subject of a stage's dead letters."""
    return f"dead.{stage}"


def event_run(run_id: str) -> str:
    """Return the subject of the event that a run has progressed; "*" for any run."""
    return f"event.run.{run_id}"


def event_board() -> str:
    """Return the subject of the event that a board may have changed."""
    return "event.board"


def event_votes() -> str:
    """Return the subject of the event that there is a new vote in the arena."""
    return "event.votes"


def event_grants(model: str) -> str:
    """Return the subject of the event that a model's leases have changed; "*" for any model."""
    return f"event.grants.{model if model == '*' else encode_token(model)}"


def encode_token(name: str) -> str:
    """Return a name as one token of a subject: all but letters, digits, "_" and "-" becomes "=" and hex digits."""
    return re.sub(r"[^A-Za-z0-9_-]", lambda match: "".join(f"={byte:02X}" for byte in match[0].encode()), name)


def decode_token(part: str) -> str:
    """Return the name that `encode_token` was given."""
    return re.sub(r"(?:=[0-9A-F]{2})+", lambda match: bytes.fromhex(match[0].replace("=", "")).decode(), part)


def consumer_config(consumer: str, ack_wait_seconds: float = ACK_WAIT_SECONDS) -> ConsumerConfig:
    """Return the configuration of the consumer of this name.

    It has no BackOff, which would override AckWait, so that progress reports no longer extend it. It has no
    max_deliver: a message beyond it stays in the stream for ever. Its max_ack_pending equals the subject's limit: a
    lower one is a silent stall.
    """
    subject = f"work.{consumer.replace(_GATEWAY, 'gateway.', 1)}"
    return ConsumerConfig(
        name=consumer,
        durable_name=consumer,
        filter_subject=subject,
        deliver_policy=DeliverPolicy.ALL,
        ack_policy=AckPolicy.EXPLICIT,
        replay_policy=ReplayPolicy.INSTANT,
        ack_wait=ack_wait_seconds,
        max_deliver=-1,
        max_ack_pending=MAX_MESSAGES_PER_SUBJECT,
    )
