"""Parse samples from a file: each record has `messages` or a prompt, an optional `id`, and fields for its judge."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from libra.core.errors import Invalid, unknown
from libra.dispatch.tasks.column_mapping import ColumnMapping
from libra.dispatch.tasks.file_forms import (
    DELIMITERS,
    PARQUET,
    LocatedRecords,
    count_records,
    extension_of,
    open_pieces,
    read_parquet,
    read_table,
)
from libra.dispatch.tasks.id_index import IdIndex
from libra.dispatch.tasks.json_records import excerpt, read_json
from libra.dispatch.tasks.required_field import RequiredField
from libra.v1.message_pb2 import Message
from libra.v1.task_pb2 import Sample

DATA_FIELD = "data"
MAX_RECORD_BYTES = 2 * 1024 * 1024
MAX_ID_CHARACTERS = 200
ROLES = ("system", "user", "assistant")
OTHER_ROLES = {"developer": "system", "human": "user", "gpt": "assistant", "chatgpt": "assistant", "model": "assistant"}
"""Other names of the roles: OpenAI's developer message is its system message, and ShareGPT's `from` has the rest."""

TURN_KEYS = {"role", "content"}
SHAREGPT_KEYS = {"from": "role", "value": "content"}
DEFAULT_MAPPING = ColumnMapping()


def parse_samples(pieces: Iterable[bytes], *, file_name: str) -> list[Sample]:
    """Return the samples of a file; see `iterate_samples`."""
    return list(iterate_samples(pieces, file_name=file_name))


def iterate_samples(
    pieces: Iterable[bytes],
    *,
    file_name: str,
    mapping: ColumnMapping = DEFAULT_MAPPING,
    required: RequiredField | None = None,
) -> Iterator[Sample]:
    """Yield the samples of a file that arrives in pieces of any size.

    Raises Invalid naming file and line at the first fault; a field `required` that only some records have is one. Blank
    lines at the end and a byte order mark at the beginning are accepted.
    """
    required = required or RequiredField("")
    numbers = IdIndex()
    size_bytes = 0

    def counted() -> Iterator[bytes]:
        nonlocal size_bytes
        for piece in pieces:
            size_bytes += len(piece)
            yield piece

    try:
        for ordinal, (where, record) in enumerate(count_records(read_records(counted(), file_name))):
            yield located_sample(record, ordinal, where, numbers, mapping=mapping, required=required)
    except Invalid as error:
        separator = ", " if error.message.startswith(("line ", "record ")) else ": "
        raise Invalid(f"{file_name}{separator}{error.message}", field=DATA_FIELD) from None
    if not len(numbers):
        content = "has no records" if size_bytes else "has 0 bytes"
        raise Invalid(f"{file_name} {content}; a task needs at least one record", field=DATA_FIELD)


def located_sample(
    record: dict[str, Any],
    ordinal: int,
    where: str,
    numbers: IdIndex,
    *,
    mapping: ColumnMapping,
    required: RequiredField,
) -> Sample:
    """Return the sample of a record, and store where its id occurs; raise Invalid with its place."""
    try:
        mapped = mapping.to_record(record, required=required.name)
        required.check(mapped, record, where)
        sample = to_sample(mapped, ordinal, ignore=mapping.ignore)
    except Invalid as error:
        raise Invalid(f"{where}: {error.message}") from None
    *_, unit, number = where.split()
    if (first := numbers.add(sample.id, int(number))) != int(number):
        raise Invalid(f"{where}: the id {excerpt(sample.id)} is already used in {unit} {first}; ids must be unique")
    return sample


def read_records(pieces: Iterable[bytes], file_name: str) -> LocatedRecords:
    """Yield the records of a file with their places; the name's extension tells CSV and TSV from JSON."""
    head, pieces = open_pieces(pieces)
    extension = extension_of(file_name)
    if head == PARQUET:
        for number, record in read_parquet(pieces):
            yield f"record {number}", record
    elif extension in DELIMITERS:
        for line, _, record in read_table(pieces, DELIMITERS[extension]):
            yield f"line {line}", record
    else:
        yield from read_json(pieces)


def to_sample(record: dict[str, Any], ordinal: int, *, ignore: Iterable[str] = ()) -> Sample:
    """Return the sample of a record; raise Invalid with the fault. Removes `messages` and `id` from the record."""
    turns = record.pop("messages", None)
    if turns is None:
        raise Invalid("the record has no messages; they are a list of objects with role and content")
    messages = [parse_message(turn, index, ignore) for index, turn in enumerate(require_turns(turns))]
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


def require_turns(value: Any) -> list[Any]:
    """Return the messages if they are a list with at least one element, or a text that is the user's turn or such JSON.

    Raises Invalid otherwise.
    """
    if isinstance(value, str):
        return _turns_of_text(value)
    if not isinstance(value, list) or not value:
        raise Invalid(f"messages must be a list of at least one object with role and content, not {excerpt(value)}")
    return value


def _turns_of_text(text: str) -> list[Any]:
    """Return the turns of a cell with JSON, or a single user's turn."""
    if text.lstrip().startswith("["):
        try:
            turns = json.loads(text)
        except (ValueError, RecursionError):
            turns = None
        if isinstance(turns, list) and turns and all(isinstance(turn, dict) for turn in turns):
            return turns
    return [{"role": "user", "content": text}]


def parse_message(turn: Any, index: int, ignore: Iterable[str] = ()) -> Message:
    """Return one turn as a message; raise Invalid unless it has a known role, text content and no other key."""
    where = f"messages[{index}]"
    if isinstance(turn, dict):
        turn = {SHAREGPT_KEYS.get(key, key): value for key, value in turn.items() if key not in ignore}
    if not isinstance(turn, dict) or not turn.keys() >= TURN_KEYS:
        raise Invalid(f"{where} must be an object with role and content and nothing else, not {excerpt(turn)}")
    if others := sorted(turn.keys() - TURN_KEYS):
        raise Invalid(
            f"{where} must be an object with role and content and nothing else: {', '.join(others)[:60]} cannot be "
            f"sent to a model; remove it, or add to the card: mapping: {{ignore: [{', '.join(others)[:60]}]}}"
        )
    role, content = turn["role"], turn["content"]
    role = OTHER_ROLES.get(role, role) if isinstance(role, str) else role
    if role not in ROLES:
        raise Invalid(f"{where}: {unknown('role', role, ROLES) if isinstance(role, str) else 'role must be text'}")
    return Message(role=role, content=content if isinstance(content, str) else join_parts(content, where))


def join_parts(content: Any, where: str) -> str:
    """Return the text of content in parts, one below the other; raise Invalid unless every part is text."""
    if not isinstance(content, list) or not content or not all(isinstance(part, Mapping) for part in content):
        raise Invalid(f"{where}: content must be text, not {excerpt(content)}")
    for index, part in enumerate(content):
        if not isinstance(part.get("text"), str) or part.get("type") not in ("text", "input_text", None):
            kind = excerpt(part.get("type", part))
            raise Invalid(f"{where}: content must be text, or parts of the type text; part {index} is {kind}")
    return "\n".join(part["text"] for part in content)


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
        return json.dumps(value, ensure_ascii=False, allow_nan=False, default=str)
    except ValueError:
        raise Invalid("it has a number that is too large to be read") from None
