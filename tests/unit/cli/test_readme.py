"""Every command in the documentation is valid: it exists, and it accepts its options."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from libra.cli.__main__ import main

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "examples").glob("*.md"))]
FILES = (
    *(
        "mine.jsonl",
        "mine.yaml",
        "run.yaml",
        "records.jsonl",
        "labels.csv",
        "LABELS.csv",
        "annotated.csv",
        "FILE",
        "scores.csv",
        "POLICY",
    ),
    *("2027Q1.release.jsonl", "2027Q1.commitment.json", "key"),
)
PLACEHOLDERS = {"N": "7", "JUDGE": "refusal", "RUN": "last"}
"""Values for the placeholders of a command."""


def commands() -> Iterator[str]:
    text = "\n".join(page.read_text() for page in PAGES)
    fenced = re.findall(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    blocks = [block for language, block in fenced if not language]
    lines = [
        line.removeprefix("$ ").split("#")[0] for block in blocks for line in block.splitlines() if "──" not in line
    ]
    inline = re.findall(r"`(libra [^`]+)`", text)
    for line in [*lines, *inline]:
        yield from (part.strip() for part in line.split("&&") if part.strip().startswith("libra "))


@pytest.mark.parametrize("command", sorted(set(commands())))
def test_the_command_is_valid(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in FILES:
        (tmp_path / name).touch()
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    arguments = [PLACEHOLDERS.get(word, word) for word in shlex.split(command)[1:]]
    found: click.Command = main
    context = click.Context(main)
    while isinstance(found, click.Group):
        word = arguments.pop(0)
        subcommand = found.get_command(context, word)
        assert subcommand is not None, f"there is no {word!r} in {command!r}"
        found = subcommand
    if arguments:  # without arguments, the text only names the command
        with found.make_context(command, arguments):
            pass  # every argument and option is valid


def test_the_documentation_has_commands() -> None:
    assert len(set(commands())) > 20
