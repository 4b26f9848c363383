"""Parse a mathematical expression by recursive descent."""

from __future__ import annotations

from dataclasses import dataclass

from libra.judge.answers.expressions.tokens import Token, UnreadableExpression, tokens_of

MAX_DEPTH = 40

RELATIONS = frozenset("=<>≤≥≠∈")
OPENING = {"(": ")", "[": "]", "{": "}", "\\{": "\\}", "|": "|"}
TERM_END = frozenset([")", "]", "}", "\\}", ",", ";", "&", "\\\\", "+", "-", "±", "∪", *RELATIONS])


@dataclass(frozen=True, slots=True)
class Node:
    """A part of an expression: its kind, as "+" or "set", and its parts."""

    kind: str
    parts: tuple[Node, ...] = ()
    text: str = ""
    """The digits of a number, or the name of a variable or function."""


def parse_expression(text: str, letters: frozenset[str] | None = None) -> Node | None:
    """Return the expression in a text; None if the text is none. For `letters` see `tokens_of`."""
    try:
        return Parser(tokens_of(text, letters)).whole()
    except UnreadableExpression:
        return None


def variables_of(node: Node) -> frozenset[str]:
    """Return the names of the variables in an expression."""
    own = frozenset([node.text]) if node.kind == "name" else frozenset()
    return own.union(*map(variables_of, node.parts))


class Parser:
    """Parses tokens into a tree. Each method consumes what it describes, or raises UnreadableExpression."""

    def __init__(self, tokens: list[Token]) -> None:
        """Create the parser of these tokens."""
        self._tokens = tokens
        self._place = 0
        self._depth = 0
        self._bars = 0

    def whole(self) -> Node:
        """Parse everything; several expressions with commas between are a set."""
        found = self._list()
        if self._place < len(self._tokens) or not found:
            raise UnreadableExpression
        return found[0] if len(found) == 1 else Node("set", tuple(found))

    def _peek(self) -> str:
        return self._tokens[self._place][1] if self._place < len(self._tokens) else ""

    def _kind(self) -> str:
        return self._tokens[self._place][0] if self._place < len(self._tokens) else ""

    def _next(self) -> str:
        if self._place >= len(self._tokens):
            raise UnreadableExpression
        self._place += 1
        return self._tokens[self._place - 1][1]

    def _take(self, text: str) -> bool:
        if self._kind() == "sign" and self._peek() == text:
            self._place += 1
            return True
        return False

    def _list(self) -> list[Node]:
        items = [self._relation()]
        while self._kind() == "sign" and self._peek() in {",", ";"}:
            self._next()
            if self._kind():
                items.append(self._relation())
        return items

    def _relation(self) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise UnreadableExpression
        left = self._union()
        chain = []
        while self._kind() == "sign" and self._peek() in RELATIONS:
            sign = self._next()
            right = self._union()
            chain.append(Node(sign, (left, right)))
            left = right
        self._depth -= 1
        if not chain:
            return left
        return chain[0] if len(chain) == 1 else Node("chain", tuple(chain))

    def _union(self) -> Node:
        parts = [self._sum()]
        while self._take("∪"):
            parts.append(self._sum())
        return parts[0] if len(parts) == 1 else Node("set", tuple(parts))

    def _sum(self) -> Node:
        sign = self._next() if self._kind() == "sign" and self._peek() in {"-", "+", "±"} else ""
        left = self._product()
        left = Node("-", (Node("number", text="0"), left)) if sign == "-" else left
        left = Node("±", (Node("number", text="0"), left)) if sign == "±" else left
        while self._kind() == "sign" and self._peek() in {"+", "-", "±"}:
            left = Node(self._next(), (left, self._product()))
        return left

    def _product(self) -> Node:
        left = self._power()
        while self._kind() and not (self._kind() == "sign" and self._peek() in TERM_END):
            if self._peek() == "|" and self._bars:
                break
            if self._take("*"):
                left = Node("*", (left, self._signed()))
            elif self._take("/"):
                left = Node("/", (left, self._signed()))
            elif _is_mixed(left, self._peek()):
                left = Node("+", (left, self._power()))
            else:
                left = Node("*", (left, self._power()))
        return left

    def _signed(self) -> Node:
        if self._take("-"):
            return Node("-", (Node("number", text="0"), self._power()))
        return self._power()

    def _power(self) -> Node:
        base = self._postfix(self._atom())
        if self._take("^"):
            if self._take("°"):
                return Node("°", (base,))
            exponent = self._exponent()
            if exponent.kind == "°":
                return Node("°", (base,))
            return self._postfix(Node("^", (base, exponent)))
        return base

    def _exponent(self) -> Node:
        if self._take("{"):
            if self._take("°"):
                self._close("}")
                return Node("°")
            inside = self._relation()
            self._close("}")
            return inside
        if self._take("-"):
            return Node("-", (Node("number", text="0"), self._power()))
        return self._power()

    def _postfix(self, node: Node) -> Node:
        while True:
            if self._take("!"):
                node = Node("!", (node,))
            elif self._take("°"):
                node = Node("°", (node,))
            elif self._take("%"):
                node = Node("/", (node, Node("number", text="100")))
            else:
                return node

    def _atom(self) -> Node:
        kind, text = self._kind(), self._next()
        if kind == "number":
            return Node("number", text=text)
        if kind == "name":
            marks = ""
            while self._take("'"):
                marks += "'" + (self._next() if self._kind() in {"name", "number"} else "")
            return Node("name", text=text + marks)
        if kind == "function":
            return self._function(text)
        if text in {"π", "∞"}:
            return Node("constant", text=text)
        if text in OPENING:
            return self._bracket(text)
        raise UnreadableExpression

    def _function(self, name: str) -> Node:
        if name in {"frac", "binom"}:
            return Node("/" if name == "frac" else name, (self._argument(), self._argument()))
        if name == "sqrt":
            index = (self._bracket("["),) if self._take("[") else ()
            return Node("root", (self._argument(), *index))
        base = self._base_of_logarithm()
        power = self._exponent() if self._take("^") else None
        inside = self._power() if self._peek() in OPENING else self._product()
        found = Node("call", (inside, *base), text=name)
        return Node("^", (found, power)) if power else found

    def _base_of_logarithm(self) -> tuple[Node, ...]:
        if self._take("'") or self._take("_"):
            return (self._argument(),)
        return ()

    def _argument(self) -> Node:
        """Parse what a command takes: a group in braces, or one digit or letter."""
        if self._kind() == "number" and len(self._peek()) > 1 and "." not in self._peek():
            digits = self._tokens[self._place][1]
            self._tokens[self._place] = ("number", digits[1:])
            return Node("number", text=digits[0])
        return self._atom()

    def _bracket(self, opening: str) -> Node:
        self._bars += opening == "|"
        items = self._rows() if opening == "[" and self._take("[") else self._list()
        closing = self._next()
        self._bars -= opening == "|"
        if items and items[0].kind == "row":
            self._close("]")
            return Node("tuple", tuple(items), text="matrix")
        if opening == "|" and closing == "|" and len(items) == 1:
            return Node("call", (items[0],), text="abs")
        if opening == "\\{" and closing == "\\}":
            return Node("set", tuple(items))
        if len(items) == 1 and closing == OPENING[opening]:
            return items[0]
        if opening in "([" and closing in ")]":
            return Node("tuple", tuple(items), text=opening + closing)
        raise UnreadableExpression

    def _rows(self) -> list[Node]:
        """Parse the rows of a matrix."""
        rows, row = [], [self._relation()]
        while self._kind() == "sign" and self._peek() in {"&", "\\\\", ","}:
            if self._next() == "\\\\":
                rows.append(Node("row", tuple(row)))
                row = []
            if self._peek() != "]":
                row.append(self._relation())
        return [*rows, *([Node("row", tuple(row))] if row else [])]

    def _close(self, text: str) -> None:
        if not self._take(text):
            raise UnreadableExpression


def _is_mixed(left: Node, following: str) -> bool:
    """Tell whether a whole number stands before a fraction, as in 2 1/2."""
    return left.kind == "number" and "." not in left.text and following == "frac"
