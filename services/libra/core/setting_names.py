"""The names of all settings, by which a process notices a misspelt variable."""

from __future__ import annotations

from collections.abc import Iterable

from rapidfuzz import fuzz, process

PREFIX = "LIBRA_"
MIN_SIMILARITY_PERCENT = 60

NAMES = frozenset(
    """
    LIBRA_ATTACK_ADDRESS
    LIBRA_ATTACK_GATEWAY_ADDRESS
    LIBRA_ATTACK_GATEWAY_TIMEOUT_SECONDS
    LIBRA_ATTACK_LISTEN
    LIBRA_ATTACK_LOOK_SECONDS
    LIBRA_ATTACK_METRICS_LISTEN
    LIBRA_ATTACK_QUESTIONS_AT_ONCE
    LIBRA_ATTACK_SLOTS
    LIBRA_ATTACK_WRITING_SLOTS
    LIBRA_DATA
    LIBRA_DISPATCH_ADDRESS
    LIBRA_DISPATCH_ATTACK_ADDRESS
    LIBRA_DISPATCH_JUDGE_ADDRESS
    LIBRA_DISPATCH_LEASE_SECONDS
    LIBRA_DISPATCH_LISTEN
    LIBRA_DISPATCH_METRICS_LISTEN
    LIBRA_DISPATCH_PATIENCE_SECONDS
    LIBRA_DISPATCH_QUIET_SECONDS
    LIBRA_DISPATCH_SWEEPS
    LIBRA_DISPATCH_WAKE_SECONDS
    LIBRA_DISPATCH_WINDOW_TRIALS
    LIBRA_GATEWAY_ADDRESS
    LIBRA_GATEWAY_DRAIN_SECONDS
    LIBRA_GATEWAY_HOLD_SECONDS
    LIBRA_GATEWAY_LISTEN
    LIBRA_GATEWAY_LOOK_SECONDS
    LIBRA_GATEWAY_METRICS_LISTEN
    LIBRA_GATEWAY_RENEW_SECONDS
    LIBRA_GATEWAY_RETRY_AFTER_MOST_SECONDS
    LIBRA_GATEWAY_RETRY_ATTEMPTS
    LIBRA_GATEWAY_RETRY_BASE_SECONDS
    LIBRA_GATEWAY_RETRY_BUDGET_SECONDS
    LIBRA_GATEWAY_RETRY_MOST_SECONDS
    LIBRA_GATEWAY_RETRY_TIMEOUTS
    LIBRA_JUDGE_ADDRESS
    LIBRA_JUDGE_GATEWAY_ADDRESS
    LIBRA_JUDGE_GATEWAY_TIMEOUT_SECONDS
    LIBRA_JUDGE_LISTEN
    LIBRA_JUDGE_LOOK_SECONDS
    LIBRA_JUDGE_METRICS_LISTEN
    LIBRA_JUDGE_SLOTS
    LIBRA_LOCAL_NATS_STORE_BYTES
    LIBRA_LOG_FORMAT
    LIBRA_LOG_LEVEL
    LIBRA_MONGO_DATABASE
    LIBRA_MONGO_URL
    LIBRA_NATS_ACK_WAIT_SECONDS
    LIBRA_NATS_STAGE_BYTES
    LIBRA_NATS_URL
    LIBRA_OTLP_ENDPOINT
    LIBRA_RANKING_ADDRESS
    LIBRA_RANKING_GATHER_SECONDS
    LIBRA_RANKING_HEARTBEAT_SECONDS
    LIBRA_RANKING_LISTEN
    LIBRA_RANKING_LOOK_SECONDS
    LIBRA_RANKING_METRICS_LISTEN
    LIBRA_RANKING_SIGNAL_SECONDS
    LIBRA_RANKING_SLOTS
    """.split()  # noqa: SIM905 - a list of words reads best as text
)
"""The variables of all services and of the command line. They stand here because no service imports another one; a
test compares them with the settings classes."""


def list_unknown(variables: Iterable[str], also_known: Iterable[str] = ()) -> list[str]:
    """Return a sentence for each variable LIBRA_* that is not a setting, with the nearest name of one.

    The value is not shown: it may be a password.
    """
    known = sorted(NAMES.union(also_known))
    return [
        f"{name} is not a setting{_hint(name, known)}"
        for name in sorted(variables)
        if name.startswith(PREFIX) and name not in known
    ]


def _hint(name: str, known: list[str]) -> str:
    # The prefix is left out, since it makes every two names similar.
    rest = {one: one.removeprefix(PREFIX) for one in known}
    found = process.extractOne(name.removeprefix(PREFIX), rest, scorer=fuzz.ratio, score_cutoff=MIN_SIMILARITY_PERCENT)
    return f"; did you mean {found[2]}?" if found else ""
