"""What a data folder keeps about the system in it: `state.json`, the ports that each part had and will have again.

It holds no process ids: which processes are ours is asked of the operating system (`libra.local.processes`), which cannot be
out of date.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from libra.core.errors import LibraError
from libra.local.free_ports import choose, free
from libra.local.topology import PARTS, SERVERS, Ports

FILE = "state.json"


class BadState(LibraError):
    """state.json holds what `libra up` did not write; deleting it costs nothing but the old port numbers."""


def load(folder: Path) -> dict[str, Ports]:
    """Return the ports kept in the folder, by part; empty if there are none yet. Raise BadState."""
    path = folder / FILE
    try:
        kept: Mapping[str, Any] = json.loads(path.read_text())["ports"]
        return {name: Ports(int(ports["main"]), int(ports["metrics"])) for name, ports in kept.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        raise BadState(
            f"{path} cannot be read ({error}); run `libra down`, delete the file, and run `libra up`"
        ) from None


def save(folder: Path, ports: Mapping[str, Ports]) -> None:
    """Keep the ports, whole or not at all."""
    path = folder / FILE
    new = path.with_suffix(".new")
    new.write_text(json.dumps({"ports": {name: asdict(ports[name]) for name in ports}}, indent=2) + "\n")
    new.replace(path)


def settle(folder: Path, running: Iterable[str], names: Sequence[str] = PARTS) -> dict[str, Ports]:
    """Return the ports for every part, those of the last time where nobody else listens on them now, and keep them.

    BadState if a part must move while others, which know its old place, are running, or if one runs that is not to be.
    """
    kept, running = load(folder), set(running)
    if unknown := running - kept.keys():
        raise BadState(
            f"{', '.join(sorted(unknown))} runs, but {folder / FILE} does not say where: run `libra down` first"
        )
    if beyond := running - set(names):
        raise BadState(f"{', '.join(sorted(beyond))} runs, but is not asked for any more: run `libra down` first")
    ports: dict[str, Ports] = {}
    for name in names:
        ports[name] = (
            kept[name]
            if name in kept and (name in running or _usable(kept[name]))
            else _new(name, [*kept.values(), *ports.values()])
        )
        if running and name in kept and ports[name] != kept[name]:
            raise BadState(
                f"another program listens on {kept[name].address}, where {name} was: run `libra down`, then `libra up`"
            )
    if ports != kept:
        save(folder, ports)
    return ports


def _usable(ports: Ports) -> bool:
    return free(ports.main) and (ports.metrics == 0 or free(ports.metrics))


def _new(name: str, others: Iterable[Ports]) -> Ports:
    """Return free ports for a part that no other part has, whether it listens by now or not."""
    taken = {port for ports in others for port in (ports.main, ports.metrics)}
    return Ports(*choose(1 if name in SERVERS else 2, taken))
