"""How figures and the words of others are written in the report."""

from __future__ import annotations

from collections.abc import Mapping

from models.evaluation.intervals import Estimate


def picture(name: str, title: str, plots: Mapping[str, str]) -> list[str]:
    """Markdown of a picture, if it was drawn."""
    return [f"![{title}]({plots[name]})", ""] if name in plots else []


def number(one: Estimate) -> str:
    """0.812 [0.790, 0.840]."""
    return _written(one, ".3f")


def share(one: Estimate) -> str:
    """81.2% [79.0%, 84.0%]."""
    return _written(one, ".1%")


def plain_share(value: float | None) -> str:
    """81.2%."""
    return "none" if value is None else f"{value:.1%}"


def count(one: Estimate) -> str:
    """812 [790, 840]."""
    return _written(one, ",.0f")


def signed(one: Estimate) -> str:
    """+0.0120 [-0.0010, +0.0250]."""
    return _written(one, "+.4f")


def signed_share(one: Estimate) -> str:
    """+12.0% [-1.0%, +25.0%]."""
    return _written(one, "+.1%")


def cell(text: str) -> str:
    """Words of others within a table: on one line, and nothing in them read as Markdown."""
    plain = " ".join(text.split())
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>|!#" else letter for letter in plain)


def _written(one: Estimate, form: str) -> str:
    """The value and its interval, where there are such, each in a format of Python's."""
    if one.value is None:
        return "none"
    interval = "" if one.low is None else f" [{one.low:{form}}, {one.high:{form}}]"
    return f"{one.value:{form}}{interval}"
