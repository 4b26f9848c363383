"""AttackService: list the catalogue, and apply one attack to one conversation."""

from __future__ import annotations

import grpc.aio

from libra.attack.apply import apply_attack, truncate_log, will_ask_model
from libra.attack.attack_session import AttackSession, UnusableReply
from libra.attack.catalogue import registry
from libra.attack.model_client import AttackModels, ConnectModels
from libra.attack.proto_mapping import to_messages, to_proto, to_turns
from libra.core.errors import FailedPrecondition, Invalid
from libra.v1 import attack_pb2_grpc
from libra.v1.attack_pb2 import ListAttacksRequest, ListAttacksResponse, TransformRequest, TransformResponse
from libra.v1.completion_pb2 import GenerationParameters


class AttackService(attack_pb2_grpc.AttackServiceServicer):
    """Answers from the catalogue and, through the gateway, with the help of models; it stores nothing."""

    def __init__(self, connect: ConnectModels) -> None:
        self._connect = connect

    async def ListAttacks(self, request: ListAttacksRequest, context: grpc.aio.ServicerContext) -> ListAttacksResponse:
        """Return every attack, in order of name."""
        return ListAttacksResponse(attacks=[to_proto(attack) for attack in registry.list_attacks()])

    async def Transform(self, request: TransformRequest, context: grpc.aio.ServicerContext) -> TransformResponse:
        """Return the conversation under attack; the same request always gets the same answer.

        If a model is named and its replies are unusable, the request fails instead of using the attack's rules: the
        caller wants to see the model's text.
        """
        attack = registry.find(request.attack)
        if attack is None:
            raise Invalid(registry.explain_missing(request.attack), field="attack")
        turns = to_turns(request.messages)
        if not will_ask_model(attack, request.attack_model):
            return TransformResponse(messages=to_messages(attack.apply(turns, request.seed)))
        models = AttackModels(request.attack_model, request.target_model, request.judge_model, GenerationParameters())
        session = AttackSession(self._connect(models), models.roles())
        try:
            attacked = await apply_attack(attack, turns, request.seed, session, allow_fallback=False)
        except UnusableReply as error:
            raise FailedPrecondition(
                f"the attack {attack.name} got no usable reply: {error}", field="attack_model"
            ) from error
        return TransformResponse(messages=to_messages(attacked.turns), log=to_messages(truncate_log(session)))
