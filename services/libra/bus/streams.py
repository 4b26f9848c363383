"""Every stream, subject and consumer, as data.

    WORK_ATTACK    work.attack            until acknowledged
    WORK_WRITING   work.writing           until acknowledged
    WORK_GATEWAY   work.gateway.<model>   until acknowledged
    WORK_JUDGE     work.judge             until acknowledged
    WORK_RANKING   work.ranking           until acknowledged
    DEAD           dead.<stage>           for 30 days
    (none)         event.run.<id>  event.board  event.grants.<model>: heard by whoever listens at the time

And a bucket, GRANTS: what each replica of the gateway holds of a model's limits. It is lost with the server's memory.

One consumer per model reads `work.gateway.<model>`, so that a slow model never holds up a fast one; and what waits for a model
to write an attack (`work.writing`, the attack service's own) holds up no batch that needs none. Each stage has a stream of
its own with room set aside for it: work that waits at the beginning of the line cannot take the room that work needs to leave
it, so that a full disk holds the line back and does not bring it to a stand.
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
"""Unless LIBRA_NATS_ACK_WAIT_SECONDS says otherwise. A sign of life is given every third of it."""

MAX_MESSAGES_PER_SUBJECT = 4096
"""Batches that wait on one subject: 64 runs of one model, each with the 4,096 trials that dispatch keeps in flight."""

STAGE_BYTES = 256 * 1024 * 1024
"""What waits for one stage takes no more, and the server sets so much aside for it: 4,096 batches of 64 KiB.

Six such streams take 1.5 GiB of `max_file_store`, however large a run is: they hold what is in flight.
"""

MAX_DEAD_LETTERS = 100_000
"""The oldest go first. Their samples and verdicts are in the ledger; what is lost is the batch as it was."""

DEDUPLICATION_SECONDS = 120.0
DEAD_DAYS = 30
SECONDS_A_DAY = 86_400.0


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
    max_age=DEAD_DAYS * SECONDS_A_DAY,
    duplicate_window=DEDUPLICATION_SECONDS,
    allow_direct=True,
)

GRANTS = "GRANTS"
"""The bucket (`libra.bus.kv_bucket`) with an entry for each model."""

STREAMS = (*WORK, DEAD)
"""What they are made with, but for their size and their number of replicas."""

FIXED_CONSUMERS = (ATTACK_CONSUMER, WRITING_CONSUMER, JUDGE_CONSUMER, RANKING_CONSUMER)
"""Consumers that are always there; a gateway's appear with their models."""


def work_gateway(model: str) -> str:
    """Return the subject of the batches for one model."""
    return _WORK_GATEWAY + token(model)


def gateway_consumer(model: str) -> str:
    """Return the name of the consumer that reads the batches for one model."""
    return _GATEWAY + token(model)


def stream_of(consumer: str) -> str:
    """Return the name of the stream that the consumer of this name reads."""
    return f"WORK_{consumer.partition('-')[0].upper()}"


def model_of(consumer: str) -> str:
    """Return the model that a gateway's consumer is for; "" for any other consumer."""
    return untoken(consumer.removeprefix(_GATEWAY)) if consumer.startswith(_GATEWAY) else ""


def dead(stage: str) -> str:
    """Return the subject of what a stage set aside."""
    return f"dead.{stage}"


def event_run(run_id: str) -> str:
    """Return the subject of the signal that a run has moved; "*" for any run."""
    return f"event.run.{run_id}"


def event_board() -> str:
    """Return the subject of the signal that a board may have changed."""
    return "event.board"


def event_grants(model: str) -> str:
    """Return the subject of the signal that a model's grants have changed; "*" for any model."""
    return f"event.grants.{model if model == '*' else token(model)}"


def token(name: str) -> str:
    """Return a name as one token of a subject: whatever is not a letter, a digit, "_" or "-" as "=" and its bytes in hex."""
    return re.sub(r"[^A-Za-z0-9_-]", lambda match: "".join(f"={byte:02X}" for byte in match[0].encode()), name)


def untoken(part: str) -> str:
    """Return the name that `token` was given."""
    return re.sub(r"(?:=[0-9A-F]{2})+", lambda match: bytes.fromhex(match[0].replace("=", "")).decode(), part)


def consumer_config(consumer: str, ack_wait_seconds: float = ACK_WAIT_SECONDS) -> ConsumerConfig:
    """Return what the consumer of this name is made with.

    No BackOff: it overwrites AckWait, and a sign of life no longer holds a message. No limit on deliveries: past it a message
    stays in the stream for ever. As many given out as can wait: a lower limit is a stall that nothing tells of.
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
