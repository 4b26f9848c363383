"""`libra status` names parts that stand still, and the cause."""

from __future__ import annotations

import json

from libra.cli.render import status
from libra.local.status import DOWN, NOT_READY, STUCK, UP, PartStatus

NATS = PartStatus("nats-server", STUCK, "127.0.0.1:1", problem="write error: no space left on device")
FULL = "the disk with /data is full (0 KiB free), and Libra stores nothing"


def test_nothing_is_said_if_every_part_is_up() -> None:
    assert status.notes([PartStatus("mongod", UP, "127.0.0.1:1")], "", watched=True) == []


def test_a_full_disk_is_named_first_with_its_remedy() -> None:
    notes = status.notes([NATS, PartStatus("mongod", DOWN, "127.0.0.1:2")], FULL, watched=True)
    assert notes[0].startswith(f"{FULL}: free space there; the watchdog then restarts the servers")
    assert "the queue takes no messages" in notes[1]
    assert "no space left on device" in notes[1]
    assert "mongod is down" in notes[2]


def test_without_a_watchdog_the_user_restarts_the_servers() -> None:
    (note,) = status.notes([NATS], "", watched=False)
    assert "`libra down` and `libra up`" in note


def test_a_part_that_is_not_ready_says_why() -> None:
    parts = [PartStatus("judge", NOT_READY, "127.0.0.1:3", problem="MongoDB has not replied within 2 s")]
    assert status.notes(parts, "", watched=True) == ["judge is not ready: MongoDB has not replied within 2 s"]


def test_the_json_has_the_parts_and_the_notes() -> None:
    document = json.loads(status.as_json([NATS], FULL, watched=True))
    assert document["parts"][0]["state"] == "stuck"
    assert document["disk_problem"] == FULL
    assert document["watchdog"] is True
    assert len(document["notes"]) == 2
