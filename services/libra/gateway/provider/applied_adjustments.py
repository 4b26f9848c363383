"""Applies what was learned about an endpoint to a request: only what changes this request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from google.protobuf.message import Message

from libra.gateway.provider.request import CompletionRequest, merge_same_roles
from libra.v1.model_pb2 import SystemRole

SAMPLING = ("temperature", "top_p", "seed")
KEPT_SYSTEM = frozenset({SystemRole.SYSTEM_ROLE_SYSTEM, SystemRole.SYSTEM_ROLE_MERGED})
"""Policies that the endpoint's refusal does not change."""


def with_adjustments(request: CompletionRequest, learned: Mapping[str, str]) -> CompletionRequest:
    """Return the request with those of the adjustments (replacement by parameter) that change what is sent."""
    if not learned:
        return replace(request, adjustments=()) if request.adjustments else request
    applied = {name: learned[name] for name in sorted(learned) if name != "alternation" and _is_used(request, name)}
    applied = {name: kept for name, kept in applied.items() if _applies_beside(request, kept, applied)}
    adjusted = replace(request, adjustments=tuple(applied.items()))
    if "alternation" in learned and _has_neighbours(adjusted):
        applied["alternation"] = learned["alternation"]
        adjusted = replace(request, adjustments=tuple(sorted(applied.items())))
    return adjusted


def _is_used(request: CompletionRequest, parameter: str) -> bool:
    """Tell whether the request would send what the adjustment replaces."""
    options = request.model.options
    match parameter:
        case "temperature" | "top_p" | "seed":
            is_used = request.parameters.HasField(parameter)
        case "json_schema":
            is_used = bool(request.parameters.json_schema)
        case "top_k" | "stop" | "reasoning_effort":
            is_used = bool(getattr(options, parameter))
        case "max_tokens":
            is_used = not options.token_limit_name
        case "system":
            is_used = options.system_role not in KEPT_SYSTEM and any(turn.role == "system" for turn in request.messages)
        case _:
            is_used = False
    return is_used


def _applies_beside(request: CompletionRequest, kept: str, applied: Mapping[str, str]) -> bool:
    """Tell whether a parameter that is not sent together with another one is sent together with it here."""
    parameters: Message = request.parameters
    return kept not in SAMPLING or (parameters.HasField(kept) and kept not in applied)


def _has_neighbours(request: CompletionRequest) -> bool:
    turns = request.turns_to_send()
    return len(merge_same_roles(turns)) < len(turns)
