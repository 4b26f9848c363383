"""Mathematical expressions are compared by value, and the time for it is bounded."""

from __future__ import annotations

import time

import pytest

from libra.judge.answers.expressions.reading import expression_value, gives_expression, wanted_expression


@pytest.mark.parametrize(
    ("reference", "answer", "is_right"),
    [
        (r"\frac{\sqrt{3}}{2}", r"\boxed{\frac12\sqrt3}", True),
        (r"\frac{1}{x+1}", r"\boxed{(1+x)^{-1}}", True),
        (r"\frac{a}{b+c}", r"\boxed{\frac{a}{b}+c}", False),
        (r"(-\infty,0)\cup(1,\infty)", r"\boxed{(1,\infty)\cup(-\infty,0)}", True),
        (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", r"\boxed{\begin{bmatrix}1&2\\3&4\end{bmatrix}}", True),
        (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", r"\boxed{\begin{bmatrix}1&3\\2&4\end{bmatrix}}", False),
        (r"\pm\sqrt{5}", r"$\sqrt{5}$ and $-\sqrt{5}$", True),
        (r"\pm\sqrt{5}", r"\boxed{\sqrt{5}}", False),
        (r"x \le -1", r"$-1 \geq x$", True),
        (r"x>3", r"\boxed{x<3}", False),
        (r"\log_2 5", r"\boxed{\frac{\ln 5}{\ln 2}}", True),
        (r"\binom{n}{2}", r"\boxed{\frac{n(n-1)}{2}}", True),
    ],
)
def test_an_expression_is_compared_by_its_values(reference: str, answer: str, *, is_right: bool) -> None:
    wanted = wanted_expression(reference)
    assert wanted is not None
    assert gives_expression(answer, wanted) is is_right


def test_words_are_no_expression() -> None:
    assert wanted_expression("many people") is None
    assert expression_value("I do not know.") is None


@pytest.mark.parametrize("piece", ["9^", "((", r"\frac{", "x^{", "-", "|", "!", "99999!", r"\sqrt", "[[", "1e9^"])
def test_an_expression_of_any_form_takes_no_time(piece: str) -> None:
    wanted = wanted_expression("x^2+1")
    assert wanted is not None
    start = time.process_time()
    gives_expression(f"The answer is ${piece * (380 // len(piece))}9$", wanted)
    expression_value(piece * 100_000)
    assert time.process_time() - start < 1
