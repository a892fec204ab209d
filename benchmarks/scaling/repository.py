"""Policies of many domains, and the model repository that they need: the shipped models under other names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from streams.features.tokens import TOKENIZER
from streams.inference.contracts import ModelVersion, VersionFacts, config_pbtxt
from streams.policy import Domain


@dataclass(frozen=True, slots=True)
class Copied:
    """A domain with a model of its own, and the shipped model that this one is a copy of."""

    domain: Domain
    model: ModelVersion
    original: ModelVersion


def many_domains(shipped: Mapping[str, Domain], number: int) -> list[Copied]:
    """So many domains: the shipped ones, then the same again under other names as often as needed.

    Thresholds are kept, so what violates one of the shipped domains raises an alert in each of its copies.
    """
    ordered = [(domain, domain.champion) for _, domain in sorted(shipped.items()) if domain.champion]
    copies = []
    for at in range(number):
        domain, champion = ordered[at % len(ordered)]
        name = domain.name if at < len(ordered) else f"{domain.name}_{at:02d}"
        model = ModelVersion(f"{domain.applies_to}_{name}", 1)
        copies.append(
            Copied(
                replace(domain, name=name, champion=replace(champion, model=model.model, version=1)),
                model,
                ModelVersion(champion.model, champion.version),
            )
        )
    return copies


def write_repository(directory: Path, copies: Iterable[Copied], *, shipped: Path, instances: int = 1) -> Path:
    """A repository for a Triton of this run; the models' files are links to those in the `shipped` repository."""
    for copy in copies:
        version = directory / copy.model.model / str(copy.model.version)
        version.mkdir(parents=True)
        original = shipped / copy.original.model / str(copy.original.version) / "model.onnx"
        (version / "model.onnx").symlink_to(original.resolve(strict=True))
        assert copy.domain.champion is not None
        facts = VersionFacts(tokenizer=TOKENIZER, threshold=copy.domain.champion.threshold)
        (directory / copy.model.model / "config.pbtxt").write_text(
            config_pbtxt(copy.model.model, {copy.model.version: facts}, instances=instances), "utf-8"
        )
    return directory
