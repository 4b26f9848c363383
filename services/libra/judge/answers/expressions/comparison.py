"""Tell whether two mathematical expressions are equal, by their values at fixed points."""

from __future__ import annotations

import cmath
import math
import zlib
from collections.abc import Callable, Mapping

from libra.judge.answers.expressions.parsing import Node, variables_of

POINTS = 4
"""Two different expressions of practice have equal values at that many points with a probability of practically 0."""

RELATIVE_TOLERANCE = 1e-9
MAX_EXPONENT = 10_000
MAX_FACTORIAL = 170
MAX_MATCHED = 12
"""The most parts of a set that are compared."""

SIDES = {">": "<", "≥": "≤"}
Point = Mapping[str, complex]

OPERATIONS: dict[str, Callable[[complex, complex], complex]] = {
    "+": lambda one, other: one + other,
    "-": lambda one, other: one - other,
    "*": lambda one, other: one * other,
    "/": lambda one, other: one / other,
}
CALLS: dict[str, Callable[[complex], complex]] = {
    "sin": cmath.sin,
    "cos": cmath.cos,
    "tan": cmath.tan,
    "cot": lambda one: 1 / cmath.tan(one),
    "sec": lambda one: 1 / cmath.cos(one),
    "csc": lambda one: 1 / cmath.sin(one),
    "arcsin": cmath.asin,
    "arccos": cmath.acos,
    "arctan": cmath.atan,
    "asin": cmath.asin,
    "acos": cmath.acos,
    "atan": cmath.atan,
    "sinh": cmath.sinh,
    "cosh": cmath.cosh,
    "tanh": cmath.tanh,
    "ln": cmath.log,
    "log": cmath.log,
    "lg": cmath.log10,
    "exp": cmath.exp,
    "abs": abs,
}
CONSTANTS = {"e": complex(math.e), "i": 1j, "π": complex(math.pi), "∞": complex(math.inf)}
FAILURES = (ArithmeticError, ValueError, KeyError, TypeError)


def are_equal(given: Node, wanted: Node) -> bool:
    """Tell whether two expressions are equal: as values, sets, tuples, intervals, equations or inequalities."""
    given, wanted = _plain(given, wanted), _plain(wanted, given)
    if wanted.kind == "set" or given.kind == "set":
        return _sets_are_equal(_members(given), _members(wanted))
    if wanted.kind != given.kind and {wanted.kind, given.kind} & {"tuple", "row", "chain", *"=<>≤≥≠∈"}:
        return False
    if wanted.kind in {"tuple", "row", "chain"}:
        same_form = len(given.parts) == len(wanted.parts) and _bracket(given) == _bracket(wanted)
        return same_form and all(map(are_equal, given.parts, wanted.parts))
    if wanted.kind in "=≠<≤":
        return _relations_are_equal(given, wanted)
    return _values_are_equal(given, wanted)


def value_of(node: Node) -> float | None:
    """Return the value of an expression without variables; None if it has variables or no real value."""
    if variables_of(node) - {"e"}:
        return None
    try:
        value = _value(node, {})
    except FAILURES:
        return None
    return (
        value.real
        if abs(value.imag) <= RELATIVE_TOLERANCE * max(1.0, abs(value)) and math.isfinite(value.real)
        else None
    )


def _plain(node: Node, other: Node) -> Node:
    """Return a node without the name before its value, as in "x = 3", unless the other has one; ± is a set."""
    if node.kind == "=" and other.kind not in {"=", "chain"} and node.parts[0].kind in {"name", "*", "call"}:
        node = node.parts[1]
    if node.kind == "chain" and other.kind != "chain" and all(one.kind == "=" for one in node.parts):
        node = node.parts[-1].parts[1]
    if node.kind == "∈":
        node = node.parts[1]
    if node.kind in SIDES:
        return Node(SIDES[node.kind], node.parts[::-1])
    if node.kind == "chain" and all(one.kind in SIDES for one in node.parts):
        return Node("chain", tuple(Node(SIDES[one.kind], one.parts[::-1]) for one in reversed(node.parts)))
    if plus := _with_sign(node, "+"):
        return Node("set", (plus, _with_sign(node, "-") or node))
    return node


def _with_sign(node: Node, sign: str) -> Node | None:
    """Return an expression with a sign in place of its ±; None if it has none."""
    if node.kind == "±":
        return Node(sign, node.parts)
    for place, part in enumerate(node.parts):
        if node.kind not in {"set", "tuple"} and (changed := _with_sign(part, sign)):
            return Node(node.kind, (*node.parts[:place], changed, *node.parts[place + 1 :]), node.text)
    return None


def _bracket(node: Node) -> str:
    """Return what distinguishes a tuple from another: the brackets of an interval; (1, 2) may be both."""
    return node.text if len(node.parts) == 2 else ""  # noqa: PLR2004


def _members(node: Node) -> list[Node]:
    members = [one for part in node.parts for one in _members(part)] if node.kind == "set" else [node]
    return [_plain(one, Node("name")) for one in members]


def _sets_are_equal(given: list[Node], wanted: list[Node]) -> bool:
    if max(len(given), len(wanted)) > MAX_MATCHED:
        return False
    flat = [one for node in given for one in (_members(node) if node.kind == "set" else [node])]
    aim = [one for node in wanted for one in (_members(node) if node.kind == "set" else [node])]
    return all(any(are_equal(one, other) for other in aim) for one in flat) and all(
        any(are_equal(one, other) for other in flat) for one in aim
    )


def _relations_are_equal(given: Node, wanted: Node) -> bool:
    """Tell whether two relations say the same: their differences are multiples, positive ones for inequalities."""
    ratios = []
    for point in _points(given, wanted):
        try:
            one = _value(given.parts[0], point) - _value(given.parts[1], point)
            other = _value(wanted.parts[0], point) - _value(wanted.parts[1], point)
            ratios.append(one / other)
        except FAILURES:
            return False
    is_multiple = all(cmath.isclose(one, ratios[0], rel_tol=RELATIVE_TOLERANCE) for one in ratios)
    return is_multiple and abs(ratios[0]) > 0 and (wanted.kind in "=≠" or ratios[0].real > 0)


def _values_are_equal(given: Node, wanted: Node) -> bool:
    if any("∞" in (one.text, *(part.text for part in one.parts)) for one in (given, wanted)):
        return given == wanted
    for point in _points(given, wanted):
        try:
            one, other = _value(given, point), _value(wanted, point)
        except FAILURES:
            return False
        if not cmath.isclose(one, other, rel_tol=RELATIVE_TOLERANCE, abs_tol=1e-12):
            return False
    return True


def _points(*nodes: Node) -> list[dict[str, complex]]:
    """Return the points at which expressions are compared; their coordinates depend on nothing but the names."""
    names = sorted(frozenset().union(*map(variables_of, nodes)) - {"e", "i"})
    return [
        {name: complex(0.4 + zlib.crc32(f"{name}{number}".encode()) % 9973 / 5000) for name in names}
        for number in range(POINTS if names else 1)
    ]


def _value(node: Node, point: Point) -> complex:
    kind, parts = node.kind, node.parts
    if kind == "number":
        return complex(float(node.text))
    if kind in {"name", "constant"}:
        return CONSTANTS[node.text] if node.text in CONSTANTS else point[node.text]
    values = [_value(part, point) for part in parts]
    if kind in OPERATIONS:
        return OPERATIONS[kind](*values)
    if kind == "call":
        return _call(node.text, values)
    return _operated(kind, values)


def _operated(kind: str, values: list[complex]) -> complex:
    if kind == "^":
        return _power(*values)
    if kind == "root":
        return _power(values[0], 1 / values[1] if len(values) > 1 else complex(0.5))
    if kind == "!":
        return complex(math.factorial(_whole(values[0])))
    if kind == "binom":
        return complex(math.prod((values[0] - place) / (place + 1) for place in range(_whole(values[1]))))
    if kind == "°":
        return values[0]
    raise ValueError(kind)


def _power(base: complex, exponent: complex) -> complex:
    if abs(exponent) > MAX_EXPONENT:
        raise OverflowError
    is_real_root = base.real < 0 and not base.imag and not exponent.imag and exponent.real
    if is_real_root and abs(1 / exponent.real - round(1 / exponent.real)) < 1e-12 and round(1 / exponent.real) % 2:  # noqa: PLR2004
        return complex(-((-base.real) ** exponent.real))
    return base**exponent


def _call(name: str, values: list[complex]) -> complex:
    if name == "log" and len(values) > 1:
        return cmath.log(values[0]) / cmath.log(values[1])
    return complex(CALLS[name](values[0]))


def _whole(value: complex) -> int:
    if value.imag or value.real != round(value.real) or not 0 <= value.real <= MAX_FACTORIAL:
        raise ValueError(value)
    return round(value.real)
