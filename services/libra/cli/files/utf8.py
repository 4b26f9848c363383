"""Decodes the text of a file, and names the line of a byte that is not UTF-8."""

from __future__ import annotations

from libra.core.errors import Invalid


def decode_utf8(data: bytes, name: str, *, field: str = "") -> str:
    """Return the text of the file `name`, without the byte order mark that spreadsheets write; raise Invalid."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        bad = error.object[error.start]
        line = error.object.count(b"\n", 0, error.start) + 1
        message = f"{name}, line {line}: the file is not UTF-8: byte {error.start} is 0x{bad:02x}"
        raise Invalid(message, field=field) from None
