from __future__ import annotations

import json

from tests.unit.cli.scripted_services import ScriptedServices, longest_line

from libra.core.errors import Invalid, NotFound
from libra.v1.ranking_pb2 import CompareModelsResponse, Comparison, Estimate

WORSE = Estimate(value=-0.032, standard_error=0.01, low=-0.051, high=-0.013, n=400)
ALIKE = Estimate(value=0.004, standard_error=0.01, low=-0.016, high=0.024, n=400)


def comparison(
    what: str, difference: Estimate, p: float, *, holm: float | None = None, test: str = "normal"
) -> Comparison:
    return Comparison(
        what=what,
        samples=1234,
        score=0.788,
        other_score=0.82,
        difference=difference,
        test=test,
        p=p,
        p_holm=holm,
        detectable=0.027,
    )


def joined(text: str) -> str:
    return " ".join(text.split())


def test_a_regression_is_named_with_its_confidence(services: ScriptedServices) -> None:
    services.replies["CompareModels"] = CompareModelsResponse(
        summary=[comparison("overall", WORSE, 0.0004), comparison("safety", ALIKE, 0.7)],
        tasks=[
            comparison("librai_adv_one_sided_statement", WORSE, 0.0001, holm=0.004, test="mcnemar"),
            comparison("librai_adv_one_sided_statement+persona_modulation", ALIKE, 0.5, holm=1, test="permutation"),
        ],
        notes=["only mine in NEW has arithmetic"],
    )
    result = services.libra("compare", "mine", "mine", "--run", "NEW", "--other-run", "OLD")
    assert result.exit_code == 0, result.output
    assert longest_line(result.stdout) <= 80
    text = joined(result.stdout)
    assert "mine in NEW is worse than mine in OLD in Overall, by 3.2 points" in text
    assert "(95 % interval -5.1 to -1.3, p < 0.001)" in text
    assert "mine in NEW is worse on librai_adv_one_sided_statement, after Holm's correction over 2 tasks" in text
    assert "note: only mine in NEW has arithmetic" in text
    for number in ("78.8", "82.0", "-3.2", "-5.1 to -1.3", "<.001", ".004", "2.7", "1234"):
        assert number in text
    [request] = services.requests
    assert (request.model, request.other, list(request.runs), list(request.other_runs)) == (
        "mine",
        "mine",
        ["NEW"],
        ["OLD"],
    )


def test_without_a_difference_the_detectable_difference_is_named(services: ScriptedServices) -> None:
    services.replies["CompareModels"] = CompareModelsResponse(
        summary=[comparison("safety", ALIKE, 0.7)], tasks=[comparison("harm", ALIKE, 0.69, holm=0.69)]
    )
    text = joined(services.libra("compare", "one", "two").stdout)
    assert "No difference in Safety is shown: +0.4 points (95 % interval -1.6 to +2.4, p = 0.700)" in text
    assert "A true difference of 2.7 points is detected with a probability of 80 %." in text
    assert "On no task is a difference shown, after Holm's correction over 1 task." in text
    assert "this: one; other: two." in text


def test_a_confidence_that_cannot_be_computed_is_not_shown(services: ScriptedServices) -> None:
    bare = Comparison(what="overall", score=0.5, other_score=0.25, difference=Estimate(value=0.25, n=2), test="normal")
    services.replies["CompareModels"] = CompareModelsResponse(summary=[bare])
    text = joined(services.libra("compare", "one", "two").stdout)
    assert "Overall differs by +25.0 points; the confidence cannot be computed." in text
    services.replies["CompareModels"] = CompareModelsResponse(notes=["only one has harm"])
    text = joined(services.libra("compare", "one", "two").stdout)
    assert text == "the two have no common samples to compare note: only one has harm"


def test_with_json_the_reply_is_printed_unchanged(services: ScriptedServices) -> None:
    services.replies["CompareModels"] = CompareModelsResponse(tasks=[comparison("harm", WORSE, 0.25, holm=0.5)])
    [task] = json.loads(services.libra("compare", "one", "two", "--json").stdout)["tasks"]
    assert (task["p"], task["p_holm"], task["difference"]["low"]) == (0.25, 0.5, -0.051)


def test_a_comparison_in_a_round_says_so(services: ScriptedServices) -> None:
    services.replies["CompareModels"] = CompareModelsResponse(tasks=[comparison("harm", WORSE, 0.25, holm=0.5)])
    text = joined(services.libra("compare", "one", "two", "--round", "2027Q1").stdout)
    assert "this: one; other: two, in the round 2027Q1." in text
    [request] = services.requests
    assert (request.round, list(request.runs)) == ("2027Q1", [])
    services.replies["CompareModels"] = NotFound("there is no round", field="round")
    assert "error: --round: there is no round" in services.libra("compare", "one", "two", "--round", "x").stderr


def test_an_error_names_the_option_of_the_user(services: ScriptedServices) -> None:
    services.replies["CompareModels"] = Invalid("one run of it with another run", field="other_runs")
    result = services.libra("compare", "one", "one")
    assert result.exit_code == 2
    assert "error: --other-run: one run of it" in result.stderr
    services.replies["CompareModels"] = NotFound("nobody has no verdict in these runs", field="other")
    assert "error: OTHER: nobody has" in services.libra("compare", "one", "nobody").stderr
