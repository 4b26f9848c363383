"""Writes a report as one HTML page: it loads nothing, runs no script, and every text in it is text."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from libra.cli.render.sanitize import sanitize
from libra.cli.report.blocks import Answer, Block, Grid, Paragraph, Points, Report

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
STYLE = """
:root { color-scheme: light dark; --line: #8884; --quiet: #8882; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .8rem .3rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
.number { text-align: right; white-space: nowrap; }
details { margin: .5rem 0; padding: .5rem .8rem; background: var(--quiet); border-radius: .4rem; }
summary { cursor: pointer; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: .2rem 0 1rem; font-size: .9rem; }
@media print { details::details-content { content-visibility: visible; } }
"""


def to_html(report: Report) -> str:
    """Return the page. Answers are closed until the reader opens them."""
    parts = [
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{_text(report.title)}</title>",
        f"<style>{STYLE}</style>",
        "</head>",
        "<body>",
        f"<h1>{_text(report.title)}</h1>",
    ]
    for section in report.sections:
        parts.append(f"<h2>{_text(section.title)}</h2>")
        parts += (part for block in section.blocks for part in _parts(block))
    return "\n".join([*parts, "</body>", "</html>"]) + "\n"


def _parts(block: Block) -> Iterator[str]:
    if isinstance(block, Paragraph):
        yield f"<p>{_text(block.text)}</p>"
    elif isinstance(block, Points):
        yield f"<ul>{''.join(f'<li>{_text(text)}</li>' for text in block.texts)}</ul>"
    elif isinstance(block, Grid):
        yield from _table_parts(block)
    else:
        yield from _answer_parts(block)


def _table_parts(grid: Grid) -> Iterator[str]:
    kinds = [' class="number"' if index in grid.numeric else "" for index in range(len(grid.heads))]
    heads = "".join(f'<th scope="col"{kind}>{_text(head)}</th>' for kind, head in zip(kinds, grid.heads, strict=True))
    yield f'<div class="wide" tabindex="0"><table><thead><tr>{heads}</tr></thead><tbody>'
    for row in grid.rows:
        cells = "".join(f"<td{kind}>{_text(cell)}</td>" for kind, cell in zip(kinds, row, strict=True))
        yield f"<tr>{cells}</tr>"
    yield "</tbody></table></div>"


def _answer_parts(answer: Answer) -> Iterator[str]:
    yield f"<details><summary>{_text(answer.title)}: {_text(answer.verdict)}</summary>"
    for role, text in answer.turns:
        yield f"<p>{_text(role)}</p><pre>{_text(text)}</pre>"
    yield "</details>"


def _text(text: str) -> str:
    return escape(sanitize(text))
