from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.cli.scripted_services import ScriptedServices, longest_line

from libra.cli.files import label_csv
from libra.core.errors import FailedPrecondition, Invalid
from libra.v1.annotation_pb2 import Annotation, ListAnnotationsResponse
from libra.v1.completion_pb2 import Completion
from libra.v1.label_pb2 import (
    DrawnTrial,
    DrawSampleRequest,
    DrawSampleResponse,
    ImportLabelsResponse,
    Label,
    LabelRevision,
    ListLabelsResponse,
)
from libra.v1.message_pb2 import Message
from libra.v1.ranking_pb2 import (
    Board,
    BoardRow,
    CategoryScore,
    Estimate,
    GetBoardRequest,
    GetBoardResponse,
    GetVerdictResponse,
    GetWeightsResponse,
    TaskScore,
)
from libra.v1.task_pb2 import Category
from libra.v1.verdict_pb2 import Verdict

TRIAL = "01RUN/0/mine/letters@0/few_shots/00000007/0001"


def response(count: int) -> DrawSampleResponse:
    verdict = Verdict(id=TRIAL, model="mine", task="letters@0", attack="few_shots", completion=Completion(text="A"))
    return DrawSampleResponse(trials=[DrawnTrial(verdict=verdict, inclusion_probability=0.5)] * count)


def test_a_draw_is_written_as_one_file(services: ScriptedServices, tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    services.replies["DrawSample"] = [[response(2), response(1)]]
    result = services.libra("labels", "draw", "01RUN", "--size", 40, "--model", "mine", "--output", file)
    assert result.exit_code == 0, result.output
    lines = file.read_text().splitlines()
    assert lines[0].startswith("human_score,author,objective")
    assert [TRIAL in line for line in lines] == [False, True, True, True]
    assert "drew 3 answers of 1 combinations" in result.stderr
    assert services.requests[0] == DrawSampleRequest(run="01RUN", size=40, model="mine")


def test_proposed_scores_are_written_as_labels(services: ScriptedServices, tmp_path: Path) -> None:
    file = tmp_path / "annotated.csv"
    scores = [("ann", 1.0), ("bo", 0.0), ("cy", None)]
    found = [Annotation(verdict=TRIAL, author=author, score=score, text="why") for author, score in scores]
    services.replies["ListAnnotations"] = ListAnnotationsResponse(annotations=found)
    verdict = Verdict(id=TRIAL, messages=[Message(role="user", content="Q")], completion=Completion(text="A"))
    services.replies["GetVerdict"] = GetVerdictResponse(verdict=verdict)
    result = services.libra("labels", "annotations", "01RUN", "--output", file)
    assert result.exit_code == 0, result.output
    assert "1 answers have a proposed score" in result.stderr
    [answer] = label_csv.read(file)
    assert (answer.messages[0].content, answer.text, answer.positive) == ("Q", "A", False)
    services.replies["ListAnnotations"] = ListAnnotationsResponse(annotations=found[2:])
    assert services.libra("labels", "annotations", "01RUN").exit_code == 1


def test_a_small_draw_is_warned_about_and_an_empty_one_fails(services: ScriptedServices) -> None:
    services.replies["DrawSample"] = [[response(1)], []]
    small = services.libra("labels", "draw", "01RUN", "--size", 5)
    assert "fewer than 30 labels" in small.stderr
    assert TRIAL in small.stdout
    empty = services.libra("labels", "draw", "01RUN", "--task", "unknown")
    assert empty.exit_code == 1
    assert empty.stdout == ""
    assert "nothing was drawn" in empty.stderr


def test_a_run_that_is_not_finished_cannot_be_drawn_from(services: ScriptedServices) -> None:
    services.replies["DrawSample"] = FailedPrecondition("the run is not finished", field="run")
    result = services.libra("labels", "draw", "01RUN")
    assert result.exit_code == 2
    assert "RUN: the run is not finished" in result.stderr


def test_labels_are_imported_and_lines_without_one_are_counted(services: ScriptedServices, tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    file.write_text(f"human_score,trial,inclusion_probability\n1,{TRIAL},0.5\n,{TRIAL},0.5\n")
    services.replies["ImportLabels"] = ImportLabelsResponse(added=1)
    result = services.libra("labels", "import", "01RUN", file, "--author", "ann")
    assert result.stdout == "1 new labels, 0 changed, 0 as before; 1 lines have no label\n"
    (sent,) = services.requests[0].labels
    assert sent == Label(trial=TRIAL, score=1, author="ann", inclusion_probability=0.5)
    assert json.loads(services.libra("labels", "import", "01RUN", file, "--author", "ann", "--json").stdout) == {
        "added": 1,
        "changed": 0,
        "unchanged": 0,
    }


def test_a_refused_label_is_named_by_its_line(services: ScriptedServices, tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    file.write_text(f"human_score,author,trial\n1,ann,{TRIAL}\n0,ann,other\n")
    services.replies["ImportLabels"] = Invalid("it is no trial", field="labels[1].trial")
    result = services.libra("labels", "import", "01RUN", file)
    assert result.exit_code == 2
    assert "labels.csv, line 3: trial: it is no trial" in result.stderr


def test_labels_are_listed_beside_the_scores_of_the_judge(services: ScriptedServices) -> None:
    label = Label(trial=TRIAL, score=0.5, author="ann", inclusion_probability=0.5, judged_score=1)
    label.earlier.append(LabelRevision(score=1, author="bob"))
    services.replies["ListLabels"] = ListLabelsResponse(labels=[label])
    result = services.libra("labels", "list", "01RUN")
    assert "letters+few_shots" in result.stdout
    assert "1 bob" in result.stdout
    assert longest_line(result.stdout) <= 80


def accuracies() -> Board:
    wide, narrow = Estimate(value=0.5, low=0.25, high=0.75, n=10), Estimate(value=0.5, low=0.45, high=0.55, n=10)
    task = TaskScore(task="harm", attack="few_shots", score=wide)
    category = CategoryScore(category=Category.CATEGORY_ADVERSARIAL, score=wide, benchmark=narrow, tasks=[task])
    return Board(rows=[BoardRow(model="mine", safety=wide, safety_benchmark=narrow, categories=[category])])


def test_benchmark_accuracy_is_shown_beside_generalised_accuracy(services: ScriptedServices) -> None:
    services.replies["GetBoard"] = GetBoardResponse(board=accuracies())
    result = services.libra("board", "--benchmark-accuracy")
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["mine", "safety", "50.0", "25.0-75.0", "45.0-55.0"] in lines
    assert ["adversarial", "50.0", "25.0-75.0", "45.0-55.0"] in lines
    assert ["harm+few_shots", "50.0", "25.0-75.0", "-"] in lines
    assert longest_line(result.stdout) <= 80
    assert services.requests[0] == GetBoardRequest(benchmark_accuracy=True)
    assert "generalised" not in services.libra("board").stdout


def test_labels_correct_the_board_and_its_weights_on_request(services: ScriptedServices) -> None:
    services.replies["GetBoard"] = GetBoardResponse(board=accuracies())
    services.replies["GetWeights"] = GetWeightsResponse()
    assert services.libra("board", "--labels", "--correct").exit_code == 0
    assert services.libra("board", "--labels", "--weights").exit_code == 0
    assert services.requests[0] == GetBoardRequest(use_labels=True, correct_judges=True)
    assert services.requests[1].use_labels


@pytest.mark.parametrize(
    "options",
    [
        ("--labels", "--by", "language"),
        ("--labels", "--tradeoff"),
        ("--benchmark-accuracy", "--tradeoff"),
        ("--benchmark-accuracy", "--by", "language"),
        ("--benchmark-accuracy", "--weights"),
        ("--benchmark-accuracy", "--correct"),
        ("--benchmark-accuracy", "--labels"),
        ("--benchmark-accuracy", "--format", "csv"),
    ],
    ids=" ".join,
)
def test_options_that_cannot_be_combined_are_invalid(services: ScriptedServices, options: tuple[str, ...]) -> None:
    result = services.libra("board", *options)
    assert result.exit_code == 2
    assert options[0] in result.stderr
    assert services.requests == []
