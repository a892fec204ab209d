"""From what was collected to a folder and its manifest: examples, parts, counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from models.data.examples import ExampleError
from models.data.splits import Split
from models.labels.collecting import KINDS, Collector, Wanted
from models.labels.examples import Masking, example_of
from models.labels.joining import Kind
from models.labels.parts import Parts, composition, in_parts, obstacles
from models.labels.writing import FOLDERS, Format, write_export
from streams.events import rfc3339
from streams.features.tokens import TOKENIZER

if TYPE_CHECKING:
    from models.labels.reading import Read

FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Export:
    """How an export is made; times in microseconds since 1970."""

    since_us: int
    until_us: int
    made_at: datetime
    split: Split
    form: Format


def make(directory: Path, found: Read, wanted: Wanted, how: Export) -> dict[str, Any]:
    """Write the folder and return what its labels.json holds; nothing is written where nothing was judged.

    A kind of event without any judged one is left out, and so is one of which too little was judged to be cut by time
    where the other suffices. Raises `ExampleError` where none does, and OSError.
    """
    masked = Masking()
    parts: dict[Kind, Parts] = {}
    not_cut: dict[Kind, str] = {}
    versions: dict[str, Counter[str]] = {"models": Counter(), "policies": Counter(), "rulesets": Counter()}
    for kind in KINDS:
        chosen = found.collector.chosen(kind)
        if any("unflagged" not in one.labels.sources.values() for one in chosen):
            examples = [
                example_of(one.prediction, one.labels, masked, weight=round(one.weight, 3)) for one in chosen
            ]
            try:
                parts[kind] = in_parts(examples, kind, how.split)
            except ExampleError as error:
                not_cut[kind] = str(error)
                continue
            for one in chosen:
                versions["models"].update(f"{s.model}/{s.version}" for s in one.prediction.scores)
                versions["policies"][one.prediction.policy] += 1
                versions["rulesets"][one.prediction.ruleset] += 1
    if not_cut and not parts:
        raise ExampleError(
            "\n".join(f"{FOLDERS[kind]}: {reason}" for kind, reason in not_cut.items())
            + "\nhave more of them judged, or read from earlier on with --since"
        )
    manifest = {
        "format": FORMAT,
        "about": "Moderators' verdicts joined with masked predictions; see docs/labels.md",
        "made_at": how.made_at.isoformat(timespec="seconds"),
        "made_by": f"sekisho {version('sekisho')}",
        "since": rfc3339(how.since_us),
        "until": rfc3339(how.until_us),
        "options": {
            "domains": {kind: list(names) for kind, names in wanted.domains.items()},
            "unflagged_per_violation": wanted.unflagged_per_violation,
            "contradicted": "newest" if wanted.with_contradicted else "leave-out",
            "split": asdict(how.split),
            "format": how.form,
        },
        "tokenizer": TOKENIZER,
        "predictions": {"offsets": {str(p): list(ends) for p, ends in found.offsets.items()}},
        "decisions": {**found.reviews.counts(), "of_no_prediction_read": found.collector.undecided},
        "masked_again": {"texts": masked.texts, "changed": masked.changed},
        "unreadable_predictions": found.collector.unreadable,
        "examples_by_version": {name: dict(sorted(counts.items())) for name, counts in versions.items()},
        "kinds": {
            FOLDERS[kind]: {
                **_kind_record(kind, found.collector, wanted, parts.get(kind, {})),
                "not_cut": not_cut.get(kind),
            }
            for kind in KINDS
        },
    }
    if not parts:
        return manifest
    return {**manifest, "files": write_export(directory, parts, manifest, how.form)}


def _kind_record(kind: Kind, collector: Collector, wanted: Wanted, parts: Parts) -> dict[str, Any]:
    counted = collector.counted[kind]
    domains = wanted.domains.get(kind, ())
    return {
        "read": {**asdict(counted), "left_out": dict(sorted(counted.left_out.items()))},
        "examples": {part: len(examples) for part, examples in parts.items()},
        "domains": composition(parts, domains),
        "cannot_be_trained_or_measured": obstacles(parts, domains),
    }
