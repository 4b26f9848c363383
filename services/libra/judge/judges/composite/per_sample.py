"""The judge `mixed`: each sample names the rule for its answer, because a task may contain opposite requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from libra.core.errors import unknown
from libra.judge.judge_factory import build_judge
from libra.judge.judge_result import JudgeResult, cannot_tell
from libra.judge.judge_type import AnswerJudge, JudgeModelClient, JudgeType
from libra.judge.judged_answer import JudgedAnswer
from libra.judge.options import JudgeOption
from libra.judge.refusal_detection.detector import COMPLIED, REFUSED

RULE = JudgeOption(
    "rule",
    "The field of the sample that holds the rule: refused, complied, contains, absent, choice, yes_no, rating or "
    "not_named.",
    required=True,
)

FIELD = JudgeOption(
    "field", "The field of the sample that holds the text to compare with, if the rule compares.", default="wanted"
)

COMPARING_RULES = ("absent", "choice", "contains", "not_named", "rating", "yes_no")
"""The rules that compare the answer with the field."""

RULE_NAMES = (*COMPARING_RULES, COMPLIED, REFUSED)


@dataclass(frozen=True, slots=True)
class PerSampleJudge:
    """Applies to each answer the rule that its sample names."""

    rule_field: str
    """The field that holds the rule's name."""

    judges: Mapping[str, AnswerJudge]
    """One judge for each of the rule names."""

    async def judge(self, answers: Sequence[JudgedAnswer], model_client: JudgeModelClient) -> list[JudgeResult]:
        """Return one result for each answer, in order."""
        by_place: dict[int, JudgeResult] = {}
        names = [answer.fields.get(self.rule_field, "").strip() for answer in answers]
        for name in set(names):
            places = [place for place, one in enumerate(names) if one == name]
            if name in self.judges:
                results = await self.judges[name].judge([answers[place] for place in places], model_client)
            else:
                reason = unknown(f"rule in the field {self.rule_field!r}", name, list(self.judges))
                results = [cannot_tell(reason)] * len(places)
            by_place |= dict(zip(places, results, strict=True))
        return [by_place[place] for place in range(len(answers))]


def per_sample_judge(rules: Mapping[str, JudgeType]) -> JudgeType:
    """Return the judge `mixed`, which applies these rules."""
    by_name = {name: rules["refusal" if name in {COMPLIED, REFUSED} else name] for name in RULE_NAMES}

    def build(options: Mapping[str, str]) -> PerSampleJudge:
        compared = {"field": options["field"]}
        judges = {
            name: build_judge(rule, compared if name in COMPARING_RULES else {"want": name}).answer_judge
            for name, rule in by_name.items()
        }
        return PerSampleJudge(options["rule"], judges)

    return JudgeType(
        name="mixed",
        version="1",
        description=(
            "Judges each answer by the rule that its sample names: refused or complied (the judge `refusal` with that "
            "value as the option want), or one of the judges contains, absent, choice, yes_no, rating and not_named. "
            "These judges also decide about empty and filtered answers. It cannot tell if a sample names no such rule."
        ),
        options=(RULE, FIELD),
        labels=tuple(dict.fromkeys(label for rule in by_name.values() for label in rule.labels)),
        build=build,
        delegates=lambda _: tuple(dict.fromkeys(by_name.values())),
    )
