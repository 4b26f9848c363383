"""Reads and writes `state.json`, which records the ports of each part, so that a part that restarts has the same ports.

It contains no process ids: `libra.local.processes` asks the operating system, whose answer is never out of date.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from libra.core.errors import LibraError
from libra.local.free_ports import choose, is_free
from libra.local.private_files import open_private
from libra.local.topology import MONGO, NATS, PARTS, Ports

FILE = "state.json"


class InvalidState(LibraError):
    """state.json is damaged or contradicts the running processes; the message says how to recover.

    Deleting the file loses only the port numbers.
    """


def load(folder: Path) -> dict[str, Ports]:
    """Return the recorded ports by part, empty before the first start; raise InvalidState."""
    path = folder / FILE
    try:
        recorded: Mapping[str, Any] = json.loads(path.read_text())["ports"]
        return {name: Ports(int(ports["main"]), int(ports["metrics"])) for name, ports in recorded.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        raise InvalidState(
            f"{path} cannot be read ({error}); run `libra down`, delete the file, and run `libra up`"
        ) from None


def save(folder: Path, ports: Mapping[str, Ports]) -> None:
    """Write the ports to the file atomically."""
    path = folder / FILE
    new = path.with_suffix(".new")
    with open_private(new, "w") as file:
        file.write(json.dumps({"ports": {name: asdict(ports[name]) for name in ports}}, indent=2) + "\n")
    new.replace(path)


def assign_ports(folder: Path, running: Iterable[str], names: Sequence[str] = PARTS) -> dict[str, Ports]:
    """Return the ports of the parts in `names` and record them; a part keeps its recorded ports while they are free.

    InvalidState if a part would need new ports while other parts, which know the old ones, run, or if a running part is
    not recorded or not in `names`.
    """
    recorded, running = load(folder), set(running)
    if unknown := running - recorded.keys():
        raise InvalidState(
            f"{', '.join(sorted(unknown))} runs, but its ports are not in {folder / FILE}: run `libra down` first"
        )
    if unwanted := running - set(names):
        raise InvalidState(
            f"{', '.join(sorted(unwanted))} runs, but is not among the requested parts: run `libra down` first"
        )
    if not running:
        recorded = {name: ports for name, ports in recorded.items() if name != NATS or ports.metrics}
    ports: dict[str, Ports] = {}
    for name in names:
        ports[name] = (
            recorded[name]
            if name in recorded and (name in running or _are_free(recorded[name]))
            else _choose_ports(name, [*recorded.values(), *ports.values()])
        )
        if running and name in recorded and ports[name] != recorded[name]:
            raise InvalidState(
                f"another program listens on {recorded[name].address}, the address of {name}: run `libra down`, then "
                f"`libra up`"
            )
    if ports != recorded:
        save(folder, ports)
    return ports


def _are_free(ports: Ports) -> bool:
    return is_free(ports.main) and (ports.metrics == 0 or is_free(ports.metrics))


def _choose_ports(name: str, others: Iterable[Ports]) -> Ports:
    """Return free ports for a part, different from the ports of all `others`, even of those that do not run."""
    taken = {port for ports in others for port in (ports.main, ports.metrics)}
    return Ports(*choose(1 if name == MONGO else 2, taken))
