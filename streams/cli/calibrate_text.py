"""A calibration as text for a terminal and as a record for programs (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.text import Text

from streams.budgets.adaptive import LEAST_FOR_MODELS
from streams.budgets.calibration import Calibration, Proposal
from streams.cli.columns import aligned
from streams.cli.printable import printable
from streams.review.shares import Share

_HEADINGS = (
    "model",
    "role",
    "threshold",
    "alerts a day",
    "proposed (95 %)",
    "alerts a day (one day, 95 %)",
    "precision (95 %)",
    "of",
)


def calibration_text(found: Calibration) -> Text:
    """A line about the days, a table with a row for each model, and what there is to know about the figures."""
    headings, *rows = aligned([_HEADINGS, *map(tuple, map(_cells, found.proposals))], to_the_left=2)
    return Text("\n").join(
        [
            Text(_about(found)),
            Text(headings, style="bold"),
            *map(Text, rows),
            *(Text(line, style="dim") for line in _notes(found)),
        ]
    )


def calibration_record(found: Calibration) -> dict[str, Any]:
    """The same, ready for JSON."""
    return {
        "domain": found.domain.name,
        "budget": {"alerts_per_day": found.domain.alerts_per_day, "mode": found.domain.budget_mode},
        "days": found.days,
        "events_per_day": round(found.events_per_day, 1),
        "by_rules_per_day": round(found.by_rules_per_day, 1),
        "by_both_per_day": None if found.by_both is None else round(found.by_both, 1),
        "alerts_per_day": round(found.alerts_per_day, 1),
        "models": [
            {
                "model": one.reference.model,
                "version": str(one.reference.version),
                "role": one.role,
                "threshold": one.reference.threshold,
                "alerts_per_day": round(one.standing_per_day, 1),
                "proposed": {
                    "threshold": one.threshold,
                    "low": one.low,
                    "high": one.high,
                    "alerts_per_day": round(one.per_day, 1),
                    "one_day_low": round(one.day_low, 1),
                    "one_day_high": round(one.day_high, 1),
                    "unjudged_per_day": round(one.unjudged_per_day, 1),
                    "precision": _share_record(one.precision),
                    "capped": one.capped,
                    "too_few": one.too_few,
                    "scores": round(one.scores),
                },
            }
            for one in found.proposals
        ],
    }


def _share_record(share: Share) -> dict[str, Any]:
    return {"value": share.value, "low": share.low, "high": share.high, "verdicts": share.of}


def _about(found: Calibration) -> str:
    days = "1 day" if found.days == 1 else f"{found.days} days"
    return (
        f"{printable(found.domain.name)}: budget {found.domain.alerts_per_day} alerts a day "
        f"({found.domain.budget_mode}). In {days}: {found.events_per_day:.0f} events and "
        f"{found.by_rules_per_day:.0f} alerts by rules a day"
    )


def _cells(proposal: Proposal) -> Iterator[str]:
    share = proposal.precision
    yield printable(f"{proposal.reference.model}/{proposal.reference.version}")
    yield proposal.role
    yield f"{proposal.reference.threshold:g}"
    yield f"{proposal.standing_per_day:.0f}"
    yield f"{proposal.threshold:.6f} ({proposal.low:.6f}-{proposal.high:.6f})"
    yield f"{proposal.per_day:.0f} ({proposal.day_low:.0f}-{proposal.day_high:.0f})"
    yield "-" if share.value is None else f"{share.value:.2f} ({share.low:.2f}-{share.high:.2f})"
    yield str(share.of)


def _notes(found: Calibration) -> Iterator[str]:
    both = (
        "" if found.by_both is None else f", {found.by_both:.0f} of them by champion and challenger together"
    )
    yield f"with the proposed thresholds: {found.alerts_per_day:.0f} alerts a day, those by rules among them{both}"
    if found.domain.trial.mode == "beside" and len(found.proposals) > 1 and found.by_both is None:
        yield (
            "alerts that both raise are counted twice: how many there are is known only for thresholds at or above "
            "those that stood"
        )
    budget = found.domain.alerts_per_day or 0
    if found.by_rules_per_day > (1 - LEAST_FOR_MODELS) * budget:
        yield (
            f"rules alone give {found.by_rules_per_day:.0f} alerts a day of a budget of {budget}; models keep "
            f"{LEAST_FOR_MODELS:.0%} of it all the same"
        )
    for one in found.proposals:
        name = printable(f"{one.reference.model}/{one.reference.version}")
        if one.unjudged_per_day >= 0.5:
            yield (
                f"{name}: {one.unjudged_per_day:.0f} alerts a day would lie below the threshold that stood; nobody has "
                "judged such alerts, and their precision is most likely lower"
            )
        if one.capped:
            yield f"{name}: the budget is more than the safety valve's share of all events; no more than that is proposed"
        if one.refusal is not None:
            yield f"{name}: {one.refusal}"
    yield "alerts a day: by the model alone, where no rule fires. precision: violations among judged alerts at or above"
