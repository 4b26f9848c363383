from __future__ import annotations

import csv
import io

import pytest

from libra.cli.files import label_csv
from libra.cli.files.label_sheet import COLUMNS, parse, write_rows
from libra.core.errors import Invalid
from libra.v1.completion_pb2 import Completion
from libra.v1.label_pb2 import DrawnTrial, Label
from libra.v1.message_pb2 import Message
from libra.v1.verdict_pb2 import Verdict

HEAD = "human_score,author,trial,inclusion_probability\n"


def drawn(text: str = "No.", *prompts: str, label: Label | None = None) -> DrawnTrial:
    messages = [Message(role="user", content=each) for each in prompts or ("How?",)]
    verdict = Verdict(
        id="R/0/m/t@1/none/00000001/0000",
        model="m",
        task="t@1",
        attack="none",
        messages=messages,
        completion=Completion(text=text),
        score=1,
        label="refused",
    )
    return DrawnTrial(verdict=verdict, inclusion_probability=0.15, label=label)


def sheet(*trials: DrawnTrial) -> str:
    return ",".join(COLUMNS) + "\n" + write_rows(trials)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_drawn_answer_has_its_prompt_and_no_verdict() -> None:
    (row,) = rows(sheet(drawn("One,\ntwo.")))
    assert row["objective"] == "How?"
    assert row["assistant_response"] == "One,\ntwo."
    assert (row["human_score"], row["author"]) == ("", "")
    assert row["inclusion_probability"] == "0.15"
    assert "refused" not in sheet(drawn())
    (talk,) = rows(sheet(drawn("No.", "Hi", "How?")))
    assert talk["objective"] == "[user] Hi\n\n[user] How?"


def test_a_label_that_exists_is_in_the_sheet_and_is_read_again() -> None:
    label = Label(trial="R/0/m/t@1/none/00000001/0000", score=0.5, author="ann")
    found = parse(sheet(drawn(label=label), drawn()).encode(), "l.csv", "")
    label.inclusion_probability = 0.15
    assert list(found.labels) == [label]
    assert (found.unlabelled, list(found.lines)) == (1, [2])


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+1", "-1", "@x", "\tx"])
def test_no_answer_is_a_formula_or_has_control_characters(text: str) -> None:
    (row,) = rows(sheet(drawn(f"{text}\x1b[31m")))
    assert row["assistant_response"].startswith(f"'{text}")
    assert "\x1b" not in row["assistant_response"]


def test_judges_can_be_calibrated_with_the_same_file() -> None:
    filled = sheet(drawn()).replace("\n,,", "\n1,ann,", 1)
    (answer,) = label_csv.parse(filled.encode(), "l.csv")
    assert (answer.text, answer.positive, answer.fields["model"]) == ("No.", True, "m")


def test_labels_may_be_numbers_and_words_in_any_column_order() -> None:
    text = "trial,human_score\na,1\nb,0.25\nc,TRUE\nd,false\ne,\n"
    found = parse(text.encode("utf-8-sig"), "l.csv", "ann")
    assert [each.score for each in found.labels] == [1, 0.25, 1, 0]
    assert {each.author for each in found.labels} == {"ann"}
    assert {each.inclusion_probability for each in found.labels} == {0}
    assert found.unlabelled == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("human_score\n1\n", "the column trial is missing"),
        (f"{HEAD}yes,ann,a,1\n", "line 2: human_score is 'yes'"),
        (f"{HEAD}2,ann,a,1\n", "must be a number from 0 to 1"),
        (f"{HEAD}nan,ann,a,1\n", "must be a number from 0 to 1"),
        (f"{HEAD}1,ann,a,x\n", "line 2: inclusion_probability is 'x'"),
        (f"{HEAD}1,,a,1\n", "line 2: author is empty"),
        (f"{HEAD}1,ann,a,1,more\n", "more cells than the head line"),
        (f"{HEAD},ann,a,1\n", "has no label"),
        (HEAD, "has no label"),
        (f'{HEAD}"1,ann,a,1\n', "not valid CSV"),
    ],
)
def test_a_bad_file_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(Invalid, match=message):
        parse(text.encode(), "l.csv", "")


def test_a_field_of_the_request_is_found_in_the_file() -> None:
    found = parse(f"{HEAD}1,ann,a,1\n,,b,1\n0,ann,c,1\n".encode(), "l.csv", "")
    assert found.location_of("labels[1].score") == "l.csv, line 4: human_score"
    assert found.part(1, 5).location_of("labels[0].trial") == "l.csv, line 4: trial"
    assert found.location_of("labels[0]") == "l.csv, line 2"
    assert found.location_of("labels") == "l.csv"
    assert found.location_of("run") == "RUN"
