"""Prints the errors of Libra with the names that the user typed, and exits with the code of the error."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any

import click

from libra.cli.exit_codes import exit_code_of
from libra.cli.render.sanitize import sanitize
from libra.core.errors import CallerError, LibraError


class CommandError(click.ClickException):
    """Ends the command with a message on stderr and an exit code."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # click reads it from the instance

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message to stderr."""
        click.echo(f"error: {sanitize(self.format_message())}", file=file, err=file is None)


class ErrorHandlingGroup(click.Group):
    """Ends a command that raises a LibraError with a message and an exit code, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except LibraError as error:
            raise CommandError(message_of(error), exit_code_of(error)) from error


def message_of(error: LibraError) -> str:
    """Return the error's message, after the field at fault if the error names one."""
    field = error.field if isinstance(error, CallerError) else ""
    return f"{field}: {error}" if field else str(error)


@contextmanager
def field_names(names: Mapping[str, str] | Callable[[str], str]) -> Iterator[None]:
    """Replace the field in a CallerError with what the user typed, for instance "model.base_url" with "--url".

    `names` maps fields of the request; an index such as "[0]" may follow a field. A field without an entry stays.
    """
    try:
        yield
    except CallerError as error:
        name = names(error.field) if callable(names) else _lookup(names, error.field)
        raise type(error)(error.message, field=name) from error


def _lookup(names: Mapping[str, str], field: str) -> str:
    return names.get(field) or names.get(field.partition("[")[0], field)
