"""Turns messages of the contracts into documents and back, field by field, for any message.

A map becomes a list of pairs, since its keys may hold what a document's must not ("a.b", "$set", NUL). A timestamp becomes
a date, which MongoDB keeps to the millisecond. Enumerations are their numbers. What a message does not set is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor, FieldDescriptor
    from google.protobuf.message import Message

Document = dict[str, Any]
Write = Callable[[Any], Any]
Read = Callable[["Message", str, Any], None]
Kind = TypeVar("Kind", bound="Message")

MICROSECONDS_KEPT = 1000


def to_document(message: Message) -> Document:
    """Return what `message` sets, by field name."""
    document = {}
    for field, value in message.ListFields():
        name, write = _way(field)
        document[name] = value if write is None else write(value)
    return document


def from_document(message: Kind, document: Mapping[str, Any]) -> Kind:
    """Set on `message` every field that `document` holds, and return it; other keys are passed by."""
    readers = _readers(message.DESCRIPTOR)
    for name, value in document.items():
        if name in readers:
            read = readers[name]
            if read is None:
                setattr(message, name, value)
            else:
                read(message, name, value)
    return message


def now() -> datetime:
    """Return the time to write down, as MongoDB will keep it."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // MICROSECONDS_KEPT * MICROSECONDS_KEPT)


@cache
def _way(field: FieldDescriptor) -> tuple[str, Write | None]:
    """Return a field's name, and what makes its value one of a document; None if it is one."""
    kind = field.message_type
    if kind is None:
        return field.name, list if field.is_repeated else None
    if kind.GetOptions().map_entry:
        return field.name, _pairs
    if kind.full_name == Timestamp.DESCRIPTOR.full_name:
        return field.name, _date
    return field.name, _documents if field.is_repeated else to_document


def _pairs(value: Mapping[Any, Any]) -> list[list[Any]]:
    return [[key, value[key]] for key in sorted(value)]


def _date(value: Timestamp) -> datetime:
    return value.ToDatetime(tzinfo=UTC)


def _documents(value: Iterable[Message]) -> list[Document]:
    return [to_document(each) for each in value]


@cache
def _readers(kind: Descriptor) -> Mapping[str, Read | None]:
    """Return what sets each field of a message; None where a plain assignment does."""
    return {name: _reader(field) for name, field in kind.fields_by_name.items()}


def _reader(field: FieldDescriptor) -> Read | None:
    kind = field.message_type
    if kind is None:
        return _read_values if field.is_repeated else None
    if kind.GetOptions().map_entry:
        return _read_map
    if kind.full_name == Timestamp.DESCRIPTOR.full_name:
        return _read_date
    return _read_messages if field.is_repeated else _read_message


def _read_values(message: Message, name: str, value: Any) -> None:
    getattr(message, name).extend(value)


def _read_map(message: Message, name: str, value: Any) -> None:
    getattr(message, name).update(value)


def _read_date(message: Message, name: str, value: datetime) -> None:
    getattr(message, name).FromDatetime(value)


def _read_message(message: Message, name: str, value: Document) -> None:
    part = getattr(message, name)
    part.SetInParent()
    from_document(part, value)


def _read_messages(message: Message, name: str, value: Iterable[Document]) -> None:
    several = getattr(message, name)
    for each in value:
        from_document(several.add(), each)
