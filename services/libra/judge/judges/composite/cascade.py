"""The judge `cascade`: a rule judges first, and a judge model where the rule cannot tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from libra.core.errors import Invalid, unknown
from libra.judge.judge_factory import build_judge
from libra.judge.judge_result import JudgeResult
from libra.judge.judge_type import AnswerJudge, JudgeModelClient, JudgeType
from libra.judge.judged_answer import JudgedAnswer
from libra.judge.judges.composite.delegation import delegated_options, own_options
from libra.judge.judges.shared_options import comma_separated
from libra.judge.options import JudgeOption, option_field

TRUST = JudgeOption(
    "trust",
    "Labels of the rule that are final, comma-separated; at other labels the judge model is asked. All if not given.",
)


@dataclass(frozen=True, slots=True)
class CascadeJudge:
    """Applies a rule, and asks a judge model about the answers that the rule leaves open."""

    rule: AnswerJudge
    trusted: frozenset[str]
    """The labels of the rule that are final."""

    model: AnswerJudge

    async def judge(self, answers: Sequence[JudgedAnswer], model_client: JudgeModelClient) -> list[JudgeResult]:
        """Return one result for each answer, in order; raise Unavailable if the judge model cannot be reached now."""
        results = await self.rule.judge(answers, model_client)
        places = [place for place, result in enumerate(results) if not self._is_final(result)]
        if not places:
            return results
        by_model = await self.model.judge([answers[place] for place in places], model_client)
        for place, result in zip(places, by_model, strict=True):
            results[place] = result
        return results

    def _is_final(self, result: JudgeResult) -> bool:
        return result.score is not None and result.label in self.trusted


def cascade_judge(rules: Mapping[str, JudgeType], model: JudgeType) -> JudgeType:
    """Return the judge `cascade`, which chooses among these rules and asks this judge next."""

    def build(options: Mapping[str, str]) -> CascadeJudge:
        rule = rules[options["rule"]]
        trusted = comma_separated(options["trust"]) or rule.labels
        for label in trusted:
            if label not in rule.labels:
                raise Invalid(
                    unknown(f"label of the judge {rule.name}", label, rule.labels), field=option_field("trust")
                )
        return CascadeJudge(
            rule=build_judge(rule, own_options(rule, options)).answer_judge,
            trusted=frozenset(trusted),
            model=build_judge(model, options).answer_judge,
        )

    def delegates(options: Mapping[str, str]) -> tuple[JudgeType, ...]:
        rule = rules.get(options["rule"])
        return (model,) if rule is None else (rule, model)

    return JudgeType(
        name="cascade",
        version="1",
        description=(
            "Applies the judge of the option rule first, with that judge's own options. It then gives the rubric to a "
            "judge model if the rule cannot tell or gives a label that the option trust does not list. Empty and "
            "filtered answers are judged by the rule and, if it leaves them open, by the judge `model`."
        ),
        options=(
            JudgeOption(
                "rule", "The judge that is applied first and asks no model.", required=True, values=tuple(rules)
            ),
            TRUST,
            *model.options,
            *delegated_options(rules.values()),
        ),
        labels=tuple(dict.fromkeys(label for judge_type in [*rules.values(), model] for label in judge_type.labels)),
        build=build,
        delegates=delegates,
        model_names=lambda options: (options["model"],),
    )
