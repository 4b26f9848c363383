"""Each log line is one JSON object with the same first fields, whichever library wrote it."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from libra.core.sealed import sealing
from libra.telemetry import logs
from libra.telemetry.log_actions import Action

ReadLines = Callable[[], list[dict[str, Any]]]

QUOTED = "zebrafish"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Yield a stream for log lines; restore the logging of the tests afterwards."""
    root, libra = logging.getLogger(), logging.getLogger("libra")
    handlers, levels = root.handlers, (root.level, libra.level)
    yield io.StringIO()
    root.handlers = handlers
    root.setLevel(levels[0])
    libra.setLevel(levels[1])
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


@pytest.fixture
def read_lines(stream: io.StringIO) -> ReadLines:
    logs.setup("attack", "info", "json", stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_has_its_time_its_service_and_its_action(read_lines: ReadLines) -> None:
    structlog.get_logger("libra.x").info("a run has ended", action=Action.RUN_ENDED, run="r1", trials=3)
    (line,) = read_lines()
    assert list(line) == ["timestamp", "level", "event", "service", "action", "run", "trials"]
    assert line["timestamp"].endswith("Z")
    assert (line["level"], line["service"], line["action"]) == ("info", "attack", "run_ended")


def test_a_line_within_a_span_has_its_ids(read_lines: ReadLines) -> None:
    with TracerProvider().get_tracer("t").start_as_current_span("test.span") as span:
        structlog.get_logger("libra.x").info("inside")
        logging.getLogger("nats").warning("inside too")
    ids = span.get_span_context()
    assert [line["trace_id"] for line in read_lines()] == [trace.format_trace_id(ids.trace_id)] * 2
    assert read_lines()[0]["span_id"] == trace.format_span_id(ids.span_id)


def test_a_library_is_logged_from_warning_on(read_lines: ReadLines) -> None:
    logging.getLogger("pymongo").info("a whole request")
    logging.getLogger("pymongo.command").warning("trouble with %s", "a command", extra={"host": "h"})
    (line,) = read_lines()
    assert (line["event"], line["level"], line["host"]) == ("trouble with a command", "warning", "h")


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
def test_a_library_is_never_logged_below_warning(stream: io.StringIO, level: logs.Level) -> None:
    logs.setup("attack", level, "json", stream)
    logging.getLogger("aiohttp.client").debug("Authorization: Bearer sk-secret")
    assert stream.getvalue() == ""
    structlog.get_logger("libra.x").error("logged")
    assert "logged" in stream.getvalue()


def test_lines_below_the_level_are_not_written(read_lines: ReadLines) -> None:
    structlog.get_logger("libra.x").debug("too small")
    assert read_lines() == []


def test_a_traceback_shows_no_values(read_lines: ReadLines) -> None:
    key = "sk-secret"

    def fail(secret: str) -> None:
        raise ValueError(len(secret))

    try:
        fail(key)
    except ValueError:
        structlog.get_logger("libra.x").exception("it failed")
        logging.getLogger("other").exception("it failed there")
    for line in read_lines():
        assert "ValueError: 9" in line["exception"]
        assert key not in line["exception"]


@pytest.mark.parametrize("value", ["\ud800", "a\nb\r\x1b[31m", "漢字", 2**80, b"\xff", object(), {"a": {1, 2}}])
@pytest.mark.parametrize("format_", ["json", "console"])
def test_any_value_can_be_logged(stream: io.StringIO, value: object, format_: logs.Format) -> None:
    logs.setup("attack", "info", format_, stream)
    structlog.get_logger("libra.x").info("odd", value=value)
    if format_ == "json":
        assert len(stream.getvalue().splitlines()) == 1
        assert json.loads(stream.getvalue())["event"] == "odd"
    assert "odd" in stream.getvalue()


def test_values_bound_to_the_task_are_on_every_line(read_lines: ReadLines) -> None:
    with structlog.contextvars.bound_contextvars(request_id="r-1"):
        structlog.get_logger("libra.x").info("one")
        logging.getLogger("other").error("two")
    assert [line["request_id"] for line in read_lines()] == ["r-1", "r-1"]


async def test_a_line_about_sealed_samples_keeps_names_and_the_place_of_an_exception(read_lines: ReadLines) -> None:
    sealing.enter(sealed=True)
    logger = structlog.get_logger("libra.x")
    logger.warning("a batch waits", action=Action.BATCH_WAITS, run="r1", key="k", reason=QUOTED, failures=2)
    try:
        int(QUOTED)
    except ValueError:
        logger.exception("a judge failed on an answer", action=Action.JUDGE_FAILED)
        logging.getLogger("nats").exception("no %s", QUOTED, extra={"prompt": QUOTED})
    waits, failed, foreign = read_lines()
    assert (waits["event"], waits["run"], waits["key"], waits["failures"]) == ("a batch waits", "r1", "k", 2)
    assert waits["reason"] == foreign["event"] == sealing.WITHHELD
    assert "test_logs.py" in failed["exception"]
    assert failed["exception"].endswith(f"ValueError: {sealing.WITHHELD}")
    assert QUOTED not in str(read_lines())
