"""Read and replay dead letters: the messages of the stream DEAD."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import nats.errors
import structlog
from nats.js.api import RawStreamMsg
from nats.js.errors import NotFoundError

from libra.bus import streams
from libra.bus.nats_bus import NatsBus
from libra.core.errors import FailedPrecondition, NotFound
from libra.stage import dead_letter
from libra.stage.bus import Outgoing
from libra.telemetry.log_actions import Action

log = structlog.get_logger(__name__)

DEAD = str(streams.DEAD.name)


@dataclass(frozen=True, slots=True)
class DeadLetterRecord:
    """One message that a stage dead-lettered."""

    seq: int
    """Its sequence number in the stream."""

    stage: str
    reason: str

    subject: str
    """The subject that the stage pulled it from; a replay publishes it there."""

    key: str
    """The key it was first published under."""

    attempts: int
    create_time: dt.datetime
    data: bytes


class DeadLetters:
    """Reads DEAD in order, oldest first. Every method raises Unavailable if the server cannot be reached."""

    def __init__(self, bus: NatsBus) -> None:
        self._bus = bus

    async def list(self, after_seq: int, limit: int, stage: str = "") -> list[DeadLetterRecord]:
        """Return up to `limit` dead letters after `after_seq` (a sequence number); of all stages if `stage` is ""."""
        found: list[DeadLetterRecord] = []
        subject = streams.dead_letter_subject(streams.encode_token(stage) if stage else ">")
        while len(found) < limit and (letter := await self._next(after_seq + 1, subject)):
            found.append(letter)
            after_seq = letter.seq
        return found

    async def get(self, seq: int) -> DeadLetterRecord | None:
        """Return one dead letter; None if it does not exist."""
        letter = await self._next(seq, streams.dead_letter_subject(">")) if seq > 0 else None
        return letter if letter and letter.seq == seq else None

    async def delete_before(self, time: dt.datetime) -> int:
        """Delete the dead letters from before a time; return how many there were."""
        deleted, subject, what = 0, streams.dead_letter_subject(">"), "delete old dead letters"
        while (letter := await self._next(1, subject)) and letter.create_time < time:
            with self._bus.translate_errors(what):
                await self._bus.jetstream(what).delete_msg(DEAD, letter.seq)
            deleted += 1
        return deleted

    async def replay(self, seq: int) -> str:
        """Publish one dead letter to its stage again, delete it, and return the subject it was published to.

        Raises:
            NotFound: there is no such dead letter.
            FailedPrecondition: no stage wrote it, so its subject is unknown.
            QueueFull: the stage's queue is full; the dead letter stays.
        """
        letter = await self.get(seq)
        if letter is None:
            raise NotFound(f"there is no dead letter {seq}", field="id")
        if not letter.subject:
            raise FailedPrecondition(
                f"the dead letter {seq} does not name the subject it came from: no stage of Libra wrote it"
            )
        # Not its old key, or the server would drop it as a duplicate; the same key when this replay is tried again.
        again = Outgoing(letter.subject, f"replay/{seq}/{letter.create_time.timestamp():.6f}/{letter.key}", letter.data)
        await self._bus.publish(again, {})
        what = f"delete the dead letter {seq}"
        with self._bus.translate_errors(what):
            await self._bus.jetstream(what).delete_msg(DEAD, seq)
        log.info("a dead letter was replayed", action=Action.DEAD_LETTER_REPLAYED, stage=letter.stage, key=letter.key)
        return letter.subject

    async def _next(self, seq: int, subject: str) -> DeadLetterRecord | None:
        """Return the first dead letter on `subject` at or after the sequence number `seq`."""
        what = "read the dead letters"
        with self._bus.translate_errors(what):
            try:
                raw = await self._bus.jetstream(what).get_msg(DEAD, seq=seq, subject=subject, next=True, direct=True)
            except NotFoundError:
                return None
            except nats.errors.NoRespondersError:  # the server has lost its data
                await self._bus.ensure()
                return None
        return _record(raw)


def _record(raw: RawStreamMsg) -> DeadLetterRecord:
    headers: Mapping[str, str] = raw.headers or {}
    attempts = headers.get(dead_letter.ATTEMPTS, "")
    return DeadLetterRecord(
        seq=raw.seq or 0,
        stage=(raw.subject or "").removeprefix(streams.dead_letter_subject("")),
        reason=headers.get(dead_letter.REASON, "the stage gave no reason"),
        subject=headers.get(dead_letter.SUBJECT, ""),
        key=headers.get(dead_letter.KEY, ""),
        attempts=int(attempts) if attempts.isdigit() else 0,
        create_time=raw.time or dt.datetime.fromtimestamp(0, dt.UTC),
        data=raw.data or b"",
    )
