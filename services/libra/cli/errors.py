"""Say what went wrong in the user's own words, with the exit code that tells whose turn it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

import click

from libra.cli.render.sanitize import plain
from libra.errors import CallerError, LibraError
from libra.settings import BadSettings

ASKED_WRONGLY = 2
NO_ANSWER = 3


class Failure(click.ClickException):
    """The end of a command that could not do what was asked."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # click reads it from the instance

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message to stderr."""
        click.echo(f"error: {plain(self.format_message())}", file=file, err=file is None)


class Root(click.Group):
    """The outermost group: it turns every error of ours into a message and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (CallerError, BadSettings) as error:
            raise Failure(sentence(error), ASKED_WRONGLY) from error
        except LibraError as error:
            raise Failure(str(error), NO_ANSWER) from error


def sentence(error: LibraError) -> str:
    """Return the error's message after the field at fault, where it has one."""
    field = error.field if isinstance(error, CallerError) else ""
    return f"{field}: {error}" if field else str(error)


@contextmanager
def in_words(word: Callable[[str], str]) -> Iterator[None]:
    """Have an error of the caller's name its field as the caller knows it: "--url" for "model.base_url"."""
    try:
        yield
    except CallerError as error:
        raise type(error)(error.message, field=word(error.field)) from error
