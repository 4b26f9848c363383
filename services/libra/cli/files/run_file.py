"""Read a run file: YAML with the keys of a run's spec, each fault named with its line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from libra.errors import Invalid, nearest
from libra.v1.completion_pb2 import GenerationParameters
from libra.v1.run_pb2 import RunSpec

MAX_BYTES = 1024 * 1024
INT32, INT64 = 2**31, 2**63
TRUE, FALSE = ("true", "yes", "on"), ("false", "no", "off")

Read = Callable[["Reader", yaml.Node, str], Any]


@dataclass(frozen=True, slots=True)
class RunFile:
    """A run's spec, and where in the file each of its fields stands."""

    name: str
    spec: RunSpec
    lines: Mapping[str, int]
    """Lines, from 1, by the field's path: "models[1]", "parameters.temperature"."""

    def place(self, path: str) -> str:
        """Return what to call a field of the spec: "run.yaml, line 7: models[1]"."""
        line = self.lines.get(path)
        return f"{self.name}, line {line}: {path}" if line else f"{self.name}: {path}"


def parse(data: bytes, name: str) -> RunFile:
    """Return the run that the file asks for; raise Invalid naming file, line and key at fault.

    Names are not looked up here: which models, tasks, attacks and judges there are is dispatch's to say.
    """
    reader = Reader(name)
    root = composed(data, name)
    given = reader.keys(root, "", SPEC)
    parameters = GenerationParameters(**given.pop("parameters", {}))
    return RunFile(name, RunSpec(**given, parameters=parameters), reader.lines)


def composed(data: bytes, name: str) -> yaml.Node:
    """Return the YAML as nodes, every plain word a text; raise Invalid."""
    if len(data) > MAX_BYTES:
        raise Invalid(f"{name} has {len(data):,} bytes; a run file has at most {MAX_BYTES:,}")
    try:
        node = yaml.compose(data.decode(), yaml.BaseLoader)
    except UnicodeDecodeError as error:
        raise Invalid(f"{name} is not UTF-8: byte {error.start} is 0x{data[error.start]:02x}") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        star = " (a * must stand in quotes: '*')" if "alias" in f"{error.context} {error.problem}" else ""
        raise Invalid(f"{name}, line {line}: it is not YAML: {error.problem}{star}") from None
    except yaml.YAMLError as error:
        raise Invalid(f"{name} is not YAML: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise Invalid(f"{name} is nested too deeply for a run file") from None
    if node is None:
        raise Invalid(f"{name} is empty; it needs at least the keys models and tasks")
    return node


@dataclass(slots=True)
class Reader:
    """Reads nodes as what they must be, and notes the line of each."""

    name: str
    lines: dict[str, int] = field(default_factory=dict)

    def keys(self, node: yaml.Node, path: str, shapes: Mapping[str, Read]) -> dict[str, Any]:
        """Return the values of a mapping whose keys are known, each as its shape says."""
        given = {}
        for key, value, place in self.items(node, path):
            if key not in shapes:
                near = nearest(key, shapes)
                hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(shapes)}"
                raise self.fault(self.lines[place], f"there is no key {place!r}: {hint}")
            given[key] = shapes[key](self, value, place)
        return given

    def items(self, node: yaml.Node, path: str) -> list[tuple[str, yaml.Node, str]]:
        """Return the keys of a mapping with their values and paths; refuse a key that stands twice."""
        if not isinstance(node, yaml.MappingNode):
            raise self.fault(line(node), f"{path or 'a run file'} must be keys with values")
        found: dict[str, tuple[str, yaml.Node, str]] = {}
        for key, value in node.value:
            word = text(self, key, path or "a key")
            if word in found:
                raise self.fault(line(key), f"the key {word!r} stands there twice")
            place = f"{path}.{word}" if path else word
            self.lines[place] = line(key)
            found[word] = (word, value, place)
        return list(found.values())

    def fault(self, at_line: int, sentence: str) -> Invalid:
        """Return the error that says where the file is wrong, and how."""
        return Invalid(f"{self.name}, line {at_line}: {sentence}")


def line(node: yaml.Node) -> int:
    """Return the line, from 1, in which the node begins."""
    return int(node.start_mark.line) + 1


def text(reader: Reader, node: yaml.Node, path: str) -> str:
    """Return a text that is not empty."""
    if not isinstance(node, yaml.ScalarNode):
        raise reader.fault(line(node), f"{path} must be text")
    if not node.value:
        raise reader.fault(line(node), f"{path} is empty")
    return str(node.value)


def texts(reader: Reader, node: yaml.Node, path: str) -> list[str]:
    """Return a list of texts; a single one need not stand in a list."""
    if isinstance(node, yaml.ScalarNode):
        return [text(reader, node, path)]
    if not isinstance(node, yaml.SequenceNode) or not node.value:
        raise reader.fault(line(node), f"{path} must be a list of names, and not an empty one")
    for place, item in enumerate(node.value):
        reader.lines[f"{path}[{place}]"] = line(item)
    return [text(reader, item, f"{path}[{place}]") for place, item in enumerate(node.value)]


def names(reader: Reader, node: yaml.Node, path: str) -> dict[str, str]:
    """Return texts by name."""
    given = {}
    for key, value, place in reader.items(node, path):
        reader.lines[f"{path}[{key}]"] = reader.lines[place]
        given[key] = text(reader, value, place)
    return given


def whole(bound: int) -> Read:
    """Return a reader of whole numbers from -bound to bound - 1."""

    def read(reader: Reader, node: yaml.Node, path: str) -> int:
        word = text(reader, node, path)
        try:
            number = int(word)
        except ValueError:
            raise reader.fault(line(node), f"{path} must be a whole number, not {word!r}") from None
        if not -bound <= number < bound:
            raise reader.fault(line(node), f"{path} is beyond what a number can be here: {word}")
        return number

    return read


def number(reader: Reader, node: yaml.Node, path: str) -> float:
    """Return a number."""
    word = text(reader, node, path)
    try:
        return float(word)
    except ValueError:
        raise reader.fault(line(node), f"{path} must be a number, not {word!r}") from None


def flag(reader: Reader, node: yaml.Node, path: str) -> bool:
    """Return true or false."""
    word = text(reader, node, path).lower()
    if word not in (*TRUE, *FALSE):
        raise reader.fault(line(node), f"{path} must be true or false, not {word!r}")
    return word in TRUE


PARAMETERS: Mapping[str, Read] = {
    "temperature": number,
    "top_p": number,
    "max_tokens": whole(INT32),
    "seed": whole(INT64),
    "json_schema": text,
}


def parameters(reader: Reader, node: yaml.Node, path: str) -> dict[str, Any]:
    """Return what shapes the answers."""
    return reader.keys(node, path, PARAMETERS)


SPEC: Mapping[str, Read] = {
    "name": text,
    "models": texts,
    "tasks": texts,
    "attacks": texts,
    "samples_per_task": whole(INT32),
    "epochs": whole(INT32),
    "seed": whole(INT64),
    "parameters": parameters,
    "fresh": flag,
    "judge_model": text,
    "attack_model": text,
    "judges": names,
    "judge_options": names,
    "rejudges": text,
}
"""The keys of a run file, which are the fields of RunSpec."""
