"""Every provider of the registry has files with all situations and requests, or the reason why its API has none."""

from __future__ import annotations

import pytest
from tests.provider_fixtures import PROVIDERS, REQUESTS, SITUATIONS, provider_fixtures


@pytest.mark.parametrize("provider", provider_fixtures())
def test_every_situation_and_request_is_there_or_absent_for_a_reason(provider: str) -> None:
    fixture = provider_fixtures()[provider]
    absent = fixture.about.get("absent", {})
    expected = {*SITUATIONS, *REQUESTS}
    assert expected - {*fixture.responses, *fixture.requests} == absent.keys()
    assert all(absent.values())


def test_every_folder_belongs_to_an_adapter() -> None:
    assert {path.name for path in PROVIDERS.iterdir()} == provider_fixtures().keys()
