"""`panel`: several judges vote, and the majority decides."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from libra.errors import Invalid, unknown
from libra.judge.answer import Answer
from libra.judge.judge_factory import build_judge
from libra.judge.judge_type import Ask, JudgeType, Judging
from libra.judge.judges.harm import HARM
from libra.judge.judges.model import MET, MODEL, UNMET
from libra.judge.judges.shared_options import names_in
from libra.judge.options import FIELD, Option
from libra.judge.rule_registry import RULES, options_of
from libra.judge.ruling import Ruling, cannot_tell

VOTES = "votes"
"""The field of a verdict that keeps the votes, in the order of the members: "1,1,0,-"."""

NO_VOTE = "-"
MIDDLE = 0.5

FEWEST, MOST = 2, 9
"""Members of a panel."""

SEATS: Mapping[str, JudgeType] = {**RULES, HARM.name: HARM, MODEL.name: MODEL}
"""The judges that can be members."""


def fault(told_minimum: str) -> str:
    """Return what is wrong with a minimum; empty if nothing is."""
    sound = told_minimum.isascii() and told_minimum.isdigit() and 1 <= int(told_minimum[:6]) <= MOST
    return "" if sound else f"is {told_minimum!r}; give a number from 1 to {MOST}"


MEMBERS = Option(
    "members",
    f"Who votes, from {FEWEST} to {MOST}, with commas between: a rule, as refusal, or model:NAME or harm:NAME for the judge that "
    "asks the registered model NAME (without a name, that of the option model). Their own options stand beside.",
    required=True,
)
MINIMUM = Option(
    "minimum", "Votes without which there is no decision; more than half of the members if not given.", fault=fault
)


@dataclass(frozen=True, slots=True)
class Panel:
    """Asks every member about every answer, all at once, and counts."""

    members: tuple[tuple[str, Judging], ...]
    """Their names, and they themselves."""

    minimum: int

    async def rulings(self, answers: Sequence[Answer], ask: Ask) -> list[Ruling]:
        """Return one ruling for each answer, in their order; raise Unavailable if a judge model cannot be asked now."""
        by_member = await asyncio.gather(*(judging.rulings(answers, ask) for _, judging in self.members))
        return [self._decide(rulings) for rulings in zip(*by_member, strict=True)]

    def _decide(self, rulings: Sequence[Ruling]) -> Ruling:
        votes = [vote(ruling) for ruling in rulings]
        kept = {VOTES: ",".join(NO_VOTE if one is None else str(one) for one in votes)}
        valid = [one for one in votes if one is not None]
        for_it, against = sum(valid), len(valid) - sum(valid)
        said = "; ".join(_said(name, ruling) for (name, _), ruling in zip(self.members, rulings, strict=True))
        if len(valid) < self.minimum:
            return cannot_tell(f"{len(valid)} of the {self.minimum} votes that it takes: {said}", kept)
        if for_it == against:
            return cannot_tell(f"the panel is divided, {for_it} to {against}: {said}", kept)
        met = for_it > against
        return Ruling(float(met), MET if met else UNMET, f"{max(for_it, against)} of {len(valid)} votes: {said}", kept)


def votes_in(field: str) -> list[float | None]:
    """Return the votes that the field of a verdict keeps."""
    return [None if one == NO_VOTE else float(one) for one in field.split(",")]


def vote(ruling: Ruling) -> int | None:
    """Return 1 or 0, whichever the score is nearer to; None if there is no score, or one right between."""
    return None if ruling.score is None or ruling.score == MIDDLE else int(ruling.score > MIDDLE)


def _said(name: str, ruling: Ruling) -> str:
    score = "no score" if ruling.score is None else f"{ruling.score:g}"
    return f"{name} {score} ({ruling.reason[:120]})"


def _build(options: Mapping[str, str]) -> Panel:
    names = names_in(options["members"])
    field = f"{FIELD}[members]"
    if not FEWEST <= len(names) <= MOST:
        raise Invalid(f"a panel has from {FEWEST} to {MOST} members, not {len(names)}", field=field)
    twice = next((name for name in names if names.count(name) > 1), "")
    if twice:
        raise Invalid(f"{twice} is a member twice: it would vote the same way", field=field)
    minimum = int(options["minimum"] or len(names) // 2 + 1)
    if minimum > len(names):
        raise Invalid(f"{minimum} votes are more than the {len(names)} members have", field=f"{FIELD}[minimum]")
    return Panel(tuple((name, _seated(name, options)) for name in names), minimum)


def _seated(member: str, options: Mapping[str, str]) -> Judging:
    """Return the judge that a member is; raise Invalid, naming the field, if there is none or it lacks something."""
    name, _, model = member.partition(":")
    kind = SEATS.get(name)
    if kind is None:
        raise Invalid(unknown("judge that can be a member", name, sorted(SEATS)), field=f"{FIELD}[members]")
    if model and not kind.asks_model:
        raise Invalid(f"{member}: the judge {name} asks no model", field=f"{FIELD}[members]")
    given = {option.name: options[option.name] for option in kind.options if options[option.name]}
    return build_judge(kind, given | ({"model": model} if model else {})).judging


def _asked(options: Mapping[str, str]) -> tuple[str, ...]:
    members = [member.partition(":") for member in names_in(options["members"])]
    return tuple(dict.fromkeys(model or options["model"] for name, _, model in members if SEATS[name].asks_model))


def _parts(options: Mapping[str, str]) -> tuple[JudgeType, ...]:
    named = {member.partition(":")[0] for member in names_in(options["members"])}
    seated = [kind for name, kind in SEATS.items() if name in named]
    deeper = [part for kind in seated for part in kind.parts({})]
    return (*seated, *deeper)


PANEL = JudgeType(
    name="panel",
    version="1",
    description=(
        "Lets several judges vote, rules or judge models, and scores 1 if most of the votes are for it. A member that cannot tell, "
        "or whose score is right between 0 and 1, has no vote; it cannot tell where votes are too few or as many on either side. "
        "An empty and a filtered answer are what the members say. The votes stand in the verdict's field `votes`."
    ),
    options=(MEMBERS, MINIMUM, *options_of(SEATS.values())),
    labels=(MET, UNMET),
    build=_build,
    parts=_parts,
    asked=_asked,
)
