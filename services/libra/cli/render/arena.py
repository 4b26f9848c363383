"""Prints entries, ratings, proposals and quarantined voters of the arena."""

from __future__ import annotations

from collections.abc import Iterable

import click

from libra.cli.render.format import one_line, utc_time
from libra.cli.render.output import add_row, new_table, print_note, print_table
from libra.cli.render.sanitize import sanitize
from libra.v1.arena_pb2 import ArenaEntry, ArenaRating, GetRatingsResponse, Proposal, QuarantinedVoter
from libra.v1.ranking_pb2 import Estimate

TEXT_CHARACTERS = 80


def print_entries(entries: Iterable[ArenaEntry]) -> None:
    """Print one line for each entry."""
    table = new_table("model", "maker", "votes", "state", "masked words", right=("votes",))
    for entry in entries:
        state = (
            f"left {utc_time(entry.leave_time, 'day')}" if entry.HasField("leave_time") else entry.problem or "ready"
        )
        add_row(table, entry.model, entry.maker, f"{entry.votes:,}", state, ", ".join(entry.aliases))
    print_table(table, empty="no model takes part; `libra arena enter MODEL` enters one")


def print_ratings(reply: GetRatingsResponse) -> None:
    """Print the ratings by rank, then what limits them."""
    heads = ("rank", "ranks", "model", "rating", "95 %", "skill", "votes", "both bad", "to change")
    right = ("rank", "rating", "skill", "votes", "both bad", "to change")
    table = new_table(*heads, right=right, no_wrap=("ranks", "95 %"), compact=True)
    for row in reply.ratings:
        add_row(table, *_cells(row))
    print_table(table, empty="no model takes part; `libra arena enter MODEL` enters one")
    for note in reply.notes:
        print_note(sanitize(note))
    click.echo(
        f"{reply.votes:,} votes count, {reply.excluded_votes:,} do not (not blind, or a near-duplicate), "
        f"{reply.quarantined_votes:,} are quarantined"
    )


def _cells(row: ArenaRating) -> list[str]:
    if not row.HasField("rating"):
        return ["", "", row.model, "", "", "", "0", "", ""]
    has_ranks, rating = bool(row.rank_low), row.rating
    return [
        str(row.rank),
        f"{row.rank_low}-{row.rank_high}" if has_ranks else "",
        f"{row.model} (left)" if row.left else row.model,
        f"{rating.value:.0f}",
        f"{rating.low:.0f} to {rating.high:.0f}" if rating.HasField("low") else "",
        _points(row.skill_adjusted) if row.HasField("skill_adjusted") else "",
        f"{rating.n:,}",
        f"{row.both_bad.value:.0%}",
        f"{row.votes_to_change:,}" if row.votes_to_change else "",
    ]


def _points(estimate: Estimate) -> str:
    return f"{estimate.value:.0f}"


def print_proposals(proposals: Iterable[Proposal]) -> None:
    """Print one line for each proposal."""
    table = new_table("battle", "day", "author", "prompt", "note", no_wrap=("battle",))
    for each in proposals:
        texts = one_line(each.prompt, TEXT_CHARACTERS), one_line(each.note, TEXT_CHARACTERS)
        add_row(table, each.battle, utc_time(each.create_time, "day"), each.author, *texts)
    print_table(table, empty="no prompt is proposed; `libra arena propose BATTLE` proposes one")


def print_quarantine(voters: Iterable[QuarantinedVoter]) -> None:
    """Print one line for each voter."""
    table = new_table("voter", "day", "votes", "evidence", "reason", right=("votes", "evidence"), no_wrap=("voter",))
    for voter in voters:
        cells = f"{voter.votes:,}", f"{voter.evidence:,.0f}", voter.reason
        add_row(table, voter.voter, utc_time(voter.create_time, "day"), *cells)
    print_table(table, empty="no voter is quarantined")
