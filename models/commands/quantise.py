"""`sekisho models quantise`: the version of a model for serving on the CPU."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from models.commands.inputs import serving_embedder
from streams.cli.console import load_settings, to_stderr

#: Something in the model or the data must be changed; as click's own usage errors.
_UNUSABLE = 2
_DIRECTORY = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.argument("directory", type=_DIRECTORY)
@click.option("--data", type=_DIRECTORY, required=True, help="Where train, valid and test of its data lie.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Directory to write; `sekisho models add` takes it.",
)
@click.option("--label", help="The label in the data.  [default: what the manifest says, or the domain]")
def command(directory: Path, data: Path, out: Path, label: str | None) -> None:
    """Write the version of the model in DIRECTORY that serves best on a CPU: static int8, or the file as it is.

    int8 is taken where average precision on the test part drops by at most 0.005 and a row takes 1.2 times less
    processor time at batch 64, both measured side by side. What was measured and decided stands in metadata.json
    under "quantisation". An int8 version gets golden rows of its own, and the threshold under which it alerts as
    often on the validation part. For GPUs keep the original.

    Example: sekisho models quantise runs/harassment/models/message_harassment --data data --out build/harassment-cpu
    """
    import onnx
    import torch

    from models.data.splits import Split
    from models.evaluation.deployable import NotDeployableError, deployables
    from models.evaluation.rows import Questions, Rows, read_rows, source_of
    from models.export.cpu_version import Labelled, cpu_version, write_cpu_version
    from streams.inference.repository import RepositoryError

    settings = load_settings()
    torch.set_num_threads(1)
    console = to_stderr()

    def say(line: str) -> None:
        console.print(line, markup=False)

    try:
        found = deployables(directory)
        if len(found) != 1:
            raise NotDeployableError(
                f"{directory} has {len(found)} models; give one: {', '.join(str(one.directory) for one in found)}"
            )
        (model,) = found
        manifest = model.manifest
        below = data / manifest.data if manifest is not None and manifest.data is not None else data
        folder = below if below.is_dir() else data
        if out.resolve() == model.directory.resolve():
            raise NotDeployableError(
                f"--out {out} is the model itself, which GPUs go on needing; name another directory"
            )
        embed = serving_embedder(settings.model_repository, folder, settings.data_dir / "image_features")

        def read(part: str) -> Rows:
            say(f"reading {part}")
            source = source_of(folder, part, Split() if manifest is None else manifest.split)  # type: ignore[arg-type]
            return read_rows(source, model.kind, Questions(label or model.label), embed)

        train, valid, test = (read(part) for part in ("train", "valid", "test"))
        made = cpu_version(
            onnx.load(str(model.file)),
            model.threshold,
            calibration=train.features,
            picking=Labelled("valid", valid.features, valid.truth),
            judging=Labelled("test", test.features, test.truth),
            say=say,
        )
        write_cpu_version(model.directory, out, made)
    except (ValueError, RepositoryError, OSError) as error:
        console.print(str(error), markup=False)
        sys.exit(_UNUSABLE)
    click.echo(f"{model.name}: {made.decision.ship}: {made.decision.reason}")
    click.echo(f"{out}: give it to `sekisho models add`")
