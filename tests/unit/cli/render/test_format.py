from __future__ import annotations

import pytest

from libra.cli.render.format import chance, count, dollars, seconds, signed, signed_span
from libra.v1.ranking_pb2 import Estimate


@pytest.mark.parametrize(("value", "shown"), [(0.032, "+3.2"), (-0.5, "-50.0"), (0.0, "0.0"), (-0.0004, "0.0")])
def test_a_difference_has_its_sign(value: float, shown: str) -> None:
    assert signed(value) == shown


def test_an_interval_that_is_not_there_is_a_dash() -> None:
    assert signed_span(Estimate(value=0.1)) == "-"
    assert signed_span(Estimate(low=-0.25, high=0.5)) == "-25.0 to +50.0"


@pytest.mark.parametrize(
    ("p", "shown"), [(None, "-"), (0.0, "<.001"), (0.00099, "<.001"), (0.001, ".001"), (0.0499, ".050"), (0.9996, "1")]
)
def test_a_p_is_short(p: float | None, shown: str) -> None:
    assert chance(p) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [(0, "0"), (999, "999"), (1000, "1.0k"), (9_949, "9.9k"), (9_960, "10k"), (999_400, "999k"), (999_600, "1.0M")],
)
def test_a_number_is_short(number: int, shown: str) -> None:
    assert count(number) == shown


@pytest.mark.parametrize(("usd", "shown"), [(0, "0"), (0.004, "<0.01"), (0.05, "0.05"), (1234.5, "1,234.50")])
def test_money_is_never_rounded_to_nothing(usd: float, shown: str) -> None:
    assert dollars(usd) == shown


@pytest.mark.parametrize(
    ("span", "shown"), [(0, "0.0s"), (4.24, "4.2s"), (59.4, "59s"), (90, "1.5m"), (3000, "50m"), (12_600, "3.5h")]
)
def test_a_time_is_short(span: float, shown: str) -> None:
    assert seconds(span) == shown
