"""Reports: each text of a model, a task or a user stays text, in HTML and in Markdown."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from libra.cli.report.blocks import Answer, Block, Grid, Paragraph, Points, Report, Section
from libra.cli.report.html_page import to_html
from libra.cli.report.markdown import to_markdown

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</pre></details><h1>Safe!</h1>",
    "<svg onload=alert(1)>",
    "[click](javascript:alert(1)) ![x](http://example.com/x.png)",
    "```\n# Safe!\n```",
    "| a | b |\n|---|---|",
    "\x1b[31mred\x1b[0m",
    "\u202eesrever",
    "&lt;b&gt;",
]
TAGS = set("html head meta title style body h1 h2 p ul li div table thead tbody tr th td details summary pre".split())  # noqa: SIM905 - a list of words reads best as text


def report_with(text: str) -> Report:
    blocks: list[Block] = [
        Paragraph(text),
        Points([text]),
        Grid([text, "n"], [[text, "1"]], frozenset({1})),
        Answer(text, [("user", text), (text, text)], text),
    ]
    return Report(text, [Section(text, blocks)])


class Page(HTMLParser):
    """Collects the tags with their attributes, and the text outside of the style."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("text", HOSTILE)
def test_a_page_has_no_element_of_a_text(text: str) -> None:
    html = to_html(report_with(text))
    page = Page(html)
    assert page.tags <= TAGS
    assert page.attributes <= {"lang", "charset", "http-equiv", "content", "name", "class", "scope", "tabindex"}
    assert not set("\x1b\u202e") & set(html)
    if "\x1b" not in text and "\u202e" not in text:
        assert page.text.count(text) == 12


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_has_no_sign_of_a_text_outside_of_fences(text: str) -> None:
    markdown = to_markdown(report_with(text))
    fence, outside = "", []
    for line in markdown.splitlines():
        if fence:
            fence = "" if line == fence else fence
        elif line and not line.strip("`") and len(line) >= 3:
            fence = line
        else:
            outside.append(line)
    assert not fence
    for sign in "<[":
        assert all(line.count(sign) == line.count(f"\\{sign}") for line in outside)
    assert sum(line.startswith("# ") for line in outside) == 1
    assert not set("\x1b\u202e") & set(markdown)


def test_a_table_keeps_its_columns() -> None:
    lines = to_markdown(Report("r", [Section("s", [Grid(["a", "b"], [["x|y", "1"]], frozenset({1}))])])).splitlines()
    assert lines[-3:] == ["| a | b |", "|---|--:|", "| x\\|y | 1 |"]
