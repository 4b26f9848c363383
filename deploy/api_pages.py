"""Write docs/api: one page for each gRPC service, with its methods, from the comments of the protos.

python deploy/api_pages.py BUF        writes the pages
python deploy/api_pages.py BUF --check  exits with 1 if a page is not current
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
)

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "api"
PACKAGE = "libra.v1"
PORTS = {"dispatch": 50051, "attack": 50052, "gateway": 50053, "judge": 50054, "ranking": 50055, "arena": 50056}
SERVICE_PATH, MESSAGE_PATH, METHOD_PATH, FIELD_PATH = 6, 4, 2, 2
"""The numbers of the parts in the paths of source locations."""

STATUS = re.compile(r"\b[A-Z]+(?:_[A-Z]+)+\b")
STATUSES = {
    "INVALID_ARGUMENT": "a field of the request has an invalid value; the error names the field",
    "NOT_FOUND": "the request names something that does not exist",
    "ALREADY_EXISTS": "something else has the same name or request id",
    "PERMISSION_DENIED": "the caller does not have the right that the request needs",
    "RESOURCE_EXHAUSTED": "a limit is reached; the message says when the call can be repeated",
    "FAILED_PRECONDITION": "the present state does not allow it; the message says what must change first",
}
ALWAYS = (
    "`UNAVAILABLE`: a dependency cannot be reached, or the replica is about to stop; the same call may succeed later",
    "`DEADLINE_EXCEEDED`: there was no reply within the deadline of the caller",
    "`INTERNAL`: a bug; the service's log has the details under the request id in the message",
)
EXAMPLES = {
    FieldDescriptorProto.TYPE_STRING: "...",
    FieldDescriptorProto.TYPE_DOUBLE: 0.5,
    FieldDescriptorProto.TYPE_BYTES: "",
}

OMITTED = frozenset({"page_token", "round", "other_runs"})
"""Fields that an example leaves out: a first call has no token, and the others exclude another field."""

SAME_ERRORS = re.compile(r"\b(?:errors|otherwise) as (?:of |for )?([A-Z]\w+)", re.IGNORECASE)
"""The name of another method with the same errors."""


@dataclass(frozen=True)
class Protos:
    """All files, with their comments and messages."""

    files: tuple[FileDescriptorProto, ...]
    comments: Mapping[tuple[str, tuple[int, ...]], str]
    messages: Mapping[str, tuple[DescriptorProto, FileDescriptorProto, int]]
    """By full name, with the file and the index in it."""


def load(buf: str) -> Protos:
    """Return the protos as buf compiles them."""
    command = [buf, "build", "protos", "--as-file-descriptor-set", "-o", "-"]
    built = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout
    files = tuple(file for file in FileDescriptorSet.FromString(built).file if file.package == PACKAGE)
    comments = {
        (file.name, tuple(location.path)): " ".join(location.leading_comments.split())
        for file in files
        for location in file.source_code_info.location
    }
    messages = {
        f".{PACKAGE}.{message.name}": (message, file, index)
        for file in files
        for index, message in enumerate(file.message_type)
    }
    return Protos(files, comments, messages)


def pages(protos: Protos) -> dict[str, str]:
    """Return the text of each page by its name."""
    found = {}
    for file in protos.files:
        for index, service in enumerate(file.service):
            comment = protos.comments.get((file.name, (SERVICE_PATH, index)), "")
            lines = [f"# {service.name}", "", *wrap(comment), ""]
            for number, method in enumerate(service.method):
                path = (SERVICE_PATH, index, METHOD_PATH, number)
                lines += method_lines(protos, file, service.name, method, protos.comments.get((file.name, path), ""))
            found[f"{service.name}.md"] = "\n".join(lines).rstrip() + "\n"
    found["README.md"] = overview(protos)
    return found


def overview(protos: Protos) -> str:
    """Return the page that lists all services."""
    lines = [
        "# gRPC methods",
        "",
        "Each page lists the methods of one service, from the comments in `protos/`. [../api.md](../api.md) describes",
        "the Python client, which needs none of this.",
        "",
        "Every method may also end with:",
        "",
        *(f"- {status}." for status in ALWAYS),
        "",
        "| service | served by | methods |",
        "|---|---|---|",
    ]
    for file in protos.files:
        for index, service in enumerate(file.service):
            served_by = owner(protos.comments.get((file.name, (SERVICE_PATH, index)), ""))
            methods = ", ".join(method.name for method in service.method)
            lines.append(f"| [{service.name}]({service.name}.md) | {served_by} | {methods} |")
    return "\n".join(lines) + "\n"


def method_lines(
    protos: Protos, file: FileDescriptorProto, service: str, method: MethodDescriptorProto, comment: str
) -> Iterator[str]:
    """Yield the section of one method."""
    request, request_file, index = protos.messages[method.input_type]
    port = PORTS[owner(protos.comments[file.name, (SERVICE_PATH, [each.name for each in file.service].index(service))])]
    yield from (f"## {method.name}", "", *wrap(comment), "")
    if request.field:
        yield from ("| field of the request | meaning |", "|---|---|")
        for number, each in enumerate(request.field):
            text = protos.comments.get((request_file.name, (MESSAGE_PATH, index, FIELD_PATH, number)), "")
            yield f"| `{each.name}` | {text.replace('|', chr(92) + '|')} |"
        yield ""
    data = json.dumps(example(request))
    yield from ("```sh", "buf curl --protocol grpc --http2-prior-knowledge --schema protos \\")
    yield f"  -d '{data}' http://localhost:{port}/{PACKAGE}.{service}/{method.name}"
    yield from ("```", "", "```python", *python_lines(file, request_file, request, service, method), "```", "")
    statuses = statuses_of(comment, method_comments(protos))
    if statuses:
        yield from (f"- `{status}`: {STATUSES[status]}." for status in statuses)
        yield ""


def method_comments(protos: Protos) -> dict[str, str]:
    """Return the comment of each method by its name."""
    return {
        method.name: protos.comments.get((file.name, (SERVICE_PATH, index, METHOD_PATH, number)), "")
        for file in protos.files
        for index, service in enumerate(file.service)
        for number, method in enumerate(service.method)
    }


def statuses_of(comment: str, comments: Mapping[str, str]) -> list[str]:
    """Return the statuses that the comment of a method names, and those of the methods that it refers to."""
    others = [comments[name] for name in SAME_ERRORS.findall(comment) if name in comments]
    found = dict.fromkeys(STATUS.findall(" ".join([comment, *others])))
    return [status for status in STATUSES if status in found]


def python_lines(
    file: FileDescriptorProto,
    request_file: FileDescriptorProto,
    message: DescriptorProto,
    service: str,
    method: MethodDescriptorProto,
) -> Iterator[str]:
    """Yield a call with the generated stubs."""
    request = message.name
    made = f"{request}({', '.join(f'{name}={value!r}' for name, value in example(message).items())})"
    argument = f"iter([{made}])" if method.client_streaming else made
    call = f"{service}Stub(channel).{method.name}({argument})"
    yield f"from libra.v1.{Path(request_file.name).stem}_pb2 import {request}"
    yield f"from libra.v1.{Path(file.name).stem}_pb2_grpc import {service}Stub"
    yield ""
    yield from ([f"for reply in {call}:", "    print(reply)"] if method.server_streaming else [f"reply = {call}"])


def example(message: DescriptorProto) -> dict[str, object]:
    """Return the plain fields of a message with a value of their type, without options that are off by default."""
    found: dict[str, object] = {}
    left_out = (FieldDescriptorProto.TYPE_MESSAGE, FieldDescriptorProto.TYPE_ENUM, FieldDescriptorProto.TYPE_BOOL)
    for each in message.field:
        if each.type in left_out or (each.name in OMITTED and len(message.field) > 1):
            continue
        value = EXAMPLES.get(each.type, 1)
        found[each.name] = [value] if each.label == FieldDescriptorProto.LABEL_REPEATED else value
    return found


def owner(comment: str) -> str:
    """Return the process that serves a service, which the comment names."""
    match = re.search(r"\b(\w+) service serves it|[Ss]erved by (?:the )?(\w+)|The (\w+) serves it", comment)
    name = next((part for part in match.groups() if part), "") if match else ""
    if name not in PORTS:
        raise SystemExit(f"the comment of a service does not say which process serves it: {comment!r}")
    return name


def wrap(text: str) -> list[str]:
    """Return a comment as lines of at most 120 characters."""
    return textwrap.wrap(text, 120, break_long_words=False, break_on_hyphens=False)


def main() -> int:
    """Write or check the pages; return the exit code."""
    buf, *options = sys.argv[1:]
    wanted = pages(load(buf))
    if "--check" in options:
        present = {path.name: path.read_text() for path in PAGES.glob("*.md")}
        stale = sorted(name for name in wanted.keys() | present.keys() if wanted.get(name) != present.get(name))
        print("\n".join(f"docs/api/{name} is not current: run make protos" for name in stale))
        return bool(stale)
    PAGES.mkdir(exist_ok=True)
    for name, text in wanted.items():
        (PAGES / name).write_text(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
