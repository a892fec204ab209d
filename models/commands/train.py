"""`sekisho train`: one model from its manifest, or all manifests of a directory."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from models.commands.inputs import serving_embedder, usable_rules
from streams.cli.console import load_settings, to_stderr

if TYPE_CHECKING:
    from rich.console import Console

    from models.data.rule_hits import RuleHits
    from models.manifests import Manifest
    from models.runs.training import Finished, RunOptions
    from models.systems.contract import Kind

#: Something in the manifest, the data or the options must be changed; as click's own usage errors.
_UNUSABLE = 2
_FAILED = 1
_RUNS = "runs"
_DIRECTORY = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.argument("kind", type=click.Choice(["message", "listing"]), required=False)
@click.option(
    "--config", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The model's manifest."
)
@click.option(
    "--all", "manifests", type=_DIRECTORY, help="Train every *.yaml of this directory, one after another."
)
@click.option("--data", type=_DIRECTORY, required=True, help="Where the manifests' data: lies under.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="The run's folder, or with --all the folder of their folders.  [default: runs/NAME, or runs]",
)
@click.option("--force", is_flag=True, help="Train anew where a run is finished or was another one.")
@click.option(
    "--strict-split", is_flag=True, help="Refuse parts that share a text, transaction, listing or seller."
)
@click.option(
    "--rules",
    type=_DIRECTORY,
    help="Negatives that a rule of the domain fires on count as hard (see hard_share).",
)
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@click.option(
    "--precision",
    type=click.Choice(["auto", "fp32", "bf16"]),
    default="auto",
    show_default=True,
    help="Of forward passes while training; auto is bf16 on a GPU that has it.",
)
@click.option(
    "--threads",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="CPU threads. Another number gives other last bits of every weight.",
)
@click.option(
    "--image-cache",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where features of pictures are kept.  [default: SEKISHO_DATA_DIR/image_features]",
)
def command(  # noqa: PLR0917 - click hands each option in by name
    kind: Kind | None,
    config: Path | None,
    manifests: Path | None,
    data: Path,
    out: Path | None,
    force: bool,
    strict_split: bool,
    rules: Path | None,
    device: Literal["auto", "cpu", "cuda"],
    precision: Literal["auto", "fp32", "bf16"],
    threads: int,
    image_cache: Path | None,
) -> None:
    """Train a model as its manifest says, into a folder with its metrics, curves and the model file.

    A command that was killed goes on where it was when it is given again. With --all a manifest that cannot be used
    is reported and the others are trained; runs that are finished are left alone.

    \b
    Examples:
      sekisho train message --config harassment.yaml --data data --out runs/harassment
      sekisho train --all manifests --data data --out runs

    Exit code 2 for a manifest, data or options that must be changed, 1 for a training that failed (with --all: any
    that did not succeed).
    """
    if (config is None) == (manifests is None):
        raise click.UsageError(
            "give --config FILE for one model, or --all DIR for all manifests of a directory"
        )
    if config is not None and kind is None:
        raise click.UsageError("say which kind: sekisho train message --config ..., or listing")
    import torch

    from models.runs.training import RunOptions
    from models.training.device import choose_device

    try:
        chosen = choose_device(device, precision)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    torch.set_num_threads(threads)
    settings = load_settings()
    cache = image_cache or settings.data_dir / "image_features"

    def options_for(manifest: Manifest) -> RunOptions:
        return RunOptions(
            data=data,
            started_at=datetime.now(UTC).isoformat(timespec="seconds"),
            embed=lambda root: serving_embedder(settings.model_repository, root, cache, threads=threads),
            device=chosen,
            threads=threads,
            rules=None if rules is None else _rule_hits(rules, manifest.kind),
            strict_split=strict_split,
            force=force,
        )

    if config is not None:
        assert kind is not None
        _train_one(config, kind, out, options_for)
        return
    assert manifests is not None
    _train_all(manifests, out or Path(_RUNS), options_for)


def _train_one(
    config: Path, kind: Kind, out: Path | None, options_for: Callable[[Manifest], RunOptions]
) -> None:
    from models.manifests import read_manifest
    from models.runs.training import REFUSALS

    console = to_stderr()
    try:
        manifest = read_manifest(config)
        if manifest.kind != kind:
            raise click.UsageError(
                f"{config} is of kind {manifest.kind}: sekisho train {manifest.kind} --config ..."
            )
        finished = _run(manifest, out or Path(_RUNS) / manifest.name, options_for(manifest), console)
    except REFUSALS as error:
        console.print(str(error), markup=False)
        sys.exit(_UNUSABLE)
    except ArithmeticError as error:
        console.print(f"the training failed: {error}", markup=False)
        sys.exit(_FAILED)
    for line in finished.lines():
        click.echo(line)


def _train_all(manifests: Path, out: Path, options_for: Callable[[Manifest], RunOptions]) -> None:
    from models.manifests import read_manifest

    console = to_stderr()
    paths = sorted(manifests.glob("*.yaml"))
    if not paths:
        raise click.UsageError(f"{manifests}: no *.yaml in it")
    names: dict[str, Path] = {}
    failed: list[Path] = []
    for path in paths:
        try:
            manifest = read_manifest(path)
            if manifest.name in names:
                raise ValueError(
                    f"{path}: {names[manifest.name]} too is named {manifest.name}; each needs a name of its own"
                )
            names[manifest.name] = path
            finished = _run(manifest, out / manifest.name, options_for(manifest), console)
        except Exception as error:  # noqa: BLE001 - recorded and shown; the other models do not depend on this one
            failed.append(path)
            _show_failure(path, error, console)
            continue
        for line in finished.lines():
            click.echo(line)
    click.echo(f"{len(paths) - len(failed)} of {len(paths)} trained")
    if failed:
        console.print(f"not trained: {', '.join(map(str, failed))}", markup=False)
        sys.exit(_FAILED)


def _show_failure(path: Path, error: Exception, console: Console) -> None:
    """What the person can mend in words; anything else with its traceback."""
    from models.runs.training import REFUSALS

    if isinstance(error, (*REFUSALS, ArithmeticError, click.ClickException)):
        text = error.message if isinstance(error, click.ClickException) else str(error)
        console.print(f"{path} was not trained:\n{text}", markup=False, style="red")
        return
    console.print(f"{path} was not trained:", markup=False, style="red")
    console.print("".join(traceback.format_exception(error)), markup=False)


def _run(manifest: Manifest, out: Path, options: RunOptions, console: Console) -> Finished:
    from models.commands.progress import Shown
    from models.runs.folder import RunFolder
    from models.runs.training import train_run

    with Shown(console, manifest.name) as shown:
        try:
            return train_run(manifest, RunFolder(out), options, shown)
        except KeyboardInterrupt:
            shown.say(f"interrupted; the same command goes on from the last finished epoch in {out}")
            raise
        except OSError as error:
            # What is written into an open file fails without its name: a full disk, a quota.
            error.filename = error.filename or str(out)
            raise


def _rule_hits(directory: Path, kind: Kind) -> RuleHits:
    from models.data.rule_hits import RuleHits
    from streams.rule_engine import RuleSet

    rules, _ = usable_rules(directory)
    return RuleHits(RuleSet(rules), kind)
