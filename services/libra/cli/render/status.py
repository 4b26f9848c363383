"""Prints the state of the parts on this machine, and sentences about what stands still."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING

from libra.cli.render import output
from libra.cli.render.format import byte_size
from libra.cli.render.sanitize import escape_json
from libra.local import topology

if TYPE_CHECKING:
    from libra.local.status import PartStatus

STUCK, DOWN = "stuck", "down"


def print_parts(parts: Sequence[PartStatus]) -> None:
    """Print one line for each part."""
    table = output.new_table(
        *("part", "state", "pid", "address", "since", "memory"), right=("pid", "memory"), no_wrap=("part", "state")
    )
    for part in parts:
        since = f"{datetime.fromtimestamp(part.since).astimezone():%Y-%m-%d %H:%M:%S}" if part.since else ""
        memory = byte_size(part.memory_bytes) if part.memory_bytes else ""
        style = "" if part.is_healthy else "red"
        output.add_row(table, part.name, part.state, part.pid or "", part.address, since, memory, style=style)
    output.print_table(table)


def as_json(parts: Sequence[PartStatus], disk_problem: str, *, watched: bool) -> str:
    """Return the states, the problem of the disk, whether the watchdog runs, and the notes, as JSON."""
    document = {
        "parts": [asdict(part) for part in parts],
        "disk_problem": disk_problem,
        "watchdog": watched,
        "notes": notes(parts, disk_problem, watched=watched),
    }
    return escape_json(json.dumps(document, indent=2, ensure_ascii=False))


def notes(parts: Sequence[PartStatus], disk_problem: str, *, watched: bool) -> list[str]:
    """Return what stands still, why, and how it goes on; nothing if every part is up."""
    sentences = [f"{disk_problem}: free space there; {_how_it_goes_on(watched=watched)}"] if disk_problem else []
    for part in parts:
        if part.state == STUCK:
            sentences.append(_stuck(part, is_disk_full=bool(disk_problem), watched=watched))
        elif part.problem:
            sentences.append(f"{part.name} is not ready: {part.problem}")
    ended = [part.name for part in parts if part.state == DOWN]
    if ended:
        sentences.append(_ended(ended, is_disk_full=bool(disk_problem), watched=watched))
    elif not sentences and not all(part.is_healthy for part in parts):
        sentences.append("some parts are not ready yet; `libra logs PART` shows what they wait for")
    return sentences


def _stuck(part: PartStatus, *, is_disk_full: bool, watched: bool) -> str:
    remedy = "" if is_disk_full else f"; {_how_it_goes_on(watched=watched)}"
    return f"the queue takes no messages: {part.name} reports {part.problem!r}{remedy}"


def _ended(names: Sequence[str], *, is_disk_full: bool, watched: bool) -> str:
    ended = f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} down"
    if is_disk_full:
        return f"{ended}: no process can store anything on a full disk"
    if watched and set(names) <= set(topology.SERVERS):
        return f"{ended}: the watchdog restarts it within a minute; `libra logs watchdog` shows its attempts"
    return f"{ended}: `libra up` starts what does not run, and `libra logs PART` may show why it ended"


def _how_it_goes_on(*, watched: bool) -> str:
    if watched:
        return "the watchdog then restarts the servers, and the runs go on by themselves; nothing is lost"
    return "then run `libra down` and `libra up`, and the runs go on; nothing is lost"
