"""A key-value bucket that several processes update by compare-and-set.

It is kept in the server's memory: its entries are worthless after an outage, and updates must go on when the disk that
holds the streams is full. The bucket is created again when the server has lost it.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass

from nats.js.api import Header
from nats.js.errors import APIError, NoStreamResponseError, NotFoundError

from libra.bus import provisioning, streams
from libra.bus.nats_bus import NatsBus

TIMEOUT_SECONDS = 2.0
NO_STREAM = 10059
WRONG_REVISION_CODES = frozenset({10071, 10164})
"""JetStream's error codes for a write that expected another revision."""


@dataclass(frozen=True, slots=True)
class BucketEntry:
    """The value and the revision of one key."""

    data: bytes = b""
    """Empty if the key does not exist."""

    revision: int = 0


class KeyValueBucket:
    """Entries by name. Every method raises Unavailable if the server cannot be reached, and QueueFull if it is full."""

    def __init__(self, bus: NatsBus, bucket: str) -> None:
        self._bus, self._bucket, self._stream = bus, bucket, f"KV_{bucket}"

    async def read(self, name: str) -> BucketEntry:
        """Return the entry of a name, read from the leader."""
        what = f"read {name} in {self._bucket}"
        with self._bus.translate_errors(what):
            try:
                message = await self._bus.jetstream(what).get_last_msg(self._stream, self._subject(name))
            except NotFoundError as error:
                if error.err_code == NO_STREAM:
                    await self._create(what)
                return BucketEntry()
        return BucketEntry(message.data or b"", message.seq or 0)

    async def write(self, name: str, data: bytes, revision: int) -> int | None:
        """Replace the entry at `revision`; return the new revision, or None if the entry has another revision.

        After Unavailable the entry may be written or not; read it to know.
        """
        what = f"write {name} in {self._bucket}"
        headers = {str(Header.EXPECTED_LAST_SUBJECT_SEQUENCE.value): str(revision)}
        with self._bus.translate_errors(what):
            try:
                js = self._bus.jetstream(what)
                done = await js.publish(self._subject(name), data, timeout=TIMEOUT_SECONDS, headers=headers)
            except NoStreamResponseError:
                await self._create(what)
                return None
            except APIError as error:
                if error.err_code in WRONG_REVISION_CODES:
                    return None
                raise
        return done.seq

    async def age_seconds(self) -> float:
        """Return the age of the bucket, by the server's clock."""
        what = f"read the age of {self._bucket}"
        with self._bus.translate_errors(what):
            info = json.loads(await self._bus.request(what, f"$JS.API.STREAM.INFO.{self._stream}"))
        if "created" not in info:  # the bucket was lost meanwhile
            return 0.0
        return (dt.datetime.fromisoformat(info["ts"]) - dt.datetime.fromisoformat(info["created"])).total_seconds()

    async def _create(self, what: str) -> None:
        await provisioning.ensure_bucket(self._bus.jetstream(what), self._bucket, replicas=self._bus.replicas)

    def _subject(self, name: str) -> str:
        return f"$KV.{self._bucket}.{streams.encode_token(name)}"
