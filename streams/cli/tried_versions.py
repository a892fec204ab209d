"""What `sekisho models backtest` tries: versions in the repository or in a directory, or a policy of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streams.cli.policy_file import read_policy

if TYPE_CHECKING:
    from streams.inference.contracts import ModelVersion
    from streams.inference.in_process import InProcessModel
    from streams.policy import Policy
    from streams.settings import Settings


@dataclass(frozen=True, slots=True)
class Tried:
    """What is tried: a policy, the domains to look at, and opened models by the version that they stand for."""

    policy: Policy
    domains: tuple[str, ...]
    models: dict[ModelVersion, InProcessModel]
    labels: dict[ModelVersion, str]


def with_models(settings: Settings, tried: Sequence[str], threshold: float | None) -> Tried:
    """Each version as the one champion of the domains that its model speaks for; the other domains are left alone."""
    from streams.inference.contracts import ModelVersion
    from streams.policy import BESIDE, ModelRef, policy_of

    policy = read_policy(settings)
    domains = dict(policy.domains)
    models: dict[ModelVersion, InProcessModel] = {}
    labels: dict[ModelVersion, str] = {}
    touched: list[str] = []
    for number, (directory, named) in enumerate(_versions(settings, tried)):
        opened = _opened(directory)
        # a directory has no number yet; none of the repository's is below 1
        version = named or ModelVersion(opened.metadata.model, -number)
        models[version] = opened
        if named is None:
            labels[version] = str(directory)
        least = opened.metadata.threshold if threshold is None else threshold
        if least is None:
            raise click.ClickException(
                f"{directory}: its metadata suggests no threshold; give one with --threshold"
            )
        for name in _domains_of(policy, version.model):
            if name in touched:
                raise click.UsageError(f"two versions for the domain {name}: try one after the other")
            touched.append(name)
            champion = ModelRef(version.model, version.version, least)
            domains[name] = replace(domains[name], champion=champion, challenger=None, trial=BESIDE)
    return Tried(policy_of(domains, policy.valve, policy.patrol), tuple(touched), models, labels)


def with_policy(settings: Settings, policy: Policy, *, rescore: bool) -> Tried:
    """The file's domains; models that the repository has are opened, for events without a recorded score of theirs."""
    from streams.inference.contracts import ModelVersion
    from streams.inference.repository import MODEL_FILE

    versions = {
        ModelVersion(ref.model, ref.version)
        for domain in policy.domains.values()
        for ref in (domain.champion, domain.challenger)
        if ref is not None
    }
    models = {}
    for version in sorted(versions):
        directory = settings.model_repository / version.model / str(version.version)
        if (directory / MODEL_FILE).is_file():
            models[version] = _opened(directory)
        elif rescore:
            raise click.ClickException(f"{directory}: not in the repository, so it cannot be run")
    return Tried(policy, tuple(policy.domains), models, {})


def _versions(settings: Settings, tried: Sequence[str]) -> list[tuple[Path, ModelVersion | None]]:
    """Each version's directory, and its name where it was given by one. Raises `UsageError`."""
    from streams.inference.contracts import ModelVersion

    found: list[tuple[Path, ModelVersion | None]] = []
    words = list(tried)
    while words:
        word = words.pop(0)
        if words and words[0].isascii() and words[0].isdigit() and int(words[0]) > 0:
            version = ModelVersion(word, int(words.pop(0)))
            directory = settings.model_repository / version.model / str(version.version)
            if not directory.is_dir():
                raise click.UsageError(f"{version} is not in {settings.model_repository}")
            found.append((directory, version))
        elif Path(word).is_dir():
            found.append((Path(word), None))
        else:
            raise click.UsageError(f"{word!r} is no directory, and no version follows it")
    return found


def _domains_of(policy: Policy, model: str) -> list[str]:
    """Where the policy names the model; else the domain that it is called after."""
    named = [
        name
        for name, domain in policy.domains.items()
        if model in {ref.model for ref in (domain.champion, domain.challenger) if ref is not None}
    ]
    _, _, domain = model.partition("_")  # the contract's names: message_<domain>, listing_<domain>
    if not named and domain in policy.domains:
        named = [domain]
    if not named:
        raise click.ClickException(
            f"no domain of the policy has the model {model}, and none is called {domain}"
        )
    return named


def _opened(directory: Path) -> InProcessModel:
    from streams.inference.in_process import InProcessModel
    from streams.inference.repository import RepositoryError

    try:
        return InProcessModel(directory)
    except ModuleNotFoundError as error:
        raise click.ClickException(
            "running a model here needs onnxruntime: pip install 'sekisho[embedded]'"
        ) from error
    except RepositoryError as error:
        raise click.ClickException(str(error)) from error
