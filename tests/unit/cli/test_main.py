"""The whole command line: help texts, wrong commands, and a system that does not run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from libra.cli.__main__ import main

TERMINAL = {"COLUMNS": "80"}


def paths(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for name, subcommand in getattr(command, "commands", {}).items():
        yield from paths(subcommand, (*path, name))


@pytest.mark.parametrize("path", list(paths(main)), ids=" ".join)
def test_every_command_has_a_help_text_for_80_columns(path: tuple[str, ...]) -> None:
    result = CliRunner(env=TERMINAL).invoke(main, [*path, "--help"])
    assert result.exit_code == 0
    assert max(len(line) for line in result.stdout.splitlines() if "--category" not in line) <= 80
    assert "..." not in result.stdout.replace("[ARGS]...", "").replace("N...", "")  # no summary is cut short


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
