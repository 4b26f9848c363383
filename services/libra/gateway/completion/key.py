"""The name of an answer: the hash of everything that shapes it."""

from __future__ import annotations

import hashlib

import orjson

from libra.gateway.completion.request import CompletionRequest
from libra.v1.completion_pb2 import GenerationParameters

FORM = "libra completion 1"
"""Part of every hash. Change it when what is hashed changes its meaning: answers kept before are then not found."""


def completion_id(question: CompletionRequest) -> str:
    """Return SHA-256, in hex, of the question as canonical JSON.

    A JSON list of strings, numbers and nulls in a fixed order is written in exactly one way, so that two questions have one
    name if and only if nothing tells them apart. Limits, prices and the name of the key's variable shape no answer.
    """
    model = question.model
    shape = [
        FORM,
        [int(model.provider), model.base_url.rstrip("/"), model.remote_model, model.name],
        [*_sampling(question.parameters), question.max_tokens, question.parameters.json_schema],
        [[message.role, message.content] for message in question.messages],
        question.epoch,
        question.fresh_for,
    ]
    return hashlib.sha256(orjson.dumps(shape)).hexdigest()


def _sampling(parameters: GenerationParameters) -> list[float | int | None]:
    """Return temperature, top_p and seed; None where one is not set, which is not 0."""
    return [
        # Adding 0.0 makes one zero of two.
        parameters.temperature + 0.0 if parameters.HasField("temperature") else None,
        parameters.top_p + 0.0 if parameters.HasField("top_p") else None,
        parameters.seed if parameters.HasField("seed") else None,
    ]
