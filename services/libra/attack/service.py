"""AttackService: show the catalogue, and apply one attack to one conversation."""

from __future__ import annotations

import grpc.aio

from libra.attack.catalogue import registry
from libra.attack.translating import to_messages, to_proto, to_turns
from libra.errors import Invalid
from libra.v1 import attack_pb2_grpc
from libra.v1.attack_pb2 import ListAttacksRequest, ListAttacksResponse, TransformRequest, TransformResponse


class AttackService(attack_pb2_grpc.AttackServiceServicer):
    """Answers from the catalogue; it keeps nothing."""

    async def ListAttacks(self, request: ListAttacksRequest, context: grpc.aio.ServicerContext) -> ListAttacksResponse:
        """Return every attack, in order of name."""
        return ListAttacksResponse(attacks=[to_proto(attack) for attack in registry.listing()])

    async def Transform(self, request: TransformRequest, context: grpc.aio.ServicerContext) -> TransformResponse:
        """Return the conversation under attack; the same request always gets the same answer."""
        attack = registry.find(request.attack)
        if attack is None:
            raise Invalid(registry.missing(request.attack), field="attack")
        turns = attack.apply(to_turns(request.messages), request.seed)
        return TransformResponse(messages=to_messages(turns))
