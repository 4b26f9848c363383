"""Names of the classes of responses: in the fields of verdicts, in counts, and on the command line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from libra.v1.completion_pb2 import ResponseClass
from libra.v1.run_pb2 import ResponseCounts

PREFIX = "RESPONSE_CLASS_"

RESPONSE_FIELD = "response"
"""The verdict's field with the class of the response, if the model did not simply answer: boards can group by it."""

CATEGORY_FIELD = "provider_category"
"""The verdict's field with the provider's own category of a block or a refusal."""

USAGE_FIELD = "usage"
"""The verdict's field that is "unknown" if the provider counted no tokens."""

VERDICT_FIELDS = frozenset({RESPONSE_FIELD, CATEGORY_FIELD, USAGE_FIELD})
"""Fields of a verdict that say what came back. Fields of a sample with these names are not copied to its verdicts."""

ANSWERED = "answered"
"""The class of a verdict without the field."""

RESPONSES: Mapping[str, ResponseClass.ValueType] = {
    name.removeprefix(PREFIX).lower(): number for name, number in ResponseClass.items() if number
}
"""Every class by its name: answered, refused, blocked_input, blocked_output, truncated, tool_calls, failed."""

COUNTED_RESPONSES: Mapping[str, str] = {
    name.removesuffix("_by_model"): name for name in ResponseCounts.DESCRIPTOR.fields_by_name
}
"""The field of `ResponseCounts`, and of a cell, by the class that it counts."""


class ResponseCounter(Protocol):
    """Anything that counts trials by what came back, such as the message `ResponseCounts` or a cell."""

    @property
    def refused_by_model(self) -> int:
        """Trials that the model refused, marked by the provider."""
        ...

    @property
    def blocked_input(self) -> int:
        """Trials whose request the provider blocked."""
        ...

    @property
    def blocked_output(self) -> int:
        """Trials whose answer the provider blocked."""
        ...

    @property
    def truncated(self) -> int:
        """Trials whose answer was cut off."""
        ...

    @property
    def tool_calls(self) -> int:
        """Trials whose answer consists of tool calls without text."""
        ...


def response_name(response_class: int) -> str:
    """Return the name of a class, for instance `truncated`."""
    return ResponseClass.Name(ResponseClass.ValueType(response_class)).removeprefix(PREFIX).lower()


def sum_responses(counters: Iterable[ResponseCounter]) -> ResponseCounts:
    """Return the counts of all together."""
    found = list(counters)
    names = COUNTED_RESPONSES.values()
    return ResponseCounts(**{name: sum(getattr(counter, name) for counter in found) for name in names})
