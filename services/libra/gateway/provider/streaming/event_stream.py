"""Splits a stream of server-sent events into the data of each event."""

from __future__ import annotations

from collections.abc import Iterator

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
DATA = b"data"


class EventStream:
    """Takes the bytes as they arrive, cut anywhere. Only the data of events is kept: APIs name the event in it, too.

    Reference: https://html.spec.whatwg.org/multipage/server-sent-events.html. A carriage return alone ends no line.
    """

    def __init__(self) -> None:
        self._rest, self._data, self._is_first = b"", list[bytes](), True

    def feed(self, part: bytes) -> Iterator[bytes]:
        """Yield the data of every event that `part` completes."""
        *lines, self._rest = (self._rest + part).split(b"\n")
        for line in lines:
            yield from self._take(line)

    def end(self) -> Iterator[bytes]:
        """Yield the data of a last event that no empty line follows."""
        yield from self._take(self._rest)
        yield from self._take(b"")
        self._rest = b""

    def _take(self, line: bytes) -> Iterator[bytes]:
        if self._is_first:
            line, self._is_first = line.removeprefix(BYTE_ORDER_MARK), False
        line = line.removesuffix(b"\r")
        if not line:
            if self._data:
                yield b"\n".join(self._data)
                self._data = []
            return
        name, _, value = line.partition(b":")
        if name == DATA:
            self._data.append(value.removeprefix(b" "))
