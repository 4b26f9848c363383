"""Convert between the protos' messages and the turns of the catalogue."""

from __future__ import annotations

from collections.abc import Iterable

from libra.attack.catalogue.attack import Attack
from libra.attack.conversation import Turn, Turns
from libra.core.taxonomy.proto_mapping import tags_of_attack_to_proto
from libra.v1 import attack_pb2
from libra.v1.message_pb2 import Message


def to_turns(messages: Iterable[Message]) -> Turns:
    """Return the messages as turns."""
    return tuple(Turn(message.role, message.content) for message in messages)


def to_messages(turns: Turns) -> list[Message]:
    """Return the turns as messages."""
    return [Message(role=turn.role, content=turn.content) for turn in turns]


def to_proto(attack: Attack) -> attack_pb2.Attack:
    """Return an attack as AttackService lists it."""
    return attack_pb2.Attack(
        name=attack.name,
        version=attack.version,
        description=attack.description,
        source=attack.source,
        example=to_messages(attack.example()),
        family=attack.family,
        model_use=attack_pb2.ModelUse.ValueType(attack.model_use),
        multi_turn=attack.multi_turn,
        rewrites_request=attack.rewrites_request,
        taxonomies=tags_of_attack_to_proto(attack.name),
    )
