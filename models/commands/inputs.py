"""What commands open beside the examples: the pictures' encoder, and a rule set that has passed its own tests."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    from models.data.datasets import Embed
    from models.data.examples import Example
    from streams.rule_engine.rule import Rule


def serving_embedder(repository: Path, root: Path, cache: Path, *, threads: int = 1) -> Embed:
    """Features by the encoder that serves, or by the same network's own weights where `repository` holds none.

    It is opened when the first example comes. Pictures lie under `root`; features are kept in `cache`.
    """
    opened: list[Embed] = []

    def embed(example: Example) -> npt.NDArray[np.float32] | None:
        if not opened:
            import onnx

            from models.data.image_features import ImageEmbedder
            from models.networks.image_encoder import ImageEncoder
            from models.shipped.release import encoder_model
            from streams.inference.contracts import IMAGE_ENCODER, IMAGE_ENCODER_VERSION
            from streams.inference.repository import MODEL_FILE

            path = repository / IMAGE_ENCODER.name / str(IMAGE_ENCODER_VERSION) / MODEL_FILE
            encoder = onnx.load(path) if path.is_file() else encoder_model(ImageEncoder())
            opened.append(ImageEmbedder(encoder, root=root, cache=cache, threads=threads))
        return opened[0](example)

    return embed


def usable_rules(directory: Path) -> tuple[Sequence[Rule], str]:
    """The rules of a directory, and the digest of its files.

    Raises ValueError, with every finding, for files that are none or that a worker would refuse.
    """
    from streams.cli.rule_files import snapshot_of
    from streams.diagnostics import errors
    from streams.rulebook.child import check_in_child

    try:
        found = snapshot_of((directory,))
    except click.ClickException as error:
        raise ValueError(f"--rules {directory}: {error.message}") from error
    bundle = asyncio.run(check_in_child(found.files))
    if not bundle.usable:
        raise ValueError("\n".join(issue.render() for issue in errors(bundle.issues)))
    return bundle.rules, found.digest
