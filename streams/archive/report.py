"""What a run of the archive did: as JSON for programs, as text for people (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from streams.archive.sink import Tally, total


def report(tallies: Mapping[str, Tally]) -> dict[str, object]:
    """Everything, ready for JSON: the counts of each topic by its full name, and of all."""
    return {
        "topics": {topic: asdict(tally) for topic, tally in sorted(tallies.items())},
        "all": asdict(total(tallies.values())),
    }


def as_text(tallies: Mapping[str, Tally], where: str) -> str:
    """A line for each topic and one for all; what is gone for good is said last."""
    width = max(map(len, ("topic", *tallies)))
    lines = [
        f"{'topic':<{width}}{'records':>12}{'files':>8}{'MiB':>10}{'unreadable':>12}{'lost':>10}",
        *(_line(topic, tally, width) for topic, tally in sorted(tallies.items())),
    ]
    whole = total(tallies.values())
    lines += ["", f"added to {where}: {whole.records:,} records, {whole.files:,} files"]
    if whole.unreadable:
        lines.append(
            f"not what their topic should hold: {whole.unreadable:,} records, kept as they are with empty columns"
        )
    if whole.lost:
        lines.append(
            f"LOST: {whole.lost:,} offsets that Kafka had deleted before they were archived. Run the archive more "
            "often, or have the topics keep their records longer"
        )
    return "\n".join(lines)


def _line(topic: str, tally: Tally, width: int) -> str:
    return (
        f"{topic:<{width}}{tally.records:>12,}{tally.files:>8,}{tally.file_bytes / (1 << 20):>10.1f}"
        f"{tally.unreadable:>12,}{tally.lost:>10,}"
    )
