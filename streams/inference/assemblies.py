"""Assemblies: message models on one trunk, served as one model beside their own; which there are, what each is asked for.

An assembly changes no name: a score is its head's (`message_x/3`), whether the head's own model gave it or an assembly.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from streams.features.tokens import TOKENIZER
from streams.inference.contracts import (
    OFFERED,
    TRUNK,
    ModelVersion,
    ServedConfig,
    family_of,
    head_named,
    head_outputs,
    tokenizer_key,
)
from streams.inference.failures import InferenceFailed
from streams.inference.triton import TritonClient

#: An assembly never changes: other heads make another one, under another name.
ONLY_VERSION = 1
#: One head in an assembly costs what its own model does.
_FEWEST = 2


@dataclass(frozen=True, slots=True, order=True)
class Assembly:
    """A served assembly and the versions that it scores."""

    model: ModelVersion
    heads: tuple[ModelVersion, ...]


def assembly_name(graph: bytes) -> str:
    """The name of the assembly with that model file: of its content, so that one name never means two things."""
    return f"trunk_{hashlib.sha256(graph).hexdigest()[:12]}"


def shared(
    wanted: Iterable[ModelVersion], assemblies: Sequence[Assembly]
) -> list[tuple[Assembly | None, tuple[ModelVersion, ...]]]:
    """What to ask of which assembly, and what of its own model (None, one version each). Every version once.

    The assembly that holds most of what is left goes first, as long as it holds two; ties by name.
    """
    left = dict.fromkeys(wanted)
    groups: list[tuple[Assembly | None, tuple[ModelVersion, ...]]] = []
    while True:
        held = {one: tuple(version for version in left if version in one.heads) for one in sorted(assemblies)}
        best = max(held, key=lambda one: len(held[one]), default=None)
        if best is None or len(held[best]) < _FEWEST:
            return [*groups, *((None, (version,)) for version in left)]
        groups.append((best, held[best]))
        for version in held[best]:
            del left[version]


def assembly_of(model: str, served: ServedConfig) -> Assembly | None:
    """The assembly that a served model is; None where it does not fit this engine: other inputs, tokeniser, outputs."""
    heads = tuple(head for output in served.outputs if (head := head_named(output.name)) is not None)
    fits = (
        set(served.inputs) == set(TRUNK.inputs)
        and served.outputs == head_outputs(heads)
        and served.max_batch_size >= TRUNK.max_batch_size
        and served.parameters.get(tokenizer_key(ONLY_VERSION)) == TOKENIZER
    )
    return Assembly(ModelVersion(model, ONLY_VERSION), heads) if fits else None


async def find_assemblies(client: TritonClient) -> tuple[Assembly, ...]:
    """All that the servers serve and offer, by name; none where asking needs an admin key that is not there.

    Raises InferenceFailed.
    """
    try:
        index = await client.index()
    except InferenceFailed as failure:
        if failure.reason == "restricted":
            return ()
        raise
    found = []
    for state in index:
        if state.state != "READY" or state.version != ONLY_VERSION or not _is_assembly(state.model):
            continue
        if await client.ready(
            state.model, ONLY_VERSION
        ):  # on every server, not only on the one with the index
            served = await client.config(state.model)
            if served.parameters.get(OFFERED) == "yes":  # one that is not, is being checked, or was never
                found.append(assembly_of(state.model, served))
    return tuple(sorted(one for one in found if one is not None))


def _is_assembly(model: str) -> bool:
    try:
        return family_of(model) is TRUNK
    except ValueError:  # somebody else's model on the same server
        return False
