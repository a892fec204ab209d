"""The manifest of a model: one YAML file says what is learnt, from which data, by which system."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from models.systems.contract import Kind

All = Literal["all"]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How many negatives are kept for each positive.

    `hard_share` is the share of hard ones among the kept negatives of the training part, filled up with easy ones
    where they run out; None takes negatives as they come.
    """

    negatives_per_positive: float | All = 1.0
    evaluation_negatives_per_positive: float = 3.0
    hard_share: float | None = None

    def __post_init__(self) -> None:
        wanted = self.negatives_per_positive
        if (wanted != "all" and wanted <= 0) or self.evaluation_negatives_per_positive <= 0:
            raise ValueError("negatives per positive must be above 0")
        if self.hard_share is not None and not 0 <= self.hard_share <= 1:
            raise ValueError(f"hard_share is {self.hard_share}; a share lies within 0..1")


@dataclass(frozen=True, slots=True)
class Split:
    """Shares of the latest examples that validate and test, where the data is one file that is split by time."""

    validation: float = 0.15
    test: float = 0.15

    def __post_init__(self) -> None:
        if not (self.validation > 0 and self.test >= 0 and self.validation + self.test < 1):
            raise ValueError(
                "validation must be above 0, test not below, and something must be left to train on"
            )


@dataclass(frozen=True, slots=True)
class Threshold:
    """The least score that alerts: the lowest that reaches `precision` on the validation part, or a fixed number."""

    precision: float | None = 0.9
    fixed: float | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest with its defaults filled in.

    `domains` has one entry but for systems that serve several; `labels` maps each domain to its label in the data.
    `network` and `training` are instances of the system's option dataclasses.
    """

    name: str
    kind: Kind
    system: str
    domains: tuple[str, ...]
    labels: Mapping[str, str]
    network: Any
    training: Any
    data: str | None = None
    seed: int = 1
    sampling: Sampling = field(default_factory=Sampling)
    split: Split = field(default_factory=Split)
    threshold: Threshold = field(default_factory=Threshold)

    def model_name(self, domain: str) -> str:
        """The model of a domain on Triton: `name`, or `<kind>_<domain>` where there are several."""
        return self.name if len(self.domains) == 1 else f"{self.kind}_{domain}"
