"""Read samples from JSONL: one object a line, with `messages`, perhaps an `id`, and whatever its judge needs to know."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn

from libra.errors import Invalid, unknown
from libra.v1.message_pb2 import Message
from libra.v1.task_pb2 import Sample

FIELD = "data"
MAX_RECORD_BYTES = 2 * 1024 * 1024
MAX_ID_CHARACTERS = 200
MAX_SHOWN_CHARACTERS = 60
ROLES = ("system", "user", "assistant")
BOM = b"\xef\xbb\xbf"


def parse(pieces: Iterable[bytes], *, file_name: str) -> list[Sample]:
    """Return the samples of a file that comes in pieces, which may be cut anywhere.

    Raise Invalid naming file and line at the first fault. Blank lines may stand at the end, and a byte order mark at the
    beginning; everything else that is not a sound record is one.
    """
    samples: list[Sample] = []
    line_of: dict[str, int] = {}
    blank = number = 0
    for number, raw in enumerate(lines(pieces), start=1):
        line = raw.removeprefix(BOM) if number == 1 else raw
        if not line.strip():
            blank = blank or number
            continue
        where = f"{file_name}, line {number}"
        if blank:
            raise Invalid(f"{file_name}, line {blank} is blank, though records follow; take it out", field=FIELD)
        try:
            sample = to_sample(line, len(samples))
        except Invalid as error:
            raise Invalid(f"{where}: {error.message}", field=FIELD) from None
        if (first := line_of.setdefault(sample.id, number)) != number:
            raise Invalid(f"{where}: the id {shown(sample.id)} is that of line {first}; ids must differ", field=FIELD)
        samples.append(sample)
    if not samples:
        what = "holds blank lines only" if number else "has 0 bytes"
        raise Invalid(f"{file_name} {what}; a task needs at least one record", field=FIELD)
    return samples


def lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield each line without its end. Only a line feed ends one: U+2028 and its like may stand in a text."""
    begun: list[bytes] = []
    for piece in pieces:
        first, *others = piece.split(b"\n")
        begun.append(first)
        for other in others:
            yield b"".join(begun)
            begun = [other]
    if last := b"".join(begun):
        yield last


def to_sample(line: bytes, ordinal: int) -> Sample:
    """Return the sample that a line holds; raise Invalid saying what is wrong with it."""
    return of_record(an_object(line), ordinal)


def of_record(record: dict[str, Any], ordinal: int) -> Sample:
    """Return the sample that a record is; raise Invalid saying what is wrong with it. The record is taken apart."""
    given = record.pop("messages", None)
    if given is None:
        raise Invalid("the record has no messages; they are a list of objects with role and content")
    messages = [a_message(turn, place) for place, turn in enumerate(a_list(given))]
    # The format opens every record with a system message, and leaves it empty for none.
    messages = [message for message in messages if message.role != "system" or message.content]
    if not messages or messages[-1].role != "user":
        last = f"the last is the {messages[-1].role}'s" if messages else "there is none"
        raise Invalid(f"the messages must end with a user's turn; {last}")
    name = an_id(record.pop("id", None), ordinal)
    sample = Sample(ordinal=ordinal, id=name, messages=messages, fields={key: text(record[key]) for key in record})
    if (size := sample.ByteSize()) > MAX_RECORD_BYTES:
        raise Invalid(f"the record has {size:,} bytes of text; the limit is {MAX_RECORD_BYTES:,}")
    return sample


def an_object(line: bytes) -> dict[str, Any]:
    """Return the JSON object of a line, none of whose texts is impossible to write in UTF-8."""
    try:
        written = line.decode()
    except UnicodeDecodeError as error:
        raise Invalid(f"it is not UTF-8: byte {error.start + 1} of the line is 0x{line[error.start]:02x}") from None
    try:
        record = json.loads(written, parse_constant=no_number, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        raise Invalid(f"it is not JSON: {error.msg} at character {error.pos + 1}") from None
    except RecursionError:
        raise Invalid("it is nested too deeply") from None
    except ValueError as error:  # an integer of thousands of digits
        raise Invalid(f"it cannot be read: {error}") from None
    if not isinstance(record, dict):
        raise Invalid(f"a record is an object, not {shown(record)}")
    if "\\u" in written:  # nothing else makes a lone surrogate
        check_surrogates(record)
    return record


def check_surrogates(record: Any) -> None:
    """Refuse text that no UTF-8 can carry."""
    try:
        json.dumps(record, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        half = f"\\u{ord(error.object[error.start]):04x}"
        raise Invalid(
            f"it holds {half}, half of a surrogate pair, which UTF-8 cannot carry; write both halves"
        ) from None


def no_number(word: str) -> NoReturn:
    """Refuse NaN and the infinities, which Python reads and JSON does not have."""
    raise Invalid(f"it is not JSON: {word} is not a number of JSON")


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the pairs as an object; refuse a key that stands twice, of which one value would be lost."""
    made = dict(pairs)
    if len(made) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise Invalid(f"the key {shown(twice)} stands there twice")
    return made


def a_list(given: Any) -> list[Any]:
    """Return the messages if they are a list that holds some."""
    if not isinstance(given, list) or not given:
        raise Invalid(f"messages must be a list of at least one object with role and content, not {shown(given)}")
    return given


def a_message(turn: Any, place: int) -> Message:
    """Return one turn; raise Invalid unless it is a known role with a text."""
    where = f"messages[{place}]"
    if not isinstance(turn, dict) or turn.keys() != {"role", "content"}:
        raise Invalid(f"{where} must be an object with role and content and nothing else, not {shown(turn)}")
    role, content = turn["role"], turn["content"]
    if role not in ROLES:
        raise Invalid(f"{where}: {unknown('role', role, ROLES) if isinstance(role, str) else 'role must be a text'}")
    if not isinstance(content, str):
        raise Invalid(f"{where}: content must be a text, not {shown(content)}")
    return Message(role=role, content=content)


def an_id(given: Any, ordinal: int) -> str:
    """Return the record's own id as text, or its place in the file if it has none."""
    if given is None:
        return str(ordinal)
    if isinstance(given, bool) or not isinstance(given, (str, int)):
        raise Invalid(f"id must be a text or a whole number, not {shown(given)}")
    name = str(given)
    if not 0 < len(name) <= MAX_ID_CHARACTERS:
        raise Invalid(f"id must have 1 to {MAX_ID_CHARACTERS} characters, not {len(name)}")
    return name


def text(value: Any) -> str:
    """Return a field's value: a text as it is, anything else as its JSON."""
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError:
        raise Invalid("it holds a number that is too large to be read") from None


def shown(value: Any) -> str:
    """Return the beginning of the value's JSON."""
    written = json.dumps(value)
    return written if len(written) <= MAX_SHOWN_CHARACTERS else written[:MAX_SHOWN_CHARACTERS] + "…"
