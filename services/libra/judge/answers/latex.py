"""Turn LaTeX into plain text."""

from __future__ import annotations

import re

MAX_NESTING = 6

SPACES = re.compile(r"\\[,;:> ]|\\q?quad(?![A-Za-z])|\\hspace\{[^{}]{0,20}\}")
WRAPPER = re.compile(
    r"\\(?:text(?:bf|it|rm|sf|tt|normal|up)?|math(?:bf|rm|it|sf|tt|bb|cal|normal)|operatorname|bm|boldsymbol|mbox|hbox"
    r"|emph|underline|overline|displaystyle|left|right|big[lr]?|Big[lr]?)\*?(?![A-Za-z])[ ]?(?:\{([^{}]*)\})?"
)
FRACTION = re.compile(
    r"(-?)[ ]?\\[dtc]?frac[ ]?(?:\{([^{}]{1,80})\}[ ]?\{([^{}]{1,80})\}|(\d)[ ]?(\d)|\{([^{}]{1,80})\}(\d))"
)
SCRIPT = re.compile(r"([\^_])[ ]?\{([^{}]{0,40})\}")
ROOT = re.compile(r"\\sqrt[ ]?\{([^{}]{1,80})\}")
DEGREE = re.compile(r"\^?[ ]?\\(?:circ|degree)(?![A-Za-z])")
BOX = re.compile(r"\\(?:boxed|fbox|framebox)(?![A-Za-z])")
DELIMITER = re.compile(r"\\[()\[\]]|(?<=[A-Za-z])\$+(?=\d)")
SIMPLE = re.compile(r"-?[\d.,]+")
COMMAND = re.compile(r"\\([A-Za-z]+)")
ESCAPED = re.compile(r"\\([%$#&_{}!])")

SYMBOLS = {
    **dict.fromkeys(["times", "cdot"], "×"),
    **dict.fromkeys(["approx", "sim", "simeq", "cong"], "≈"),
    **dict.fromkeys(["le", "leq", "leqslant"], "≤"),
    **dict.fromkeys(["ge", "geq", "geqslant"], "≥"),
    **dict.fromkeys(["to", "rightarrow", "Rightarrow", "implies", "longrightarrow"], "→"),
    **dict.fromkeys(["lt"], "<"),
    **dict.fromkeys(["gt"], ">"),
    "div": "÷",
    "pm": "±",
    "neq": "≠",
    "ne": "≠",
    "pi": "π",
    "infty": "∞",
    "therefore": "∴",
    "in": "∈",
    "lbrace": "{",
    "rbrace": "}",
    "percent": "%",
    "euro": "€",
    "pounds": "£",
    "ldots": "...",
    "dots": "...",
}


def plain_latex(text: str) -> str:
    r"""Return text with LaTeX as plain text: 9,500 for 9{,}500, 2 1/2 for 2\frac{1}{2}, ^3 for ^{3}."""
    text = text.replace("{,}", ",").replace("{.}", ".").replace("\\!", "").replace("\\\\", "\n")
    text = SPACES.sub(" ", text)
    for _ in range(MAX_NESTING):
        before = text
        text = SCRIPT.sub(r"\1\2", ROOT.sub(r"√(\1)", WRAPPER.sub(lambda found: found[1] or "", text)))
        text = FRACTION.sub(_plain_fraction, text)
        if text == before:
            break
    text = ESCAPED.sub(r"\1", DELIMITER.sub(" ", DEGREE.sub("°", text)))
    return COMMAND.sub(lambda command: SYMBOLS.get(command[1], " "), text).replace("$", "")


def _plain_fraction(found: re.Match[str]) -> str:
    minus, *parts = found.groups()
    above, below = [part.strip() for part in parts if part is not None]
    if above.startswith("-") and SIMPLE.fullmatch(above):
        minus, above = "" if minus else "-", above[1:]
    above, below = (part if SIMPLE.fullmatch(part) else f"({part})" for part in (above, below))
    return f" {minus}{above}/{below}"
