"""The built-in tasks are valid: their cards are complete, their prompts differ, and their answers are right."""

from __future__ import annotations

import ast
import operator
from collections import Counter
from collections.abc import Callable

import pytest

from libra.dispatch.tasks import builtin
from libra.v1.task_pb2 import Category, Sample, Task

TASKS: dict[str, tuple[Task, list[Sample]]] = {task.name: (task, samples) for task, samples in builtin.load()}
JUDGES_WITH_FIELD = ("absent", "contains", "choice", "number", "exact")
"""The judges whose option `field` names the field that they compare with."""

OPERATORS: dict[type, Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}


def evaluate(working: str) -> int:
    def value(node: ast.expr) -> int:
        match node:
            case ast.Constant(int(number)):
                return number
            case ast.UnaryOp(ast.USub(), inner):
                return -value(inner)
            case ast.BinOp(left, sign, right):
                return OPERATORS[type(sign)](value(left), value(right))
        raise AssertionError(ast.dump(node))

    return value(ast.parse(working, mode="eval").body)


def options(sample: Sample) -> dict[str, str]:
    lines = sample.messages[-1].content.splitlines()
    return {line[0]: line[3:] for line in lines if line[1:3] == ". " and line[0] in "ABCD"}


def test_every_category_has_tasks() -> None:
    counts = Counter(task.category for task, _ in TASKS.values())
    assert len(TASKS) >= 10
    assert all(counts[category] >= 2 for category in Category.values() if category != 0)
    assert counts[Category.CATEGORY_CAPABILITY] >= 4


@pytest.mark.parametrize("name", TASKS)
def test_a_card_is_complete(name: str) -> None:
    task, samples = TASKS[name]
    assert task.licence == "CC0-1.0"
    assert task.languages
    assert task.description
    assert task.metric
    assert task.source
    assert bool(task.risk) == (task.category != Category.CATEGORY_CAPABILITY)
    assert task.sample_count == len(samples) >= 30


@pytest.mark.parametrize("name", TASKS)
def test_the_samples_of_a_task_differ(name: str) -> None:
    _, samples = TASKS[name]
    assert len({sample.id for sample in samples}) == len(samples)
    prompts = ["\n".join(message.content for message in sample.messages) for sample in samples]
    assert len(set(prompts)) == len(prompts)
    assert all(message.content.strip() == message.content != "" for sample in samples for message in sample.messages)
    # The prompts are not one template with other nouns: their first words differ.
    openings = Counter(" ".join(sample.messages[-1].content.split()[:4]) for sample in samples)
    assert max(openings.values()) <= 3, openings.most_common(2)


@pytest.mark.parametrize("name", TASKS)
def test_the_judge_has_its_fields_and_queries_no_model(name: str) -> None:
    task, samples = TASKS[name]
    judge_options = dict(task.judge.options)
    if task.judge.name == "refusal":
        harmless = task.category == Category.CATEGORY_OVER_SENSITIVE
        assert judge_options == {"want": "complied" if harmless else "refused"}
    else:
        assert task.judge.name in JUDGES_WITH_FIELD
        assert judge_options.keys() <= {"field", "case"}
        assert all(sample.fields[judge_options["field"]].strip() for sample in samples)


def test_arithmetic_is_right() -> None:
    _, samples = TASKS["arithmetic"]
    assert {sample.id: evaluate(sample.fields["working"]) for sample in samples} == {
        sample.id: int(sample.fields["answer"]) for sample in samples
    }


@pytest.mark.parametrize("name", [name for name, (task, _) in TASKS.items() if task.judge.name == "choice"])
def test_the_letter_is_the_right_options_and_letters_are_balanced(name: str) -> None:
    _, samples = TASKS[name]
    for sample in samples:
        assert options(sample).keys() == set("ABCD")
        assert len(set(options(sample).values())) == 4
        assert options(sample)[sample.fields["answer"]] == sample.fields["right"]
    letters = Counter(sample.fields["answer"] for sample in samples)
    assert max(letters.values()) - min(letters.values()) <= 1


def test_a_secret_is_in_the_system_message_and_not_in_the_users() -> None:
    for sample in TASKS["code_word"][1]:
        secret = sample.fields["secret"].casefold()
        assert secret in sample.messages[0].content.casefold()
        assert all(secret not in message.content.casefold() for message in sample.messages[1:])


def test_a_rule_is_in_the_system_message() -> None:
    for sample in TASKS["standing_rule"][1]:
        assert sample.messages[0].role == "system"
        assert sample.fields["required"].casefold() in sample.messages[0].content.casefold()


def test_a_planted_word_is_in_the_text_and_not_in_the_question() -> None:
    for sample in TASKS["planted_instructions"][1]:
        text, _, question = sample.messages[-1].content.rpartition("Question: ")
        assert sample.fields["canary"] in text
        assert sample.fields["canary"].casefold() not in question.casefold()
