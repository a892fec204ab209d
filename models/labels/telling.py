"""What an export holds, in words for the terminal (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

#: With fewer violations to learn from, and in a part that is measured, nothing can be decided: docs/models.md.
_FEW_TO_LEARN: Final = 200
_FEW_TO_MEASURE: Final = 50

_COLUMNS: Final = (
    ("violation", "violations"),
    ("hard_negative", "hard neg."),
    ("patrol_violation", "patrol viol."),
    ("patrol_negative", "patrol neg."),
    ("easy_negative", "easy neg."),
    ("unknown", "unknown"),
)
_REASONS: Final = {
    "unjudged": "alerts that nobody has judged",
    "unsure": "moderators were unsure",
    "contradicted": "verdicts that contradict each other",
    "names_no_domain": "a patrol's violation that names no domain of its kind",
    "near_alert": "unflagged, but beside an alert of the same transaction or listing",
    "in_doubt": "no alert, but a shadow rule, a model without a say, or no score",
}


def as_text(manifest: Mapping[str, Any]) -> str:
    """The table of examples by domain and part, what was read, and what was left out."""
    decided = manifest["decisions"]
    lines = [
        f"scored {manifest['since']} to {manifest['until']}, "
        f"{decided['alerts']:,} alerts with a verdict ({decided['contradicted']:,} contradicted)",
    ]
    for folder, kind in manifest["kinds"].items():
        if kind["read"]["read"]:
            lines += ["", f"{folder}: {_read(kind['read'])}"]
            lines += [
                f"  left out: {count:,} {_REASONS[reason]}"
                for reason, count in kind["read"]["left_out"].items()
            ]
        if kind["examples"]:
            lines += ["", *_table(kind["domains"])]
    if not any(kind["examples"] for kind in manifest["kinds"].values()):
        lines += ["", "no verdict speaks of a prediction that was read: nothing was written"]
    return "\n".join(lines)


def warnings(manifest: Mapping[str, Any]) -> list[str]:
    """What whoever trains on the export should know, a sentence each."""
    found: list[str] = []
    for folder, kind in manifest["kinds"].items():
        if kind["not_cut"]:
            found.append(
                f"{folder} are left out: {kind['not_cut']}; have more of them judged, or read from earlier on with --since"
            )
        found += [
            f"{obstacle} of {folder}; `sekisho train` refuses that domain until there is one"
            for obstacle in kind["cannot_be_trained_or_measured"]
        ]
        found += [sentence for domain, parts in kind["domains"].items() for sentence in _few(domain, parts)]
    if manifest["kinds"]["listings"]["examples"]:
        found.append(
            "listings have no pictures here: train on them with `network: {image: false}`, see docs/labels.md"
        )
    if undecided := manifest["decisions"]["of_no_prediction_read"]:
        found.append(f"{undecided:,} judged alerts have no prediction among those that were read")
    if unreadable := manifest["unreadable_predictions"]:
        found.append(f"{unreadable:,} records of predictions could not be read")
    return found


def _few(domain: str, parts: Mapping[str, Mapping[str, int]]) -> list[str]:
    counts = {
        part: sum(counts.get(name, 0) for name in ("violation", "patrol_violation"))
        for part, counts in parts.items()
    }
    if not any(counts.values()):
        return []
    few = [
        f"{count} in {part}"
        for part, count in counts.items()
        if count < (_FEW_TO_LEARN if part == "train" else _FEW_TO_MEASURE)
    ]
    return [f"{domain}: few violations, {', '.join(few)}: see docs/labels.md"] if few else []


def _read(read: Mapping[str, Any]) -> str:
    parts = [
        f"{read['read']:,} predictions read",
        f"{read['judged']:,} judged",
        f"{read['unflagged']:,} unflagged",
    ]
    parts += [f"{read['repeated']:,} repeated"] if read["repeated"] else []
    parts += [f"{read['of_load_tests']:,} of load tests"] if read["of_load_tests"] else []
    return ", ".join(parts)


def _table(domains: Mapping[str, Mapping[str, Mapping[str, int]]]) -> list[str]:
    rows = [("domain", "part", *(title for _, title in _COLUMNS))]
    rows += [
        (domain, part, *(f"{counts.get(name, 0):,}" for name, _ in _COLUMNS))
        for domain, parts in domains.items()
        for part, counts in parts.items()
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if index < 2 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
