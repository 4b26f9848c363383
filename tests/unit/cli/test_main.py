"""The whole command line: help texts, wrong commands, and a system that does not run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from libra.cli.__main__ import main
from libra.cli.errors import ErrorHandlingGroup

TERMINAL = {"COLUMNS": "80"}


CONTEXT = click.Context(main)


def subcommands(command: click.Command) -> dict[str, click.Command]:
    if not isinstance(command, click.Group):
        return {}
    found = {name: command.get_command(CONTEXT, name) for name in command.list_commands(CONTEXT)}
    return {name: subcommand for name, subcommand in found.items() if subcommand}


def paths(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for name, subcommand in subcommands(command).items():
        yield from paths(subcommand, (*path, name))


def test_every_command_that_the_help_lists_is_found() -> None:
    assert list(subcommands(main)) == main.list_commands(CONTEXT)


@pytest.mark.parametrize("path", list(paths(main)), ids=" ".join)
def test_every_command_has_a_help_text_for_80_columns(path: tuple[str, ...]) -> None:
    result = CliRunner(env=TERMINAL).invoke(main, [*path, "--help"])
    assert result.exit_code == 0
    assert max(len(line) for line in result.stdout.splitlines() if "--category" not in line) <= 80
    assert "..." not in result.stdout.replace("[ARGS]...", "").replace("[TASK]...", "").replace(
        "N...", ""
    )  # no summary is cut short


@pytest.mark.parametrize(
    "arguments", [("run", "create", "--seed", "x"), ("models", "add", "m"), ("dead", "show", "0"), ("nothing",)]
)
def test_invalid_input_exits_with_2(arguments: tuple[str, ...]) -> None:
    assert CliRunner().invoke(main, arguments).exit_code == 2


@pytest.mark.parametrize("group", ["board", "run list", "tasks list", "models list", "judges list"])
def test_without_a_running_system_the_error_says_how_to_start_it(tmp_path: Path, group: str) -> None:
    result = CliRunner().invoke(main, ["--data", str(tmp_path), *group.split()])
    assert result.exit_code == 3
    assert "run `libra up`" in result.stderr


def test_an_address_without_a_service_exits_with_3(tmp_path: Path) -> None:
    environment = {"LIBRA_RANKING_ADDRESS": "127.0.0.1:1"}
    result = CliRunner(env=environment).invoke(main, ["--data", str(tmp_path), "board"])
    assert result.exit_code == 3
    assert "cannot be reached" in result.stderr


def test_an_invalid_setting_exits_with_2(tmp_path: Path) -> None:
    result = CliRunner(env={"LIBRA_DATA": str(tmp_path)}).invoke(main, ["logs", "nobody"])
    assert result.exit_code == 2
    assert "error: there is no part 'nobody'" in result.stderr


@pytest.mark.parametrize("path", [path for path in paths(main) if path], ids=" ".join)
def test_an_unknown_option_is_answered_with_options_that_exist(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, [*path, "--hlep"])
    assert result.exit_code == 2
    assert f"{' '.join(path)} has no option '--hlep'" in result.stderr
    assert "Did you mean --help" in result.stderr or "There are: " in result.stderr


@pytest.mark.parametrize("path", list(paths(main)), ids=" ".join)
@pytest.mark.parametrize("word", ["shwo", "qqqqqq"])
def test_an_unknown_command_is_answered_with_commands_that_exist(path: tuple[str, ...], word: str) -> None:
    command: click.Command = main
    for name in path:
        command = subcommands(command)[name]
    if not isinstance(command, click.Group):
        return
    result = CliRunner().invoke(main, [*path, word])
    assert result.exit_code == 2
    assert any(f" {name}" in result.stderr.rpartition("has no command")[2] for name in subcommands(command))


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("LIBRA_DISPATCH_ADDRESS", "http://127.0.0.1:50051"),
        ("LIBRA_DISPATCH_ADDRESS", "GRPC://dispatch:50051"),
        ("LIBRA_DISPATCH_ADDRESS", "https://dispatch.example"),
    ],
)
def test_an_address_that_is_written_as_a_url_is_recognised(tmp_path: Path, variable: str, value: str) -> None:
    result = CliRunner(env={variable: value}).invoke(main, ["--data", str(tmp_path), "run", "list"])
    assert result.exit_code == 2
    assert "host:port" in result.stderr
    assert variable in result.stderr


@pytest.mark.parametrize(
    ("variable", "value", "right"),
    [
        ("LIBRA_NATS_URL", "http://me:secret@nats:4222", "nats://"),
        ("LIBRA_NATS_URL", "nats:4222", "nats://"),
        ("LIBRA_MONGO_URL", "https://me:secret@mongo", "mongodb://"),
        ("LIBRA_MONGO_URL", "mongo:27017", "mongodb://"),
    ],
)
def test_up_recognises_urls_of_another_kind_before_it_starts_anything(
    tmp_path: Path, variable: str, value: str, right: str
) -> None:
    result = CliRunner(env={variable: value}).invoke(main, ["--data", str(tmp_path / "data"), "up"])
    assert result.exit_code == 2
    assert right in result.stderr
    assert variable in result.stderr
    assert "secret" not in result.stderr
    assert not (tmp_path / "data").exists()


def test_an_interrupted_command_says_so_and_exits_with_130() -> None:
    @click.group(cls=ErrorHandlingGroup)
    def group() -> None:
        """Stand in for `libra`."""

    @group.command()
    def wait() -> None:
        raise KeyboardInterrupt

    result = CliRunner().invoke(group, ["wait"])
    assert result.exit_code == 130
    assert result.stderr.startswith("error: interrupted")
