"""Parse samples from JSONL: one object per line with `messages`, an optional `id`, and fields for its judge."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn

from libra.core.errors import Invalid, unknown
from libra.v1.message_pb2 import Message
from libra.v1.task_pb2 import Sample

DATA_FIELD = "data"
MAX_RECORD_BYTES = 2 * 1024 * 1024
MAX_ID_CHARACTERS = 200
MAX_SHOWN_CHARACTERS = 60
ROLES = ("system", "user", "assistant")
BOM = b"\xef\xbb\xbf"


def parse_samples(pieces: Iterable[bytes], *, file_name: str) -> list[Sample]:
    """Return the samples of a file that arrives in pieces of any size.

    Raises Invalid naming file and line at the first fault. Blank lines at the end and a byte order mark at the
    beginning are accepted; any other line must be a valid record.
    """
    samples: list[Sample] = []
    line_of: dict[str, int] = {}
    blank = number = 0
    for number, raw in enumerate(split_lines(pieces), start=1):
        line = raw.removeprefix(BOM) if number == 1 else raw
        if not line.strip():
            blank = blank or number
            continue
        where = f"{file_name}, line {number}"
        if blank:
            raise Invalid(f"{file_name}, line {blank} is blank, but records follow; delete the line", field=DATA_FIELD)
        try:
            sample = to_sample(parse_object(line), len(samples))
        except Invalid as error:
            raise Invalid(f"{where}: {error.message}", field=DATA_FIELD) from None
        if (first := line_of.setdefault(sample.id, number)) != number:
            raise Invalid(
                f"{where}: the id {excerpt(sample.id)} is already used in line {first}; ids must be unique",
                field=DATA_FIELD,
            )
        samples.append(sample)
    if not samples:
        content = "has only blank lines" if number else "has 0 bytes"
        raise Invalid(f"{file_name} {content}; a task needs at least one record", field=DATA_FIELD)
    return samples


def split_lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield each line without its end. Only a line feed ends a line: a text may contain U+2028 and the like."""
    incomplete: list[bytes] = []
    for piece in pieces:
        first, *others = piece.split(b"\n")
        incomplete.append(first)
        for other in others:
            yield b"".join(incomplete)
            incomplete = [other]
    if last := b"".join(incomplete):
        yield last


def to_sample(record: dict[str, Any], ordinal: int) -> Sample:
    """Return the sample of a record; raise Invalid with the fault. Removes `messages` and `id` from the record."""
    turns = record.pop("messages", None)
    if turns is None:
        raise Invalid("the record has no messages; they are a list of objects with role and content")
    messages = [parse_message(turn, index) for index, turn in enumerate(require_turns(turns))]
    # The format begins every record with a system message; an empty one means that there is none.
    messages = [message for message in messages if message.role != "system" or message.content]
    if not messages or messages[-1].role != "user":
        last = f"the last is the {messages[-1].role}'s" if messages else "there is none"
        raise Invalid(f"the messages must end with a user's turn; {last}")
    sample_id = parse_id(record.pop("id", None), ordinal)
    fields = {key: field_text(value) for key, value in record.items()}
    sample = Sample(ordinal=ordinal, id=sample_id, messages=messages, fields=fields)
    if (size_bytes := sample.ByteSize()) > MAX_RECORD_BYTES:
        raise Invalid(f"the record has {size_bytes:,} bytes of text; the limit is {MAX_RECORD_BYTES:,}")
    return sample


def parse_object(line: bytes) -> dict[str, Any]:
    """Return the JSON object of a line; raise Invalid if it is none, or has text that UTF-8 cannot encode."""
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        raise Invalid(f"it is not UTF-8: byte {error.start + 1} of the line is 0x{line[error.start]:02x}") from None
    try:
        record = json.loads(text, parse_constant=reject_constant, object_pairs_hook=reject_duplicates)
    except json.JSONDecodeError as error:
        raise Invalid(f"it is not JSON: {error.msg} at character {error.pos + 1}") from None
    except RecursionError:
        raise Invalid("it is nested too deeply") from None
    except ValueError as error:  # an integer of thousands of digits
        raise Invalid(f"it cannot be read: {error}") from None
    if not isinstance(record, dict):
        raise Invalid(f"a record must be an object, not {excerpt(record)}")
    if "\\u" in text:  # only an escape can produce a lone surrogate
        check_surrogates(record)
    return record


def check_surrogates(record: Any) -> None:
    """Raise Invalid for a lone surrogate, which UTF-8 cannot encode."""
    try:
        json.dumps(record, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        surrogate = f"\\u{ord(error.object[error.start]):04x}"
        raise Invalid(
            f"it has {surrogate}, half of a surrogate pair, which UTF-8 cannot encode; write both halves"
        ) from None


def reject_constant(constant: str) -> NoReturn:
    """Raise Invalid for NaN and the infinities, which Python parses although JSON does not have them."""
    raise Invalid(f"it is not JSON: {constant} is not a number of JSON")


def reject_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the pairs as an object; raise Invalid for a duplicate key, because one of its values would be lost."""
    record = dict(pairs)
    if len(record) < len(pairs):
        keys = [key for key, _ in pairs]
        duplicate = next(key for key in keys if keys.count(key) > 1)
        raise Invalid(f"the key {excerpt(duplicate)} occurs twice")
    return record


def require_turns(value: Any) -> list[Any]:
    """Return the messages if they are a list with at least one element; raise Invalid otherwise."""
    if not isinstance(value, list) or not value:
        raise Invalid(f"messages must be a list of at least one object with role and content, not {excerpt(value)}")
    return value


def parse_message(turn: Any, index: int) -> Message:
    """Return one turn as a message; raise Invalid unless it has a known role, text content and no other key."""
    where = f"messages[{index}]"
    if not isinstance(turn, dict) or turn.keys() != {"role", "content"}:
        raise Invalid(f"{where} must be an object with role and content and nothing else, not {excerpt(turn)}")
    role, content = turn["role"], turn["content"]
    if role not in ROLES:
        raise Invalid(f"{where}: {unknown('role', role, ROLES) if isinstance(role, str) else 'role must be text'}")
    if not isinstance(content, str):
        raise Invalid(f"{where}: content must be text, not {excerpt(content)}")
    return Message(role=role, content=content)


def parse_id(value: Any, ordinal: int) -> str:
    """Return the record's id as text, or its ordinal if it has none."""
    if value is None:
        return str(ordinal)
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise Invalid(f"id must be text or a whole number, not {excerpt(value)}")
    sample_id = str(value)
    if not 0 < len(sample_id) <= MAX_ID_CHARACTERS:
        raise Invalid(f"id must have 1 to {MAX_ID_CHARACTERS} characters, not {len(sample_id)}")
    return sample_id


def field_text(value: Any) -> str:
    """Return a field's value: text unchanged, anything else as JSON."""
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError:
        raise Invalid("it has a number that is too large to be read") from None


def excerpt(value: Any) -> str:
    """Return the beginning of the value's JSON, for an error."""
    text = json.dumps(value)
    return text if len(text) <= MAX_SHOWN_CHARACTERS else text[:MAX_SHOWN_CHARACTERS] + "…"
