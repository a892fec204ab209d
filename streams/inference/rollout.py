"""From a version on disk to one that may be trusted with traffic, and out again without a request failing."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Final

from streams.inference.contracts import ModelVersion
from streams.inference.failures import InferenceFailed
from streams.inference.golden import golden_problems
from streams.inference.repository import RepositoryError, read_golden, versions_of
from streams.inference.scorer import Scorer
from streams.inference.staging import place_version, take_out, withdraw, write_config
from streams.inference.triton import TritonClient

#: Loading answers when the version is served; a server behind a load balancer may be later than the one that answered.
_READY_PATIENCE_S: Final = 30.0
#: A worker takes up a new policy within seconds. One that has not after this will not, or somebody wants it so.
_PATIENCE_S: Final = 60.0
_LOOK_S: Final = 0.2


class RolloutFailed(RuntimeError):
    """A change was refused or undone; what served before serves on. The message holds every reason."""


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
        await wait_ready(client, placed)
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
    """Sentences that speak against giving traffic to a version; none if it may have it.

    It must be served on every server, by contract, with this engine's tokeniser, and be right on every golden row.
    """
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


async def remove(
    client: TritonClient, repository: Path, version: ModelVersion, *, idle_s: float = 0.0
) -> None:
    """Have Triton stop serving a version, then delete it; its number is not given again.

    It must have been idle for `idle_s`: workers take up a policy that no longer names it a little later, and until
    then they ask for it. Raises RepositoryError, and RolloutFailed, nothing changed, when Triton refuses or the
    version is still asked for.
    """
    if version.version not in versions_of(repository, version.model):
        raise RepositoryError(f"{repository / version.model / str(version.version)}: no such version")
    is_last = versions_of(repository, version.model) == [version.version]
    try:
        await wait_idle(client, version, idle_s)
        withdraw(repository, version)
        await (client.unload(version.model) if is_last else client.load(version.model))
    except InferenceFailed as failure:
        if not is_last:  # of the last version the configuration is as it was
            write_config(repository, version.model)
        raise RolloutFailed(f"{version} stays: Triton refused to let go of it ({failure})") from failure
    take_out(repository, version, retire=True)


async def wait_ready(client: TritonClient, version: ModelVersion) -> None:
    """Return when every server serves the version, or patience ends; `verify` then says what is missing."""
    until_s = time.monotonic() + _READY_PATIENCE_S
    while not await client.ready(version.model, version.version):
        if time.monotonic() >= until_s:
            return
        await asyncio.sleep(_LOOK_S)


async def wait_idle(client: TritonClient, version: ModelVersion, idle_s: float) -> None:
    """Return when nothing has asked for the version for `idle_s`. Raises RolloutFailed when that does not come about."""
    started_s = idle_since_s = time.monotonic()
    first = seen = await _requests(client, version)
    while time.monotonic() - idle_since_s < idle_s:
        await asyncio.sleep(min(_LOOK_S, idle_s))
        now_seen = await _requests(client, version)
        if now_seen != seen:
            seen, idle_since_s = now_seen, time.monotonic()
        if time.monotonic() - started_s > idle_s + _PATIENCE_S:
            raise RolloutFailed(
                f"{version} stays: it was asked {seen - first} times while {idle_s:g} s without a request were waited "
                "for; a worker still has a policy that names it (see its /rules), or somebody else asks; --now "
                "removes it all the same"
            )


async def _requests(client: TritonClient, version: ModelVersion) -> int:
    try:
        return await client.requests(version.model, version.version)
    except InferenceFailed as failure:
        if failure.reason in {"not_found", "bad_request"}:
            return 0  # not served, so nobody's
        raise


async def _serve_what_is_there(client: TritonClient, repository: Path, model: str) -> None:
    if versions_of(repository, model):
        await client.load(model)
    else:
        await client.unload(model)
