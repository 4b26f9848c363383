"""The event of a gate that stops a release."""

from __future__ import annotations

import hashlib

from libra.core.access import team_scope
from libra.core.event_types import GATE_FAILED
from libra.store.continuous.webhooks import Event
from libra.store.documents.create_time import now
from libra.v1.gate_pb2 import (
    GATE_DECISION_NO_GO,
    GATE_STATUS_BREACH,
    CheckGateRequest,
    CheckGateResponse,
    GateCondition,
    GateTier,
)

DIGITS = 20


def gate_event(request: CheckGateRequest, response: CheckGateResponse) -> Event | None:
    """Return the event of a NO-GO, None for another decision.

    The same question with the same answer is the same event, however often it is asked; new verdicts make another one.
    """
    if response.decision != GATE_DECISION_NO_GO:
        return None
    said = [message.SerializeToString(deterministic=True) for message in (request, response)]
    digest = hashlib.sha256(b"/".join(said)).hexdigest()[:DIGITS]
    data = {
        "policy": request.policy.name,
        "model": request.model,
        "runs": list(request.runs),
        "baseline": request.policy.baseline.model,
        "breaches": [
            {
                "score": result.rule.score,
                "condition": _word(GateCondition.Name(result.rule.condition), "GATE_CONDITION_"),
                "limit": result.rule.limit,
                "tier": _word(GateTier.Name(result.rule.tier), "GATE_TIER_"),
                "parts": [part.score for part in result.parts if part.status == GATE_STATUS_BREACH],
            }
            for result in response.rules
            if result.status == GATE_STATUS_BREACH
        ],
    }
    team = team_scope.current()
    # The decision of a caller without a team may depend on runs of every team.
    owner = team_scope.DEPLOYMENT if team is None else team
    return Event(GATE_FAILED, f"models/{request.model}/gates/{digest}", data, now(), owner)


def _word(name: str, prefix: str) -> str:
    """Return the word of an enumeration value, for instance "at_least"; no tier is the tier BLOCK."""
    return name.removeprefix(prefix).lower().replace("unspecified", "block")
