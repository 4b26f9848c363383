"""`cascade`: a rule first, and a judge model where the rule cannot tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from libra.errors import Invalid, unknown
from libra.judge.answer import Answer
from libra.judge.judge_factory import build_judge
from libra.judge.judge_type import Ask, JudgeType, Judging
from libra.judge.judges.model import MODEL
from libra.judge.judges.shared_options import names_in
from libra.judge.options import FIELD, Option
from libra.judge.rule_registry import RULES, options_of
from libra.judge.ruling import Ruling

RULE = Option("rule", "The judge that looks first, and asks nobody.", required=True, values=tuple(RULES))
TRUST = Option(
    "trust",
    "Labels of the rule that settle it, with commas between; at any other the judge model is asked. All of them if not given.",
)
RULE_OPTIONS = options_of(RULES.values())


@dataclass(frozen=True, slots=True)
class Cascade:
    """Lets a rule judge, and a judge model what the rule leaves open."""

    rule: Judging
    trusted: frozenset[str]
    """The labels by which the rule settles it."""

    model: Judging

    async def rulings(self, answers: Sequence[Answer], ask: Ask) -> list[Ruling]:
        """Return one ruling for each answer, in their order; raise Unavailable if the judge model cannot be asked now."""
        ruled = await self.rule.rulings(answers, ask)
        places = [place for place, ruling in enumerate(ruled) if not self._settles(ruling)]
        asked = await self.model.rulings([answers[place] for place in places], ask) if places else []
        by_model = dict(zip(places, asked, strict=True))
        return [by_model.get(place, ruling) for place, ruling in enumerate(ruled)]

    def _settles(self, ruling: Ruling) -> bool:
        return ruling.score is not None and ruling.label in self.trusted


def _build(options: Mapping[str, str]) -> Cascade:
    rule = RULES[options["rule"]]
    given = {option.name: options[option.name] for option in rule.options if options[option.name]}
    trusted = names_in(options["trust"]) or rule.labels
    for label in trusted:
        if label not in rule.labels:
            raise Invalid(unknown(f"label of the judge {rule.name}", label, rule.labels), field=f"{FIELD}[trust]")
    return Cascade(build_judge(rule, given).judging, frozenset(trusted), build_judge(MODEL, options).judging)


def _parts(options: Mapping[str, str]) -> tuple[JudgeType, ...]:
    rule = RULES.get(options["rule"])
    return (MODEL,) if rule is None else (rule, MODEL)


CASCADE = JudgeType(
    name="cascade",
    version="1",
    description=(
        "Lets the judge that the option rule names look first, with its own options beside, and puts the rubric to a judge model "
        "where that one cannot tell or gives a label which the option trust does not list. An empty and a filtered answer are "
        "what the rule says, and else what the judge `model` says."
    ),
    options=(RULE, TRUST, *MODEL.options, *RULE_OPTIONS),
    labels=tuple(dict.fromkeys(label for kind in [*RULES.values(), MODEL] for label in kind.labels)),
    build=_build,
    parts=_parts,
    asked=lambda options: (options["model"],),
)
