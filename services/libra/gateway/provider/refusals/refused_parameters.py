"""Recognises from an endpoint's error what of a request it refuses, and says what to send instead.

The same for all providers, whether they are asked directly or through a proxy that quotes their error. Only what was
sent and what the error refuses is adjusted: a value that the caller chose out of range stays an error, and so do fields
that the model's entry adds to each request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from libra.gateway.provider.refusals.named_refusals import (
    NamedRefusal,
    is_named_and_refused,
    refusals,
    suggested_names,
)
from libra.gateway.provider.refusals.parameter_names import (
    ALTERNATION,
    JSON_SCHEMA,
    MAX_TOKENS,
    PARAMETERS,
    SYSTEM,
    TOKEN_LIMIT_NAMES,
)
from libra.gateway.provider.refusals.phrases import SCHEMA_REFUSED
from libra.gateway.provider.refusals.statements import statements
from libra.gateway.provider.refusals.turn_refusals import refuses_place_of_system, refuses_system, wants_alternation
from libra.gateway.provider.request import JSON_OBJECT, MERGED, SYSTEM_TURN, CompletionRequest, merge_same_roles
from libra.gateway.provider.response.dialects import CONTEXT_LENGTH
from libra.v1.completion_pb2 import Adjustment
from libra.v1.model_pb2 import Provider, RequestOptions, SystemRole

STATUSES = frozenset({400, 404, 405, 409, 415, 417, 422, 500, 501, 502, 503})
"""Statuses with which endpoints and proxies refuse a parameter. The others speak of the caller, the rate or the URL."""

DROP_ORDER = ("top_k", "top_p", "seed", "stop", "temperature", JSON_SCHEMA, "reasoning_effort")
"""Of two parameters that an endpoint does not take together, the first one here is dropped."""

OTHER_LIMIT_NAME = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
"""The name to try if the endpoint does not know the name of a limit on tokens and suggests none."""

NAMES_LIMIT = frozenset({Provider.PROVIDER_OPENAI, Provider.PROVIDER_AZURE_OPENAI, Provider.PROVIDER_OPENAI_RESPONSES})
"""APIs whose endpoints differ in the name of the limit."""

NO_JSON_OBJECT = frozenset({Provider.PROVIDER_ANTHROPIC, Provider.PROVIDER_BEDROCK})
"""APIs that have no request for any JSON object."""

NEUTRAL_VALUES = {"temperature": 0.0, "top_p": 1.0}
"""Values that stand for "no sampling" and "no limit". An endpoint whose range excludes them does the same without."""


def refused_parameter(
    status: int, error: object, request: CompletionRequest, sent: Mapping[str, Any]
) -> Adjustment | None:
    """Return the adjustment that an error calls for; None if it refuses nothing that can be adjusted.

    `error` is the JSON of the error, or its text; `sent` is the body of the request.
    """
    if status not in STATUSES and status != 200:  # noqa: PLR2004 - 200 with an error
        return None
    own = _own_parameters(request, sent)
    for text in statements(error):
        if CONTEXT_LENGTH.search(text) and "unsupported" not in text.lower():
            continue
        for refusal in refusals(text):
            if adjustment := _of_refusal(refusal, text, request, own, sent):
                return adjustment
        if adjustment := _of_sentence(text, request, own):
            return adjustment
    return None


def refused_option(status: int, error: object, options: RequestOptions) -> str:
    """Return the remedy if an error refuses something that the model's entry adds to each request; else ""."""
    if status not in STATUSES:
        return ""
    for text in statements(error):
        for source, names in _registered_names(options).items():
            if name := next((name for name in names if is_named_and_refused(text, name)), None):
                return f"; the model's {source} sets {name}: register the model again without it"
        if options.system_role == SystemRole.SYSTEM_ROLE_SYSTEM and refuses_system(text):
            return "; the model is registered with the system role of its API: register it again without system_role"
    return ""


def _own_parameters(request: CompletionRequest, sent: Mapping[str, Any]) -> frozenset[str]:
    """Return the parameters that the request sends because of its caller, not because of extra fields of the entry."""
    found = set(request.sampling())
    if request.parameters.json_schema and (JSON_SCHEMA not in dict(request.adjustments) or request.is_json_object):
        found.add(JSON_SCHEMA)
    found |= {name for name in ("stop", "reasoning_effort") if getattr(request, name)}
    if _limit_name(sent) and not request.model.options.token_limit_name:
        found.add(MAX_TOKENS)
    extra = orjson.loads(request.model.options.body_json) if request.model.options.body_json else {}
    return frozenset(found - {PARAMETERS.get(name.lower()) for name in extra})


def _of_refusal(
    refusal: NamedRefusal, text: str, request: CompletionRequest, own: frozenset[str], sent: Mapping[str, Any]
) -> Adjustment | None:
    if refusal.is_conflict:
        return _of_conflict(refusal, own)
    for mention in refusal.names:
        parameter = mention.parameter
        if parameter not in own:
            continue
        if parameter == MAX_TOKENS:
            replacement = _limit_replacement(refusal, mention.name, text, request, sent)
            if replacement:
                return Adjustment(parameter=parameter, replacement=replacement, words=refusal.words)
        elif parameter == JSON_SCHEMA:
            return _of_schema(request, refusal.words, is_field_unknown=_is_whole_field(refusal))
        elif not refusal.is_out_of_range:
            return Adjustment(parameter=parameter, words=refusal.words)
    return None


def _of_conflict(refusal: NamedRefusal, own: frozenset[str]) -> Adjustment | None:
    named = {mention.parameter for mention in refusal.names}
    dropped = next((name for name in DROP_ORDER if name in named & own), None)
    if dropped is None:
        return None
    kept = next((name for name in reversed(DROP_ORDER) if name in (named & own) - {dropped}), "")
    replacement = kept if kept in ("temperature", "top_p", "seed") else ""
    return Adjustment(parameter=dropped, replacement=replacement, words=refusal.words)


def _of_sentence(text: str, request: CompletionRequest, own: frozenset[str]) -> Adjustment | None:
    """Return the adjustment for a sentence that is not about a field as such."""
    if JSON_SCHEMA in own and (found := SCHEMA_REFUSED.search(text)):
        return _of_schema(request, text[found.start() :], is_field_unknown=False)
    if (name := _neutral_value(text, request)) in own:
        return Adjustment(parameter=name, words=text)
    return _of_turns(text, request)


def _neutral_value(text: str, request: CompletionRequest) -> str:
    """Return the parameter whose neutral value a text rejects; "" if it rejects none."""
    lower = text.lower()
    if not any(
        word in lower for word in ("must be", "should be", "strictly positive", "greater than 0", "less than 1")
    ):
        return ""
    sent = request.sampling()
    return next((name for name, value in NEUTRAL_VALUES.items() if name in lower and sent.get(name) == value), "")


def _of_schema(request: CompletionRequest, words: str, *, is_field_unknown: bool) -> Adjustment:
    """Return the next of: schema, any JSON object, nothing."""
    is_last = request.is_json_object or is_field_unknown or request.model.provider in NO_JSON_OBJECT
    return Adjustment(parameter=JSON_SCHEMA, replacement="" if is_last else JSON_OBJECT, words=words)


def _is_whole_field(refusal: NamedRefusal) -> bool:
    """Tell whether the endpoint does not know the field itself, whatever its value."""
    names = {mention.name.lower() for mention in refusal.names}
    return refusal.is_unknown and names <= {"response_format", "responseformat"}


def _limit_name(sent: Mapping[str, Any]) -> str:
    return next((name for name in sent if name in TOKEN_LIMIT_NAMES), "")


def _limit_replacement(
    refusal: NamedRefusal, name: str, text: str, request: CompletionRequest, sent: Mapping[str, Any]
) -> str:
    """Return the other name for the limit on tokens; "" if the endpoint takes the name, and not the number."""
    used = _limit_name(sent)
    if name != used or request.model.provider not in NAMES_LIMIT:
        return ""
    suggested = [each for each in suggested_names(text) if each in TOKEN_LIMIT_NAMES and each != used]
    if suggested:
        return suggested[0]
    return "" if refusal.is_out_of_range else OTHER_LIMIT_NAME.get(used, "")


def _of_turns(text: str, request: CompletionRequest) -> Adjustment | None:
    turns = request.turns_to_send()
    if wants_alternation(text) and len(merge_same_roles(turns)) < len(turns):
        return Adjustment(parameter=ALTERNATION, replacement=MERGED, words=text)
    if request.model.options.system_role == SystemRole.SYSTEM_ROLE_SYSTEM:
        return None
    positions = [place for place, turn in enumerate(turns) if turn.role in ("system", "developer")]
    if not positions:
        return None
    if any(turn.role == "developer" for turn in turns) and refuses_system(text) and "developer" in text.lower():
        return Adjustment(parameter=SYSTEM, replacement=SYSTEM_TURN, words=text)
    is_misplaced = refuses_place_of_system(text)
    if refuses_system(text) or is_misplaced or wants_alternation(text):
        return Adjustment(parameter=SYSTEM, replacement=MERGED, words=text)
    return None


def _registered_names(options: RequestOptions) -> dict[str, Sequence[str]]:
    """Return the names that the model's entry adds to a request, by the option."""
    extra = orjson.loads(options.body_json) if options.body_json else {}
    found: dict[str, Iterable[str]] = {
        "body_json": extra,
        "headers": options.headers,
        "header_variables": options.header_variables,
        "query": options.query,
        "token_limit_name": [options.token_limit_name] if options.token_limit_name else [],
    }
    return {source: list(names) for source, names in found.items()}
