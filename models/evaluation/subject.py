"""What an evaluation was of: the model, the rows, the champion; and rows for a person to look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Shown:
    """A row for a person to look at: where it stands, its score, its words with personal data masked."""

    place: str
    score: float
    text: str


@dataclass(frozen=True, slots=True)
class Subject:
    """What was evaluated, on what. `part_of` is the part of the model's own data that these rows are."""

    model: str
    domain: str
    label: str
    kind: str
    model_sha256: str
    data: str
    files: Mapping[str, str]
    fingerprint: str
    rows: int
    unlabelled: int
    groups: int
    evaluated_at: str
    part_of: str | None = None
    learnt_from: bool = False
    rules: str | None = None
    active_rules: int = 0
    champion: str | None = None
    champion_sha256: str | None = None
    champion_scores: str | None = None
    left_out: int = 0
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Examples:
    """Rows at which label and score disagree most."""

    high_negatives: tuple[Shown, ...] = ()
    low_positives: tuple[Shown, ...] = ()
