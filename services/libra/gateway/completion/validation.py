"""Check what a caller asks of a model."""

from __future__ import annotations

from collections.abc import Sequence

from libra.errors import Invalid
from libra.gateway.completion.request import CompletionRequest, problem_of, turns
from libra.gateway.provider.openai_request import BadSchema, parsed_schema
from libra.v1.completion_pb2 import GenerationParameters
from libra.v1.gateway_pb2 import CompleteRequest
from libra.v1.model_pb2 import Model

MAX_CONVERSATIONS = 64
MAX_TOKENS = 131_072
HOTTEST = 2.0


def check(request: CompleteRequest) -> None:
    """Raise Invalid naming the first field at fault."""
    if not request.model:
        raise Invalid("a model must be named", field="model")
    if not 1 <= len(request.conversations) <= MAX_CONVERSATIONS:
        number = len(request.conversations)
        raise Invalid(f"a call takes 1 to {MAX_CONVERSATIONS} conversations, not {number}", field="conversations")
    check_parameters(request.parameters)
    for place, conversation in enumerate(request.conversations):
        if problem := problem_of(conversation.messages):
            raise Invalid(problem, field=f"conversations[{place}].messages")
        if conversation.epoch < 0:
            raise Invalid(f"{conversation.epoch} is not 0 or more", field=f"conversations[{place}].epoch")


def check_parameters(parameters: GenerationParameters) -> None:
    """Refuse parameters that no provider takes."""
    # NaN is within no bounds.
    if parameters.HasField("temperature") and not 0 <= parameters.temperature <= HOTTEST:
        raise Invalid(
            f"temperature must be from 0 to {HOTTEST:g}, not {parameters.temperature:g}", field="parameters.temperature"
        )
    if parameters.HasField("top_p") and not 0 < parameters.top_p <= 1:
        raise Invalid(f"top_p must be above 0 and at most 1, not {parameters.top_p:g}", field="parameters.top_p")
    if not 0 <= parameters.max_tokens <= MAX_TOKENS:
        raise Invalid(
            f"max_tokens must be from 0 (the default) to {MAX_TOKENS}, not {parameters.max_tokens}",
            field="parameters.max_tokens",
        )
    if parameters.json_schema:
        try:
            parsed_schema(parameters.json_schema)
        except BadSchema as error:
            raise Invalid(str(error), field="parameters.json_schema") from None


def questions(request: CompleteRequest, model: Model) -> Sequence[CompletionRequest]:
    """Return what a checked request asks, in order."""
    return [
        CompletionRequest(model, request.parameters, turns(asked.messages), asked.epoch, request.fresh_for)
        for asked in request.conversations
    ]
