"""Parses a run file: YAML with the fields of a RunSpec as its keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from libra.cli.files.utf8 import decode_utf8
from libra.core.errors import Invalid, nearest
from libra.v1.completion_pb2 import GenerationParameters
from libra.v1.run_pb2 import Budget, RunSpec

MAX_BYTES = 1024 * 1024
INT32, INT64 = 2**31, 2**63
TRUE, FALSE = ("true", "yes", "on"), ("false", "no", "off")

NodeReader = Callable[["RunFileReader", yaml.Node, str], Any]
"""Returns the value of the node at a path, or raises Invalid."""


@dataclass(frozen=True, slots=True)
class RunFile:
    """The spec in a run file, and the line of each of its fields."""

    name: str
    spec: RunSpec
    lines: Mapping[str, int]
    """Line numbers, from 1, by the path of the field: "models[1]", "parameters.temperature"."""

    def location_of(self, path: str) -> str:
        """Return where a field of the spec stands: "run.yaml, line 7: models[1]"."""
        line = self.lines.get(path)
        return f"{self.name}, line {line}: {path}" if line else f"{self.name}: {path}"


def parse(data: bytes, name: str) -> RunFile:
    """Return the run that the file describes; raise Invalid with the file, line and key at fault.

    Whether the models, tasks, attacks and judges exist is checked by dispatch.
    """
    reader = RunFileReader(name)
    fields = reader.read_keys(compose(data, name), "", SPEC_KEYS)
    parameters = GenerationParameters(**fields.pop("parameters", {}))
    return RunFile(name, RunSpec(**fields, parameters=parameters), reader.lines)


def compose(data: bytes, name: str, kind: str = "a run file", keys: str = "models and tasks") -> yaml.Node:
    """Return the YAML as nodes in which every scalar is text; raise Invalid.

    `kind` says what the file should be, and `keys` which keys it needs at least.
    """
    if len(data) > MAX_BYTES:
        raise Invalid(f"{name} has {len(data):,} bytes; {kind} has at most {MAX_BYTES:,}")
    try:
        node = yaml.compose(decode_utf8(data, name), yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        hint = " (write * in quotes: '*')" if "alias" in f"{error.context} {error.problem}" else ""
        raise Invalid(f"{name}, line {line}: the file is not valid YAML: {error.problem}{hint}") from None
    except yaml.YAMLError as error:
        raise Invalid(f"{name} is not valid YAML: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise Invalid(f"{name} is nested too deeply for {kind}") from None
    if node is None:
        raise Invalid(f"{name} is empty; {kind} needs at least the keys {keys}")
    return node


@dataclass(slots=True)
class RunFileReader:
    """A run file, or another file of keys, that is being read; it records the line of each key and item."""

    name: str
    lines: dict[str, int] = field(default_factory=dict)
    kind: str = "a run file"
    """The expected kind of file, for messages."""

    def read_keys(self, node: yaml.Node, path: str, readers: Mapping[str, NodeReader]) -> dict[str, Any]:
        """Return the values of a mapping, each read by the reader of its key; raise Invalid for an unknown key."""
        values = {}
        for key, value, key_path in self.entries(node, path):
            if key not in readers:
                near = nearest(key, readers)
                hint = f"did you mean {' or '.join(near)}?" if near else f"valid keys: {', '.join(readers)}"
                raise self.error(self.lines[key_path], f"there is no key {key_path!r}: {hint}")
            values[key] = readers[key](self, value, key_path)
        return values

    def entries(self, node: yaml.Node, path: str) -> list[tuple[str, yaml.Node, str]]:
        """Return the keys of a mapping with their values and paths; raise Invalid for a repeated key."""
        if not isinstance(node, yaml.MappingNode):
            raise self.error(line_of(node), f"{path or self.kind} must be keys with values")
        found: dict[str, tuple[str, yaml.Node, str]] = {}
        for key_node, value in node.value:
            key = read_text(self, key_node, path or "a key")
            if key in found:
                raise self.error(line_of(key_node), f"the key {key!r} is repeated")
            key_path = f"{path}.{key}" if path else key
            self.lines[key_path] = line_of(key_node)
            found[key] = (key, value, key_path)
        return list(found.values())

    def error(self, line: int, sentence: str) -> Invalid:
        """Return the error for a line of the file."""
        return Invalid(f"{self.name}, line {line}: {sentence}")


def line_of(node: yaml.Node) -> int:
    """Return the first line of the node, from 1."""
    return int(node.start_mark.line) + 1


def read_text(reader: RunFileReader, node: yaml.Node, path: str) -> str:
    """Return a text; raise Invalid if it is empty."""
    if not isinstance(node, yaml.ScalarNode):
        raise reader.error(line_of(node), f"{path} must be text")
    if not node.value:
        raise reader.error(line_of(node), f"{path} is empty")
    return str(node.value)


def read_texts(reader: RunFileReader, node: yaml.Node, path: str) -> list[str]:
    """Return a list of texts; a single text is a list of one."""
    if isinstance(node, yaml.ScalarNode):
        return [read_text(reader, node, path)]
    if not isinstance(node, yaml.SequenceNode) or not node.value:
        raise reader.error(line_of(node), f"{path} must be a list of names, and not an empty one")
    for index, item in enumerate(node.value):
        reader.lines[f"{path}[{index}]"] = line_of(item)
    return [read_text(reader, item, f"{path}[{index}]") for index, item in enumerate(node.value)]


def read_text_map(reader: RunFileReader, node: yaml.Node, path: str) -> dict[str, str]:
    """Return a mapping of texts to texts."""
    texts = {}
    for key, value, key_path in reader.entries(node, path):
        reader.lines[f"{path}[{key}]"] = reader.lines[key_path]
        texts[key] = read_text(reader, value, key_path)
    return texts


def integer_reader(bound: int) -> NodeReader:
    """Return a reader of integers from -bound to bound - 1."""

    def read_integer(reader: RunFileReader, node: yaml.Node, path: str) -> int:
        text = read_text(reader, node, path)
        try:
            number = int(text)
        except ValueError:
            raise reader.error(line_of(node), f"{path} must be a whole number, not {text!r}") from None
        if not -bound <= number < bound:
            raise reader.error(line_of(node), f"{path} must be from {-bound} to {bound - 1}, not {text}")
        return number

    return read_integer


def read_number(reader: RunFileReader, node: yaml.Node, path: str) -> float:
    """Return a number."""
    text = read_text(reader, node, path)
    try:
        return float(text)
    except ValueError:
        raise reader.error(line_of(node), f"{path} must be a number, not {text!r}") from None


def read_flag(reader: RunFileReader, node: yaml.Node, path: str) -> bool:
    """Return true or false."""
    text = read_text(reader, node, path).lower()
    if text not in (*TRUE, *FALSE):
        raise reader.error(line_of(node), f"{path} must be true or false, not {text!r}")
    return text in TRUE


PARAMETER_KEYS: Mapping[str, NodeReader] = {
    "temperature": read_number,
    "top_p": read_number,
    "max_tokens": integer_reader(INT32),
    "seed": integer_reader(INT64),
    "json_schema": read_text,
    "reasoning_effort": read_text,
}
"""The keys below `parameters`, which are the fields of GenerationParameters."""


def read_parameters(reader: RunFileReader, node: yaml.Node, path: str) -> dict[str, Any]:
    """Return the generation parameters."""
    return reader.read_keys(node, path, PARAMETER_KEYS)


BUDGET_KEYS: Mapping[str, NodeReader] = {
    "usd": read_number,
    "tokens": integer_reader(INT64),
    "requests": integer_reader(INT64),
}
"""The keys below `budget`, which are the fields of Budget."""


def read_budget(reader: RunFileReader, node: yaml.Node, path: str) -> Budget:
    """Return the budget."""
    return Budget(**reader.read_keys(node, path, BUDGET_KEYS))


SPEC_KEYS: Mapping[str, NodeReader] = {
    "name": read_text,
    "models": read_texts,
    "tasks": read_texts,
    "attacks": read_texts,
    "samples_per_task": integer_reader(INT32),
    "epochs": integer_reader(INT32),
    "seed": integer_reader(INT64),
    "parameters": read_parameters,
    "fresh": read_flag,
    "judge_model": read_text,
    "attack_model": read_text,
    "judges": read_text_map,
    "judge_options": read_text_map,
    "rejudges": read_text,
    "round": read_text,
    "budget": read_budget,
}
"""The keys of a run file, which are the fields of RunSpec."""
