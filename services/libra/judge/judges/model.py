"""The judge `model`: a judge model scores the answer by a rubric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from libra.core.adjustment_text import JUDGE_ADJUSTED_FIELD
from libra.judge.incomplete_answers import settle_incomplete
from libra.judge.judge_models.rubric_prompt import reply_schema, rubric_conversation
from libra.judge.judge_models.score_range import UNIT, ScoreRange, range_of, scale_error
from libra.judge.judge_models.score_reply import UnreadableReply, finite_number, parse_reply
from libra.judge.judge_result import JudgeResult, cannot_tell
from libra.judge.judge_type import DEFAULT_SETTINGS, JudgeModelClient, JudgeModelReply, JudgeModelSettings, JudgeType
from libra.judge.judged_answer import JudgedAnswer
from libra.judge.judges.model_settings import SETTINGS_OPTIONS, settings_from
from libra.judge.judges.rule_judge import catch_bugs
from libra.judge.judges.shared_options import comma_separated, missing_field
from libra.judge.options import JudgeOption

MET, PARTLY, UNMET = "met", "partly", "unmet"

MAX_ATTEMPTS = 2
"""Requests to a judge model about one answer: one more if its first reply cannot be read."""


def _score_error(value: str) -> str:
    score = finite_number(value)
    return "" if score is not None and 0 <= score <= 1 else f"is {value!r}; give a number from 0 to 1"


MODEL = JudgeOption("model", "The registered name of the judge model.", required=True)
FIELDS = JudgeOption(
    "fields",
    "Fields of the sample that the judge model sees as a reference, besides conversation and answer; comma-separated.",
)
OPTIONS = (
    JudgeOption(
        "rubric", "What makes a good answer, in words for the judge model; a score of 1 is what we want.", required=True
    ),
    MODEL,
    JudgeOption(
        "refusal_score",
        "The score, from 0 to 1, of an answer that the provider's filter stopped. If not given, the judge model scores"
        " a plain refusal in its place.",
        validate=_score_error,
    ),
    FIELDS,
    JudgeOption(
        "scale",
        "The range of the judge model's scores, for instance 1-5; its ends count as 0 and 1. If not given, the range "
        "that the rubric names, or else 0-1.",
        validate=scale_error,
    ),
    *SETTINGS_OPTIONS,
)


@dataclass(frozen=True, slots=True)
class ModelJudge:
    """Asks a judge model about all answers at once, and once more about those whose replies cannot be read."""

    rubric: str
    model: str
    refusal_score: float | None = None
    fields: tuple[str, ...] = ()
    """Fields of the sample that the judge model sees."""

    score_range: ScoreRange = UNIT
    """The range of the judge model's scores."""

    settings: JudgeModelSettings = DEFAULT_SETTINGS
    labels: tuple[str, str, str] = (MET, PARTLY, UNMET)
    """The labels of a score of 1, of one between 0 and 1, and of 0."""

    judges_harm: bool = False
    """Whether a score of 1 means that the answer does no harm, in any category."""

    async def judge(self, answers: Sequence[JudgedAnswer], model_client: JudgeModelClient) -> list[JudgeResult]:
        """Return one result for each answer, in order; raise Unavailable if the judge model cannot be reached now."""
        results: dict[int, JudgeResult | UnreadableReply | None] = dict(
            enumerate(catch_bugs(self._without_model, answer) for answer in answers)
        )
        for epoch in range(MAX_ATTEMPTS):
            open_answers = {
                place: answers[place] for place, result in results.items() if not isinstance(result, JudgeResult)
            }
            results |= await self._ask(open_answers, model_client, epoch)
        return [
            result
            if isinstance(result, JudgeResult)
            else cannot_tell(f"the reply of the judge model {self.model} cannot be read: {result}")
            for result in results.values()
        ]

    async def _ask(
        self, answers: Mapping[int, JudgedAnswer], model_client: JudgeModelClient, epoch: int
    ) -> dict[int, JudgeResult | UnreadableReply | None]:
        """Ask about each answer once; return a result or an unreadable reply for each, by the same keys."""
        if not answers:
            return {}
        conversations = [
            rubric_conversation(self.rubric, answer, again=epoch > 0, shown=self.fields, score_range=self.score_range)
            for answer in answers.values()
        ]
        schema = reply_schema(self.score_range)
        replies = await model_client(self.model, conversations, json_schema=schema, epoch=epoch, settings=self.settings)
        results = {place: catch_bugs(self._to_result, reply) for place, reply in zip(answers, replies, strict=True)}
        return {place: self._settle(answers[place], result) for place, result in results.items()}

    def _settle(self, answer: JudgedAnswer, result: JudgeResult | UnreadableReply) -> JudgeResult | UnreadableReply:
        """Return the result, or that it cannot be told since the answer was cut off and does no harm so far."""
        if not isinstance(result, JudgeResult):
            return result
        return settle_incomplete(answer, result, self.labels[:1] if self.judges_harm or answer.is_risky else ())

    def _without_model(self, answer: JudgedAnswer) -> JudgeResult | None:
        """Return the result for an answer that needs no judge model; else None."""
        if answer.filtered and self.refusal_score is not None:
            return JudgeResult(self.refusal_score, self._label(self.refusal_score), "the provider's filter refused")
        if not answer.filtered and not answer.text:
            return cannot_tell("the answer is empty")
        if missing := next((name for name in self.fields if not answer.fields.get(name, "").strip()), ""):
            return cannot_tell(missing_field(missing))
        return None

    def _to_result(self, reply: JudgeModelReply) -> JudgeResult | UnreadableReply:
        if reply.error:
            return cannot_tell(f"the judge model {self.model} gave no answer: {reply.error}")
        try:
            rubric_score = parse_reply(reply.text, self.score_range)
        except UnreadableReply as error:
            if reply.truncated:
                limit = f"{self.settings.max_tokens:,} tokens"
                return UnreadableReply(f"the judge model's reply was cut off at {limit}: raise max_tokens")
            return error
        fields = {JUDGE_ADJUSTED_FIELD: reply.adjusted} if reply.adjusted else {}
        return JudgeResult(rubric_score.score, self._label(rubric_score.score), rubric_score.reason, fields)

    def _label(self, score: float) -> str:
        met, partly, unmet = self.labels
        return met if score == 1 else unmet if score == 0 else partly


def model_judge(
    options: Mapping[str, str], labels: tuple[str, str, str] = (MET, PARTLY, UNMET), *, judges_harm: bool = False
) -> ModelJudge:
    """Return the judge with these options, and with these labels for the scores."""
    refusal_score = options.get("refusal_score", "")
    return ModelJudge(
        rubric=options["rubric"],
        model=options["model"],
        refusal_score=float(refusal_score) if refusal_score else None,
        fields=comma_separated(options["fields"]),
        score_range=range_of(options["rubric"], options.get("scale", "")),
        settings=settings_from(options),
        labels=labels,
        judges_harm=judges_harm,
    )


MODEL_JUDGE = JudgeType(
    name="model",
    version="2",
    description=(
        "Gives a rubric to a judge model and takes its score. A filtered answer scores as the option refusal_score "
        "says; without that option, as the judge model scores a plain refusal. It cannot tell if the answer is empty, "
        "if the sample lacks a field to show, if the judge model gives no reply or two without a score in a row, or if "
        "an answer in a risky category was cut off and meets the rubric so far without a refusal."
    ),
    options=OPTIONS,
    labels=(MET, PARTLY, UNMET),
    build=model_judge,
    model_names=lambda options: (options["model"],),
)
