"""Signatures are those of AWS's reference."""

from __future__ import annotations

import logging
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import sigv4
from yarl import URL

from libra.gateway.provider.adapters.bedrock import Bedrock
from libra.gateway.provider.keys import aws_signature
from libra.gateway.provider.keys.api_key import NoKey

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
KEY = f"AKIDEXAMPLE:{SECRET}"
URL_OF_MODEL = "https://bedrock-runtime.us-east-1.amazonaws.com/model/anthropic.claude-v2%3A1/converse"


def test_the_reference_of_these_tests_agrees_with_the_published_vectors() -> None:
    # "get-vanilla" and "post-vanilla" of AWS's Signature Version 4 test suite.
    headers = {"host": "example.amazonaws.com", "x-amz-date": "20150830T123600Z"}
    published = {
        "GET": "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        "POST": "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    }
    for method, expected in published.items():
        canonical = sigv4.canonical_request(method, "/", headers, ["host", "x-amz-date"], b"")
        scope = "20150830/us-east-1/service/aws4_request"
        assert sigv4.signature(SECRET, scope, "20150830T123600Z", canonical) == expected


def is_signed(url: str, body: bytes, key: str) -> bool:
    signed = {name.lower(): value for name, value in aws_signature.signed_headers(url, body, key).items()}
    sent = URL(url)
    received = {"host": sent.host_port_subcomponent, "content-type": "application/json", **signed}
    return sigv4.is_signed("POST", sent.raw_path, {k: v or "" for k, v in received.items()}, body, key)


MODEL_IDS = st.from_regex(r"[A-Za-z0-9:._/~ +%-]{1,40}", fullmatch=True) | st.text(min_size=1, max_size=10)


@given(model=MODEL_IDS, body=st.binary(max_size=40), token=st.sampled_from(["", ":FwoGZXIvYXdz+/tok=="]))
def test_every_model_and_body_is_signed(model: str, body: bytes, token: str) -> None:
    from libra.gateway.provider.request import CompletionRequest
    from libra.v1.completion_pb2 import GenerationParameters
    from libra.v1.model_pb2 import Model

    named = Model(name="m", base_url="https://bedrock-runtime.eu-central-1.amazonaws.com", remote_model=model)
    url = Bedrock().url(CompletionRequest(named, GenerationParameters(), ()))
    assert is_signed(url, body, KEY + token)


def test_only_the_headers_of_the_signature_are_returned() -> None:
    assert aws_signature.signed_headers(URL_OF_MODEL, b"{}", KEY).keys() == {"Authorization", "X-Amz-Date"}
    with_token = aws_signature.signed_headers(URL_OF_MODEL, b"{}", f"{KEY}:token")
    assert with_token["X-Amz-Security-Token"] == "token"
    assert "x-amz-security-token" in with_token["Authorization"]


@pytest.mark.parametrize(
    ("url", "region"),
    [
        ("https://bedrock-runtime.us-east-1.amazonaws.com", "us-east-1"),
        ("https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ("https://bedrock-runtime.ap-southeast-2.api.aws/model/x", "ap-southeast-2"),
        ("https://vpce-0a1-2b3.bedrock-runtime.eu-central-1.vpce.amazonaws.com", "eu-central-1"),
        ("https://bedrock-runtime.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("http://127.0.0.1:8080/us-west-2/model/arn:aws:bedrock:eu-west-1:1:x", "us-west-2"),
    ],
)
def test_the_region_is_that_of_the_url(url: str, region: str) -> None:
    assert aws_signature.region_of(URL(url)) == region


def test_a_url_without_a_region_is_reported() -> None:
    with pytest.raises(NoKey, match="names no AWS region"):
        aws_signature.signed_headers("https://proxy.example.org/model/us-east-1/converse", b"{}", KEY)


@pytest.mark.parametrize("key", ["AKIDEXAMPLE:", ":secret", "a:b:c:d", "a:b:"])
def test_a_key_of_another_form_is_reported_without_it(key: str) -> None:
    with pytest.raises(NoKey, match="ACCESS_KEY_ID:SECRET") as problem:
        aws_signature.signed_headers(URL_OF_MODEL, b"{}", key)
    assert "AKIDEXAMPLE" not in str(problem.value)


async def test_an_api_key_of_bedrock_needs_no_signature() -> None:
    assert await Bedrock().credentials(URL_OF_MODEL, b"{}", "ABSKQmVkcm9jaw==") == {
        "Authorization": "Bearer ABSKQmVkcm9jaw=="
    }
    assert await Bedrock().credentials(URL_OF_MODEL, b"{}", "") == {}


def test_a_missing_package_is_reported_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    aws_signature._botocore.cache_clear()
    monkeypatch.setitem(sys.modules, "botocore.auth", None)
    with pytest.raises(NoKey, match=r"libra\[bedrock\]"):
        aws_signature.signed_headers(URL_OF_MODEL, b"{}", KEY)


def test_the_key_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    aws_signature._botocore.cache_clear()
    aws_signature.signed_headers(URL_OF_MODEL, b"{}", f"{KEY}:a-session-token")
    assert "a-session-token" not in caplog.text
    assert SECRET not in caplog.text
