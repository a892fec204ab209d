"""`sekisho evaluate`: how good a model is on data, and whether it is not worse than the one that serves."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from models.commands.inputs import serving_embedder, usable_rules
from streams.cli.console import load_settings, to_stderr

if TYPE_CHECKING:
    from collections.abc import Iterator

    from models.evaluation.deployable import Deployable
    from models.evaluation.job import RulesAsked
    from models.evaluation.rows import Wanted

#: A verdict that a script must not go on after.
_NOT_SHOWN = 1
#: Something in the model, the data or the options must be changed; as click's own usage errors.
_UNUSABLE = 2
_DIRECTORY = click.Path(exists=True, file_okay=False, path_type=Path)
_FOLDER = "evaluation"


@click.command()
@click.argument("run", type=_DIRECTORY)
@click.option(
    "--data",
    type=click.Path(exists=True, path_type=Path),
    required=True,
    help="A directory with test.jsonl or .parquet (or examples.*, split by time), or one such file.",
)
@click.option(
    "--part",
    type=click.Choice(["test", "valid", "train", "all"]),
    default="test",
    show_default=True,
    help="Which part of the directory.",
)
@click.option("--model", "name", help="The model, of a run that has several.")
@click.option("--label", help="The label in the data.  [default: what the manifest says, or the domain]")
@click.option("--rules", type=_DIRECTORY, help="Compare with the active rules of this directory.")
@click.option("--against", type=_DIRECTORY, help="The champion: another run, or a directory with model.onnx.")
@click.option(
    "--margin",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.01,
    show_default=True,
    help="How much less average precision is still not worse.",
)
@click.option(
    "--by",
    help="Split gate weights by an attribute: attributes.NAME, has_image, FIELD=VALUE.",
)
@click.option(
    "--at", "-k", "ks", type=click.IntRange(1), multiple=True,
    help="K of precision@K; may be given several times.  [default: 50, 100, 200]",
)  # fmt: skip
@click.option("--curve-to", type=click.IntRange(2), help="Last K of the curve.  [default: all rows]")
@click.option(
    "--ratio",
    type=click.FloatRange(0, min_open=True),
    help="Negatives for each positive in the second view.  [default: what the manifest says, or 3]",
)
@click.option(
    "--resamples", type=click.IntRange(100), default=1000, show_default=True, help="Of the bootstrap."
)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the report is written.  [default: RUN/evaluation, or evaluation/MODEL-VERSION for a bare model]",
)
@click.option(
    "--image-cache",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where features of pictures are kept.  [default: SEKISHO_DATA_DIR/image_features]",
)
@click.option("--json", "as_json", is_flag=True, help="What report.json holds, on standard output.")
def command(  # noqa: PLR0917 - click hands each option in by name
    run: Path, data: Path, part: Wanted, name: str | None, label: str | None, rules: Path | None,
    against: Path | None, margin: float, by: str | None, ks: tuple[int, ...], curve_to: int | None, ratio: float | None,
    resamples: int, seed: int, out: Path | None, image_cache: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Measure an exported model on labelled examples and write report.md (with pictures) and report.json.

    RUN is a run folder, or a directory with model.onnx and metadata.json, such as triton_repo/message_harassment/1.
    The file itself is scored with ONNX Runtime: what is measured is what would be deployed.

    Exits with 0 when done, 2 if model, data or options cannot be used. With --against: 0 if the challenger is better
    or not worse in average precision, 1 if it is worse or the rows cannot tell.

    \b
    Examples:
      sekisho evaluate runs/message_harassment --data data --rules rules
      sekisho evaluate runs/new --data data --against triton_repo/message_harassment/1 && sekisho models add ...
    """
    from models.data.examples import ExampleError
    from models.evaluation import job as evaluation
    from models.evaluation.deployable import NotDeployableError, deployables
    from models.evaluation.findings import Options
    from models.evaluation.metrics import REVIEWED
    from models.evaluation.output import REPORT, write
    from models.evaluation.report import summary

    settings = load_settings()
    try:
        (model, several) = _chosen(deployables(run), name, run)
        champion = None if against is None else _champion(deployables(against), model, against)
        chosen = evaluation.Job(
            model, data, part,
            Options(
                threshold=model.threshold, champion_threshold=None if champion is None else champion.threshold,
                ks=tuple(sorted(set(ks))) or REVIEWED, curve_to=curve_to, ratio=_ratio(model) if ratio is None else ratio, resamples=resamples, seed=seed,
                margin=margin, by=by,
            ),
            label=label, champion=champion,
            rules=None if rules is None else _rules(rules, model),
        )  # fmt: skip
        root = chosen.directory.parent if chosen.directory.is_file() else chosen.directory
        embed = serving_embedder(
            settings.model_repository, root, image_cache or settings.data_dir / "image_features"
        )
        with _progress(model.title) as (stage, advance):
            evaluated = evaluation.run(chosen, embed, datetime.now(UTC), stage=stage, advance=advance)
        directory = out or _default_out(run, model, several)
        try:
            body = write(evaluated, directory)
        except OSError as error:
            # What is written into an open file fails without its name: a full disk, a quota.
            error.filename = error.filename or str(directory)
            raise
    except (ExampleError, NotDeployableError, ValueError, OSError) as error:
        to_stderr().print(str(error), markup=False)
        sys.exit(_UNUSABLE)
    if as_json:
        click.echo(json.dumps(body, ensure_ascii=False))
    else:
        for line in summary(evaluated.subject, evaluated.findings):
            click.echo(line)
        click.echo(f"\nreport: {directory / REPORT}")
    if body["verdict"] in {"worse", "cannot tell"}:
        sys.exit(_NOT_SHOWN)


def _chosen(found: list[Deployable], name: str | None, run: Path) -> tuple[Deployable, bool]:
    """The model, and whether the run has others."""
    names = [one.name for one in found]
    if name is None and len(found) > 1:
        raise ValueError(f"{run} has {len(found)} models; --model names one of {', '.join(names)}")
    wanted = found[0].name if name is None else name
    if wanted not in names:
        raise ValueError(f"{run} has no model {wanted}; there: {', '.join(names)}")
    return found[names.index(wanted)], len(found) > 1


def _ratio(model: Deployable) -> float:
    from models.data.sampling import Sampling

    sampling = Sampling() if model.manifest is None else model.manifest.sampling
    return sampling.evaluation_negatives_per_positive


def _champion(found: list[Deployable], model: Deployable, path: Path) -> Deployable:
    same = [one for one in found if one.domain == model.domain and one.kind == model.kind]
    if len(same) != 1:
        there = ", ".join(f"{one.title} ({one.kind}, {one.domain})" for one in found)
        raise ValueError(
            f"{path}: no champion for {model.kind}s of the domain {model.domain}; there: {there}"
        )
    return same[0]


def _default_out(run: Path, model: Deployable, several: bool) -> Path:
    from models.runs.folder import RunFolder

    if not RunFolder(run).manifest.is_file():
        return Path(_FOLDER) / f"{model.name}-{model.version}"
    return run / _FOLDER / model.name if several else run / _FOLDER


def _rules(directory: Path, model: Deployable) -> RulesAsked:
    import time

    import msgspec

    from models.data.rule_hits import RuleHits
    from models.evaluation.job import RulesAsked
    from streams.rule_engine import RuleSet

    rules, digest = usable_rules(directory)
    # Only what alerts today: rules in mode shadow are on trial themselves. Their dates are taken off, since examples
    # may be older than the rules.
    now_us = time.time_ns() // 1000
    active = [
        msgspec.structs.replace(rule, valid_from_us=None, valid_until_us=None)
        for rule in rules
        if rule.domain == model.domain
        and rule.kind == model.kind
        and rule.mode == "active"
        and (rule.valid_from_us is None or rule.valid_from_us <= now_us)
        and (rule.valid_until_us is None or now_us < rule.valid_until_us)
    ]
    return RulesAsked(RuleHits(RuleSet(active), model.kind), f"{directory} (set {digest})", len(active))


@contextmanager
def _progress(name: str) -> Iterator[tuple[Callable[[str, int], None], Callable[[int], None]]]:
    """A bar on standard error that begins anew with each stage; nothing where that is no terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = to_stderr()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(name, total=None)

        def stage(what: str, total: int) -> None:
            progress.reset(task, description=f"{name}: {what}", total=total)

        yield stage, lambda rows: progress.advance(task, rows)
