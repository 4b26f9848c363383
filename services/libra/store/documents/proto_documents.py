"""Converts protobuf messages to documents and back, field by field, for any message.

A map becomes a list of pairs, since its keys may contain text that a document's keys must not ("a.b", "$set", NUL). A
timestamp becomes a date, which MongoDB stores to the millisecond. Enumerations become numbers. Unset fields are left
out.
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
Writer = Callable[[Any], Any]
Reader = Callable[["Message", str, Any], None]
MessageT = TypeVar("MessageT", bound="Message")


def to_document(message: Message) -> Document:
    """Return the fields that `message` sets, by field name."""
    document = {}
    for field, value in message.ListFields():
        name, write = _writer(field)
        document[name] = value if write is None else write(value)
    return document


def from_document(message: MessageT, document: Mapping[str, Any]) -> MessageT:
    """Set on `message` every field that `document` contains, and return it; other keys are ignored."""
    readers = _readers(message.DESCRIPTOR)
    for name, value in document.items():
        if name in readers:
            read = readers[name]
            if read is None:
                setattr(message, name, value)
            else:
                read(message, name, value)
    return message


def find_pair(document: Mapping[str, Any], field: str, key: str) -> str:
    """Return the value of a key in a map from text to text that a document stores as pairs; "" if it has none."""
    for name, value in document.get(field, ()):
        if name == key:
            return str(value)
    return ""


def pair_value(field: str, key: str) -> Document:
    """Return the MongoDB expression for the same; null if there is none."""
    named = {"$filter": {"input": {"$ifNull": [f"${field}", []]}, "cond": {"$eq": [{"$first": "$$this"}, key]}}}
    return {"$last": {"$first": named}}


@cache
def _writer(field: FieldDescriptor) -> tuple[str, Writer | None]:
    """Return a field's name and the function that converts its value; None where the value needs no conversion."""
    message_type = field.message_type
    if message_type is None:
        return field.name, list if field.is_repeated else None
    if message_type.GetOptions().map_entry:
        return field.name, _pairs
    if message_type.full_name == Timestamp.DESCRIPTOR.full_name:
        return field.name, _date
    return field.name, _documents if field.is_repeated else to_document


def _pairs(value: Mapping[Any, Any]) -> list[list[Any]]:
    return [[key, value[key]] for key in sorted(value)]


def _date(value: Timestamp) -> datetime:
    return value.ToDatetime(tzinfo=UTC)


def _documents(value: Iterable[Message]) -> list[Document]:
    return [to_document(each) for each in value]


@cache
def _readers(message_type: Descriptor) -> Mapping[str, Reader | None]:
    """Return the function that sets each field of a message; None where a plain assignment does."""
    return {name: _reader(field) for name, field in message_type.fields_by_name.items()}


def _reader(field: FieldDescriptor) -> Reader | None:
    message_type = field.message_type
    if message_type is None:
        return _read_values if field.is_repeated else None
    if message_type.GetOptions().map_entry:
        return _read_map
    if message_type.full_name == Timestamp.DESCRIPTOR.full_name:
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
    repeated = getattr(message, name)
    for each in value:
        from_document(repeated.add(), each)
