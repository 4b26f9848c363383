"""The values of `action`, which every log line has."""

from __future__ import annotations

from enum import StrEnum, auto


class Action(StrEnum):
    """A noun, then its event. The value is the name in lower case."""

    # process
    SETTING_UNKNOWN = auto()
    PROCESS_STARTED = auto()
    PROCESS_WAITS = auto()
    PROCESS_READY = auto()
    PROCESS_NOT_READY = auto()
    PROCESS_STOPPING = auto()
    PROCESS_STOPPED = auto()
    WORKER_WAITS = auto()
    WORKER_FAILED = auto()

    # rpc
    CALL_FAILED = auto()

    # dispatch
    MODEL_REGISTERED = auto()
    MODEL_FORGOTTEN = auto()
    TASK_IMPORTED = auto()
    RUN_CREATED = auto()
    RUN_WAITS = auto()
    RUN_ENDED = auto()
    TRIALS_SWEPT = auto()
    TRIALS_GIVEN_UP = auto()

    # attack
    ATTACK_FAILED = auto()

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
    ANSWER_HELD = auto()
    REQUEST_FAILED = auto()
    BATCH_DROPPED = auto()
    GRANT_LAPSED = auto()

    # judge
    JUDGE_FAILED = auto()

    # ranking
    SUMS_NOT_GATHERED = auto()
