"""Requests and responses of the APIs of providers, as files that the tests of all adapters share.

Each provider has a folder `tests/data/providers/<provider>`, named like its value of `Provider` in small letters,
without the prefix. Its files were written for this project after the published API reference.

`provider.json`: `base_url`, `remote_model`, the `url` that requests go to, the headers that authenticate with a key
(`credentials`, in which `{key}` stands for the key; left out if they cannot be compared), and `absent`: the situations
and requests below that the API does not have, each with the reason.

`requests.json`: requests by name. Each may set `parameters` (GenerationParameters), `options` (RequestOptions),
`adjustments`, `messages` (pairs of role and text), `base_url` and `remote_model`; expected is the exact `body`, and the
`url` if it differs; or a `problem`, which is a part of the message of InvalidRequest. `REQUESTS` must all be there.

All other files: responses by situation. Each has a `status` (200 if left out), `headers`, and a `body` (JSON) or `raw`
(text). Expected is an `outcome`: a class of answers ("answered", "refused_by_model", "blocked_input", ...) or the
value of a `FaultKind`; for the situations in `SITUATIONS` it is known and left out. Of an answer, `text` (default:
empty), `category` (default: not compared), `words` (a part) and `usage` (the tokens of prompt and answer; null if
unknown) are expected, and `finish` ("unspecified") if the provider does not say why it ended; of a fault, `words` and
`wait` (in seconds).
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.protobuf.json_format import ParseDict
from multidict import CIMultiDict
from tests.data_files import DATA

from libra.gateway.provider.adapter import Adapter, HttpResponse
from libra.gateway.provider.registry import ADAPTERS
from libra.gateway.provider.request import CompletionRequest
from libra.v1.completion_pb2 import GenerationParameters
from libra.v1.message_pb2 import Message
from libra.v1.model_pb2 import Model, Provider, RequestOptions

PROVIDERS = DATA / "providers"

SITUATIONS = {
    "answered": "answered",
    "answered_with_reasoning": "answered",
    "usage_absent": "answered",
    "empty": "answered",
    "refused": "refused_by_model",
    "blocked_input": "blocked_input",
    "blocked_output_partial": "blocked_output",
    "truncated": "truncated",
    "truncated_in_reasoning": "truncated",
    "tool_calls": "tool_calls",
    "unsupported_parameter": "refused",
    "wrong_key": "refused",
    "unknown_model": "refused",
    "slow_down": "slow_down",
    "quota_used_up": "refused",
    "overloaded": "failed",
    "error_in_200": "unreadable",
}
"""The outcome of each situation that every provider has, or names as absent."""

REQUESTS = (
    "plain",
    "all_parameters",
    "zeros",
    "conversation",
    "system_turn",
    "merged_system_turn",
    "developer_turn",
    "alternating_turns",
    "json_schema",
    "json_object",
    "dropped_parameters",
    "token_limit_name",
)
"""The requests that every provider has, or names as absent."""


@dataclass(frozen=True)
class ProviderFixture:
    """The files of one provider, with its adapter."""

    name: str
    adapter: Adapter
    about: dict[str, Any]
    requests: dict[str, dict[str, Any]]
    responses: dict[str, ResponseFixture]

    def model(self, case: dict[str, Any], base_url: str = "") -> Model:
        """Return the model that a request of `requests.json` is for."""
        return Model(
            name="m",
            provider=Provider.Value(f"PROVIDER_{self.name.upper()}"),
            base_url=base_url or case.get("base_url", self.about["base_url"]),
            remote_model=case.get("remote_model", self.about["remote_model"]),
            api_key_env="TEST_API_KEY",
            options=ParseDict(case.get("options", {}), RequestOptions()),
        )

    def request(self, name: str = "plain", base_url: str = "") -> CompletionRequest:
        """Return a request of `requests.json`."""
        case = self.requests[name]
        return CompletionRequest(
            model=self.model(case, base_url),
            parameters=ParseDict(case.get("parameters", {}), GenerationParameters()),
            messages=tuple(
                Message(role=role, content=text) for role, text in case.get("messages", [["user", "Hello"]])
            ),
            adjustments=tuple((parameter, replacement) for parameter, replacement in case.get("adjustments", [])),
        )


@dataclass(frozen=True)
class ResponseFixture:
    """A response, and the expected outcome."""

    outcome: str
    body: Any = None
    raw: str | None = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    text: str = ""
    category: str | None = None
    words: str = ""
    usage: list[int] | None = None
    wait: float | None = None
    finish: str = ""

    def response(self, body: Any = None) -> HttpResponse:
        """Return the response, or the same one with another body: JSON, or bytes as they are."""
        content = self.body if body is None else body
        data = self.raw.encode() if self.raw is not None and body is None else content
        data = data if isinstance(data, bytes) else json.dumps(data).encode()
        return HttpResponse(self.status, CIMultiDict(self.headers), data)


@functools.cache
def provider_fixtures() -> dict[str, ProviderFixture]:
    """Return the fixtures of all adapters of the registry, by the name of the provider."""
    names = {name.removeprefix("PROVIDER_").lower(): number for name, number in Provider.items()}
    return {
        name: _load(name, PROVIDERS / name, ADAPTERS[number]) for name, number in names.items() if number in ADAPTERS
    }


def _load(name: str, folder: Path, adapter: Adapter) -> ProviderFixture:
    files = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))}
    about, requests = files.pop("provider"), files.pop("requests")
    situations = {situation: case for file in files.values() for situation, case in file.items()}
    responses = {
        situation: ResponseFixture(**{"outcome": case.get("outcome") or SITUATIONS[situation], **case})
        for situation, case in situations.items()
    }
    return ProviderFixture(name, adapter, about, requests, responses)
