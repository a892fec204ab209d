"""Quality as plain JSON, for `/quality` and `sekisho quality --json` (pure)."""

from __future__ import annotations

from dataclasses import asdict

from streams.events import rfc3339
from streams.review.intake import Taken
from streams.review.quality import Quality, Row
from streams.review.recall import Recall
from streams.review.shares import Share
from streams.review.top import PrecisionAtK

#: Lists of a domain's rows, by their kind.
_LISTS = {"model": "models", "rule": "rules"}


def page_of(quality: Quality, taken: Taken) -> dict[str, object]:
    """The figures by domain, and what is odd about the decisions."""
    domains: dict[str, dict[str, object]] = {}
    patrol: dict[str, object] | None = None
    for row in quality.rows:  # a domain's whole comes first
        kind, figures = row.source.kind, _figures(row)
        if kind == "patrol":
            patrol = figures
        elif kind == "domain":
            domains[row.source.domain] = {**figures, "models": [], "rules": [], "reports": None}
        elif kind == "report":
            domains[row.source.domain]["reports"] = figures
        else:
            listed = domains[row.source.domain][_LISTS[kind]]
            assert isinstance(listed, list)
            listed.append({**_name(row), **figures})
    return {
        "since": rfc3339(quality.since_us),
        "until": rfc3339(quality.until_us),
        "domains": domains,
        "patrol": patrol,
        "recall": {recall.domain: _recall(recall) for recall in quality.recalls},
        "decisions": {**asdict(quality.odd), "repeated": taken.repeated, "unusable": taken.unusable},
        "alerts_unreadable": taken.unreadable,
    }


def _name(row: Row) -> dict[str, object]:
    source = row.source
    if source.kind == "rule":
        return {"rule_id": source.name}
    return {"model": source.name, "version": source.version, "role": source.role}


def _figures(row: Row) -> dict[str, object]:
    tally = row.tally
    return {
        "alerts": tally.alerts,
        **asdict(tally),
        "precision": _share(tally.precision),
        "precision_at_k": _at_k(row.at_k),
    }


def _recall(recall: Recall) -> dict[str, object]:
    return {name: _rounded(value) for name, value in asdict(recall).items() if name != "domain"}


def _rounded(value: object) -> object:
    return round(value, 4) if isinstance(value, float) else value


def _share(share: Share) -> dict[str, object]:
    """Four digits: more than any number of verdicts supports."""
    return {name: _rounded(value) for name, value in asdict(share).items()}


def _at_k(at_k: PrecisionAtK | None) -> dict[str, object] | None:
    if at_k is None:
        return None
    return {"k": at_k.k, "days": at_k.days, "alerts": at_k.alerts, **_share(at_k.precision)}
