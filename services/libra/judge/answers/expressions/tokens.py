"""Split a mathematical expression, in LaTeX or in plain text, into tokens."""

from __future__ import annotations

import re

from libra.judge.answers.cleaning import plain_characters

MAX_CHARACTERS = 400
"""A longer expression is not read."""

FUNCTIONS = frozenset(
    [
        "sin",
        "cos",
        "tan",
        "cot",
        "sec",
        "csc",
        "arcsin",
        "arccos",
        "arctan",
        "asin",
        "acos",
        "atan",
        "sinh",
        "cosh",
        "tanh",
        "ln",
        "log",
        "lg",
        "exp",
        "sqrt",
        "abs",
        "max",
        "min",
        "gcd",
    ]
)
GREEK = frozenset(
    [
        "alpha",
        "beta",
        "gamma",
        "delta",
        "epsilon",
        "zeta",
        "eta",
        "theta",
        "iota",
        "kappa",
        "lambda",
        "mu",
        "nu",
        "xi",
        "rho",
        "sigma",
        "tau",
        "upsilon",
        "phi",
        "chi",
        "psi",
        "omega",
        "varepsilon",
        "varphi",
        "vartheta",
        "Gamma",
        "Delta",
        "Theta",
        "Lambda",
        "Sigma",
        "Phi",
        "Psi",
        "Omega",
        "ell",
    ]
)
COMMANDS = {
    **dict.fromkeys(["cdot", "times", "ast"], "*"),
    **dict.fromkeys(["le", "leq", "leqslant"], "≤"),
    **dict.fromkeys(["ge", "geq", "geqslant"], "≥"),
    **dict.fromkeys(["frac", "dfrac", "tfrac", "cfrac"], "frac"),
    **dict.fromkeys(["cup"], "∪"),
    **dict.fromkeys(["lvert", "rvert", "vert", "mid"], "|"),
    **dict.fromkeys(["lt"], "<"),
    **dict.fromkeys(["gt"], ">"),
    **dict.fromkeys(["ne", "neq"], "≠"),
    **dict.fromkeys(["lbrace"], "\\{"),
    **dict.fromkeys(["rbrace"], "\\}"),
    "div": "/",
    "pm": "±",
    "pi": "π",
    "infty": "∞",
    "sqrt": "sqrt",
    "in": "∈",
    "degree": "°",
    "circ": "°",
    "binom": "binom",
}
SKIPPED = re.compile(
    r"\\(?:left|right|big[lr]?|Big[lr]?|displaystyle|limits|,|;|:|!|quad|qquad|(?=[ ]))(?![A-Za-z])"
    r"|\\[,;:! ]|~|[$]|\\[()\[\]]"
)
UNIT = re.compile(r"(?:\s|\\[,; ]|~)*\\(?:text|mathrm|textrm|mbox|operatorname)\s?\{([^{}]*)\}(?:\^\{?\d\}?)?")
WORDING = re.compile(r"\\(?:text(?:bf|it|rm)?|math(?:bf|rm|it|sf|bb|cal)|operatorname|boldsymbol|bm)\s?\{([^{}]*)\}")
MATRIX = re.compile(r"\\begin\{[pbvBV]?matrix\}|\\end\{[pbvBV]?matrix\}")
SUBSCRIPT = re.compile(r"_(?:\{([A-Za-z0-9]{1,4})\}|([A-Za-z0-9]))")
GROUPS = re.compile(r"(?<=\d)(?:\{,\}|,)(?=\d{3}(?!\d))")
TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?|\.\d+)|\\(?P<command>[A-Za-z]+)|(?P<brace>\\[{}])|(?P<row>\\\\)|(?P<word>[A-Za-z]+)"
    r"|(?P<sign>\*\*|<=|>=|!=|[-+*/^!=<>≤≥≠±|(){}\[\],;&∪∈∞π√°%×÷'_]))"
)
PLAIN_SIGNS = {"**": "^", "<=": "≤", ">=": "≥", "!=": "≠", "×": "*", "÷": "/", "√": "sqrt"}
PLAIN_WORDS = {"pi": "π", "inf": "∞", "infinity": "∞", "or": ",", "and": ",", "U": "∪"}

Token = tuple[str, str]
"""The kind of a token (number, name, function, sign) and its text."""


class UnreadableExpression(Exception):
    """The text is no expression that can be read."""


def tokens_of(text: str, letters: frozenset[str] | None = None) -> list[Token]:
    """Return the tokens of an expression. Raises UnreadableExpression for text that is none.

    A word is a product of its letters if all are `letters`, the variables that are expected; None: if it has at
    most two. Words at the end, such as units, are left off.
    """
    if len(text) > MAX_CHARACTERS:
        raise UnreadableExpression
    text = _prepared(text)
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        found = TOKEN.match(text, position)
        if found is None:
            if text[position:].strip(" .\n"):
                raise UnreadableExpression
            break
        position = found.end()
        if found["word"] and not _is_product(found["word"], letters):
            if not tokens or re.search(r"[\d\\=^√π]", text[position:]):
                raise UnreadableExpression
            break
        tokens += _tokens(found, letters)
    return tokens


def _prepared(text: str) -> str:
    text = plain_characters(text.strip().rstrip(".。"))
    text = GROUPS.sub("", text)
    text = MATRIX.sub(lambda found: "[[" if "begin" in found[0] else "]]", text)
    text = UNIT.sub(lambda unit: " , " if unit[1].strip() in {"or", "and"} else " ", text)
    return SKIPPED.sub(" ", SUBSCRIPT.sub(r"'\1\2", WORDING.sub(r"\1", text)))


def _is_product(word: str, letters: frozenset[str] | None) -> bool:
    if word.lower() in FUNCTIONS or word.lower() in PLAIN_WORDS or word in GREEK or len(word) == 1:
        return True
    return len(word) <= 2 if letters is None else set(word) <= letters  # noqa: PLR2004 - xy, but not a word


def _tokens(found: re.Match[str], letters: frozenset[str] | None) -> list[Token]:
    if found["number"]:
        return [("number", found["number"])]
    if command := found["command"]:
        return [_of_command(command)]
    if word := found["word"]:
        return _of_word(word, letters)
    if found["row"]:
        return [("sign", "\\\\")]
    sign = PLAIN_SIGNS.get(found["sign"] or "", found["sign"] or found["brace"])
    return [("function" if sign == "sqrt" else "sign", sign)]


def _of_command(command: str) -> Token:
    if command in FUNCTIONS or command in {"frac", "dfrac", "tfrac", "cfrac", "binom"}:
        return ("function", COMMANDS.get(command, command))
    if command in COMMANDS:
        return ("sign", COMMANDS[command])
    if command in GREEK:
        return ("name", command.removeprefix("var"))
    raise UnreadableExpression


def _of_word(word: str, letters: frozenset[str] | None) -> list[Token]:
    plain = PLAIN_WORDS.get(word.lower() if len(word) > 1 else word)
    if plain and not (letters and word in letters):
        return [("sign", plain)]
    if word.lower() in FUNCTIONS:
        return [("function", word.lower())]
    return [("name", word)] if word in GREEK else [("name", letter) for letter in word]
