"""Writes an evaluation down: report.md with its pictures for people, report.json with everything for programs."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, Final

from models.evaluation.job import Evaluated
from models.evaluation.plots import draw
from models.evaluation.report import as_markdown

REPORT: Final = "report.md"
RECORD: Final = "report.json"
_FORMAT: Final = 1
_DIGITS: Final = 6


def write(evaluated: Evaluated, directory: Path) -> dict[str, Any]:
    """Write all files into `directory`, which is made if need be; what report.json holds."""
    directory.mkdir(parents=True, exist_ok=True)
    plots = draw(evaluated.findings, directory)
    body = record(evaluated)
    (directory / RECORD).write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    text = as_markdown(evaluated.subject, evaluated.findings, evaluated.options, evaluated.examples, plots)
    (directory / REPORT).write_text(text, encoding="utf-8")
    return body


def record(evaluated: Evaluated) -> dict[str, Any]:
    """Everything, ready for JSON; figures rounded to six digits, NaN never."""
    differences = evaluated.findings.differences
    body: dict[str, Any] = {
        "format": _FORMAT,
        "subject": dataclasses.asdict(evaluated.subject),
        "options": dataclasses.asdict(evaluated.options),
        "findings": dataclasses.asdict(evaluated.findings),
        "examples": dataclasses.asdict(evaluated.examples),
        "verdict": differences[0].verdict if differences else None,
    }
    for quality, source in (
        ("natural", evaluated.findings.natural),
        ("at_ratio", evaluated.findings.at_ratio),
    ):
        body["findings"][quality]["prevalence"] = source.prevalence
    for place, one in enumerate(differences):
        body["findings"]["differences"][place]["verdict"] = one.verdict
    plain: dict[str, Any] = _plain(body)
    return plain


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, float):
        return None if value != value else round(value, _DIGITS)  # noqa: PLR0124 - NaN alone differs from itself
    if isinstance(value, dict):
        return {str(name): _plain(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value
