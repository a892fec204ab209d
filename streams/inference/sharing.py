"""Puts assemblies into the model repository, has them checked before anybody asks them, and takes old ones out."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from streams.features.tokens import TOKENIZER
from streams.inference.assemblies import ONLY_VERSION, Assembly, assembly_name, assembly_of, find_assemblies
from streams.inference.contracts import TRUNK, ModelVersion, VersionFacts, config_pbtxt, family_of
from streams.inference.durable import replace_text, sync
from streams.inference.failures import InferenceFailed
from streams.inference.golden import golden_problems
from streams.inference.repository import CONFIG_FILE, METADATA_FILE, MODEL_FILE, RepositoryError, read_golden
from streams.inference.rollout import RolloutFailed, wait_idle, wait_ready
from streams.inference.triton import TritonClient

_STAGING: Final = ".staging"


@dataclass(frozen=True, slots=True)
class Built:
    """An assembly's file, the heads that it scores, and the digest of the trunk that they share."""

    graph: bytes
    heads: tuple[ModelVersion, ...]
    trunk: str

    @property
    def name(self) -> str:
        """What it is called on Triton."""
        return assembly_name(self.graph)


def assemblies_in(repository: Path) -> list[str]:
    """Names of the assemblies on disk, served or not."""
    return sorted(path.name for path in repository.glob("trunk_*") if _is_assembly(path))


def place_assembly(repository: Path, built: Built) -> None:
    """Write it into the repository, not yet offered; model file first, so that a crash leaves nothing half served."""
    directory = repository / built.name
    staging = directory / _STAGING
    if staging.exists():
        shutil.rmtree(staging)
    if not (directory / str(ONLY_VERSION)).is_dir():
        staging.mkdir(parents=True)
        (staging / MODEL_FILE).write_bytes(built.graph)
        metadata: dict[str, Any] = {
            "model": built.name,
            "version": ONLY_VERSION,
            "family": TRUNK.name,
            "tokenizer": TOKENIZER,
            "trunk": built.trunk,
            "heads": [str(head) for head in built.heads],
        }
        (staging / METADATA_FILE).write_text(json.dumps(metadata, indent=1) + "\n", encoding="utf-8")
        for path in (*staging.iterdir(), staging):
            sync(path)
        staging.rename(directory / str(ONLY_VERSION))
    _configure(repository, built, offered=False)
    sync(repository)


def offer(repository: Path, built: Built) -> None:
    """Write that workers may ask it, once Triton has loaded the configuration anew."""
    _configure(repository, built, offered=True)


async def serve(client: TritonClient, repository: Path, built: Built) -> Assembly:
    """Place an assembly, have Triton serve it, and offer it to the workers once it was seen to be right.

    Every head must answer its version's golden rows as its own model did when it was exported. What does not is taken
    out again, and the heads' own models serve on. Raises RepositoryError and RolloutFailed with Triton's reasons.
    """
    if not await client.live():
        raise RolloutFailed("Triton does not answer, so nothing was changed")
    asked = ModelVersion(built.name, ONLY_VERSION)
    if Assembly(asked, built.heads) in await find_assemblies(client):
        return Assembly(asked, built.heads)  # from before: of this very content, and checked then
    place_assembly(repository, built)
    try:
        await client.load(built.name)
        await wait_ready(client, asked)
        problems = await _problems(client, repository, asked, built.heads)
        if not problems:
            offer(repository, built)
            await client.load(built.name)
            await wait_ready(client, asked)
    except InferenceFailed as failure:
        problems = [f"{built.name}: {failure.detail}"]
    if problems:
        await _withdraw(client, repository, built.name)
        raise RolloutFailed("\n".join([*problems, f"{built.name} was taken out again"]))
    return Assembly(asked, built.heads)


async def take_out_others(
    client: TritonClient, repository: Path, kept: Sequence[str], *, idle_s: float
) -> list[str]:
    """Have Triton let go of every assembly on disk but those that are `kept`, and delete them; their names.

    Each must have been idle for `idle_s`: a worker goes over to another when it sees it. Raises RolloutFailed for one
    that is still asked for; it stays.
    """
    gone = [name for name in assemblies_in(repository) if name not in kept]
    for name in gone:
        await wait_idle(client, ModelVersion(name, ONLY_VERSION), idle_s)
        await _withdraw(client, repository, name)
    return gone


def _configure(repository: Path, built: Built, *, offered: bool) -> None:
    facts = {ONLY_VERSION: VersionFacts(TOKENIZER)}
    text = config_pbtxt(built.name, facts, heads=built.heads, offered=offered)
    replace_text(repository / built.name / CONFIG_FILE, text)


async def _problems(
    client: TritonClient, repository: Path, asked: ModelVersion, heads: Sequence[ModelVersion]
) -> list[str]:
    served = assembly_of(asked.model, await client.config(asked.model))
    if served != Assembly(asked, tuple(heads)):
        return [f"{asked}: Triton serves it otherwise than its config.pbtxt says"]
    problems = []
    for head in heads:
        try:
            golden = read_golden(repository / head.model / str(head.version), head.model)
        except RepositoryError as error:
            problems.append(str(error))
            continue
        problems += await golden_problems(client, asked, golden, output=str(head))
    return problems


async def _withdraw(client: TritonClient, repository: Path, name: str) -> None:
    try:
        await client.unload(name)
    except InferenceFailed as failure:
        if failure.reason not in {"not_found", "bad_request", "internal"}:
            raise RolloutFailed(f"{name} stays: Triton refused to let go of it ({failure})") from failure
    shutil.rmtree(repository / name)
    sync(repository)


def _is_assembly(path: Path) -> bool:
    try:
        return path.is_dir() and family_of(path.name) is TRUNK
    except ValueError:  # a directory that somebody else put there
        return False
