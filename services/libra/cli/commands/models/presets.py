"""`libra models presets`: the providers and servers that `libra models add --preset` knows."""

from __future__ import annotations

import click

from libra.cli.model_presets import HOSTED, LOCAL, Preset

SECTIONS = (("Providers", HOSTED), ("Servers on this machine", LOCAL))


@click.command()
def presets() -> None:
    """List the providers that `add --preset` knows."""
    width = max(len(preset.name) for _, group in SECTIONS for preset in group)
    for heading, group in SECTIONS:
        click.secho(heading, bold=True)
        for preset in group:
            click.echo(f"  {preset.name:{width}}  {preset.url}")
            for note in _notes(preset):
                click.echo(f"  {'':{width}}    {note}")


def _notes(preset: Preset) -> list[str]:
    """Return the further lines of a preset: the variable of its key, and what the user must give."""
    key = f"key in {preset.key_variable}" if preset.key_variable else ""
    url = "give --url with your own part of it" if preset.needs_url else ""
    return [note for note in (key, url) if note]
