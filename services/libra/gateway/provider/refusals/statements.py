"""The sentences of an error in which an endpoint may name what it refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from libra.gateway.provider.refusals.parameter_names import PARAMETERS
from libra.gateway.provider.response.dialects import ECHOED
from libra.gateway.provider.response.quoted_json import objects_and_texts

MAX_STATEMENT_CHARACTERS = 8_000
MAX_STATEMENTS = 100

UNKNOWN_CODES = frozenset({"unsupported_parameter", "unknown_parameter", "unrecognized_parameter", "extra_forbidden"})
"""Codes that say of the field in `param` that it is not known."""

LOCATED = re.compile(
    r"""\{[^{}]*['"]loc['"]\s*:\s*[\[(](?P<loc>[^\])]*)[\])][^{}]*""",
)
"""A pydantic error within a text, also as a Python literal or cut short."""

MESSAGE_OF_LOCATED = re.compile(r"""['"]msg['"]\s*:\s*(?P<quote>['"])(?P<message>.*?)(?P=quote)""")

SKIPPED_LOCATIONS = frozenset({"body"})


def statements(error: object) -> Iterator[str]:
    """Yield what an error says: its texts, and then each message with the field that it is about put in front.

    `error` is JSON or text.
    """
    objects: list[Mapping[str, Any]] = []
    for name, found in islice(objects_and_texts(error), MAX_STATEMENTS):
        if isinstance(found, dict):
            objects.append(found)
        elif name not in ECHOED:
            text = found[:MAX_STATEMENT_CHARACTERS]
            yield text
            yield from _located(text)
    for each in objects:
        yield from _of_object(each)


def _of_object(found: Mapping[str, Any]) -> Iterator[str]:
    message = next((found[key] for key in ("message", "msg", "description") if isinstance(found.get(key), str)), "")
    param, code = found.get("param"), found.get("code")
    if isinstance(param, str) and param:
        yield f"unknown parameter '{param}': {message}" if code in UNKNOWN_CODES else f"'{param}': {message}"
    location = found.get("loc")
    if isinstance(location, list | tuple):
        yield f"'{_path(location)}': {message}"
    if isinstance(found.get("field"), str) and message:
        yield f"'{found['field']}': {message}"
    for name, problem in found.items():  # the form of web frameworks: problems by the name of the field
        text = problem[0] if isinstance(problem, list) and problem else problem
        if isinstance(text, str) and name.lower() in PARAMETERS:
            yield f"'{name}': {text}"


def _located(text: str) -> Iterator[str]:
    for found in LOCATED.finditer(text):
        message = MESSAGE_OF_LOCATED.search(found[0])
        location = [part.strip(" '\"") for part in found["loc"].split(",") if part.strip()]
        yield f"'{_path(location)}': {message['message'] if message else ''}"


def _path(location: list[Any] | tuple[Any, ...]) -> str:
    return ".".join(str(part) for part in location if part not in SKIPPED_LOCATIONS)
