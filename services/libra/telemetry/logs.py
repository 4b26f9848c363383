"""Configure logging: one JSON object per line, or coloured text for a console; the same for lines of libraries.

A line is a sentence with `action=` and ids. No API key is ever passed to a logger. For the same reason tracebacks are
printed without the values of variables, and libraries are logged from WARNING on: below it some print whole requests.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from typing import Literal, TextIO

import orjson
import structlog
from opentelemetry import trace
from structlog.typing import EventDict, Processor, WrappedLogger

from libra.core.sealed import sealing

Level = Literal["debug", "info", "warning", "error"]
Format = Literal["json", "console"]

LEADING_FIELDS = ("timestamp", "level", "event", "service", "action", "trace_id", "span_id")
"""The fields that come first in a line, in this order."""

PLAIN_FIELDS = frozenset(LEADING_FIELDS) | {
    *(
        "attack",
        "cause",
        "consumer",
        "exception",
        "key",
        "method",
        "model",
        "parameter",
        "replica",
        "request_id",
        "run",
    ),
    *("stage", "stream", "subject", "task"),
}
"""Fields with names and ids. In a line about sealed samples, the text of every other field is withheld."""


def setup(
    service: str,
    level: Level,
    format: Format,  # noqa: A002 - the setting's name
    stream: TextIO | None = None,
) -> None:
    """Write all lines of structlog and of the standard library to `stream`, by default stderr."""
    number = logging.getLevelNamesMapping()[level.upper()]
    before = _before(service)
    structlog.configure(
        processors=[*before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*before, withhold_event],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_after(format)],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(number, logging.WARNING))
    logging.getLogger("libra").setLevel(number)
    logging.captureWarnings(capture=True)


def _before(service: str) -> list[Processor]:
    """Return the processors of both kinds of line: service, time and trace."""

    def add_service(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
        line["service"] = service
        return line

    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_service,
        add_trace,
        withhold_text,
    ]


def _after(format: Format) -> list[Processor]:  # noqa: A002 - as above
    if format == "console":
        return [
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
        ]
    return [structlog.processors.format_exc_info, order_fields, structlog.processors.JSONRenderer(serializer=_json)]


def add_trace(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """Add the ids of the current span, as 32 and 16 hexadecimal digits."""
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        line["trace_id"] = trace.format_trace_id(span.trace_id)
        line["span_id"] = trace.format_span_id(span.span_id)
    return line


def withhold_text(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """Withhold every text in a line about sealed samples that is no name or id; keep where an exception was raised."""
    if not sealing.is_sealed():
        return line
    if error := _exception(line.pop("exc_info", None)):
        frames = "".join(traceback.format_tb(error.__traceback__))
        line["exception"] = f"{frames}{type(error).__name__}: {sealing.WITHHELD}"
    for name, value in line.items():
        if not name.startswith("_") and name not in PLAIN_FIELDS and not isinstance(value, int | float | None):
            line[name] = sealing.WITHHELD
    return line


def withhold_event(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """Withhold the sentence of a library about sealed samples: unlike ours, it may contain values."""
    if sealing.is_sealed():
        line["event"] = sealing.WITHHELD
    return line


def _exception(value: object) -> BaseException | None:
    """Return the exception that a line's `exc_info` means."""
    if isinstance(value, BaseException):
        return value
    if isinstance(value, tuple):
        return value[1] if isinstance(value[1], BaseException) else None
    return sys.exception() if value else None


def order_fields(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """Put the leading fields first."""
    return {key: line[key] for key in LEADING_FIELDS if key in line} | {
        k: v for k, v in line.items() if k not in LEADING_FIELDS
    }


def _json(line: object, **_options: object) -> str:
    """Return `line` as JSON on one line; other values become text."""
    try:
        return orjson.dumps(line, default=str).decode()
    except TypeError:  # a lone surrogate, or an integer beyond 64 bits
        return json.dumps(line, default=str)
