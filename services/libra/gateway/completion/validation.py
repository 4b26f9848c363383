"""Validation of a CompleteRequest, and its conversion to requests to a model."""

from __future__ import annotations

from collections.abc import Sequence

from libra.core.access import team_scope
from libra.core.errors import Invalid
from libra.core.parameter_limits import check_parameters
from libra.gateway.provider.request import CompletionRequest, InvalidSchema, parsed_schema, problem_of, turns
from libra.v1.gateway_pb2 import CompleteRequest, StreamCompleteRequest
from libra.v1.model_pb2 import Model, Provider

MAX_CONVERSATIONS = 64

TAKE_ANSWERS = frozenset({Provider.PROVIDER_OPENAI, Provider.PROVIDER_AZURE_OPENAI, Provider.PROVIDER_SCRIPTED})
"""Providers that take a conversation which ends with an answer. Others refuse it or continue the answer."""


def check_request(request: CompleteRequest) -> None:
    """Raise Invalid with the first invalid field."""
    if not request.model:
        raise Invalid("the model is missing", field="model")
    if not 1 <= len(request.conversations) <= MAX_CONVERSATIONS:
        number = len(request.conversations)
        raise Invalid(f"a call takes 1 to {MAX_CONVERSATIONS} conversations, not {number}", field="conversations")
    check_parameters(request.parameters, field="parameters")
    if request.parameters.json_schema:
        try:
            parsed_schema(request.parameters.json_schema)
        except InvalidSchema as error:
            raise Invalid(str(error), field="parameters.json_schema") from None
    for position, conversation in enumerate(request.conversations):
        if problem := problem_of(
            turns(conversation.messages), "assistant" if conversation.ends_with_answer else "user"
        ):
            raise Invalid(problem, field=f"conversations[{position}].messages")
        if conversation.epoch < 0:
            raise Invalid(
                f"the epoch must be 0 or more, not {conversation.epoch}", field=f"conversations[{position}].epoch"
            )


def as_batch(request: StreamCompleteRequest) -> CompleteRequest:
    """Return the batch of one conversation that a streamed call stands for."""
    return CompleteRequest(
        model=request.model,
        parameters=request.parameters,
        conversations=[request.conversation],
        fresh_for=request.fresh_for,
    )


def to_requests(request: CompleteRequest, model: Model) -> Sequence[CompletionRequest]:
    """Return the requests to the model that a validated call contains, in order.

    Raises:
        Invalid: a conversation ends with an answer, and the model's API takes no such conversation.
    """
    if model.provider not in TAKE_ANSWERS and any(each.ends_with_answer for each in request.conversations):
        raise Invalid(
            f"the API of the model {model.name} takes no conversation that ends with the assistant's answer; ask a "
            "guard behind it in the form prompt",
            field="conversations",
        )
    return [
        CompletionRequest(
            model,
            request.parameters,
            turns(conversation.messages),
            conversation.epoch,
            request.fresh_for,
            team=team_scope.partition(),
        )
        for conversation in request.conversations
    ]
