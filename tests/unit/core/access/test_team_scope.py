"""The law of teams: who sees, changes and owns what."""

from __future__ import annotations

import asyncio

import pytest

from libra.core.access import team_scope
from libra.core.access.team_scope import DEPLOYMENT, SHARED, acting_for
from libra.core.errors import FailedPrecondition, Invalid, PermissionDenied

OWNERS = (SHARED, "red", "blue", DEPLOYMENT)


@pytest.mark.parametrize(
    ("team", "seen", "changed"),
    [
        (None, OWNERS, OWNERS),
        ("red", (SHARED, "red"), ("red",)),
        ("blue", (SHARED, "blue"), ("blue",)),
        (SHARED, (SHARED,), (SHARED,)),
    ],
)
def test_what_a_task_sees_and_changes(team: str | None, seen: tuple[str, ...], changed: tuple[str, ...]) -> None:
    with acting_for(team):
        assert tuple(filter(team_scope.can_see, OWNERS)) == seen
        assert tuple(filter(team_scope.can_change, OWNERS)) == changed


def test_a_task_works_for_no_team_at_first_and_again_after_a_block() -> None:
    with pytest.raises(RuntimeError), acting_for("red"):
        raise RuntimeError
    assert team_scope.current() is None


async def test_a_team_ends_with_its_task() -> None:
    async def work() -> str | None:
        team_scope.enter("red")
        return await asyncio.create_task(inner())

    async def inner() -> str | None:
        return team_scope.current()

    assert await asyncio.create_task(work()) == "red"
    assert team_scope.current() is None


def test_what_is_shared_is_changed_without_a_team_only() -> None:
    team_scope.require_change(SHARED, "the run 01J")
    with acting_for("red"), pytest.raises(PermissionDenied, match="the run 01J is shared by all teams"):
        team_scope.require_change(SHARED, "the run 01J")


@pytest.mark.parametrize(
    ("team", "requested", "owner"),
    [(None, "", ""), (None, "red", "red"), ("red", "", "red"), ("red", "red", "red"), (SHARED, "", "")],
)
def test_the_owner_of_what_is_created(team: str | None, requested: str, owner: str) -> None:
    with acting_for(team):
        assert team_scope.owner_of_new(requested) == owner


def test_a_team_creates_nothing_for_another_one() -> None:
    with acting_for("red"), pytest.raises(PermissionDenied) as caught:
        team_scope.owner_of_new("blue", field="model.team")
    assert caught.value.field == "model.team"


@pytest.mark.parametrize("name", [DEPLOYMENT, "Red", "a b", "r\n", "\0", "a" * 65])
def test_a_text_that_is_no_name_of_a_team(name: str) -> None:
    with pytest.raises(Invalid):
        team_scope.owner_of_new(name)


def test_what_is_made_of_several_things_belongs_to_the_only_team_among_them() -> None:
    assert team_scope.common_owner([]) == SHARED
    assert team_scope.common_owner([SHARED, "red", "red"]) == "red"
    with pytest.raises(FailedPrecondition, match="blue and red"):
        team_scope.common_owner(["red", SHARED, "blue"])


def test_names_that_are_unique_within_a_team_never_meet() -> None:
    names = set()
    for team in (None, SHARED, "red", "blue"):
        with acting_for(team):
            names |= {team_scope.qualified("x"), team_scope.qualified("red/x")}
            assert team_scope.qualified("") == ""
    assert len(names) == 6  # no team and the work of what is shared have the same names
