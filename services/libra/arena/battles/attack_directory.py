"""The attacks that a visitor can choose, and their application, by the attack service."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import grpc.aio

from libra.core.attack_names import PLAIN
from libra.core.errors import CallerError, FailedPrecondition, Unavailable
from libra.rpc.client import call
from libra.v1.arena_pb2 import OfferedAttack
from libra.v1.attack_pb2 import MODEL_USE_REQUIRED, ListAttacksRequest, TransformRequest
from libra.v1.attack_pb2_grpc import AttackServiceStub
from libra.v1.message_pb2 import Message

CURRENT_SECONDS = 60.0
TIMEOUT_SECONDS = 10.0


class AttackDirectory:
    """Asks the attack service, and remembers its catalogue for a minute."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = AttackServiceStub(channel)
        self._offered: dict[str, OfferedAttack] = {}
        self._until = 0.0

    async def offered(self) -> Mapping[str, OfferedAttack]:
        """Return the attacks that need no model and no talk of several turns, by name. Raises Unavailable."""
        if time.monotonic() >= self._until:
            reply = await call(self._stub.ListAttacks, ListAttacksRequest(), TIMEOUT_SECONDS)
            self._offered = {
                attack.name: OfferedAttack(name=attack.name, family=attack.family, description=attack.description)
                for attack in reply.attacks
                if attack.name != PLAIN and attack.model_use != MODEL_USE_REQUIRED and not attack.multi_turn
            }
            self._until = time.monotonic() + CURRENT_SECONDS
        return self._offered

    async def apply(self, attack: str, prompt: str, seed: int) -> Sequence[Message]:
        """Return what a model is shown for a prompt. Raises FailedPrecondition if the attack does not fit it."""
        turns = [Message(role="user", content=prompt)]
        if attack == PLAIN:
            return turns
        request = TransformRequest(attack=attack, messages=turns, seed=seed)
        try:
            reply = await call(self._stub.Transform, request, TIMEOUT_SECONDS)
        except Unavailable:
            raise
        except CallerError as error:
            raise FailedPrecondition(
                f"the attack {attack} cannot be applied to this prompt: {error.message}; choose another attack or none",
                field="attack",
            ) from error
        return list(reply.messages)
