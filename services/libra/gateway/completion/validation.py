"""Check what a caller asks of a model."""

from __future__ import annotations

from collections.abc import Sequence

from libra.contracts.parameters import check_parameters
from libra.errors import Invalid
from libra.gateway.completion.request import CompletionRequest, problem_of, turns
from libra.gateway.provider.openai_request import BadSchema, parsed_schema
from libra.v1.gateway_pb2 import CompleteRequest
from libra.v1.model_pb2 import Model

MAX_CONVERSATIONS = 64


def check(request: CompleteRequest) -> None:
    """Raise Invalid naming the first field at fault."""
    if not request.model:
        raise Invalid("a model must be named", field="model")
    if not 1 <= len(request.conversations) <= MAX_CONVERSATIONS:
        number = len(request.conversations)
        raise Invalid(f"a call takes 1 to {MAX_CONVERSATIONS} conversations, not {number}", field="conversations")
    check_parameters(request.parameters, field="parameters")
    check_schema(request.parameters.json_schema)
    for place, conversation in enumerate(request.conversations):
        if problem := problem_of(conversation.messages):
            raise Invalid(problem, field=f"conversations[{place}].messages")
        if conversation.epoch < 0:
            raise Invalid(f"{conversation.epoch} is not 0 or more", field=f"conversations[{place}].epoch")


def check_schema(schema: str) -> None:
    """Raise Invalid if a schema is given that is not a JSON object."""
    if not schema:
        return
    try:
        parsed_schema(schema)
    except BadSchema as error:
        raise Invalid(str(error), field="parameters.json_schema") from None


def questions(request: CompleteRequest, model: Model) -> Sequence[CompletionRequest]:
    """Return what a checked request asks, in order."""
    return [
        CompletionRequest(model, request.parameters, turns(asked.messages), asked.epoch, request.fresh_for)
        for asked in request.conversations
    ]
