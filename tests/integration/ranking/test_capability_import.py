"""Imports of capability figures over gRPC, with the real store."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.integration.support.ranking_world import serving

from libra.core.errors import Invalid
from libra.rpc.client import call
from libra.store.client import Store
from libra.v1.ranking_pb2 import (
    Capability,
    ImportCapabilitiesRequest,
    ImportCapabilitiesResponse,
    ListCapabilitiesRequest,
)
from libra.v1.ranking_pb2_grpc import RankingServiceStub


@pytest.fixture
async def stub(store: Store) -> AsyncIterator[RankingServiceStub]:
    async with serving(store) as client:
        yield client


def elo(model: str, published: float, **fields: float) -> Capability:
    figure = Capability(model=model, published=published, scale="elo", zero=800, one=1500, source="scores.csv")
    for name, value in fields.items():
        setattr(figure, name, value)
    return figure


async def import_figures(stub: RankingServiceStub, *figures: Capability) -> ImportCapabilitiesResponse:
    response: ImportCapabilitiesResponse = await call(
        stub.ImportCapabilities, ImportCapabilitiesRequest(capabilities=figures), 10
    )
    return response


async def list_figures(stub: RankingServiceStub) -> list[Capability]:
    return list((await call(stub.ListCapabilities, ListCapabilitiesRequest(), 10)).capabilities)


async def test_figures_are_normalized_with_fixed_ends_and_stored(stub: RankingServiceStub) -> None:
    answer = await import_figures(stub, elo("two", 1150, standard_error=7, value=0.9), elo("one", 1325))
    two, one = answer.capabilities
    assert (two.value, two.standard_error, two.published) == (0.5, 0.01, 1150)
    assert one.value == 0.75
    assert not one.HasField("standard_error")
    assert list(answer.notes) == []
    assert await list_figures(stub) == [one, two]


async def test_another_model_changes_no_figure(stub: RankingServiceStub) -> None:
    [before] = (await import_figures(stub, elo("one", 1150))).capabilities
    await import_figures(stub, elo("best", 1499), elo("worst", 801))
    assert before in await list_figures(stub)


async def test_a_figure_beyond_an_end_is_clipped_and_noted(stub: RankingServiceStub) -> None:
    answer = await import_figures(stub, elo("top", 1600), elo("end", 1500), elo("low", 700, standard_error=70))
    assert [figure.value for figure in answer.capabilities] == [1, 1, 0]
    assert [figure.published for figure in answer.capabilities] == [1600, 1500, 700]
    assert answer.capabilities[2].standard_error == 0.1
    assert list(answer.notes) == [
        "top: 1600 lies beyond 1500, which counts as 1: it was clipped to 1",
        "low: 700 lies beyond 800, which counts as 0: it was clipped to 0",
    ]


async def test_a_scale_may_be_reversed(stub: RankingServiceStub) -> None:
    answer = await import_figures(
        stub, elo("one", 20, zero=100, one=0, standard_error=5), elo("two", 120, zero=100, one=0)
    )
    one, two = answer.capabilities
    assert (one.value, one.standard_error, two.value) == (0.8, 0.05, 0)
    assert list(answer.notes) == ["two: 120 lies beyond 100, which counts as 0: it was clipped to 0"]


@pytest.mark.parametrize(
    ("figures", "field", "message"),
    [
        ([], "capabilities", "has 0 figures"),
        ([elo("a", 1), elo("b", 2), elo("a", 3)], "capabilities[2].model", r"twice \(first as capabilities\[0\]\)"),
        ([elo("a", 1), elo("", 2)], "capabilities[1].model", "printable"),
        ([elo("a\nb", 2)], "capabilities[0].model", "printable"),
        ([elo("a", 1), elo("b", float("nan"))], "capabilities[1].published", "finite"),
        ([elo("a", 1, standard_error=-1)], "capabilities[0].standard_error", "-1 is not 0 or more"),
        ([elo("a", 1, zero=5, one=5)], "capabilities[0].one", "begins and ends at 5"),
        ([elo("a", 1, one=float("inf"))], "capabilities[0].one", "finite"),
        ([Capability(model="a", zero=0, one=1, source="x")], "capabilities[0].scale", "printable"),
        ([Capability(model="a", zero=0, one=1, scale="x")], "capabilities[0].source", "printable"),
    ],
)
async def test_a_list_with_a_bad_field_is_rejected_whole(
    stub: RankingServiceStub, figures: list[Capability], field: str, message: str
) -> None:
    with pytest.raises(Invalid, match=message) as caught:
        await import_figures(stub, *figures)
    assert caught.value.field == field
    assert await list_figures(stub) == []
