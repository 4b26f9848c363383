from __future__ import annotations

import json

import pytest
from tests.unit.cli.scripted_services import ScriptedServices

from libra.v1.completion_pb2 import Completion, ProviderResponse, ResponseClass, Usage
from libra.v1.judge_pb2 import Judge, ListJudgesResponse
from libra.v1.message_pb2 import Message
from libra.v1.ranking_pb2 import ListVerdictsResponse
from libra.v1.run_pb2 import GetRunResponse, Run, RunSpec
from libra.v1.task_pb2 import Category
from libra.v1.verdict_pb2 import Outcome, Verdict


def page(sample: int, token: str) -> ListVerdictsResponse:
    verdict = Verdict(id=f"v{sample}", model="mine", task="letters@0", attack="few_shots", sample=sample)
    verdict.outcome, verdict.score = Outcome.OUTCOME_SCORED, 1.0
    verdict.messages.append(Message(role="user", content="say \x1b[31mA"))
    return ListVerdictsResponse(verdicts=[verdict], next_page_token=token)


def test_all_pages_of_verdicts_are_loaded(services: ScriptedServices) -> None:
    services.replies["ListVerdicts"] = [page(0, "t"), page(1, "")]
    shown = json.loads(services.libra("verdicts", "01RUN", "--outcome", "scored", "--json").stdout)
    assert [verdict["id"] for verdict in shown["verdicts"]] == ["v0", "v1"]
    assert shown["verdicts"][0]["outcome"] == "OUTCOME_SCORED"


def test_a_limit_ends_the_list_and_a_note_says_so(services: ScriptedServices) -> None:
    services.replies["ListVerdicts"] = [page(0, "t")]
    result = services.libra("verdicts", "01RUN", "--limit", "1")
    assert "letters+few_shots" in result.stdout
    assert "--limit 0 prints all" in result.stderr


def test_full_verdicts_have_no_control_characters(services: ScriptedServices) -> None:
    services.replies["ListVerdicts"] = [page(0, "")]
    assert "say ␛[31mA" in services.libra("verdicts", "01RUN", "--full").stdout


def test_an_unknown_outcome_is_invalid(services: ScriptedServices) -> None:
    assert services.libra("verdicts", "01RUN", "--outcome", "lost").exit_code == 2


def test_the_response_filter_is_sent(services: ScriptedServices) -> None:
    services.replies["ListVerdicts"] = [page(0, "")]
    assert services.libra("verdicts", "01RUN", "--response", "blocked_input").exit_code == 0
    assert services.requests[-1].response == ResponseClass.RESPONSE_CLASS_BLOCKED_INPUT
    assert services.libra("verdicts", "01RUN", "--response", "lost").exit_code == 2


def test_every_filter_is_sent(services: ScriptedServices) -> None:
    services.replies["ListVerdicts"] = [page(0, "")]
    filters = ["--model", "mine", "--task", "letters", "--attack", "none", "--category", "adversarial"]
    filters += ["--label", "refused", "--judge", "model@2", "--min-score", "0", "--max-score", "0.4"]
    filters += ["--text", "step by step", "--reason", "no … reply"]
    result = services.libra("verdicts", "01RUN", *filters)
    assert result.exit_code == 0, result.output
    request = services.requests[-1]
    assert (request.model, request.task, request.attack) == ("mine", "letters", "none")
    assert (request.label, request.judge, request.text) == ("refused", "model@2", "step by step")
    assert (request.category, request.reason) == (Category.CATEGORY_ADVERSARIAL, "no … reply")
    assert request.HasField("min_score")
    assert (request.min_score, request.max_score) == (0.0, 0.4)
    assert (request.outcome, request.response) == (0, 0)


@pytest.mark.parametrize(
    ("option", "value", "hint"),
    [
        ("--model", "mien", "there is no model 'mien': did you mean mine?"),
        ("--task", "leters", "there is no task 'leters': did you mean letters?"),
        ("--attack", "few_shot", "there is no attack 'few_shot': did you mean few_shots?"),
        ("--judge", "refusel", "there is no judge 'refusel': did you mean refusal?"),
        ("--label", "xyz", "there is no label 'xyz': valid names: complied, refused"),
        ("--outcome", "lost", "'scored', 'filtered', 'unjudged', 'failed'"),
        ("--category", "risky", "'direct_risky', 'adversarial'"),
        ("--max-score", "2", "0<=x<=1"),
    ],
)
def test_a_wrong_name_is_answered_with_those_that_exist(
    services: ScriptedServices, option: str, value: str, hint: str
) -> None:
    spec = RunSpec(models=["mine"], tasks=["letters@0"], attacks=["none", "few_shots"])
    services.replies |= {
        "ListVerdicts": ListVerdictsResponse(),
        "GetRun": GetRunResponse(run=Run(id="01RUN", spec=spec)),
        "ListJudges": ListJudgesResponse(judges=[Judge(name="refusal", version="1", labels=["refused", "complied"])]),
    }
    result = services.libra("verdicts", "01RUN", option, value)
    assert result.exit_code == 2
    assert hint in result.stderr
    assert option in result.stderr


def test_names_that_exist_may_select_nothing(services: ScriptedServices) -> None:
    spec = RunSpec(models=["mine"], tasks=["letters@0"])
    services.replies |= {
        "ListVerdicts": ListVerdictsResponse(),
        "GetRun": GetRunResponse(run=Run(id="01RUN", spec=spec)),
        "ListJudges": ListJudgesResponse(judges=[Judge(name="refusal", version="1", labels=["refused"])]),
    }
    names = ["--model", "mine", "--task", "letters@0", "--attack", "none", "--judge", "refusal@1", "--label", "refused"]
    result = services.libra("verdicts", "01RUN", *names)
    assert (result.exit_code, result.stdout) == (0, "no verdict matches\n")


def test_full_verdicts_say_what_came_back_and_what_it_cost(services: ScriptedServices) -> None:
    blocked, cut_off = page(0, ""), page(1, "")
    response = ProviderResponse(category="jailbreak", words="flagged by a policy")
    response.response_class = ResponseClass.RESPONSE_CLASS_BLOCKED_INPUT
    blocked.verdicts[0].completion.MergeFrom(Completion(response=response, usage_unknown=True))
    usage = Usage(prompt_tokens=1200, completion_tokens=512)
    limit = ProviderResponse(words="the limit was 512 tokens")
    limit.response_class = ResponseClass.RESPONSE_CLASS_TRUNCATED
    cut_off.verdicts[0].completion.MergeFrom(Completion(text="It", response=limit, usage=usage, cost_usd=0.5))
    blocked.verdicts.extend(cut_off.verdicts)
    services.replies["ListVerdicts"] = [blocked]
    shown = services.libra("verdicts", "01RUN", "--full").stdout
    assert "(blocked input: jailbreak: flagged by a policy; usage and cost unknown)" in shown
    assert "(truncated: the limit was 512 tokens; 1,200 + 512 tokens, $0.50)" in shown
    assert "0 tokens" not in shown.replace("1,200 + 512 tokens", "")
