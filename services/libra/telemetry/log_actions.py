"""The values of `action`, which every log line has."""

from __future__ import annotations

from enum import StrEnum, auto


class Action(StrEnum):
    """A noun, then its event. The value is the name in lower case."""

    # process
    SETTING_UNKNOWN = auto()
    TLS_REFUSED = auto()
    AUDIT_ENTRY_LOST = auto()
    SECRET_REFUSED = auto()
    KEYS_NOT_READ = auto()
    PROCESS_STARTED = auto()
    PROCESS_WAITS = auto()
    PROCESS_READY = auto()
    PROCESS_NOT_READY = auto()
    PROCESS_STOPPING = auto()
    PROCESS_STOPPED = auto()
    WORKER_WAITS = auto()
    WORKER_FAILED = auto()

    # local
    SERVER_RESTARTED = auto()
    SERVER_FAILED = auto()

    # rpc
    CALL_FAILED = auto()

    # dispatch
    MODEL_REGISTERED = auto()
    MODEL_CHANGED = auto()
    MODEL_FORGOTTEN = auto()
    TASK_IMPORTED = auto()
    RUN_CREATED = auto()
    RUN_WAITS = auto()
    RUN_ENDED = auto()
    RUN_STOPPED = auto()
    RUN_CHANGED = auto()
    TRIALS_SWEPT = auto()
    TRIALS_GIVEN_UP = auto()
    SCHEDULE_CREATED = auto()
    SCHEDULE_DELETED = auto()
    FIRING_STARTED = auto()
    FIRING_SKIPPED = auto()
    FIRING_FAILED = auto()
    FIRING_WAITS = auto()
    WEBHOOK_CREATED = auto()
    WEBHOOK_DELETED = auto()
    DELIVERY_FAILED = auto()
    DELIVERY_GIVEN_UP = auto()
    SCHEMA_CURRENT = auto()
    TEXTS_REMOVED = auto()
    ROUND_OPENED = auto()
    ROUND_CLOSED = auto()

    # attack
    ATTACK_FAILED = auto()

    # arena
    BATTLE_FAILED = auto()
    VOTER_QUARANTINED = auto()

    # bus
    BUS_LOST = auto()
    BUS_FOUND = auto()
    STREAM_MADE = auto()
    CONSUMER_MADE = auto()
    DEAD_LETTER_REPLAYED = auto()

    # stage
    PULL_FAILED = auto()
    BATCH_FAILED = auto()
    BATCH_RETRIED = auto()
    BATCH_SET_ASIDE = auto()
    BATCH_WAITS = auto()
    BATCH_UNSETTLED = auto()

    # gateway
    MODEL_TAKEN_UP = auto()
    MODEL_LEFT = auto()
    ADJUSTMENT_LEARNED = auto()
    MODEL_PARKED = auto()
    MODEL_UNPARKED = auto()
    MODEL_GIVEN_UP = auto()
    ANSWER_HELD = auto()
    REQUEST_FAILED = auto()
    BATCH_DROPPED = auto()
    GRANT_LAPSED = auto()

    # judge
    JUDGE_FAILED = auto()

    # ranking
    SUMS_NOT_GATHERED = auto()

    # web
    PAGE_FAILED = auto()
