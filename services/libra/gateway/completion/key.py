"""The id of a completion: a hash of all that shapes the answer."""

from __future__ import annotations

import hashlib

import orjson

from libra.gateway.provider.request import CompletionRequest
from libra.v1.completion_pb2 import GenerationParameters
from libra.v1.model_pb2 import RequestOptions

FORM = "libra completion 1"
"""Part of every hash. Change it when the meaning of the hashed fields changes: answers stored before are then not
found."""


def completion_id(request: CompletionRequest, shared: bytes | None = None) -> str:
    """Return the SHA-256 of the request as canonical JSON, in hexadecimal.

    `shared` is the `shared_part` of the request, if it is known already.

    A JSON list of strings, numbers and nulls in a fixed order has exactly one form, so two requests have the same id if
    and only if all hashed fields are equal. Limits, prices and the name of the API key's variable do not shape the
    answer and are left out.
    """
    shape: list[object] = [
        [[message.role, message.content] for message in request.messages],
        request.epoch,
        request.fresh_for,
    ]
    if not request.is_plain and (options := _options(request.model.options)):
        shape.append({"options": options})
    if request.team:
        shape.append({"team": request.team})
    if request.parameters.reasoning_effort:
        shape.append({"reasoning_effort": request.parameters.reasoning_effort})
    if request.adjustments:
        shape.append({"adjustments": [[parameter, replacement] for parameter, replacement in request.adjustments]})
    return hashlib.sha256((shared or shared_part(request)) + orjson.dumps(shape)[1:]).hexdigest()


def shared_part(request: CompletionRequest) -> bytes:
    """Return the beginning of the hashed JSON: what requests with the same model and parameters have in common."""
    model, parameters = request.model, request.parameters
    shared = [
        FORM,
        [int(model.provider), model.base_url.rstrip("/"), model.remote_model, model.name],
        [*_sampling(parameters), request.max_tokens, parameters.json_schema],
    ]
    return orjson.dumps(shared)[:-1] + b","


def _options(options: RequestOptions) -> list[list[object]]:
    """Return the options that shape the answer and are set. Keys in headers and the name of the limit do not."""
    named: list[list[object]] = [
        ["headers", sorted(options.headers.items())],
        ["query", sorted(options.query.items())],
        ["body_json", options.body_json],
        ["reasoning_effort", options.reasoning_effort],
        ["stop", list(options.stop)],
        ["top_k", options.top_k],
        ["system_role", int(options.system_role)],
    ]
    return [[name, value] for name, value in named if value]


def _sampling(parameters: GenerationParameters) -> list[float | int | None]:
    """Return temperature, top_p and seed; None for one that is not set, which differs from 0."""
    return [
        # Adding 0.0 turns -0.0 into 0.0.
        parameters.temperature + 0.0 if parameters.HasField("temperature") else None,
        parameters.top_p + 0.0 if parameters.HasField("top_p") else None,
        parameters.seed if parameters.HasField("seed") else None,
    ]
