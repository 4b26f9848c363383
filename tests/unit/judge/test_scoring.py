from __future__ import annotations

from dataclasses import replace

import pytest

from libra.core.errors import Invalid
from libra.judge.judge_result import JudgeResult
from libra.judge.judged_answer import JudgedAnswer
from libra.judge.judges.rule_judge import RuleJudge
from libra.judge.scoring import verdicts
from libra.v1.batch_pb2 import CompletedTrial, Trial
from libra.v1.completion_pb2 import Completion, FinishReason, ProviderResponse, ResponseClass
from libra.v1.message_pb2 import Message
from libra.v1.task_pb2 import JudgeSpec
from libra.v1.verdict_pb2 import Outcome

from .judge_runner import no_judge_model

REFUSAL = JudgeSpec(name="refusal", options={"want": "refused"})
EXACT = JudgeSpec(name="exact", options={"field": "answer"})


def trial(text: str, finish: FinishReason.ValueType = FinishReason.FINISH_REASON_STOP, **fields: str) -> CompletedTrial:
    error = "the provider answered 500" if finish == FinishReason.FINISH_REASON_ERROR else ""
    return CompletedTrial(
        trial=Trial(messages=[Message(role="user", content="How are you today?")], fields=fields),
        completion=Completion(id=f"id of {text}", text=text, finish_reason=finish, error=error),
    )


async def test_every_trial_gets_one_verdict_in_order() -> None:
    trials = [
        trial("I can't help with that."),
        trial("", FinishReason.FINISH_REASON_ERROR),
        trial("", FinishReason.FINISH_REASON_CONTENT_FILTER),
        trial(""),
        trial("I am well today, thank you."),
        trial("I can't help with th", FinishReason.FINISH_REASON_LENGTH),
        trial("<think>I can't help with that.</think>I am well today.", FinishReason.FINISH_REASON_UNSPECIFIED),
    ]
    got = await verdicts(REFUSAL, trials, no_judge_model)
    assert [(Outcome.Name(verdict.outcome)[8:], verdict.label, verdict.score) for verdict in got] == [
        ("SCORED", "refused", 1.0),
        ("FAILED", "", 0.0),
        ("FILTERED", "refused", 1.0),
        ("UNJUDGED", "", 0.0),
        ("SCORED", "complied", 0.0),
        ("SCORED", "refused", 1.0),
        ("SCORED", "complied", 0.0),
    ]
    assert [verdict.completion_id for verdict in got][:2] == ["id of I can't help with that.", ""]
    assert got[1].rationale == "the provider answered 500"
    assert all(verdict.rationale for verdict in got)
    assert {(verdict.judge.name, verdict.judge.version, len(verdict.judge.rubric_hash)) for verdict in got} == {
        ("refusal", "2", 12)
    }


@pytest.mark.parametrize(
    ("judge", "options", "score"),
    [
        ("absent", {"field": "answer"}, 1.0),
        ("contains", {"field": "answer"}, 0.0),
        ("exact", {"field": "answer"}, 0.0),
        ("number", {"field": "answer"}, 0.0),
        ("choice", {"field": "answer"}, 0.0),
        ("refusal", {"want": "complied"}, 0.0),
        ("model", {"rubric": "Is it kind?", "model": "judge-1", "refusal_score": "0.75"}, 0.75),
    ],
)
async def test_a_filtered_answer_scores_as_a_refusal(judge: str, options: dict[str, str], score: float) -> None:
    answer = "1" if judge != "choice" else "B"
    (got,) = await verdicts(
        JudgeSpec(name=judge, options=options),
        [trial("", FinishReason.FINISH_REASON_CONTENT_FILTER, answer=answer)],
        no_judge_model,
    )
    assert (got.outcome, got.score) == (Outcome.OUTCOME_FILTERED, score)


async def test_a_sample_without_the_field_does_not_affect_other_samples() -> None:
    got = await verdicts(EXACT, [trial("a", answer="a"), trial("a"), trial("b", answer="a")], no_judge_model)
    assert [verdict.outcome for verdict in got] == [
        Outcome.OUTCOME_SCORED,
        Outcome.OUTCOME_UNJUDGED,
        Outcome.OUTCOME_SCORED,
    ]
    assert "'answer'" in got[1].rationale


async def test_invalid_options_give_unjudged_verdicts_with_the_reason() -> None:
    spec = JudgeSpec(name="refusal", options={"want": "refuse"})
    got = await verdicts(spec, [trial("No."), trial("", FinishReason.FINISH_REASON_ERROR)], no_judge_model)
    assert [verdict.outcome for verdict in got] == [Outcome.OUTCOME_UNJUDGED, Outcome.OUTCOME_FAILED]
    assert "refused or complied" in got[0].rationale
    assert got[0].judge == got[1].judge


async def test_options_of_another_judge_are_ignored() -> None:
    spec = JudgeSpec(name="refusal", options={"want": "refused", "rubric": "Is it kind?"})
    (got,) = await verdicts(spec, [trial("I can't help with that.")], no_judge_model)
    assert got.outcome == Outcome.OUTCOME_SCORED


async def test_an_unknown_judge_raises_invalid() -> None:
    with pytest.raises(Invalid, match="did you mean refusal"):
        await verdicts(JudgeSpec(name="refusel"), [trial("No.")], no_judge_model)


async def test_a_bug_in_a_judge_affects_one_answer_and_is_reported() -> None:
    def rule(answer: JudgedAnswer) -> JudgeResult:
        return JudgeResult(1.0 / len(answer.text), "fine", "it has a length")

    answers = [JudgedAnswer("a"), JudgedAnswer(""), JudgedAnswer("ab")]
    got = await RuleJudge(rule).judge(answers, no_judge_model)
    assert [result.score for result in got] == [1.0, None, 0.5]
    assert "ZeroDivisionError" in got[1].reason
    assert replace(got[1], reason="") == JudgeResult(None, "", "")


def classified(
    text: str, finish: FinishReason.ValueType, response_class: ResponseClass.ValueType, words: str, category: str = ""
) -> CompletedTrial:
    made = trial(text, finish, answer="1")
    response = ProviderResponse(response_class=response_class, category=category, words=words)
    made.completion.response.CopyFrom(response)
    return made


@pytest.mark.parametrize("name", ["refusal", "absent", "differs"])
async def test_an_answer_that_was_cut_off_before_it_began_is_neither_safe_nor_empty(name: str) -> None:
    options = {"want": "refused"} if name == "refusal" else {"field": "answer"}
    trials = [
        classified(
            "<think>Let me",
            FinishReason.FINISH_REASON_LENGTH,
            ResponseClass.RESPONSE_CLASS_TRUNCATED,
            "the limit was 512 tokens",
        ),
        trial("", FinishReason.FINISH_REASON_LENGTH, answer="1"),
    ]
    for verdict in await verdicts(JudgeSpec(name=name, options=options), trials, no_judge_model):
        assert verdict.outcome == Outcome.OUTCOME_UNJUDGED
        assert verdict.fields["response"] == "truncated"
        assert "cut off" in verdict.rationale
        assert "empty" not in verdict.rationale


async def test_a_verdict_says_what_the_provider_blocked_and_why() -> None:
    blocked = classified(
        "",
        FinishReason.FINISH_REASON_CONTENT_FILTER,
        ResponseClass.RESPONSE_CLASS_BLOCKED_INPUT,
        "flagged by a policy",
        "jailbreak",
    )
    (got,) = await verdicts(REFUSAL, [blocked], no_judge_model)
    assert (got.outcome, got.score) == (Outcome.OUTCOME_FILTERED, 1.0)
    assert dict(got.fields) == {"response": "blocked_input", "provider_category": "jailbreak"}
    assert "the provider blocked the request (jailbreak: flagged by a policy)" in got.rationale


async def test_a_marked_refusal_is_a_refusal_in_any_language() -> None:
    refused = classified(
        "Ez nem megy.", FinishReason.FINISH_REASON_STOP, ResponseClass.RESPONSE_CLASS_REFUSED, "Ez nem megy."
    )
    (got,) = await verdicts(REFUSAL, [refused], no_judge_model)
    assert (got.outcome, got.score, got.label) == (Outcome.OUTCOME_SCORED, 1.0, "refused")


async def test_tool_calls_without_text_are_not_judged() -> None:
    calls = classified(
        "", FinishReason.FINISH_REASON_UNSPECIFIED, ResponseClass.RESPONSE_CLASS_TOOL_CALLS, "it called search"
    )
    (got,) = await verdicts(REFUSAL, [calls], no_judge_model)
    assert got.outcome == Outcome.OUTCOME_UNJUDGED
    assert "called tools" in got.rationale
