from __future__ import annotations

from typing import Any

import pytest

from libra.core.errors import Invalid
from libra.dispatch.models.keys import check_keys
from libra.v1.model_pb2 import Model, RequestOptions


def options(**fields: Any) -> dict[str, Any]:
    return {"options": RequestOptions(**fields)}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"api_key_env": "A_API_KEY"},
        {"api_key_file": "openai-key.txt"},
        options(headers={"X-Team": "safety", "OpenAI-Organization": "org-1"}),
        options(header_variables={"X-Api-Key": "A_API_KEY", "Authorization": "B_API_KEY"}),
        options(headers={f"x-{number}": "" for number in range(32)}),
    ],
)
def test_valid_sources_and_headers_are_accepted(fields: dict[str, Any]) -> None:
    check_keys(Model(**fields))


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"api_key_env": "sk-secret"}, "api_key_env"),
        ({"api_key_env": "A" * 129}, "api_key_env"),
        ({"api_key_file": "../secret"}, "api_key_file"),
        ({"api_key_file": "/etc/secret"}, "api_key_file"),
        ({"api_key_file": ".."}, "api_key_file"),
        ({"api_key_file": "a\x00secret"}, "api_key_file"),
        ({"api_key_file": "..data"}, "api_key_file"),
        ({"api_key_env": "A_API_KEY", "api_key_file": "a"}, "api_key_file"),
        *(
            (options(headers={name: "secret"}), "options.headers")
            for name in (
                "Authorization",
                "x-api-key",
                "API-KEY",
                "Cookie",
                "X-Auth-Token",
                "x-goog-api-key",
                "Ocp-Apim-Subscription-Key",
                "x-amz-security-token",
                "X-Secret",
                "Host",
                "content-length",
                "Transfer-Encoding",
                "Connection",
                "Proxy-Authorization",
                "a b",
                "a:b",
                "",
                "a\r\nb",
                "ü",
                "a" * 129,
            )
        ),
        *(
            (options(headers={"x-a": value}), "options.headers")
            for value in ("secret\r\nx-b: c", "secret\n", "ü", "\x00", "x" * 4097)
        ),
        (options(headers={f"x-{number}": "" for number in range(33)}), "options.headers"),
        (options(headers={"x-a": "1", "X-A": "2"}), "options.headers"),
        (options(header_variables={"x-a": "sk-secret"}), "options.header_variables"),
        (options(header_variables={"host": "A_API_KEY"}), "options.header_variables"),
        (options(headers={"x-a": "1"}, header_variables={"X-A": "A_API_KEY"}), "options.header_variables"),
    ],
)
def test_an_invalid_source_or_header_is_refused_without_quoting_its_value(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_keys(Model(**fields))
    assert caught.value.field == f"model.{field}"
    assert "sk-secret" not in caught.value.message
