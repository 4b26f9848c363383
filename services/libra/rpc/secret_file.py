"""A file with secrets, one on each line, which is read again when it changes."""

from __future__ import annotations

import hmac
import stat
import time
from pathlib import Path

import structlog

from libra.core.errors import Invalid
from libra.telemetry.log_actions import Action

log = structlog.get_logger(__name__)

MIN_CHARACTERS = 32
"""A secret of this length, drawn at random, cannot be guessed."""

CHECK_SECONDS = 1.0
"""A changed file takes effect within this time."""


class SecretFile:
    """Gives the secrets of a file. During a rotation it has two lines: the first one is sent, and both are accepted."""

    def __init__(self, path: Path) -> None:
        """Read the file. Raises Invalid if other users can read it, or a secret in it is too short."""
        self._path = path
        self._secrets = self._load()
        self._next_check_seconds = time.monotonic() + CHECK_SECONDS

    @property
    def first(self) -> str:
        """The secret that is sent."""
        return self._current()[0]

    def contains(self, secret: str) -> bool:
        """Return whether the file has this secret; the time that it takes does not depend on the secrets."""
        given = secret.encode()
        return sum(hmac.compare_digest(given, known.encode()) for known in self._current()) > 0

    def _current(self) -> tuple[str, ...]:
        if time.monotonic() >= self._next_check_seconds:
            self._next_check_seconds = time.monotonic() + CHECK_SECONDS
            try:
                self._secrets = self._load()
            except Invalid as error:
                log.warning("the changed secret file is not used", action=Action.SECRET_REFUSED, reason=str(error))
        return self._secrets

    def _load(self) -> tuple[str, ...]:
        try:
            mode = self._path.stat().st_mode
            secrets = tuple(self._path.read_text().split())
        except (OSError, UnicodeDecodeError) as error:
            raise Invalid(f"the file {self._path} with a secret cannot be read: {error}", field="token") from error
        if mode & (stat.S_IROTH | stat.S_IWOTH):
            raise Invalid(f"other users can read {self._path}; run chmod o= {self._path}", field="token")
        if not secrets or min(map(len, secrets)) < MIN_CHARACTERS:
            raise Invalid(f"a secret in {self._path} must have at least {MIN_CHARACTERS} characters", field="token")
        return secrets
