"""Turns a message into the plain object of the same fields."""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from functools import cache
from types import UnionType
from typing import Any, TypeVar

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

Result = TypeVar("Result")
Read = Callable[[Any], Any]


def to_result(kind: type[Result], message: Message) -> Result:
    """Return the object of this class with the message's fields of the same names.

    A field that is not set, but could be, is None if the class allows that. Raises KeyError for a field of the class
    that the message does not have: that is a bug.
    """
    return kind(**{name: read(message) for name, read in _readers(kind, type(message))})  # type: ignore[arg-type]  # mypy takes a class for unhashable


@cache
def _readers(kind: Any, message: Any) -> tuple[tuple[str, Read], ...]:
    """Return the names of the fields of a class with what reads them from a message of the other class."""
    types = typing.get_type_hints(kind)
    described: Mapping[str, FieldDescriptor] = message.DESCRIPTOR.fields_by_name
    return tuple((field.name, _reader(described[field.name], types[field.name])) for field in fields(kind))


def _reader(field: FieldDescriptor, kind: Any) -> Read:
    """Return what reads a field of a message as a value of the type `kind`."""
    name, (inner, is_optional) = field.name, _without_none(kind)
    origin = typing.get_origin(inner)
    if origin is tuple:
        convert = _converter(field, typing.get_args(inner)[0])
        return lambda message: tuple(convert(item) for item in getattr(message, name))
    if origin is not None and issubclass(origin, Mapping):
        return lambda message: dict(getattr(message, name))
    convert = _converter(field, inner)
    if is_optional:
        return lambda message: convert(getattr(message, name)) if message.HasField(name) else None
    return lambda message: convert(getattr(message, name))


def _converter(field: FieldDescriptor, kind: Any) -> Read:
    if is_dataclass(kind):
        return lambda value: to_result(typing.cast("type[Any]", kind), value)
    if kind is datetime:
        return _to_datetime
    if field.enum_type is not None:
        return _enum_names(field.enum_type).__getitem__
    return lambda value: value


def _to_datetime(time: Timestamp) -> datetime:
    return time.ToDatetime(UTC)


def _enum_names(enum: EnumDescriptor) -> dict[int, str]:
    """Return the names of an enumeration without their common prefix, in lower case; "" for the unspecified value."""
    unspecified = enum.values_by_number[0].name
    prefix = unspecified.removesuffix("UNSPECIFIED")
    return {value.number: value.name.removeprefix(prefix).lower() if value.number else "" for value in enum.values}


def _without_none(kind: Any) -> tuple[Any, bool]:
    """Return the type without None, and whether it had None."""
    if typing.get_origin(kind) not in (UnionType, typing.Union):
        return kind, False
    (inner,) = (part for part in typing.get_args(kind) if part is not type(None))
    return inner, True
