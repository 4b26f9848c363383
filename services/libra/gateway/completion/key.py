"""The id of a completion: a hash of all that shapes the answer."""

from __future__ import annotations

import hashlib

import orjson

from libra.gateway.provider.request import CompletionRequest
from libra.v1.completion_pb2 import GenerationParameters

FORM = "libra completion 1"
"""Part of every hash. Change it when the meaning of the hashed fields changes: answers stored before are then not
found."""


def completion_id(request: CompletionRequest) -> str:
    """Return the SHA-256 of the request as canonical JSON, in hexadecimal.

    A JSON list of strings, numbers and nulls in a fixed order has exactly one form, so two requests have the same id if
    and only if all hashed fields are equal. Limits, prices and the name of the API key's variable do not shape the
    answer and are left out.
    """
    model = request.model
    shape = [
        FORM,
        [int(model.provider), model.base_url.rstrip("/"), model.remote_model, model.name],
        [*_sampling(request.parameters), request.max_tokens, request.parameters.json_schema],
        [[message.role, message.content] for message in request.messages],
        request.epoch,
        request.fresh_for,
    ]
    return hashlib.sha256(orjson.dumps(shape)).hexdigest()


def _sampling(parameters: GenerationParameters) -> list[float | int | None]:
    """Return temperature, top_p and seed; None for one that is not set, which differs from 0."""
    return [
        # Adding 0.0 turns -0.0 into 0.0.
        parameters.temperature + 0.0 if parameters.HasField("temperature") else None,
        parameters.top_p + 0.0 if parameters.HasField("top_p") else None,
        parameters.seed if parameters.HasField("seed") else None,
    ]
