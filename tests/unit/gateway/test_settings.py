from __future__ import annotations

import pytest

from libra.core.settings import BadSettings, read
from libra.gateway.settings import Settings


def test_a_setting_that_is_not_set_has_its_default() -> None:
    settings = read(Settings, "LIBRA_GATEWAY_", {})
    assert settings == Settings()
    assert settings.retry_policy().attempts == 8


def test_a_setting_is_read_from_the_variable_with_its_name() -> None:
    settings = read(Settings, "LIBRA_GATEWAY_", {"LIBRA_GATEWAY_RETRY_BUDGET_SECONDS": "7.5"})
    assert settings.retry_policy().budget_seconds == 7.5


@pytest.mark.parametrize("value", ["0", "-1", "soon", ""])
def test_an_invalid_setting_is_named_in_the_error(value: str) -> None:
    with pytest.raises(BadSettings, match="LIBRA_GATEWAY_LOOK_SECONDS"):
        read(Settings, "LIBRA_GATEWAY_", {"LIBRA_GATEWAY_LOOK_SECONDS": value})
