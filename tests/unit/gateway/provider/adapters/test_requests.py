"""Every adapter writes a request as the published reference of its API says."""

from __future__ import annotations

import orjson
import pytest
from tests.provider_fixtures import ProviderFixture, provider_fixtures

from libra.gateway.provider.request import InvalidRequest

KEY = "sk-test-7c1f0a9be24d4c5fa1"
CASES = [(fixture, name) for fixture in provider_fixtures().values() for name in fixture.requests]


@pytest.mark.parametrize(("fixture", "name"), CASES, ids=[f"{fixture.name}-{name}" for fixture, name in CASES])
def test_the_url_and_the_body_are_those_of_the_api(fixture: ProviderFixture, name: str) -> None:
    case, request = fixture.requests[name], fixture.request(name)
    if problem := case.get("problem"):
        with pytest.raises(InvalidRequest, match=problem):
            fixture.adapter.body(request), fixture.adapter.url(request)
        return
    assert fixture.adapter.body(request) == case["body"]
    assert fixture.adapter.url(request) == case.get("url", fixture.about["url"])
    assert orjson.dumps(fixture.adapter.body(request))


@pytest.mark.parametrize("fixture", provider_fixtures().values(), ids=provider_fixtures())
def test_an_invalid_schema_is_an_invalid_request(fixture: ProviderFixture) -> None:
    request = fixture.request("json_schema")
    request.parameters.json_schema = "[]"
    with pytest.raises(InvalidRequest, match="json_schema"):
        fixture.adapter.body(request)


@pytest.mark.parametrize("fixture", provider_fixtures().values(), ids=provider_fixtures())
async def test_credentials_are_the_headers_of_the_api(fixture: ProviderFixture) -> None:
    request = fixture.request()
    url, body = fixture.adapter.url(request), orjson.dumps(fixture.adapter.body(request))
    assert KEY not in url
    if expected := fixture.about.get("credentials"):
        headers = await fixture.adapter.credentials(url, body, KEY)
        assert dict(headers) == {header: value.format(key=KEY) for header, value in expected.items()}
        keyless = {header: value for header, value in expected.items() if "{key}" not in value}
        assert dict(await fixture.adapter.credentials(url, body, "")) == keyless
