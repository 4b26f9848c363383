"""Prints the errors of Libra with the names that the user typed, and exits with the code of the error."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, Any

import click

from libra.cli.exit_codes import INTERRUPTED, exit_code_of
from libra.cli.render.sanitize import sanitize
from libra.core.errors import CallerError, LibraError, nearest

INTERRUPTED_MESSAGE = "interrupted; the services may still finish what they had received"


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
        except KeyboardInterrupt:
            raise CommandError(INTERRUPTED_MESSAGE, INTERRUPTED) from None
        except (click.exceptions.NoSuchCommand, click.NoSuchOption) as error:
            raise click.UsageError(message_with_alternatives(error), error.ctx) from error


def message_with_alternatives(error: click.exceptions.NoSuchCommand | click.NoSuchOption) -> str:
    """Return the message for an unknown command or option, with the nearest ones, or with all if none is near."""
    context = error.ctx
    if context is None:
        return error.format_message()
    if isinstance(error, click.NoSuchOption):
        kind, name = "option", error.option_name
        options = [option for option in context.command.get_params(context) if isinstance(option, click.Option)]
        valid = [name for option in options for name in (*option.opts, *option.secondary_opts)]
    else:
        kind, name = "command", error.command_name
        valid = context.command.list_commands(context) if isinstance(context.command, click.Group) else []
    return f"{context.command_path} has no {kind} {name!r}. {suggestion(name, valid)}"


def suggestion(name: str, valid: Sequence[str]) -> str:
    """Return the valid names that are nearest to an unknown one, or all of them if none is near."""
    near = nearest(name, [one for one in valid if len(one) > len("-x")])
    return f"Did you mean {' or '.join(near)}?" if near else f"There are: {', '.join(valid)}."


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
