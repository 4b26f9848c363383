"""Turns messages of the contracts into documents and back, field by field, for any message.

A map becomes a list of pairs, since its keys may hold what a document's must not ("a.b", "$set", NUL). A timestamp becomes
a date, which MongoDB keeps to the millisecond. Enumerations are their numbers. What a message does not set is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum, auto
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp

if TYPE_CHECKING:
    from google.protobuf.descriptor import FieldDescriptor
    from google.protobuf.message import Message

Document = dict[str, Any]
Kind = TypeVar("Kind", bound="Message")

MICROSECONDS_KEPT = 1000


class _Shape(Enum):
    """How a field is written down."""

    VALUE = auto()
    VALUES = auto()
    MAP = auto()
    DATE = auto()
    MESSAGE = auto()
    MESSAGES = auto()


def to_document(message: Message) -> Document:
    """Return what `message` sets, by field name."""
    return {field.name: _written(_shape(field), value) for field, value in message.ListFields()}


def from_document(message: Kind, document: Mapping[str, Any]) -> Kind:
    """Set on `message` every field that `document` holds, and return it; other keys are passed by."""
    fields = message.DESCRIPTOR.fields_by_name
    for name, value in document.items():
        if name in fields:
            _read(_shape(fields[name]), message, name, value)
    return message


def now() -> datetime:
    """Return the time to write down, as MongoDB will keep it."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // MICROSECONDS_KEPT * MICROSECONDS_KEPT)


@cache
def _shape(field: FieldDescriptor) -> _Shape:
    kind = field.message_type
    if kind is None:
        return _Shape.VALUES if field.is_repeated else _Shape.VALUE
    if kind.GetOptions().map_entry:
        return _Shape.MAP
    if kind.full_name == Timestamp.DESCRIPTOR.full_name:
        return _Shape.DATE
    return _Shape.MESSAGES if field.is_repeated else _Shape.MESSAGE


def _written(shape: _Shape, value: Any) -> Any:
    match shape:
        case _Shape.VALUE:
            return value
        case _Shape.VALUES:
            return list(value)
        case _Shape.MAP:
            return [[key, value[key]] for key in sorted(value)]
        case _Shape.DATE:
            return value.ToDatetime(tzinfo=UTC)
        case _Shape.MESSAGE:
            return to_document(value)
        case _Shape.MESSAGES:
            return [to_document(each) for each in value]


def _read(shape: _Shape, message: Message, name: str, value: Any) -> None:
    match shape:
        case _Shape.VALUE:
            setattr(message, name, value)
        case _Shape.VALUES:
            getattr(message, name).extend(value)
        case _Shape.MAP:
            getattr(message, name).update(value)
        case _Shape.DATE:
            getattr(message, name).FromDatetime(value)
        case _Shape.MESSAGE:
            getattr(message, name).SetInParent()
            from_document(getattr(message, name), value)
        case _Shape.MESSAGES:
            for each in value:
                from_document(getattr(message, name).add(), each)
