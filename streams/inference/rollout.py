"""From a version on disk to one that may be trusted with traffic: loaded, ready, by contract, golden rows right."""

from __future__ import annotations

from pathlib import Path

from streams.inference.contracts import ModelVersion
from streams.inference.failures import InferenceFailed
from streams.inference.golden import golden_problems
from streams.inference.repository import RepositoryError, read_golden, versions_of
from streams.inference.scorer import Scorer
from streams.inference.staging import place_version, take_out
from streams.inference.triton import TritonClient


class RolloutFailed(RuntimeError):
    """A version was refused; what served before serves on. The message holds every reason."""


async def add(
    client: TritonClient, repository: Path, source: Path, *, version: int | None = None
) -> ModelVersion:
    """Place a version and have Triton serve it beside the others; no traffic goes to it yet.

    A version that does not load or answers otherwise than its golden rows is taken out again. Raises RepositoryError
    for files that cannot be used and RolloutFailed with Triton's reasons.
    """
    if not await client.live():
        raise RolloutFailed("Triton does not answer, so nothing was changed; start it, or add with --no-load")
    placed = place_version(repository, source, version=version)
    try:
        await client.load(placed.model)
        problems = await verify(client, repository, placed)
    except InferenceFailed as failure:
        problems = [f"{placed}: {failure.detail}"]
    if problems:
        take_out(repository, placed, retire=False)
        problems.append(f"{placed} was taken out again")
        try:
            await _serve_what_is_there(client, repository, placed.model)
        except InferenceFailed as failure:
            problems.append(f"{placed.model}: Triton did not follow: {failure}")
        raise RolloutFailed("\n".join(problems))
    return placed


async def verify(client: TritonClient, repository: Path, version: ModelVersion) -> list[str]:
    """Sentences that speak against giving traffic to a served version; none if it may have it."""
    problems = await Scorer(client).check([version])
    if problems:
        return problems
    try:
        golden = read_golden(repository / version.model / str(version.version), version.model)
        return await golden_problems(client, version, golden)
    except RepositoryError as error:
        return [str(error)]
    except InferenceFailed as failure:
        return [f"{version}: failed on a golden row: {failure}"]


async def remove(client: TritonClient, repository: Path, version: ModelVersion) -> None:
    """Take a version out and have Triton stop serving it; its number is not given again.

    Raises RepositoryError, and RolloutFailed when Triton refuses: it then serves the version until it is restarted.
    """
    take_out(repository, version, retire=True)
    try:
        await _serve_what_is_there(client, repository, version.model)
    except InferenceFailed as failure:
        raise RolloutFailed(f"{version} was deleted, but Triton did not follow: {failure}") from failure


async def _serve_what_is_there(client: TritonClient, repository: Path, model: str) -> None:
    if versions_of(repository, model):
        await client.load(model)
    else:
        await client.unload(model)
