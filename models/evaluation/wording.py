"""How figures and the words of others are written in the report."""

from __future__ import annotations

from collections.abc import Mapping

from models.evaluation.intervals import Estimate


def picture(name: str, title: str, plots: Mapping[str, str]) -> list[str]:
    """Markdown of a picture, if it was drawn."""
    return [f"![{title}]({plots[name]})", ""] if name in plots else []


def number(one: Estimate) -> str:
    """0.812 [0.790, 0.840]."""
    if one.value is None:
        return "none"
    return f"{one.value:.3f}" + (f" [{one.low:.3f}, {one.high:.3f}]" if one.low is not None else "")


def share(one: Estimate) -> str:
    """81.2% [79.0%, 84.0%]."""
    if one.value is None:
        return "none"
    return f"{one.value:.1%}" + (f" [{one.low:.1%}, {one.high:.1%}]" if one.low is not None else "")


def plain_share(value: float | None) -> str:
    """81.2%."""
    return "none" if value is None else f"{value:.1%}"


def count(one: Estimate) -> str:
    """812 [790, 840]."""
    if one.value is None:
        return "none"
    return f"{one.value:,.0f}" + (f" [{one.low:,.0f}, {one.high:,.0f}]" if one.low is not None else "")


def signed(one: Estimate) -> str:
    """+0.0120 [-0.0010, +0.0250]."""
    if one.value is None:
        return "none"
    return f"{one.value:+.4f}" + (f" [{one.low:+.4f}, {one.high:+.4f}]" if one.low is not None else "")


def signed_share(one: Estimate) -> str:
    """+12.0% [-1.0%, +25.0%]."""
    if one.value is None:
        return "none"
    return f"{one.value:+.1%}" + (f" [{one.low:+.1%}, {one.high:+.1%}]" if one.low is not None else "")


def cell(text: str) -> str:
    """Words of others within a table: on one line, and nothing in them read as Markdown."""
    plain = " ".join(text.split())
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>|!#" else letter for letter in plain)
