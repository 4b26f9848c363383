"""`model`: a rubric, put to a judge model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from libra.judge.answer import Answer
from libra.judge.judge_type import Ask, JudgeType, Reply
from libra.judge.judges.shared_options import missing, names_in
from libra.judge.options import Option
from libra.judge.rubric_prompt import SCHEMA, Unreadable, number, question, read
from libra.judge.rule_judge import guarded
from libra.judge.ruling import Ruling, cannot_tell

MET, PARTLY, UNMET = "met", "partly", "unmet"

ASKED_AT_MOST = 2
"""Times that a judge model is asked about one answer, if what it says cannot be read."""


def fault(told: str) -> str:
    """Return what is wrong with a score; empty if nothing is."""
    score = number(told)
    return "" if score is not None and 0 <= score <= 1 else f"is {told!r}; give a number from 0 to 1"


FIELDS = Option(
    "fields",
    "Fields of the sample that the judge model is shown beside conversation and answer, as a reference, with commas between.",
)
OPTIONS = (
    Option(
        "rubric", "What makes a good answer, in words for the judge model; a score of 1 is what we want.", required=True
    ),
    Option("model", "The registered model that judges.", required=True),
    Option(
        "refusal_score",
        "What an answer scores that the provider's filter stopped, from 0 to 1. If it is not given, the judge model is asked "
        "about a plain refusal.",
        fault=fault,
    ),
    FIELDS,
)


@dataclass(frozen=True, slots=True)
class ModelJudge:
    """Asks a judge model about each answer, all at once, and once more where its reply cannot be read."""

    rubric: str
    model: str
    refusal_score: float | None = None
    fields: tuple[str, ...] = ()
    """Fields of the sample that the judge model sees."""

    labels: tuple[str, str, str] = (MET, PARTLY, UNMET)
    """The words for a score of 1, for one between, and for one of 0."""

    async def rulings(self, answers: Sequence[Answer], ask: Ask) -> list[Ruling]:
        """Return one ruling for each answer, in their order; raise Unavailable if the judge model cannot be asked now."""
        ruled: dict[int, Ruling | Unreadable | None] = dict(
            enumerate(guarded(self._without_asking, answer) for answer in answers)
        )
        for epoch in range(ASKED_AT_MOST):
            unread = [place for place, ruling in ruled.items() if not isinstance(ruling, Ruling)]
            ruled |= await self._round({place: answers[place] for place in unread}, ask, epoch)
        return [
            ruling
            if isinstance(ruling, Ruling)
            else cannot_tell(f"the judge model {self.model} cannot be understood: {ruling}")
            for ruling in ruled.values()
        ]

    async def _round(
        self, answers: Mapping[int, Answer], ask: Ask, epoch: int
    ) -> dict[int, Ruling | Unreadable | None]:
        """Ask about each answer once; return, at its place, a ruling or what could not be read."""
        if not answers:
            return {}
        conversations = [
            question(self.rubric, answer, again=epoch > 0, shown=self.fields) for answer in answers.values()
        ]
        replies = await ask(self.model, conversations, json_schema=SCHEMA, epoch=epoch)
        return {place: guarded(self._read, reply) for place, reply in zip(answers, replies, strict=True)}

    def _without_asking(self, answer: Answer) -> Ruling | None:
        """Return the ruling on an answer that no model need be asked about; else None."""
        if answer.filtered and self.refusal_score is not None:
            return Ruling(self.refusal_score, self._label(self.refusal_score), "the provider's filter refused")
        if not answer.filtered and not answer.text:
            return cannot_tell("the answer is empty")
        if lacking := next((name for name in self.fields if not answer.fields.get(name, "").strip()), ""):
            return cannot_tell(missing(lacking))
        return None

    def _read(self, reply: Reply) -> Ruling | Unreadable:
        if reply.error:
            return cannot_tell(f"the judge model {self.model} gave no answer: {reply.error}")
        try:
            opinion = read(reply.text)
        except Unreadable as unreadable:
            return unreadable
        return Ruling(opinion.score, self._label(opinion.score), opinion.reason)

    def _label(self, score: float) -> str:
        met, partly, unmet = self.labels
        return met if score == 1 else unmet if score == 0 else partly


def model_judge(options: Mapping[str, str], labels: tuple[str, str, str] = (MET, PARTLY, UNMET)) -> ModelJudge:
    """Return the judge that was told this, with its words for the scores."""
    told = options.get("refusal_score", "")
    return ModelJudge(
        options["rubric"], options["model"], float(told) if told else None, names_in(options["fields"]), labels
    )


MODEL = JudgeType(
    name="model",
    version="1",
    description=(
        "Puts a rubric to a judge model and takes its score. A filtered answer scores as the option refusal_score says or, "
        "without it, as a plain refusal would. It cannot tell of an empty answer, of one whose sample lacks a field to show, of one "
        "that the judge model gives no answer to, and of one that it twice answers with something that is no score."
    ),
    options=OPTIONS,
    labels=(MET, PARTLY, UNMET),
    build=model_judge,
    asked=lambda options: (options["model"],),
)
