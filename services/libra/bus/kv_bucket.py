"""A bucket of small entries that several processes change, each only from what it has just read.

In the server's memory: what is written here is of no use to whoever comes after an outage, and it must go on when the disk that
holds the streams is full. The bucket is made again when the server has lost it.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass

from nats.js.api import Header
from nats.js.errors import APIError, NoStreamResponseError, NotFoundError

from libra.bus import provisioning, streams
from libra.bus.nats_bus import NatsBus

ANSWER_SECONDS = 2.0
NO_STREAM = 10059
CHANGED_MEANWHILE = frozenset({10071, 10164})
"""What JetStream says when the last revision is another than the writer has read."""


@dataclass(frozen=True, slots=True)
class BucketEntry:
    """What stands under one key."""

    data: bytes = b""
    """Empty if there is nothing."""

    revision: int = 0


class KeyValueBucket:
    """Entries by name. Every method raises Unavailable if the server cannot be reached, or Full if it takes no more."""

    def __init__(self, bus: NatsBus, bucket: str) -> None:
        self._bus, self._bucket, self._stream = bus, bucket, f"KV_{bucket}"

    async def read(self, name: str) -> BucketEntry:
        """Return what stands under a name, as the server's leader has it."""
        what = f"read {name} in {self._bucket}"
        with self._bus.door(what):
            try:
                message = await self._bus.jetstream(what).get_last_msg(self._stream, self._subject(name))
            except NotFoundError as error:
                if error.err_code == NO_STREAM:
                    await self._make(what)
                return BucketEntry()
        return BucketEntry(message.data or b"", message.seq or 0)

    async def write(self, name: str, data: bytes, revision: int) -> int | None:
        """Put `data` in the place of what stands there at `revision`; return its revision, or None if it stands no more.

        After Unavailable nobody knows whether it was written; a later reading tells.
        """
        what = f"write {name} in {self._bucket}"
        headers = {str(Header.EXPECTED_LAST_SUBJECT_SEQUENCE.value): str(revision)}
        with self._bus.door(what):
            try:
                js = self._bus.jetstream(what)
                done = await js.publish(self._subject(name), data, timeout=ANSWER_SECONDS, headers=headers)
            except NoStreamResponseError:
                await self._make(what)
                return None
            except APIError as error:
                if error.err_code in CHANGED_MEANWHILE:
                    return None
                raise
        return done.seq

    async def age_seconds(self) -> float:
        """Return how long ago the bucket was made. Both times are the server's."""
        what = f"tell how old {self._bucket} is"
        with self._bus.door(what):
            info = json.loads(await self._bus.ask(what, f"$JS.API.STREAM.INFO.{self._stream}"))
        if "created" not in info:  # lost between two questions
            return 0.0
        return (dt.datetime.fromisoformat(info["ts"]) - dt.datetime.fromisoformat(info["created"])).total_seconds()

    async def _make(self, what: str) -> None:
        await provisioning.ensure_bucket(self._bus.jetstream(what), self._bucket, replicas=self._bus.replicas)

    def _subject(self, name: str) -> str:
        return f"$KV.{self._bucket}.{streams.token(name)}"
