"""Builds SVG elements. Text and attributes are escaped."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape

Number = float | int


def number(value: Number) -> str:
    """Return a coordinate with at most one decimal place."""
    return f"{value:.1f}".removesuffix(".0")


def tag(name: str, *children: Markup | str, **attributes: str | Number) -> Markup:
    """Return an element. Attributes are named as in SVG, with "_" for "-", and "class_" for "class".

    It is put together as plain text, because a board has some thousand elements and `Markup.format` is slow.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value) if isinstance(value, str) else number(value)}"'
        for key, value in attributes.items()
    )
    return Markup(f"<{name}{written}>{''.join(map(escape, children))}</{name}>")  # noqa: S704 - all parts are escaped


def line(x1: Number, y1: Number, x2: Number, y2: Number, class_: str) -> Markup:
    """Return a straight line."""
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def text(x: Number, y: Number, words: str, class_: str = "", anchor: str = "start") -> Markup:
    """Return a line of text that begins, is centred or ends ("start", "middle", "end") at x."""
    return tag("text", escape(words), x=x, y=y, class_=class_, text_anchor=anchor)


def path(points: Iterable[tuple[Number, Number]], class_: str) -> Markup:
    """Return a line through points."""
    steps = " L".join(f"{number(x)} {number(y)}" for x, y in points)
    return tag("path", d=f"M{steps}", class_=class_)


def link(href: str, *children: Markup) -> Markup:
    """Return a link around elements; the elements alone without an address."""
    return tag("a", *children, href=href) if href else Markup("").join(children)


def figure(
    width: Number, height: Number, title: str, *children: Markup, class_: str = "chart", has_links: bool = False
) -> Markup:
    """Return a picture that a screen reader announces by its title; links in it can be reached one by one."""
    return tag(
        "svg",
        *children,
        viewBox=f"0 0 {number(width)} {number(height)}",
        class_=class_,
        role="group" if has_links else "img",
        aria_label=title,
    )
